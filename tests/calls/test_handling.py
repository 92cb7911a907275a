"""What agents do with their calls: hang up, hold, mute, give on, ask for help."""

import uuid

import pytest
from django.utils import timezone

from calls.access import EVERY
from calls.events import newest_id
from calls.models import Agent, Call, Destination, Event, Offer, Outcome, Waiting, WrapUp
from calls.refusal import Refused
from calls.selectors import call as one_call
from calls.services import agents, handling, help, transfers, wrapup
from tests import twilio
from tests.calls import centre
from tests.calls import rest as twilio_rest
from tests.calls.centre import Centre

pytestmark = pytest.mark.django_db
OUTSIDE = "+31201234999"


@pytest.fixture
def twilios():
    with twilio_rest.rest(TWILIO_TIMEOUT_SECONDS=2.0) as scripted:
        yield Centre(scripted, now=timezone.now().replace(microsecond=0))


@pytest.fixture
def support():
    return centre.queue(name="Support")


@pytest.fixture
def jonas(support, twilios):
    return centre.agent(support, now=twilios.now, name="Jonas")


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


def give(twilios, offer, kind, key, *, first=False, **more):
    return transfers.transfer(**asking(twilios, offer, kind=kind, key=str(key), first=first, **more))


def caller_held(twilios, offer, sequence=5, on=True):
    sid = twilios.caller_leg(offer.call).sid
    event = "participant-hold" if on else "participant-unhold"
    twilios.tell_room(offer.conference.name, event, sid, label="caller", sequence=sequence)


def agent_leaves(twilios, offer):
    twilios.hang_up(offer.leg_sid)
    room = offer.conference.name
    twilios.tell_room(room, "participant-leave", offer.leg_sid, label=offer.label(), sequence=8)


def test_hanging_up_ends_the_caller_s_leg_and_with_it_the_call(twilios, offer):
    command = handling.hang_up(**asking(twilios, offer))
    assert (command.kind, command.state) == ("call.end", "done")
    assert command.args["leg"] == twilios.caller_leg(offer.call).sid


def test_the_same_command_again_causes_nothing(twilios, offer):
    asked = asking(twilios, offer)
    assert handling.hang_up(**asked) == handling.hang_up(**asked)
    assert len(twilios.asked("call.end")) == 1


def test_hold_and_back(twilios, offer):
    twilios.later(300)  # webhooks are timed by the real clock
    held = handling.hold(**asking(twilios, offer, on=True))
    caller_held(twilios, offer)
    twilios.settle()
    back = handling.hold(**asking(twilios, offer, on=False))
    assert (held.kind, held.state, back.kind, back.state) == ("call.hold", "done", "call.resume", "done")
    form = twilios.rest.posts()[-2].form
    assert form["Hold"] == "true"
    assert form["HoldUrl"].endswith("/twilio/hold/")
    assert form["HoldMethod"] == "POST"
    assert len(twilios.asked("call.resume")) == 1, "the tick leaves alone whom an agent put on hold"


def phase(offer):
    """What its call is doing, as pages are told."""
    found = one_call.snapshot(offer.call_id, EVERY)
    assert found is not None
    return found["call"]["phase"]


def test_a_hold_is_told_once_whether_its_callback_comes_or_not(twilios, offer):
    twilios.later(300)
    held = Event.objects.filter(noun="participant", kind="participant.hold", call=offer.call)
    handling.hold(**asking(twilios, offer, on=True))
    assert held.count() == 1, "Twilio's answer says it"
    assert phase(offer) == "hold"
    handling.hold(**asking(twilios, offer, on=True))
    assert held.count() == 1, "nothing changed"
    handling.hold(**asking(twilios, offer, on=False))
    assert phase(offer) == "talking"


def test_a_telephone_is_muted_at_twilio(twilios, offer):
    handling.mute(**asking(twilios, offer, on=True))
    assert twilios.rest.posts()[-1].form["Muted"] == "true"


def test_twilio_s_refusal_is_a_failed_command_with_words(twilios, offer):
    path = f"/Conferences/{offer.conference.name}/Participants/{twilios.caller_leg(offer.call).sid}.json"
    twilios.rest.on("POST", path, *twilio_rest.error(404, 20404))
    command = handling.hold(**asking(twilios, offer, on=True))
    assert (command.state, command.code) == ("failed", "20404")
    assert command.text


