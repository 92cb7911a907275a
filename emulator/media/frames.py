"""RFC 6455 as its client speaks it: masked frames out, whole messages in. Bytes only, no socket."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from random import getrandbits

from emulator.media.mask import mask

TEXT, BINARY, CLOSE, PING, PONG = 0x1, 0x2, 0x8, 0x9, 0xA
CONTINUATION = 0x0
# Ten minutes of sound in one message are legal: 6.4 MB of base64.
MAX_MESSAGE = 8 << 20
MAX_PARTS = 1 << 16

_SHORT, _MEDIUM, _LONG = struct.Struct("!BB"), struct.Struct("!BBH"), struct.Struct("!BBQ")


class FramingError(Exception):
    """The server broke the framing rules (Twilio's 31924)."""


@dataclass(frozen=True)
class Message:
    """One whole message or control frame."""

    opcode: int
    data: bytes


def masked(opcode: int, payload: bytes, key: int | None = None) -> bytes:
    """One final frame from client to server; `key` is the 32-bit mask, a random one by itself."""
    size = len(payload)
    if size < 126:
        head = _SHORT.pack(0x80 | opcode, 0x80 | size)
    elif size < 65536:
        head = _MEDIUM.pack(0x80 | opcode, 0xFE, size)
    else:
        head = _LONG.pack(0x80 | opcode, 0xFF, size)
    four, body = (getrandbits(32) if key is None else key).to_bytes(4, "little"), bytearray(payload)
    mask(four, body)
    return head + four + body


def text_frames(texts: Iterable[bytes]) -> bytes:
    """Text messages as one piece to write, each masked with a random key of its own."""
    parts: list[bytes | bytearray] = []
    for text in texts:
        head = _HEADS.get(len(text))
        if head is None:
            parts.append(masked(TEXT, text))
            continue
        # As in `masked`, with the head made before: media is nearly all there is.
        key, body = getrandbits(32).to_bytes(4, "little"), bytearray(text)
        mask(key, body)
        parts += head, key, body
    return b"".join(parts)


_HEADS = {size: _MEDIUM.pack(0x80 | TEXT, 0xFE, size) for size in range(126, 512)}


class Assembler:
    """Collects bytes from a server and gives back whole messages."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._parts: list[bytes] = []
        self._size = 0
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
            raise FramingError("a frame larger than 8 MiB")
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
        self._size += len(payload)
        if self._size > MAX_MESSAGE or len(self._parts) > MAX_PARTS:
            raise FramingError("a message larger than 8 MiB, or in too many pieces")
        if not final:
            return None
        whole = b"".join(self._parts)
        self._parts.clear()
        self._size = 0
        return Message(self._opcode, whole)
