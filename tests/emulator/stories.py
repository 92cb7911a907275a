"""Random calls: what the product answers, what people do, what happens in between; and such a product."""

from __future__ import annotations

import asyncio
import base64
import json
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web
from aiohttp.test_utils import TestServer
from hypothesis import strategies as st

from emulator.people.scripts import Act, Part, Script
from tests.emulator import patience
from tests.emulator.product import Heard

RECORDINGS = ("cmd_today.wav", "cmd_two_people.wav", "cmd_weather.wav")
KEYS = "1234567890*#"
LONGEST_S = 40.0
UNI = ("listen", "close", "drop", "refuse", "talk")
BI = ("listen", "close", "drop", "refuse", "echo", "interrupt", "nonsense")
EVENTS = "initiated ringing answered completed"


@dataclass(frozen=True)
class Story:
    """One call: the verbs of each document, the people, and (seconds, what) that happens from outside."""

    documents: tuple[tuple[str, ...], ...]
    caller: tuple[Act, ...]
    callee: tuple[Act, ...]
    reply: str
    events: tuple[tuple[float, str], ...]

    def script(self, name: str) -> Script:
        callee: Any = Part(does=self.callee, reply=self.reply, answer_after=0.4)  # type: ignore[arg-type]
        caller = Part(does=(*self.caller, Act(hang_up=True, after=1.0)))
        return Script(name, caller=caller, callee=callee, hangup_after=None, patience=6.0)


def verbs() -> st.SearchStrategy[str]:
    """One verb; words in braces are addresses that the stage puts in."""
    track = st.sampled_from(["both_tracks", "inbound_track", "outbound_track"] * 3 + ["left_track"])
    name = st.sampled_from(["", "a", "b"])
    start = st.builds(
        lambda track, name, how: (
            f"<Start><Stream url='{{media}}/{how}/' track='{track}' name='{name}'"
            f" statusCallback='{{streams}}'><Parameter name='how' value='{how}'/></Stream></Start>"
        ),
        track,
        name,
        st.sampled_from(UNI),
    )
    connect = st.builds(
        lambda how, track: (
            f"<Connect action='{{next}}'><Stream url='{{media}}/{how}/' track='{track}'"
            " statusCallback='{streams}'/></Connect>"
        ),
        st.sampled_from(BI),
        st.sampled_from(["inbound_track"] * 7 + ["both_tracks"]),
    )
    plain = st.sampled_from(
        [
            "<Say>Hello there</Say>",
            "<Pause length='1'/>",
            "<Pause length='2'/>",
            "<Say>A prompt that takes a while to be said</Say>",
            "<Play digits='12'/>",
            "<Stop><Stream name='a'/></Stop>",
            "<Gather action='{next}' numDigits='2' timeout='1'><Say>Hm</Say></Gather>",
            "<Gather action='{next}' input='speech dtmf' timeout='1' speechTimeout='auto'/>",
            "<Record action='{next}' timeout='1' maxLength='2'/>",
            f"<Dial action='{{next}}' timeLimit='3'><Number statusCallback='{{progress}}' "
            f"statusCallbackEvent='{EVENTS}'>+3120000</Number></Dial>",
            "<Dial timeout='1' answerOnBridge='true'>+3120000</Dial>",
            "<Dial action='{next}' timeLimit='2'><Conference waitUrl='' statusCallback='{rooms}' "
            "statusCallbackEvent='start end join leave'>room {pair}</Conference></Dial>",
            "<Enqueue action='{next}' waitUrl='{wait}'>queue {pair}</Enqueue>",
            "<Dial action='{next}' timeout='2' timeLimit='2'><Queue>queue {pair}</Queue></Dial>",
            "<Start><Transcription statusCallbackUrl='{words}'/></Start>",
            "<Redirect>{next}</Redirect>",
            "<Hangup/>",
            "<Reject/>",
            "<Leave/>",
            "<Tango/>",
        ]
    )
    return st.one_of(start, start, connect, plain, plain, plain)


def acts() -> st.SearchStrategy[Act]:
    """One thing that somebody does."""
    after = st.sampled_from([0.0, 0.1, 0.5, 1.3])
    wait = st.sampled_from(["", "", "", "answered", "gather", "connected", "prompt", "stream"])
    return st.one_of(
        st.builds(Act, wait=wait, after=after, play=st.sampled_from(RECORDINGS)),
        st.builds(Act, wait=wait, after=after, press=st.text(KEYS, min_size=1, max_size=3)),
        st.builds(Act, wait=wait, after=after),
    )


