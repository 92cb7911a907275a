"""What was sent of each track: counts, hash and, where it is kept, the sound itself."""

import base64
import hashlib
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from emulator.audio.sound import Frame
from emulator.media.kept import KEPT_STREAMS, Shelf
from emulator.media.tracks import KEPT_BYTES, Track
from emulator.people.scripts import Scripts
from tests.emulator.conftest import Box, emulator
from tests.emulator.product import Product, Socket


@pytest.fixture
async def keeping(product: Product, scripts: Scripts) -> AsyncIterator[Box]:
    """An emulator that keeps the audio."""
    async with emulator(product.url, scripts, keep_audio=True) as made:
        yield made


async def streamed(product: Product, box: Box) -> tuple[dict[str, Any], Socket]:
    """A call of five seconds with both tracks: the truth of its stream, and what was received."""
    product.answers["/twilio/voice/"] = (
        f"<Response><Start><Stream url='{product.socket_url}/media/x/' track='both_tracks'/></Start>"
        "<Dial>+31209999999</Dial></Response>"
    )
    sid = await box.place()
    await box.clock.advance(5)
    await box.post(f"/emulator/calls/{sid}/hangup/", {})
    opened = await product.until(lambda: product.sockets and product.sockets[0])
    await product.until(lambda: opened.over)
    return (await box.call(sid))["streams"][0], opened


def heard(opened: Socket, track: str) -> bytes:
    return b"".join(
        base64.b64decode(message["media"]["payload"])
        for message in opened.of("media")
        if message["media"]["track"] == track
    )


async def test_the_truth_holds_a_hash_of_every_byte_of_each_track(product: Product, box: Box) -> None:
    truth, opened = await streamed(product, box)
    for track in ("inbound", "outbound"):
        sound = heard(opened, track)
        assert len(sound) == truth["frames_sent"][track] * 160 > 30_000
        assert truth["sent_sha256"][track] == hashlib.sha256(sound).hexdigest()
    assert truth["sent_sha256"]["inbound"] != truth["sent_sha256"]["outbound"]


async def test_both_tracks_carry_one_timestamp_for_one_instant(product: Product, box: Box) -> None:
    _, opened = await streamed(product, box)
    stamps: list[list[str]] = [[], []]
    for message in opened.of("media"):
        stamps[message["media"]["track"] == "outbound"].append(message["media"]["timestamp"])
    assert stamps[0] == stamps[1]


async def test_kept_audio_is_what_was_received(product: Product, keeping: Box) -> None:
    truth, opened = await streamed(product, keeping)
    for track in ("inbound", "outbound"):
        url = f"{keeping.url}/emulator/streams/{truth['stream_sid']}/{track}.ulaw"
        async with aiohttp.ClientSession() as http, http.get(url) as answer:
            assert (answer.status, answer.headers["X-Cut"]) == (200, "false")
            assert await answer.read() == heard(opened, track)


@pytest.mark.parametrize(
    ("path", "says"), [("{sid}/inbound.ulaw", "--keep-audio"), ("MZ0/inbound.ulaw", "no such stream")]
)
async def test_audio_that_is_not_there_says_why(product: Product, box: Box, path: str, says: str) -> None:
    truth, _ = await streamed(product, box)
    found = await box.get("/emulator/streams/" + path.format(sid=truth["stream_sid"]))
    assert says in found["error"]


def test_ten_minutes_of_a_track_are_kept_and_all_of_it_is_hashed() -> None:
    track = Track("inbound", "MZ1")
    Shelf().keep([track])
    frame = Frame.of(b"\x42" * 160)
    for _ in range(KEPT_BYTES // 160):
        track.sent(frame)
    assert not track.cut
    track.sent(frame)
    assert track.cut
    assert bytes(track.kept or b"") == b"\x42" * KEPT_BYTES
    assert track.digest == hashlib.sha256(b"\x42" * (KEPT_BYTES + 160)).hexdigest()


def test_of_too_many_streams_the_oldest_loses_its_sound() -> None:
    shelf = Shelf()
    tracks = [Track("inbound", f"MZ{number}") for number in range(KEPT_STREAMS + 1)]
    for track in tracks:
        shelf.keep([track])
    assert [track.kept is None for track in tracks] == [True] + [False] * KEPT_STREAMS
