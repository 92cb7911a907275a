"""What a call is doing, in the one word that supervisors read."""

from datetime import timedelta
from typing import Any

import pytest

from calls.access import EVERY
from calls.models import Call, Conference, Leg, Offer, Participant, Voice, Waiting, WrapUp
from calls.selectors import call as one_call
from calls.selectors import phase
from calls.stamp import iso
from tests import factories, people
from tests.calls import centre
from tests.factories import NOON

pytestmark = pytest.mark.django_db


def told_of(call: Call) -> dict[str, Any]:
    """As a fresh look tells it."""
    found = one_call.find(call.pk, EVERY)
    assert found is not None
    return phase.message(found)


def phase_of(call: Call) -> Any:
    return told_of(call)["phase"]


def sitting(call: Call, *, kind: str = Leg.Kind.CALLER, held: bool = False) -> Participant:
    """A leg of the call in its room."""
    name = f"call-{call.pk}-1"
    room, _ = Conference.objects.get_or_create(name=name, defaults={"call": call, "round": 1})
    leg = factories.leg(call, kind=kind)
    return Participant.objects.create(conference=room, leg=leg, joined_at=NOON, held=held)


def test_a_call_that_rings_rings() -> None:
    assert phase_of(factories.call(state="ringing")) == "ringing"


def test_who_waits_is_queued_whether_anything_was_answered_or_not() -> None:
    for state in ("ringing", "live"):
        call = factories.call(state=state)
        Waiting.objects.create(call=call, queue=centre.queue())
        assert phase_of(call) == "queued"
    Waiting.objects.update(left_at=NOON, result="answered")
    assert phase_of(call) == "talking"


def test_it_tells_by_which_voice_and_since_when_by_whom_it_was_answered_and_what_is_wanted() -> None:
    voice = Voice.objects.create(name="Self-service")
    call = factories.call(voice=voice, facts={"reason": "Asked for a person.", "order": "4711", "odd": [1]})
    told = told_of(call)
    assert (told["answered_by"], told["agent_since"]) == ("Self-service", None)
    assert told["facts"] == {"reason": "Asked for a person.", "order": "4711"}
    queue = centre.queue()
    for minutes in (1, 5):
        at = NOON + timedelta(minutes=minutes)
        Offer.objects.create(
            call=call, agent=centre.agent(queue), state="ended", until=at, accepted_at=at, ended_at=at
        )
    assert told_of(call)["agent_since"] == iso(NOON + timedelta(minutes=5))


def test_a_person_on_hold_is_and_an_agent_on_hold_is_not() -> None:
    call = factories.call()
    sitting(call, kind=Leg.Kind.AGENT, held=True)
    assert phase_of(call) == "talking"
    seat = sitting(call, held=True)
    assert phase_of(call) == "hold"
    Participant.objects.filter(pk=seat.pk).update(left_at=NOON)
    assert phase_of(call) == "talking"


def test_a_seat_in_a_room_that_is_over_holds_nobody() -> None:
    call = factories.call()
    sitting(call, held=True)
    Conference.objects.update(ended_at=NOON)
    assert phase_of(call) == "talking"


def test_after_the_call_its_agent_writes_until_they_are_done() -> None:
    call = factories.call(state="ended")
    assert phase_of(call) == "ended"
    written = WrapUp.objects.create(
        call=call, agent=people.agent_jonas(), opened_at=NOON, due_at=NOON + timedelta(seconds=30)
    )
    assert phase_of(call) == "wrapup"
    WrapUp.objects.filter(pk=written.pk).update(closed_at=NOON)
    assert phase_of(call) == "ended"


def test_a_call_names_its_queue_and_its_agent_by_their_keys() -> None:
    queue, jonas = centre.queue(), people.agent_jonas()
    told = told_of(factories.call(queue=queue, agent=jonas))
    assert (told["queue_id"], told["agent_id"], told["agent"]) == (queue.pk, jonas.pk, "Jonas")


def test_a_call_that_an_agent_answered_is_in_a_conference_once_its_caller_is_there() -> None:
    call = factories.call()
    offer = Offer.objects.create(
        call=call, agent=people.agent_jonas(), kind="queue", state="accepted", created_at=NOON, until=NOON
    )
    sitting(call, kind=Leg.Kind.AGENT)
    assert told_of(call)["conference"] is None
    sitting(call)
    assert told_of(call)["conference"] is True
    Conference.objects.update(ended_at=NOON)
    Offer.objects.filter(pk=offer.pk).update(state="ended", ended_at=NOON)
    assert told_of(call)["conference"] is False


def test_a_call_that_went_straight_to_a_telephone_is_in_no_conference() -> None:
    assert told_of(factories.call(answered_at=NOON))["conference"] is False
