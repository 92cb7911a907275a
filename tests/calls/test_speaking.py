"""A voice's lines and turns in the rows of a call, as pages get them."""

import pytest

from calls import path
from calls.access import EVERY
from calls.models import Call, Event, Turn, Utterance, Voice
from calls.selectors import call as call_page
from calls.selectors import feed, voices
from calls.services import speaking
from calls.services.speaking import Answered
from calls.services.transcript import Line
from tests import factories

pytestmark = pytest.mark.django_db
SID = "MZ" + "7" * 32


@pytest.fixture
def call():
    return factories.call()


def line(call, number=1, **more):
    return Line(call.pk, SID, "outbound", number, 1000, 2500, "Good morning.", **more)


def turn(call, number=1, gap_ms=700, **more):
    return Answered(call.pk, SID, number, 4000 * number, gap_ms, **more)


def test_what_a_voice_was_heard_to_say_is_a_line_of_the_voice_once(call):
    assert speaking.said(lines=[line(call)]) == 1
    assert speaking.said(lines=[line(call)]) == 0
    row = Utterance.objects.get()
    assert (row.speaker, row.track, row.text, row.start_ms) == ("voice", "outbound", "Good morning.", 1000)
    [told] = feed.after(0, limit=9).messages
    assert (told.noun, '"speaker":"voice"' in told.body) == ("utterance", True)


def test_nothing_is_written_down_where_nobody_wants_the_words(call):
    Call.objects.update(words_wanted=False)
    assert speaking.said(lines=[line(call)]) == 0
    assert Utterance.objects.count() == 0


def test_turns_are_stored_and_told_once(call):
    assert speaking.turned(turns=[turn(call), turn(call, 2, 900), turn(call)]) == 2
    assert speaking.turned(turns=[turn(call, 2, 100)]) == 0
    assert list(Turn.objects.values_list("number", "gap_ms")) == [(1, 700), (2, 900)]
    assert [(event.kind, event.noun, event.key) for event in Event.objects.all()] == [
        ("turn.spoken", "turn", f"{SID}/1"),
        ("turn.spoken", "turn", f"{SID}/2"),
    ]
    messages = feed.after(0, limit=9).messages
    assert [(told.noun, told.call) for told in messages] == [("turn", call.pk)] * 2
    assert '"gap_ms":700' in messages[0].body
    assert [one["turn"] for one in voices.turns(call.pk)] == [f"{SID}/1", f"{SID}/2"]


def test_a_turn_of_a_call_that_is_gone_is_dropped_and_odd_figures_are_bounded(call):
    gone = Answered(10**6, SID, 1, 0, 0)
    assert speaking.turned(turns=[gone, turn(call, 2, -5)]) == 1
    assert Turn.objects.get().gap_ms == 0


def test_a_call_names_its_voice_while_the_plan_is_the_voices(call):
    voice = Voice.objects.create(name="Self-service")
    Call.objects.update(voice=voice, plan=path.to_voice(voice.pk))
    assert shown(call)["voice"] == "Self-service"
    for plan in (path.to_queue(1), path.to_verify(), {}):
        Call.objects.update(plan=plan)
        assert shown(call)["voice"] == ""


def shown(call):
    found = call_page.snapshot(call.pk, EVERY)
    assert found is not None
    return found["call"]
