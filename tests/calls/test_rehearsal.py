"""A flow tried on text: the conversation, and what would be done."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from calls import tables
from calls.briefing import Briefing
from calls.flows import file as flowfile
from calls.flows.rehearsal import MAX_INPUTS, rehearse

NOW = datetime(2026, 11, 26, 10, 0, tzinfo=UTC)
ACTIONS = {"person": "queue", "call_back": "callback"}
SHIPPED = flowfile.parse((Path(flowfile.__file__).parent / "self_service.yaml").read_text(encoding="utf-8"))
ABOUT = Briefing(
    voice=1, name="Self-service", kind="flow", may_verify=True,
    tables={"orders": tables.read("order,status,expected\n4711,on its way,tomorrow\n")},
)  # fmt: skip


def tried(*inputs, actions=ACTIONS, **about):
    return rehearse(SHIPPED, replace(ABOUT, **about), inputs, actions=actions, now=NOW)


def would(shown):
    return [line.text for line in shown.lines if line.who == "would"]


def said(shown):
    return [line.text for line in shown.lines if line.who == "voice"]


def test_a_call_back_is_only_told():
    shown = tried("cull me back", "tomorrow", "yes", "2:30 p.m.", "yes", "no")
    assert would(shown) == [
        "do “call_back” (callback), reason: Asked by phone for a call back, tomorrow at 2:30 PM., "
        "due: 2026-11-27T14:30:00+00:00",
        "hang up",
    ]
    assert shown.facts == {"topic": "call me back", "day": "2026-11-27", "time": "14:30"}
    assert shown.wants == ""


@pytest.mark.parametrize(
    ("inputs", "last"),
    [
        (["2", "4711", "1", "ok"], "Order 4 7 1 1 is on its way. We expect it tomorrow."),
        (["order status", "for seven one one", "yes", "ok"], "Order 4 7 1 1 is on its way. We expect it"),
        (["order status", "four seven...", "one one", "yes", "wrong"], "One moment, I connect you."),
        (["my order", "4712", "yes"], "I cannot find order 4 7 1 2. Would you like to try again?"),
        (["opening hours"], "We are open now."),
        (["", "", ""], "One moment, I connect you."),
    ],
)
def test_what_is_said(inputs, last):
    assert any(text.startswith(last) for text in said(tried(*inputs))[-2:])


def test_where_a_verification_is_waited_for():
    shown = tried("2", "4711", "1")
    assert (shown.wants, shown.step) == ("verification", "check")
    assert said(tried("2", "4711", "1", may_verify=False))[-1] == "One moment, I connect you."


def test_an_action_that_the_voice_does_not_have():
    shown = tried("a person", actions={})
    assert would(shown) == [
        "do “person”: the voice has no such action, reason: Asked for a person.", "hang up",
    ]  # fmt: skip


def test_what_is_typed_is_bounded():
    assert len(tried(*["yes"] * 1000).lines) < 3 * MAX_INPUTS
