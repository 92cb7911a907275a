"""What a voice was heard to say, as lines of the call; and how quickly it answered, turn by turn."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from calls.events import Change, change
from calls.models import Call, Turn
from calls.services import transcript
from calls.services.transcript import Line

__all__ = ["Answered", "said", "turned"]

_LONGEST_MS = 24 * 3600 * 1000


@dataclass(frozen=True)
class Answered:
    """One turn: the caller had spoken (`spoken_ms`, call time), and `gap_ms` later they heard the answer.

    `number` counts the turns of the stream from 1.
    """

    call_id: int
    stream_sid: str
    number: int
    spoken_ms: int
    gap_ms: int


def said(*, lines: Sequence[Line], into: Change | None = None) -> int:
    """Store what the caller has heard of a voice, as `transcript.add` does; how many lines are new.

    Lines of calls whose words nobody wants are not stored, and are not counted.
    """
    wanted = set(
        Call.objects.filter(pk__in={line.call_id for line in lines}, words_wanted=True).values_list(
            "pk", flat=True
        )
    )
    voices = [replace(line, speaker="voice", track="outbound") for line in lines if line.call_id in wanted]
    return transcript.add(lines=voices, into=into) if voices else 0


def turned(*, turns: Sequence[Answered], into: Change | None = None) -> int:
    """Store turns that are not stored yet and tell them; how many that were. Of a call that is gone: none."""
    if into is not None:
        return _add(into, turns)
    with change() as told:
        return _add(told, turns)


def _add(told: Change, turns: Sequence[Answered]) -> int:
    by_key = {(turn.stream_sid, turn.number): turn for turn in turns}
    known = Turn.objects.filter(stream_sid__in={sid for sid, _ in by_key})
    for stored in known.values_list("stream_sid", "number"):
        by_key.pop(stored, None)
    there = Call.objects.in_bulk({one.call_id for one in by_key.values()})
    rows = [_row(turn) for turn in by_key.values() if turn.call_id in there]
    for row in Turn.objects.bulk_create(rows):
        key = f"{row.stream_sid}/{row.number}"
        told.emit(kind="turn.spoken", noun="turn", key=key, call=row.call_id)
    return len(rows)


def _row(turn: Answered) -> Turn:
    return Turn(
        call_id=turn.call_id,
        stream_sid=turn.stream_sid,
        number=turn.number,
        spoken_ms=_ms(turn.spoken_ms),
        gap_ms=_ms(turn.gap_ms),
    )


def _ms(value: int) -> int:
    return max(0, min(value, _LONGEST_MS))
