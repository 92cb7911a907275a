"""Twilio's callbacks come late, twice and shuffled: the same rows in any order, and nothing asked twice.

A story is told once in order; then again with what nothing depends on delivered late, and everything once
more at the end. The answers of a path (queue, message, verification) are replayed in test_path.py.
"""

import random
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.utils import timezone

from calls.models import Agent, Call, Command, Destination, Leg, Offer, Participant, Waiting
from calls.services import dialling, handling, offers, transfers
from tests import factories, twilio
from tests.calls import centre
from tests.calls import rest as twilio_rest
from tests.calls.centre import Centre

pytestmark = pytest.mark.django_db
PERSON = "+31612345678"
LATER = 300  # seconds; webhooks are timed by the real clock, and a busy machine is slow
Post = tuple[str, dict[str, str]]
Told = Iterator[tuple[bool, Post]]  # whether what follows needs it, and the callback
SEEDS = range(6)


class Teller:
    """Makes the callbacks of one story, with rising sequence numbers."""

    def __init__(self, twilios: Centre) -> None:
        self.twilios = twilios
        self.sequence = 0

    def leg(self, label: str, sid: str, status: str, *, needed: bool = False) -> tuple[bool, Post]:
        self.sequence += 1
        stamp = self.twilios._stamp()
        fields = twilio.status_fields(status, sequence=self.sequence, CallSid=sid, Timestamp=stamp)
        path = f"/twilio/legs/{label}/" if label else "/twilio/call-status/"
        return needed, (path, fields)

    def room(self, name: str, event: str, sid: str, label: str, *, needed: bool = False) -> tuple[bool, Post]:
        self.sequence += 1
        fields = self.twilios.room_fields(name, event, sid, label=label, sequence=self.sequence)
        return needed, ("/twilio/conference/", fields)


def asking(twilios: Centre, offer: Offer, **more: Any) -> dict[str, Any]:
    return {"offer": offer, "by": offer.agent.user, "command_id": uuid.uuid4(), "now": twilios.now, **more}


def meet(twilios: Centre, say: Teller, call: Call) -> Told:
    """An agent is rung, answers, and the caller is fetched."""
    twilios.settle()
    offer = twilios.offer(call)
    yield say.leg(offer.label(), offer.leg_sid, "initiated")
    yield say.leg(offer.label(), offer.leg_sid, "ringing")
    yield say.leg(offer.label(), offer.leg_sid, "in-progress", needed=True)
    name = Offer.objects.get(pk=offer.pk).conference.name  # type: ignore[union-attr]
    yield say.room(name, "participant-join", offer.leg_sid, offer.label())
    twilios.settle(rounds=1)
    caller = twilios.caller_leg(call).sid
    yield say.room(name, "participant-join", caller, "caller", needed=True)
    yield say.room(name, "conference-start", "", "")


def part(twilios: Centre, say: Teller, call: Call) -> Told:
    """The caller hangs up: everything ends."""
    caller, name = twilios.caller_leg(call).sid, call.conferences.latest("round").name
    yield say.room(name, "participant-leave", caller, "caller")
    yield say.leg("", caller, "completed", needed=True)
    for offer in call.offers.exclude(leg_sid=""):
        if Leg.objects.filter(sid=offer.leg_sid, ended_at=None).exists():
            yield say.room(name, "participant-leave", offer.leg_sid, offer.label())
            yield say.leg(offer.label(), offer.leg_sid, "completed", needed=True)
    yield say.room(name, "conference-end", "", "")
    twilios.settle()


def held_and_ended(twilios: Centre, say: Teller) -> Told:
    call = start(twilios)
    yield from meet(twilios, say, call)
    offer, name = twilios.offer(call), call.conferences.get().name
    twilios.later(LATER)
    handling.hold(**asking(twilios, offer, on=True))
    yield say.room(name, "participant-hold", twilios.caller_leg(call).sid, "caller")
    twilios.settle()
    handling.hold(**asking(twilios, offer, on=False))
    yield say.room(name, "participant-unhold", twilios.caller_leg(call).sid, "caller")
    yield from part(twilios, say, call)


def given_on_after_a_word(twilios: Centre, say: Teller) -> Told:
    call = start(twilios)
    yield from meet(twilios, say, call)
    offer, name, caller = twilios.offer(call), call.conferences.get().name, twilios.caller_leg(call).sid
    twilios.later(LATER)
    amira = centre.agent(now=twilios.now, name="Amira")
    transfers.transfer(**asking(twilios, offer, kind="agent", key=str(amira.pk), first=True))
    yield say.room(name, "participant-hold", caller, "caller")
    consult = twilios.offer(call)
    yield say.leg(consult.label(), consult.leg_sid, "ringing")
    yield say.leg(consult.label(), consult.leg_sid, "in-progress", needed=True)
    yield say.room(name, "participant-join", consult.leg_sid, consult.label())
    twilios.later(LATER)
    transfers.complete(**asking(twilios, offer))
    yield say.room(name, "participant-unhold", caller, "caller")
    yield say.room(name, "participant-leave", offer.leg_sid, offer.label())
    yield say.leg(offer.label(), offer.leg_sid, "completed", needed=True)
    twilios.settle()
    yield from part(twilios, say, call)


