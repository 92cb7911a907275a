"""A call offered to an agent: made and rung, accepted by the leg that answers, declined, missed, withdrawn.

Accepting is one conditional update: of a late answer and a time that is up, one wins.
"""

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import IntegrityError

from calls import lattice
from calls.counters import count
from calls.events import Change, change
from calls.models import Agent, Call, Callback, Command, Conference, Leg, Offer, Participant, User, Waiting
from calls.models.offer import OPEN
from calls.services import agents, commands, queues
from calls.services.commands import Intent

__all__ = [
    "RING_SECONDS",
    "caller_seat",
    "decline",
    "end",
    "is_alone",
    "make",
    "ring",
    "take_callback",
    "take_leg",
    "unanswered",
    "withdraw",
]

RING_SECONDS = 20
_PASSING = {"20429", "unreachable", "timeout", "answer", "unsent", "lost"}  # not the phone's fault
MISSED, DECLINED, CONNECTION, PHONE = "missed", "declined", "connection", "phone"


def make(
    *,
    call: Call,
    agent: Agent,
    kind: str,
    now: datetime,
    waiting: Waiting | None = None,
    callback: Callback | None = None,
    reason: str = "",
    seconds: int = RING_SECONDS,
) -> Offer | None:
    """A new offer, not rung yet; None if the agent, the call or the promise has another one by now."""
    try:
        with change(at=now) as told:
            locked = Call.objects.select_for_update().get(pk=call.pk)
            if locked.state == Call.State.ENDED and kind != Offer.Kind.CALLBACK:
                return None
            if waiting is not None and not Waiting.objects.open().filter(pk=waiting.pk).exists():
                return None
            if callback is not None and not _is_to_keep(callback):
                return None
            offer = Offer.objects.create(
                call=locked,
                agent=agent,
                kind=kind,
                waiting=waiting,
                callback=callback,
                reason=reason,
                conference=None if kind == Offer.Kind.CALLBACK else _room(locked, now),
                created_at=now,
                until=now + timedelta(seconds=seconds),
            )
            _tell(told, offer)
    except IntegrityError:
        count("offer.lost")
        return None
    return offer


def ring(
    offers: Sequence[Offer],
    *,
    by: User | None = None,
    ids: Sequence[uuid.UUID] = (),
    now: datetime,
) -> list[Command]:
    """Have Twilio call each agent into their offer's conference; what it will not ring is withdrawn.

    `ids` are the commands' own, where the person who asked has chosen them.
    """
    chosen = ids or [uuid.uuid4() for _ in offers]
    asked = [_intend_ring(offer, by, id_, now) for offer, id_ in zip(offers, chosen, strict=True)]
    commands.send(asked, now=now)
    for offer, command in zip(offers, asked, strict=True):
        if command.state == Command.State.FAILED:
            _close(offer, Offer.State.WITHDRAWN, "" if command.code in _PASSING else PHONE, now)
        elif command.state == Command.State.DONE:
            Offer.objects.filter(pk=offer.pk, leg_sid="").update(leg_sid=command.args["call_sid"])
    return asked


def _intend_ring(offer: Offer, by: User | None, id_: uuid.UUID, now: datetime) -> Command:
    call, room = offer.call, offer.conference
    with change(at=now) as told:
        args = {
            "offer": offer.pk,
            "conference": room.name if room else "",
            "label": offer.label(),
            "to": offer.agent.address(),
            "from": call.number.e164 if call.number else "",
            "timeout": max(5, int((offer.until - now).total_seconds())),
        }
        return commands.intend(told, Intent(id_, call, Command.Kind.RING, by), args=args)


def take_leg(told: Change, offer: Offer, leg: Leg, *, now: datetime) -> None:
    """The agent's leg has shown itself; one that is answered accepts. Of two legs only the first counts."""
    if Offer.objects.filter(pk=offer.pk, leg_sid="").update(leg_sid=leg.sid):
        _tell(told, offer)
    elif not Offer.objects.filter(pk=offer.pk, leg_sid=leg.sid).exists():
        return
    if leg.answered_at is not None and not lattice.has_ended(leg.status):
        _accept(told, offer, now)


def take_callback(*, offer: Offer, now: datetime) -> bool:
    """The agent will call back: the offer is over, a call out follows it. False if it rang no longer."""
    return _close(offer, Offer.State.ENDED, "", now)


def decline(*, offer: Offer, now: datetime) -> bool:
    """The agent does not take it and is Away until they say otherwise; False if it rang no longer."""
    return _close(offer, Offer.State.DECLINED, DECLINED, now)


def withdraw(offer: Offer, *, now: datetime) -> bool:
    """It rings no longer, through no doing of the agent's."""
    return _close(offer, Offer.State.WITHDRAWN, "", now)


