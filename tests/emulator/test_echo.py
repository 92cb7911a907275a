"""A bidirectional voice behind the emulator: sound back, marks, clear, keys, and the verb after its close."""

from base64 import b64decode
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.emulator.conftest import Box
from tests.emulator.echo import Echo
from tests.emulator.product import Product
from tests.twilio import SILENCE

FRAMES = 100
SECONDS = 2.0
BYTES = 160 * FRAMES


@pytest.fixture
async def echo() -> AsyncIterator[Echo]:
    """A voice that repeats two seconds."""
    async with Echo(FRAMES) as voice:
        yield voice


@pytest.fixture
async def slow() -> AsyncIterator[Echo]:
    """A voice that repeats two seconds so that they take six, so that sound and marks are always waiting."""
    async with Echo(FRAMES, times=3) as voice:
        yield voice


async def repeated(product: Product, box: Box, echo: Echo, *, tap: str = "", after: str = "") -> str:
    """A call of which the voice has repeated all that it will, and Twilio's side has read it; its id."""
    connect = f"<Connect><Stream url='{echo.url}'/></Connect>"
    product.answers.setdefault("/twilio/voice/", f"<Response>{tap}{connect}{after}</Response>")
    sid = await box.place("conversation")
    await box.clock.advance(SECONDS + 0.5)
    await echo.until(lambda: len(echo.echoed) == FRAMES)
    await read(box, sid, "mark", 2)
    return sid


async def truth(box: Box, sid: str) -> Any:
    """What Twilio's side knows of the voice's stream."""
    streams = (await box.call(sid))["streams"]
    return next(stream for stream in streams if stream["direction"] == "bidirectional")


async def read(box: Box, sid: str, event: str, times: int = 1) -> None:
    """Wait until Twilio's side has read that many messages of a kind."""
    while len(commands(await truth(box, sid), event)) < times:
        pass


def commands(stream: Any, event: str) -> list[Any]:
    return [command for command in stream["commands"] if command["event"] == event]


async def press(box: Box, sid: str, digits: str) -> None:
    await box.post(f"/emulator/calls/{sid}/press/", {"digits": digits})


async def test_the_caller_hears_all_that_was_echoed_and_nothing_else(
    product: Product, box: Box, echo: Echo
) -> None:
    tap = f"<Start><Stream url='{product.socket_url}/media/tap/' track='outbound_track'/></Start>"
    sid = await repeated(product, box, echo, tap=tap)
    await box.clock.advance(SECONDS)
    stream, tapped = await truth(box, sid), product.sockets[0]
    said = commands(stream, "media")
    assert (sum(one["bytes"] for one in said), sum(one["messages"] for one in said)) == (BYTES, FRAMES)
    assert (stream["played_back_bytes"], stream["warnings"]) == (BYTES, [])
    await product.until(lambda: len(tapped.of("media")) >= 2 * FRAMES)
    heard = [b64decode(message["media"]["payload"]) for message in tapped.of("media")]
    spoken = [frame for frame in echo.echoed if frame != SILENCE]
    assert [frame for frame in heard if frame != SILENCE] == spoken
    assert len(spoken) > FRAMES // 4


async def test_what_was_echoed_is_what_the_caller_said(product: Product, box: Box, echo: Echo) -> None:
    sid = await repeated(product, box, echo)
    stream = await truth(box, sid)
    inbound = [b64decode(media["payload"]) for media in echo.of("media")]
    assert echo.echoed == inbound[:FRAMES]
    await echo.until(lambda: len(echo.of("media")) == stream["frames_sent"]["inbound"])
    assert {media["track"] for media in echo.of("media")} == {"inbound"}


async def test_a_mark_comes_back_when_the_sound_before_it_was_heard_and_not_before(
    product: Product, box: Box, slow: Echo
) -> None:
    sid = await repeated(product, box, slow)
    left_s = (3 * BYTES - (await truth(box, sid))["played_back_bytes"]) / 8000
    await box.clock.advance(left_s - 0.02)
    assert "frame 100" not in slow.marks
    await box.clock.advance(0.04)
    await slow.until(lambda: len(slow.marks) == 2)
    returned = commands(await truth(box, sid), "mark-returned")
    assert slow.marks == ["frame 50", "frame 100"]
    assert [(one["name"], one["played_ms"]) for one in returned] == [("frame 50", 3000), ("frame 100", 6000)]


