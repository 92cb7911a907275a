"""RFC 6455 as its client speaks it: masked frames out, whole messages in. Bytes only, no socket."""

from __future__ import annotations

import struct
from dataclasses import dataclass

TEXT, BINARY, CLOSE, PING, PONG = 0x1, 0x2, 0x8, 0x9, 0xA
CONTINUATION = 0x0
MAX_MESSAGE = 1 << 20


class FramingError(Exception):
    """The server broke the framing rules (Twilio's 31924)."""


@dataclass(frozen=True)
class Message:
    """One whole message or control frame."""

    opcode: int
    data: bytes


def masked(opcode: int, payload: bytes, key: int) -> bytes:
    """One final frame from client to server; `key` is the 32-bit mask."""
    size = len(payload)
    if size < 126:
        head = struct.pack("!BB", 0x80 | opcode, 0x80 | size)
    elif size < 65536:
        head = struct.pack("!BBH", 0x80 | opcode, 0xFE, size)
    else:
        head = struct.pack("!BBQ", 0x80 | opcode, 0xFF, size)
    mask = key.to_bytes(4, "little")
    stretched = (mask * (size // 4 + 1))[:size]
    body = int.from_bytes(payload, "little") ^ int.from_bytes(stretched, "little")
    return head + mask + body.to_bytes(size, "little")


class Assembler:
    """Collects bytes from a server and gives back whole messages."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._parts: list[bytes] = []
        self._opcode = CONTINUATION

    def feed(self, data: bytes) -> list[Message]:
        """Take bytes, return what became complete. Raises FramingError."""
        self._buffer += data
        done: list[Message] = []
        while (frame := self._next_frame()) is not None:
            message = self._join(*frame)
            if message is not None:
                done.append(message)
        return done

    def _next_frame(self) -> tuple[bool, int, bytes] | None:
        buffer = self._buffer
        if len(buffer) < 2:
            return None
        first, second = buffer[0], buffer[1]
        if first & 0x70 or second & 0x80:
            raise FramingError("reserved bits, or a masked frame from a server")
        size, start = second & 0x7F, 2
        if size >= 126:
            width = 2 if size == 126 else 8
            if len(buffer) < 2 + width:
                return None
            size, start = int.from_bytes(buffer[2 : 2 + width], "big"), 2 + width
        if size > MAX_MESSAGE:
            raise FramingError("a frame larger than 1 MiB")
        if len(buffer) < start + size:
            return None
        payload = bytes(buffer[start : start + size])
        del buffer[: start + size]
        return bool(first & 0x80), first & 0x0F, payload

    def _join(self, final: bool, opcode: int, payload: bytes) -> Message | None:
        if opcode >= CLOSE:
            if not final or len(payload) > 125 or opcode > PONG:
                raise FramingError("a fragmented, long or unknown control frame")
            return Message(opcode, payload)
        if (opcode == CONTINUATION) != bool(self._parts):
            raise FramingError("fragments out of order")
        if opcode > BINARY:
            raise FramingError("an unknown opcode")
        return self._collect(final, opcode, payload)

    def _collect(self, final: bool, opcode: int, payload: bytes) -> Message | None:
        if opcode != CONTINUATION:
            self._opcode = opcode
        self._parts.append(payload)
        if sum(map(len, self._parts)) > MAX_MESSAGE:
            raise FramingError("a message larger than 1 MiB")
        if not final:
            return None
        whole = b"".join(self._parts)
        self._parts.clear()
        return Message(self._opcode, whole)
