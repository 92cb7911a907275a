"""G.711 mu-law ↔ 16-bit PCM, resampling and loudness. Pure; 8 kHz mono unless a rate is named."""

import math
import warnings
from typing import Any, Final, NamedTuple

with warnings.catch_warnings():
    # Python 3.13 has no audioop of its own; audioop-lts brings the same module, so the warning is answered.
    warnings.simplefilter("ignore", DeprecationWarning)
    import audioop

__all__ = [
    "BYTES_PER_MS",
    "FRAME_BYTES",
    "FRAME_MS",
    "RATE",
    "SILENCE",
    "SILENCE_FLOOR",
    "Level",
    "dbfs",
    "level",
    "pcm_to_ulaw",
    "resample",
    "ulaw_to_pcm",
]

RATE: Final = 8000
"""Samples a second; mu-law has one byte for each."""
BYTES_PER_MS: Final = RATE // 1000
FRAME_MS: Final = 20
"""The length of the frames that Twilio sends; measured, not promised."""
FRAME_BYTES: Final = FRAME_MS * BYTES_PER_MS
SILENCE: Final = b"\xff"
"""One mu-law byte of digital silence."""
SILENCE_FLOOR: Final = -96.0
"""The lowest level told, in dBFS."""

FULL_SCALE: Final = 32768
_WIDTH = 2


class Level(NamedTuple):
    """Loudness in dBFS: 0 is full scale, SILENCE_FLOOR the floor; no sine correction."""

    rms_dbfs: float
    peak_dbfs: float


def ulaw_to_pcm(ulaw: bytes) -> bytes:
    """Mu-law bytes → twice as many bytes of 16-bit little-endian PCM."""
    return audioop.ulaw2lin(ulaw, _WIDTH)  # type: ignore[no-any-return,unused-ignore]


def pcm_to_ulaw(pcm: bytes) -> bytes:
    """16-bit little-endian PCM → mu-law, one byte a sample. Raises ValueError on half a sample."""
    if len(pcm) % _WIDTH:
        raise ValueError("PCM ends in half a sample")
    return audioop.lin2ulaw(pcm, _WIDTH)  # type: ignore[no-any-return,unused-ignore]


def resample(pcm: bytes, from_hz: int, to_hz: int, state: Any = None) -> tuple[bytes, Any]:
    """16-bit mono PCM at another rate, and the state to pass with the next piece of the same sound.

    Linear between samples: enough to read 16 kHz recordings; an engine that wants better has its own.
    Raises ValueError on half a sample or a rate that is not positive.
    """
    if len(pcm) % _WIDTH or from_hz <= 0 or to_hz <= 0:
        raise ValueError("half a sample, or a rate that is not positive")
    return audioop.ratecv(pcm, _WIDTH, 1, from_hz, to_hz, state)  # type: ignore[no-any-return,unused-ignore]


def level(ulaw: bytes) -> Level:
    """RMS and peak of mu-law sound of any length; the floor for none."""
    pcm = audioop.ulaw2lin(ulaw, _WIDTH)
    return Level(dbfs(audioop.rms(pcm, _WIDTH)), dbfs(audioop.max(pcm, _WIDTH)))


def dbfs(amplitude: float) -> float:
    """20·log10(amplitude / 32768), not under SILENCE_FLOOR."""
    if amplitude <= 0:
        return SILENCE_FLOOR
    return max(SILENCE_FLOOR, 20 * math.log10(amplitude / FULL_SCALE))
