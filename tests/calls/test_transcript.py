"""Final lines become rows once, with their speaker and their event."""

from datetime import timedelta

import pytest

from calls.events import change
from calls.models import Conference, Event, Participant, Utterance
from calls.services import transcript
from calls.services.transcript import Line
from tests import factories
from tests.factories import NOON

pytestmark = pytest.mark.django_db

STREAM = "MZ" + "2" * 32


@pytest.fixture
def call():
    call = factories.call(started_at=NOON, dials=True)
    factories.leg(call)
    return call


def line(call, **more):
    fields = {
        "call_id": call.pk,
        "stream_sid": STREAM,
        "track": "inbound",
        "number": 1,
        "start_ms": 1000,
        "end_ms": 2500,
        "text": "good morning",
        "confidence": 0.9,
        "words": [["good", 1000, 1200], ["morning", 1200, 2500]],
    }
    return Line(**{**fields, **more})


def joins(call, seconds, **more):
    """Somebody who was dialled answers."""
    first = call.legs.get(parent=None)
    return factories.leg(
        call, kind="agent", parent=first, answered_at=NOON + timedelta(seconds=seconds), **more
    )


def test_a_line_is_stored_and_told_in_one(call):
    assert transcript.add(lines=[line(call)]) == 1
    row = Utterance.objects.get()
    assert row.as_message() == {
        "utterance": f"{STREAM}/inbound/1",
        "call": call.pk,
        "stream": STREAM,
        "track": "inbound",
        "speaker": "caller",
        "start_ms": 1000,
        "end_ms": 2500,
        "text": "good morning",
        "confidence": 0.9,
    }
    event = Event.objects.get()
    assert (event.noun, event.key, event.call_id) == ("utterance", f"{STREAM}/inbound/1", call.pk)
    assert "morning" not in str(Event.objects.values())


def test_a_second_reading_is_harmless(call):
    lines = [line(call), line(call, number=2, text="hello"), line(call, number=2, text="hello")]
    assert transcript.add(lines=lines) == 2
    assert transcript.add(lines=lines) == 0
    assert (Utterance.objects.count(), Event.objects.count()) == (2, 2)


def test_the_same_number_on_the_other_track_is_another_line(call):
    assert transcript.add(lines=[line(call), line(call, track="outbound")]) == 2


def test_it_works_inside_a_change_of_others(call):
    with change() as told:
        assert transcript.add(lines=[line(call)], into=told) == 1
        assert Event.objects.count() == 0  # ids come last
    assert Event.objects.count() == 1


def test_many_lines_take_few_queries(call, django_assert_max_num_queries):
    lines = [line(call, number=number) for number in range(1, 101)]
    with django_assert_max_num_queries(12):
        assert transcript.add(lines=lines) == 100


def test_a_line_of_a_call_that_is_gone_is_dropped_with_one_line_of_log(call, caplog):
    gone = line(call, call_id=call.pk + 1000, number=7)
    assert transcript.add(lines=[line(call), gone]) == 1
    assert caplog.messages == ["words.call.gone"]


def speakers(call, **more):
    transcript.add(lines=[line(call, **more)])
    return Utterance.objects.get().speaker


def test_before_anybody_answered_the_other_side_is_no_speaker(call):
    assert speakers(call, track="outbound") == "other"


def test_what_was_said_before_the_agent_joined_is_no_agents_word(call):
    joins(call, 30)
    assert speakers(call, track="outbound", start_ms=1000, end_ms=2500) == "other"


def test_after_an_answer_the_other_side_is_the_agent(call):
    joins(call, 30)
    assert speakers(call, track="outbound", start_ms=40_000, end_ms=42_000) == "agent"


def test_a_callback_of_whole_seconds_does_not_hide_the_first_words(call):
    joins(call, 30)
    assert speakers(call, track="outbound", start_ms=29_100, end_ms=29_600) == "agent"


@pytest.mark.parametrize(("track", "speaker"), [("inbound", "agent"), ("outbound", "caller")])
def test_on_an_agents_leg_the_tracks_are_the_other_way_round(call, track, speaker):
    joins(call, 1)
    assert speakers(call, track=track, leg_kind="agent") == speaker


def test_words_are_cleaned_and_times_are_never_negative(call):
    transcript.add(lines=[line(call, text="a\x00b\u202ec\nd\ud800", start_ms=-40, end_ms=-80)])
    row = Utterance.objects.get()
    assert (row.text, row.start_ms, row.end_ms) == ("abc d\ufffd", 0, 0)


@pytest.mark.parametrize(("start", "end", "speaker"), [(26_800, 29_900, "other"), (29_800, 32_000, "agent")])
def test_a_prompt_of_the_queue_cut_off_by_the_conference_is_not_the_agent(call, start, end, speaker):
    """The agent answers at 28 s, the caller comes into the conference at 30 s."""
    call.rounds = 1
    call.save()
    factories.leg(call, kind="agent", answered_at=NOON + timedelta(seconds=28))
    room = Conference.objects.create(call=call, name=f"call-{call.pk}-1", round=1)
    caller = call.legs.get(kind="caller")
    Participant.objects.create(conference=room, leg=caller, joined_at=NOON + timedelta(seconds=30))
    assert speakers(call, track="outbound", start_ms=start, end_ms=end) == speaker
