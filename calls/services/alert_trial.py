"""What an alert rule would have found in calls that are over, from what is kept of them.

Lines are kept, levels are not: of a stream's sound there are its longest silence and overtalk, its loudest
second and its worst clipping. Where lines must stand in for levels, or nothing is left, the answer says so.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from calls import rules
from calls.phrases import Words
from calls.rules import Finding, Loud, Rule
from calls.selectors.trials import Kept, Tapped

__all__ = ["Tried", "try_on"]

Span = tuple[int, int]
"""From and until, in ms of the call."""

_NO_LINES = "Cannot be tried: no lines and no levels of this call are kept."
_NO_WORDS = "Cannot be tried: nothing that was said in this call is kept."
_NO_LEVELS = "Cannot be tried: no levels of this call are kept."
_NOBODY_MET = "Cannot be tried: nobody was connected with the caller."
_SIDES = {True: {"inbound": "caller", "outbound": "agent"}, False: {"inbound": "agent", "outbound": "caller"}}


@dataclass(frozen=True)
class Tried:
    """What became of one call: the alerts, oldest first, or `why` it could not be tried; `note` limits it."""

    kept: Kept
    alerts: tuple[Finding, ...] = ()
    why: str = ""
    note: str = ""


def try_on(*, rule: Rule, calls: Sequence[Kept]) -> list[Tried]:
    """The rule on each of these calls, whether it is active or not."""
    words = Words([rule]) if rule.kind == "words" else Words()
    return [_try(rule, words, kept) for kept in calls]


def _try(rule: Rule, words: Words, kept: Kept) -> Tried:
    match rule.kind:
        case "words":
            return _tried(kept, _said(rule, words, kept), "" if kept.lines else _NO_WORDS)
        case "silence":
            return _quiet(rule, kept)
        case "overtalk":
            return _both(rule, kept)
        case "level" | "clipping":
            return _tried(kept, _loud(rule, kept), "" if _measured(kept) else _NO_LEVELS, _ONLY_LOUDEST)
        case "length":
            return _tried(kept, _one(rules.found_length(rule, ms=kept.ended_ms)))
        case "stream_lost":
            why = "" if kept.answered_ms is not None else _NOBODY_MET
            return _tried(kept, _bare(rule, kept), why, _STOPPED_TOO)
        case _:
            return _tried(
                kept, [rules.found_help(rule, at_ms=at, reason="Asked for help") for at in kept.helps_ms]
            )


_ONLY_LOUDEST = "Of each stream only the loudest second of each side is kept: there may have been more."
_FROM_LINES = "Judged by the lines that were written down; the levels decide while a call lasts."
_STOPPED_TOO = "A stream that a person stopped counts too: that was not kept apart."
_ONLY_LONGEST = "Of each stream only the longest is kept: there may have been more."


def _tried(kept: Kept, found: Sequence[Finding], why: str = "", note: str = "") -> Tried:
    if why:
        return Tried(kept, why=why)
    return Tried(kept, tuple(rules.thinned(found)), note=note if found else "")


def _said(rule: Rule, words: Words, kept: Kept) -> list[Finding]:
    return [
        finding
        for line in kept.lines
        for finding in words.judge(
            line.text,
            speaker=line.speaker,
            queue=rule.queue,
            at_ms=line.start_ms,
            utterance=f"{line.stream_sid}/{line.track}/{line.number}",
        )
    ]


def _quiet(rule: Rule, kept: Kept) -> Tried:
    """Places between lines, where the levels do not say that no silence was so long."""
    if kept.answered_ms is None:
        return Tried(kept, why=_NOBODY_MET)
    longest = list(_longest(kept, "longest_silence"))
    spoken = [(line.start_ms, line.end_ms) for line in kept.lines if line.speaker != "other"]
    if not longest and not spoken:
        return Tried(kept, why=_NO_LINES)
    by_level = [rules.found_silence(rule, ms=ms, at_ms=at) for at, ms in longest]
    if longest and not any(by_level):
        return Tried(kept)
    heard = [(stream.start_ms, stream.end_ms) for stream in kept.streams]
    missing = [gap for stream in kept.streams for gap in stream.gaps]
    silent = _without(_within(heard, kept.answered_ms, kept.ended_ms), [*spoken, *missing]) if spoken else []
    by_line = [rules.found_silence(rule, ms=until - at, at_ms=at) for at, until in silent]
    if any(by_line):
        return _tried(kept, _only(by_line), note=_FROM_LINES)
    return _tried(kept, _only(by_level), note=_ONLY_LONGEST)


def _both(rule: Rule, kept: Kept) -> Tried:
    """The longest overtalk of each stream by its levels; else where lines of both lie over each other."""
    if kept.answered_ms is None:
        return Tried(kept, why=_NOBODY_MET)
    if _measured(kept):
        longest = _longest(kept, "longest_both")
        return _tried(
            kept,
            _only([rules.found_overtalk(rule, ms=ms, at_ms=at) for at, ms in longest]),
            note=_ONLY_LONGEST,
        )
    sides = [_joined(_spans(kept, speaker)) for speaker in ("caller", "agent")]
    if not all(sides):
        return Tried(kept, why=_NO_LINES)
    over = [span for one in sides[0] for span in _within(sides[1], *one)]
    found = [rules.found_overtalk(rule, ms=until - at, at_ms=at) for at, until in over]
    return _tried(kept, _only(found), note=_FROM_LINES)


def _loud(rule: Rule, kept: Kept) -> list[Finding]:
    found = rules.found_level if rule.kind == "level" else rules.found_clipping
    return _only([found(rule, loud) for stream in kept.streams for loud in _loudest(stream)])


def _loudest(stream: Tapped) -> Iterator[Loud]:
    for track, speaker in _SIDES[stream.of_person].items():
        side = stream.talk.get(track) or {}
        if side.get("loudest_dbfs") is not None:
            at_ms = stream.start_ms + int(side.get("loudest_at_ms") or 0)
            yield Loud(speaker, float(side["loudest_dbfs"]), at_ms, int(side.get("clipped_most_ms") or 0))


def _bare(rule: Rule, kept: Kept) -> list[Finding]:
    """The times after the answer in which no stream was open, if the call was streamed at all."""
    if kept.answered_ms is None or not kept.streams:
        return []
    open_ = [(stream.start_ms, stream.end_ms) for stream in kept.streams]
    bare = _without([(kept.answered_ms, kept.ended_ms)], open_)
    return _only([rules.found_stream_lost(rule, ms=until - at, at_ms=at) for at, until in bare])


def _measured(kept: Kept) -> bool:
    return any(stream.talk for stream in kept.streams)


def _longest(kept: Kept, name: str) -> Iterator[Span]:
    """(at, ms) of each stream that has this figure."""
    for stream in kept.streams:
        figure: dict[str, Any] = stream.talk.get(name) or {}
        if figure:
            yield stream.start_ms + int(figure.get("at_ms", 0)), int(figure.get("ms", 0))


def _spans(kept: Kept, speaker: str) -> list[Span]:
    return [(line.start_ms, line.end_ms) for line in kept.lines if line.speaker == speaker]


def _joined(spans: Sequence[Span]) -> list[Span]:
    """The same times without overlaps, in order."""
    found: list[Span] = []
    for start, end in sorted(spans):
        if found and start <= found[-1][1]:
            found[-1] = found[-1][0], max(found[-1][1], end)
        else:
            found.append((start, end))
    return found


def _within(spans: Sequence[Span], start: int, end: int) -> list[Span]:
    """The parts of some times that lie between two moments."""
    cut = [(max(start, one), min(end, other)) for one, other in _joined(spans)]
    return [span for span in cut if span[0] < span[1]]


def _without(spans: Sequence[Span], taken: Sequence[Span]) -> list[Span]:
    """Some times less others."""
    found = []
    for start, end in spans:
        at = start
        for one, other in _within(taken, start, end):
            if one > at:
                found.append((at, one))
            at = max(at, other)
        if at < end:
            found.append((at, end))
    return found


def _only(found: Sequence[Finding | None]) -> list[Finding]:
    return [finding for finding in found if finding is not None]


def _one(found: Finding | None) -> list[Finding]:
    return _only([found])