def unanswered(*, now: datetime) -> int:
    """Settle offers that ring in vain: time up, leg over, desk gone, call over; how many were closed.

    One whose leg was answered, which a lost callback kept from us until it was read, is accepted.
    """
    ringing = Offer.objects.filter(state=Offer.State.RINGING).select_related("agent", "call")
    closed = 0
    for offer in ringing:
        if (
            leg := Leg.objects.filter(sid=offer.leg_sid, status=lattice.LIVE).first()
            if offer.leg_sid
            else None
        ):
            with change(at=now) as told:
                take_leg(told, offer, leg, now=now)
            continue
        verdict = _verdict(offer, now)
        if verdict is not None:
            closed += _close(offer, verdict[0], verdict[1], now)
    return closed


def end(told: Change, offer: Offer, *, now: datetime) -> bool:
    """The agent's part in the call is over; False if it was before."""
    accepted = Offer.objects.filter(pk=offer.pk, state=Offer.State.ACCEPTED)
    if not accepted.update(state=Offer.State.ENDED, ended_at=now):
        return False
    offer.state, offer.ended_at = Offer.State.ENDED, now
    _tell(told, offer)
    return True


def is_alone(offer: Offer) -> bool:
    """Whether no other agent is in the call: a colleague who was asked has it when who asked is gone."""
    others = Offer.objects.filter(call=offer.call_id, state=Offer.State.ACCEPTED).exclude(pk=offer.pk)
    return not others.exists()


def caller_seat(call: Call) -> Participant | None:
    """Where the person of the call sits now, if in a conference."""
    seats = Participant.objects.select_related("conference", "leg").filter(
        conference__call=call,
        conference__ended_at__isnull=True,
        leg__kind__in=(Leg.Kind.CALLER, Leg.Kind.PERSON),
        leg__ended_at__isnull=True,
        joined_at__isnull=False,
        left_at__isnull=True,
    )
    return seats.order_by("-conference__round").first()


def _accept(told: Change, offer: Offer, now: datetime) -> None:
    ringing = Offer.objects.filter(pk=offer.pk, state=Offer.State.RINGING)
    if not ringing.update(state=Offer.State.ACCEPTED, accepted_at=now):
        return
    offer.state, offer.accepted_at = Offer.State.ACCEPTED, now
    if offer.kind != Offer.Kind.CONSULT or is_alone(offer):
        queues.leave(told, call=offer.call, result=Waiting.Result.ANSWERED, now=now)
    _tell(told, offer)


def _verdict(offer: Offer, now: datetime) -> tuple[str, str] | None:
    """How a ringing offer ends and why its agent is Away then; None: it goes on."""
    if offer.kind != Offer.Kind.CALLBACK and offer.call.state == Call.State.ENDED:
        return Offer.State.WITHDRAWN, ""
    if offer.waiting_id is not None and not Waiting.objects.open().filter(pk=offer.waiting_id).exists():
        return Offer.State.WITHDRAWN, ""
    if offer.kind == Offer.Kind.CALLBACK and not Callback.objects.open().filter(offers=offer).exists():
        return Offer.State.WITHDRAWN, ""
    if not offer.agent.is_present(now):
        return Offer.State.MISSED, CONNECTION
    leg = Leg.objects.filter(sid=offer.leg_sid).first() if offer.leg_sid else None
    if leg is not None and lattice.has_ended(leg.status):
        return Offer.State.MISSED, PHONE if leg.status == "failed" else MISSED
    if offer.until <= now:
        rang = bool(offer.leg_sid) or offer.kind == Offer.Kind.CALLBACK
        return (Offer.State.MISSED, MISSED) if rang else (Offer.State.WITHDRAWN, "")
    return None


def _close(offer: Offer, state: str, away: str, now: datetime) -> bool:
    with change(at=now) as told:
        ringing = Offer.objects.filter(pk=offer.pk, state=Offer.State.RINGING)
        if not ringing.update(state=state, ended_at=now):
            return False
        offer.state, offer.ended_at = state, now
        count(f"offer.{state}")
        if away:
            agents.make_away(told, offer.agent_id, away, now=now)
        _tell(told, offer)
    return True


def _is_to_keep(callback: Callback) -> bool:
    """Whether the promise is open and at nobody's desk; the lock lets nobody else take it meanwhile."""
    there = Callback.objects.open().select_for_update().filter(pk=callback.pk).first()
    return there is not None and not there.offers.filter(state__in=OPEN).exists()


def _room(call: Call, now: datetime) -> Conference:
    """Where the agent meets the person: where they sit already, else a new room of its own name.

    Who was sent on (the plan says so) may still seem to sit there: word of their leaving is under way.
    """
    seat = caller_seat(call)
    if seat is not None and call.plan in ({}, {"step": "conference", "name": seat.conference.name}):
        return seat.conference
    call.rounds += 1
    Call.objects.filter(pk=call.pk).update(rounds=call.rounds)
    name = f"call-{call.pk}-{call.rounds}"
    return Conference.objects.create(call=call, name=name, round=call.rounds, created_at=now)


def _tell(told: Change, offer: Offer) -> None:
    told.emit(kind=f"offer.{offer.state}", noun="offer", key=offer.pk, call=offer.call_id)
    told.emit(kind="agent.changed", noun="agent", key=offer.agent_id)
