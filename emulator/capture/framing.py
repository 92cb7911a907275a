"""WebSocket frames read from a copy of the bytes of either side, masked or not; nothing is answered."""

from __future__ import annotations

from dataclasses import dataclass

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
NAMES = {TEXT: "text", BINARY: "binary", CLOSE: "close", PING: "ping", PONG: "pong"}
MOST_KEPT = 1 << 20


@dataclass(frozen=True)
class Frame:
    """One whole message or control frame. `data` holds its first MiB, `size` its true length in bytes."""

    opcode: int
    data: bytes
    size: int
    reserved: bool = False

    @property
    def name(self) -> str:
        """text, binary, close, ping, pong, "compressed text" when an extension changed it, or unknown."""
        name = NAMES.get(self.opcode, "unknown")
        return f"compressed {name}" if self.reserved else name


class Reader:
    """One direction of one socket."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._parts = bytearray()
        self._first: tuple[int, bool] | None = None
        self._size = 0
        self._skip = 0

    def feed(self, data: bytes) -> list[Frame]:
        """Take bytes, return what became whole."""
        self._buffer += data
        done = []
        while self._skipped() and (frame := self._next()) is not None:
            final, opcode, reserved, body, size = frame
            if (whole := self._join(final, opcode, reserved, body, size)) is not None:
                done.append(whole)
        return done

    def _skipped(self) -> bool:
        passed = min(self._skip, len(self._buffer))
        del self._buffer[:passed]
        self._skip -= passed
        return not self._skip

    def _next(self) -> tuple[bool, int, bool, bytes, int] | None:
        buffer = self._buffer
        if len(buffer) < 2:
            return None
        masked, size, start = bool(buffer[1] & 0x80), buffer[1] & 0x7F, 2
        if size >= 126:
            start += 2 if size == 126 else 8
            if len(buffer) < start:
                return None
            size = int.from_bytes(buffer[2:start], "big")
        key_at, start = start, start + 4 * masked
        kept = min(size, MOST_KEPT)
        if len(buffer) < start + kept:
            return None
        body = bytes(buffer[start : start + kept])
        if masked:
            body = _unmasked(body, bytes(buffer[key_at:start]))
        first = buffer[0]
        del buffer[: start + kept]
        self._skip = size - kept
        return bool(first & 0x80), first & 0x0F, bool(first & 0x70), body, size

    def _join(self, final: bool, opcode: int, reserved: bool, body: bytes, size: int) -> Frame | None:
        if opcode >= CLOSE:
            return Frame(opcode, body, size, reserved)
        if self._first is None:
            self._first = opcode, reserved
        self._parts += body[: MOST_KEPT - len(self._parts)]
        self._size += size
        if not final:
            return None
        (opcode, reserved), self._first = self._first, None
        whole = Frame(opcode, bytes(self._parts), self._size, reserved)
        self._parts.clear()
        self._size = 0
        return whole


def _unmasked(body: bytes, key: bytes) -> bytes:
    size = len(body)
    stretched = (key * (size // 4 + 1))[:size]
    return (int.from_bytes(body, "little") ^ int.from_bytes(stretched, "little")).to_bytes(size, "little")


def close_code(data: bytes) -> int | None:
    """The code of a close frame's body, None when it has none."""
    return int.from_bytes(data[:2], "big") if len(data) >= 2 else None