def stories() -> st.SearchStrategy[Story]:
    """One call of at most LONGEST_S."""
    happens = st.sampled_from(["hangup", "complete", "redirect", "twiml", "press", "start", "stop", "drop"])
    return st.builds(
        Story,
        documents=st.lists(st.lists(verbs(), min_size=2, max_size=6).map(tuple), min_size=1, max_size=3).map(
            tuple
        ),
        caller=st.lists(acts(), min_size=1, max_size=4).map(tuple),
        callee=st.lists(acts(), max_size=2).map(tuple),
        reply=st.sampled_from(["answers", "answers", "busy", "no-answer", "failed"]),
        events=st.lists(st.tuples(st.floats(0.1, 8.0), happens), max_size=2).map(tuple),
    )


@dataclass
class Played:
    """One media socket as the product saw it."""

    how: str
    messages: list[dict[str, Any]] = field(default_factory=list)
    over: bool = False


class Stage:
    """The product of these stories: answers each document once, and behaves on sockets as their path says."""

    def __init__(self) -> None:
        self.documents: dict[str, str] = {}
        self.heard: list[Heard] = []
        self.sockets: list[Played] = []
        self._changed = asyncio.Event()
        app = web.Application()
        app.router.add_get("/media/{how}/", self._media)
        app.router.add_route("*", "/{rest:.*}", self._request)
        self.server = TestServer(app)

    @property
    def url(self) -> str:
        return str(self.server.make_url("")).rstrip("/")

    async def until(self, condition: Any) -> None:
        await patience.until(
            condition, self._changed, lambda: f"{len(self.heard)} requests, {[s.how for s in self.sockets]}"
        )

    def put(self, number: int, story: Story) -> str:
        """Lay out a story's documents; the address of the first."""
        base = f"{self.url}/story/{number}"
        for at, verbs in enumerate(story.documents):
            text = "".join(verbs)
            for name, value in {
                "next": f"{base}/{at + 1}/",
                "media": f"{self.url.replace('http', 'ws', 1)}/media",
                "streams": f"{base}/streams/",
                "progress": f"{base}/progress/",
                "rooms": f"{self.url}/rooms/",
                "words": f"{base}/words/",
                "wait": f"{base}/wait/",
                "pair": str(number // 2),
            }.items():
                text = text.replace(f"{{{name}}}", value)
            self.documents[f"/story/{number}/{at}/"] = f"<Response>{text}</Response>"
        self.documents[f"/story/{number}/wait/"] = "<Response><Pause length='3'/><Leave/></Response>"
        return f"{base}/0/"

    async def _request(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        headers = dict(request.headers)
        self.heard.append(
            Heard(request.path, request.rel_url.raw_query_string, request.method, form, headers)
        )
        self._changed.set()
        return web.Response(text=self.documents.get(request.path, "<Response/>"), content_type="text/xml")

    async def _media(self, request: web.Request) -> web.StreamResponse:
        how = request.match_info["how"]
        if how == "refuse":
            return web.Response(status=403)
        ws = web.WebSocketResponse(compress=False)
        await ws.prepare(request)
        socket = Played(how)
        self.sockets.append(socket)
        try:
            async for message in ws:
                if message.type is WSMsgType.TEXT:
                    socket.messages.append(json.loads(message.data))
                    await self._behave(socket, ws, request)
        except (ConnectionError, RuntimeError):
            pass  # we dropped it ourselves
        finally:
            socket.over = True
            self._changed.set()
        return ws

    async def _behave(self, socket: Played, ws: web.WebSocketResponse, request: web.Request) -> None:
        message = socket.messages[-1]
        frames = sum(m["event"] == "media" for m in socket.messages)
        if message["event"] != "media":
            return
        sid, how = message["streamSid"], socket.how
        if frames == 30 and how == "close":
            await ws.close()
        elif frames == 30 and how == "drop" and request.transport is not None:
            request.transport.abort()
        elif frames == 10 and how == "talk":
            await ws.send_json({"event": "mark", "streamSid": sid, "mark": {"name": "hello"}})
        elif how == "echo" and frames <= 60:
            await ws.send_json(
                {"event": "media", "streamSid": sid, "media": {"payload": message["media"]["payload"]}}
            )
            if frames % 10 == 0:
                await ws.send_json({"event": "mark", "streamSid": sid, "mark": {"name": f"{frames}"}})
        elif how == "interrupt" and frames in {5, 25}:
            await self._interrupt(ws, sid, frames)
        elif how == "nonsense" and frames in {3, 6}:
            await ws.send_str("{}")

    async def _interrupt(self, ws: web.WebSocketResponse, sid: str, frames: int) -> None:
        if frames == 5:
            sound = base64.b64encode(b"\x20" * 8000).decode()
            await ws.send_json({"event": "media", "streamSid": sid, "media": {"payload": sound}})
            await ws.send_json({"event": "mark", "streamSid": sid, "mark": {"name": "end"}})
        else:
            await ws.send_json({"event": "clear", "streamSid": sid})