def test_given_to_an_agent_at_once_the_call_waits_for_them_and_the_first_is_out(twilios, offer, amira):
    command = give(twilios, offer, "agent", amira.pk, reason="Knows the order")
    offer.call.refresh_from_db()
    assert command.state == "done"
    assert offer.call.plan["step"] == "queue", "theirs first, and the queue's when they do not come"
    agent_leaves(twilios, offer)
    twilios.settle()
    offer.refresh_from_db()
    taken = twilios.offer(offer.call)
    assert (offer.state, taken.agent, taken.kind, taken.reason) == (
        "ended",
        amira,
        "direct",
        "Knows the order",
    )
    assert taken.conference.name != offer.conference.name
    twilios.answer(offer.call)
    offer.call.refresh_from_db()
    assert offer.call.agent == amira


def test_a_call_kept_for_an_agent_who_does_not_come_goes_to_the_queue(twilios, support, offer, amira):
    give(twilios, offer, "agent", amira.pk)
    agents.set_status(agent=amira, status="away", now=twilios.now)
    agent_leaves(twilios, offer)
    WrapUp.objects.update(closed_at=twilios.now)
    twilios.settle()
    assert not offer.call.offers.filter(state="ringing").exists()
    twilios.later(61)
    twilios.settle()
    assert twilios.offer(offer.call).agent == offer.agent


def test_given_to_a_queue_the_caller_waits_there(twilios, offer, amira):
    billing = amira.queues.get()
    give(twilios, offer, "queue", billing.pk)
    row = Waiting.objects.get(left_at=None)
    offer.call.refresh_from_db()
    assert (row.queue, offer.call.queue) == (billing, billing)
    twilios.settle()
    assert twilios.offer(offer.call).agent == amira


def test_given_to_a_number_the_caller_is_dialled_through(twilios, offer):
    Destination.objects.create(prefix="+31", label="Netherlands")
    give(twilios, offer, "number", "+31 20 1234999")
    offer.call.refresh_from_db()
    assert offer.call.plan == {"step": "phone", "to": OUTSIDE}
    agent_leaves(twilios, offer)
    twilios.settle()
    offer.refresh_from_db()
    assert offer.state == "ended"


def test_when_twilio_will_not_send_the_caller_on_the_agent_still_has_them(twilios, offer, amira):
    before = Call.objects.get(pk=offer.call.pk).plan
    path = f"/Calls/{twilios.caller_leg(offer.call).sid}.json"
    twilios.rest.on("POST", path, *twilio_rest.error(400, 21220))
    command = give(twilios, offer, "agent", amira.pk)
    offer.refresh_from_db()
    assert (command.state, offer.hung_up, offer.state) == ("failed", False, "accepted")
    assert Call.objects.get(pk=offer.call.pk).plan == before
    assert not Waiting.objects.filter(left_at=None).exists()


def test_talking_first_holds_the_caller_rings_the_colleague_and_then_leaves_them(twilios, offer, amira):
    command = give(twilios, offer, "agent", amira.pk, first=True)
    caller_held(twilios, offer)
    assert (command.kind, command.state) == ("agent.ring", "done")
    consult = twilios.offer(offer.call)
    assert (consult.agent, consult.kind, consult.conference) == (amira, "consult", offer.conference)
    twilios.tell_leg(consult, "in-progress")
    twilios.settle()
    consult.refresh_from_db()
    assert consult.state == "accepted"
    done = transfers.complete(**asking(twilios, offer))
    assert (done.kind, done.args["leg"]) == ("leg.end", offer.leg_sid)
    caller_held(twilios, offer, sequence=6, on=False)
    agent_leaves(twilios, offer)
    twilios.settle()
    offer.refresh_from_db()
    offer.call.refresh_from_db()
    assert (offer.state, offer.call.agent, offer.call.state) == ("ended", amira, "live")
    assert len(twilios.asked("call.resume")) == 1
    assert not twilios.asked("call.end")


def test_a_colleague_who_does_not_answer_leaves_the_caller_with_the_agent(twilios, offer, amira):
    give(twilios, offer, "agent", amira.pk, first=True)
    caller_held(twilios, offer)
    twilios.later(21)
    twilios.settle()
    assert twilios.offer(offer.call).state == "missed"
    assert transfers.cancel(**asking(twilios, offer)).kind == "call.resume"
    offer.refresh_from_db()
    assert offer.state == "accepted"


