"""The WebSocket client of a media stream, written out so that it is exactly Twilio's."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, ExitStack, nullcontext
from functools import cache
from urllib.parse import urlsplit

from emulator.media import frames
from emulator.media.cork import Cork
from emulator.media.handshake import ConnectError, Handshake, refused

__all__ = ["ConnectError", "Wire"]

CONNECT_S = 10.0
CLOSE_S = 5.0
# While a server does not read, virtual time waits for it, but not for ever.
HOLD_S = 30.0
SLOW_BYTES = 128 * 1024
# More than this unread, whatever it is, ends the connection.
MAX_UNREAD = 2 << 20
SLOW_READER_BUFFER = 4096
NO_CODE = 1005


class Wire(asyncio.Protocol):
    """One client socket.

    `on_message(opcode, data)` for text and binary messages; `on_gone(code, broken)` once, when the server
    closed (its code, 1005 without one), broke off (code None), or broke the framing rules (broken true).
    `hold` is entered while the server is behind with reading; `cork` may keep back what is sent.
    """

    def __init__(
        self,
        on_message: Callable[[int, bytes], None],
        on_gone: Callable[[int | None, bool], None],
        hold: Callable[[], AbstractContextManager[None]] = nullcontext,
        cork: Cork | None = None,
    ) -> None:
        self._on_message = on_message
        self._on_gone = on_gone
        self._hold = hold
        self._held = ExitStack()
        self._read_rate = 0
        self._next_read: asyncio.TimerHandle | None = None
        self._assembler = frames.Assembler()
        self._handshake = Handshake()
        self._upgraded: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._transport: asyncio.Transport | None = None
        self._open = False
        self._silent = False
        # How text is written: there while the socket is open.
        self._write: Callable[[bytes], None] | None = None
        self._cork = cork or Cork()
        self._waiting: list[bytes] = []
        self.behind = False
        self.bytes_sent = 0

    async def connect(self, url: str, signature: str | None) -> None:
        """Open the socket. Raises ConnectError."""
        parts = urlsplit(url)
        secure = parts.scheme == "wss"
        try:
            async with asyncio.timeout(CONNECT_S):
                await asyncio.get_running_loop().create_connection(
                    lambda: self,
                    parts.hostname or "",
                    parts.port or (443 if secure else 80),
                    ssl=_trust() if secure else None,
                )
                self._send_raw(self._handshake.request(parts.netloc, parts.path or "/", signature))
                await self._upgraded
        except ConnectError:
            self.abort()
            raise
        except TimeoutError as error:
            self.abort()
            raise ConnectError(31901, "Stream - Connection - Timeout") from error
        except OSError as error:
            raise _unreached(error, secure) from error

    def send(self, texts: Iterable[bytes]) -> None:
        """Send text messages in one write. Whoever can leave some out looks at `behind` first."""
        if self._write is None:
            return
        data = frames.text_frames(texts)
        if self._cork.is_in:
            if not self._waiting:
                self._cork.waiting.append(self)
            self._waiting.append(data)
        elif self.behind:
            self._send_raw(data)
        else:
            self._write(data)
            self.bytes_sent += len(data)

    def flush(self) -> None:
        """Write what the cork has kept back."""
        if self._waiting:
            self._send_raw(b"".join(self._waiting))
            self._waiting.clear()

    async def close(self, code: int = 1000) -> None:
        """Close in order, waiting a little for the server."""
        if not self._open:
            return
        self._shut()
        self._send_raw(frames.masked(frames.CLOSE, struct.pack("!H", code)))
        await self._leave()

    async def end(self) -> None:
        """End the connection without a closing message, as a program that dies does (FIN)."""
        self._shut()
        transport = self._transport
        # TLS knows no half-closed connection: there the close that follows is all.
        if transport is not None and not transport.is_closing() and transport.can_write_eof():
            transport.write_eof()
        await self._leave()

    async def _leave(self) -> None:
        if self._transport is None:
            return
        await asyncio.wait({self._lost}, timeout=CLOSE_S)
        if self._transport.get_write_buffer_size():
            # A server that reads nothing would keep the socket for ever.
            self.abort()
        self._transport.close()

    def abort(self) -> None:
        """Reset the connection without a word (RST)."""
        self._shut()
        if self._transport is None or self._transport.is_closing():
            return
        sock = self._transport.get_extra_info("socket")
        if sock is not None:
            # Without lingering a close is a reset.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._transport.abort()

    def fall_silent(self) -> None:
        """Send and read nothing more and leave the connection half open, as behind a broken tunnel."""
        self.flush()
        self._silent, self._write = True, None
        if self._transport is not None:
            self._transport.pause_reading()

    def read_slowly(self, rate: int) -> None:
        """Read so many bytes of the server a second, 0 for all at once; the server's own buffers fill up."""
        self._read_rate = rate
        if not rate and self._next_read is not None:
            self._next_read.cancel()
            self._read_on()
        if rate and self._transport is not None:
            sock = self._transport.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SLOW_READER_BUFFER)

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.set_write_buffer_limits(high=SLOW_BYTES)
        self.read_slowly(self._read_rate)

    def data_received(self, data: bytes) -> None:
        if self._read_rate and self._transport is not None:
            self._transport.pause_reading()
            pause_s = len(data) / self._read_rate
            self._next_read = asyncio.get_running_loop().call_later(pause_s, self._read_on)
        if not self._handshake.done:
            data = self._read_head(data)
        if data and self._open:
            self._read_messages(data)

    def _read_on(self) -> None:
        self._next_read = None
        if self._transport is not None and not self._transport.is_closing() and not self._silent:
            self._transport.resume_reading()

    def pause_writing(self) -> None:
        self.behind = True
        self._held.enter_context(self._hold())
        patience = asyncio.get_running_loop().call_later(HOLD_S, self._held.close)
        self._held.callback(patience.cancel)

    def resume_writing(self) -> None:
        self.behind = False
        self._held.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail(refused())
        if not self._lost.done():
            self._lost.set_result(None)
        self._held.close()
        self._gone(None)

    # reading

    def _read_head(self, data: bytes) -> bytes:
        try:
            rest = self._handshake.feed(data)
        except ConnectError as error:
            self._fail(error)
            return b""
        if self._handshake.done and not self._upgraded.done():
            self._open = True
            self._write = self._transport.write if self._transport is not None else None
            self._upgraded.set_result(None)
        return rest

    def _fail(self, error: ConnectError) -> None:
        if not self._upgraded.done():
            self._upgraded.set_exception(error)

    def _read_messages(self, data: bytes) -> None:
        try:
            for message in self._assembler.feed(data):
                if self._open:
                    self._take(message)
        except frames.FramingError:
            self._gone(None, broken=True)
            self.abort()

    def _take(self, message: frames.Message) -> None:
        if message.opcode == frames.PING:
            self._send_raw(frames.masked(frames.PONG, message.data))
        elif message.opcode == frames.CLOSE:
            self._closed_by_server(message.data)
        elif message.opcode != frames.PONG:
            self._on_message(message.opcode, message.data)

    def _closed_by_server(self, data: bytes) -> None:
        code = int.from_bytes(data[:2], "big") if len(data) >= 2 else NO_CODE
        self._send_raw(frames.masked(frames.CLOSE, data[:2]))
        self._gone(code)
        if self._transport is not None:
            self._transport.close()

    def _gone(self, code: int | None, broken: bool = False) -> None:
        was_open = self._open
        self._shut()
        if was_open:
            self._on_gone(code, broken)

    # writing

    def _shut(self) -> None:
        """No more messages, but all that were sent."""
        self.flush()
        self._open, self._write = False, None

    def _send_raw(self, data: bytes) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        if self._transport.get_write_buffer_size() > MAX_UNREAD:
            # A server that asks for answers and reads none of them: it broke the connection, not we.
            self._gone(None)
            self.abort()
            return
        self._transport.write(data)
        self.bytes_sent += len(data)


@cache
def _trust() -> ssl.SSLContext:
    return ssl.create_default_context()


def _unreached(error: OSError, secure: bool) -> ConnectError:
    """What Twilio calls it; a connection that breaks while TLS is agreed on had no TLS."""
    broken = isinstance(error, ssl.SSLError | ConnectionResetError | ConnectionAbortedError)
    if secure and broken:
        return ConnectError(31910, "Stream - Websocket - SSL Protocol Error")
    return ConnectError(31902, "Stream - Connection - Refused")
