"""Presence that is true: one desk, its beats, its phone, and what an agent chose."""

from datetime import timedelta

import pytest

from calls.events import newest_id
from calls.models import Agent, Event, Offer, WrapUp
from calls.refusal import Refused
from calls.selectors.agents import free, state_of
from calls.services import agents, legs, wrapup
from tests import factories, people
from tests.calls import centre
from tests.factories import NOON

pytestmark = pytest.mark.django_db
HERE, THERE = "a-tab", "another-tab"


def after(seconds):
    return NOON + timedelta(seconds=seconds)


@pytest.fixture
def jonas():
    return people.agent_jonas()


@pytest.fixture
def seated(jonas):
    """At the desk, the phone registered, Ready."""
    agents.sit(agent_id=jonas.pk, desk=HERE, take=False, now=NOON)
    agents.set_phone(agent=jonas, kind="browser", ok=True, now=NOON)
    agents.set_status(agent=jonas, status="ready", now=NOON)
    return Agent.objects.get(pk=jonas.pk)


@pytest.fixture
def caller_leg():
    """A call to a line that rings an agent's telephone straight."""
    call = factories.call(started_at=NOON)
    return factories.leg(call, started_at=NOON)


def rings_straight(leg, agent, status="in-progress", at=NOON, sid="CA" + "d" * 32):
    Agent.objects.filter(pk=agent.pk).update(e164="+31201234999")
    legs.apply(sid=sid, status=status, at=at, parent_sid=leg.sid, to="+31201234999")


def test_who_talks_on_a_line_that_rang_them_straight_is_on_a_call_and_not_free(seated, caller_leg):
    rings_straight(caller_leg, seated, "ringing", after(1))
    assert (state_of(seated, now=after(2)).state, free(now=after(2))) == ("ringing", [])
    rings_straight(caller_leg, seated, "in-progress", after(3))
    found = state_of(seated, now=after(4))
    assert (found.state, found.since, found.call) == ("on_call", after(3), caller_leg.call_id)
    assert free(now=after(4)) == []


def test_the_end_of_such_a_call_is_told_and_its_agent_is_ready_since_then(seated, caller_leg):
    rings_straight(caller_leg, seated, at=after(3))
    start = newest_id()
    rings_straight(caller_leg, seated, "completed", after(9))
    assert told_since(start) == ["agent.idle"]
    seated.refresh_from_db()
    found = state_of(seated, now=after(10))
    assert (found.state, found.since) == ("ready", after(9))
    assert free(now=after(10)) == [seated]


def test_ready_counts_from_the_end_of_the_last_call_not_from_the_morning(seated):
    call = factories.call(state="ended")
    row = WrapUp.objects.create(call=call, agent=seated, opened_at=after(5), due_at=after(60))
    wrapup.close(wrapup=row, outcome="", now=after(15))
    seated.refresh_from_db()
    assert state_of(seated, now=after(16)).since == after(15)


def test_a_closed_laptop_is_away_within_thirty_seconds(seated):
    agents.beat(agent_id=seated.pk, desk=HERE, now=after(5))
    assert agents.notice_absent(now=after(24)) == 0
    assert agents.notice_absent(now=after(26)) == 1
    seated.refresh_from_db()
    assert (seated.status, seated.reason) == ("away", "connection")


def test_beats_keep_the_agent_ready(seated):
    for second in range(0, 120, 5):
        assert agents.beat(agent_id=seated.pk, desk=HERE, now=after(second))
        agents.notice_absent(now=after(second))
    seated.refresh_from_db()
    assert seated.status == "ready"


def test_a_page_loaded_again_is_back_in_time_and_one_that_is_closed_is_not(seated):
    agents.stand_up(agent_id=seated.pk, desk=HERE, now=after(1))
    assert agents.notice_absent(now=after(5)) == 0
    assert agents.notice_absent(now=after(10)) == 1


def told_since(start):
    """The kinds of events of agents."""
    return list(
        Event.objects.filter(id__gt=start, noun="agent").order_by("id").values_list("kind", flat=True)
    )


def test_a_ready_agent_whose_desk_died_is_told_of_once(seated):
    start = newest_id()
    assert [agents.notice_absent(now=after(seconds)) for seconds in (26, 27, 60)] == [1, 0, 0]
    assert told_since(start) == ["agent.away"]


@pytest.mark.parametrize("status", ["away", "offline"])
def test_a_desk_that_dies_is_told_of_once_whatever_its_agent_had_chosen(seated, status):
    agents.set_status(agent=seated, status=status, reason="lunch", now=after(1))
    start = newest_id()
    assert [agents.notice_absent(now=after(seconds)) for seconds in (19, 20, 21, 60)] == [0, 1, 0, 0]
    assert told_since(start) == ["agent.absent"]
    seated.refresh_from_db()
    assert (seated.status, seated.reason, seated.desk) == (status, "lunch", HERE), "their choice stays"
    assert state_of(seated, now=after(60)).since == after(20), "offline since the desk died"


