"""The socket of a browser's phone.

Text is JSON (emulator/phone/messages.py says what a page may send); binary is mu-law at 8 kHz, 20 ms in a
message, of the one call that the page holds. Told to it: `connected`, `registered`, `unregistered`,
`incoming`, `cancel`, `ringing`, `answer`, `hangup`, `resumed`, `message`, `sent`, `pong` and `error`.
"""

from __future__ import annotations

import asyncio
import json
import logging
from typing import Any

from aiohttp import WSCloseCode, WSMessage, WSMsgType, web

from emulator.audio.sound import FRAME_BYTES, SILENCE, Frame
from emulator.doors import reading
from emulator.doors.keeper import may_phone
from emulator.exchange import Exchange
from emulator.phone import messages as phone_messages
from emulator.phone import phone
from emulator.phone.handset import Handset
from emulator.phone.softphone import MAX_BROWSERS
from emulator.rest.envelope import EXCHANGE

logger = logging.getLogger("contactcenter.emulator")

MAX_MESSAGE = 16 * 1024
MAX_NONSENSE = 20
# Messages a second, and how many at once. A microphone sends 50.
RATE, BURST = 150, 450
# Frames sent and not yet taken by the page: 10 s of sound.
MAX_AHEAD = 500
MAX_WAITING = 2000
BAD, SLOW, TOO_FAST = 4400, 4408, 4429
LAST_WORDS_S = 2.0
HEARTBEAT_S = 10.0
IDENTIFY_S = 10.0


class PhoneSocket:
    """One connection: its rates, its order of sending, its end."""

    def __init__(
        self, exchange: Exchange, ws: web.WebSocketResponse, transport: asyncio.BaseTransport | None
    ) -> None:
        loop = asyncio.get_running_loop()
        self._exchange = exchange
        self._ws = ws
        self._transport = transport
        self._phone = phone.Phone(exchange, self)
        self._out: asyncio.Queue[str | bytes] = asyncio.Queue(MAX_WAITING)
        self._writer: asyncio.Future[None] = loop.create_future()
        self._ahead = 0
        self._nonsense = 0
        self._allowance, self._counted = float(BURST), loop.time()
        self._dropped = False

    # the connection

    async def serve(self) -> None:
        """Until it ends."""
        self._writer = asyncio.ensure_future(self._write())
        patience = asyncio.get_running_loop().call_later(IDENTIFY_S, self._who)
        try:
            async for message in self._ws:
                self._take(message)
        finally:
            patience.cancel()
            self._writer.cancel()
            goodbye = self._ws.close_code in {WSCloseCode.OK, WSCloseCode.GOING_AWAY}
            self._phone.leave(goodbye and not self._dropped)

    def _who(self) -> None:
        if not self._phone.identified:
            self.drop(phone.DENIED, "no token came")

    async def close(self) -> None:
        """The emulator ends."""
        await self._ws.close(code=WSCloseCode.GOING_AWAY, message=b"the emulator ends")

    def drop(self, code: int, why: str) -> None:
        """Let go of a page: one that breaks the rules, or may not be here."""
        if not self._dropped:
            self._dropped = True
            logger.warning("emulator.phone.dropped %s %s", code, why)
            self._exchange.courier.spawn(self._part(code, why))

    async def _part(self, code: int, why: str) -> None:
        """Say what was still to be told and why it is over; whoever does not listen is cut off."""
        self._writer.cancel()
        try:
            async with asyncio.timeout(LAST_WORDS_S):
                while not self._out.empty():
                    if isinstance(piece := self._out.get_nowait(), str):
                        await self._ws.send_str(piece)
                await self._ws.close(code=code, message=why.encode())
        except (ConnectionError, TimeoutError):
            self.abort()

    def abort(self) -> None:
        """Break off without a word."""
        if isinstance(self._transport, asyncio.Transport):
            self._transport.abort()

    # to the page

    def send(self, message: dict[str, Any]) -> None:
        """Send a control message."""
        self._put(json.dumps(message))

    def sound(self, raw: bytes) -> None:
        """Send 20 ms of mu-law; a page that is 10 s behind is dropped."""
        self._ahead += 1
        if self._ahead > MAX_AHEAD:
            self.drop(SLOW, "the page does not take its sound")
        else:
            self._put(raw)

    def taken(self, frames: int) -> None:
        """The page has taken so many frames of sound."""
        self._ahead = max(0, self._ahead - max(0, frames))

    def _put(self, piece: str | bytes) -> None:
        if self._dropped:
            return
        try:
            self._out.put_nowait(piece)
        except asyncio.QueueFull:
            self.drop(SLOW, "the page does not read")

    async def _write(self) -> None:
        while True:
            piece = await self._out.get()
            try:
                if isinstance(piece, str):
                    await self._ws.send_str(piece)
                else:
                    await self._ws.send_bytes(piece)
            except ConnectionError:
                return

    # from the page

    def _take(self, message: WSMessage) -> None:
        if self._dropped:
            return
        if not self._within_rate():
            self._error(31206, "Rate exceeded authorized limit")
            self.drop(TOO_FAST, "too many messages")
        elif message.type is WSMsgType.BINARY:
            self._listen(message.data)
        elif message.type is WSMsgType.TEXT:
            self._obey(message.data)

    def _within_rate(self) -> bool:
        now = asyncio.get_running_loop().time()
        self._allowance = min(BURST, self._allowance + (now - self._counted) * RATE) - 1
        self._counted = now
        return self._allowance >= 0

    def _listen(self, data: bytes) -> None:
        if len(data) != FRAME_BYTES:
            self._puzzled(f"a sound message has {FRAME_BYTES} bytes of mu-law")
        else:
            self._phone.listen(SILENCE if data == SILENCE.raw else Frame.of(data))

    def _obey(self, text: str) -> None:
        try:
            words = phone_messages.decode(text)
        except phone_messages.Nonsense as error:
            self._puzzled(str(error))
            return
        self._phone.obey(words)

    def _puzzled(self, why: str) -> None:
        self._nonsense += 1
        self._error(31100, f"The request had malformed syntax: {why}"[:500])
        if self._nonsense >= MAX_NONSENSE:
            self.drop(BAD, "too much that cannot be understood")

    def _error(self, code: int, message: str) -> None:
        self.send({"type": "error", "error": {"code": code, "message": message}})


