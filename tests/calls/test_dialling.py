"""Calls out: allowed destinations only, the agent first, then the person, then the stream; and callbacks."""

import uuid
from datetime import timedelta

import pytest
from django.utils import timezone

from calls.events import newest_id
from calls.models import Call, Callback, Destination, Event, Leg, Offer
from calls.refusal import Refused
from calls.services import agents, allowed, dialling
from calls.telephones import region_of
from tests import factories
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
    queue = centre.queue(name="Support")
    factories.number(e164="+31201234567", queue=queue, destination="queue")
    return queue


@pytest.fixture
def jonas(support, twilios):
    return centre.agent(support, now=twilios.now, name="Jonas")


def dial(twilios, agent, to=PERSON, **more):
    return dialling.dial(agent=agent, to=to, by=agent.user, command_id=uuid.uuid4(), now=twilios.now, **more)


def person(twilios, call, status, sequence=1):
    sid = call.commands.get(kind="person.dial").args["call_sid"]
    from tests import twilio

    fields = twilio.status_fields(status, sequence=sequence, CallSid=sid, Timestamp=twilios._stamp())
    twilios.post(f"/twilio/legs/person-{call.pk}/", fields)


def agent_answers(twilios, jonas):
    dial(twilios, jonas)
    offer = Offer.objects.latest("created_at")
    twilios.tell_leg(offer, "in-progress")
    twilios.settle()
    return Offer.objects.get(pk=offer.pk)


def test_the_agent_is_rung_first_and_the_person_when_they_have_answered(twilios, jonas):
    command = dial(twilios, jonas)
    assert (command.kind, command.state) == ("agent.ring", "done")
    twilios.settle()
    assert not twilios.asked("person.dial")
    twilios.tell_leg(Offer.objects.get(), "in-progress")
    twilios.settle()
    (asked,) = twilios.asked("person.dial")
    assert asked.args["to"] == PERSON
    form = twilios.rest.posts()[-1].form
    assert (form["To"], form["From"], form["EndConferenceOnExit"]) == (PERSON, "+31201234567", "true")


def test_progress_shows_and_the_stream_opens_on_the_person_s_live_leg(twilios, jonas):
    call = agent_answers(twilios, jonas).call
    person(twilios, call, "ringing")
    assert Leg.objects.get(kind="person").status == "ringing"
    assert not twilios.asked("stream.start")
    person(twilios, call, "in-progress", sequence=2)
    twilios.settle()
    call.refresh_from_db()
    (tap,) = twilios.asked("stream.start")
    assert tap.args["call_sid"] == Leg.objects.get(kind="person").sid
    assert (call.state, call.agent, call.direction) == ("live", jonas, "outbound")
    twilios.settle()
    assert len(twilios.asked("stream.start")) == 1


def test_each_step_of_the_dialling_is_told_to_the_desk_once(twilios, jonas):
    call = agent_answers(twilios, jonas).call
    person(twilios, call, "initiated", sequence=0)
    seen = newest_id()
    for _ in range(2):
        person(twilios, call, "ringing")
    told = Event.objects.filter(id__gt=seen, call=call)
    assert list(told.values_list("kind", "noun")) == [("call.changed", "call")]


def test_who_is_busy_ends_the_call_and_lets_the_agent_go(twilios, jonas):
    offer = agent_answers(twilios, jonas)
    person(twilios, offer.call, "busy")
    twilios.settle()
    twilios.later(3)
    twilios.settle()
    offer.refresh_from_db()
    call = Call.objects.get()
    assert (call.state, call.outcome, offer.state) == ("ended", "missed", "ended")
    assert offer.leg_sid in [one.args["leg"] for one in twilios.asked("leg.end")]


def test_an_agent_who_does_not_answer_their_own_call_ends_it(twilios, jonas):
    dial(twilios, jonas)
    twilios.tell_leg(Offer.objects.get(), "ringing")
    twilios.later(21)
    twilios.settle()
    twilios.tell_leg(Offer.objects.get(), "canceled", sequence=2)
    twilios.settle()
    assert Call.objects.get().state == "ended"
    assert not twilios.asked("person.dial")


