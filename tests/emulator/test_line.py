"""Bad lines: frames that are lost, doubled, late or in disorder, as the server and the truth log see them."""

import base64
import hashlib
from collections.abc import AsyncIterator
from itertools import pairwise
from typing import Any

import pytest

from emulator.people.scripts import Scripts
from tests.emulator.conftest import Box, emulator
from tests.emulator.product import Product, Socket

BOTH = ("inbound", "outbound")


async def streamed(
    product: Product, box: Box, faults: dict[str, Any], seconds: float = 10
) -> tuple[dict[str, Any], Socket]:
    """A call with both tracks and these faults: the truth of its stream, and what was received."""
    product.answers["/twilio/voice/"] = (
        f"<Response><Start><Stream url='{product.socket_url}/media/x/' track='both_tracks'/></Start>"
        "<Dial>+31209999999</Dial></Response>"
    )
    already = len(product.sockets)
    sid = await box.place(faults=faults)
    await box.clock.advance(seconds)
    await box.post(f"/emulator/calls/{sid}/hangup/", {})
    opened = await product.until(lambda: product.sockets[already:] and product.sockets[already])
    await product.until(lambda: opened.over)
    return (await box.call(sid))["streams"][0], opened


def of(opened: Socket, track: str) -> list[dict[str, Any]]:
    return [message for message in opened.of("media") if message["media"]["track"] == track]


def stamps(opened: Socket, track: str) -> list[int]:
    return [int(message["media"]["timestamp"]) for message in of(opened, track)]


def chunks(opened: Socket, track: str) -> list[int]:
    return [int(message["media"]["chunk"]) for message in of(opened, track)]


def told(truth: dict[str, Any], opened: Socket) -> None:
    """The truth log and what was received agree, byte for byte."""
    for track in BOTH:
        sound = b"".join(base64.b64decode(m["media"]["payload"]) for m in of(opened, track))
        assert truth["frames_sent"][track] == len(sound) // 160
        assert truth["sent_sha256"][track] == hashlib.sha256(sound).hexdigest()


async def test_on_a_good_line_nothing_is_amiss(product: Product, box: Box) -> None:
    truth, opened = await streamed(product, box, {})
    told(truth, opened)
    assert set(truth["harm"].values()) == {0}


