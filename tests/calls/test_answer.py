"""What a caller meets, as the service decides it."""

import re
from datetime import timedelta

import pytest

from calls.models import Call, Event, Ticket, Waiting
from calls.services import answer, legs, tickets
from tests import factories, people, twilio
from tests.factories import NOON

pytestmark = pytest.mark.django_db

TO = "+31201234567"


def fields(**more):
    return twilio.voice_fields(**more)


def first(**more):
    return answer.first(fields(**more), now=NOON)


def test_a_call_is_written_with_its_tap_its_answer_and_one_event():
    number = factories.number(e164=TO, region="ie1", transcribe=False)
    first(CallerName="VISSER C")
    call = Call.objects.get()
    assert (call.number, call.region, call.state, call.dials) == (number, "ie1", "ringing", True)
    assert (call.caller_name, call.words_wanted, call.tap_wanted) == ("VISSER C", False, True)
    ticket = Ticket.objects.get()
    assert (ticket.leg.sid, ticket.track, ticket.name, ticket.origin) == (
        twilio.CALL_SID,
        "both_tracks",
        "tap",
        "twiml",
    )
    assert [(event.kind, event.noun, event.key) for event in Event.objects.all()] == [
        ("call.started", "call", str(call.pk))
    ]


def test_a_known_caller_is_named():
    factories.number(e164=TO)
    contact = people.carla()
    first()
    assert Call.objects.get().contact == contact


def test_for_one_agent_the_caller_waits_like_in_a_queue():
    jonas = people.agent_jonas()
    factories.number(e164=TO, destination="agent", agent=jonas)
    assert f">agent-{jonas.pk}</Enqueue>" in first()
    assert (Waiting.objects.get().agent, Call.objects.get().plan) == (
        jonas,
        {"step": "agent", "agent": jonas.pk},
    )


def test_without_an_agent_the_caller_gets_an_apology_and_is_still_streamed():
    factories.number(e164=TO, destination="agent", agent=None)
    document = first()
    assert "nobody can take your call" in document
    assert "<Stream" in document


def test_a_number_that_does_not_stream_only_dials():
    factories.number(e164=TO, stream=False)
    document = first()
    assert "<Start" not in document
    assert "<Dial" in document
    assert Ticket.objects.count() == 0
    assert not Call.objects.get().tap_wanted


def test_the_consent_text_comes_before_the_stream_and_its_time_is_given_to_the_ticket():
    consent = "This call is recorded and written down. " * 4
    factories.number(e164=TO, consent=consent, record=True)
    document = first()
    assert document.index("<Say ") < document.index("<Start>") < document.index("<Dial")
    assert Call.objects.get().record_allowed
    ticket = Ticket.objects.get()
    assert ticket.expires_at >= NOON + timedelta(seconds=75)


def test_without_a_consent_text_nothing_may_be_recorded():
    factories.number(e164=TO, record=True, consent="  ")
    first()
    assert not Call.objects.get().record_allowed
    assert Ticket.objects.get().expires_at == NOON + timedelta(seconds=60)


def test_a_stream_only_call_is_live_and_lives_as_long_as_its_stream():
    factories.number(e164=TO, destination="tap")
    document = first()
    call = Call.objects.get()
    assert (call.state, call.outcome) == ("live", "answered")
    assert "<Dial" not in document
    turn = turn_of(document)
    second = answer.next_turn(turn, fields(CallStatus="in-progress"), now=NOON)
    assert "<Pause" in second
    assert turn_of(second) != turn
    tickets.release(ticket_id=Ticket.objects.get().pk, now=NOON)
    third = answer.next_turn(turn_of(second), fields(CallStatus="in-progress"), now=NOON)
    assert third.endswith("<Response><Hangup /></Response>")


def turn_of(document):
    [turn] = re.findall(r"/twilio/next/([0-9a-f]{32})/", document)
    return turn


def test_every_answer_names_a_turn_of_its_own():
    factories.number(e164=TO)
    assert turn_of(first()) != turn_of(first(CallSid=factories.sid("CA")))


def test_a_call_that_was_adopted_before_is_completed_not_doubled():
    number = factories.number(e164=TO)
    legs.adopt(call_sid=twilio.CALL_SID, account_sid=twilio.ACCOUNT_SID, number=number, now=NOON)
    first()
    call = Call.objects.get()
    assert (call.caller, call.direction) == ("+31612345678", "inbound")


@pytest.mark.parametrize("called", ["To", "Called"])
def test_the_number_is_found_by_to_or_called(called):
    factories.number(e164=TO)
    given = {**fields(), "To": "", "Called": "", called: TO}
    assert "<Dial" in answer.first(given, now=NOON)