def test_a_person_whom_twilio_will_not_dial_ends_the_agent_s_part_with_the_reason(twilios, jonas):
    dial(twilios, jonas)
    offer = Offer.objects.get()
    assert offer.conference is not None
    twilios.rest.on(
        "POST", f"/Conferences/{offer.conference.name}/Participants.json", *twilio_rest.error(403, 21215)
    )
    twilios.tell_leg(offer, "in-progress")
    twilios.settle()
    (failed,) = twilios.asked("person.dial")
    assert (failed.state, failed.code) == ("failed", "21215")
    twilios.hang_up(offer.leg_sid)
    twilios.settle()
    assert Call.objects.get().state == "ended"


def test_300_numbers_that_are_not_allowed_ask_nothing_of_twilio(twilios, jonas):
    Destination.objects.create(prefix="+3197", label="Not machines", allowed=False)
    refused = [f"+8816{n:07}" for n in range(100)]  # satellites
    refused += [f"+4490{n % 10}{n:07}" for n in range(50)]  # premium rate
    refused += [f"+3190{n % 10}{n:06}" for n in range(50)]  # premium rate within an allowed country
    refused += [f"+319701{n:07}" for n in range(50)]  # an exception to an allowed country
    refused += [
        "",
        "anonymous",
        "client:jonas",
        "sip:a@b",
        "+",
        "+31",
        "112",
        "+0612345678",
        "\0",
        "+31" + "6" * 500,
    ]
    refused += [f"+1473{n:07}" for n in range(40)]
    assert len(refused) == 300
    for number in refused:
        with pytest.raises(Refused):
            dial(twilios, jonas, to=number)
    assert twilios.rest.asked == []
    assert not Call.objects.exists()


def test_an_empty_list_allows_nothing():
    with pytest.raises(Refused, match="not allowed"):
        allowed.check("+442079460000")


def test_national_numbers_are_those_of_our_own_number_s_country(support):
    assert allowed.check("06 12345678", region=region_of("+31201234567")) == PERSON


def test_who_is_not_free_cannot_dial_and_ten_a_minute_are_enough(twilios, jonas):
    agents.set_status(agent=jonas, status="offline", now=twilios.now)
    with pytest.raises(Refused, match="phone must be connected"):
        dial(twilios, jonas)
    agents.set_status(agent=jonas, status="away", now=twilios.now)
    for _ in range(10):
        dial(twilios, jonas)
        Offer.objects.filter(state="ringing").update(state="declined", ended_at=twilios.now)
    with pytest.raises(Refused, match="Wait a moment"):
        dial(twilios, jonas)


@pytest.fixture
def promise(support, twilios):
    """A caller asked to be called back and kept the place."""
    call = centre.caller(support, now=twilios.now - timedelta(minutes=5))
    twilios.hang_up(twilios.caller_leg(call).sid)
    twilios.settle(rounds=1)
    return Callback.objects.create(
        call=call, e164=PERSON, queue=support, place_at=twilios.now - timedelta(minutes=5), due_at=twilios.now
    )


def test_a_callback_keeps_its_place_before_callers_who_came_later(twilios, support, promise):
    later = centre.caller(support, now=twilios.now)
    jonas = centre.agent(support, now=twilios.now)
    twilios.settle()
    offer = Offer.objects.get(agent=jonas)
    assert (offer.kind, offer.callback, offer.state) == ("callback", promise, "ringing")
    assert not later.offers.exists()
    assert not twilios.asked("agent.ring"), "nobody's phone rings for a promise; the desk asks"


def test_a_callback_that_is_taken_is_dialled_and_kept_when_the_person_answers(twilios, jonas, promise):
    twilios.settle()
    offer = Offer.objects.get(kind="callback")
    dialling.call_back(offer=offer, by=jonas.user, command_id=uuid.uuid4(), now=twilios.now)
    made = Offer.objects.get(kind="dial")
    twilios.tell_leg(made, "in-progress")
    twilios.settle()
    person(twilios, made.call, "in-progress")
    twilios.later(30)
    person(twilios, made.call, "completed", sequence=3)
    twilios.settle()
    promise.refresh_from_db()
    assert (promise.state, promise.tries) == ("done", 1)


