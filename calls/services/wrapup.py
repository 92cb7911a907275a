"""The time after a call: opened when the agent's part ends, closed by its outcome, else by time."""

from datetime import datetime, timedelta

from django.utils.translation import gettext

from calls.events import Change, change
from calls.models import Outcome, Queue, WrapUp
from calls.models.offer import Offer
from calls.refusal import Refused
from calls.services import agents

__all__ = ["close", "close_due", "extend", "open_after"]

EXTENSION = timedelta(seconds=30)
LONGEST = timedelta(minutes=30)
GONE = timedelta(minutes=5)  # so long an outcome is waited for where nobody is at the desk
_SHOWN = timedelta(milliseconds=1)  # pages are told times so exactly


def open_after(told: Change, offer: Offer, *, now: datetime) -> WrapUp | None:
    """Open the wrap-up of an offer that has ended; None if its queue wants none."""
    queue = offer.call.queue
    seconds = queue.wrapup_seconds if queue else 0
    if not seconds and not (queue and _outcomes(queue)):
        agents.idle(told, offer.agent_id, now=now)
        return None
    there = WrapUp.objects.filter(agent=offer.agent, closed_at__isnull=True).first()
    if there is not None:
        return there
    row = WrapUp.objects.create(
        call=offer.call,
        agent=offer.agent,
        queue=queue,
        opened_at=now,
        due_at=now + timedelta(seconds=seconds),
    )
    _tell(told, row, "wrapup.opened")
    return row


def close(*, wrapup: WrapUp, outcome: str, now: datetime) -> bool:
    """The agent is done. Raises Refused when the queue asks for an outcome that was not chosen.

    False if it was closed before.
    """
    known = _outcomes(wrapup.queue) if wrapup.queue else []
    if known and outcome not in known:
        raise Refused("outcome", gettext("Choose what became of the call."))
    return _close(wrapup, outcome if known else "", now)


def extend(*, wrapup: WrapUp, due_at: datetime, now: datetime) -> datetime:
    """30 seconds more, at most half an hour in all; until when it is now. Raises Refused.

    `due_at` is the end that the agent saw, to the millisecond: asked again, it is extended already.
    """
    with change(at=now) as told:
        row = WrapUp.objects.select_for_update().get(pk=wrapup.pk)
        if row.closed_at is not None:
            raise Refused("closed", gettext("This wrap-up is closed."))
        if due_at <= row.due_at < due_at + _SHOWN:
            row.due_at = min(max(row.due_at, now) + EXTENSION, row.opened_at + LONGEST)
            row.save(update_fields=["due_at"])
            _tell(told, row, "wrapup.extended")
    return row.due_at


def close_due(*, now: datetime) -> int:
    """Close those whose time is up, where no outcome is asked or the agent has gone from their desk; how many
    there were.
    """
    due = WrapUp.objects.filter(closed_at__isnull=True, due_at__lte=now).select_related("queue", "agent")
    return sum(_close(row, "", now) for row in due if not _is_awaited(row, now))


def _is_awaited(row: WrapUp, now: datetime) -> bool:
    """Whether the agent is to say what became of the call, and is there, or may soon be back."""
    seen = row.agent.present_until or row.due_at
    return bool(row.queue and _outcomes(row.queue)) and now - max(seen, row.due_at) < GONE


def _close(wrapup: WrapUp, outcome: str, now: datetime) -> bool:
    with change(at=now) as told:
        mine = WrapUp.objects.filter(pk=wrapup.pk, closed_at__isnull=True)
        if not mine.update(closed_at=now, outcome=outcome):
            return False
        _tell(told, wrapup, "wrapup.closed")
        agents.idle(told, wrapup.agent_id, now=now)
    return True


def _outcomes(queue: Queue) -> list[str]:
    return list(Outcome.objects.filter(queue=queue, active=True).values_list("label", flat=True))


def _tell(told: Change, row: WrapUp, kind: str) -> None:
    told.emit(kind=kind, noun="wrapup", key=row.pk, call=row.call_id)
    told.emit(kind="agent.changed", noun="agent", key=row.agent_id)
