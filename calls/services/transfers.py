"""Giving a call on: at once, or after a word with who takes it, in the conference or through a queue."""

import secrets
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext

from calls import lattice
from calls.events import Change, change
from calls.models import Agent, Call, Command, Leg, Offer, Queue, User, Waiting
from calls.refusal import Refused
from calls.routing import Free, Wait, may_take
from calls.selectors import agents as selector
from calls.services import allowed, commands, handling, moves, offers, queues
from calls.services.commands import Intent
from calls.text import clean

__all__ = ["cancel", "complete", "give", "transfer"]

KEPT = timedelta(seconds=60)  # a call given to one agent waits so long for them alone
RING_OUTSIDE_SECONDS = 30


@dataclass(frozen=True)
class _Asked:
    call: Call
    leaving: tuple[Offer, ...]  # whose part ends with it
    by: User
    id: uuid.UUID
    reason: str
    now: datetime


def transfer(
    *,
    offer: Offer,
    kind: str,
    key: str,
    first: bool,
    reason: str = "",
    by: User,
    command_id: uuid.UUID,
    now: datetime,
) -> Command:
    """Give the call to an agent, a queue (`key` is the row) or a number (in E.164); `first`: talk first.

    Raises Refused with a sentence for the agent.
    """
    asked = commands.known(command_id)
    if asked is not None:
        return asked
    handling.check_talking(offer)
    if _consulted(offer.call):
        raise Refused("consulting", gettext("You are talking to somebody about this call already."))
    wanted = _Asked(offer.call, (offer,), by, command_id, clean(reason, 200), now)
    if kind == "agent":
        return _to_agent(wanted, _agent(key, offer), first)
    if kind == "queue":
        return _to_queue(wanted, _queue(key), first)
    if kind == "number":
        return _to_number(wanted, allowed.check(key), first)
    raise Refused("target", gettext("Choose an agent, a queue or a number."))


def give(
    *, call: Call, kind: str, key: str, reason: str, by: User, command_id: uuid.UUID, now: datetime
) -> Command:
    """Send the caller on at once from wherever they are; every agent in the call is free. Raises Refused."""
    there = Offer.objects.filter(call=call, state=Offer.State.ACCEPTED).select_related("agent", "call")
    wanted = _Asked(call, tuple(there), by, command_id, clean(reason, 200), now)
    if kind == "agent":
        return _to_agent(wanted, _agent(key, *there), first=False)
    if kind == "queue":
        return _to_queue(wanted, _queue(key), first=False)
    if kind == "number":
        return _to_number(wanted, allowed.check(key), first=False)
    raise Refused("target", gettext("Choose an agent, a queue or a number."))


def complete(*, offer: Offer, by: User, command_id: uuid.UUID, now: datetime) -> Command:
    """Leave the caller with the one who was asked first. Raises Refused."""
    asked = commands.known(command_id)
    if asked is not None:
        return asked
    handling.check_talking(offer)
    if not handling.others_in(offer):
        raise Refused("nobody", gettext("Nobody has taken over yet."))
    return handling.leave(offer=offer, by=by, command_id=command_id, now=now)


def cancel(*, offer: Offer, by: User, command_id: uuid.UUID, now: datetime) -> Command:
    """Send away whom the agent asked, and take the caller back. Raises Refused."""
    asked = commands.known(command_id)
    if asked is not None:
        return asked
    handling.check_talking(offer)
    for other in Offer.objects.filter(call=offer.call, kind=Offer.Kind.CONSULT).exclude(pk=offer.pk):
        if not offers.withdraw(other, now=now):
            _send_away(other, by, now)
    for leg in _outside(offer.call):
        _end_leg(offer.call, leg.sid, by, now)
    seat = offers.caller_seat(offer.call)
    if seat is None:
        raise Refused("call_ended", gettext("The caller has hung up."))
    return moves.unhold(seat=seat, by=by, command_id=command_id, now=now)


def _to_agent(asked: _Asked, agent: Agent, first: bool) -> Command:
    if first:
        return _consult(asked, agent)
    if selector.state_of(agent, now=asked.now).state == selector.OFFLINE:
        raise Refused(
            "busy",
            gettext("%(name)s is not at their desk. Choose somebody else, or a queue.")
            % {"name": agent.name},
        )
    until = asked.now + KEPT
    plan = {"step": "agent", "agent": agent.pk}
    return _wait(asked, plan, queue=asked.call.queue, agent=agent, agent_until=until)


def _to_queue(asked: _Asked, queue: Queue, first: bool) -> Command:
    if not first:
        return _wait(asked, {"step": "queue", "queue": queue.pk}, queue=queue)
    wait = Wait(0, queue.pk, None, 0, asked.now)
    ready = [agent for agent in selector.free(now=asked.now) if agent.status == Agent.Status.READY]
    fit = [agent for agent in ready if may_take(_free(agent, asked.now), wait)]
    if not fit:
        raise Refused(
            "nobody",
            gettext("Nobody in %(name)s is free. Transfer at once, and the caller waits there.")
            % {"name": queue.name},
        )
    return _consult(asked, min(fit, key=lambda agent: agent.idle_since or asked.now))


