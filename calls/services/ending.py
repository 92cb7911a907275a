"""How agents' parts and conferences end: on purpose, by loss, or because nobody is left. Part of the tick."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import IntegrityError
from django.db.models import Exists, OuterRef, Q

from calls import lattice, path
from calls.events import change
from calls.models import Agent, Call, Command, Leg, Offer, Participant, Supervision, Waiting
from calls.models.offer import OPEN
from calls.refusal import Refused
from calls.services import commands, lost, moves, offers, queues, wrapup
from calls.services.commands import Intent

__all__ = ["forsaken", "lonely", "parts_over", "strays"]

DIRECT_KEPT = timedelta(minutes=10)  # one agent's own line: then the caller may leave a message
_GRACE = timedelta(seconds=2)
_WORD = timedelta(seconds=1.5)  # Twilio tells of each leg's end by itself, in any order, in whole seconds


def parts_over(*, now: datetime) -> int:
    """End the parts of agents whose call or leg is over; a leg that was lost brings the call back to them."""
    accepted = Offer.objects.filter(state=Offer.State.ACCEPTED)
    found = accepted.select_related("call__queue", "call__number", "agent", "conference")
    over = 0
    for offer in found:
        leg = Leg.objects.filter(sid=offer.leg_sid).first() if offer.leg_sid else None
        if offer.call.state == Call.State.ENDED and offer.kind != Offer.Kind.CALLBACK:
            over += _close(offer, now)
        elif leg is not None and lattice.has_ended(leg.status):
            over += _leg_over(offer, leg, now)
    return over


def strays(*, now: datetime) -> int:
    """End legs that nobody needs: agents' legs whose offer is closed, those of persons who are rung for an
    agent who has gone, those of supervisors whose part is over, and all when the call is over.
    """
    ours = Leg.objects.filter(
        kind__in=(Leg.Kind.AGENT, Leg.Kind.OUTSIDE, Leg.Kind.PERSON, Leg.Kind.SUPERVISOR),
        parent__isnull=True,
        ended_at__isnull=True,
        call__conferences__isnull=False,
        started_at__gt=now - timedelta(hours=24),
    )
    wanted = Offer.objects.filter(state__in=OPEN).exclude(leg_sid="").values("leg_sid")
    supervising = Supervision.objects.exclude(state=Supervision.State.ENDED).exclude(leg_sid="")
    idle = Q(kind=Leg.Kind.SUPERVISOR) & ~Q(sid__in=supervising.values("leg_sid"))
    taken = Exists(Offer.objects.filter(call=OuterRef("call"), state__in=OPEN))
    awaited = Exists(Waiting.objects.open().filter(call=OuterRef("call")))
    in_vain = Q(kind=Leg.Kind.PERSON, answered_at__isnull=True) & ~taken & ~awaited
    unwanted = ours.filter(
        Q(kind=Leg.Kind.AGENT) & ~Q(sid__in=wanted) | in_vain | idle | Q(call__state=Call.State.ENDED)
    )
    legs = [leg for leg in unwanted.distinct().select_related("call") if _is_due(leg, now)]
    _end(legs, now)
    return len(legs)


def forsaken(*, now: datetime) -> int:
    """Who waits for one agent in vain, with no queue behind, may leave a message instead."""
    rows = Waiting.objects.open().filter(queue__isnull=True).exclude(call__state=Call.State.ENDED)
    rows = rows.exclude(call__offers__state__in=OPEN).select_related("call")
    late = [row for row in rows if (row.agent_until or row.created_at + DIRECT_KEPT) <= now]
    return sum(_forsake(row, now) for row in late)


def lonely(*, now: datetime) -> int:
    """Hang up callers who sit in a conference with nobody, and for whom nobody is rung; who lost the
    supervisor they talked with is sent on.
    """
    alone = Participant.objects.filter(
        leg__kind__in=(Leg.Kind.CALLER, Leg.Kind.PERSON),
        leg__ended_at__isnull=True,
        joined_at__lte=now - _GRACE,
        left_at__isnull=True,
    ).select_related("conference__call__queue", "conference__call__voice__queue", "leg")
    return sum(_leave_alone(seat, now) for seat in alone)


def _forsake(row: Waiting, now: datetime) -> int:
    call = row.call
    if moves.recently(call, Command.Kind.REDIRECT, now=now):
        return 0
    outbound = call.direction == Call.OUTBOUND
    plan = path.to_end(path.NOBODY) if outbound else path.to_voicemail(None)
    result = Waiting.Result.FAILED if outbound else Waiting.Result.OVERFLOW
    try:
        with change(at=now) as told:
            if not queues.leave(told, call=call, result=result, now=now):
                return 0  # answered at this very moment
            command = moves.intend_redirect(told, call=call, plan=plan, by=None)
    except Refused:
        return 0
    commands.send([command], now=now)
    return 1


def _leg_over(offer: Offer, leg: Leg, now: datetime) -> int:
    """The agent's leg is over and, for all we know, the call goes on."""
    by_telephone = offer.agent.phone == Agent.Phone.TELEPHONE
    others = Offer.objects.filter(call=offer.call, state=Offer.State.ACCEPTED).exclude(pk=offer.pk)
    if others.exists():
        _take_back(offer.call, now)
        return _close(offer, now)
    dialling = offer.call.direction == Call.OUTBOUND and moves.persons_leg(offer.call) is None
    seat = _persons_seat(offer)
    if offer.hung_up or by_telephone or dialling or (seat is not None and _has_left(seat)):
        return _close(offer, now)
    if seat is not None and leg.ended_at is not None and now - leg.ended_at < _WORD:
        return 0  # it may be the person who hung up
    return lost.lose(offer, now=now)


