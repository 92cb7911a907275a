"""The tick draws the consequences: offers, conferences, losses and ends, from rows alone."""

import itertools

import pytest
from django.utils import timezone

from calls.models import Agent, Call, Leg, Offer, Participant, Waiting, WrapUp
from tests import factories, twilio
from tests.calls import centre
from tests.calls import rest as twilio_rest
from tests.calls.centre import Centre
from tests.calls.line import Line, tags

pytestmark = pytest.mark.django_db


@pytest.fixture
def twilios():
    with twilio_rest.rest(TWILIO_TIMEOUT_SECONDS=2.0) as scripted:
        yield Centre(scripted, now=timezone.now().replace(microsecond=0))


@pytest.fixture
def support():
    return centre.queue(wrapup_seconds=30)


@pytest.fixture
def jonas(support, twilios):
    return centre.agent(support, now=twilios.now, name="Jonas")


@pytest.fixture
def call(support, twilios):
    return centre.caller(support, now=twilios.now)


def test_a_caller_is_offered_to_the_free_agent_who_is_rung_into_the_call_s_own_conference(
    twilios, jonas, call
):
    twilios.settle()
    offer = twilios.offer(call)
    assert (offer.agent, offer.state, offer.kind) == (jonas, "ringing", "queue")
    (asked,) = [one for one in twilios.rest.posts() if one.path.endswith("Participants.json")]
    assert asked.path == f"/Conferences/call-{call.pk}-1/Participants.json"
    assert (asked.form["To"], asked.form["Label"]) == (f"client:{jonas.identity}", offer.label())
    assert asked.form["EndConferenceOnExit"] == "false"
    assert asked.form["StatusCallback"].endswith(f"/twilio/legs/{offer.label()}/")
    assert offer.leg_sid.startswith("CA")


def test_who_answers_gets_the_caller_and_the_wait_is_over(twilios, jonas, call):
    twilios.settle()
    offer = twilios.answer(call)
    call.refresh_from_db()
    assert offer.state == "accepted"
    assert call.plan == {"step": "conference", "name": f"call-{call.pk}-1"}
    assert Waiting.objects.get().result == "answered"
    (redirect,) = twilios.asked("call.redirect")
    assert redirect.state == "done"
    assert (call.state, call.agent) == ("live", jonas)
    assert Participant.objects.filter(left_at=None).count() == 2


def test_the_tick_repeated_asks_nothing_twice(twilios, jonas, call):
    twilios.settle()
    twilios.answer(call)
    before = len(twilios.rest.posts())
    twilios.settle(rounds=5)
    assert len(twilios.rest.posts()) == before


def test_a_declined_call_goes_to_the_next_and_the_agent_is_away_with_the_reason(
    twilios, support, jonas, call
):
    from calls.services import offers

    twilios.settle()
    amira = centre.agent(support, now=twilios.now)
    first = twilios.offer(call)
    offers.decline(offer=first, now=twilios.now)
    twilios.settle()
    jonas.refresh_from_db()
    assert (jonas.status, jonas.reason) == ("away", "declined")
    assert twilios.offer(call).agent == amira
    assert [one.args["leg"] for one in twilios.asked("leg.end")] == []  # its leg has not been heard of yet


def test_a_missed_call_makes_the_agent_away_and_its_leg_is_ended(twilios, support, jonas, call):
    twilios.settle()
    first = twilios.offer(call)
    twilios.tell_leg(first, "ringing")
    amira = centre.agent(support, now=twilios.now)
    twilios.later(21)
    twilios.settle()
    jonas.refresh_from_db()
    first.refresh_from_db()
    assert (first.state, jonas.status, jonas.reason) == ("missed", "away", "missed")
    assert [one.args["leg"] for one in twilios.asked("leg.end")] == [first.leg_sid]
    assert twilios.offer(call).agent == amira


def test_an_agent_whose_desk_is_gone_in_mid_ring_loses_the_call_to_the_next(twilios, support, jonas, call):
    twilios.settle()
    amira = centre.agent(support, now=twilios.now)
    Agent.objects.filter(pk=jonas.pk).update(present_until=twilios.now)
    twilios.settle()
    jonas.refresh_from_db()
    assert (jonas.status, jonas.reason) == ("away", "connection")
    assert twilios.offer(call).agent == amira