def test_taking_the_caller_back_sends_the_colleague_away(twilios, offer, amira):
    give(twilios, offer, "agent", amira.pk, first=True)
    caller_held(twilios, offer)
    consult = twilios.offer(offer.call)
    twilios.tell_leg(consult, "in-progress")
    transfers.cancel(**asking(twilios, offer))
    assert consult.leg_sid in [one.args["leg"] for one in twilios.asked("leg.end")]
    agent_leaves(twilios, Offer.objects.get(pk=consult.pk))
    caller_held(twilios, offer, sequence=9, on=False)
    twilios.settle()
    offer.refresh_from_db()
    assert (offer.state, offer.call.offers.filter(state="ringing").exists()) == ("accepted", False)


def test_an_outside_number_is_asked_first_in_the_same_conference(twilios, offer):
    Destination.objects.create(prefix="+31", label="Netherlands")
    command = give(twilios, offer, "number", OUTSIDE, first=True)
    assert (command.kind, command.state, command.args["to"]) == ("person.dial", "done", OUTSIDE)
    label, sid = command.args["label"], command.args["call_sid"]
    twilios.tell_room(offer.conference.name, "participant-join", sid, label=label, sequence=6)
    transfers.complete(**asking(twilios, offer))
    agent_leaves(twilios, offer)
    twilios.later(3)
    twilios.settle()
    assert not twilios.asked("call.end"), "the caller talks with the outside party"


def test_an_outside_number_that_is_busy_is_told_to_the_desk(twilios, offer):
    Destination.objects.create(prefix="+31", label="Netherlands")
    args = give(twilios, offer, "number", OUTSIDE, first=True).args
    seen = newest_id()
    fields = twilio.status_fields("busy", sequence=2, CallSid=args["call_sid"], Timestamp=twilios._stamp())
    twilios.post(f"/twilio/legs/{args['label']}/", fields)
    told = Event.objects.filter(id__gt=seen, call=offer.call)
    assert list(told.values_list("kind", "noun")) == [("call.changed", "call")]


@pytest.mark.parametrize(
    ("kind", "key", "code"),
    [
        ("agent", "999999", "target"),
        ("agent", "x", "target"),
        ("queue", "9" * 30, "target"),
        ("number", "+1 900 555 0100", "premium"),
        ("number", OUTSIDE, "not_allowed"),
        ("number", "help", "number"),
        ("page", "1", "target"),
    ],
)
def test_what_cannot_be_given_on_is_refused_in_words_and_asks_nothing(twilios, offer, kind, key, code):
    before = len(twilios.rest.posts())
    with pytest.raises(Refused) as refusal:
        give(twilios, offer, kind, key)
    assert refusal.value.code == code
    assert len(twilios.rest.posts()) == before


def test_who_is_busy_cannot_be_asked_first(twilios, offer, amira):
    agents.set_status(agent=amira, status="away", now=twilios.now)
    with pytest.raises(Refused, match="Amira is not free"):
        give(twilios, offer, "agent", amira.pk, first=True)
    with pytest.raises(Refused, match="Nobody in Billing is free"):
        give(twilios, offer, "queue", amira.queues.get().pk, first=True)


def test_nobody_handles_a_call_that_they_are_not_in(twilios, offer):
    Offer.objects.filter(pk=offer.pk).update(state="ended", ended_at=twilios.now)
    for act in (handling.hang_up, transfers.complete, transfers.cancel):
        with pytest.raises(Refused):
            act(**asking(twilios, offer))


def test_the_wrap_up_asks_for_the_queue_s_outcome(twilios, support, offer):
    Outcome.objects.create(queue=support, label="Solved")
    twilios.hang_up(twilios.caller_leg(offer.call).sid)
    twilios.settle()
    row = WrapUp.objects.get()
    twilios.later(1000)
    twilios.settle()
    with pytest.raises(Refused, match="Choose what became"):
        wrapup.close(wrapup=row, outcome="", now=twilios.now)
    assert wrapup.close(wrapup=row, outcome="Solved", now=twilios.now)
    assert not wrapup.close(wrapup=row, outcome="Solved", now=twilios.now)
    row.refresh_from_db()
    assert row.outcome == "Solved"


def test_an_outcome_is_not_waited_for_where_the_agent_has_gone(twilios, support, offer):
    Outcome.objects.create(queue=support, label="Solved")
    twilios.hang_up(twilios.caller_leg(offer.call).sid)
    twilios.settle()
    row = WrapUp.objects.get()
    Agent.objects.update(present_until=row.due_at)
    twilios.later(support.wrapup_seconds + 299)
    twilios.settle()
    assert WrapUp.objects.get().closed_at is None, "they may be back"
    twilios.later(2)
    twilios.settle()
    assert (WrapUp.objects.get().closed_at, WrapUp.objects.get().outcome) == (twilios.now, "")


