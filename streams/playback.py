"""What we believe the caller has heard of what we sent. Pure: the caller says what time it is.

Twilio buffers what it is sent and plays it at 8000 bytes a second; a mark comes back when all before it has
been played. So sound goes out in pieces, each with a mark behind it, and a piece counts as heard when its
mark, or one behind it, has come back. A `clear` brings back all marks that wait: they were discarded, not
heard, and one that was played at that very moment is counted so too. Never more than was heard is believed.
"""

from collections import deque
from dataclasses import dataclass
from typing import Final

from streams.audio import BYTES_PER_MS

__all__ = ["OVERDUE_MS", "Piece", "Playback"]

OVERDUE_MS: Final = 3_000
"""So long after a piece should have been played its mark is waited for."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Sound that was sent with a mark behind it: `name` of the mark, `size` in bytes, what it says."""

    name: str
    size: int
    text: str = ""
    say: int = 0  # which of the things said it belongs to

    @property
    def ms(self) -> float:
        """How long it sounds."""
        return self.size / BYTES_PER_MS


class Playback:
    """One stream's. Every `now_ms` is of one steady clock of the caller's."""

    def __init__(self) -> None:
        self._waiting: deque[Piece] = deque()
        self._cleared: set[str] = set()
        self._played_at = 0.0  # when all that was sent will have been played, if it began at once
        self.heard_bytes = 0
        self.unknown = 0

    @property
    def waiting(self) -> list[Piece]:
        """What is neither heard nor discarded, in order."""
        return list(self._waiting)

    def ahead_ms(self, now_ms: float) -> float:
        """How much of what was sent is probably still to be played."""
        return max(0.0, self._played_at - now_ms)

    def sent(self, piece: Piece, now_ms: float) -> None:
        """A piece and its mark went out. Names must not repeat within a stream."""
        self._played_at = max(self._played_at, now_ms) + piece.ms
        self._waiting.append(piece)

    def returned(self, name: str) -> list[Piece]:
        """A mark came back: the pieces that are heard by now; [] for one that was discarded, or is not ours.

        Marks come back in the order in which they were sent, so that one makes up for those lost before it.
        """
        if name in self._cleared:
            self._cleared.discard(name)
            return []
        if all(piece.name != name for piece in self._waiting):
            self.unknown += 1
            return []
        heard: list[Piece] = []
        while not heard or heard[-1].name != name:
            heard.append(self._waiting.popleft())
        self.heard_bytes += sum(piece.size for piece in heard)
        return heard

    def clear(self, now_ms: float) -> list[Piece]:
        """`clear` goes out now: what is discarded by it. May be repeated."""
        discarded, self._waiting = list(self._waiting), deque()
        self._cleared = {piece.name for piece in discarded}  # of an earlier one all echoes are past
        self._played_at = now_ms
        return discarded

    def is_overdue(self, now_ms: float) -> bool:
        """Whether marks should long be back: they are lost, or Twilio has stopped playing."""
        return bool(self._waiting) and now_ms > self._played_at + OVERDUE_MS
