"""Journals found, named and read, while they are being written; `streams.journal` writes them."""

import contextlib
import fcntl
import os
import re
from pathlib import Path
from typing import Final, Self

from streams.record import END, HEADER_BYTES, MAGIC, MAX_PAYLOAD, Damaged, Record, parse

__all__ = ["JournalError", "Reader", "journal_path", "last_record", "listing", "lock", "owned"]

SUFFIX: Final = ".journal"
_READ_BYTES = 1 << 20
_TAIL_BYTES = (1 << 12, 2 * (HEADER_BYTES + MAX_PAYLOAD))  # some twenty frames; else the two longest records
_SID = re.compile(r"MZ[0-9a-fA-F]{32}\Z")


class JournalError(Exception):
    """The journal cannot be made or written. `code`: sid, exists, head, record, write, closed."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code = code


def journal_path(directory: Path, stream_sid: str) -> Path:
    """Where a stream's journal lies. Raises JournalError when the SID is none: it becomes a file's name."""
    if not _SID.match(stream_sid):
        raise JournalError("sid")
    return directory / f"{stream_sid}{SUFFIX}"


def listing(directory: Path) -> list[Path]:
    """The journals of a directory, by name; the directory is the registry. [] when there is none."""
    with contextlib.suppress(FileNotFoundError):
        return sorted(path for path in directory.glob(f"MZ*{SUFFIX}") if _SID.match(path.stem))
    return []


def owned(path: Path) -> bool:
    """Whether a living process holds the file's lock. False when there is no file."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        return not lock(fd)
    finally:
        os.close(fd)


def lock(fd: int) -> bool:
    """Take the file's lock without waiting; False when another holds it."""
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def last_record(path: Path) -> Record | None:
    """The last whole record, found from the file's end: its `end` is where what comes next begins.

    None where there is none. Raises FileNotFoundError. It costs one small read, however long the journal is.
    """
    with path.open("rb", buffering=0) as file:
        size = os.fstat(file.fileno()).st_size
        for length in _TAIL_BYTES:
            start = max(0, size - length)
            found = _last(os.pread(file.fileno(), size - start, start), start)
            if found is not None:
                return found
    return None


def _last(data: bytes, offset: int) -> Record | None:
    """The last of the records that begin somewhere in `data`; a wrong start shows by its checksum."""
    at = data.find(MAGIC)
    while at >= 0:
        found: list[Record] = []
        if data[at + 1 : at + 2] <= bytes([END]):  # a kind: most bytes of sound that look like magic end here
            with contextlib.suppress(Damaged):
                found.extend(parse(data[at:], offset + at))
        if found:
            return found[-1]
        at = data.find(MAGIC, at + 1)
    return None


class Reader:
    """Reads a journal while it is being written. Never returns a record that is not whole and right."""

    def __init__(self, path: Path, offset: int = 0) -> None:
        """Open at an offset that a Record's `end` gave. Raises FileNotFoundError."""
        self.path = path
        self.offset = offset
        self.damaged = False
        self._file = path.open("rb", buffering=0)

    def read(self, limit: int = _READ_BYTES) -> list[Record]:
        """The whole records among the next `limit` bytes (at least 65,551); [] when nothing new is whole.

        `damaged` tells after it whether what follows is wrong rather than unfinished.
        """
        data = os.pread(self._file.fileno(), max(limit, HEADER_BYTES + MAX_PAYLOAD), self.offset)
        records: list[Record] = []
        self.damaged = False
        try:
            records.extend(parse(data, self.offset))
        except Damaged:
            self.damaged = True
        if records:
            self.offset = records[-1].end
        return records

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
