"""The caller's sound that nobody has answered yet, for a session that was not there to hear it. Pure."""

from __future__ import annotations

from collections import deque
from typing import Final

__all__ = ["Kept"]

_BEFORE: Final = 25
"""Frames before speech is noticed: half a second."""
_MOST: Final = 1_500
"""Half a minute; what is older is forgotten."""


class Kept:
    """Frames in order. `now_ms` is the stream time of the newest, `since_ms` that of the oldest."""

    def __init__(self) -> None:
        self._frames: deque[tuple[bytes, int]] = deque(maxlen=_MOST)

    @property
    def now_ms(self) -> int:
        """Where the stream is."""
        return self._frames[-1][1] if self._frames else 0

    @property
    def since_ms(self) -> int:
        """From where on sound is kept."""
        return self._frames[0][1] if self._frames else 0

    def add(self, payload: bytes, at_ms: int, *, waiting: bool) -> None:
        """One frame more; unless the caller is `waiting` for an answer, only the last half second stays."""
        self._frames.append((payload, at_ms))
        if not waiting:
            self.answered()

    def answered(self) -> None:
        """What was said is answered: keep the last half second."""
        while len(self._frames) > _BEFORE:
            self._frames.popleft()

    def at(self, place: int) -> bytes | None:
        """The frame at a place, None behind the last."""
        return self._frames[place][0] if place < len(self._frames) else None
