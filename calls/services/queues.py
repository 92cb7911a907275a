"""Into a queue and out of it again: one open row for each call that waits."""

from datetime import datetime

from calls.counters import count
from calls.events import Change
from calls.models import Agent, Call, Queue, Waiting

__all__ = ["enter", "leave"]


def enter(
    told: Change,
    *,
    call: Call,
    now: datetime,
    queue: Queue | None = None,
    agent: Agent | None = None,
    agent_until: datetime | None = None,
    priority: int | None = None,
    reason: str = "",
    entered_at: datetime | None = None,
) -> Waiting:
    """Have the call wait for an agent of `queue`, or for `agent` alone; an open row is closed as moved.

    The same place asked for again is the same row. Between `agent` and `queue` both given, the agent comes
    first until `agent_until`.
    """
    there = Waiting.objects.open().filter(call=call).first()
    if there is not None and (there.queue_id, there.agent_id) == (_pk(queue), _pk(agent)):
        return there
    leave(told, call=call, result=Waiting.Result.MOVED, now=now)
    ranked = priority if priority is not None else (queue.priority if queue else 0)
    row = Waiting.objects.create(
        call=call,
        queue=queue,
        agent=agent,
        agent_until=agent_until,
        priority=ranked,
        reason=reason[:200],
        entered_at=entered_at or now,
        created_at=now,
    )
    if queue is not None and (call.queue_id, call.team_id) != (queue.pk, queue.team_id):
        call.queue, call.team_id = queue, queue.team_id
        Call.objects.filter(pk=call.pk).update(queue=queue, team=queue.team_id)
        told.emit(kind="call.queued", noun="call", key=call.pk, call=call.pk)
    count("queue.entered")
    told.emit(kind="waiting.entered", noun="waiting", key=row.pk, call=call.pk)
    return row


def leave(told: Change, *, call: Call, result: str, now: datetime) -> bool:
    """The call waits no longer, and why; False if it did not wait."""
    row = Waiting.objects.open().filter(call=call).first()
    if row is None or not Waiting.objects.open().filter(pk=row.pk).update(left_at=now, result=result):
        return False
    count(f"queue.left.{result}")
    told.emit(kind=f"waiting.{result}", noun="waiting", key=row.pk, call=call.pk)
    return True


def _pk(row: Queue | Agent | None) -> int | None:
    return row.pk if row is not None else None
