"""HTTP/1.1 read from a copy of the bytes: whole messages out, nothing is answered and nothing is changed."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field

from emulator.capture.headers import first

MOST_HEAD = 64 * 1024
MOST_BODY = 256 * 1024
STATUS = re.compile(r"[0-9]{3}")
LENGTH = re.compile(r"[0-9]{1,18}")
SIZE = re.compile(rb"[0-9A-Fa-f]+")
ENDS = b"\r\n\r\n"


class HypertextError(ValueError):
    """What came is no HTTP/1.1 that this reader follows."""


@dataclass
class Head:
    """The first line's three words and the headers, in order and as spelled."""

    words: tuple[str, str, str]
    headers: list[tuple[str, str]]

    def get(self, name: str) -> str:
        """The first value of the header with this name in lower case, "" without one."""
        return first(self.headers, name)

    @property
    def status(self) -> int:
        """Of an answer: its status. Raises HypertextError."""
        if not STATUS.fullmatch(self.words[1]):
            raise HypertextError("an answer without a status")
        return int(self.words[1])


@dataclass
class Whole:
    """One message. `body` holds the first 256 KiB of it, `size` is its true length in bytes."""

    head: Head
    body: bytes = b""
    size: int = 0

    def plain(self) -> bytes:
        """The body without its content coding; b"" for one that is longer than what was kept, or spoilt."""
        if self.size > MOST_BODY:
            return b""
        if self.head.get("content-encoding").lower() not in {"gzip", "deflate"}:
            return self.body
        try:
            return zlib.decompressobj(zlib.MAX_WBITS | 32).decompress(self.body, MOST_BODY)
        except zlib.error:
            return b""


@dataclass
class _Reading:
    """The message under way. `left`: bytes to come; None: until the end of the connection."""

    head: Head
    chunked: bool
    left: int | None
    body: bytearray = field(default_factory=bytearray)
    size: int = 0
    trailing: bool = False


class Reader:
    """One direction of one connection. `bodyless(head)`: no body follows, whatever the headers say."""

    def __init__(self, *, answers: bool, bodyless: Callable[[Head], bool] = lambda head: False) -> None:
        self._answers = answers
        self._bodyless = bodyless
        self._buffer = bytearray()
        self._reading: _Reading | None = None

    def feed(self, data: bytes) -> list[Whole]:
        """Take bytes, return what became whole. Raises HypertextError."""
        self._buffer += data
        done = []
        while (whole := self._next()) is not None:
            done.append(whole)
            if self._turns(whole.head):
                break
        return done

    def end(self) -> list[Whole]:
        """The connection ended: an answer without a length is whole now."""
        reading, self._reading = self._reading, None
        if reading is None or reading.left is not None or reading.chunked:
            return []
        return [Whole(reading.head, bytes(reading.body), reading.size)]

    def hold(self, data: bytes, most: int) -> None:
        """Keep bytes that are not for this reader until `rest` asks for them. Raises HypertextError."""
        if len(self._buffer) + len(data) > most:
            raise HypertextError("too much came before an answer")
        self._buffer += data

    def rest(self) -> bytes:
        """What came behind the last whole message; the reader forgets it."""
        rest = bytes(self._buffer)
        self._buffer.clear()
        return rest

    def _turns(self, head: Head) -> bool:
        """Whether what follows is no HTTP any more (an upgrade granted), or may be none (one asked for)."""
        return head.words[1] == "101" if self._answers else bool(head.get("upgrade"))

    def _next(self) -> Whole | None:
        if self._reading is None:
            head = self._head()
            if head is None:
                return None
            self._reading = self._begun(head)
        if not self._body(self._reading):
            return None
        reading, self._reading = self._reading, None
        return Whole(reading.head, bytes(reading.body), reading.size)

    def _head(self) -> Head | None:
        while self._buffer[:2] == b"\r\n":  # some send an empty line between messages
            del self._buffer[:2]
        at = self._buffer.find(ENDS)
        if at < 0:
            if len(self._buffer) > MOST_HEAD:
                raise HypertextError("an endless head")
            return None
        lines = bytes(self._buffer[:at]).decode("latin-1").split("\r\n")
        del self._buffer[: at + len(ENDS)]
        words = lines[0].split(" ", 2)
        if len(words) < 2 or not words[0 if self._answers else -1].startswith("HTTP/1."):
            raise HypertextError("no HTTP/1")
        return Head((words[0], words[1], words[2] if len(words) > 2 else ""), [_header(x) for x in lines[1:]])

    def _begun(self, head: Head) -> _Reading:
        if self._answers and (head.status < 200 or head.status in {204, 304}):
            return _Reading(head, chunked=False, left=0)
        if self._bodyless(head):
            return _Reading(head, chunked=False, left=0)
        if "chunked" in head.get("transfer-encoding").lower():
            return _Reading(head, chunked=True, left=0)
        length = head.get("content-length")
        if length and not LENGTH.fullmatch(length):
            raise HypertextError("a length that is no number")
        without = None if self._answers else 0
        return _Reading(head, chunked=False, left=int(length) if length else without)

    def _body(self, reading: _Reading) -> bool:
        """Whether the body is complete."""
        if reading.chunked:
            return self._chunks(reading)
        self._take(reading, len(self._buffer) if reading.left is None else reading.left)
        return reading.left == 0

    def _take(self, reading: _Reading, most: int) -> None:
        taken = bytes(self._buffer[:most])
        del self._buffer[: len(taken)]
        reading.size += len(taken)
        reading.body += taken[: max(0, MOST_BODY - len(reading.body))]
        if reading.left is not None:
            reading.left -= len(taken)

    def _chunks(self, reading: _Reading) -> bool:
        while True:
            if reading.left:
                self._take(reading, reading.left)
                if reading.left:
                    return False
            line = self._line()
            if line is None:
                return False
            if reading.trailing and not line:
                return True
            if line and not reading.trailing:
                reading.left = _chunk_size(line)
                reading.trailing = reading.left == 0

    def _line(self) -> bytes | None:
        at = self._buffer.find(b"\r\n", 0, MOST_HEAD)
        if at < 0:
            if len(self._buffer) > MOST_HEAD:
                raise HypertextError("an endless line")
            return None
        line = bytes(self._buffer[:at])
        del self._buffer[: at + 2]
        return line


def _header(line: str) -> tuple[str, str]:
    name, _, value = line.partition(":")
    return name.strip(), value.strip()


def _chunk_size(line: bytes) -> int:
    size = line.partition(b";")[0].strip(b" \t")
    if not SIZE.fullmatch(size):
        raise HypertextError("a chunk without a size")
    return int(size, 16)
