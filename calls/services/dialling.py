"""Calls out: the agent's phone is rung first, then the person is dialled into the same conference.

What follows is part of the tick: dialling when the agent has answered, the stream when the person has, and
what becomes of a promise to call back.
"""

import uuid
from datetime import datetime, timedelta

from django.db import IntegrityError
from django.db.models import Exists, OuterRef
from django.utils.translation import gettext, gettext_noop

from calls import lattice
from calls.counters import count
from calls.events import change
from calls.models import Agent, Call, Callback, Command, Leg, Offer, PhoneNumber, Ticket, User
from calls.models.offer import OPEN
from calls.refusal import Refused
from calls.selectors import agents as selector
from calls.services import allowed, commands, contacts, offers, taps
from calls.services.commands import Intent
from calls.telephones import region_of

__all__ = ["call_back", "call_now", "dial", "proceed"]

RING_PERSON_SECONDS = 45
MOST_A_MINUTE = 10
TRIES = 3
_TRY_AGAIN = timedelta(minutes=10)
_TAKEN = gettext_noop("Somebody is at this callback just now, or you have just got another call.")
_GOT_ONE = gettext_noop("You have just got another call.")
_YOUNG = timedelta(seconds=5)  # its offer and its legs are being made


def dial(
    *,
    agent: Agent,
    to: str,
    number: PhoneNumber | None = None,
    by: User,
    command_id: uuid.UUID,
    now: datetime,
    callback: Callback | None = None,
) -> Command:
    """Call a person, showing `number`: one of ours, else the first of the agent's queues. Raises Refused.

    `to` is E.164, or national in the country of our number. The command is the ringing of the agent's phone.
    """
    asked = commands.known(command_id)
    if asked is not None:
        return asked
    ours = number or _own_number(agent)
    person = allowed.check(to, region=region_of(ours.e164))
    _check_free(agent, now)
    call = _call(ours, person, now)
    offer = offers.make(
        call=call, agent=agent, kind=Offer.Kind.DIAL, callback=callback, seconds=offers.RING_SECONDS, now=now
    )
    if offer is None:
        _give_up(call, now)
        raise Refused("busy", gettext(_TAKEN if callback else _GOT_ONE))
    count("call.dialled")
    return offers.ring([offer], by=by, ids=[command_id], now=now)[0]


def call_now(*, callback: Callback, agent: Agent, by: User, command_id: uuid.UUID, now: datetime) -> Command:
    """The agent keeps an open promise without waiting for its time or its offer. Raises Refused."""
    ours = callback.call.number
    return dial(
        agent=agent, to=callback.e164, number=ours, by=by, command_id=command_id, callback=callback, now=now
    )


def call_back(*, offer: Offer, by: User, command_id: uuid.UUID, now: datetime) -> Command:
    """The agent takes a promise to call back: its number is dialled. Raises Refused."""
    asked = commands.known(command_id)
    if asked is not None:
        return asked
    promise = offer.callback
    if promise is None or offer.kind != Offer.Kind.CALLBACK or promise.state != Callback.State.OPEN:
        raise Refused("gone", gettext("This is no callback any more."))
    if not offers.take_callback(offer=offer, now=now):
        raise Refused("gone", gettext("This callback has gone to somebody else."))
    ours = offer.call.number
    try:
        return dial(
            agent=offer.agent,
            to=promise.e164,
            number=ours,
            by=by,
            command_id=command_id,
            callback=promise,
            now=now,
        )
    except Refused:
        Callback.objects.filter(pk=promise.pk).update(due_at=now + _TRY_AGAIN)
        raise


def proceed(*, now: datetime) -> int:
    """What follows for calls out; how many things were done."""
    kept = _called_back(now) if Callback.objects.open().exists() else 0
    if not Call.objects.live().filter(direction=Call.OUTBOUND).exists():
        return kept  # most of the time
    return kept + _dialled(now) + _given_up(now) + _tapped(now)


def _dialled(now: datetime) -> int:
    """Dial the persons of calls whose agent has answered."""
    answered = Offer.objects.filter(kind=Offer.Kind.DIAL, state=Offer.State.ACCEPTED, hung_up=False)
    found = answered.exclude(call__state=Call.State.ENDED).exclude(call__commands__kind=Command.Kind.DIAL)
    asked = [_intend(offer, now) for offer in found.select_related("call__number", "conference")]
    commands.send([command for command in asked if command is not None], now=now)
    return len(asked)


def _intend(offer: Offer, now: datetime) -> Command | None:
    call, room = offer.call, offer.conference
    if room is None or call.number is None:
        return None
    args = {
        "conference": room.name,
        "label": f"person-{call.pk}",
        "to": call.caller,
        "from": call.number.e164,
        "timeout": RING_PERSON_SECONDS,
        "ends_conference": True,
    }
    # The id is made from the call: of two workers the second meets the key of the first.
    id_ = uuid.uuid5(uuid.NAMESPACE_OID, f"dial {call.pk}")
    if commands.known(id_) is not None:
        return None
    try:
        with change(at=now) as told:
            return commands.intend(told, Intent(id_, call, Command.Kind.DIAL, None), args=args)
    except IntegrityError:  # another worker was first; the other calls are dialled all the same
        return None


