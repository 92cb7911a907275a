"""Promises to call somebody back that agents make, and take back."""

from datetime import datetime, timedelta

from calls.events import change
from calls.models import Agent, Call, Callback, User
from calls.refusal import Refused
from calls.text import clean, e164, is_withheld

__all__ = ["LATEST", "cancel", "check", "promise"]

LATEST = timedelta(days=90)
_SLACK = timedelta(minutes=5)  # between a form that was opened and its being sent


def check(*, call: Call, due_at: datetime, now: datetime) -> None:
    """Raises Refused when nobody could be called back, or not then."""
    if is_withheld(call.caller) or not e164(call.caller):
        raise Refused("no_number", "This caller's telephone number is not known, so nobody can call back.")
    if not now - _SLACK <= due_at <= now + LATEST:
        raise Refused("due_at", f"Choose a time within the next {LATEST.days} days.")


def promise(*, call: Call, agent: Agent, due_at: datetime, note: str, by: User, now: datetime) -> Callback:
    """Promise that this agent calls the caller back, not before `due_at`. Raises Refused."""
    check(call=call, due_at=due_at, now=now)
    with change(at=now) as told:
        row = Callback.objects.create(
            call=call,
            e164=call.caller,
            queue=call.queue,
            agent=agent,
            place_at=now,
            due_at=due_at,
            note=clean(note, 200),
            created_at=now,
        )
        told.emit(kind="callback.promised", noun="callback", key=row.pk, call=call.pk, by=by.pk)
    return row


def cancel(*, callback: Callback, by: User, now: datetime) -> bool:
    """Nobody needs to call back any more; False if it was settled before."""
    with change(at=now) as told:
        mine = Callback.objects.open().filter(pk=callback.pk)
        if not mine.update(state=Callback.State.CANCELLED, closed_at=now):
            return False
        told.emit(
            kind="callback.cancelled", noun="callback", key=callback.pk, call=callback.call_id, by=by.pk
        )
    return True
