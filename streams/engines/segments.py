"""Where an utterance begins and ends: voice probabilities in, clips of sound out. One segmenter per track.

idle ── probability ≥ start ──────────────► open
open ── silence of hangover_ms ───────────► idle, the clip is whole
open ── a shorter silence after long_ms ──► idle, the clip is whole
open ── max_ms without any ───────────────► open again, cut at the best pause behind long_ms
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from streams.engines.sound import Samples
from streams.engines.vad import WINDOW_MS

__all__ = ["Clip", "Limits", "Segmenter"]


@dataclass(frozen=True, slots=True)
class Limits:
    """When an utterance opens, ends and is cut: probabilities, and ms of sound."""

    start: float = 0.5
    end: float = 0.35
    hangover_ms: int = 500
    pad_ms: int = 250  # kept before and behind the voice; also the silence after which a final is prepared
    long_ms: int = 8_000
    long_hangover_ms: int = 250
    max_ms: int = 15_000


@dataclass(frozen=True, slots=True, eq=False)
class Clip:
    """One utterance: its sound with a little silence around, and which windows of it are voice.

    Times are ms of the stream: `first_ms` of the first sample, `start_ms` and `end_ms` of the voice; nothing
    before `used_ms` needs to be heard again.
    """

    samples: Samples
    voiced: NDArray[np.bool_]
    first_ms: int
    start_ms: int
    end_ms: int
    used_ms: int

    @property
    def voiced_ms(self) -> int:
        """How much of it is voice."""
        return int(self.voiced.sum()) * WINDOW_MS

    def same(self, other: Clip) -> bool:
        """Whether this is the same stretch of the track."""
        return (self.first_ms, self.used_ms) == (other.first_ms, other.used_ms)


@dataclass(slots=True)
class _Spoken:
    """The open utterance, counted in windows: where its sound and its voice began, where voice was last."""

    first: int
    begun: int
    ended: int
    windows: list[Samples]
    chances: list[float]


def _windows(ms: int) -> int:
    return max(1, round(ms / WINDOW_MS))


class Segmenter:
    """Feed it each window with its probability; it gives back a clip when an utterance has ended."""

    def __init__(self, limits: Limits | None = None, origin_ms: int = 0) -> None:
        """`origin_ms` is the stream time of the first sample that will be pushed."""
        self.limits = limits or Limits()
        self._origin_ms = origin_ms
        self._pad = _windows(self.limits.pad_ms)
        self._at = 0  # windows so far
        self._lead: deque[tuple[Samples, float]] = deque(maxlen=self._pad + 1)
        self._spoken: _Spoken | None = None

    @property
    def now_ms(self) -> int:
        """Stream time of the end of what was pushed."""
        return self._ms(self._at)

    @property
    def start_ms(self) -> int | None:
        """When the voice of the open utterance began; None when nobody speaks."""
        return self._ms(self._spoken.begun) if self._spoken else None

    @property
    def pausing(self) -> bool:
        """Whether the open utterance has just been silent for its pad: it would be whole if it ended now."""
        return self._spoken is not None and self._at - self._spoken.ended == self._pad

    @property
    def voiced(self) -> bool:
        """Whether an utterance is open and its last window was voice."""
        return self._spoken is not None and self._spoken.ended == self._at

    def push(self, window: Samples, chance: float) -> Clip | None:
        """Hear one window; the clip that ended with it, if any. After a cut the next one is open at once."""
        self._at += 1
        if self._spoken is None:
            self._wait(window, chance)
            return None
        return self._grow(self._spoken, window, chance)

    def so_far(self) -> Clip | None:
        """The open utterance as it stands, with no more silence behind it than its pad; None when idle."""
        spoken = self._spoken
        return self._clip(spoken, min(self._at, spoken.ended + self._pad)) if spoken else None

    def finish(self) -> Clip | None:
        """End the open utterance: it was silent long enough, or no more sound will come."""
        clip, spoken = self.so_far(), self._spoken
        if spoken and clip:
            behind = len(clip.voiced)
            rest = zip(spoken.windows[behind:], spoken.chances[behind:], strict=True)
            self._lead = deque(rest, maxlen=self._pad + 1)
        self._spoken = None
        return clip

    def _wait(self, window: Samples, chance: float) -> None:
        self._lead.append((window, chance))
        if chance >= self.limits.start:
            windows, chances = [sound for sound, _ in self._lead], [before for _, before in self._lead]
            self._spoken = _Spoken(self._at - len(windows), self._at - 1, self._at, windows, chances)
            self._lead.clear()

    def _grow(self, spoken: _Spoken, window: Samples, chance: float) -> Clip | None:
        spoken.windows.append(window)
        spoken.chances.append(chance)
        if chance >= self.limits.end:
            spoken.ended = self._at
        if self._at - spoken.ended >= self._patience(spoken):
            return self.finish()
        return self._cut(spoken) if len(spoken.windows) >= _windows(self.limits.max_ms) else None

    def _patience(self, spoken: _Spoken) -> int:
        limits = self.limits
        is_long = len(spoken.windows) >= _windows(limits.long_ms)
        return _windows(limits.long_hangover_ms if is_long else limits.hangover_ms)

    def _cut(self, spoken: _Spoken) -> Clip:
        """Split at the least voiced place behind long_ms; what follows is open already."""
        earliest = _windows(self.limits.long_ms)
        smooth = np.convolve(spoken.chances[earliest:], np.ones(3) / 3, "same")
        size = earliest + int(smooth.argmin()) + 1
        at = spoken.first + size
        clip = self._clip(_Spoken(spoken.first, spoken.begun, at, spoken.windows, spoken.chances), at)
        self._spoken = _Spoken(at, at, max(at, spoken.ended), spoken.windows[size:], spoken.chances[size:])
        return clip

    def _clip(self, spoken: _Spoken, end: int) -> Clip:
        count = end - spoken.first
        return Clip(
            samples=np.concatenate(spoken.windows[:count]),
            voiced=np.array(spoken.chances[:count]) >= self.limits.end,
            first_ms=self._ms(spoken.first),
            start_ms=self._ms(spoken.begun),
            end_ms=self._ms(min(spoken.ended, end)),
            used_ms=self._ms(end),
        )

    def _ms(self, windows: int) -> int:
        return self._origin_ms + windows * WINDOW_MS
