"""Recordings as an engine would have met them on the telephone: WAV files in, 8 kHz mu-law tracks out."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from streams.audio import pcm_to_ulaw
from streams.engines.sound import RATE, Samples, ulaw_samples

__all__ = ["Recording", "RecordingError", "read"]

_PCM, _FLOAT, _ALAW, _ULAW, _EXTENSIBLE = 1, 3, 6, 7, 0xFFFE
_PASS_HZ = 3_700
_TAPS = 128  # of the band limit, each side, at 8 kHz; as many times more as the rate is higher
_BLOCK = 1 << 16


class RecordingError(Exception):
    """The file is no recording that can be read; the text says why."""


@dataclass(frozen=True, slots=True)
class Recording:
    """A recording as telephone sound: mu-law bytes of each channel, 8 kHz."""

    channels: tuple[bytes, ...]
    duration_ms: int


@dataclass(frozen=True, slots=True)
class _Format:
    code: int
    channels: int
    rate: int
    bits: int


def read(path: Path) -> Recording:
    """Read a WAV file: PCM of 8 to 32 bits, float, mu-law or A-law; any rate, any number of channels.

    Mu-law at 8 kHz passes untouched; anything else is limited to the telephone's band and coded. Raises
    RecordingError, and OSError when the file cannot be read.
    """
    form, body = _parse(path.read_bytes())
    if form.code == _ULAW and form.rate == RATE:
        body = body[: len(body) - len(body) % form.channels]
        tracks = tuple(body[channel :: form.channels] for channel in range(form.channels))
    else:
        samples = _samples(form, body)
        tracks = tuple(_telephone(samples[:, channel], form.rate) for channel in range(form.channels))
    return Recording(tracks, len(tracks[0]) * 1000 // RATE)


def _parse(data: bytes) -> tuple[_Format, bytes]:
    if data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        raise RecordingError("not a WAV file")
    form: _Format | None = None
    for name, content in _chunks(data):
        if name == b"fmt ":
            form = _format(content)
        elif name == b"data" and form:
            return form, content
    raise RecordingError("no format or no sound in it")


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 12
    while at + 8 <= len(data):
        name, size = data[at : at + 4], struct.unpack_from("<I", data, at + 4)[0]
        yield name, data[at + 8 : at + 8 + size]  # a stream's writer may claim more than there is
        at += 8 + size + size % 2


def _format(content: bytes) -> _Format:
    if len(content) < 16:
        raise RecordingError("its format is cut off")
    code, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", content)
    if code == _EXTENSIBLE and len(content) >= 26:
        code = struct.unpack_from("<H", content, 24)[0]
    if not 1 <= channels <= 32 or not 1_000 <= rate <= 384_000:
        raise RecordingError(f"{channels} channels at {rate} Hz")
    return _Format(code, channels, rate, bits)


def _samples(form: _Format, body: bytes) -> Samples:
    """Samples in −1 … 1, one column for each channel."""
    width = form.channels * max(1, form.bits // 8)
    body = body[: len(body) - len(body) % width]
    flat = _decoded(form.code, form.bits, body)
    return flat.astype(np.float32).reshape(-1, form.channels)


def _decoded(code: int, bits: int, body: bytes) -> Samples:
    if code == _ULAW and bits == 8:
        return ulaw_samples(body)
    if code == _ALAW and bits == 8:
        return _alaw_samples(body)
    if code == _FLOAT and bits in (32, 64):
        return np.frombuffer(body, dtype=f"<f{bits // 8}").astype(np.float32)
    if code == _PCM and bits in (8, 16, 24, 32):
        return _pcm_samples(bits, body)
    raise RecordingError(f"format {code} with {bits} bits is not known")


def _pcm_samples(bits: int, body: bytes) -> Samples:
    raw = np.frombuffer(body, dtype=np.uint8)
    if bits == 8:
        return (raw.astype(np.float32) - np.float32(128)) / np.float32(128)
    wide = np.zeros((len(raw) // (bits // 8), 4), dtype=np.uint8)
    wide[:, 4 - bits // 8 :] = raw.reshape(-1, bits // 8)
    return wide.view("<i4")[:, 0].astype(np.float32) / np.float32(2**31)


def _alaw_samples(body: bytes) -> Samples:
    """G.711 A-law."""
    code = np.frombuffer(body, dtype=np.uint8).astype(np.int32) ^ 0x55
    exponent, mantissa = (code >> 4) & 7, (code & 15) << 4
    size = np.where(exponent > 0, (mantissa + 0x108) << np.maximum(exponent - 1, 0), mantissa + 8)
    return np.where(code & 0x80, size, -size).astype(np.float32) / np.float32(32768)


def _telephone(samples: Samples, rate: int) -> bytes:
    """One channel at 8 kHz, in the telephone's band, as mu-law."""
    if rate > RATE:
        samples = _band_limited(samples, rate)
    if rate != RATE:
        at = np.arange(int(len(samples) * RATE / rate)) * (rate / RATE)
        samples = np.interp(at, np.arange(len(samples)), samples).astype(np.float32)
    return pcm_to_ulaw((np.clip(samples, -1, 1) * 32767).astype("<i2").tobytes())


def _band_limited(samples: Samples, rate: int) -> Samples:
    """Without what 8 kHz cannot carry: a windowed sinc, applied block by block through the spectrum."""
    half = int(_TAPS * rate / RATE)
    at = np.arange(-half, half + 1)
    taps = np.sinc(at * 2 * _PASS_HZ / rate) * np.kaiser(2 * half + 1, 8.0)
    taps /= taps.sum()
    spectrum = np.fft.rfft(taps, _BLOCK)
    sound = np.concatenate([np.zeros(half, np.float32), samples, np.zeros(_BLOCK, np.float32)])
    step = _BLOCK - 2 * half
    blocks = [
        np.fft.irfft(np.fft.rfft(sound[begin : begin + _BLOCK], _BLOCK) * spectrum, _BLOCK)[2 * half :]
        for begin in range(0, len(samples), step)
    ]
    limited: Samples = np.concatenate(blocks).astype(np.float32)[: len(samples)]
    return limited