async def test_a_lost_frame_leaves_a_hole_in_time_and_none_in_the_numbers(product: Product, box: Box) -> None:
    truth, opened = await streamed(product, box, {"lose_every": 10})
    told(truth, opened)
    for track in BOTH:
        heard = stamps(opened, track)
        steps = [later - earlier for earlier, later in pairwise(heard)]
        assert steps[:12] == [20] * 8 + [40] + [20] * 3
        assert chunks(opened, track) == list(range(1, len(heard) + 1))
    assert [int(m["sequenceNumber"]) for m in opened.messages[1:]] == list(range(1, len(opened.messages)))
    assert truth["harm"]["lost"] == 2 * (len(stamps(opened, "inbound")) // 9)


async def test_numbers_too_can_have_holes(product: Product, box: Box) -> None:
    _, opened = await streamed(
        product, box, {"lose_every": 10, "lose_numbers": True, "fault_tracks": "inbound"}
    )
    assert chunks(opened, "inbound")[:12] == [1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13]
    assert chunks(opened, "outbound")[:12] == list(range(1, 13))
    numbers = [int(message["sequenceNumber"]) for message in opened.of("media")]
    assert (2 + 2 * 9) not in numbers
    assert numbers == sorted(numbers)


async def test_a_doubled_frame_is_the_same_message_twice(product: Product, box: Box) -> None:
    truth, opened = await streamed(product, box, {"double_every": 5, "fault_tracks": "outbound"})
    told(truth, opened)
    assert chunks(opened, "outbound")[:8] == [1, 2, 3, 4, 5, 5, 6, 7]
    assert chunks(opened, "inbound")[:8] == list(range(1, 9))
    fifth, sixth = of(opened, "outbound")[4:6]
    assert fifth == sixth
    assert truth["harm"]["duplicated"] == len(stamps(opened, "inbound")) // 5


async def test_a_frame_in_disorder_comes_behind_the_next_of_its_track(product: Product, box: Box) -> None:
    truth, opened = await streamed(product, box, {"swap_every": 4})
    told(truth, opened)
    for track in BOTH:
        assert chunks(opened, track)[:9] == [1, 2, 3, 5, 4, 6, 7, 9, 8]
        assert sorted(chunks(opened, track)) == list(range(1, len(of(opened, track)) + 1))
    assert truth["harm"]["reordered"] > 100


async def test_in_a_burst_all_comes_and_comes_late(product: Product, box: Box) -> None:
    product.answers["/twilio/voice/"] = (
        f"<Response><Start><Stream url='{product.socket_url}/media/x/'/></Start>"
        "<Pause length='60'/></Response>"
    )
    sid = await box.place(faults={"burst_ms": 200, "burst_every_ms": 1000})
    await box.clock.advance(0.2)
    opened = await product.until(lambda: product.sockets and product.sockets[0])
    came: list[int] = []
    for _ in range(100):
        await box.clock.advance(0.02)
        came.append(await received(product, box, sid, opened))
    steps = [later - earlier for earlier, later in pairwise(came)]
    assert sorted(set(steps)) == [0, 1, 10]
    assert steps.count(10) == 2
    assert steps.index(10) - steps.index(0) == 9
    await box.post(f"/emulator/calls/{sid}/hangup/", {})
    await product.until(lambda: opened.over)
    heard = stamps(opened, "inbound")
    assert heard == list(range(heard[0], heard[0] + 20 * len(heard), 20))
    assert (await box.call(sid))["streams"][0]["harm"]["bursts"] == 2


async def received(product: Product, box: Box, sid: str, opened: Socket) -> int:
    """How many media messages have come, once all that were sent have."""
    sent = (await box.call(sid))["streams"][0]["frames_sent"]["inbound"]
    await product.until(lambda: len(opened.of("media")) == sent)
    return int(sent)


async def test_what_waits_in_a_burst_comes_before_stop(product: Product, box: Box) -> None:
    truth, opened = await streamed(product, box, {"burst_ms": 5000, "burst_every_ms": 5000}, seconds=4)
    told(truth, opened)
    assert opened.messages[-1]["event"] == "stop"
    assert [int(m["sequenceNumber"]) for m in opened.messages[1:]] == list(range(1, len(opened.messages)))
    assert len(stamps(opened, "inbound")) > 150


async def test_a_carrier_that_suppresses_silence_sends_nothing_while_the_caller_is_silent(
    product: Product, box: Box
) -> None:
    truth, opened = await streamed(product, box, {"suppress_silence": True}, seconds=20)
    told(truth, opened)
    inbound, outbound = stamps(opened, "inbound"), stamps(opened, "outbound")
    assert truth["harm"]["suppressed"] == len(outbound) - len(inbound) > 100
    assert set(inbound) < set(outbound)
    assert chunks(opened, "inbound") == list(range(1, len(inbound) + 1))


async def test_ten_seconds_without_the_callers_sound_are_one_warning(product: Product, box: Box) -> None:
    faults = {"lose_frames": 1, "fault_tracks": "inbound"}
    truth, opened = await streamed(product, box, faults, seconds=25)
    assert (truth["warnings"], stamps(opened, "inbound")) == ([31953], [])
    assert len(stamps(opened, "outbound")) > 1000


async def test_keys_wait_their_turn_behind_sound_that_is_held_up(product: Product, box: Box) -> None:
    url = f"{product.socket_url}/media/bot/"
    product.answers["/twilio/voice/"] = f"<Response><Connect><Stream url='{url}'/></Connect></Response>"
    sid = await box.place(faults={"burst_ms": 2000, "burst_every_ms": 2000})
    await box.clock.advance(1)
    await box.post(f"/emulator/calls/{sid}/press/", {"digits": "5"})
    await box.clock.advance(2)
    opened = product.sockets[0]
    await product.until(lambda: opened.of("dtmf"))
    numbers = [int(message["sequenceNumber"]) for message in opened.messages[1:]]
    assert numbers == sorted(numbers)


async def test_switched_off_the_line_is_good_again_and_nothing_stays_behind(
    product: Product, box: Box
) -> None:
    product.answers["/twilio/voice/"] = (
        f"<Response><Start><Stream url='{product.socket_url}/media/x/'/></Start>"
        "<Pause length='60'/></Response>"
    )
    await box.post("/emulator/faults/", {"swap_frames": 1.0, "burst_ms": 500})
    sid = await box.place()
    await box.clock.advance(3.43)
    await box.delete("/emulator/faults/")
    await box.clock.advance(3)
    await box.post(f"/emulator/calls/{sid}/hangup/", {})
    opened = await product.until(lambda: product.sockets and product.sockets[0])
    await product.until(lambda: opened.over)
    assert sorted(chunks(opened, "inbound")) == list(range(1, len(of(opened, "inbound")) + 1))
    last = chunks(opened, "inbound")[-100:]
    assert last == sorted(last)


@pytest.fixture
async def twins(product: Product, scripts: Scripts) -> AsyncIterator[list[Box]]:
    """Three emulators: two of one seed, one of another."""
    async with (
        emulator(product.url, scripts, seed=5) as one,
        emulator(product.url, scripts, seed=5) as other,
        emulator(product.url, scripts, seed=6) as third,
    ):
        yield [one, other, third]


async def test_the_same_seed_gives_the_same_faults_and_another_others(
    product: Product, twins: list[Box]
) -> None:
    faults = {"lose_frames": 0.1, "double_frames": 0.05, "swap_frames": 0.05}
    one, other, third = [(await streamed(product, box, faults))[1] for box in twins]
    events = [
        [(m["media"]["track"], m["media"]["chunk"], int(m["media"]["timestamp"])) for m in opened.of("media")]
        for opened in (one, other, third)
    ]
    assert events[0] == events[1]
    assert [stamp - events[0][0][2] for *_, stamp in events[0]] != [
        stamp - events[2][0][2] for *_, stamp in events[2]
    ]
