"""Sound in ready 20 ms frames: mu-law, 160 bytes, with the base64 that the wire wants already made."""

from __future__ import annotations

import json
import struct
from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from streams.audio import pcm_to_ulaw, resample

FRAME_BYTES = 160
FRAME_MS = 20
RATE = 8000
SILENT_BYTE = b"\xff"
ULAW, PCM, EXTENSIBLE = 7, 1, 0xFFFE


class SoundError(ValueError):
    """A recording that cannot be played; the text names the file and why."""


class Frame(NamedTuple):
    """20 ms of sound: `raw` 160 bytes of mu-law, `text` the same in base64."""

    raw: bytes
    text: bytes

    @classmethod
    def of(cls, raw: bytes) -> Frame:
        """Make one of 160 bytes of mu-law."""
        return cls(raw, b64encode(raw))


# Known by identity: whoever mixes leaves it out.
SILENCE = Frame.of(SILENT_BYTE * FRAME_BYTES)


@dataclass(frozen=True)
class Sound:
    """One channel of one recording, in frames."""

    file: str
    channel: str
    frames: tuple[Frame, ...]

    @property
    def ms(self) -> int:
        """Its length."""
        return len(self.frames) * FRAME_MS


class Word(NamedTuple):
    """One word and when it is said, in ms from the beginning of its recording."""

    text: str
    start_ms: int
    end_ms: int


def cut(ulaw: bytes) -> tuple[Frame, ...]:
    """Cut mu-law into frames; the last is filled with silence."""
    padded = ulaw + SILENT_BYTE * (-len(ulaw) % FRAME_BYTES)
    pieces = (padded[at : at + FRAME_BYTES] for at in range(0, len(padded), FRAME_BYTES))
    return tuple(SILENCE if piece == SILENCE.raw else Frame.of(piece) for piece in pieces)


class Library:
    """The recordings of one directory, read when first played: mono the caller, stereo caller and agent."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.manifest = _manifest(directory)
        self._sounds: dict[str, dict[str, Sound]] = {}

    def names(self) -> list[str]:
        """The .wav files, by name."""
        return sorted(path.name for path in self.directory.glob("*.wav"))

    def channels(self, file: str) -> dict[str, Sound]:
        """Its channels by name ("caller", "agent"). Raises SoundError."""
        if file not in self._sounds:
            self._sounds[file] = self._load(file)
        return self._sounds[file]

    def sound(self, file: str, channel: str) -> Sound:
        """One channel. Raises SoundError when the file or the channel is missing."""
        channels = self.channels(file)
        if channel not in channels:
            raise SoundError(f"{file}: no channel {channel!r}, it has {', '.join(channels)}")
        return channels[channel]

    def words(self, file: str, channel: str) -> list[Word]:
        """What is said on one channel, as far as the manifest knows; in order of time."""
        entry = self.manifest.get(file, {})
        spoken = list(entry.get("words") or [])
        for turn in entry.get("turns") or []:
            if turn.get("track") == channel:
                spoken += turn.get("words") or []
        words = [Word(str(w["w"]), round(w["start"] * 1000), round(w["end"] * 1000)) for w in spoken]
        return sorted(words, key=lambda word: word.end_ms)

    def _load(self, file: str) -> dict[str, Sound]:
        path = self.directory / file
        if path.name != file:
            raise SoundError(f"{file}: a file of {self.directory.name}/ is needed, no path")
        try:
            raw = path.read_bytes()
        except OSError as error:
            raise SoundError(f"{file}: {error.strerror or error}") from error
        names = self.manifest.get(file, {}).get("channel_names") or ["caller", "agent"]
        tracks = read_wav(raw, file)
        return {name: Sound(file, name, cut(data)) for name, data in zip(names, tracks, strict=False)}


def read_wav(raw: bytes, name: str) -> list[bytes]:
    """Each channel of a mu-law or 16-bit PCM WAV file as 8 kHz mu-law. Raises SoundError."""
    chunks = _chunks(raw, name)
    if len(chunks.get(b"fmt ", b"")) < 16 or b"data" not in chunks:
        raise SoundError(f"{name}: not a WAV file with a format and data")
    form, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", chunks[b"fmt "])
    if form == EXTENSIBLE and len(chunks[b"fmt "]) >= 26:
        form = struct.unpack_from("<H", chunks[b"fmt "], 24)[0]
    if (form, bits) not in {(ULAW, 8), (PCM, 16)} or not channels or not rate:
        raise SoundError(f"{name}: format {form} with {bits} bits; mu-law or 16-bit PCM is needed")
    width = bits // 8
    data = chunks[b"data"]
    data = data[: len(data) - len(data) % (width * channels)]
    return [_as_ulaw(_channel(data, at, channels, width), width, rate) for at in range(channels)]


def _channel(data: bytes, at: int, channels: int, width: int) -> bytes:
    step = width * channels
    out = bytearray(len(data) // channels)
    for byte in range(width):
        out[byte::width] = data[at * width + byte :: step]
    return bytes(out)


def _as_ulaw(data: bytes, width: int, rate: int) -> bytes:
    if width == 1:
        if rate != RATE:
            raise SoundError(f"mu-law at {rate} Hz; only 8000 Hz is played")
        return data
    return pcm_to_ulaw(data if rate == RATE else resample(data, rate, RATE)[0])


def _chunks(raw: bytes, name: str) -> dict[bytes, bytes]:
    if raw[:4] != b"RIFF" or raw[8:12] != b"WAVE":
        raise SoundError(f"{name}: not a WAV file")
    found: dict[bytes, bytes] = {}
    at = 12
    while at + 8 <= len(raw):
        kind, size = raw[at : at + 4], int.from_bytes(raw[at + 4 : at + 8], "little")
        found.setdefault(kind, raw[at + 8 : at + 8 + size])
        at += 8 + size + size % 2
    return found


def _manifest(directory: Path) -> dict[str, dict[str, Any]]:
    path = directory / "manifest.json"
    if not path.is_file():
        return {}
    try:
        files = json.loads(path.read_text(encoding="utf-8")).get("files", {})
    except ValueError as error:
        raise SoundError(f"manifest.json: {error}") from error
    return files if isinstance(files, dict) else {}
