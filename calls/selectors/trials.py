"""What is kept of past calls, for trying an alert rule on them."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import prefetch_related_objects

from calls.access import Scope
from calls.models import Call, CallState, Event, Utterance

__all__ = ["Kept", "Tapped", "last_calls"]


@dataclass(frozen=True)
class Tapped:
    """One stream, in ms of the call: when it was open, its figures, and when its sound was missing."""

    start_ms: int
    end_ms: int
    of_person: bool  # on the leg of whose call it is: inbound is the caller
    talk: dict[str, Any] = field(default_factory=dict)
    gaps: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class Kept:
    """What is left of a call that has ended; times in ms since it began, `answered_ms` None if nobody met."""

    call: Call
    ended_ms: int
    answered_ms: int | None
    lines: tuple[Utterance, ...] = ()
    streams: tuple[Tapped, ...] = ()
    helps_ms: tuple[int, ...] = ()


def last_calls(*, scope: Scope, queue: int | None, number: int) -> list[Kept]:
    """The last ended calls that the scope sees, newest first; with `queue` those of that queue alone.

    Six queries, however many.
    """
    ended = scope.of(Call.objects.filter(state=CallState.ENDED)).select_related("contact", "number", "queue")
    if queue is not None:
        ended = ended.filter(queue=queue)
    calls = list(ended.order_by("-started_at", "-pk")[:number])
    prefetch_related_objects(calls, "legs__streams__gaps")
    lines, helps = _lines(calls), _helps(calls)
    return [_kept(call, lines.get(call.pk, []), helps.get(call.pk, [])) for call in calls]


def _kept(call: Call, lines: list[Utterance], helps: list[datetime]) -> Kept:
    return Kept(
        call=call,
        ended_ms=_ms(call, call.ended_at or call.started_at),
        answered_ms=_ms(call, call.answered_at) if call.answered_at else None,
        lines=tuple(lines),
        streams=tuple(
            _tapped(call, stream, leg.is_persons()) for leg in call.legs.all() for stream in leg.streams.all()
        ),
        helps_ms=tuple(_ms(call, at) for at in helps),
    )


def _tapped(call: Call, stream: Any, of_person: bool) -> Tapped:
    ended = stream.closed_at or call.ended_at or stream.opened_at
    return Tapped(
        start_ms=stream.call_ms(0),
        end_ms=_ms(call, ended),
        of_person=of_person,
        talk=stream.figures.get("talk") or {},
        gaps=tuple(
            (stream.call_ms(gap.at_ms), stream.call_ms(gap.at_ms + gap.ms)) for gap in stream.gaps.all()
        ),
    )


def _lines(calls: Iterable[Call]) -> dict[int, list[Utterance]]:
    found: dict[int, list[Utterance]] = {}
    rows = Utterance.objects.defer("words").filter(call__in=[call.pk for call in calls])
    for row in rows.order_by("start_ms", "pk"):
        found.setdefault(row.call_id, []).append(row)
    return found


def _helps(calls: Iterable[Call]) -> dict[int, list[datetime]]:
    found: dict[int, list[datetime]] = {}
    events = Event.objects.filter(call__in=[call.pk for call in calls], kind="call.help").order_by("pk")
    for call, at in events.values_list("call", "at"):
        if call is not None:
            found.setdefault(call, []).append(at)
    return found


def _ms(call: Call, at: datetime) -> int:
    return max(0, round((at - call.started_at) / timedelta(milliseconds=1)))
