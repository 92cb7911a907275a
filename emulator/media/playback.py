"""The judge of what a caller has heard: the buffer in which Twilio keeps the audio sent to it."""

from __future__ import annotations

from collections import deque

from emulator.audio.sound import FRAME_BYTES, SILENT_BYTE

MAX_BUFFERED = 10 * 60 * 8000
MAX_MARKS = 10_000
PIECE = 64 * 1024


class Playback:
    """Plays in order of arrival, 160 bytes per tick; a mark comes back when all before it has been played.

    The bytes taken at one tick sound until the next: a mark behind them is due then, not before.
    """

    def __init__(self) -> None:
        self._queue: deque[bytearray | str] = deque()
        self._at = 0  # how much of the first piece is played
        self._sounding = False
        self._ending: list[str] = []  # marks that are due when what sounds now is over
        self._marks = 0
        self.buffered = 0
        self.played = 0

    def put(self, audio: bytes) -> bool:
        """Queue mu-law audio. False when ten minutes are already waiting: it is discarded (31931)."""
        if self.buffered + len(audio) > MAX_BUFFERED:
            return False
        if audio:
            self.buffered += len(audio)
            last = self._queue[-1] if self._queue else None
            # Small pieces are joined: a buffer of single bytes would cost a hundred times its size.
            if isinstance(last, bytearray) and len(last) < PIECE:
                last += audio
            else:
                self._queue.append(bytearray(audio))
        return True

    def mark(self, name: str) -> list[str] | None:
        """Queue a mark. Returns the marks that are due at once; None when too many wait: it is lost."""
        if not self.buffered and not self._sounding:
            return [name]
        if self._marks + len(self._ending) >= MAX_MARKS:
            return None
        if self.buffered:
            self._queue.append(name)
            self._marks += 1
        else:
            self._ending.append(name)
        return []

    def clear(self) -> list[str]:
        """Drop all audio; returns every pending mark, in order."""
        pending = [*self._ending, *(item for item in self._queue if isinstance(item, str))]
        self._queue.clear()
        self._ending.clear()
        self._sounding, self._at, self._marks, self.buffered = False, 0, 0, 0
        return pending

    def due(self) -> list[str]:
        """The marks whose audio has been played by now, in order; asked at each tick before `take`."""
        due, self._ending = self._ending, []
        return due

    def take(self) -> bytes | None:
        """The next 20 ms: 160 bytes, filled with silence at the end; None when nothing waits."""
        self._sounding = self.buffered > 0
        if not self._sounding:
            return None
        out = bytearray()
        while self._queue and (len(out) < FRAME_BYTES or isinstance(self._queue[0], str)):
            self._take_into(out)
        self.played += len(out)
        self.buffered -= len(out)
        return bytes(out) + SILENT_BYTE * (FRAME_BYTES - len(out))

    def _take_into(self, out: bytearray) -> None:
        item = self._queue[0]
        if isinstance(item, str):
            self._ending.append(item)
            self._marks -= 1
        else:
            piece = item[self._at : self._at + FRAME_BYTES - len(out)]
            out += piece
            self._at += len(piece)
            if self._at < len(item):
                return
            self._at = 0
        self._queue.popleft()
