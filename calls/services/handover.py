"""A voice gives the call on: the plan of what comes next, written only while it is still the voice's.

Who closes the stream is the voice's own side; Twilio then asks for the next turn and gets this plan. Where a
supervisor has taken over, or the voice was lost and another one speaks, nothing is changed.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from calls import path
from calls.counters import count
from calls.events import Change, change
from calls.models import Call, Queue, Ticket
from calls.path import Plan
from calls.refusal import Refused
from calls.services import queues
from calls.text import clean

__all__ = ["REASON", "held", "keep_reason", "place", "to_plan", "to_queue", "to_voicemail"]

REASON = 200  # characters of why, as the agent reads it
_TAKEN = "Somebody else has the call now, or it is over."


@contextmanager
def held(call_id: int, voice_id: int, ticket_id: int, *, now: datetime) -> Iterator[tuple[Change, Call]]:
    """One change with the call locked. Raises Refused (`taken_over`) unless this voice speaks, on the stream
    of this ticket: what it asked for before its stream was lost is not done to the one that came back.
    """
    with change(at=now) as told:
        locked = Call.objects.select_for_update().filter(pk=call_id).exclude(state=Call.State.ENDED).first()
        there = Ticket.objects.filter(pk=ticket_id, leg__call=call_id, released_at__isnull=True)
        if locked is None or not path.speaks(locked.plan, voice_id) or not there.exists():
            raise Refused("taken_over", _TAKEN)
        yield told, locked


def place(call: Call, at: str) -> None:
    """Where the voice goes on should it be lost. Tells nobody: no page shows it."""
    queues.write_plan(call, {**call.plan, "at": clean(at, 80)})


def to_queue(told: Change, call: Call, queue: Queue, *, reason: str, now: datetime) -> None:
    """Into a queue, or what its overflow says; whoever answers reads the reason."""
    keep_reason(call, reason)
    queues.arrive(told, call=call, queue=queue, reason=clean(reason, REASON), now=now)
    _tell(told, call)


def to_voicemail(told: Change, call: Call, queue: Queue | None, *, reason: str) -> None:
    """To leave a message, for the queue if there is one."""
    if queue is not None:
        queues.belong(told, call, queue)
    to_plan(told, call, path.to_voicemail(queue.pk if queue else None), reason=reason)


def to_plan(told: Change, call: Call, plan: Plan, *, reason: str = "") -> None:
    """Whatever else comes next."""
    keep_reason(call, reason)
    queues.write_plan(call, plan)
    _tell(told, call)


def keep_reason(call: Call, reason: str) -> None:
    """What the voice gives as its reason stays with the facts."""
    reason = clean(reason, REASON)
    if reason:
        call.facts = {**call.facts, "reason": reason}
        Call.objects.filter(pk=call.pk).update(facts=call.facts)


def _tell(told: Change, call: Call) -> None:
    step = str(call.plan["step"])
    count(f"voice.handed_over.{step}")
    told.emit(kind="call.handed_over", noun="call", key=call.pk, call=call.pk, facts={"to": step})