def test_a_late_answer_loses_to_the_time_and_its_leg_is_ended(twilios, jonas, call):
    twilios.settle()
    offer = twilios.offer(call)
    twilios.later(21)
    twilios.settle(rounds=1)
    twilios.tell_leg(offer, "in-progress")
    twilios.settle()
    offer.refresh_from_db()
    assert offer.state == "missed"
    assert Waiting.objects.get().left_at is None
    assert [one.args["leg"] for one in twilios.asked("leg.end")] == [offer.leg_sid]


def test_a_caller_who_hangs_up_while_it_rings_ends_the_ringing(twilios, jonas, call):
    twilios.settle()
    offer = twilios.offer(call)
    twilios.tell_leg(offer, "ringing")
    twilios.hang_up(twilios.caller_leg(call).sid)
    twilios.settle()
    twilios.later(3)
    twilios.settle()
    offer.refresh_from_db()
    jonas.refresh_from_db()
    assert (offer.state, jonas.status) == ("withdrawn", "ready")
    assert Waiting.objects.get().result == "abandoned"
    assert [one.args["leg"] for one in twilios.asked("leg.end")] == [offer.leg_sid]


def test_the_end_of_a_call_opens_the_wrap_up_and_time_closes_it(twilios, jonas, call):
    twilios.settle()
    offer = twilios.answer(call)
    twilios.hang_up(twilios.caller_leg(call).sid)
    twilios.hang_up(offer.leg_sid)
    twilios.settle()
    offer.refresh_from_db()
    assert offer.state == "ended"
    wrapup = WrapUp.objects.get()
    assert (wrapup.agent, wrapup.closed_at) == (jonas, None)
    other = centre.caller(call.queue, now=twilios.now)
    twilios.settle()
    assert not other.offers.exists()
    twilios.later(31)
    twilios.settle()
    assert twilios.offer(other).agent == jonas


def test_a_lost_page_leaves_the_caller_on_hold_and_brings_them_back_to_the_same_agent(
    twilios, support, jonas, call
):
    centre.agent(support, now=twilios.now, name="Amira")
    twilios.settle()
    offer = twilios.answer(call)
    Agent.objects.filter(pk=jonas.pk).update(phone_ok=False)
    twilios.hang_up(offer.leg_sid)
    twilios.tell_room(
        offer.conference.name, "participant-leave", offer.leg_sid, label=offer.label(), sequence=4
    )
    twilios.later(2)
    twilios.settle()
    (hold,) = twilios.asked("call.hold")
    assert hold.args["leg"] == twilios.caller_leg(call).sid
    twilios.tell_room(offer.conference.name, "participant-hold", hold.args["leg"], label="caller", sequence=5)
    assert not call.offers.filter(state="ringing").exists()  # Amira is free, but Jonas comes first
    Agent.objects.filter(pk=jonas.pk).update(phone_ok=True, status="away")
    twilios.settle()
    again = twilios.offer(call)
    assert (again.agent, again.kind, again.conference) == (jonas, "resume", offer.conference)
    twilios.later(2)
    twilios.tell_leg(again, "in-progress")
    twilios.settle()
    (resume,) = twilios.asked("call.resume")
    assert resume.args["leg"] == hold.args["leg"]
    call.refresh_from_db()
    assert call.state == "live"


def test_who_hangs_up_is_not_offered_back_because_word_of_the_agent_came_first(twilios, jonas, call):
    twilios.settle()
    offer = twilios.answer(call)
    room, caller = offer.conference.name, twilios.caller_leg(call).sid
    twilios.hang_up(offer.leg_sid)
    twilios.settle()
    twilios.tell_room(room, "participant-leave", caller, label="caller", sequence=4)
    twilios.later(2)
    twilios.settle()
    offer.refresh_from_db()
    assert (offer.state, call.offers.count()) == ("ended", 1)
    assert (twilios.asked("call.hold"), Waiting.objects.open().count()) == ([], 0)
    assert WrapUp.objects.get().agent == jonas


def test_a_page_lost_before_the_caller_has_come_costs_nobody_their_call(twilios, jonas, call):
    twilios.settle()
    offer = twilios.offer(call)
    twilios.tell_leg(offer, "in-progress")
    twilios.settle()
    (redirect,) = twilios.asked("call.redirect")
    twilios.hang_up(offer.leg_sid)
    twilios.tell_room(f"call-{call.pk}-1", "conference-end", sequence=3)
    line = Line(sid=twilios.caller_leg(call).sid)
    assert tags(line.post(f"/twilio/next/{redirect.args['turn']}/")) == ["Pause", "Redirect"]
    twilios.settle()
    assert tags(line.post("/twilio/next/" + "0" * 32 + "/")) == ["Enqueue"]


