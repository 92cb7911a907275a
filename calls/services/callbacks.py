"""Promises to call somebody back: callers ask for one, agents make one; a call has one open at a time."""

from datetime import datetime, timedelta

from django.utils.translation import gettext

from calls.events import Change, change
from calls.models import Agent, Call, Callback, Queue, User, Waiting
from calls.refusal import Refused
from calls.text import clean, e164, is_withheld

__all__ = ["LATEST", "ask", "cancel", "check", "note", "promise"]

LATEST = timedelta(days=90)
_SLACK = timedelta(minutes=5)  # between a form that was opened and its being sent


def ask(told: Change, *, waiting: Waiting, now: datetime) -> Callback:
    """The caller wants to be called back as soon as it is their turn, and keeps their place.

    Asked again, the open promise is returned as it is.
    """
    call = waiting.call
    there = _open(call)
    if there is not None:
        return there
    made = Callback.objects.create(
        call=call,
        e164=call.caller,
        queue=waiting.queue,
        agent=waiting.agent,
        priority=waiting.priority,
        place_at=waiting.entered_at,
        due_at=now,
        note=clean(waiting.reason, 200),
        created_at=now,
    )
    told.emit(kind="callback.asked", noun="callback", key=made.pk, call=call.pk)
    return made


def note(told: Change, *, call: Call, queue: Queue, due_at: datetime, note: str, now: datetime) -> Callback:
    """A voice promises that somebody calls back (`check` first); what was promised before moves there, also
    what the same caller was promised for this queue in a call before.
    """
    row = _open(call) or _of_before(call, queue)
    row = row or Callback(e164=call.caller, place_at=now, created_at=now)
    row.call, row.queue, row.priority = call, queue, queue.priority
    row.due_at, row.note = due_at, clean(note, 200)
    row.save()
    told.emit(kind="callback.asked", noun="callback", key=row.pk, call=call.pk)
    return row


def check(*, call: Call, due_at: datetime, now: datetime) -> None:
    """Raises Refused when nobody could be called back, or not then."""
    if is_withheld(call.caller) or not e164(call.caller):
        raise Refused(
            "no_number", gettext("This caller's telephone number is not known, so nobody can call back.")
        )
    if not now - _SLACK <= due_at <= now + LATEST:
        raise Refused(
            "due_at", gettext("Choose a time within the next %(days)s days.") % {"days": LATEST.days}
        )


def promise(*, call: Call, agent: Agent, due_at: datetime, note: str, by: User, now: datetime) -> Callback:
    """This agent calls back, not before `due_at`; what was promised before moves there. Raises Refused."""
    check(call=call, due_at=due_at, now=now)
    with change(at=now) as told:
        row = _open(call) or Callback(
            call=call, e164=call.caller, queue=call.queue, place_at=now, created_at=now
        )
        row.agent, row.due_at, row.note = agent, due_at, clean(note, 200)
        row.save()
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


def _of_before(call: Call, queue: Queue) -> Callback | None:
    """An open promise of the queue to the same number; no agent's own."""
    there = Callback.objects.open().select_for_update().filter(e164=call.caller, agent__isnull=True)
    return there.filter(queue=queue).first()


def _open(call: Call) -> Callback | None:
    """What is promised to this caller; the lock lets nobody promise something else meanwhile."""
    Call.objects.select_for_update().filter(pk=call.pk).first()
    return Callback.objects.open().select_for_update().filter(call=call, e164=call.caller).first()