async def test_clear_silences_what_waits_and_brings_its_marks_back_at_once(
    product: Product, box: Box, slow: Echo
) -> None:
    sid = await repeated(product, box, slow)
    await press(box, sid, "*")
    await slow.until(lambda: "frame 100" in slow.marks)
    await box.clock.advance(5)
    stream = await truth(box, sid)
    clear = commands(stream, "clear")[0]
    assert clear["at_ms"] > clear["played_ms"], "it was said, and only then began to play"
    assert slow.marks == ["frame 50", "frame 100"]
    assert clear["marks"][-1] == "frame 100"
    assert stream["played_back_bytes"] == clear["played_ms"] * 8 < 3 * BYTES
    assert sum(one["bytes"] for one in commands(stream, "media")) == 3 * BYTES


async def test_keys_reach_the_voice_in_order_and_leave_what_waits_alone(
    product: Product, box: Box, slow: Echo
) -> None:
    sid = await repeated(product, box, slow)
    await press(box, sid, "1590")
    await slow.until(lambda: len(slow.of("dtmf")) == 4)
    assert slow.of("dtmf") == [{"track": "inbound_track", "digit": digit} for digit in "1590"]
    await box.clock.advance(5)
    assert (await truth(box, sid))["played_back_bytes"] == 3 * BYTES


async def test_after_the_voice_closes_the_next_verb_runs(product: Product, box: Box, echo: Echo) -> None:
    sid = await repeated(product, box, echo, after="<Redirect>/next/</Redirect>")
    assert product.asked("/next/") == []
    await press(box, sid, "#")
    await product.until(lambda: product.asked("/next/"))
    assert product.forms("/next/")[0]["CallStatus"] == "in-progress"
    stream = await truth(box, sid)
    assert (stream["status"], stream["error"]) == ("stopped", 0)
    assert echo.of("stop") == []


async def test_after_the_voice_closes_the_action_is_asked_and_the_next_verb_never_runs(
    product: Product, box: Box, echo: Echo
) -> None:
    stream = f"<Connect action='/after/'><Stream url='{echo.url}'/></Connect>"
    product.answers["/twilio/voice/"] = f"<Response>{stream}<Redirect>/next/</Redirect></Response>"
    product.answers["/after/"] = "<Response><Redirect>/from-action/</Redirect></Response>"
    sid = await repeated(product, box, echo)
    await press(box, sid, "#")
    await product.until(lambda: product.asked("/from-action/"))
    assert [form["CallSid"] for form in product.forms("/after/")] == [sid]
    assert product.asked("/next/") == []


async def test_after_the_voice_closes_with_nothing_left_the_call_ends(
    product: Product, box: Box, echo: Echo
) -> None:
    sid = await repeated(product, box, echo)
    await press(box, sid, "#")
    await product.until(lambda: product.forms("/twilio/call-status/", CallStatus="completed"))
    assert (await box.call(sid))["status"] == "completed"


async def test_what_still_waits_when_the_voice_closes_is_not_heard(
    product: Product, box: Box, slow: Echo
) -> None:
    tap = f"<Start><Stream url='{product.socket_url}/media/tap/' track='outbound_track'/></Start>"
    sid = await repeated(product, box, slow, tap=tap, after="<Redirect>/next/</Redirect>")
    product.answers["/next/"] = "<Response><Pause length='4'/></Response>"
    await press(box, sid, "#")
    await product.until(lambda: product.asked("/next/"))
    played, sent = (await truth(box, sid))["played_back_bytes"], len(product.sockets[0].of("media"))
    await box.clock.advance(3)
    await product.until(lambda: len(product.sockets[0].of("media")) >= sent + 100)
    after = [b64decode(one["media"]["payload"]) for one in product.sockets[0].of("media")[sent + 5 :]]
    assert set(after) == {SILENCE}
    assert (await truth(box, sid))["played_back_bytes"] == played < 3 * BYTES


async def test_a_caller_who_hangs_up_ends_the_voice_with_stop(product: Product, box: Box, echo: Echo) -> None:
    sid = await repeated(product, box, echo)
    await box.post(f"/emulator/calls/{sid}/hangup/", {})
    await echo.until(lambda: echo.of("stop"))
    stop = echo.of("stop")[0]
    assert stop == {"accountSid": (await box.get("/emulator/"))["account_sid"], "callSid": sid}
    assert [message["event"] for message in echo.heard][:2] == ["connected", "start"]
