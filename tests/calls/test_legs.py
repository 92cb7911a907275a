"""Twilio's statuses become the same rows in any order, and adopted calls are completed."""

import random
from datetime import timedelta

import pytest
from django.db import transaction

from calls.models import Call, Event, Leg, Ticket
from calls.services import legs, tickets
from tests import factories, people, twilio
from tests.factories import NOON

pytestmark = pytest.mark.django_db

PARENT = twilio.CALL_SID
CHILD = "CA" + "5" * 32


def after(seconds):
    return NOON + timedelta(seconds=seconds)


def child(status, sequence, seconds):
    return {
        "sid": CHILD,
        "status": status,
        "sequence": sequence,
        "at": after(seconds),
        "parent_sid": PARENT,
        "to": "client:agent_jonas",
    }


EVENTS = [
    child("initiated", 0, 1),
    child("ringing", 1, 2),
    child("in-progress", 2, 5),
    child("completed", 3, 65),
    {"sid": PARENT, "status": "in-progress", "sequence": None, "at": after(5)},
    {"sid": PARENT, "status": "completed", "sequence": 0, "at": after(66)},
]


def begin():
    """A ringing call whose document dials."""
    Call.objects.all().delete()
    Event.objects.all().delete()
    call = factories.call(state="ringing", dials=True, started_at=NOON)
    factories.leg(call, sid=PARENT, status="ringing", started_at=NOON)
    return call


def rows(call):
    """What is left in the end, without ids."""
    call.refresh_from_db()
    told = [
        (leg.sid, leg.kind, leg.status, leg.sequence, leg.started_at, leg.answered_at, leg.ended_at)
        for leg in call.legs.order_by("sid")
    ]
    return call.state, call.outcome, call.agent, call.answered_at, call.ended_at, told


def play(events):
    call = begin()
    for event in events:
        legs.apply(**event, now=after(100))
    return rows(call)


@pytest.fixture
def agent():
    return people.agent_jonas()


def test_every_order_of_six_callbacks_gives_the_same_rows(agent):
    expected = play(EVENTS)
    assert expected[:5] == ("ended", "answered", agent, after(5), after(66))
    results = list(every_order(begin(), EVENTS))
    assert len(results) == 720
    assert all(result == expected for result in results)


def every_order(call, left):
    """The rows after each order of these events; orders that begin alike share their beginning."""
    if not left:
        yield rows(call)
    for event in left:
        point = transaction.savepoint()
        legs.apply(**event, now=after(100))
        yield from every_order(call, [other for other in left if other is not event])
        transaction.savepoint_rollback(point)


def test_repeats_in_any_order_change_nothing(agent):
    expected = play(EVENTS)
    seed = random.Random(7)
    for _ in range(60):
        events = [event for event in EVENTS for _ in range(seed.randint(1, 4))]
        seed.shuffle(events)
        assert play(events) == expected


def test_each_callback_may_be_missing_and_the_call_still_ends(agent):
    for missing in EVENTS[:5]:
        state, outcome, *_ = play([event for event in EVENTS if event is not missing])
        assert (state, outcome) == ("ended", "answered")


def test_a_repeat_tells_nobody_anything(agent):
    play(EVENTS)
    before = Event.objects.count()
    for event in EVENTS:
        legs.apply(**event, now=after(100))
    assert Event.objects.count() == before


def test_events_name_what_happened():
    play(EVENTS)
    kinds = list(Event.objects.values_list("kind", flat=True))
    assert kinds == ["call.live", "call.ended"]


def test_a_dialled_telephone_is_an_outside_leg_unless_it_is_an_agents(agent):
    begin()
    outside = legs.apply(**{**EVENTS[0], "to": "+31209999999"}, now=after(1))
    assert outside is not None
    assert (outside.kind, outside.agent) == ("outside", None)
    theirs = legs.apply(**{**EVENTS[0], "sid": "CA" + "6" * 32, "to": agent.e164}, now=after(1))
    assert theirs is not None
    assert (theirs.kind, theirs.agent) == ("agent", agent)


def test_nobody_answers():
    call = begin()
    legs.apply(**child("no-answer", 2, 30), now=after(31))
    legs.apply(sid=PARENT, status="completed", at=after(32), now=after(32))
    call.refresh_from_db()
    assert (call.state, call.outcome, call.answered_at) == ("ended", "missed", None)


def test_a_status_from_the_future_is_taken_as_now():
    call = begin()
    legs.apply(sid=PARENT, status="completed", at=after(900), now=after(10))
    call.refresh_from_db()
    assert call.ended_at == after(10)


def test_a_callback_of_whole_seconds_is_not_before_the_call():
    call = begin()
    Call.objects.update(started_at=NOON + timedelta(milliseconds=700))
    legs.apply(**child("in-progress", 1, 0), now=after(1))
    call.refresh_from_db()
    assert call.answered_at == call.started_at


def test_unknown_legs_and_words_are_logged_and_ignored(caplog):
    begin()
    assert legs.apply(sid="CA" + "0" * 32, status="ringing", at=NOON) is None
    assert legs.apply(sid=PARENT, status="teleported", at=NOON) is None
    assert caplog.messages == ["twilio.status.ignored"] * 2


def test_the_end_of_a_call_revokes_tickets_that_were_not_used():
    call = begin()
    ticket = tickets.issue(leg=call.legs.get(), origin="rest", now=NOON)
    legs.apply(sid=PARENT, status="completed", at=after(3), now=after(3))
    assert tickets.spend(nonce=ticket.nonce, now=after(4)) is None
    assert Ticket.objects.get().released_at == after(3)


def test_a_call_streamed_by_others_is_adopted_once():
    number = factories.number()
    first = legs.adopt(call_sid=PARENT, account_sid=twilio.ACCOUNT_SID, number=number, now=NOON)
    again = legs.adopt(call_sid=PARENT, account_sid=twilio.ACCOUNT_SID, number=number, now=after(1))
    assert first == again
    call = Call.objects.get()
    assert (call.state, call.number, call.direction) == ("live", number, "")
    assert [leg.sid for leg in legs.unasked(now=after(1))] == [PARENT]
    assert Leg.objects.count() == 1