def test_a_lost_call_whose_agent_does_not_return_goes_to_a_colleague(twilios, support, jonas, call):
    twilios.settle()
    offer = twilios.answer(call)
    amira = centre.agent(support, now=twilios.now, name="Amira")
    Agent.objects.filter(pk=jonas.pk).update(present_until=twilios.now)
    twilios.hang_up(offer.leg_sid)
    twilios.later(2)
    twilios.settle()
    assert not call.offers.filter(state="ringing").exists()
    twilios.later(46)
    twilios.settle()
    assert twilios.offer(call).agent == amira


def test_a_caller_left_alone_in_the_conference_is_not_left_there(twilios, jonas, call):
    from calls.services import handling

    twilios.settle()
    offer = twilios.answer(call)
    handling.on_purpose(offer)
    twilios.hang_up(offer.leg_sid)
    twilios.tell_room(
        offer.conference.name, "participant-leave", offer.leg_sid, label=offer.label(), sequence=4
    )
    twilios.later(3)
    twilios.settle()
    (end,) = twilios.asked("call.end")
    assert end.args["leg"] == twilios.caller_leg(call).sid


def test_a_refused_ring_leaves_the_agent_out_and_asks_the_next(twilios, support, jonas, call):
    twilios.rest.on(
        "POST", f"/Conferences/call-{call.pk}-1/Participants.json", *twilio_rest.error(400, 21211)
    )
    twilios.settle(rounds=1)
    jonas.refresh_from_db()
    assert (jonas.status, jonas.reason) == ("away", "phone")
    amira = centre.agent(support, now=twilios.now)
    twilios.later(3)
    twilios.settle()
    assert twilios.offer(call).agent == amira


def test_when_twilio_is_busy_the_same_agent_is_tried_again_after_a_breath(twilios, jonas, call):
    twilios.rest.on(
        "POST", f"/Conferences/call-{call.pk}-1/Participants.json", *twilio_rest.error(429, 20429)
    )
    twilios.settle(rounds=3)
    jonas.refresh_from_db()
    assert (jonas.status, call.offers.count()) == ("ready", 1)
    twilios.later(3)
    twilios.settle()
    assert twilios.offer(call).state == "ringing"


def test_who_waits_too_long_overflows(twilios, call, support):
    support.overflow, support.overflow_seconds = "voicemail", 60
    support.save()
    twilios.later(59)
    twilios.settle()
    assert not twilios.asked("call.redirect")
    twilios.later(2)
    twilios.settle()
    call.refresh_from_db()
    assert call.plan == {"step": "voicemail", "queue": support.pk}
    assert Waiting.objects.get().result == "overflow"


def test_overflow_to_another_queue_keeps_the_time_waited(twilios, call, support):
    other = centre.queue(name="Second line")
    support.overflow, support.overflow_seconds, support.overflow_queue = "queue", 60, other
    support.save()
    began = Waiting.objects.get().entered_at
    twilios.later(61)
    twilios.settle()
    row = Waiting.objects.get(left_at=None)
    assert (row.queue, row.entered_at) == (other, began)


def test_a_lost_answer_of_an_agent_is_found_in_the_leg_that_was_read(twilios, jonas, call):
    from calls.services import legs

    twilios.settle()
    offer = twilios.offer(call)
    twilios.tell_leg(offer, "ringing")
    legs.apply(sid=offer.leg_sid, status="in-progress", at=twilios.now)  # as reconcile does
    twilios.settle(rounds=1)
    offer.refresh_from_db()
    assert offer.state == "accepted"


def test_a_caller_whose_coming_was_not_told_is_looked_for_before_they_are_sent_on_again(twilios, jonas, call):
    twilios.settle()
    offer = twilios.offer(call)
    twilios.tell_leg(offer, "in-progress")
    twilios.settle()
    leg = twilios.caller_leg(call)
    path = f"/Conferences/{offer.conference.name}/Participants/{leg.sid}.json"
    twilios.rest.on("GET", path, 200, {"call_sid": leg.sid, "account_sid": twilio.ACCOUNT_SID})
    twilios.later(6)
    twilios.settle()
    assert len(twilios.asked("call.redirect")) == 1
    assert Participant.objects.get(leg=leg).joined_at is not None


def test_a_caller_who_is_not_there_is_sent_on_again(twilios, jonas, call):
    twilios.settle()
    twilios.tell_leg(twilios.offer(call), "in-progress")
    twilios.settle()
    twilios.later(6)
    twilios.settle()
    assert len(twilios.asked("call.redirect")) == 2


