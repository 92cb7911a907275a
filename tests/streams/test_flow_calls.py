"""Self-service as a caller has it: on a live stream, in virtual time, interrupted and by keys."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from calls import tables
from calls.briefing import Briefing
from calls.flows import file as flowfile
from streams.voices.flow import FlowVoice, read
from tests.streams import virtual
from tests.streams.conversing import Conversation

NOW = datetime(2026, 11, 26, 10, 0, tzinfo=UTC)
SHIPPED = (Path(flowfile.__file__).parent / "self_service.yaml").read_text(encoding="utf-8")
ORDERS = tables.read("order,status,expected\n4711,on its way,tomorrow\n")
ABOUT = Briefing(1, "Self-service", "flow", text=SHIPPED, tables={"orders": ORDERS})


def called(*acts, seconds=240.0, actions=(("person", True), ("call_back", False)), **about):
    """The whole call; the caller says or presses each of these once the voice has asked and is silent."""
    briefing = replace(ABOUT, **about)
    read(briefing.text)  # virtual time knows no threads

    async def whole():
        talk = Conversation(FlowVoice(lambda: NOW), briefing=briefing)
        talk.office.actions = dict(actions)
        coming = list(acts)

        async def caller():
            while coming:
                await asyncio.sleep(0.5)
                at, act = coming[0] if isinstance(coming[0], tuple) else (0.0, coming[0])
                ready = talk.at_ms / 1000 >= at if at else quiet(talk)
                if ready:
                    del coming[0]
                    keyed = set(act) <= set("0123456789#")
                    for key in act if keyed else ():
                        talk.presses(key)
                        await asyncio.sleep(0.2)
                    if not keyed:
                        talk.speaks(act)
                        await asyncio.sleep(0.0 if coming and isinstance(coming[0], tuple) else 2.5)

        task = asyncio.create_task(caller())
        await talk.last(seconds)
        task.cancel()
        return talk

    return virtual.run(whole)


def quiet(talk):
    mouth = talk.runner.mouth
    return talk.at_ms > 1000 and not mouth.is_speaking


def did(talk, kind):
    return [one[1:] for one in talk.office.did if one[0] == kind]


def heard(talk):
    return " ".join(line.heard_text for line in talk.lines)


def test_a_call_back_is_booked_by_speaking_and_then_a_person_asked_for():
    talk = called("call me back", "today", "yes", "Two thirty p M.", "yes", "a person please")
    reason = "Asked by phone for a call back, today at 2:30 PM."
    assert did(talk, "perform") == [
        ("call_back", reason, "2026-11-26T14:30:00+00:00"), ("person", "Asked for a person.", ""),
    ]  # fmt: skip
    assert "We will call you today at 2:30 PM." in heard(talk)
    assert talk.believed() == talk.played()


def test_who_interrupts_is_understood():
    talk = called((1.5, "order status"), "4711", "1", verified="yes")
    assert "Order 4 7 1 1 is on its way." in heard(talk)
    assert "Say call me back" not in heard(talk)


def test_a_hash_key_behind_an_order_that_is_long_enough_disturbs_nothing():
    talk = called((1.5, "order status"), "4711#", "1", verified="yes")
    assert heard(talk).count("I did not get that") == 0
    assert "Order 4 7 1 1 is on its way." in heard(talk)


def test_keys_that_mean_nothing_are_one_answer_and_words_said_meanwhile_count():
    talk = called((3.5, "order status"), (3.6, "84#"), "4711", "1", verified="yes")
    assert "On which day" not in heard(talk)
    assert "I did not get that" not in heard(talk)
    assert "Order 4 7 1 1 is on its way." in heard(talk)


def test_a_yes_that_was_said_before_the_question_does_not_answer_it():
    flow = """
steps:
  one: {kind: yesno, prompt: Shall I cancel it?, "yes": two, "no": bye, otherwise: bye}
  two: {kind: yesno, prompt: And all others of the year as well?, "yes": gone, "no": bye, otherwise: bye}
  gone: {kind: end, text: All are gone.}
  bye: {kind: end, text: Nothing more was done.}
"""
    talk = called((2.0, "yes"), (3.1, "yes yes"), (12.0, "no"), text=flow)
    assert "All are gone." not in heard(talk)
    assert heard(talk).endswith("Nothing more was done.")


def test_who_says_nothing_comes_to_a_person():
    talk = called()
    assert did(talk, "perform") == [("person", "Self service could not find out what is wanted.", "")]
    assert heard(talk).count("I did not hear you.") == 2