def routes() -> list[web.RouteDef]:
    """The socket's address, and messages to and from the page that holds a call."""
    return [
        web.get("/emulator/softphone/", connect),
        web.get("/emulator/calls/{call}/messages/", show_messages),
        web.post("/emulator/calls/{call}/messages/", send_message),
    ]


async def connect(request: web.Request) -> web.StreamResponse:
    """A page's phone: 403 for a foreign origin, 503 when there are too many."""
    exchange = request.app[EXCHANGE]
    if not may_phone(request):
        raise web.HTTPForbidden(text="a softphone is served to pages of the target and of this machine\n")
    if len(exchange.softphones.open) >= MAX_BROWSERS:
        raise web.HTTPServiceUnavailable(text="too many softphones\n")
    ws = web.WebSocketResponse(
        max_msg_size=MAX_MESSAGE, heartbeat=HEARTBEAT_S, compress=False, timeout=LAST_WORDS_S
    )
    await ws.prepare(request)
    socket = PhoneSocket(exchange, ws, request.transport)
    exchange.softphones.open.add(socket)
    try:
        await socket.serve()
    finally:
        exchange.softphones.open.discard(socket)
    return ws


async def say_goodbye(app: web.Application) -> None:
    """The emulator ends: so do all connections."""
    for socket in list(app[EXCHANGE].softphones.open):
        await socket.close()


async def show_messages(request: web.Request) -> web.Response:
    """What the page that holds a call has sent with sendMessage, the last 100."""
    return web.json_response({"messages": _handset(request).messages})


async def send_message(request: web.Request) -> web.Response:
    """Send the page that holds a call a message: {"content"}; 409 when none holds it now."""
    handset, given = _handset(request), await reading.body(request)
    if not handset.send(given.get("content")):
        raise reading.refused(web.HTTPConflict, "no page holds this call now")
    return web.json_response({"call_sid": handset.sid}, status=201)


def _handset(request: web.Request) -> Handset:
    leg = request.app[EXCHANGE].legs.get(request.match_info["call"])
    if leg is None or not isinstance(leg.party, Handset):
        raise reading.refused(web.HTTPNotFound, "no such call at a softphone")
    return leg.party