def test_a_callback_that_nobody_answers_is_tried_again_later_and_three_times_in_all(twilios, jonas, promise):
    for tries in (1, 2, 3):
        twilios.settle()
        offer = Offer.objects.filter(kind="callback", state="ringing").get()
        dialling.call_back(offer=offer, by=jonas.user, command_id=uuid.uuid4(), now=twilios.now)
        made = Offer.objects.filter(kind="dial").latest("created_at")
        twilios.tell_leg(made, "in-progress")
        twilios.settle()
        person(twilios, made.call, "no-answer")
        twilios.hang_up(made.leg_sid)
        twilios.settle()
        promise.refresh_from_db()
        assert promise.tries == tries
        jonas.wrapups.update(closed_at=twilios.now)
        agents.set_status(agent=jonas, status="ready", now=twilios.now)
        twilios.later(601)
    assert promise.state == "cancelled"


def test_a_callback_that_is_not_taken_goes_to_the_next_agent(twilios, support, jonas, promise):
    twilios.settle()
    amira = centre.agent(support, now=twilios.now)
    twilios.later(21)
    twilios.settle()
    assert Offer.objects.get(state="ringing").agent == amira
    jonas.refresh_from_db()
    assert jonas.reason == "missed"


def test_a_promise_is_kept_before_its_time_and_is_done_when_the_person_answers(twilios, jonas, promise):
    put_off(promise, twilios.now + timedelta(days=1))
    call_now(twilios, jonas, promise)
    made = Offer.objects.get(kind="dial")
    assert (made.callback, made.call.caller, made.call.number) == (promise, PERSON, promise.call.number)
    twilios.tell_leg(made, "in-progress")
    twilios.settle()
    person(twilios, made.call, "in-progress")
    person(twilios, made.call, "completed", sequence=3)
    twilios.hang_up(made.leg_sid)
    twilios.settle()
    promise.refresh_from_db()
    assert (promise.state, promise.tries) == ("done", 1)


def test_a_promise_called_in_vain_before_its_time_stays_promised_for_then(twilios, jonas, promise):
    put_off(promise, twilios.now + timedelta(days=1))
    call_now(twilios, jonas, promise)
    made = Offer.objects.get(kind="dial")
    twilios.tell_leg(made, "in-progress")
    twilios.settle()
    person(twilios, made.call, "no-answer")
    twilios.hang_up(made.leg_sid)
    twilios.settle()
    promise.refresh_from_db()
    assert (promise.state, promise.tries, promise.due_at) == ("open", 1, twilios.now + timedelta(days=1))


def test_a_promise_is_at_one_desk_at_a_time(twilios, support, jonas, promise):
    amira = centre.agent(support, now=twilios.now)
    put_off(promise, twilios.now + timedelta(days=1))
    call_now(twilios, jonas, promise)
    put_off(promise, twilios.now)
    with pytest.raises(Refused, match="at this callback"):
        call_now(twilios, amira, promise)
    twilios.settle()
    assert Offer.objects.filter(state="ringing").count() == 1
    assert Call.objects.live().filter(direction="outbound").count() == 1


def test_a_promise_that_is_offered_is_called_by_nobody_else(twilios, support, jonas, promise):
    twilios.settle()
    amira = centre.agent(support, now=twilios.now)
    assert Offer.objects.get(state="ringing").agent == jonas
    with pytest.raises(Refused, match="at this callback"):
        call_now(twilios, amira, promise)


def put_off(promise, until):
    Callback.objects.filter(pk=promise.pk).update(due_at=until)


def call_now(twilios, agent, promise):
    promise.refresh_from_db()
    dialling.call_now(callback=promise, agent=agent, by=agent.user, command_id=uuid.uuid4(), now=twilios.now)
