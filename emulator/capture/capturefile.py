"""The capture file, written by a thread of its own: a slow or full disk never holds up a call."""

from __future__ import annotations

import queue
import threading
from datetime import datetime
from pathlib import Path

MOST_WAITING = 20_000
NAME = "capture-%Y%m%d-%H%M%S"


class CaptureFile:
    """A new file in `directory`, named after `moment`. Raises OSError when it cannot be made."""

    def __init__(self, directory: Path, moment: datetime) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.path = _free(directory / f"{moment.strftime(NAME)}.jsonl")
        self.failed = ""
        self._file = self.path.open("xb")
        self._waiting: queue.Queue[bytes | None] = queue.Queue(MOST_WAITING)
        self._writer = threading.Thread(target=self._write, name="capture-file", daemon=True)
        self._writer.start()

    def put(self, line: bytes) -> bool:
        """Keep a line; false when too many wait for the disk, or the disk said no."""
        if self.failed:
            return False
        try:
            self._waiting.put_nowait(line)
        except queue.Full:
            return False
        return True

    def close(self) -> None:
        """Write what waits and close the file; waits for the disk, so call it when no call is live."""
        self._waiting.put(None)
        self._writer.join()

    def _write(self) -> None:
        line: bytes | None = b""
        try:
            with self._file:
                while (line := self._waiting.get()) is not None:
                    self._file.write(line)
                    if self._waiting.empty():
                        self._file.flush()
        except OSError as error:
            self.failed = error.strerror or type(error).__name__
            while line is not None:  # so that nobody waits for room
                line = self._waiting.get()


def _free(path: Path) -> Path:
    number = 1
    free = path
    while free.exists():
        number += 1
        free = path.with_stem(f"{path.stem}-{number}")
    return free