def test_a_caller_for_one_agent_who_never_comes_may_leave_a_message(twilios, jonas):
    from calls.events import change
    from calls.services import queues

    call = factories.call(state="ringing", dials=True, started_at=twilios.now)
    factories.leg(call, started_at=twilios.now)
    Agent.objects.filter(pk=jonas.pk).update(status="away")
    with change(at=twilios.now) as told:
        queues.enter(told, call=call, agent=jonas, now=twilios.now)
    twilios.settle()
    assert not call.offers.exists()
    twilios.later(601)
    twilios.settle()
    call.refresh_from_db()
    assert call.plan["step"] == "voicemail"
    assert Waiting.objects.get().result == "overflow"


def test_of_two_workers_at_once_the_second_asks_nothing(twilios, jonas, call, monkeypatch):
    from calls.models import Command
    from calls.services import moves

    twilios.settle()
    twilios.tell_leg(twilios.offer(call), "in-progress")
    twilios.settle(rounds=1)
    before = len(twilios.rest.posts())
    monkeypatch.setattr(moves, "recently", lambda *_, **__: False)  # what the second saw a moment ago
    first = Command.objects.get(kind="call.redirect")
    monkeypatch.setattr(moves, "own_id", lambda *_: first.pk)
    twilios.settle(rounds=1)
    assert len(twilios.rest.posts()) == before


def test_the_tick_looks_when_something_happened_or_a_second_has_passed(twilios, support, monkeypatch):
    from datetime import timedelta

    from calls.services import routing

    looked = []

    def look(now):
        looked.append(now)
        return 0

    monkeypatch.setattr(routing, "settle", look)
    tick, begun = routing.Tick(), twilios.now

    def at(ms):
        tick(now=begun + timedelta(milliseconds=ms))
        return len(looked)

    assert at(0) == 1, "the first time"
    assert at(250) == 1, "nothing happened"
    centre.caller(support, now=begun)
    assert at(500) == 2, "somebody came"
    assert at(750) == 2
    assert at(1500) == 3, "a second has passed"


def story(twilios, call):
    """Every callback of a call that is answered, held, and ended: path and fields."""
    offer = twilios.offer(call)
    room, caller = f"call-{call.pk}-1", twilios.caller_leg(call).sid

    def leg(status, sequence):
        fields = twilio.status_fields(
            status, sequence=sequence, CallSid=offer.leg_sid, Timestamp=twilios._stamp()
        )
        return f"/twilio/legs/{offer.label()}/", fields

    def event(name, sid, label, sequence):
        return "/twilio/conference/", twilios.room_fields(room, name, sid, label=label, sequence=sequence)

    return [
        leg("ringing", 1),
        leg("in-progress", 2),
        event("participant-join", offer.leg_sid, offer.label(), 1),
        event("participant-join", caller, "caller", 2),
        event("participant-hold", caller, "caller", 3),
        event("participant-unhold", caller, "caller", 4),
        event("participant-leave", caller, "caller", 5),
    ]


def rows(call):
    """What the callbacks make of a call."""
    offer = Offer.objects.get(call=call)
    seats = Participant.objects.filter(conference__call=call).order_by("label")
    legs = Leg.objects.filter(call=call).order_by("kind")
    return (
        offer.state,
        [(leg.kind, leg.status, leg.answered_at is not None) for leg in legs],
        [(seat.label, seat.joined_at, seat.left_at, seat.held, seat.held_sequence) for seat in seats],
        Call.objects.get(pk=call.pk).state,
    )


def test_callbacks_in_every_order_and_doubled_make_the_same_rows(twilios, support):
    results = set()
    orders = list(itertools.permutations(range(7)))[::251]  # 21 of them, from first to last
    for order in orders:
        centre.agent(support, now=twilios.now)
        call = centre.caller(support, now=twilios.now)
        twilios.settle(rounds=1)
        told = story(twilios, call)
        for place in [*order, *order]:
            twilios.post(*told[place])
        state, legs, seats, whole = rows(call)
        shown = [(("offer" if label.startswith("offer") else label), *rest) for label, *rest in seats]
        results.add(repr((state, legs, shown, whole)))
        Call.objects.all().delete()
    assert len(results) == 1, results


def test_a_conference_of_no_call_of_ours_is_ignored(twilios):
    for name in ("call-99999-1", "somebody's room", "call-1-1; drop", "call-" + "9" * 40 + "-1"):
        twilios.tell_room(name, "participant-join", factories.sid("CA"), label="caller")
    assert not Participant.objects.exists()
