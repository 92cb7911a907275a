"""Speech as a synthesiser gives it → as the telephone wants it: 8 kHz mu-law, evenly loud, no dead air.

It takes some milliseconds of a processor: not for the loop's own thread.
"""

from __future__ import annotations

import io
import wave
from math import gcd

import numpy as np
from numpy.typing import NDArray

from streams.audio import pcm_to_ulaw

__all__ = ["PEAK", "SPEECH_RMS", "from_wav", "telephone"]

Samples = NDArray[np.float64]
RATE = 8000
SPEECH_RMS = 0.1
"""−20 dBFS, over the parts that are speech."""
PEAK = 0.89
"""−1 dBFS: nothing is clipped."""
_EDGE_HZ, _ROLL_HZ = 3500, 450  # what a telephone carries ends at 3.4 kHz; at 4 kHz nothing may be left
_BLOCK = RATE // 100
_SILENT = 0.003  # −50 dBFS: below it a block is no speech
_LEAD_BLOCKS, _TAIL_BLOCKS = 2, 12  # silence that stays: 20 ms before, 120 ms behind


def from_wav(data: bytes) -> bytes:
    """A WAV file of 16-bit mono PCM as telephone sound. Raises ValueError when it is none."""
    try:
        with wave.open(io.BytesIO(data)) as file:
            if (file.getnchannels(), file.getsampwidth()) != (1, 2):
                raise ValueError("not 16-bit mono")
            samples = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2")
            return telephone(samples / 32768, file.getframerate())
    except (wave.Error, EOFError) as error:
        raise ValueError(str(error)) from error


def telephone(samples: Samples, rate: int) -> bytes:
    """Samples (−1 … 1) at a rate in Hz as mu-law at 8 kHz; b"" when nothing in them is to be heard."""
    trimmed = _trimmed(_at_8_khz(samples, rate))
    if not len(trimmed):
        return b""
    level = np.clip(_steady(trimmed), -1, 1) * 32767
    return pcm_to_ulaw(level.astype("<i2").tobytes())


def _at_8_khz(samples: Samples, rate: int) -> Samples:
    """By its spectrum, cut before 4 kHz: what lies above would come back as noise below."""
    step = rate // gcd(RATE, rate)
    length = -(-(len(samples) + rate // 10) // step) * step  # some silence behind: the ends do not meet
    spectrum = np.fft.rfft(samples, length)
    hertz = np.arange(len(spectrum)) * rate / length
    spectrum *= np.clip((_EDGE_HZ + _ROLL_HZ - hertz) / _ROLL_HZ, 0, 1)
    at_8_khz: Samples = np.fft.irfft(_fit(spectrum, length * RATE // rate // 2 + 1), length * RATE // rate)
    return at_8_khz * RATE / rate


def _fit(spectrum: NDArray[np.complex128], length: int) -> NDArray[np.complex128]:
    """The lowest so many frequencies, zeros where there are none."""
    return np.pad(spectrum[:length], (0, max(0, length - len(spectrum))))


def _loudness(samples: Samples) -> Samples:
    """RMS of each 10 ms."""
    blocks = samples[: len(samples) // _BLOCK * _BLOCK].reshape(-1, _BLOCK)
    found: Samples = np.sqrt((blocks**2).mean(axis=1))
    return found


def _trimmed(samples: Samples) -> Samples:
    """Without the silence around: a caller who waits for an answer hears it begin."""
    spoken = np.flatnonzero(_loudness(samples) > _SILENT)
    if not len(spoken):
        return samples[:0]
    first = max(0, int(spoken[0]) - _LEAD_BLOCKS)
    return samples[first * _BLOCK : (int(spoken[-1]) + 1 + _TAIL_BLOCKS) * _BLOCK]


def _steady(samples: Samples) -> Samples:
    """At the loudness of speech, as far as its peaks leave room."""
    loud = _loudness(samples)
    spoken = loud[loud > max(_SILENT, 0.1 * float(loud.max()))]
    rms = float(np.sqrt((spoken**2).mean()))
    return samples * min(SPEECH_RMS / rms, PEAK / float(np.abs(samples).max()))
