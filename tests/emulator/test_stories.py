"""For 1,000 random calls the truth log, the callbacks and the messages on the sockets tell one story."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.emulator.conftest import ACCOUNT_SID, ALICE, TOKEN, Box, emulator
from tests.emulator.stories import LONGEST_S, Played, Stage, Story, stories

TOGETHER = 20
ROUNDS = 50
ORDER = {"queued": 0, "initiated": 0, "ringing": 1, "in-progress": 2}
LAST = {"completed", "busy", "no-answer", "failed", "canceled"}


@settings(
    max_examples=ROUNDS,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(st.lists(stories(), min_size=TOGETHER, max_size=TOGETHER))
async def test_truth_callbacks_and_sockets_tell_one_story(told: list[Story]) -> None:
    async with theatre() as (stage, box):
        calls = begin(stage, box, told)
        await play(box, told, calls)
        await stage.until(lambda: all(socket.over for socket in stage.sockets))
        await heard_out(stage, box)
        log = await box.get("/emulator/log/")
        for call in log["calls"]:
            the_call_has_ended_in_order(call)
            its_callbacks_are_what_was_heard(stage, call)
            for stream in call["streams"]:
                the_stream_is_what_its_socket_got(stage, stream)
                its_party_said_what_the_log_says(stage, box, stream)
                its_own_callbacks_tell_its_life(call, stream)
        nothing_is_left(box, log)


@asynccontextmanager
async def theatre() -> AsyncIterator[tuple[Stage, Box]]:
    stage = Stage()
    await stage.server.start_server()
    async with emulator(stage.url) as box:
        yield stage, box
    await stage.server.close()


def begin(stage: Stage, box: Box, told: list[Story]) -> list[str]:
    """Every story begins at once, each with a number of its own."""
    calls = []
    for number, story in enumerate(told):
        to = f"+1555{number:07}"
        line = box.exchange.world.number(to)
        line.voice_url = stage.put(number, story)
        line.status_callback = f"{stage.url}/story/{number}/status/"
        calls.append(box.exchange.incoming(ALICE, to, script=story.script(f"story {number}")).call.sid)
    return calls


async def play(box: Box, told: list[Story], calls: list[str]) -> None:
    """Let time pass, and what happens from outside happen in its time."""
    happens = sorted((at, number, what) for number, story in enumerate(told) for at, what in story.events)
    passed = 0.0
    async with aiohttp.ClientSession() as http:
        for at, number, what in happens:
            await box.clock.advance(at - passed)
            passed = at
            await intervene(http, box, calls[number], number, what)
        await box.clock.advance(LONGEST_S - passed)


async def intervene(http: aiohttp.ClientSession, box: Box, sid: str, number: int, what: str) -> None:
    """Somebody hangs up or presses a key, the product uses the REST API, a socket breaks."""
    call = f"{box.url}/2010-04-01/Accounts/{ACCOUNT_SID}/Calls/{sid}"
    target = box.exchange.world.target
    socket = target.replace("http", "ws", 1) + "/media/listen/"
    url, body = {
        "hangup": (f"/emulator/calls/{sid}/hangup/", None),
        "press": (f"/emulator/calls/{sid}/press/", None),
        "complete": (f"{call}.json", {"Status": "completed"}),
        "redirect": (f"{call}.json", {"Url": f"{target}/story/{number}/1/"}),
        "twiml": (f"{call}.json", {"Twiml": "<Response><Pause length='1'/></Response>"}),
        "start": (f"{call}/Streams.json", {"Url": socket, "Track": "both_tracks", "Name": "rest"}),
        "stop": (f"{call}/Streams/rest.json", {"Status": "stopped"}),
        "drop": ("/emulator/faults/", None),
    }[what]
    if body is not None:
        headers = {"Authorization": aiohttp.encode_basic_auth(ACCOUNT_SID, TOKEN)}
        async with http.post(url, data=body, headers=headers) as answer:
            assert answer.status in {200, 201, 400, 404}
        return
    live = [s.sid for s in box.exchange.legs[sid].streams if s.live]
    given = {"press": {"digits": "7"}, "drop": {"drop_stream": live[0] if live else "MZ0"}}.get(what, {})
    status, _ = await box.post(url, given)
    assert status in {200, 404}


async def heard_out(stage: Stage, box: Box) -> None:
    """Until no request is on its way."""
    written = 0
    while written != (written := sum(len(leg.call.webhooks) for leg in box.exchange.legs.values())):
        for _ in range(50):
            await asyncio.sleep(0)
    await stage.until(lambda: len(stage.heard) >= written)


def the_call_has_ended_in_order(call: dict[str, Any]) -> None:
    statuses = [change["status"] for change in call["statuses"]]
    assert statuses[-1] in LAST
    assert call["status"] == statuses[-1]
    assert [ORDER[status] for status in statuses[:-1]] == sorted({ORDER[status] for status in statuses[:-1]})
    assert ("in-progress" in statuses) == (call["started"] is not None)
    assert call["created"] <= (call["started"] or call["created"]) <= call["ended"]


def its_callbacks_are_what_was_heard(stage: Stage, call: dict[str, Any]) -> None:
    """Each webhook of the log came, with the same fields; call progress in its order."""
    mine = [heard.form for heard in stage.heard if heard.form.get("CallSid") == call["call_sid"]]
    for hook in call["webhooks"]:
        if hook["method"] == "POST":
            assert hook["form"] in mine, hook
    progress = [form for form in mine if "CallbackSource" in form]
    progress.sort(key=lambda form: int(form["SequenceNumber"]))
    assert [form["SequenceNumber"] for form in progress] == [str(n) for n in range(len(progress))]
    told = [form["CallStatus"] for form in progress]
    happened = [change["status"] for change in call["statuses"]]
    assert [status for status in told if status != "initiated"] == [s for s in happened if s in told]
    if told:
        assert told[-1] == call["status"]


def the_stream_is_what_its_socket_got(stage: Stage, stream: dict[str, Any]) -> None:
    socket = next((s for s in stage.sockets if sid_of(s) == stream["stream_sid"]), None)
    if socket is None:
        assert stream["frames_sent"] == dict.fromkeys(stream["tracks"], 0)
        return
    events = [message["event"] for message in socket.messages]
    assert events[:2] == ["connected", "start"]
    start = socket.messages[1]["start"]
    assert (start["tracks"], start["callSid"]) == (stream["tracks"], stream["call_sid"])
    assert start["customParameters"] == stream["parameters"]
    numbers = [int(message["sequenceNumber"]) for message in socket.messages[1:]]
    assert numbers == list(range(1, len(numbers) + 1))
    whole = "stop" in events
    assert not whole or (events[-1], events.count("stop")) == ("stop", 1)
    assert whole or stream["error"] or "closed by" in stream["reason"] or "fault" in stream["reason"]
    for track in stream["tracks"]:
        the_track_is_whole(socket, stream, track, whole)
    if stream["direction"] == "unidirectional":
        assert not {"dtmf", "mark"} & set(events)
    else:
        marks = [m["mark"]["name"] for m in socket.messages if m["event"] == "mark"]
        returned = [c["name"] for c in stream["commands"] if c["event"] == "mark-returned"]
        assert marks == returned[: len(marks)]
        assert not whole or marks == returned


def the_track_is_whole(socket: Played, stream: dict[str, Any], track: str, whole: bool) -> None:
    """Numbering without holes, 20 ms apart, and byte for byte what the log says was sent."""
    media = [m["media"] for m in socket.messages if m["event"] == "media" and m["media"]["track"] == track]
    assert [int(m["chunk"]) for m in media] == list(range(1, len(media) + 1))
    times = [int(m["timestamp"]) for m in media]
    assert times == [(times or [0])[0] + 20 * n for n in range(len(media))]
    if not whole:
        assert len(media) <= stream["frames_sent"][track]
        return
    assert len(media) == stream["frames_sent"][track]
    raw = b"".join(base64.b64decode(m["payload"]) for m in media)
    assert len(raw) == 160 * len(media)
    assert hashlib.sha256(raw).hexdigest() == stream["sent_sha256"][track]
    if media:
        assert (times[0], times[-1]) == (stream["first_ms"], stream["last_ms"])


def its_party_said_what_the_log_says(stage: Stage, box: Box, stream: dict[str, Any]) -> None:
    """The recordings that the log names are in the inbound bytes, in their place; between them is silence."""
    socket = next((s for s in stage.sockets if sid_of(s) == stream["stream_sid"]), None)
    if socket is None or "inbound" not in stream["tracks"]:
        return
    media = [m["media"] for m in socket.messages if m["event"] == "media"]
    raw = b"".join(base64.b64decode(m["payload"]) for m in media if m["track"] == "inbound")
    expected = bytearray(b"\xff" * len(raw))
    for piece in stream["played"]:
        if piece["track"] == "inbound":
            sound = box.exchange.scripts.library.sound(piece["file"], piece["channel"])
            said = b"".join(frame.raw for frame in sound.frames)
            at = (piece["stream_from_ms"] - stream["first_ms"]) * 8
            part = said[piece["file_from_ms"] * 8 : piece["file_to_ms"] * 8]
            expected[at : at + len(part)] = part
    assert bytes(expected[: len(raw)]) == raw


def its_own_callbacks_tell_its_life(call: dict[str, Any], stream: dict[str, Any]) -> None:
    told = [
        hook["form"]["StreamEvent"]
        for hook in call["webhooks"]
        if hook["form"].get("StreamSid") == stream["stream_sid"] and "StreamEvent" in hook["form"]
    ]
    if stream["made_by"] == "rest":
        assert told == []  # no callback was asked for
        return
    end = "stream-error" if stream["error"] else "stream-stopped"
    assert told in ([end], ["stream-started", end])
    assert stream["status"] == "stopped"


def nothing_is_left(box: Box, log: dict[str, Any]) -> None:
    assert all(not leg.call.live and not leg.live_streams() for leg in box.exchange.legs.values())
    assert all(room["status"] == "completed" for room in log["conferences"])
    assert all(queue["members"] == [] for queue in log["queues"])
    assert all(recording["status"] in {"completed", "absent"} for recording in log["recordings"])
    assert all(not t["live"] for call in log["calls"] for t in call["transcriptions"])
    assert box.exchange.pacer.busy == 0


def sid_of(socket: Played) -> str:
    return str(socket.messages[1]["streamSid"]) if len(socket.messages) > 1 else ""