def _persons_seat(offer: Offer) -> Participant | None:
    """Where the person sits, or sat, with the agent."""
    persons = (Leg.Kind.CALLER, Leg.Kind.PERSON)
    seats = Participant.objects.filter(conference=offer.conference, leg__kind__in=persons)
    return seats.exclude(joined_at__isnull=True).select_related("conference").first()


def _has_left(seat: Participant) -> bool:
    """Whether the person has gone, which ends the conference; their leg's end may be told later."""
    return seat.left_at is not None or seat.conference.ended_at is not None


def _close(offer: Offer, now: datetime) -> int:
    with change(at=now) as told:
        if not offers.end(told, offer, now=now):
            return 0
        wrapup.open_after(told, offer, now=now)
    return 1


def _take_back(call: Call, now: datetime) -> None:
    seat = offers.caller_seat(call)
    if seat is not None and seat.held and not moves.recently(call, Command.Kind.RESUME, now=now):
        moves.unhold(seat=seat, by=None, now=now)


def _is_due(leg: Leg, now: datetime) -> bool:
    """The conference's own end takes the others with it; and what was asked shows its effect in a moment."""
    call_ended = leg.call.ended_at
    if call_ended is not None and now - call_ended < _GRACE:
        return False
    return not moves.recently(leg.call, Command.Kind.END_LEG, now=now, leg=leg.sid)


def _end(legs: Sequence[Leg], now: datetime) -> None:
    asked = []
    for leg in legs:
        kind = Command.Kind.END_LEG
        intent = Intent(moves.own_id(leg.call, kind), leg.call, kind, None)
        try:
            with change(at=now) as told:
                command = commands.intend(told, intent, args={"leg": leg.sid})
        except IntegrityError:  # another worker was first; the other legs are ended all the same
            continue
        asked.append(command)
    commands.send(asked, now=now)


def _coaches(call: Call) -> list[str]:
    coaching = Supervision.objects.filter(call=call, mode=Supervision.Mode.COACH).exclude(leg_sid="")
    return list(coaching.values_list("leg_sid", flat=True))


def _leave_alone(seat: Participant, now: datetime) -> int:
    call = seat.conference.call
    if call.plan != {"step": "conference", "name": seat.conference.name} and call.direction != Call.OUTBOUND:
        return 0  # sent on already
    others = Participant.objects.filter(
        conference=seat.conference, left_at__isnull=True, leg__ended_at__isnull=True
    ).exclude(pk=seat.pk)
    others = others.exclude(leg__sid__in=_coaches(call))  # the caller does not hear them
    lately = Participant.objects.filter(conference=seat.conference, left_at__gt=now - _GRACE)
    coming = Offer.objects.filter(call=call, state__in=OPEN)
    waiting = Waiting.objects.open().filter(call=call)
    outside = Leg.objects.filter(call=call, kind=Leg.Kind.OUTSIDE, ended_at__isnull=True)
    if any(rows.exists() for rows in (others, lately, coming, waiting, outside)):
        return 0
    if moves.recently(call, Command.Kind.HANGUP, now=now):
        return 0
    if call.direction != Call.OUTBOUND and lost.by_supervisor(seat.conference):
        return lost.send_on(call, now=now)
    try:
        moves.hang_up(call=call, by=None, now=now)
    except Refused:
        return 0
    return 1
