"""What is lost, and who leaves, at the worst moment: nobody is left on hold, alone, or ringing in vain."""

import uuid

import pytest
from django.db import IntegrityError
from django.utils import timezone

from calls.events import change
from calls.models import Agent, Destination, Offer, Waiting
from calls.services import callbacks, commands, dialling, moves, offers, queues, transfers
from tests import factories, twilio
from tests.calls import centre
from tests.calls import rest as twilio_rest
from tests.calls.centre import Centre

pytestmark = pytest.mark.django_db
PERSON = "+31612345678"


@pytest.fixture
def twilios():
    with twilio_rest.rest(TWILIO_TIMEOUT_SECONDS=2.0) as scripted:
        yield Centre(scripted, now=timezone.now().replace(microsecond=0))


@pytest.fixture
def support():
    Destination.objects.create(prefix="+31", label="Netherlands")
    return centre.queue(name="Support")


@pytest.fixture
def jonas(support, twilios):
    return centre.agent(support, now=twilios.now, name="Jonas", e164="+31201110001")


@pytest.fixture
def amira(twilios):
    return centre.agent(centre.queue(name="Billing"), now=twilios.now, name="Amira")


@pytest.fixture
def offer(twilios, support, jonas):
    """Jonas talks with a caller."""
    call = centre.caller(support, now=twilios.now)
    twilios.settle()
    return twilios.answer(call)


def asking(twilios, offer, **more):
    return {"offer": offer, "by": offer.agent.user, "command_id": uuid.uuid4(), "now": twilios.now, **more}


def asks_first(twilios, offer, colleague):
    """The caller is on hold, the colleague is rung; their offer."""
    twilios.later(300)  # webhooks are timed by the real clock
    transfers.transfer(**asking(twilios, offer, kind="agent", key=str(colleague.pk), first=True))
    sid = twilios.caller_leg(offer.call).sid
    twilios.tell_room(offer.conference.name, "participant-hold", sid, label="caller", sequence=5)
    return twilios.offer(offer.call)


def leaves(twilios, offer, sequence=8):
    twilios.hang_up(offer.leg_sid)
    room = offer.conference.name
    twilios.tell_room(room, "participant-leave", offer.leg_sid, label=offer.label(), sequence=sequence)
    twilios.later(2)


def comes(twilios, offer, sequence=9):
    twilios.tell_leg(offer, "in-progress")
    Offer.objects.filter(pk=offer.pk, state="accepted").update(accepted_at=twilios.now)
    room = offer.conference.name
    offer.refresh_from_db()
    twilios.tell_room(room, "participant-join", offer.leg_sid, label=offer.label(), sequence=sequence)


@pytest.mark.parametrize("phone", ["browser", "telephone"])
def test_a_colleague_who_answers_when_who_asked_is_gone_has_the_caller(
    twilios, support, jonas, amira, offer, phone
):
    Agent.objects.filter(pk=jonas.pk).update(phone=phone)
    consult = asks_first(twilios, offer, amira)
    leaves(twilios, offer)
    twilios.settle()
    comes(twilios, consult)
    twilios.settle()
    (resume,) = twilios.asked("call.resume")
    assert resume.args["leg"] == twilios.caller_leg(offer.call).sid
    assert not Waiting.objects.open().exists()
    twilios.later(60)
    twilios.settle()
    assert not offer.call.offers.filter(state="ringing").exists()


def test_a_colleague_who_answers_while_who_asked_is_there_leaves_the_caller_on_hold(twilios, amira, offer):
    consult = asks_first(twilios, offer, amira)
    twilios.later(2)
    comes(twilios, consult)
    twilios.settle()
    assert not twilios.asked("call.resume")


def test_a_colleague_who_answers_as_they_are_sent_away_is_sent_away(twilios, amira, offer, monkeypatch):
    consult = asks_first(twilios, offer, amira)
    withdraw = offers.withdraw

    def answered_before(other, *, now):
        comes(twilios, Offer.objects.get(pk=other.pk))
        return withdraw(other, now=now)

    monkeypatch.setattr(offers, "withdraw", answered_before)
    transfers.cancel(**asking(twilios, offer))
    consult.refresh_from_db()
    assert consult.leg_sid in [one.args["leg"] for one in twilios.asked("leg.end")]


def test_a_caller_is_alone_also_when_the_agents_leaving_was_not_told(twilios, offer):
    Offer.objects.update(hung_up=True)
    twilios.hang_up(offer.leg_sid)
    twilios.later(3)
    twilios.settle()
    (end,) = twilios.asked("call.end")
    assert end.args["leg"] == twilios.caller_leg(offer.call).sid


