"""Two tracks of mu-law sound, each at its own time, become one stereo sound and its WAV header. Pure.

Nothing is closed up: what is missing on a track is silence of its length. Only a window of a few seconds is
held, however long the sound is.
"""

import struct
from typing import Final

from streams.audio import BYTES_PER_MS, RATE, SILENCE

__all__ = ["HEADER_BYTES", "LEFT", "RIGHT", "Stereo", "header"]

LEFT, RIGHT = 0, 1
HEADER_BYTES: Final = 58
WINDOW: Final = 10 * RATE
_MARGIN: Final = 2 * RATE  # a late frame comes at most 200 ms behind
_MULAW: Final = 7
_CHANNELS: Final = 2


class Stereo:
    """Place frames as they come; take what is settled from time to time, and the rest at the end."""

    def __init__(self) -> None:
        self.samples = 0  # taken so far, of each side
        self._sides = (bytearray(), bytearray())
        self._ends = [0, 0]

    def place(self, side: int, at_ms: int, ulaw: bytes) -> None:
        """Put sound where it belongs; it joins on to what is there if it is less than a ms off."""
        end = self._ends[side]
        at = at_ms * BYTES_PER_MS
        at = end if abs(at - end) < BYTES_PER_MS else at
        start = at - self.samples
        if start < 0:
            return  # older than the window: the stream's own clock would have dropped it
        buffer = self._sides[side]
        if start > len(buffer):
            buffer.extend(SILENCE * (start - len(buffer)))
        buffer[start : start + len(ulaw)] = ulaw
        self._ends[side] = max(end, at + len(ulaw))

    def settled(self) -> bytes:
        """The interleaved sound that nothing can change any more; b"" until there is a window of it."""
        longest = max(map(len, self._sides))
        return self._take(longest - _MARGIN) if longest > WINDOW else b""

    def rest(self) -> bytes:
        """All that is left, both sides equally long."""
        return self._take(max(map(len, self._sides)))

    def _take(self, samples: int) -> bytes:
        both = bytearray(_CHANNELS * samples)
        for side, buffer in enumerate(self._sides):
            both[side::_CHANNELS] = buffer[:samples].ljust(samples, SILENCE)
            del buffer[:samples]
        self.samples += samples
        return bytes(both)


def header(samples: int) -> bytes:
    """The head of a stereo mu-law WAV file of so many samples a side: HEADER_BYTES long."""
    size = samples * _CHANNELS
    sound = struct.pack("<HHIIHHH", _MULAW, _CHANNELS, RATE, RATE * _CHANNELS, _CHANNELS, 8, 0)
    parts = b"fmt " + struct.pack("<I", len(sound)) + sound
    parts += b"fact" + struct.pack("<II", 4, samples)
    parts += b"data" + struct.pack("<I", size)
    return b"RIFF" + struct.pack("<I", 4 + len(parts) + size) + b"WAVE" + parts