def _given_up(now: datetime) -> int:
    """Calls whose agent never came, or whose person could not be dialled, are over."""
    calls = Call.objects.live().filter(direction=Call.OUTBOUND, started_at__lt=now - _YOUNG)
    live = Leg.objects.filter(call=OuterRef("pk"), ended_at__isnull=True)
    rung = Offer.objects.filter(call=OuterRef("pk"), state__in=OPEN)
    idle = calls.filter(~Exists(live), ~Exists(rung))
    failed = calls.filter(commands__kind=Command.Kind.DIAL, commands__state=Command.State.FAILED)
    failed = failed.exclude(legs__kind=Leg.Kind.PERSON)
    ended = sum(_give_up(call, now) for call in idle)
    return ended + sum(_send_home(call, now) for call in failed.distinct())


def _give_up(call: Call, now: datetime) -> bool:
    """End a call that has no leg left, or never had one."""
    with change(at=now) as told:
        live = Call.objects.filter(pk=call.pk).exclude(state=Call.State.ENDED)
        if not live.update(state=Call.State.ENDED, outcome=Call.Outcome.MISSED, ended_at=now):
            return False
        told.emit(kind="call.ended", noun="call", key=call.pk, call=call.pk)
    return True


def _send_home(call: Call, now: datetime) -> bool:
    """The person could not be dialled: the agent's part ends, with Twilio's reason on the desk."""
    mine = Offer.objects.filter(call=call, state=Offer.State.ACCEPTED, hung_up=False).first()
    if mine is None or not mine.leg_sid:
        return False
    with change(at=now) as told:
        Offer.objects.filter(pk=mine.pk).update(hung_up=True)
        intent = Intent(uuid.uuid4(), call, Command.Kind.END_LEG, None)
        command = commands.intend(told, intent, args={"leg": mine.leg_sid})
    commands.send([command], now=now)
    return True


def _tapped(now: datetime) -> int:
    """Open the stream of calls out on the live leg of the person, by the Stream resource."""
    legs = Leg.objects.filter(
        kind=Leg.Kind.PERSON,
        status=lattice.LIVE,
        call__direction=Call.OUTBOUND,
        call__tap_wanted=True,
        call__state=Call.State.LIVE,
    )
    bare = legs.exclude(pk__in=Ticket.objects.filter(leg__call__direction=Call.OUTBOUND).values("leg"))
    found = list(bare.select_related("call__number")[:20])
    for leg in found:
        taps.start(leg=leg, by=None, command_id=uuid.uuid5(uuid.NAMESPACE_OID, f"tap {leg.pk}"), now=now)
    return len(found)


def _called_back(now: datetime) -> int:
    """A promise is kept when the person answered; else it is tried again, three times in all."""
    made = Offer.objects.filter(kind=Offer.Kind.DIAL, callback__state=Callback.State.OPEN)
    over = made.exclude(state__in=OPEN).filter(call__state=Call.State.ENDED)
    promises = Callback.objects.filter(pk__in=over.values("callback"))
    return sum(_note_tried(promise, now) for promise in promises)


def _note_tried(promise: Callback, now: datetime) -> bool:
    dialled = Exists(Leg.objects.filter(call=OuterRef("pk"), kind=Leg.Kind.PERSON))
    calls = Call.objects.filter(dialled, state=Call.State.ENDED, offers__callback=promise).distinct()
    outcomes = [call.outcome for call in calls]
    if len(outcomes) <= promise.tries:
        return False  # all of them were noted before
    tries = promise.tries + 1
    fields: dict[str, object] = {"tries": tries, "due_at": max(promise.due_at, now + _TRY_AGAIN)}
    if Call.Outcome.ANSWERED in outcomes:
        fields = {"tries": tries, "state": Callback.State.DONE, "closed_at": now}
    elif tries >= TRIES:
        fields = {"tries": tries, "state": Callback.State.CANCELLED, "closed_at": now}
    with change(at=now) as told:
        open_ = Callback.objects.open().filter(pk=promise.pk, tries=promise.tries)
        if not open_.update(**fields):
            return False
        told.emit(kind="callback.tried", noun="callback", key=promise.pk, call=promise.call_id)
    return True


def _call(number: PhoneNumber, person: str, now: datetime) -> Call:
    with change(at=now) as told:
        queue = number.queue
        call = Call.objects.create(
            number=number,
            contact=contacts.match(person),
            queue=queue,
            team=queue.team if queue else number.team,
            caller=person,
            direction=Call.OUTBOUND,
            region=number.region,
            dials=True,
            tap_wanted=number.stream,
            words_wanted=number.transcribe,
            started_at=now,
        )
        told.emit(kind="call.started", noun="call", key=call.pk, call=call.pk)
    return call


def _own_number(agent: Agent) -> PhoneNumber:
    mine = PhoneNumber.objects.filter(queue__in=agent.queues.all()).order_by("pk").first()
    number = mine or PhoneNumber.objects.order_by("pk").first()
    if number is None:
        raise Refused(
            "no_number", gettext("No number is connected that the call could show. An admin can add one.")
        )
    return number


def _check_free(agent: Agent, now: datetime) -> None:
    if agent not in selector.free(now=now):
        raise Refused("not_free", gettext("Your phone must be connected, and no call or wrap-up open."))
    lately = Offer.objects.filter(
        agent=agent, kind=Offer.Kind.DIAL, created_at__gt=now - timedelta(minutes=1)
    )
    if lately.count() >= MOST_A_MINUTE:
        raise Refused("rate", gettext("That were many calls in one minute. Wait a moment."))
