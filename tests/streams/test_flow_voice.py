"""A flow as a caller meets it: said, interrupted, kept in its place, and handed on."""

from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest

from calls import tables
from calls.briefing import Briefing
from calls.flows import file as flowfile
from calls.flows.file import FlowError
from streams.voices import registry
from streams.voices.base import Ended, Frame, Silence, Talk, Words
from streams.voices.flow import FlowVoice
from tests.streams.talking import ScriptedTalk, interrupts, keys

NOW = datetime(2026, 11, 26, 10, 0, tzinfo=UTC)
SHIPPED = (Path(flowfile.__file__).parent / "self_service.yaml").read_text(encoding="utf-8")
ORDERS = tables.read("order,status,expected\n4711,on its way,tomorrow\n")


def about(text=SHIPPED, **fields):
    return Briefing(voice=1, name="Self-service", kind="flow", text=text, tables={"orders": ORDERS}, **fields)


async def led(*script, briefing=None, **how):
    """The conversation, until it ended."""
    call = ScriptedTalk(briefing or about(), script, **how)
    talk: Talk = call
    with suppress(Ended):
        await FlowVoice(lambda: NOW).talk(talk)
        raise AssertionError("a flow ends by Ended only")
    return call


def test_it_is_the_voice_of_its_kind():
    assert isinstance(registry.make("flow", {}), FlowVoice)


async def test_a_caller_books_a_call_back_by_speaking_and_asks_for_a_person():
    call = await led("call me back", "today", "yes", "2:30 p.m.", "yes", "I want a person")
    assert call.did("do", "fact") == [
        ("fact", "topic", "call me back"),
        ("fact", "day", "2026-11-26"),
        ("fact", "time", "14:30"),
        ("do", "call_back", "Asked by phone for a call back, today at 2:30 PM.", "2026-11-26T14:30:00+00:00"),
        ("do", "person", "Asked for a person.", ""),
    ]
    assert "We will call you today at 2:30 PM." in call.said


async def test_who_interrupts_the_greeting_with_the_answer_is_not_asked():
    call = await led(interrupts("order status"), *keys("4711"), "yes", briefing=about(may_verify=True))
    assert call.said[:2] == [
        "Welcome to self service. You can interrupt me at any time.",
        "Say or key in the four digits of your order.",
    ]
    assert call.told[-3:] == [
        ("at", "check"),
        ("say", "Before I tell you about it, we check who you are."),
        ("verify", "tell", "not_verified"),
    ]


async def test_a_person_can_be_asked_for_while_it_speaks():
    call = await led(interrupts("a person please"))
    assert call.did("do") == [("do", "person", "Asked for a person.", "")]


async def test_who_coughs_into_the_greeting_is_asked():
    call = await led(interrupts(""), Silence(), "opening hours")
    assert call.said[1].startswith("Say call me back")
    assert call.said[2] == "We are open now."


async def test_its_place_is_told_before_anything_is_said_there():
    call = await led()
    assert call.did("at") == [("at", "hello"), ("at", "menu"), ("at", "not_understood")]
    assert call.told[0] == ("at", "hello")


async def test_it_goes_on_where_it_was_with_what_it_knew():
    back = about(at="tell", facts={"order": "4711"}, verified="yes")
    call = await led("no", briefing=back)
    assert call.said[0] == "Order 4 7 1 1 is on its way. We expect it tomorrow."
    assert call.told[-1] == ("end", "Thank you for calling. Goodbye.")


async def test_an_action_that_is_not_possible_goes_on_otherwise():
    call = await led("a person", refused=["person"])
    assert call.told[-1][1].startswith("We are sorry, nobody can take your call")
    call = await led(*keys("1"), "today", "yes", "noon", "yes", "no", "no", refused=["call_back", "fact"])
    assert "We cannot promise that time. Would you like another one?" in call.said
    call = await led(*keys("24711"), "yes", refused=["verify"])
    assert call.did("do") == [("do", "person", "Self service could not tell who it is.", "")]


async def test_a_silent_caller_comes_to_a_person():
    call = await led()
    assert call.told[-1][0] == "do"
    assert call.patience > 40


async def test_words_without_a_word_and_sound_are_passed_over():
    call = await led(Words(" "), Frame(b"", 0), "a person")
    assert call.did("do")


async def test_what_is_said_before_a_deed_is_not_interrupted():
    call = await led("a person", interrupts("no wait"))
    assert call.told[-2:] == [
        ("say", "One moment, I connect you."), ("do", "person", "Asked for a person.", ""),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("briefing", "error"),
    [(about("steps:\n"), FlowError), (about(at="gone"), LookupError), (about(""), FlowError)],
)
async def test_a_flow_that_was_changed_meanwhile_is_an_error(briefing, error):
    with pytest.raises(error):
        await FlowVoice(lambda: NOW).talk(ScriptedTalk(briefing))
