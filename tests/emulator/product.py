"""A tiny application behind Twilio, written for these tests: it answers with the TwiML that it was given and
writes down whatever it hears."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web
from aiohttp.test_utils import TestServer

from tests.emulator import patience


@dataclass
class Heard:
    """One request as it came."""

    path: str
    query: str
    method: str
    form: dict[str, str]
    headers: dict[str, str]


@dataclass
class Socket:
    """One media socket: its handshake headers and messages, in order."""

    path: str
    headers: list[tuple[str, str]]
    ws: web.WebSocketResponse
    transport: asyncio.Transport
    messages: list[dict[str, Any]] = field(default_factory=list)
    close_code: int | None = None
    over: bool = False

    def of(self, event: str) -> list[dict[str, Any]]:
        return [message for message in self.messages if message["event"] == event]

    async def say(self, message: dict[str, Any]) -> None:
        await self.ws.send_str(json.dumps(message))


class Product:
    """`answers[path]` is the TwiML (or status) for that path; a list is used up one by one."""

    def __init__(self) -> None:
        self.answers: dict[str, Any] = {}
        self.requests: list[Heard] = []
        self.sockets: list[Socket] = []
        self.refuse_sockets = False
        self._changed = asyncio.Event()
        app = web.Application()
        app.router.add_get("/media/{rest:.*}", self._media)
        app.router.add_route("*", "/{rest:.*}", self._request)
        self.server = TestServer(app)

    @property
    def url(self) -> str:
        return str(self.server.make_url("")).rstrip("/")

    @property
    def socket_url(self) -> str:
        return self.url.replace("http", "ws", 1)

    def asked(self, path: str) -> list[Heard]:
        return [request for request in self.requests if request.path == path]

    def forms(self, path: str, **fields: str) -> list[dict[str, str]]:
        """The forms posted there that have these fields."""
        return [r.form for r in self.asked(path) if fields.items() <= r.form.items()]

    async def until(self, condition: Callable[[], Any]) -> Any:
        """Wait until it holds; it is looked at again whenever something was heard.

        Raises AssertionError, with what was heard last, when it does not come to hold.
        """
        return await patience.until(condition, self._changed, self._heard)

    def _heard(self) -> dict[str, Any]:
        """The last of what came, for a test that waited for something else."""
        return {
            "requests": [(r.method, r.path, r.query, r.form) for r in self.requests[-10:]],
            "sockets": [(s.path, s.over, len(s.messages), s.messages[-1:]) for s in self.sockets],
        }

    def _tell(self) -> None:
        self._changed.set()

    async def _request(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        heard = Heard(
            request.path, request.rel_url.raw_query_string, request.method, form, dict(request.headers)
        )
        self.requests.append(heard)
        self._tell()
        answer = self.answers.get(request.path, "<Response/>")
        if isinstance(answer, list):
            answer = answer.pop(0)
        if isinstance(answer, web.Response):
            return answer
        return web.Response(text=answer, content_type="text/xml")

    async def _media(self, request: web.Request) -> web.StreamResponse:
        if self.refuse_sockets:
            return web.Response(status=403)
        ws = web.WebSocketResponse(compress=False)
        await ws.prepare(request)
        assert isinstance(request.transport, asyncio.Transport)
        socket = Socket(request.path, list(request.headers.items()), ws, request.transport)
        self.sockets.append(socket)
        self._tell()
        try:
            async for message in ws:
                if message.type is WSMsgType.TEXT:
                    socket.messages.append(json.loads(message.data))
                    self._tell()
        finally:
            socket.close_code, socket.over = ws.close_code, True
            self._tell()
        return ws
