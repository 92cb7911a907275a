"""Promises to call somebody back."""

from datetime import datetime

from calls.events import Change
from calls.models import Agent, Call, Callback, Queue
from calls.text import clean

__all__ = ["ask", "cancel", "done"]


def ask(
    told: Change,
    *,
    call: Call,
    e164: str,
    now: datetime,
    queue: Queue | None = None,
    agent: Agent | None = None,
    place_at: datetime | None = None,
    priority: int = 0,
    due_at: datetime | None = None,
    note: str = "",
) -> Callback:
    """Promise to call `e164` back, not before `due_at` (default: now). `place_at` keeps a place in the queue.

    A call has one open promise per number: asked again, the same one is returned as it is.
    """
    Call.objects.select_for_update().filter(pk=call.pk).first()
    there = Callback.objects.open().filter(call=call, e164=e164).first()
    if there is not None:
        return there
    made = Callback.objects.create(
        call=call,
        e164=e164,
        queue=queue,
        agent=agent,
        priority=priority,
        place_at=place_at or now,
        due_at=due_at or now,
        note=clean(note, 200),
        created_at=now,
    )
    told.emit(kind="callback.asked", noun="callback", key=made.pk, call=call.pk)
    return made


def cancel(told: Change, *, callback: Callback, now: datetime) -> bool:
    """Take the promise back. False if it was closed before."""
    return _close(told, callback, Callback.State.CANCELLED, now)


def done(told: Change, *, callback: Callback, now: datetime) -> bool:
    """They were called. False if it was closed before."""
    return _close(told, callback, Callback.State.DONE, now)


def _close(told: Change, callback: Callback, state: str, now: datetime) -> bool:
    if not Callback.objects.open().filter(pk=callback.pk).update(state=state, closed_at=now):
        return False
    told.emit(kind=f"callback.{state}", noun="callback", key=callback.pk, call=callback.call_id)
    return True