def test_more_time_for_the_wrap_up_ends_at_half_an_hour(twilios, offer):
    twilios.hang_up(twilios.caller_leg(offer.call).sid)
    twilios.settle()
    row = WrapUp.objects.get()
    first = row.due_at
    until = wrapup.extend(wrapup=row, due_at=first, now=twilios.now)
    assert (until - first).total_seconds() == 30
    assert wrapup.extend(wrapup=row, due_at=first, now=twilios.now) == until, "one press is one extension"
    for _ in range(100):
        until = wrapup.extend(wrapup=row, due_at=until, now=twilios.now)
    assert (until - row.opened_at).total_seconds() == 1800


def test_help_stands_on_the_call_until_it_has_come(twilios, offer):
    help.ask(call=offer.call, reason="Angry\ncaller", by=offer.agent.user, now=twilios.now)
    offer.call.refresh_from_db()
    assert offer.call.help == "Angry caller"
    assert help.done(call=offer.call, by=offer.agent.user, now=twilios.now)
    assert not help.done(call=offer.call, by=offer.agent.user, now=twilios.now)


def every_refusal(twilios, code):
    """Twilio refuses whatever it is asked."""
    twilios.rest.rules.insert(0, lambda asked: twilio_rest.error(400, code))


@pytest.mark.parametrize("code", [21205, 21220, 20404])
@pytest.mark.parametrize(
    "act", ["hang_up", "hold", "mute", "agent", "queue", "number", "ask", "ask number", "dial"]
)
def test_whatever_twilio_refuses_ends_in_words_and_a_log_line_and_nothing_is_lost(
    twilios, offer, amira, caplog, act, code
):
    from calls.remedies import explain
    from calls.services import dialling

    Destination.objects.create(prefix="+31", label="Netherlands")
    every_refusal(twilios, code)
    acts = {
        "hang_up": lambda: handling.hang_up(**asking(twilios, offer)),
        "hold": lambda: handling.hold(**asking(twilios, offer, on=True)),
        "mute": lambda: handling.mute(**asking(twilios, offer, on=True)),
        "agent": lambda: give(twilios, offer, "agent", amira.pk),
        "queue": lambda: give(twilios, offer, "queue", amira.queues.get().pk),
        "number": lambda: give(twilios, offer, "number", OUTSIDE),
        "ask": lambda: give(twilios, offer, "agent", amira.pk, first=True),
        "ask number": lambda: give(twilios, offer, "number", OUTSIDE, first=True),
        "dial": lambda: dialling.dial(
            agent=amira,
            to=OUTSIDE,
            number=offer.call.number,
            by=amira.user,
            command_id=uuid.uuid4(),
            now=twilios.now,
        ),
    }
    command = acts[act]()
    gone = act == "hang_up" and code in {20404, 21220}  # what is over need not be ended
    assert command.state == ("done" if gone else "failed")
    assert gone or command.text == explain(code)[:300]
    assert gone or "command.failed" in [record.getMessage() for record in caplog.records]
    offer.refresh_from_db()
    offer.call.refresh_from_db()
    assert (offer.state, offer.call.state) == ("accepted", "live")
    assert offer.hung_up == gone, "who has not gone is not taken for gone when the page is lost"
    assert not Waiting.objects.open().exists()
    assert not Offer.objects.filter(state="ringing").exists()


def test_a_caller_put_on_hold_for_a_colleague_whom_twilio_will_not_ring_is_taken_back(twilios, offer, amira):
    path = f"/Conferences/{offer.conference.name}/Participants.json"
    twilios.rest.rules.insert(
        0,
        lambda asked: twilio_rest.error(400, 21211) if (asked.method, asked.path) == ("POST", path) else None,
    )
    assert give(twilios, offer, "agent", amira.pk, first=True).state == "failed"
    assert [one.state for one in twilios.asked("call.resume")] == ["done"]


def test_when_twilio_rings_nobody_the_caller_waits_on(twilios, support, jonas):
    call = centre.caller(support, now=twilios.now)
    every_refusal(twilios, 21211)
    twilios.settle()
    assert Waiting.objects.open().get().call == call
    assert twilios.offer(call).state == "withdrawn"