def _to_number(asked: _Asked, number: str, first: bool) -> Command:
    call = asked.call
    if not first:
        return _send_on(asked, {"step": "phone", "to": number})
    room = asked.leaving[0].conference
    if room is None:
        raise Refused("not_connected", gettext("The caller is not connected yet. Try again in a moment."))
    _hold_caller(asked)
    with change(at=asked.now) as told:
        args = {
            "conference": room.name,
            "label": f"outside-{call.pk}-{secrets.token_hex(4)}",
            "to": number,
            "from": call.number.e164 if call.number else "",
            "timeout": RING_OUTSIDE_SECONDS,
        }
        intent = Intent(asked.id, call, Command.Kind.DIAL, asked.by)
        command = commands.intend(told, intent, args=args)
    return _or_take_back(asked, commands.send([command], now=asked.now)[0])


def _consult(asked: _Asked, agent: Agent) -> Command:
    """The caller hears music, the colleague is rung into the same conference."""
    if agent not in selector.free(now=asked.now) or agent.status != Agent.Status.READY:
        raise Refused(
            "busy",
            gettext("%(name)s is not free now. Choose somebody else, or transfer at once.")
            % {"name": agent.name},
        )
    _hold_caller(asked)
    consult = offers.make(
        call=asked.call, agent=agent, kind=Offer.Kind.CONSULT, reason=asked.reason, now=asked.now
    )
    if consult is None:
        raise Refused(
            "busy",
            gettext("%(name)s has just got another call. Choose somebody else.") % {"name": agent.name},
        )
    command = offers.ring([consult], by=asked.by, ids=[asked.id], now=asked.now)[0]
    return _or_take_back(asked, command)


def _or_take_back(asked: _Asked, command: Command) -> Command:
    """Whom Twilio will not ring, nobody waits for on hold."""
    seat = offers.caller_seat(asked.call)
    if command.state == Command.State.FAILED and seat is not None and seat.held:
        moves.unhold(seat=seat, by=asked.by, now=asked.now)
    return command


def _wait(asked: _Asked, plan: dict[str, Any], **place: Any) -> Command:
    """Back into a queue: the agent is out of the call, the caller waits where they are sent."""
    return _send_on(asked, plan, place)


def _send_on(asked: _Asked, plan: dict[str, Any], place: dict[str, Any] | None = None) -> Command:
    """Send the caller on; when Twilio refuses, everything is as it was and the agent still has them."""
    call, before = asked.call, asked.call.plan
    waited = Waiting.objects.open().filter(call=call).first()
    mine = [offer.pk for offer in asked.leaving]
    with change(at=asked.now) as told:
        command = moves.intend_redirect(told, call=call, plan=plan, by=asked.by, command_id=asked.id)
        for offer in asked.leaving:
            handling.on_purpose(offer)
        if place is not None:
            queues.enter(told, call=call, reason=asked.reason, now=asked.now, **place)
    command = commands.send([command], now=asked.now)[0]
    if command.state == Command.State.FAILED:
        with change(at=asked.now) as told:
            Call.objects.filter(pk=call.pk).update(plan=before)
            Offer.objects.filter(pk__in=mine).update(hung_up=False)
            if waited is not None:
                _wait_as_before(told, waited)
            else:
                queues.leave(told, call=call, result=Waiting.Result.FAILED, now=asked.now)
    elif place is None and waited is not None:
        with change(at=asked.now) as told:
            queues.leave(told, call=call, result=Waiting.Result.MOVED, now=asked.now)
    return command


def _wait_as_before(told: Change, row: Waiting) -> None:
    """Back where the caller waited, with the place that they had."""
    row.save()
    told.emit(kind="waiting.moved", noun="waiting", key=row.pk, call=row.call_id)


def _hold_caller(asked: _Asked) -> None:
    seat = offers.caller_seat(asked.call)
    if seat is None:
        raise Refused("not_connected", gettext("The caller is not connected yet. Try again in a moment."))
    if not seat.held:
        moves.hold(seat=seat, by=asked.by, now=asked.now)


def _send_away(consult: Offer, by: User, now: datetime) -> None:
    consult.refresh_from_db(fields=["state", "leg_sid"])  # they may have answered at this very moment
    if consult.state == Offer.State.ACCEPTED and consult.leg_sid:
        Offer.objects.filter(pk=consult.pk).update(hung_up=True)
        _end_leg(consult.call, consult.leg_sid, by, now)


def _end_leg(call: Call, sid: str, by: User, now: datetime) -> None:
    with change(at=now) as told:
        intent = Intent(uuid.uuid4(), call, Command.Kind.END_LEG, by)
        command = commands.intend(told, intent, args={"leg": sid})
    commands.send([command], now=now)


def _outside(call: Call) -> list[Leg]:
    legs = Leg.objects.filter(call=call, kind=Leg.Kind.OUTSIDE, parent__isnull=True)
    return list(legs.exclude(status__in=lattice.TERMINAL))


def _consulted(call: Call) -> bool:
    open_ = Offer.objects.filter(call=call, kind=Offer.Kind.CONSULT, state__in=("ringing",))
    return open_.exists() or bool(_outside(call))


def _agent(key: str, *there: Offer) -> Agent:
    agent = Agent.objects.filter(pk=_row(key)).first()
    if agent is None or agent.pk in {offer.agent_id for offer in there}:
        raise Refused("target", gettext("There is no such agent to give the call to."))
    return agent


def _queue(key: str) -> Queue:
    queue = Queue.objects.filter(pk=_row(key)).first()
    if queue is None:
        raise Refused("target", gettext("There is no such queue."))
    return queue


def _row(key: str) -> int:
    return int(key) if key.isascii() and key.isdigit() and len(key) < 19 else 0


def _free(agent: Agent, now: datetime) -> Free:
    return Free(agent.pk, agent.idle_since or now, frozenset(queue.pk for queue in agent.queues.all()))
