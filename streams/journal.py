"""The journal of one stream: an append-only file of records, owned by whoever holds its lock.

Sound is placed by its timestamp, not by its order: a late frame stands behind the gap that it fills.
"""

import contextlib
import errno
import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, Self

import msgspec

from streams.audio import BYTES_PER_MS
from streams.clock import Hole, without
from streams.journal_reader import JournalError, Reader, journal_path, listing, lock, owned
from streams.record import (
    END,
    GAP,
    HEAD,
    HEADER_BYTES,
    INBOUND,
    KEY,
    MARK,
    MAX_PAYLOAD,
    OUTBOUND,
    PAUSE,
    SENT,
    TRACK_KIND,
    WORDS,
    Record,
    pack,
)

__all__ = [
    "END",
    "GAP",
    "HEAD",
    "HEADER_BYTES",
    "INBOUND",
    "KEY",
    "MARK",
    "OUTBOUND",
    "PAUSE",
    "SENT",
    "TRACK_KIND",
    "WORDS",
    "JournalError",
    "Reader",
    "Record",
    "Recovered",
    "Totals",
    "Writer",
    "journal_path",
    "listing",
    "owned",
    "recover",
]

VERSION: Final = 1
_RECENT = 16  # gaps that a late frame can still have filled


class Writer:
    """The owner's end. One descriptor, one `write` for each record; not for two threads at once."""

    def __init__(self, fd: int, path: Path, offset: int) -> None:
        self.path = path
        self.offset = offset
        self._fd = fd
        self._synced = offset
        self._last_ms = 0

    @classmethod
    def create(cls, directory: Path, stream_sid: str, head: dict[str, Any]) -> Self:
        """Make a stream's journal, mode 0600, locked, its head written. Raises JournalError.

        It is made under another name and then linked: a `.journal` is never seen without lock and head.
        """
        path = journal_path(directory, stream_sid)
        fresh = path.with_name(f".{stream_sid}.{os.urandom(4).hex()}.new")
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            fd = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise JournalError("write", os.strerror(error.errno or 0)) from error
        try:
            writer = cls(fd, path, 0)
            writer._begin(fresh, {"version": VERSION, "stream": stream_sid, **head})
        except BaseException:
            os.close(fd)
            raise
        finally:
            fresh.unlink(missing_ok=True)
        return writer

    def _begin(self, fresh: Path, head: dict[str, Any]) -> None:
        os.fchmod(self._fd, 0o600)
        lock(self._fd)
        self.append(HEAD, 0, 0, _json("head", head))
        try:
            os.link(fresh, self.path)
        except FileExistsError:
            raise JournalError("exists") from None
        except OSError as error:
            raise JournalError("write", os.strerror(error.errno or 0)) from error

    def append(self, kind: int, timestamp_ms: int, sequence: int, payload: bytes) -> None:
        """Write one record whole, or leave the file as it was and raise JournalError."""
        try:
            record = pack(kind, timestamp_ms, sequence, payload)
        except struct.error as error:
            raise JournalError("record", str(error)) from None
        size = len(record)
        try:
            written = os.write(self._fd, record)
            if written != size:
                self._write_rest(record, written)
        except OSError as error:
            self._cut_back()
            raise JournalError(_code(error), os.strerror(error.errno or 0)) from error
        self.offset += size
        self._last_ms = timestamp_ms

    def _write_rest(self, record: bytes, written: int) -> None:
        """A disk that fills up writes a part first, and fails at the next attempt."""
        while written < len(record):
            written += os.write(self._fd, record[written:])

    def _cut_back(self) -> None:
        with contextlib.suppress(OSError):
            os.ftruncate(self._fd, self.offset)

    def gap(self, track: str, at_ms: int, ms: int, cause: str) -> None:
        """Note a hole in one track, before the frame that follows it."""
        self.append(GAP, at_ms, 0, _json("record", {"track": track, "ms": ms, "cause": cause}))

    def pause(self, at_ms: int, paused: bool) -> None:
        """Note that from here on nothing is kept, or that it is again."""
        self.append(PAUSE, at_ms, 0, _json("record", {"paused": paused}))

    def words(self, at_ms: int, wanted: bool) -> None:
        """Note that from here on nobody is to write down what is said, or that somebody is again."""
        self.append(WORDS, at_ms, 0, _json("record", {"words": wanted}))

    def finish(self, reason: str, totals: dict[str, Any]) -> None:
        """Write the last record and bring everything to the disk. The lock stays until `close`."""
        self.append(END, self._last_ms, 0, _json("record", {"reason": reason, "totals": totals}))
        self.sync()

    def sync(self) -> None:
        """Bring what was written to the disk (fdatasync); from any thread. Silent on a closed journal."""
        if self._synced == self.offset or self._fd < 0:
            return
        self._synced = self.offset
        with contextlib.suppress(OSError):
            os.fdatasync(self._fd)

    def close(self) -> None:
        """Give up lock and descriptor. May be repeated."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)


def _code(error: OSError) -> str:
    return "closed" if error.errno == errno.EBADF else "write"


def _json(code: str, facts: dict[str, Any]) -> bytes:
    text = msgspec.json.encode(facts)
    if len(text) > MAX_PAYLOAD:
        raise JournalError(code, f"{len(text)} bytes")
    return text


class Totals(msgspec.Struct):
    """What a journal holds. `last_ms` is where its last sound ends, `lost_ms` what is missing."""

    frames: int = 0
    bytes: int = 0
    lost_ms: int = 0
    last_ms: int = 0


class Recovered:
    """A journal whose process died: whole again, ended, and locked by us until `close`.

    `gaps` holds (track, at_ms, ms, cause), without what a late frame filled.
    """

    def __init__(self, fd: int, path: Path) -> None:
        self.path = path
        self.stream_sid = path.stem
        self.head: dict[str, Any] = {}
        self.gaps: list[tuple[str, int, int, str]] = []
        self.reason = ""
        self.totals = Totals()
        self.cut_bytes = 0
        self._ended = False
        self._ends = {INBOUND: 0, OUTBOUND: 0}
        self._fd = fd

    def _scan(self) -> None:
        with Reader(self.path) as reader:
            while records := reader.read():
                for record in records:
                    self._take(record)
            self.cut_bytes = os.fstat(self._fd).st_size - reader.offset
            os.ftruncate(self._fd, reader.offset)
        self.totals.lost_ms = sum(ms for _, _, ms, cause in self.gaps if cause == "lost")
        self.totals.last_ms = max(self._ends.values())

    def _take(self, record: Record) -> None:
        if record.kind in self._ends:
            self._take_sound(record)
        elif record.kind == HEAD:
            self.head = record.facts()
        elif record.kind == END:
            self._ended = True
            self.reason = str(record.facts().get("reason", ""))
        elif record.kind == GAP:
            facts = record.facts()
            self.gaps.append((facts["track"], record.timestamp_ms, facts["ms"], facts["cause"]))

    def _take_sound(self, record: Record) -> None:
        self.totals.frames += 1
        self.totals.bytes += len(record.payload)
        start, end = record.timestamp_ms, record.timestamp_ms + len(record.payload) // BYTES_PER_MS
        if start < self._ends[record.kind]:
            track = "inbound" if record.kind == INBOUND else "outbound"
            self.gaps = [*self.gaps[:-_RECENT], *_filled(self.gaps[-_RECENT:], track, start, end)]
        else:
            self._ends[record.kind] = end

    def _end(self, reason: str) -> None:
        writer = Writer(self._fd, self.path, os.fstat(self._fd).st_size)
        writer._last_ms = self.totals.last_ms
        writer.finish(reason, msgspec.to_builtins(self.totals))
        self.reason = reason

    def close(self) -> None:
        """Give up the lock. May be repeated."""
        fd, self._fd = self._fd, -1
        if fd >= 0:
            os.close(fd)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _filled(
    gaps: list[tuple[str, int, int, str]], track: str, start: int, end: int
) -> Iterator[tuple[str, int, int, str]]:
    """The gaps that remain when [start, end) ms of the track has sound."""
    for gap in gaps:
        name, at_ms, ms, cause = gap
        if name != track or cause != "lost":
            yield gap
            continue
        for hole in without([Hole(at_ms, at_ms + ms)], start, end):
            yield name, hole.start, hole.end - hole.start, cause


def recover(path: Path, reason: str = "lease") -> Recovered | None:
    """Take over a journal without an owner: cut the torn tail and write the end if it has none.

    None when a living process holds it or it is gone. Raises JournalError when it cannot be written.
    """
    try:
        fd = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    if not lock(fd) or os.fstat(fd).st_nlink == 0:  # owned, or deleted by who owned it
        os.close(fd)
        return None
    found = Recovered(fd, path)
    try:
        found._scan()
        if not found._ended:
            found._end(reason)
    except BaseException:
        found.close()
        raise
    return found
