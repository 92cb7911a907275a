"""Whatever XML a target answers, the emulator takes it, and the call ends as Twilio would let it end."""

from __future__ import annotations

from typing import Any
from xml.sax.saxutils import escape, quoteattr

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emulator.run import VERBS
from tests.emulator.conftest import ALICE, Box, emulator
from tests.emulator.product import Product
from tests.emulator.story import Person

TOGETHER = 10
NOUNS = ["Stream", "Transcription", "Number", "Client", "Identity", "Queue", "Conference", "Sip", "Parameter"]
ATTRIBUTES = [
    "action", "method", "timeout", "timeLimit", "loop", "length", "numDigits", "finishOnKey", "input",
    "speechTimeout", "partialResultCallback", "url", "name", "track", "value", "statusCallback",
    "statusCallbackUrl", "statusCallbackEvent", "waitUrl", "waitMethod", "maxLength", "playBeep", "record",
    "recordingStatusCallback", "beep", "muted", "coach", "startConferenceOnEnter", "endConferenceOnExit",
    "maxParticipants", "participantLabel", "answerOnBridge", "hangupOnStar", "sequential", "digits", "reason",
    "actionOnEmptyResult", "bargeIn", "partialResults", "callerId", "workflowSid",
]  # fmt: skip
VALUES = st.one_of(
    st.sampled_from(
        [
            "",
            "0",
            "1",
            "2",
            "-1",
            "0.3",
            "nan",
            "inf",
            "1e9",
            "auto",
            "true",
            "false",
            "GET",
            "POST",
            "PUT",
            "#",
        ]
    ),
    st.sampled_from(["/next/", "next", "http://", "ws://127.0.0.1:1/media/", "//x", "a b", "inbound_track"]),
    st.sampled_from(
        ["both_tracks", "dtmf speech", "start end join", "record-from-answer-dual", "room", "CA1"]
    ),
    st.text(st.characters(min_codepoint=32, exclude_categories=["Cs", "Cn"]), max_size=12),
)


def elements(names: list[str], children: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """One element of these names, written out."""

    def written(name: str, attributes: dict[str, str], inside: str) -> str:
        given = "".join(f" {key}={quoteattr(value)}" for key, value in attributes.items())
        return f"<{name}{given}>{inside}</{name}>"

    attributes = st.dictionaries(st.sampled_from(ATTRIBUTES), VALUES, max_size=5)
    return st.builds(written, st.sampled_from(names), attributes, children)


def documents() -> st.SearchStrategy[str]:
    """A whole document of verbs, nouns inside them and text, in any order."""
    text = VALUES.map(escape)
    deepest = st.lists(st.one_of(text, elements(NOUNS, text)), max_size=3).map("".join)
    verbs = elements(
        [*sorted(VERBS), "Tango"],
        st.lists(st.one_of(text, elements([*NOUNS, *sorted(VERBS)], deepest)), max_size=3).map("".join),
    )
    return st.lists(verbs, max_size=4).map(lambda inside: f"<Response>{''.join(inside)}</Response>")


@settings(max_examples=60, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
@given(st.lists(documents(), min_size=TOGETHER, max_size=TOGETHER))
async def test_any_document_is_performed_or_noted_and_the_call_ends(written: list[str]) -> None:
    product = Product()
    await product.server.start_server()
    async with emulator(product.url) as box:
        for number, document in enumerate(written):
            await answered_with(product, box, number, document)
        await box.clock.advance(70)
        for leg in list(box.exchange.legs.values()):
            leg.hang_up()
        await box.clock.advance(5)
        log = await box.get("/emulator/log/")
    await product.server.close()
    assert [call for call in log["calls"] if call["reason"] == "fault of the emulator"] == []
    assert all(call["ended"] for call in log["calls"])
    assert box.exchange.pacer.busy == 0


async def answered_with(product: Product, box: Box, number: int, document: str) -> None:
    to = f"+1555{number:07}"
    line = box.exchange.world.number(to)
    line.voice_url = f"{product.url}/{number}/"
    product.answers[f"/{number}/"] = document
    product.answers["/next/"] = "<Response><Say>Next</Say></Response>"
    does: list[dict[str, Any]] = [
        {"press": "1", "after": 0.5},
        {"play": "cmd_today.wav"},
        {"press": "*#"},
        {"after": 60},
    ]
    script = Person(does=does)
    box.exchange.incoming(ALICE, to, script=script.script(f"caller {number}"))


@pytest.mark.parametrize("value", ["inf", "-inf", "nan", "1e400", "-1", "soon", "", "९"])
async def test_a_number_that_is_none_is_the_default(product: Product, box: Box, value: str) -> None:
    verbs = f"<Say loop='{value}'>Hi</Say><Pause length='{value}'/>"
    verbs += f"<Gather timeout='{value}' numDigits='{value}'/>"
    product.answers["/twilio/voice/"] = f"<Response>{verbs}<Redirect>/next/</Redirect></Response>"
    box.exchange.incoming(ALICE, "+31201234567", script=Person(does=[{"after": 60}]).script("patient"))
    await box.clock.advance(30)
    assert product.asked("/next/")
