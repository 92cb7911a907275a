"""What people do while a program talks to them."""

import base64
import itertools
import tempfile
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from emulator.audio.speech import Voice
from streams.audio import level
from tests.emulator.conftest import Box, tone
from tests.emulator.product import Product
from tests.twilio import signature


async def tapped(product: Product, box: Box, verbs: str, script: str) -> str:
    """A call that is tapped on both tracks while the verbs run."""
    tap = f"<Start><Stream url='{product.socket_url}/media/x/' track='both_tracks'/></Start>"
    product.answers["/twilio/voice/"] = f"<Response>{tap}{verbs}</Response>"
    sid = await box.place(script)
    await box.clock.advance(0.1)
    await product.until(lambda: product.sockets and len(product.sockets[0].messages) > 1)
    return sid


async def stream(box: Box, sid: str) -> Any:
    return (await box.call(sid))["streams"][0]


async def test_a_caller_listens_to_a_prompt_and_speaks_in_the_long_pause_after_it(
    product: Product, box: Box
) -> None:
    sid = await tapped(
        product, box, "<Say>This call may be recorded.</Say><Pause length='60'/>", "two_colleagues"
    )
    await box.clock.advance(1)
    assert (await stream(box, sid))["played"] == []
    await box.clock.advance(3)
    played = (await stream(box, sid))["played"]
    assert [(piece["track"], piece["file_from_ms"]) for piece in played] == [("inbound", 0)]
    # 27 characters take 1.8 s, and the stream opened a moment after the call.
    assert 1700 <= played[0]["stream_from_ms"] - (await stream(box, sid))["first_ms"] <= 1820


async def test_a_short_pause_is_only_a_pause(product: Product, box: Box) -> None:
    sid = await tapped(product, box, "<Pause length='4'/><Say loop='99'>Hello</Say>", "two_colleagues")
    await box.clock.advance(10)
    assert (await stream(box, sid))["played"] == []


async def test_the_log_of_a_call_can_be_asked_alone(product: Product, box: Box) -> None:
    product.answers["/twilio/voice/"] = "<Response><Dial>+31209999999</Dial></Response>"
    first, second = await box.place(), await box.place()
    await box.clock.advance(3)
    log = await box.get(f"/emulator/log/?call={second}")
    assert {call["parent_call_sid"] or call["call_sid"] for call in log["calls"]} == {second}
    assert len(log["calls"]) == 2
    assert first != second


async def test_several_recordings_follow_each_other_with_silence_between(product: Product, box: Box) -> None:
    sid = await tapped(product, box, "<Pause length='60'/>", "room_booking")
    await box.clock.advance(12)
    played = (await stream(box, sid))["played"]
    assert [piece["file"] for piece in played] == [
        "cmd_book_a_room.wav",
        "cmd_two_people.wav",
        "cmd_today.wav",
    ]
    starts = [piece["stream_from_ms"] for piece in played]
    assert [later - earlier for earlier, later in itertools.pairwise(starts)] == [4000, 4000]


async def test_keys_of_a_script_are_pressed_one_by_one(product: Product, box: Box) -> None:
    url = f"{product.socket_url}/media/bot/"
    product.answers["/twilio/voice/"] = (
        f"<Response><Connect><Stream url='{url}'/></Connect><Say>Bye</Say></Response>"
    )
    await box.place("numbers")
    await box.clock.advance(37)
    bot = await product.until(lambda: product.sockets and product.sockets[0])
    assert bot.of("dtmf") == []
    await box.clock.advance(2)
    await product.until(lambda: len(bot.of("dtmf")) == 2)
    assert [message["dtmf"]["digit"] for message in bot.of("dtmf")] == ["1", "#"]


async def test_a_prompt_is_spoken_on_the_outbound_track(product: Product, box: Box) -> None:
    box.exchange.voice = Voice.installed()
    await tapped(
        product, box, "<Say>This call may be <break/>recorded.</Say><Pause length='60'/>", "two_colleagues"
    )
    await box.clock.advance(4)
    prompt = (await stream(box, next(iter(box.exchange.legs))))["prompts"][0]
    assert (prompt["track"], prompt["text"]) == ("outbound", "This call may be recorded.")
    loud = [m for m in product.sockets[0].of("media") if level_of(m, "outbound") > -40]
    assert 0.5 < len(loud) * 0.02 < 3


async def test_a_file_is_fetched_signed_and_played(product: Product, box: Box) -> None:
    raw = wav(0.5)
    product.answers["/hello.wav"] = web.Response(body=raw, content_type="audio/x-wav")
    sid = await tapped(product, box, "<Play loop='2'>/hello.wav</Play><Pause length='60'/>", "two_colleagues")
    await box.clock.advance(3)
    asked = product.asked("/hello.wav")[0]
    assert (asked.method, asked.headers["X-Twilio-Signature"]) == (
        "GET",
        signature(f"{product.url}/hello.wav"),
    )
    loud = [m for m in product.sockets[0].of("media") if level_of(m, "outbound") > -40]
    assert 48 <= len(loud) <= 50
    assert len(product.asked("/hello.wav")) == 1
    assert (await box.call(sid))["notifications"] == []


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (web.Response(status=404), 11200),
        (web.Response(text="<html/>", content_type="text/html"), 12300),
        (web.Response(body=b"ID3 no wave", content_type="audio/mpeg"), 12400),
        (web.Response(body=b"", content_type="audio/wav"), 12400),
    ],
    ids=["missing", "a page", "not a WAV", "nothing"],
)
async def test_a_file_that_cannot_be_played_is_noted_and_passed_over(
    product: Product, box: Box, answer: web.Response, code: int
) -> None:
    product.answers |= {"/hello.wav": answer, "/next/": "<Response><Pause length='9'/></Response>"}
    sid = await tapped(product, box, "<Play>/hello.wav</Play><Redirect>/next/</Redirect>", "two_colleagues")
    await box.clock.advance(1)
    assert [note["code"] for note in (await box.call(sid))["notifications"]] == [code]
    assert product.asked("/next/")


async def test_an_address_that_gives_sound_instead_of_twiml_is_played(product: Product, box: Box) -> None:
    # It is asked as TwiML and then fetched as a sound.
    product.answers["/twilio/voice/"] = [
        web.Response(body=wav(1.0), content_type="audio/wav") for _ in range(2)
    ]
    sid = await box.place()
    await box.clock.advance(0.5)
    assert (await box.call(sid))["status"] == "in-progress"
    await box.clock.advance(1)
    assert (await box.call(sid))["reason"] == "end of TwiML"


async def test_played_keys_are_silent_on_the_track(product: Product, box: Box) -> None:
    await tapped(product, box, "<Play digits='12w3'/><Pause length='60'/>", "two_colleagues")
    await box.clock.advance(1)
    assert all(level_of(m, "outbound") < -90 for m in product.sockets[0].of("media") if of(m) == "outbound")


def wav(seconds: float) -> bytes:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "tone.wav"
        tone(path, seconds=seconds)
        return path.read_bytes()


def of(message: dict[str, Any]) -> str:
    return str(message["media"]["track"])


def level_of(message: dict[str, Any], track: str) -> float:
    """dBFS of a media message of that track, the floor for another's."""
    if of(message) != track:
        return -96.0
    return level(base64.b64decode(message["media"]["payload"])).rms_dbfs
