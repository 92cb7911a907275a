"""Callers who prove who they are before they are routed, and what is kept of it: the result alone."""

import itertools
import json
import logging
import uuid
from datetime import date, timedelta

import pytest
from django.contrib.auth.hashers import make_password
from django.core import serializers
from django.utils import timezone

from calls import models, path
from calls.models import Call, Event, Leg, Queue, Ticket, Waiting
from calls.selectors import taps as lost_taps
from calls.services import taps, tickets
from tests import factories, people
from tests.calls import rest as twilio_rest
from tests.calls.line import Line, said, tags

pytestmark = [pytest.mark.django_db, pytest.mark.urls("contactcenter.urls")]

CODE = "471108"
BORN = date(1980, 5, 3)


@pytest.fixture(autouse=True)
def fast_hashes(settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def number():
    queue = Queue.objects.create(name="Support")
    return factories.number(e164="+31201234567", destination="queue", queue=queue, verify="code")


@pytest.fixture
def carla():
    contact = people.carla()
    contact.code, contact.born_on = make_password(CODE), BORN
    contact.save()
    return contact


def to_birth(number):
    number.verify = "birth"
    number.save()


def asked(line):
    """The caller has rung and hears the question."""
    return line.go(line.ring())


def call():
    return Call.objects.order_by("-pk")[0]


def test_the_stream_runs_until_the_question_and_again_after_the_answer(number, carla):
    line = Line()
    first = line.ring()
    assert tags(first) == ["Start", "Say", "Redirect"]
    assert said(first) == [path.VERIFY_FIRST]
    assert tickets.spend(nonce=Ticket.objects.get().nonce, now=timezone.now())
    question = line.go(first)
    assert tags(question) == ["Stop", "Gather"]
    assert '<Stop><Stream name="tap" /></Stop>' in question
    after = line.key(question, Digits=CODE)
    assert tags(after) == ["Start", "Enqueue"]
    assert '<Stream name="tap-2"' in after
    old, new = Ticket.objects.order_by("pk")
    assert (new.reopens, new.parameters, new.track) == (old, old.parameters, old.track)
    assert (call().verified, Waiting.objects.open().count()) == ("yes", 1)
    assert [(event.noun, event.facts) for event in Event.objects.filter(kind="call.verified")] == [
        ("call", {"result": "yes"})
    ]


@pytest.mark.parametrize(
    ("answer", "result"),
    [
        ({"Digits": CODE}, "yes"),
        ({"Digits": "*" + CODE}, "yes"),
        ({"SpeechResult": "four seven double one zero eight"}, "yes"),
        ({"SpeechResult": "It is 4 7 1 1 0 8."}, "yes"),
        ({"Digits": "471109"}, "no"),
        ({"Digits": "", "SpeechResult": "four"}, "no"),
        ({"SpeechResult": "let me in\x00\u202e" + "x" * 3000}, "no"),
        ({"Digits": "*#"}, "no"),
        ({}, "skipped"),
        ({"Digits": ""}, "skipped"),
    ],
)
def test_a_code_is_keyed_or_said_and_asked_for_twice(number, carla, answer, result):
    line = Line()
    question = asked(line)
    second = line.key(question, **answer)
    if result != "yes":
        assert tags(second) == ["Say", "Gather"]
        assert Waiting.objects.count() == 0
        second = line.key(second, **answer)
    assert "Enqueue" in tags(second)
    assert call().verified == result


@pytest.mark.parametrize(
    ("answer", "result"),
    [
        ({"Digits": "03051980"}, "yes"),
        ({"SpeechResult": "3rd of May 1980"}, "yes"),
        ({"SpeechResult": "the third of May nineteen eighty"}, "yes"),
        ({"SpeechResult": "0 3 0 5 1 9 8 0"}, "yes"),
        ({"Digits": "05031980"}, "no"),
        ({"SpeechResult": "the third of May eighty"}, "no"),
    ],
)
def test_a_date_of_birth_is_keyed_or_said(number, carla, answer, result):
    to_birth(number)
    line = Line()
    document = line.key(asked(line), **answer)
    if result == "no":
        document = line.key(document, **answer)
    assert call().verified == result


def test_right_at_the_second_try_is_right_and_wrong_then_silent_is_wrong(number, carla):
    line = Line()
    line.key(line.key(asked(line)), Digits=CODE)
    assert call().verified == "yes"
    other = Line()
    other.key(other.key(asked(other), Digits="1"))
    assert call().verified == "no"


@pytest.mark.parametrize("caller", ["+31699999999", "anonymous"])
def test_who_has_nothing_to_be_compared_with_is_not_asked(number, carla, caller):
    assert tags(Line(caller=caller).ring()) == ["Start", "Enqueue"]
    assert call().verified == "unknown"


def test_a_contact_without_a_date_of_birth_is_not_asked_for_it(number):
    to_birth(number)
    people.carla()
    assert "Gather" not in Line().ring()
    assert call().verified == "unknown"


def test_a_number_that_does_not_stream_has_nothing_to_stop(number, carla):
    number.stream = False
    number.save()
    line = Line()
    question = asked(line)
    assert tags(question) == ["Gather"]
    assert tags(line.key(question, Digits=CODE)) == ["Enqueue"]


def test_guessing_ends(number, carla):
    for _ in range(5):
        factories.call(contact=carla, wrong_answers=2)
    line = Line()
    line.key(line.key(asked(line), Digits=CODE), Digits=CODE)
    assert call().verified == "no"


def test_each_wrong_answer_counts_and_a_silent_one_does_not(number, carla):
    line = Line()
    line.key(line.key(asked(line), Digits="1"))
    assert call().wrong_answers == 1


def test_a_call_that_goes_on_for_hours_is_not_forgotten(number, carla):
    factories.call(contact=carla, wrong_answers=10, started_at=timezone.now() - timedelta(hours=5))
    line = Line()
    line.key(line.key(asked(line), Digits=CODE), Digits=CODE)
    assert call().verified == "no"
    Call.objects.filter(wrong_answers=10).update(state="ended", ended_at=timezone.now())
    line = Line()
    line.key(asked(line), Digits=CODE)
    assert call().verified == "yes", "an ended one is"


# -- nothing is heard meanwhile -----------------------------------------------------------------------


def test_no_stream_can_be_opened_while_the_code_is_given(number, carla):
    """Not by the worker, not by a person, not by a socket that was on its way."""
    line = Line()
    first = line.ring()
    on_its_way = Ticket.objects.get()
    line.go(first)
    leg, now = Leg.objects.get(), timezone.now()
    assert tickets.spend(nonce=on_its_way.nonce, now=now) is None
    for seconds in (0, 3, 120):
        assert lost_taps.lost(now=now + timedelta(seconds=seconds)) == []
    with twilio_rest.rest() as rest:
        assert taps.reopen_lost(now=now + timedelta(seconds=60)) == 0
        command = taps.start(leg=leg, by=people.mina(), command_id=uuid.uuid4(), now=now)
        assert (command.state, command.code) == ("failed", "verifying")
        assert command.text
        assert rest.asked == []


def test_a_stream_that_was_stopped_for_the_code_is_not_lost_afterwards(number, carla):
    line = Line()
    first = line.ring()
    old = Ticket.objects.get()
    tickets.spend(nonce=old.nonce, now=timezone.now())
    factories.stream(ticket=old, close_reason="stop", closed_at=timezone.now())
    line.key(line.go(first), Digits=CODE)
    new = Ticket.objects.get(reopens=old)
    tickets.spend(nonce=new.nonce, now=timezone.now())
    assert lost_taps.lost(now=timezone.now() + timedelta(seconds=30)) == []


def test_every_stream_of_the_leg_stops_and_comes_back(number, carla):
    line = Line()
    first = line.ring()
    extra = factories.ticket(Leg.objects.get(), name="assist", track="inbound_track", asked_by=people.mina())
    question = line.go(first)
    assert question.count("<Stop>") == 2
    assert 'name="assist"' in question
    after = line.key(question, Digits=CODE)
    assert after.count("<Start>") == 2
    assert Ticket.objects.get(reopens=extra).track == "inbound_track"


def test_a_stream_that_nobody_wants_any_more_stays_closed(number, carla):
    line = Line()
    question = asked(line)
    Call.objects.update(tap_wanted=False)
    assert tags(line.key(question, Digits=CODE)) == ["Enqueue"]


@pytest.mark.parametrize(
    "answer", [{"Digits": CODE}, {"SpeechResult": "four seven one one oh eight"}, {"Digits": "999888"}]
)
def test_what_was_given_is_written_nowhere(number, carla, answer, caplog):
    caplog.set_level(logging.DEBUG)
    line = Line()
    document = line.key(asked(line), **answer)
    if "Gather" in tags(document):
        line.key(document, **answer)
    rows = [row for model in models.__dict__.values() if isinstance(model, type) and hasattr(model, "objects")
            for row in model.objects.all()]  # fmt: skip
    kept = json.dumps(json.loads(serializers.serialize("json", rows)))
    for secret in answer.values():
        assert secret not in kept
        assert secret not in caplog.text
    assert len(rows) > 10


# -- repeats ------------------------------------------------------------------------------------------


def test_a_repeated_answer_is_one_try(number, carla):
    line = Line()
    question = asked(line)
    second = line.key(question, Digits="1")
    assert line.key(question, Digits=CODE) == second
    assert call().plan["tries"] == 1
    done = line.key(second, Digits=CODE)
    assert line.key(second, Digits="1") == done
    assert (call().verified, Ticket.objects.count(), Waiting.objects.count()) == ("yes", 2, 1)


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_late_repeats_of_the_steps_in_any_order_give_the_same_rows(number, carla, order):
    line = Line()
    first = line.ring()
    question = line.go(first)
    line.key(question, Digits=CODE)
    again = [line.ring, lambda: line.go(first), lambda: line.key(question, Digits=CODE)]
    for index in order:
        again[index]()
    assert (call().verified, Ticket.objects.count(), Waiting.objects.count()) == ("yes", 2, 1)
    assert Event.objects.filter(kind="call.verified").count() == 1


def test_a_late_question_by_the_fallback_goes_on(number, carla):
    """The caller is in the queue already when Twilio asks the fallback for an old answer."""
    line = Line()
    question = asked(line)
    line.key(question, Digits=CODE)
    stale = line.post("/twilio/gather/" + "0" * 32 + "/", Digits="5")
    assert CODE not in stale
    assert Waiting.objects.open().count() == 1
