"""The WebSocket client of a media stream, written out so that its handshake has exactly Twilio's headers."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import os
import random
import socket
import ssl
import struct
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, nullcontext
from urllib.parse import urlsplit

from emulator import frames

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
CONNECT_S = 10.0
CLOSE_S = 5.0
MAX_HEAD = 16 * 1024
SLOW_BYTES = 128 * 1024
NO_CODE = 1005


class ConnectError(Exception):
    """No socket came about; `code` is Twilio's (31901 time, 31902 refused, 31910 TLS, 31920 not 101)."""

    def __init__(self, code: int, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


class Wire(asyncio.Protocol):
    """One client socket.

    `on_message(opcode, data)` for text and binary messages; `on_gone(code, broken)` once, when the server
    closed (its code, 1005 without one), broke off (code None), or broke the framing rules (broken true).
    `hold` is entered while the server is behind with reading.
    """

    def __init__(
        self,
        on_message: Callable[[int, bytes], None],
        on_gone: Callable[[int | None, bool], None],
        hold: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        self._on_message = on_message
        self._on_gone = on_gone
        self._hold = hold
        self._held = ExitStack()
        self._assembler = frames.Assembler()
        self._head = bytearray()
        self._key = base64.b64encode(os.urandom(16)).decode()
        self._upgraded: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._lost: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._transport: asyncio.Transport | None = None
        self._open = False
        self._silent = False
        self.bytes_sent = 0

    async def connect(self, url: str, signature: str | None) -> None:
        """Open the socket. Raises ConnectError."""
        parts = urlsplit(url)
        secure = parts.scheme == "wss"
        port = parts.port or (443 if secure else 80)
        tls = ssl.create_default_context() if secure else None
        try:
            async with asyncio.timeout(CONNECT_S):
                await asyncio.get_running_loop().create_connection(
                    lambda: self, parts.hostname or "", port, ssl=tls
                )
                self._send_raw(self._request(parts.netloc, parts.path or "/", signature))
                await self._upgraded
        except ConnectError:
            self.abort()
            raise
        except TimeoutError as error:
            self.abort()
            raise ConnectError(31901, "Stream - Connection - Timeout") from error
        except ssl.SSLError as error:
            raise ConnectError(31910, "Stream - Websocket - SSL Protocol Error") from error
        except OSError as error:
            raise ConnectError(31902, "Stream - Connection - Refused") from error

    def send(self, texts: list[str | bytes]) -> bool:
        """Send text messages in one write. False when the server reads too slowly: nothing was sent."""
        if not self._open or self._transport is None or self._silent:
            return True
        if self._transport.get_write_buffer_size() > SLOW_BYTES:
            return False
        key = random.getrandbits(32)
        self._send_raw(
            b"".join(
                frames.masked(frames.TEXT, text.encode() if isinstance(text, str) else text, key)
                for text in texts
            )
        )
        return True

    async def close(self, code: int = 1000) -> None:
        """Close in order, waiting a little for the server."""
        if not self._open or self._transport is None:
            return
        self._open = False
        self._send_raw(frames.masked(frames.CLOSE, struct.pack("!H", code), random.getrandbits(32)))
        await asyncio.wait({self._lost}, timeout=CLOSE_S)
        self._transport.close()

    def abort(self) -> None:
        """Reset the connection without a word (RST)."""
        self._open = False
        if self._transport is None:
            return
        raw = self._transport.get_extra_info("socket")
        if raw is not None and raw.fileno() >= 0:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._transport.abort()

    def fall_silent(self) -> None:
        """Send and read nothing more and leave the connection half open, as behind a broken tunnel."""
        self._silent = True
        if self._transport is not None:
            self._transport.pause_reading()

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        if not self._upgraded.done():
            self._head += data
            data = self._read_head()
        if data and self._open:
            self._read_messages(data)

    def pause_writing(self) -> None:
        self._held.enter_context(self._hold())

    def resume_writing(self) -> None:
        self._held.close()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self._upgraded.done():
            self._upgraded.set_exception(ConnectError(31920, "Stream - Websocket - Handshake Error"))
        if not self._lost.done():
            self._lost.set_result(None)
        self._held.close()
        self._gone(None)

    # reading

    def _read_head(self) -> bytes:
        head, found, rest = bytes(self._head).partition(b"\r\n\r\n")
        if not found:
            if len(head) > MAX_HEAD:
                self._refused("an endless answer")
            return b""
        lines = head.decode("latin-1").split("\r\n")
        status = lines[0].split(" ")[1:2]
        fields = {k.strip().lower(): v.strip() for k, _, v in (line.partition(":") for line in lines[1:])}
        if status != ["101"]:
            self._refused(f"HTTP {' '.join(status) or lines[0][:40]}")
        elif fields.get("sec-websocket-accept") != self._accept():
            self._refused("a wrong Sec-WebSocket-Accept")
        else:
            self._open = True
            self._upgraded.set_result(None)
        return rest

    def _refused(self, why: str) -> None:
        self._upgraded.set_exception(ConnectError(31920, f"Stream - Websocket - Handshake Error: {why}"))

    def _read_messages(self, data: bytes) -> None:
        try:
            for message in self._assembler.feed(data):
                self._take(message)
        except frames.FramingError:
            self._gone(None, broken=True)
            self.abort()

    def _take(self, message: frames.Message) -> None:
        if message.opcode == frames.PING:
            self._send_raw(frames.masked(frames.PONG, message.data, random.getrandbits(32)))
        elif message.opcode == frames.CLOSE:
            self._closed_by_server(message.data)
        elif message.opcode != frames.PONG:
            self._on_message(message.opcode, message.data)

    def _closed_by_server(self, data: bytes) -> None:
        code = int.from_bytes(data[:2], "big") if len(data) >= 2 else NO_CODE
        self._send_raw(frames.masked(frames.CLOSE, data[:2], random.getrandbits(32)))
        self._gone(code)
        if self._transport is not None:
            self._transport.close()

    def _gone(self, code: int | None, broken: bool = False) -> None:
        was_open, self._open = self._open, False
        if was_open:
            self._on_gone(code, broken)

    # writing

    def _send_raw(self, data: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)
            self.bytes_sent += len(data)

    def _request(self, host: str, path: str, signature: str | None) -> bytes:
        lines = [
            f"GET {path} HTTP/1.1",
            f"Host: {host.rpartition('@')[2]}",
            "User-Agent: Twilio.TmeWs/1.0",
            "Connection: Upgrade",
            "Upgrade: websocket",
            "Sec-WebSocket-Version: 13",
            f"Sec-WebSocket-Key: {self._key}",
        ]
        if signature is not None:
            lines.append(f"X-Twilio-Signature: {signature}")
        return ("\r\n".join(lines) + "\r\n\r\n").encode()

    def _accept(self) -> str:
        digest = hashlib.sha1(self._key.encode() + GUID, usedforsecurity=False).digest()
        return base64.b64encode(digest).decode()
