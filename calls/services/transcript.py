"""Final lines become rows, with their speaker, their event and their alerts, in one transaction."""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from calls.counters import count
from calls.events import Change, change
from calls.models import Call, Leg, Participant, Utterance
from calls.services import alerts, redacting
from calls.text import clean

__all__ = ["Line", "add"]

_log = logging.getLogger("contactcenter.words")
_MAX_TEXT = 4000
# Twilio's callbacks have whole seconds, rounded down; words have milliseconds.
_TOLERANCE_MS = 1000


@dataclass(frozen=True)
class Line:
    """One final line of one track. Times in ms of the call; `leg_kind` is the kind of the streamed leg.

    `speaker` is known of a voice's lines alone; of all others it follows from the track and the legs.
    """

    call_id: int
    stream_sid: str
    track: str
    number: int
    start_ms: int
    end_ms: int
    text: str
    confidence: float | None = None
    words: list[Any] = field(default_factory=list)
    leg_kind: str = "caller"
    speaker: str = ""


def add(*, lines: Sequence[Line], into: Change | None = None) -> int:
    """Store the lines that are not stored yet and tell them; how many that were.

    With `into` it works inside that change (a job of calls.writer), else it makes its own. A line of a call
    that is gone is dropped.
    """
    if into is not None:
        return _add(into, lines)
    with change() as told:
        return _add(told, lines)


def _add(told: Change, lines: Sequence[Line]) -> int:
    new = _new(lines)
    calls = Call.objects.in_bulk({line.call_id for line in new})
    kept = [line for line in new if line.call_id in calls]
    _note_dropped(len(new) - len(kept))
    answered = _first_answers(calls)
    rows = [_row(line, calls[line.call_id], answered.get(line.call_id), told.at) for line in kept]
    redacting.redact(told, rows)
    for row in Utterance.objects.bulk_create(rows):
        key = f"{row.stream_sid}/{row.track}/{row.number}"
        told.emit(kind="utterance.final", noun="utterance", key=key, call=row.call_id)
    alerts.words_said(told, rows=rows, calls=calls)
    return len(rows)


def _new(lines: Sequence[Line]) -> list[Line]:
    """The lines whose (stream, track, number) is not stored, each once."""
    by_key = {(line.stream_sid, line.track, line.number): line for line in lines}
    stored = Utterance.objects.filter(
        stream_sid__in={key[0] for key in by_key}, number__in={key[2] for key in by_key}
    ).values_list("stream_sid", "track", "number")
    for key in stored:
        by_key.pop(key, None)
    return list(by_key.values())


def _row(line: Line, call: Call, answered_at: datetime | None, now: datetime) -> Utterance:
    return Utterance(
        call=call,
        stream_sid=line.stream_sid,
        track=line.track,
        number=line.number,
        speaker=_speaker(line, call, answered_at),
        start_ms=max(0, line.start_ms),
        end_ms=max(0, line.start_ms, line.end_ms),
        text=clean(line.text, _MAX_TEXT),
        confidence=line.confidence,
        words=line.words,
        created_at=now,
    )


def _speaker(line: Line, call: Call, answered_at: datetime | None) -> str:
    """Inbound is who holds the streamed leg; outbound is the other side once somebody has answered it."""
    if line.speaker:
        return line.speaker
    ours = line.leg_kind not in (Leg.Kind.CALLER, Leg.Kind.PERSON)
    if line.track == "inbound":
        return "agent" if ours else "caller"
    if ours:
        return "caller"
    if answered_at is None:
        return "other"  # prompts, music
    joined_ms = (answered_at - call.started_at) / timedelta(milliseconds=1)
    if call.rounds:  # a prompt of the queue is cut off as the caller comes into the conference
        return "agent" if line.start_ms + line.end_ms >= 2 * joined_ms else "other"
    return "agent" if line.end_ms + _TOLERANCE_MS >= joined_ms else "other"


def _first_answers(calls: dict[int, Call]) -> dict[int, datetime]:
    """When the person of each call first met somebody: in a conference by its own word, else by an answer."""
    others, persons = (Leg.Kind.AGENT, Leg.Kind.OUTSIDE), (Leg.Kind.CALLER, Leg.Kind.PERSON)
    joined = Leg.objects.filter(call_id__in=calls, kind__in=others, answered_at__isnull=False)
    met = Participant.objects.filter(conference__call__in=calls, leg__kind__in=persons)
    answers = _earliest(joined.values_list("call_id", "answered_at"))
    answers.update(_earliest(met.values_list("conference__call_id", "joined_at")))
    return answers


def _earliest(found: Iterable[tuple[int, datetime | None]]) -> dict[int, datetime]:
    first: dict[int, datetime] = {}
    for call_id, at in found:
        if at is not None:
            first[call_id] = min(first.get(call_id, at), at)
    return first


def _note_dropped(number: int) -> None:
    if number:
        count("words.dropped", number)
        _log.warning("words.call.gone", extra={"lines": number})
