"""Callers whose agent's page was lost in mid-call: they wait for that agent alone, on hold, and come back to
them. With a supervisor who has joined they go on talking meanwhile. Whom a supervisor alone talked with goes
to a queue when that one's page is lost. Part of the tick.
"""

from datetime import datetime, timedelta

from calls import path
from calls.counters import count
from calls.events import change
from calls.models import Call, Command, Conference, Offer, Participant, Supervision, Waiting
from calls.refusal import Refused
from calls.routing import OWN_PRIORITY
from calls.services import commands, moves, offers, queues

__all__ = ["KEPT", "by_supervisor", "kept", "lose", "send_on"]

KEPT = timedelta(seconds=45)  # so long the caller waits for that agent alone
_REASON = "Your page was lost during this call."
_SUPERVISORS = "The supervisor who talked with them was lost."


def lose(offer: Offer, *, now: datetime) -> int:
    """The page of the agent is gone: the person waits where they are, and is offered back."""
    with change(at=now) as told:
        if not offers.end(told, offer, now=now):
            return 0
        count("offer.lost_page")
        queues.enter(
            told,
            call=offer.call,
            queue=offer.call.queue,
            agent=offer.agent,
            agent_until=now + KEPT,
            priority=OWN_PRIORITY,
            reason=_REASON,
            stays=offers.caller_seat(offer.call) is not None,
            now=now,
        )
    return 1


def kept(*, now: datetime) -> int:
    """Hold those who wait so and hear nobody, and take back those with whom a supervisor talks.

    When the agent does not return, a supervisor who has joined has the caller: nobody else is rung for them.
    """
    rows = Waiting.objects.open().filter(agent__isnull=False, priority__gte=OWN_PRIORITY)
    rows = rows.exclude(call__state=Call.State.ENDED).select_related("call")
    return sum(_keep(row, now) for row in rows)


def by_supervisor(room: Conference) -> bool:
    """Whether who talked last with the person in this room was a supervisor who has not chosen to leave."""
    joined = Supervision.objects.filter(conference=room, mode=Supervision.Mode.JOIN, joined_at__isnull=False)
    row = joined.order_by("-joined_at").first()
    if row is None:
        return False
    asked = Command.objects.filter(call=room.call_id, kind=Command.Kind.END_LEG, by=row.by_id)
    return not asked.filter(args__leg=row.leg_sid).exists()


def send_on(call: Call, *, now: datetime) -> int:
    """Into the call's queue, else that of its voice; an apology where there is none."""
    if moves.recently(call, Command.Kind.REDIRECT, now=now):
        return 0
    queue = call.queue or (call.voice.queue if call.voice else None)
    try:
        with change(at=now) as told:
            count("supervision.lost_page")
            if queue is not None:
                queues.arrive(told, call=call, queue=queue, reason=_SUPERVISORS, now=now)
            else:
                queues.write_plan(call, path.to_end(path.APOLOGY))
            command = moves.intend_redirect(told, call=call, plan=call.plan, by=None)
    except Refused:  # hung up at this very moment
        return 0
    commands.send([command], now=now)
    return 1


def _keep(row: Waiting, now: datetime) -> int:
    seat = offers.caller_seat(row.call)
    if seat is None:
        return 0
    joined = Supervision.objects.joined().filter(call=row.call).exists()
    if joined and not _may_return(row, now):
        with change(at=now) as told:
            queues.leave(told, call=row.call, result=Waiting.Result.ANSWERED, now=now)
    return _hold(seat, not joined, now)


def _may_return(row: Waiting, now: datetime) -> bool:
    ringing = Offer.objects.filter(waiting=row, agent=row.agent, state=Offer.State.RINGING)
    return row.agent_until is None or row.agent_until > now or ringing.exists()


def _hold(seat: Participant, on: bool, now: datetime) -> int:
    kind, act = (Command.Kind.HOLD, moves.hold) if on else (Command.Kind.RESUME, moves.unhold)
    if seat.held == on or moves.recently(seat.conference.call, kind, now=now):
        return 0
    act(seat=seat, by=None, now=now)
    return 1
