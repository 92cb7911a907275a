"""Alert rules over figures, and what a finding is. Pure: words are calls.phrases, rows are services.alerts.

A finding's key says which of its rule and call it is, so that finding it again is no second one: a line, a
silence by its first second, a shout by its first second.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

__all__ = [
    "CLIPPED_MS",
    "EPISODE_MS",
    "MAX_OPEN",
    "PER_MINUTE",
    "SOUND",
    "SPEAKERS",
    "Ear",
    "Finding",
    "Loud",
    "Rule",
    "Sound",
    "duration",
    "found_clipping",
    "found_help",
    "found_length",
    "found_level",
    "found_overtalk",
    "found_silence",
    "found_stream_lost",
    "room",
    "thinned",
]

SOUND: Final = frozenset({"silence", "level", "clipping", "overtalk"})
"""The kinds that are judged by levels while a stream is open."""

PER_MINUTE: Final = 3
"""Open alerts of one rule on one call within a minute: who repeats a word cannot flood the list."""
MAX_OPEN: Final = 30
"""Open alerts of one rule on one call, however long it lasts."""
EPISODE_MS: Final = 10_000
"""Loud or clipped again within this time is the same episode."""
CLIPPED_MS: Final = 300
"""So much of one second at full scale is clipping; a single click is not."""

SPEAKERS: Final = {"caller": "Caller", "agent": "Agent"}
_MINUTE_MS: Final = 60_000


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule, ready to be judged. `queue` None covers every call, `speaker` "" caller and agent."""

    id: int
    kind: str
    name: str = ""
    severity: str = "warning"
    queue: int | None = None
    phrases: tuple[tuple[str, ...], ...] = ()
    speaker: str = ""
    seconds: int = 0
    dbfs: float = 0.0

    def covers(self, queue: int | None) -> bool:
        """Whether calls of this queue (None: of none) are meant."""
        return self.queue is None or self.queue == queue

    def hears(self, speaker: str) -> bool:
        """Whether this speaker is meant; prompts and music ("other") never are."""
        return speaker in SPEAKERS and self.speaker in ("", speaker)


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule found in a call. `at_ms` in call time, `quote` what people read, `utterance` the line."""

    rule: Rule
    key: str
    at_ms: int
    quote: str
    utterance: str = ""


@dataclass(frozen=True, slots=True)
class Loud:
    """The loudest second of one speaker lately: its RMS, and how much of a second was at full scale."""

    speaker: str
    dbfs: float
    at_ms: int
    clipped_ms: int = 0


@dataclass(frozen=True, slots=True)
class Sound:
    """What the levels of a stream say now: the silence and the overtalk that go on, and since when.

    Times in ms of the call; 0 ms where nothing goes on.
    """

    silence_ms: int = 0
    silence_at_ms: int = 0
    overtalk_ms: int = 0
    overtalk_at_ms: int = 0
    loud: tuple[Loud, ...] = ()


def found_silence(rule: Rule, *, ms: int, at_ms: int) -> Finding | None:
    """Nobody has spoken for `ms`, since `at_ms`."""
    return _lasting(rule, "silence", ms, at_ms, f"Nobody spoke for {duration(ms)}")


def found_overtalk(rule: Rule, *, ms: int, at_ms: int) -> Finding | None:
    """Both have spoken at once for `ms`, since `at_ms`."""
    return _lasting(rule, "overtalk", ms, at_ms, f"Both spoke at once for {duration(ms)}")


def found_level(rule: Rule, loud: Loud) -> Finding | None:
    """One second of a speaker louder than the rule allows."""
    if loud.dbfs <= rule.dbfs or not rule.hears(loud.speaker):
        return None
    quote = f"{SPEAKERS[loud.speaker]} {_decibels(loud.dbfs)}"
    return Finding(rule, f"level/{loud.speaker}/{loud.at_ms // 1000}", loud.at_ms, quote)


def found_clipping(rule: Rule, loud: Loud) -> Finding | None:
    """A good part of one second of a speaker at full scale."""
    if loud.clipped_ms < CLIPPED_MS or not rule.hears(loud.speaker):
        return None
    quote = f"{SPEAKERS[loud.speaker]} clipped for {loud.clipped_ms / 1000:.1f} s of a second"
    return Finding(rule, f"clipping/{loud.speaker}/{loud.at_ms // 1000}", loud.at_ms, quote)


def found_length(rule: Rule, *, ms: int) -> Finding | None:
    """The call has lasted `ms` since it began; one finding a call."""
    if ms < rule.seconds * 1000:
        return None
    quote = f"The call has lasted {duration(rule.seconds * 1000)}"
    return Finding(rule, "length", rule.seconds * 1000, quote)


def found_stream_lost(rule: Rule, *, ms: int, at_ms: int) -> Finding | None:
    """No stream has been open for `ms`, since `at_ms`."""
    return _lasting(rule, "stream_lost", ms, at_ms, f"No stream for {duration(ms)}")


def found_help(rule: Rule, *, at_ms: int, reason: str) -> Finding:
    """The agent asks for help; each time they ask is one finding."""
    return Finding(rule, f"help/{at_ms}", at_ms, reason)


def _lasting(rule: Rule, kind: str, ms: int, at_ms: int, quote: str) -> Finding | None:
    if ms <= 0 or ms < rule.seconds * 1000:
        return None
    return Finding(rule, f"{kind}/{at_ms // 1000}", max(0, at_ms), quote)


class Ear:
    """Judges the sound of one stream, look by look, and tells each finding once."""

    def __init__(self) -> None:
        self._lasting: dict[int, str] = {}  # rule → key told
        self._loud: dict[tuple[int, str], int] = {}  # rule and speaker → when it was too loud last

    def judge(self, rules: Iterable[Rule], sound: Sound) -> list[Finding]:
        """What these rules find that they had not found before."""
        return [finding for rule in rules for finding in self._judge(rule, sound)]

    def _judge(self, rule: Rule, sound: Sound) -> list[Finding]:
        if rule.kind == "silence":
            return self._once(rule, found_silence(rule, ms=sound.silence_ms, at_ms=sound.silence_at_ms))
        if rule.kind == "overtalk":
            return self._once(rule, found_overtalk(rule, ms=sound.overtalk_ms, at_ms=sound.overtalk_at_ms))
        found = found_level if rule.kind == "level" else found_clipping
        findings = ((loud, found(rule, loud)) for loud in sound.loud)
        return [finding for loud, finding in findings if finding and self._begins(rule, loud)]

    def _once(self, rule: Rule, finding: Finding | None) -> list[Finding]:
        if finding is None or self._lasting.get(rule.id) == finding.key:
            return []
        self._lasting[rule.id] = finding.key
        return [finding]

    def _begins(self, rule: Rule, loud: Loud) -> bool:
        """Whether this is the first second of an episode, not one more of it."""
        key = rule.id, loud.speaker
        last = self._loud.get(key)
        self._loud[key] = loud.at_ms
        return last is None or loud.at_ms - last > EPISODE_MS


def room(*, recent: int, open_: int) -> int:
    """How many more alerts of a rule a call may get: `recent` are open of this minute, `open_` in all."""
    return max(0, min(PER_MINUTE - recent, MAX_OPEN - open_))


def thinned(findings: Iterable[Finding]) -> list[Finding]:
    """The findings of one rule and call that would become alerts while nobody acknowledges any."""
    kept: list[Finding] = []
    for finding in sorted(findings, key=lambda each: each.at_ms):
        recent = sum(1 for other in kept if finding.at_ms - other.at_ms < _MINUTE_MS)
        if room(recent=recent, open_=len(kept)):
            kept.append(finding)
    return kept


def duration(ms: int) -> str:
    """A time as people say it: 31 s, 2 min 5 s, 1 h 2 min."""
    seconds = ms // 1000
    if seconds < 60:
        return f"{seconds} s"
    minutes, rest = divmod(seconds, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, left = divmod(minutes, 60)
    return f"{hours} h {left} min" if left else f"{hours} h"


def _decibels(dbfs: float) -> str:
    return f"{'−' if dbfs <= -0.05 else ''}{abs(dbfs):.1f} dBFS"
