"""docs/voices.md tells the truth: its flow is accepted and runs, its own voice speaks, its table is whole."""

import re
from contextlib import suppress
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

from calls import tables
from calls.briefing import Briefing
from calls.flows.file import parse
from calls.flows.kinds import KINDS
from calls.flows.rehearsal import rehearse
from streams.voices.base import Ended, Talk
from tests.streams.talking import ScriptedTalk
from tools.house import ROOT

PAGE = (ROOT / "docs" / "voices.md").read_text(encoding="utf-8")
NOW = datetime(2026, 11, 26, 10, 0, tzinfo=UTC)
ACTIONS = {"person": "queue", "call_back": "callback"}


def block(language):
    """The one piece of the page in this language."""
    (found,) = re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.M | re.S)
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


def pizza(*script, **how):
    names: dict[str, Any] = {}
    exec(compile(block("python"), "docs/voices.md", "exec"), names)  # noqa: S102  what readers will paste
    about = Briefing(voice=1, name="Pizza", kind="pizza", caller="Carla")
    return names["Pizza"](), ScriptedTalk(about, script, **how)


async def test_the_voice_of_the_page_speaks():
    voice, call = pizza("large", "yes")
    with suppress(Ended):
        await voice.talk(call)
    assert call.said[0] == "Hello Carla. This is the pizza line."
    assert call.told[-2:] == [("fact", "pizza", "large"), ("end", "It is in the oven. Goodbye.")]


async def test_it_hands_over_who_orders_nothing():
    voice, call = pizza("a salad", refused=["person"])
    with suppress(Ended):
        await voice.talk(call)
    assert [one[0] for one in call.told[-2:]] == ["do", "end"]


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
