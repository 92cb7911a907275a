"""For 1,000 random calls the truth log, the callbacks and the messages on the sockets tell one story."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from emulator.world import iso
from tests.emulator.actions import Actions
from tests.emulator.conftest import ACCOUNT_SID, ALICE, TOKEN, Box, emulator
from tests.emulator.hearing import the_outbound_track_is_what_was_heard
from tests.emulator.stage import Played, Stage
from tests.emulator.stories import LONGEST_S, Story, pairs
from tests.emulator.witness import Witness

TOGETHER = 20
ROUNDS = 50
ORDER = {"queued": 0, "initiated": 0, "ringing": 1, "in-progress": 2}
LAST = {"completed", "busy", "no-answer", "failed", "canceled"}
AUTHORIZED = {"Authorization": aiohttp.encode_basic_auth(ACCOUNT_SID, TOKEN)}


@settings(
    max_examples=ROUNDS,
    derandomize=True,
    database=None,
    # To make twenty calls smaller takes minutes and tells no more than the failure does.
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@given(st.lists(pairs(), min_size=TOGETHER // 2, max_size=TOGETHER // 2))
async def test_truth_callbacks_and_sockets_tell_one_story(two_by_two: list[tuple[Story, Story]]) -> None:
    told = [story for two in two_by_two for story in two]
    async with theatre() as (stage, box):
        witness = Witness(box)
        calls = begin(stage, box, told, witness)
        redirects = await play(box, told, calls)
        await stage.until(lambda: all(socket.over for socket in stage.sockets))
        await heard_out(stage, box)
        log = await box.get("/emulator/log/")
        actions = Actions(box, log, witness, redirects)
        for call in log["calls"]:
            the_call_has_ended_in_order(call)
            its_callbacks_are_what_was_heard(stage, call)
            actions.check(call)
            for stream in call["streams"]:
                the_stream_is_what_its_socket_got(stage, stream)
                its_party_said_what_the_log_says(stage, box, stream)
                its_party_heard_what_was_said(stage, box, witness, stream)
                its_own_callbacks_tell_its_life(call, stream)
        nothing_is_left(box, log)


@asynccontextmanager
async def theatre() -> AsyncIterator[tuple[Stage, Box]]:
    stage = Stage()
    await stage.server.start_server()
    async with emulator(stage.url) as box:
        yield stage, box
    await stage.server.close()


def begin(stage: Stage, box: Box, told: list[Story], witness: Witness) -> list[str]:
    """Every story begins at once, each with a number of its own."""
    calls = []
    for number, story in enumerate(told):
        to = f"+1555{number:07}"
        line = box.exchange.world.number(to)
        line.voice_url = stage.put(number, story)
        line.status_callback = f"{stage.url}/story/{number}/status/"
        leg = box.exchange.incoming(ALICE, to, script=story.script(f"story {number}"))
        witness.watch(leg)
        calls.append(leg.call.sid)
    return calls


async def play(box: Box, told: list[Story], calls: list[str]) -> list[tuple[str, str]]:
    """Let time pass, and what happens from outside happen in its time; which calls were redirected when."""
    happens = sorted((at, number, what) for number, story in enumerate(told) for at, what in story.events)
    passed, redirects = 0.0, []
    async with aiohttp.ClientSession(headers=AUTHORIZED) as http:
        for at, number, what in happens:
            await box.clock.advance(at - passed)
            passed = at
            if what in {"redirect", "twiml", "twice"}:
                redirects.append((calls[number], str(iso(box.clock.now()))))
            await intervene(http, box, calls, number, what)
        await box.clock.advance(LONGEST_S - passed)
    return redirects


async def intervene(http: aiohttp.ClientSession, box: Box, calls: list[str], number: int, what: str) -> None:
    """Somebody hangs up or presses a key, the product uses the REST API, a socket breaks."""
    sid = calls[number]
    live = [s.sid for s in box.exchange.legs[sid].streams if s.live]
    by_hand: dict[str, tuple[str, dict[str, str]]] = {
        "hangup": (f"/emulator/calls/{sid}/hangup/", {}),
        "press": (f"/emulator/calls/{sid}/press/", {"digits": "7"}),
        "drop": ("/emulator/faults/", {"drop_stream": live[0] if live else "MZ0"}),
    }
    if what in by_hand:
        status, _ = await box.post(*by_hand[what])
        assert status in {200, 404}
        return
    account = f"{box.url}/2010-04-01/Accounts/{ACCOUNT_SID}"
    both = ("redirect", "twiml") if what == "twice" else (what,)
    # Twice: the second is on its way before the first is answered.
    await asyncio.gather(*(ask(http, account, *order(box, calls, number, one)) for one in both))


def order(box: Box, calls: list[str], number: int, what: str) -> tuple[str, dict[str, str] | None]:
    """The address and the fields of a REST request; without fields it deletes."""
    sid, target = calls[number], box.exchange.world.target
    call, member = f"Calls/{sid}", f"Conferences/room {number // 2}/Participants/{sid}.json"
    socket = target.replace("http", "ws", 1) + "/media/listen/"
    orders: dict[str, tuple[str, dict[str, str] | None]] = {
        "complete": (f"{call}.json", {"Status": "completed"}),
        "redirect": (f"{call}.json", {"Url": f"{target}/story/{number}/1/"}),
        "twiml": (f"{call}.json", {"Twiml": "<Response><Pause length='1'/></Response>"}),
        "start": (f"{call}/Streams.json", {"Url": socket, "Track": "both_tracks", "Name": "rest"}),
        "stop": (f"{call}/Streams/rest.json", {"Status": "stopped"}),
        "hold": (member, {"Hold": "true", "HoldUrl": ""}),
        "music": (member, {"Hold": "true"}),
        "resume": (member, {"Hold": "false"}),
        "mute": (member, {"Muted": "true"}),
        "unmute": (member, {"Muted": "false"}),
        "coach": (member, {"Coaching": "true", "CallSidToCoach": calls[number ^ 1]}),
        "remove": (member, None),
    }
    return orders[what]


async def ask(http: aiohttp.ClientSession, account: str, path: str, fields: dict[str, str] | None) -> None:
    """Use the REST API; the call may be over, or may not do that now."""
    method = "DELETE" if fields is None else "POST"
    async with http.request(method, f"{account}/{path}", data=fields) as answer:
        assert answer.status in {200, 201, 204, 400, 404}


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


def its_party_heard_what_was_said(stage: Stage, box: Box, witness: Witness, stream: dict[str, Any]) -> None:
    """Outbound: what the log says of prompts, tones and others, and of whoever it was connected with all."""
    socket = next((s for s in stage.sockets if sid_of(s) == stream["stream_sid"]), None)
    if socket is None or "outbound" not in stream["tracks"]:
        return
    media = [m["media"] for m in socket.messages if m["event"] == "media"]
    raw = b"".join(base64.b64decode(m["payload"]) for m in media if m["track"] == "outbound")
    the_outbound_track_is_what_was_heard(box, witness, stream["stream_sid"], stream, raw)


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
    for leg in box.exchange.legs.values():
        assert (leg.call.live, leg.live_streams()) == (False, [])
        assert (leg._program, leg.bridge, leg.listeners) == (None, None, [])
    assert all(room["status"] == "completed" for room in log["conferences"])
    assert all(member["left"] for room in log["conferences"] for member in room["members"])
    assert all(room["expected"] == [] for room in log["conferences"])
    assert all(queue["members"] == [] for queue in log["queues"])
    assert all(recording["status"] in {"completed", "absent"} for recording in log["recordings"])
    assert all(not t["live"] for call in log["calls"] for t in call["transcriptions"])
    assert box.exchange.pacer.busy == 0


def sid_of(socket: Played) -> str:
    return str(socket.messages[1]["streamSid"]) if len(socket.messages) > 1 else ""
