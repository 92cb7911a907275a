"""The product of random calls: answers each document once, and behaves on sockets as their path says."""

from __future__ import annotations

import asyncio
import base64
import json
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web
from aiohttp.test_utils import TestServer

from tests.emulator import patience
from tests.emulator.product import Heard
from tests.emulator.stories import Story


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
                "whisper": f"{base}/whisper/",
                "pair": str(number // 2),
            }.items():
                text = text.replace(f"{{{name}}}", value)
            self.documents[f"/story/{number}/{at}/"] = f"<Response>{text}</Response>"
        self.documents[f"/story/{number}/wait/"] = "<Response><Pause length='3'/><Leave/></Response>"
        self.documents[f"/story/{number}/whisper/"] = (
            f"<Response><Start><Stream url='{self.url.replace('http', 'ws', 1)}/media/listen/'"
            f" track='both_tracks' statusCallback='{base}/streams/'/></Start><Say>For you</Say></Response>"
        )
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
