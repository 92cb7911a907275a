"""What people do while a program talks to them."""

import itertools
from typing import Any

from tests.emulator.conftest import Box
from tests.emulator.product import Product


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
