"""What a caller meets at a number that a voice answers: its stream, what follows it, and when it is lost."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth.hashers import make_password
from django.db import OperationalError
from django.utils import timezone

from calls import path
from calls.models import Call, Hours, Queue, Ticket, Voice, Waiting
from calls.services import tickets
from calls.services.voices import LOST
from streams.services import streams
from tests import factories, people, twilio
from tests.calls.line import Line, said, tags
from tests.factories import NOON

pytestmark = [pytest.mark.django_db, pytest.mark.urls("contactcenter.urls")]

ONCE, AGAIN = ["Connect", "Redirect"], ["Start", "Enqueue"]


@pytest.fixture
def queue():
    return Queue.objects.create(name="Support")


@pytest.fixture
def voice(queue):
    return Voice.objects.create(name="Self-service", queue=queue)


@pytest.fixture
def number(voice):
    return factories.number(e164="+31201234567", destination="voice", voice=voice)


def call():
    return Call.objects.order_by("-pk")[0]


def plans_to(plan):
    """Somebody has written another plan while the voice spoke."""
    Call.objects.update(plan=plan)


def test_a_voice_answers_over_its_own_stream_and_nothing_else_is_streamed(number, voice):
    document = Line().ring()
    assert tags(document) == ONCE
    [ticket] = Ticket.objects.all()
    assert (ticket.kind, ticket.track, ticket.name, ticket.origin) == (
        "voice",
        "inbound_track",
        "voice",
        "twiml",
    )
    assert f'url="wss://calls.example.com/media/{ticket.nonce}/"' in document
    assert 'statusCallback="https://calls.example.com/twilio/stream-status/"' in document
    assert f'<Parameter name="call" value="{call().pk}" />' in document
    assert 'track="' not in document, "Twilio refuses the word for anything but the inbound track"
    assert call().plan == {"step": "voice", "voice": voice.pk, "at": "", "lost": 0}
    assert (call().voice, call().state, call().dials, call().tap_wanted) == (voice, "live", False, False)


def test_greeting_and_consent_come_first_and_their_time_is_given_to_the_ticket(number):
    number.greeting, number.consent = "Welcome.", "This is written down. " * 8
    number.save()
    document = Line().ring()
    assert tags(document) == ["Say", "Say", *ONCE]
    assert Ticket.objects.get().expires_at > timezone.now() + timedelta(seconds=75)


def test_a_replay_gets_the_same_document_and_no_second_ticket(number):
    line = Line()
    document = line.ring()
    assert line.ring() == document
    after = line.go(document)
    assert line.go(document) == after
    assert Ticket.objects.count() == 2


def test_a_lost_voice_resumes_once_where_it_was(number, voice):
    line = Line()
    document = line.ring()
    plans_to(path.to_voice(voice.pk, at="menu"))
    again = line.go(document)
    assert tags(again) == ONCE
    assert 'name="voice-2"' in again
    assert call().plan == {"step": "voice", "voice": voice.pk, "at": "menu", "lost": 1}
    assert [one.name for one in tickets.live_on(call().legs.get())] == ["voice-2"]


def test_a_voice_that_is_lost_twice_leads_to_its_queue_and_the_tap_begins(number, queue):
    line = Line()
    queued = line.go(line.go(line.ring()))
    assert tags(queued) == AGAIN
    assert (Waiting.objects.get().queue, Waiting.objects.get().reason) == (queue, LOST)
    assert call().tap_wanted
    assert sorted(Ticket.objects.values_list("name", flat=True)) == ["tap", "voice", "voice-2"]


@pytest.mark.parametrize("order", ["the row first", "the turn first"])
def test_a_restart_of_ours_is_not_counted_as_a_loss(number, voice, order):
    line = Line()
    document = line.ring()
    for time in range(3):
        leg = call().legs.get()
        stream = factories.stream(leg, ticket=tickets.live_on(leg)[0])
        if order == "the row first":
            streams.close(sid=stream.sid, reason="drained", now=NOON)
        document = line.go(document)
        if order == "the turn first":
            streams.close(sid=stream.sid, reason="drained", now=NOON)
        assert tags(document) == ONCE, time
        assert call().plan == path.to_voice(voice.pk)
    line.go(document)
    assert call().plan["lost"] == 1, "one that was lost is"


def test_a_restart_after_the_caller_has_gone_on_changes_nothing(number):
    line = Line()
    document = line.ring()
    leg = call().legs.get()
    stream = factories.stream(leg, ticket=tickets.live_on(leg)[0])
    plans_to(path.to_phone("+31201234999"))
    line.go(document)
    streams.close(sid=stream.sid, reason="drained", now=NOON)
    assert call().plan == path.to_phone("+31201234999")


def test_without_a_queue_a_caller_hears_an_apology(number, voice):
    Voice.objects.update(queue=None)
    line = Line()
    last = line.go(line.go(line.ring()))
    assert (tags(last), said(last)) == (["Say", "Hangup"], [path.APOLOGY])


def test_a_voice_that_was_deleted_meanwhile_does_not_come_back(number, voice):
    line = Line()
    document = line.ring()
    voice.delete()
    assert said(line.go(document)) == [path.APOLOGY]
    assert said(Line().ring()) == [path.NOBODY], "nor does it answer the next call"


@pytest.mark.parametrize(
    ("plan", "verbs"),
    [
        (path.to_phone("+31201234999"), ["Start", "Dial"]),
        ({"step": "conference", "name": "call-1-1"}, ["Start", "Dial"]),
        (path.to_voicemail(None), ["Start", "Say", "Record", "Say", "Hangup"]),
        (path.to_end("Goodbye."), ["Say", "Hangup"]),
    ],
)
def test_what_was_decided_while_the_voice_spoke_follows_with_the_tap(number, plan, verbs):
    line = Line()
    document = line.ring()
    plans_to(plan)
    assert tags(line.go(document)) == verbs
    assert [one.name for one in tickets.live_on(call().legs.get())] == ["tap"] * verbs.count("Start")


def test_a_number_that_does_not_stream_gets_no_tap_afterwards(number):
    number.stream = False
    number.save()
    line = Line()
    document = line.ring()
    plans_to(path.to_phone("+31201234999"))
    assert tags(line.go(document)) == ["Dial"]


def test_the_tap_begins_once(number):
    line = Line()
    document = line.ring()
    plans_to(path.to_voicemail(None))
    line.go(document)
    plans_to(path.to_phone("+31201234999"))
    assert tags(line.post("/twilio/next/" + "a" * 32 + "/")) == ["Dial"]


def test_a_leg_that_streams_both_ways_already_goes_to_the_queue(number, monkeypatch):
    line = Line()
    line.ring()
    monkeypatch.setattr("calls.services.tickets.release_voices", lambda **_: 0)
    assert tags(line.post("/twilio/next/" + "b" * 32 + "/")) == ["Enqueue"]


def test_outside_of_the_hours_a_voice_number_is_as_any_other(number):
    number.hours, number.closed = Hours.objects.create(name="Never", time_zone="UTC"), "voicemail"
    number.save()
    assert tags(Line().ring())[:1] == ["Start"]


# -- verification ---------------------------------------------------------------------------------------


@pytest.fixture
def carla(settings):
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    contact = people.carla()
    contact.code = make_password("471108")
    contact.save()
    return contact


@pytest.mark.parametrize(("digits", "at", "verified"), [("471108", "right", "yes"), ("1", "wrong", "no")])
def test_a_voice_that_asked_for_a_code_comes_back_and_is_not_lost(number, voice, carla, digits, at, verified):
    line = Line()
    document = line.ring()
    then = {"voice": voice.pk, "at": "right", "failed": "wrong"}
    plans_to(path.to_verify(by="code", then=then))
    question = line.go(document)
    assert tags(question) == ["Gather"], "no stream hears it"
    answer = line.key(question, Digits=digits)
    if tags(answer) != ONCE:
        answer = line.key(answer, Digits=digits)
    assert tags(answer) == ONCE
    assert call().plan == {"step": "voice", "voice": voice.pk, "at": at, "lost": 0}
    assert call().verified == verified


def test_a_number_may_ask_for_the_code_before_its_voice_and_taps_nothing(number, carla):
    number.verify = "code"
    number.save()
    line = Line()
    first = line.ring()
    assert tags(first) == ["Say", "Redirect"]
    assert tags(line.key(line.go(first), Digits="471108")) == ONCE
    assert call().answered_at is not None


# -- without a database ---------------------------------------------------------------------------------


@pytest.fixture
def away(monkeypatch):
    def refuse(*_, **__):
        raise OperationalError("the database is away")

    def go():
        for name in ("replayed", "_leg"):
            monkeypatch.setattr(f"calls.services.answer.{name}", refuse)

    return go


def test_without_a_database_callers_wait_in_the_queue_of_the_voice(number, queue, away, monkeypatch):
    Line().ring()
    away()
    line = Line()
    document = line.ring()
    assert f">queue-{queue.pk}</Enqueue>" in document
    assert "<Stream" not in document
    monkeypatch.undo()
    line.wait(document)
    assert Waiting.objects.open().get().queue == queue
    assert call().plan == path.to_queue(queue.pk)


def test_without_a_database_and_a_queue_they_hear_an_apology(number, away):
    Voice.objects.update(queue=None)
    Line().ring()
    away()
    assert said(Line().ring()) == [path.APOLOGY]


def test_a_voice_that_ends_while_the_database_is_away_is_asked_for_again(number, away, monkeypatch):
    line = Line()
    document = line.ring()
    away()
    holding = line.go(document)
    assert tags(holding) == ["Pause", "Redirect"]
    monkeypatch.undo()
    assert tags(line.go(holding)) == ONCE


def test_the_fallback_of_a_voices_next_turn_is_that_turn(number):
    line = Line()
    document = line.ring()
    [turn] = re.findall(r"/twilio/next/[0-9a-f]{32}/", document)
    again = line.post("/twilio/fallback/", ErrorCode="11200", ErrorUrl=twilio.PUBLIC_URL + turn)
    assert tags(again) == ONCE
    assert line.go(document) == again
