"""The provider of the bench: it hears, answers and says when, in events that the official client knows."""

import base64
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import ClientWebSocketResponse
from aiohttp.test_utils import TestClient, TestServer

from bench.peers import openai_realtime as peer
from bench.peers.openai_realtime import Hearing
from tests.streams.openai_realtime import FROM_THEM, fault

LOUD, QUIET = (base64.b64encode(frame).decode() for frame in (b"\x10\x90" * 80, b"\xff" * 160))
SETUP = {"turn_detection": {"type": "server_vad", "silence_duration_ms": 200}}


@pytest.fixture
async def client(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[TestClient[Any, Any]]:
    monkeypatch.setattr(peer, "THINK_S", 0)
    async with TestClient(TestServer(peer.application())) as one:
        yield one


async def said(socket: ClientWebSocketResponse, last: str) -> list[str]:
    """The kinds of all events up to one, each held against the official client's types."""
    kinds: list[str] = []
    while last not in kinds:
        event = await socket.receive_json()
        assert not (wrong := fault(event, FROM_THEM)), wrong
        kinds.append(event["type"])
    return kinds


async def test_it_answers_who_has_spoken(client: TestClient[Any, Any]) -> None:
    socket = await client.ws_connect("/v1/realtime")
    await socket.send_json({"type": "session.update", "session": {"audio": {"input": SETUP}}})
    assert await said(socket, "session.updated") == ["session.created", "session.updated"]
    for audio in [QUIET, LOUD, LOUD, *[QUIET] * 10]:
        await socket.send_json({"type": "input_audio_buffer.append", "audio": audio})
    kinds = await said(socket, "response.done")
    assert list(dict.fromkeys(kinds)) == [
        "input_audio_buffer.speech_started",
        "input_audio_buffer.speech_stopped",
        "response.created",
        "response.output_item.added",
        "response.output_audio.delta",
        "response.output_audio_transcript.delta",
        "response.output_item.done",
        "response.done",
    ]


async def test_it_tells_when_it_heard_and_spoke(client: TestClient[Any, Any]) -> None:
    socket = await client.ws_connect("/v1/realtime")
    for audio in [LOUD, *[QUIET] * 25]:
        await socket.send_json({"type": "input_audio_buffer.append", "audio": audio})
    await said(socket, "response.done")
    await socket.send_json({"type": "session.update", "session": {"type": "realtime"}})
    await said(socket, "session.updated")
    (turn,) = json.loads(await (await client.get("/turns")).text())
    assert turn["frame"] == LOUD
    assert turn["came_ms"] < turn["sent_ms"]


def test_a_pause_is_no_end() -> None:
    hearing = Hearing()
    pause = [hearing.take(audio, 0) for audio in [LOUD, *[QUIET] * 24, LOUD]]
    assert [heard for heard in pause if heard] == ["started"]


def test_speech_has_stopped_when_it_was_quiet_for_so_long() -> None:
    hearing = Hearing()
    heard = [hearing.take(audio, at) for at, audio in enumerate([LOUD, LOUD, *[QUIET] * 25])]
    assert (heard[-1], hearing.last_ms, hearing.heard_ms) == ("stopped", 1, 27 * 20)
