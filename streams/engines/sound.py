"""Telephone sound as numbers, and the shapes that speech models want it in. Samples: float32, −1 … 1."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["RATE", "WIDE_RATE", "Samples", "faster", "padded", "steady", "ulaw_samples", "widen"]

Samples = NDArray[np.float32]
RATE = 8_000
WIDE_RATE = 16_000
SPEECH_RMS = 0.06  # what the recogniser hears best; measured on read and on telephone speech
_MOST_GAIN = 30.0
_TAPS = 24


def _ulaw_table() -> Samples:
    """The 256 values of G.711 mu-law (ITU-T G.711, table 2), as parts of full scale."""
    code = ~np.arange(256) & 0xFF
    size = ((((code & 0x0F) << 3) + 0x84) << ((code >> 4) & 7)) - 0x84
    signed: NDArray[np.int64] = np.where(code & 0x80, -size, size)
    return (signed / 32768).astype(np.float32)


def _half_band() -> Samples:
    """Taps that give the sample in the middle between two: windowed sinc, 24 samples to each side."""
    at = np.arange(-_TAPS, _TAPS) + 0.5
    taps = np.sinc(at) * np.kaiser(2 * _TAPS, 8.0)
    scaled: Samples = (taps / taps.sum()).astype(np.float32)
    return scaled


_ULAW = _ulaw_table()
_BETWEEN = _half_band()


def ulaw_samples(ulaw: bytes) -> Samples:
    """Mu-law bytes as samples; any length."""
    return _ULAW[np.frombuffer(ulaw, dtype=np.uint8)]


def widen(samples: Samples) -> Samples:
    """8 kHz to 16 kHz: the samples, and between each two the one that a band-limited signal has there."""
    wide = np.empty(2 * len(samples), dtype=np.float32)
    wide[::2] = samples
    if len(samples):
        wide[1::2] = np.convolve(samples, _BETWEEN, "full")[_TAPS : _TAPS + len(samples)]
    return wide


def steady(samples: Samples, voiced: NDArray[np.bool_]) -> Samples:
    """Bring the voiced part to one loudness, so that a quiet telephone is heard like a loud one.

    `voiced` says for equal stretches of the sound whether it is voice. Silence is not blown up: the gain
    follows the voice alone, is bounded, and leaves no sample beyond full scale.
    """
    if not len(samples):
        return samples
    where = np.repeat(voiced, -(-len(samples) // max(1, len(voiced))))[: len(samples)]
    heard = samples[where] if where.any() else samples
    gain = min(_MOST_GAIN, SPEECH_RMS / max(float(np.sqrt((heard * heard).mean())), 1e-5))
    gain = min(gain, 0.99 / max(float(np.abs(samples).max()), 1e-5))
    louder: Samples = samples * np.float32(gain)
    return louder


def padded(samples: Samples, before: int, after: int) -> Samples:
    """The sound with so many samples of silence before and after it."""
    return np.concatenate([np.zeros(before, np.float32), samples, np.zeros(after, np.float32)])


def faster(samples: Samples, factor: float) -> Samples:
    """The sound at another speed (and pitch), for a second hearing; 1.1 = a tenth faster."""
    count = int(len(samples) / factor)
    quicker: Samples = np.interp(np.arange(count) * factor, np.arange(len(samples)), samples).astype(
        np.float32
    )
    return quicker
