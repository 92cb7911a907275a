"""A stand-in for the application of a capture: it answers as that one did, in the same order."""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque

import msgspec
from aiohttp import WSMsgType, web

from emulator.capture import entries
from emulator.capture.addresses import twiml_led_to
from emulator.capture.headers import first
from emulator.capture.reel import Asked, Reel, Socket, SocketLine
from emulator.capture.role import Role


class StandIn:
    """`netloc` is where its own addresses lead: host and port of the recorder before it."""

    def __init__(self, reel: Reel) -> None:
        self.netloc = ""
        self.heard = 0
        self._answers: dict[tuple[str, str], deque[Asked]] = defaultdict(deque)
        self._sockets: dict[str, deque[Socket]] = defaultdict(deque)
        for asked in reel.webhooks:
            self._answers[asked.request.method, asked.request.path].append(asked)
        for socket in reel.sockets:
            self._sockets[socket.handshake.path].append(socket)

    def application(self) -> web.Application:
        """As an aiohttp application."""
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._serve)
        return app

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        self.heard += 1
        if request.headers.get("Upgrade", "").lower() == "websocket":
            return await self._socket(request)
        waiting = self._answers.get((request.method, request.path))
        if not waiting:
            return web.Response(status=404)
        # What is asked more often than in the capture is answered as the last time.
        answer = (waiting.popleft() if len(waiting) > 1 else waiting[0]).answer
        if answer is None:
            _break_off(request)
            return web.Response()
        return self._answer(answer)

    def _answer(self, answer: entries.Answer) -> web.Response:
        kind = first([(n, v or "") for n, v in answer.headers], "content-type").partition(";")[0]
        text = twiml_led_to(answer.twiml, self.netloc)
        return web.Response(status=answer.status, text=text, content_type=kind or "text/plain")

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        waiting = self._sockets.get(request.path)
        if not waiting:
            return web.Response(status=404)
        recorded = waiting.popleft() if len(waiting) > 1 else waiting[0]
        status = recorded.handshake.status
        if status == 0 and recorded.gone and recorded.gone[0].sender == "application":
            _break_off(request)
            return web.Response()
        if status == 0:
            await asyncio.Event().wait()  # until Twilio's side gives up
        if status != 101:
            return web.Response(status=status)
        ws = web.WebSocketResponse(compress=False)
        await ws.prepare(request)
        await self._play(request, ws, Role(recorded))
        return ws

    async def _play(self, request: web.Request, ws: web.WebSocketResponse, role: Role) -> None:
        for line in role.due():
            await _say(request, ws, role, line)
        async for message in ws:
            self.heard += 1
            if message.type is WSMsgType.TEXT:
                role.heard(msgspec.json.decode(message.data))
                for line in role.due():
                    await _say(request, ws, role, line)


async def _say(request: web.Request, ws: web.WebSocketResponse, role: Role, line: SocketLine) -> None:
    match line:
        case entries.Closed():
            await ws.close(code=line.code or 1000)
        case entries.Gone():
            _break_off(request)
        case entries.Message(form="ping"):
            await ws.ping()
        case entries.Message(form="binary"):
            await ws.send_bytes(bytes(min(line.bytes, 1 << 20)))
        case entries.Message(form="text"):
            await ws.send_str(role.text(line))


def _break_off(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.abort()
