"""The sound of a call on its way to a listener's browser: its frames as bytes, and how much may wait. Pure.

A frame is 12 bytes, little endian (version u8 · track u8, 0 inbound, 1 outbound · seq u16 · ms f64), then 160
mu-law bytes. A binary message holds one or more. `ms` is when its first sample was spoken, by the server's
clock: the tracks of a stream lie on one line of time, and what is missing is missing time.

The browser acknowledges by `seq`. Of each track at most half a second is on its way without that and at most
half a second waits; then the oldest that waits is dropped, and told before the next frame that goes.
"""

import struct
from collections import deque
from collections.abc import Iterator
from typing import Final, NamedTuple

from streams.audio import BYTES_PER_MS, FRAME_BYTES, SILENCE

__all__ = ["FLIGHT", "FRAME_MS", "HELD", "VERSION", "Sound", "Window", "cut", "pack"]

VERSION: Final = 1
FRAME_MS: Final = FRAME_BYTES // BYTES_PER_MS
FLIGHT: Final = 25  # frames of a track sent and not acknowledged
HELD: Final = 25  # frames of a track that wait behind them
_SEQUENCES: Final = 1 << 16
_HEAD = struct.Struct("<BBHd")


class Sound(NamedTuple):
    """One frame of one track: 160 mu-law bytes; `ms` by the server's clock, Unix time in ms."""

    track: int
    ms: float
    ulaw: bytes


def cut(track: int, ms: float, ulaw: bytes) -> Iterator[Sound]:
    """Sound of any length as frames; the last one is filled up with silence, which later sound replaces."""
    for at in range(0, len(ulaw), FRAME_BYTES):
        piece = ulaw[at : at + FRAME_BYTES].ljust(FRAME_BYTES, SILENCE)
        yield Sound(track, ms + at / BYTES_PER_MS, piece)


def pack(seq: int, sound: Sound) -> bytes:
    """One frame as it travels."""
    return _HEAD.pack(VERSION, sound.track, seq, sound.ms) + sound.ulaw


class Window:
    """What one listener is still to get, and has got without saying so."""

    def __init__(self) -> None:
        self._held: tuple[deque[Sound], ...] = (deque(), deque())
        self._flight: deque[int] = deque()  # the tracks of what is on its way, in order
        self._counts = [0, 0]  # the same by track
        self._seq = 0  # of the next frame
        self._lost = [0, 0]  # ms, since it was told

    @property
    def in_flight(self) -> int:
        """Frames sent and not acknowledged."""
        return len(self._flight)

    def put(self, sound: Sound) -> None:
        """Let a frame wait; too many drop the oldest of its track."""
        held = self._held[sound.track]
        held.append(sound)
        if len(held) + self._counts[sound.track] > FLIGHT + HELD:
            held.popleft()
            self._lost[sound.track] += FRAME_MS

    def take(self) -> tuple[int, bytes]:
        """What may go now, in order of time: ms lost before it, and frames as one message; 0, b"" if none."""
        frames: list[bytes] = []
        while (track := self._next()) is not None:
            frames.append(pack(self._seq, self._held[track].popleft()))
            self._seq = (self._seq + 1) % _SEQUENCES
            self._flight.append(track)
            self._counts[track] += 1
        if not frames:
            return 0, b""
        lost, self._lost = max(self._lost), [0, 0]
        return lost, b"".join(frames)

    def ack(self, seq: int) -> bool:
        """Frames up to `seq` have arrived; False if it is none of those on their way."""
        if not 0 <= seq < _SEQUENCES:
            return False
        first = self._seq - len(self._flight)
        number = (seq - first) % _SEQUENCES + 1
        if number > len(self._flight):
            return False
        for _ in range(number):
            self._counts[self._flight.popleft()] -= 1
        return True

    def clear(self) -> None:
        """Another stream begins: what waits is of the one before."""
        for held in self._held:
            held.clear()

    def _next(self) -> int | None:
        """The track whose turn it is; None if none has a frame that may go."""
        free = [track for track in (0, 1) if self._held[track] and self._counts[track] < FLIGHT]
        return min(free, key=lambda track: self._held[track][0].ms, default=None)
