"""Callers in queues: in, on to another one, out. One open Waiting row a call; its plan says the same."""

from datetime import datetime

from calls import path
from calls.events import Change
from calls.models import Agent, Call, Queue, Waiting
from calls.path import Plan
from calls.selectors import path as selector
from calls.text import clean

__all__ = ["arrive", "belong", "enter", "leave", "overflow", "write_plan"]

_LONGEST_CHAIN = 5  # queues that overflow into each other


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
    stays: bool = False,
) -> Waiting:
    """Let the call wait in a queue, for one agent, or for one agent and after `agent_until` for the queue's.

    An open row of the call is moved on and keeps when it began, unless `entered_at` says otherwise. Writes
    the call's plan, queue and team; with `stays` the caller waits where they are, on hold in a conference.
    `reason` is for the agent who answers.
    """
    # locked, so that of two at once the second sees the first's row
    Call.objects.select_for_update().filter(pk=call.pk).first()
    waiting = Waiting.objects.open().filter(call=call).first() or Waiting(call=call, entered_at=now)
    kind = "waiting.moved" if waiting.pk else "waiting.entered"
    place = (queue, agent)
    if waiting.pk is None or (waiting.queue, waiting.agent) != place:
        waiting.created_at = now
    waiting.queue, waiting.agent, waiting.agent_until = queue, agent, agent_until
    waiting.priority = priority if priority is not None else queue.priority if queue else 0
    waiting.reason = clean(reason, 200)
    waiting.entered_at = entered_at or waiting.entered_at
    waiting.save()
    told.emit(kind=kind, noun="waiting", key=waiting.pk, call=call.pk)
    belong(told, call, queue)
    if not stays:
        write_plan(
            call, path.to_queue(queue.pk) if queue else path.to_agent(agent.pk) if agent else path.to_end()
        )
    return waiting


def leave(told: Change, *, call: Call, result: str, now: datetime) -> bool:
    """End the call's wait with a result of `Waiting.Result`. False if it was over before."""
    open_ones = Waiting.objects.open().filter(call=call)
    key = open_ones.values_list("pk", flat=True).first()
    if key is None or not open_ones.filter(pk=key).update(left_at=now, result=result):
        return False
    told.emit(kind="waiting.left", noun="waiting", key=key, call=call.pk, facts={"result": str(result)})
    return True


def arrive(
    told: Change,
    *,
    call: Call,
    queue: Queue,
    now: datetime,
    entered_at: datetime | None = None,
    reason: str = "",
) -> Plan:
    """Enter the queue, or meet its overflow at once if it is full; the plan that was written."""
    plan = _first_with_room(queue)
    if path.waits(plan):
        there = queue if plan["queue"] == queue.pk else Queue.objects.get(pk=plan["queue"])
        enter(told, call=call, queue=there, now=now, entered_at=entered_at, reason=reason)
    else:
        belong(told, call, queue)
        write_plan(call, plan)
    return plan


def overflow(told: Change, *, call: Call, now: datetime) -> Plan | None:
    """Send the waiting call to what its queue's overflow says; None where that is to go on waiting.

    The place is kept in another queue. The call's plan is written; the caller is not yet redirected.
    """
    waiting = Waiting.objects.open().select_related("queue__overflow_queue").filter(call=call).first()
    queue = waiting.queue if waiting else None
    if waiting is None or queue is None or _overflow(queue) is None:
        return None
    leave(told, call=call, result=Waiting.Result.OVERFLOW, now=now)
    if queue.overflow == Queue.Overflow.QUEUE and queue.overflow_queue is not None:
        return arrive(
            told,
            call=call,
            queue=queue.overflow_queue,
            now=now,
            entered_at=waiting.entered_at,
            reason=waiting.reason,
        )
    plan = _overflow(queue) or path.to_end(path.NOBODY)
    write_plan(call, plan)
    return plan


def write_plan(call: Call, plan: Plan) -> None:
    """What the caller meets next."""
    Call.objects.filter(pk=call.pk).update(plan=plan)
    call.plan = plan


def _first_with_room(queue: Queue) -> Plan:
    """The queue itself, or where its overflow and that of the next ones lead."""
    for _ in range(_LONGEST_CHAIN):
        if not selector.is_full(queue):
            return path.to_queue(queue.pk)
        plan = _overflow(queue)
        if plan is None:
            return path.to_queue(queue.pk)
        if not path.waits(plan) or queue.overflow_queue is None:
            return plan
        queue = queue.overflow_queue
    return path.to_end(path.NOBODY)


def _overflow(queue: Queue) -> Plan | None:
    """The overflow as a plan; None for going on waiting. An overflow that names nothing says sorry."""
    match queue.overflow:
        case Queue.Overflow.STAY:
            return None
        case Queue.Overflow.VOICEMAIL:
            return path.to_voicemail(queue.pk)
        case Queue.Overflow.PHONE:
            return path.to_phone(queue.overflow_to)
        case Queue.Overflow.QUEUE if queue.overflow_queue_id not in (None, queue.pk):
            return path.to_queue(queue.overflow_queue_id or 0)
    return path.to_end(path.NOBODY)


def belong(told: Change, call: Call, queue: Queue | None) -> None:
    """The call is that queue's now, and its team's."""
    if queue is None or call.queue_id == queue.pk:
        return
    call.queue, call.team = queue, queue.team or call.team
    call.save(update_fields=["queue", "team"])
    told.emit(kind="call.changed", noun="call", key=call.pk, call=call.pk)
