"""Sounds that a telephone network makes itself, computed: ringback, music on hold, the beep."""

from __future__ import annotations

import math
import struct
from functools import cache

from emulator.audio.sound import RATE, Sound, cut
from streams.audio import pcm_to_ulaw

# Level of one sine, of 32767: about -24 dBFS, as networks send it.
LOUD = 2800
# A quiet arpeggio, in semitones above A3; 0.5 s a note.
MELODY = (0, 7, 12, 16, 12, 7, 5, 9, 12, 17, 12, 9, 7, 11, 14, 19, 14, 11, 0, 4, 7, 12, 7, 4)
NOTE_S = 0.5


@cache
def ringback() -> Sound:
    """What a caller hears while it rings: 440 and 480 Hz, two seconds on and four off."""
    return _sound("ringback", _tones((440, 480), 2.0) + [0] * (4 * RATE))


@cache
def music() -> Sound:
    """What a caller hears who waits, 12 s long; it begins anew at its end."""
    samples: list[int] = []
    for step in MELODY:
        samples += _faded(_tones((220 * 2 ** (step / 12),), NOTE_S))
    return _sound("music", samples)


@cache
def beep() -> Sound:
    """Somebody came or went, or a recording begins: 0.2 s of 1000 Hz."""
    return _sound("beep", _tones((1000,), 0.2))


def _tones(hertz: tuple[float, ...], seconds: float) -> list[int]:
    steps = [2 * math.pi * tone / RATE for tone in hertz]
    return [round(sum(LOUD * math.sin(step * n) for step in steps)) for n in range(round(seconds * RATE))]


def _faded(samples: list[int]) -> list[int]:
    """The note dies away, so that none ends in a click."""
    return [round(sample * (1 - n / len(samples))) for n, sample in enumerate(samples)]


def _sound(name: str, samples: list[int]) -> Sound:
    return Sound(name, "", cut(pcm_to_ulaw(struct.pack(f"<{len(samples)}h", *samples))))
