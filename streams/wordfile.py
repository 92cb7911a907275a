"""The lines heard in one stream: JSON lines beside its journal, written by its engine, read by its owner.

The file is the spool between engine and media process. Who holds its lock is the stream's engine; the kernel
frees it when the process dies, and the next one goes on behind the last final line.
"""

import fcntl
import os
from pathlib import Path
from typing import Any, Final, Literal, Self, TypedDict

import msgspec

__all__ = ["SUFFIX", "Line", "Reader", "Taken", "Writer", "words_path"]

SUFFIX: Final = ".words"
MAX_LINE_BYTES: Final = 1 << 20
_READ_BYTES = 1 << 20


class Line(TypedDict, total=False):
    """One line. `number` counts a track's utterances; times are ms of the stream; `confidence` is 0 to 1.

    kind: `partial` or `final` text of an utterance · `speech` (someone began to speak, no text yet) ·
    `heard` (the whole stream was heard up to `end_ms`, whether words were in it or not) · `done` (nothing
    more will come). `words` has an object for each word; `offset` is the journal offset in
    bytes up to which this track was heard.
    """

    kind: Literal["partial", "final", "speech", "heard", "done"]
    track: str
    number: int
    start_ms: int
    end_ms: int
    text: str
    confidence: float | None
    words: list[Any]
    offset: int


class _Kind(msgspec.Struct):
    """What every line must have."""

    kind: Literal["partial", "final", "speech", "heard", "done"]


_decode_kind = msgspec.json.Decoder(_Kind).decode
_decode_line: msgspec.json.Decoder[Line] = msgspec.json.Decoder(Line)
_encode_line = msgspec.json.Encoder().encode


class Taken(Exception):
    """Another engine holds this words file."""


def words_path(journal: Path) -> Path:
    """The words file that belongs to a journal."""
    return journal.with_suffix(SUFFIX)


class Writer:
    """The engine's end of a words file; mode 0600."""

    def __init__(self, path: Path) -> None:
        """Claim the file, made if need be, and cut an unfinished last line. Raises Taken, or OSError."""
        self.path = path
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            self._claim()
        except BaseException:
            os.close(self._fd)
            raise

    def _claim(self) -> None:
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Taken(str(self.path.name)) from None
        os.fchmod(self._fd, 0o600)
        self._cut_unfinished_line()

    def _cut_unfinished_line(self) -> None:
        end = os.fstat(self._fd).st_size
        while end > 0:
            start = max(0, end - _READ_BYTES)
            newline = os.pread(self._fd, end - start, start).rfind(b"\n")
            if newline >= 0:
                end = start + newline + 1
                break
            end = start
        os.ftruncate(self._fd, end)

    def write(self, line: Line) -> None:
        """Append one line whole, or leave the file as it was and raise OSError (ValueError when too long)."""
        data = _encode_line(line) + b"\n"
        if len(data) > MAX_LINE_BYTES:
            raise ValueError(f"a line of {len(data)} bytes")
        before = os.fstat(self._fd).st_size
        try:
            written = os.write(self._fd, data)
            while written < len(data):
                written += os.write(self._fd, data[written:])
        except OSError:
            os.ftruncate(self._fd, before)
            raise

    def close(self) -> None:
        """Give up the file to the next engine. May be repeated."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Reader:
    """Reads a words file while it is being written; a last line without its end waits for it.

    `offset` is the byte behind the last line read, `garbage` the number of lines that were none.
    """

    def __init__(self, path: Path, offset: int = 0) -> None:
        """Nothing is opened yet: the file may still be to come."""
        self.path = path
        self.offset = offset
        self.garbage = 0
        self._fd = -1

    def read(self) -> list[Line]:
        """The lines that came since; [] when there are none, or no file yet. Bad ones are counted."""
        if self._fd < 0 and not self._open():
            return []
        data = os.pread(self._fd, _READ_BYTES, self.offset)
        end = data.rfind(b"\n") + 1
        if end == 0:
            self._skip_endless(len(data))
            return []
        self.offset += end
        lines = [self._line(text) for text in data[: end - 1].split(b"\n")]
        return [line for line in lines if line is not None]

    def _open(self) -> bool:
        try:
            self._fd = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        return True

    def _skip_endless(self, size: int) -> None:
        """A line longer than any that is written: pass over it, else nothing behind it is ever read."""
        if size >= MAX_LINE_BYTES:
            self.offset += size
            self.garbage += 1

    def _line(self, text: bytes) -> Line | None:
        try:
            _decode_kind(text)
            return _decode_line.decode(text)
        except (msgspec.MsgspecError, RecursionError, ValueError):
            self.garbage += 1
            return None

    def close(self) -> None:
        """Close the file. May be repeated."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