def test_a_caller_alone_who_comes_into_a_room_that_has_just_ended_is_not_left_there(twilios, support, jonas):
    Agent.objects.filter(pk=jonas.pk).update(phone="telephone")
    call = centre.caller(support, now=twilios.now)
    twilios.settle()
    offer = twilios.offer(call)
    comes(twilios, offer, sequence=1)
    twilios.settle()
    leaves(twilios, offer, sequence=2)
    room = offer.conference.name
    twilios.tell_room(room, "conference-end", sequence=3)
    twilios.tell_room(room, "participant-join", twilios.caller_leg(call).sid, label="caller", sequence=1)
    twilios.later(6)
    twilios.settle()
    assert [one.args["leg"] for one in twilios.asked("call.end")] == [twilios.caller_leg(call).sid]


def dials_out(twilios, agent, support):
    dialling.dial(
        agent=agent,
        to=PERSON,
        number=factories.number(queue=support, destination="queue"),
        by=agent.user,
        command_id=uuid.uuid4(),
        now=twilios.now,
    )
    return agent.offers.latest("created_at")


def test_a_person_is_rung_no_longer_when_the_agent_has_gone(twilios, support, jonas):
    Agent.objects.filter(pk=jonas.pk).update(phone="telephone")
    jonas.refresh_from_db()
    offer = dials_out(twilios, jonas, support)
    twilios.tell_leg(offer, "in-progress")
    twilios.settle()
    sid = twilios.asked("person.dial")[0].args["call_sid"]
    fields = twilio.status_fields("ringing", sequence=1, CallSid=sid, Timestamp=twilios._stamp())
    twilios.post(f"/twilio/legs/person-{offer.call_id}/", fields)
    twilios.settle()
    assert not twilios.asked("leg.end")
    offer.refresh_from_db()
    twilios.hang_up(offer.leg_sid)
    twilios.later(2)
    twilios.settle()
    assert sid in [one.args["leg"] for one in twilios.asked("leg.end")]


def test_of_two_calls_out_one_dialled_by_another_worker_keeps_not_the_other_from_being_dialled(
    twilios, support, jonas, monkeypatch
):
    lena = centre.agent(support, now=twilios.now, name="Lena")
    made = [dials_out(twilios, agent, support) for agent in (jonas, lena)]
    for offer in made:
        twilios.tell_leg(offer, "in-progress")
    intend = commands.intend
    dialled = []

    def the_second_is_late(told, intent, **more):
        if intent.kind == "person.dial":
            dialled.append(intent.call.pk)
            if len(dialled) == 2:
                raise IntegrityError
        return intend(told, intent, **more)

    monkeypatch.setattr(commands, "intend", the_second_is_late)
    twilios.settle(rounds=1)
    assert [(one.call_id, one.state) for one in twilios.asked("person.dial")] == [(dialled[0], "done")]


def test_of_two_strays_one_ended_by_another_worker_keeps_not_the_other_from_being_ended(
    twilios, offer, monkeypatch
):
    for _ in range(2):
        factories.leg(offer.call, kind="agent", status="in-progress", started_at=twilios.now)
    intend = commands.intend
    ended = []

    def the_second_is_late(told, intent, *, args, **more):
        ended.append(args["leg"])
        if len(ended) == 2:
            raise IntegrityError
        return intend(told, intent, args=args, **more)

    monkeypatch.setattr(commands, "intend", the_second_is_late)
    twilios.settle(rounds=1)
    assert [(one.args["leg"], one.state) for one in twilios.asked("leg.end")] == [(ended[0], "done")]


def test_a_promise_that_is_taken_back_rings_no_longer_and_makes_nobody_away(twilios, support, jonas):
    Agent.objects.filter(pk=jonas.pk).update(status="away")
    call = centre.caller(support, now=twilios.now, caller=PERSON)
    with change(at=twilios.now) as told:
        promise = callbacks.ask(told, waiting=Waiting.objects.get(), now=twilios.now)
        queues.leave(told, call=call, result="callback", now=twilios.now)
    twilios.hang_up(twilios.caller_leg(call).sid)
    Agent.objects.filter(pk=jonas.pk).update(status="ready")
    twilios.settle()
    offer = twilios.offer(call)
    assert offer.kind == "callback"
    callbacks.cancel(callback=promise, by=jonas.user, now=twilios.now)
    twilios.later(30)
    twilios.settle()
    offer.refresh_from_db()
    jonas.refresh_from_db()
    assert (offer.state, jonas.status) == ("withdrawn", "ready")


def test_who_is_answered_at_the_last_moment_is_not_sent_to_leave_a_message(twilios, jonas, monkeypatch):
    Agent.objects.filter(pk=jonas.pk).update(status="away")
    call = factories.call(state="ringing", dials=True, started_at=twilios.now, number=factories.number())
    factories.leg(call, started_at=twilios.now)
    with change(at=twilios.now) as told:
        queues.enter(told, call=call, agent=jonas, now=twilios.now)
    recently = moves.recently

    def answered_meanwhile(of, kind, *, now, **more):
        Waiting.objects.open().update(left_at=now, result="answered")
        return recently(of, kind, now=now, **more)

    twilios.later(601)
    monkeypatch.setattr(moves, "recently", answered_meanwhile)
    twilios.settle(rounds=1)
    assert not twilios.asked("call.redirect")
