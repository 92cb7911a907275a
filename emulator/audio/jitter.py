"""Frames that arrive unevenly, given out one per tick."""

from __future__ import annotations

from collections import deque

from emulator.audio.sound import SILENCE, Frame

# In frames of 20 ms.
TARGET = 3
DEEPEST = 25
WINDOW = 50


class Jitter:
    """A buffer between a browser and its leg; begins to play when `TARGET` frames are in.

    What is asked for twice at one tick is given twice. Delay that has built up is taken away again: a buffer
    that was never below its target for a second loses what was too much.
    """

    def __init__(self) -> None:
        self._frames: deque[Frame] = deque()
        self._tick: int | None = None
        self._now = SILENCE
        self._filling = True
        self._lowest = DEEPEST
        self._looked = 0
        self.dropped = 0
        self.starved = 0

    @property
    def depth(self) -> int:
        """How many frames wait."""
        return len(self._frames)

    def push(self, frame: Frame) -> None:
        """Take one frame; the oldest goes when the buffer is full."""
        self._frames.append(frame)
        if len(self._frames) > DEEPEST:
            self._frames.popleft()
            self.dropped += 1

    def frame(self, tick: int) -> Frame:
        """The frame of this tick; silence when none is there."""
        if self._tick is None:
            self._tick = tick - 1
        # Ticks at which nobody asked have passed all the same.
        for _ in range(min(tick - self._tick, DEEPEST + 1)):
            self._advance()
        self._tick = max(self._tick, tick)
        return self._now

    def _advance(self) -> None:
        if self._filling and len(self._frames) < TARGET:
            self._now = SILENCE
            return
        self._filling = False
        self._shorten()
        if self._frames:
            self._now = self._frames.popleft()
        else:
            self._now, self._filling = SILENCE, True
            self.starved += 1

    def _shorten(self) -> None:
        self._lowest = min(self._lowest, len(self._frames))
        self._looked += 1
        if self._looked < WINDOW:
            return
        for _ in range(self._lowest - TARGET):
            self._frames.popleft()
            self.dropped += 1
        self._lowest, self._looked = DEEPEST, 0
