"""docs/voices.md tells the truth: its flow is accepted and runs, its own voice speaks, its table is whole."""

import inspect
import json
import re
from contextlib import suppress
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from calls import tables
from calls.briefing import Briefing
from calls.flows.file import parse
from calls.flows.kinds import KINDS
from calls.flows.rehearsal import rehearse
from emulator.media.replies import PAUSE_TICKS
from emulator.pacing import TICK_MS
from emulator.people.scripts import Script
from streams.live.talk import BETWEEN_DIGITS_SECONDS
from streams.voices.base import Ended, Key, Silence, Talk
from tests.streams.talking import ScriptedTalk, interrupts, keys
from tools.house import ROOT

PAGE = (ROOT / "docs" / "voices.md").read_text(encoding="utf-8")
NOW = datetime(2026, 11, 26, 10, 0, tzinfo=UTC)
ACTIONS = {"person": "queue", "call_back": "callback"}


def blocks(language):
    """The pieces of the page in this language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.M | re.S)


def block(language):
    """The one piece of the page in this language."""
    (found,) = blocks(language)
    return found


def test_the_flow_of_the_page_runs():
    rows = tables.read(block("csv"))
    flow = parse(block("yaml"), actions=ACTIONS, tables={"orders": tables.columns(block("csv"))})
    about = Briefing(voice=1, name="Riverside", kind="flow", tables={"orders": rows}, may_verify=True)
    inputs = [
        "my order",
        "four seven one one",
        "yes",
        "ok",
        "yes",
        "2",
        "friday",
        "yes",
        "1430",
        "1",
        "a person",
    ]
    shown = rehearse(flow, about, inputs, actions=ACTIONS, now=NOW)
    said = [line.text for line in shown.lines]
    assert "Order 4 7 1 1 is on its way." in said
    assert said[-1] == "do “person” (queue), reason: Self service: call me back 4711"
    assert any("due: 2026-11-27T14:30:00+00:00" in text for text in said)


def test_every_kind_of_step_is_told_and_none_that_there_is_not():
    assert set(re.findall(r"^\| `(\w+)` \|", PAGE, re.M)) == set(KINDS)


def own(name, *script, **how):
    """The page's own voice of this name, and a caller for it."""
    names: dict[str, Any] = {}
    (text,) = (one for one in blocks("python") if f"class {name}:" in one)
    exec(compile(text, "docs/voices.md", "exec"), names)  # noqa: S102  what readers will paste
    about = Briefing(voice=1, name=name, kind=name.lower(), caller="Carla")
    return names[name](), ScriptedTalk(about, script, **how)


def pizza(*script, **how):
    return own("Pizza", *script, **how)


async def test_the_voice_of_the_page_speaks():
    voice, call = pizza("large", "yes")
    with suppress(Ended):
        await voice.talk(call)
    assert call.said[0] == "Hello Carla. This is the pizza line. Small or large?"
    assert call.told[-2:] == [("fact", "pizza", "large"), ("end", "It is in the oven. Goodbye.")]


async def test_it_hands_over_who_orders_nothing():
    voice, call = pizza("a salad", refused=["person"])
    with suppress(Ended):
        await voice.talk(call)
    assert [one[0] for one in call.told[-2:]] == ["do", "end"]


ASKED = ("do", "person", "Asked for a person", "")
MISUNDERSTOOD = ("do", "person", "Order not understood", "")


@pytest.mark.parametrize(
    ("script", "done"),
    [
        ([*keys("4711"), "yes", "it is broken"], ("do", "person", "Complains about order 4711", "")),
        ([*keys("4711"), Key("1"), Silence()], ("do", "person", "Complains about order 4711", "")),
        ([*keys("4711"), "no"], MISUNDERSTOOD),
        ([Silence()], MISUNDERSTOOD),
        ([*keys("4711"), "a person"], ASKED),
        ([*keys("4711"), Key("0")], ASKED),
        ([*keys("4711"), "yes", interrupts("Give me an agent, please.")], ASKED),
        ([*keys("4711"), "yes", Key("5"), Key("0")], ASKED),
    ],
)
async def test_a_person_at_any_time(script, done):
    voice, call = own("Orders", *script)
    with suppress(Ended):
        await voice.talk(call)
    assert call.did("do", "end") == [done]


async def test_what_is_wrong_with_an_order_is_noted():
    voice, call = own("Orders", *keys("4711"), "yes", "it is broken")
    with suppress(Ended):
        await voice.talk(call)
    assert call.did("fact") == [("fact", "order", "4711"), ("fact", "complaint", "it is broken")]
    assert "Order 4 7 1 1. Is that right?" in call.said


async def test_nobody_is_there_for_an_order():
    voice, call = own("Orders", *keys("4711"), "a person", refused=["person"])
    with suppress(Ended):
        await voice.talk(call)
    assert [one[0] for one in call.did("do", "end")] == ["do", "end"]


def test_the_digits_of_the_page_are_those_of_the_code():
    defaults = inspect.signature(Talk.digits).parameters
    assert f"least={defaults['least'].default}, most={defaults['most'].default}" in PAGE
    assert f"about {BETWEEN_DIGITS_SECONDS:.0f} s of silence" in PAGE
    assert f"silent for {PAUSE_TICKS * TICK_MS / 1000} s" in PAGE


def test_the_caller_of_the_page_is_one_that_the_emulator_takes():
    (body,) = re.findall(r"-d '(.*)'", block("sh"), re.S)
    script = msgspec.convert({"name": "curl", **json.loads(body)["script"]}, Script)
    done = [act.say or act.press for act in script.caller.does if act.say or act.press]
    assert done == ["a large one please", "1"]


def test_the_page_names_what_a_voice_may_use():
    told = set(re.findall(r"`(\w+)`", PAGE))
    methods = {name for name in vars(Talk) if not name.startswith("_")}
    assert {
        "say",
        "hear",
        "choose",
        "confirm",
        "digits",
        "fact",
        "do",
        "verify",
        "at",
        "end",
    } <= methods & told
    assert {"lost", "at"} <= {field.name for field in fields(Briefing)}