def lost_and_resumed(twilios: Centre, say: Teller) -> Told:
    call = start(twilios)
    yield from meet(twilios, say, call)
    offer, name, caller = twilios.offer(call), call.conferences.get().name, twilios.caller_leg(call).sid
    yield say.room(name, "participant-leave", offer.leg_sid, offer.label())
    yield say.leg(offer.label(), offer.leg_sid, "completed", needed=True)
    twilios.later(2)
    twilios.settle(rounds=1)
    yield say.room(name, "participant-hold", caller, "caller")
    again = twilios.offer(call)
    yield say.leg(again.label(), again.leg_sid, "in-progress", needed=True)
    yield say.room(name, "participant-join", again.leg_sid, again.label())
    twilios.settle(rounds=1)
    yield say.room(name, "participant-unhold", caller, "caller")
    yield from part(twilios, say, call)


def declined_and_taken_by_the_next(twilios: Centre, say: Teller) -> Told:
    call = start(twilios)
    twilios.settle()
    first = twilios.offer(call)
    yield say.leg(first.label(), first.leg_sid, "ringing")
    offers.decline(offer=first, now=twilios.now)
    yield say.leg(first.label(), first.leg_sid, "busy", needed=True)
    centre.agent(call.queue, now=twilios.now, name="Amira")
    yield from meet(twilios, say, call)
    yield from part(twilios, say, call)


def dialled_out(twilios: Centre, say: Teller) -> Told:
    queue = centre.queue()
    factories.number(queue=queue, destination="queue")
    agent = centre.agent(queue, now=twilios.now, name="Jonas")
    dialling.dial(agent=agent, to=PERSON, by=agent.user, command_id=uuid.uuid4(), now=twilios.now)
    offer = Offer.objects.latest("id")
    call, name = offer.call, offer.conference.name  # type: ignore[union-attr]
    yield say.leg(offer.label(), offer.leg_sid, "ringing")
    yield say.leg(offer.label(), offer.leg_sid, "in-progress", needed=True)
    yield say.room(name, "participant-join", offer.leg_sid, offer.label())
    twilios.settle()
    label, sid = f"person-{call.pk}", call.commands.get(kind="person.dial").args["call_sid"]
    yield say.leg(label, sid, "initiated")
    yield say.leg(label, sid, "ringing")
    yield say.leg(label, sid, "in-progress", needed=True)
    yield say.room(name, "participant-join", sid, label, needed=True)
    twilios.settle()
    yield from part(twilios, say, call)


def start(twilios: Centre) -> Call:
    queue = centre.queue()
    centre.agent(queue, now=twilios.now, name="Jonas")
    return centre.caller(queue, now=twilios.now)


def run(story: Callable[[Centre, Teller], Told], seed: int | None) -> dict[str, Any]:
    """Play a story; with a seed late, shuffled and doubled. What the rows say at its end."""
    chance = random.Random(seed)
    Call.objects.all().delete()
    Agent.objects.all().delete()
    with twilio_rest.rest(TWILIO_TIMEOUT_SECONDS=2.0) as scripted:
        twilios = Centre(scripted, now=timezone.now().replace(microsecond=0))
        told: list[Post] = []
        late: list[Post] = []
        for needed, post in story(twilios, Teller(twilios)):
            told.append(post)
            if seed is not None and not needed and chance.random() < 0.6:
                late.append(post)
            else:
                twilios.post(*post)
            while late and chance.random() < 0.3:
                twilios.post(*late.pop(chance.randrange(len(late))))
        again = [*late, *(told if seed is not None else [])]
        chance.shuffle(again)
        for post in again:
            twilios.post(*post)
        twilios.later(3)
        twilios.settle()
        return rows()


def rows() -> dict[str, Any]:
    """What a call is in the end, without times and numbers of rows."""
    call = Call.objects.get()
    agents = dict(Agent.objects.values_list("pk", "name"))
    seats = Participant.objects.order_by("conference__round", "leg__started_at", "leg__sid")
    return {
        "call": (call.state, call.outcome, call.agent.name if call.agent else "", call.plan.get("step")),
        "legs": sorted((leg.kind, leg.status, leg.ended_at is not None) for leg in Leg.objects.all()),
        "offers": [(one.kind, one.state, agents[one.agent_id]) for one in Offer.objects.order_by("id")],
        "waits": list(Waiting.objects.order_by("id").values_list("result", flat=True)),
        "seats": sorted(
            (s.label.partition("-")[0], s.joined_at is not None, s.left_at is not None, s.held) for s in seats
        ),
        "commands": sorted(Command.objects.values_list("kind", "state")),
    }


@pytest.mark.parametrize(
    "story",
    [held_and_ended, given_on_after_a_word, lost_and_resumed, declined_and_taken_by_the_next, dialled_out],
)
def test_late_shuffled_and_doubled_callbacks_make_the_same_rows(story: Callable[..., Told]) -> None:
    Destination.objects.create(prefix="+31", label="Netherlands")
    plain = run(story, None)
    assert plain["call"][0] == "ended"
    assert {state for _, state, _ in plain["offers"]} <= {"ended", "declined"}
    for seed in SEEDS:
        assert run(story, seed) == plain, f"seed {seed}"
