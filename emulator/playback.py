"""The judge of what a caller has heard: the buffer in which Twilio keeps the audio sent to it."""

from __future__ import annotations

from collections import deque

FRAME_BYTES = 160
SILENT_BYTE = b"\xff"
MAX_BUFFERED = 10 * 60 * 8000


class Playback:
    """Plays in order of arrival, 160 bytes per tick; a mark comes back when all before it has been played."""

    def __init__(self) -> None:
        self._queue: deque[bytes | str] = deque()
        self.buffered = 0
        self.played = 0

    def put(self, audio: bytes) -> bool:
        """Queue mu-law audio. False when ten minutes are already waiting: it is discarded (31931)."""
        if self.buffered + len(audio) > MAX_BUFFERED:
            return False
        if audio:
            self._queue.append(audio)
            self.buffered += len(audio)
        return True

    def mark(self, name: str) -> list[str]:
        """Queue a mark. Returns the marks that are due at once (nothing is buffered before them)."""
        self._queue.append(name)
        return self._due()

    def clear(self) -> list[str]:
        """Drop all audio; returns every pending mark, in order."""
        pending = [item for item in self._queue if isinstance(item, str)]
        self._queue.clear()
        self.buffered = 0
        return pending

    def take(self) -> tuple[bytes | None, list[str]]:
        """The next 20 ms (None when nothing waits; filled with silence at the end) and the marks now due."""
        if not self.buffered:
            return None, []
        out = bytearray()
        marks: list[str] = []
        while self._queue and len(out) < FRAME_BYTES:
            self._take_into(out, marks)
        self.played += len(out)
        self.buffered -= len(out)
        marks += self._due()
        return bytes(out) + SILENT_BYTE * (FRAME_BYTES - len(out)), marks

    def _take_into(self, out: bytearray, marks: list[str]) -> None:
        item = self._queue.popleft()
        if isinstance(item, str):
            marks.append(item)
            return
        room = FRAME_BYTES - len(out)
        out += item[:room]
        if len(item) > room:
            self._queue.appendleft(item[room:])

    def _due(self) -> list[str]:
        due: list[str] = []
        while self._queue and isinstance(self._queue[0], str):
            due.append(str(self._queue.popleft()))
        return due
