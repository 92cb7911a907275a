"""The sound of one stream as it comes, read from its journal: from the live end on, never from the beginning.

The media process is not asked: who listens costs a call nothing. What a pause holds back is not in the
journal, and what stands between its two records is passed over in any case.
"""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from streams.journal_reader import Reader, last_record
from streams.listening import FRAME_MS, Sound, cut
from streams.record import END, INBOUND, OUTBOUND, PAUSE, SENT, Record

__all__ = ["Ear"]

_TRACKS: Final = {INBOUND: 0, OUTBOUND: 1, SENT: 1}  # a voice's stream has no outbound but what we sent
_BLOCK: Final = 1 << 16  # about four seconds of both tracks at once


class Ear:
    """Reads one journal. `over`: nothing more will come. `paused`: nothing is to be heard just now."""

    def __init__(self, path: Path) -> None:
        """Open behind the last whole record. Raises FileNotFoundError."""
        last = last_record(path)
        self._reader = Reader(path, last.end if last else 0)
        self._zero_ms = _zero_ms(path, last)
        self.over = last is not None and last.kind == END
        self.paused = last is not None and _pauses(last)
        self.behind_ms = max(0, round(time.time() * 1000 - path.stat().st_mtime * 1000)) if last else 0

    def hear(self) -> Iterator[Sound]:
        """The frames that are new, of both tracks as they were written."""
        for record in self._reader.read(_BLOCK):
            if record.kind == PAUSE:
                self.paused = _pauses(record)
            elif record.kind == END:
                self.over = True
            elif record.kind in _TRACKS and not self.paused:
                yield from cut(_TRACKS[record.kind], self._zero_ms + record.timestamp_ms, record.payload)
        self.over = self.over or self._reader.damaged

    def close(self) -> None:
        """Close the file."""
        self._reader.close()


def _zero_ms(path: Path, last: Record | None) -> float:
    """Unix time in ms at which the stream's time 0 lies: its last record was written when its sound ended."""
    if last is None:
        return time.time() * 1000
    sound = FRAME_MS if last.kind in _TRACKS else 0
    return path.stat().st_mtime_ns / 1e6 - last.timestamp_ms - sound


def _pauses(record: Record) -> bool:
    return record.kind == PAUSE and record.facts().get("paused") is True