def test_a_desk_that_closes_during_the_wrap_up_is_told_of(seated):
    agents.set_status(agent=seated, status="away", now=after(1))
    call = factories.call(state="ended")
    WrapUp.objects.create(call=call, agent=seated, opened_at=NOON, due_at=after(60))
    assert (state_of(seated, now=after(2)).state, state_of(seated, now=after(2)).call) == ("wrapup", call.pk)
    agents.stand_up(agent_id=seated.pk, desk=HERE, now=after(2))
    start = newest_id()
    assert agents.notice_absent(now=after(11)) == 1
    assert told_since(start) == ["agent.absent"]
    assert state_of(seated, now=after(25)).state == "offline"


def test_a_desk_that_beats_again_is_told_of_and_one_that_goes_on_beating_is_not(seated):
    agents.set_status(agent=seated, status="away", now=after(1))
    start = newest_id()
    for second in range(5, 60, 5):
        assert agents.beat(agent_id=seated.pk, desk=HERE, now=after(second))
    assert told_since(start) == []
    agents.notice_absent(now=after(90))
    assert agents.beat(agent_id=seated.pk, desk=HERE, now=after(91))
    assert told_since(start) == ["agent.absent", "agent.seated"]
    assert [agents.notice_absent(now=after(seconds)) for seconds in (95, 115)] == [0, 1], "and dies again"
    assert told_since(start) == ["agent.absent", "agent.seated", "agent.absent"]


def test_an_agent_who_was_never_there_is_not_told_of(jonas):
    start = newest_id()
    assert agents.notice_absent(now=NOON) == 0
    assert told_since(start) == []


def test_of_very_many_desks_that_die_at_once_the_next_look_takes_the_rest(monkeypatch):
    monkeypatch.setattr(agents, "_AT_ONCE", 3)
    for _ in range(4):
        centre.agent(present_until=after(5))
    assert [agents.notice_absent(now=after(6)) for _ in range(3)] == [3, 1, 0]


def test_a_second_tab_is_told_and_may_take_over(seated):
    assert not agents.sit(agent_id=seated.pk, desk=THERE, take=False, now=after(1))
    assert agents.sit(agent_id=seated.pk, desk=THERE, take=True, now=after(1))
    assert not agents.beat(agent_id=seated.pk, desk=HERE, now=after(2)), "the first tab has lost the seat"
    agents.stand_up(agent_id=seated.pk, desk=HERE, now=after(3))
    seated.refresh_from_db()
    assert seated.present_until == after(21), "its closing changes nothing any more"
    assert not seated.phone_ok, "the new tab's phone has to register first"


def test_a_seat_that_nobody_sits_on_is_free(seated):
    assert agents.sit(agent_id=seated.pk, desk=THERE, take=False, now=after(21))


def test_nobody_is_ready_without_a_desk_or_a_phone(jonas):
    with pytest.raises(Refused, match="desk is not connected"):
        agents.set_status(agent=jonas, status="ready", now=NOON)
    agents.sit(agent_id=jonas.pk, desk=HERE, take=False, now=NOON)
    with pytest.raises(Refused, match="phone is not connected"):
        agents.set_status(agent=jonas, status="ready", now=NOON)
    agents.set_phone(agent=jonas, kind="telephone", ok=False, now=NOON)
    agents.set_status(agent=jonas, status="ready", now=NOON)


def test_a_telephone_needs_a_number_and_no_phone_is_changed_during_a_call(seated):
    Offer.objects.create(
        call=factories.call(), agent=seated, state="accepted", accepted_at=NOON, until=after(20)
    )
    with pytest.raises(Refused, match="after this call"):
        agents.set_phone(agent=seated, kind="telephone", ok=True, now=NOON)
    numberless = centre.agent()
    with pytest.raises(Refused, match="No telephone number"):
        agents.set_phone(agent=numberless, kind="telephone", ok=True, now=NOON)


@pytest.mark.parametrize("status", ["", "busy", "READY", "x" * 1000])
def test_only_three_words_are_a_status(seated, status):
    with pytest.raises(Refused):
        agents.set_status(agent=seated, status=status, now=NOON)


def test_what_an_agent_is_doing_in_one_word(seated):
    assert state_of(seated, now=after(1)).state == "ready"
    assert [agent.pk for agent in free(now=after(1))] == [seated.pk]
    offer = Offer.objects.create(call=factories.call(), agent=seated, until=after(20))
    assert state_of(seated, now=after(1)).state == "ringing"
    assert free(now=after(1)) == []
    Offer.objects.filter(pk=offer.pk).update(state="accepted", accepted_at=after(1))
    assert state_of(seated, now=after(60)).state == "on_call", "whatever the page does"
    Offer.objects.filter(pk=offer.pk).update(state="ended", ended_at=after(61))
    assert state_of(seated, now=after(62)).state == "offline"
