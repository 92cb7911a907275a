"""Sound rules: what the levels of an open stream say, judged once a second; alerts are raised by calls.

Nothing is judged of a paused stream, nor while a caller gives a code. Silence and overtalk are of two people
who are connected: not of music and prompts, not on hold, not before the call is answered.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from calls.events import Change
from calls.models import Leg
from calls.rules import Ear, Finding, Loud, Rule, Sound
from calls.selectors import alerts as selector
from calls.services import alerts
from streams.models import Stream
from streams.talk import Talk

__all__ = ["Known", "Watched", "judge", "known", "tell"]

_SIDES = {True: {"inbound": "caller", "outbound": "agent"}, False: {"inbound": "agent", "outbound": "caller"}}


@dataclass(frozen=True, slots=True)
class Watched:
    """What rows say of one open stream. `offset_ms` makes stream time call time."""

    call_id: int
    queue: int | None
    offset_ms: int
    of_person: bool  # on the leg of whose call it is: inbound is the caller
    judged: bool
    met: bool


@dataclass(frozen=True, slots=True)
class Known:
    """The rules for sound, and the streams by SID."""

    rules: tuple[Rule, ...] = ()
    streams: dict[str, Watched] = field(default_factory=dict)


def known(*, sids: Iterable[str]) -> Known:
    """What is to be judged, and how each of these streams stands; two queries, or three."""
    rows = Stream.objects.open().filter(sid__in=list(sids)).order_by()
    streams = list(rows.values_list("sid", "leg__call", "leg__kind", "call_offset_ms"))
    situations = selector.situations({call for _, call, _, _ in streams})
    watched = {
        sid: Watched(
            call_id=call,
            queue=situations[call].queue,
            offset_ms=offset_ms,
            of_person=kind in (Leg.Kind.CALLER, Leg.Kind.PERSON),
            judged=situations[call].judged,
            met=situations[call].met,
        )
        for sid, call, kind, offset_ms in streams
        if call in situations
    }
    return Known(selector.rules().sound, watched)


def judge(
    *, rules: Sequence[Rule], stream: Watched, talk: Talk, ear: Ear, silent: bool = True
) -> list[Finding]:
    """What the rules find in the last second that `ear` has not told yet.

    `silent` is False where no sound arrives at all: that is a lost stream, not a silence.
    """
    recent = talk.take_recent()
    if not stream.judged:
        return []
    ours = [rule for rule in rules if rule.covers(stream.queue)]
    return ear.judge(ours, _sound(stream, talk, recent, silent)) if ours else []


def tell(told: Change, *, sid: str, call_id: int, findings: Sequence[Finding]) -> int:
    """Raise what was found, unless the stream has been paused meanwhile; how many alerts. A writer's job."""
    if Stream.objects.filter(sid=sid, paused=True).exists():
        return 0
    return alerts.heard(told, call_id=call_id, findings=findings)


def _sound(stream: Watched, talk: Talk, recent: dict[str, tuple[float, int, int]], silent: bool) -> Sound:
    sides = _SIDES[stream.of_person]
    silence_ms, silence_at = talk.silence
    overtalk_ms, overtalk_at = talk.overtalk
    return Sound(
        silence_ms=silence_ms if silent else 0,
        silence_at_ms=_call_ms(stream, silence_at),
        overtalk_ms=overtalk_ms,
        overtalk_at_ms=_call_ms(stream, overtalk_at),
        loud=tuple(
            Loud(sides[track], dbfs, _call_ms(stream, at_ms), clipped_ms)
            for track, (dbfs, at_ms, clipped_ms) in recent.items()
        ),
    )


def _call_ms(stream: Watched, stream_ms: int) -> int:
    return max(0, stream.offset_ms + stream_ms)
