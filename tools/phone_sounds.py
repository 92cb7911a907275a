"""The phone's own sounds: `python -m tools.phone_sounds` writes static/sounds/phone-*.wav, always the same.

One for every name that Twilio's Voice SDK knows, so that it fetches none from elsewhere. 8 kHz, 16 bit, mono.
"""

import math
import struct
import wave
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from tools.house import ROOT

FOLDER = ROOT / "static" / "sounds"
RATE = 8000
EDGE_S = 0.006  # rises and falls, so that nothing clicks
_ROWS, _COLUMNS = (697, 770, 852, 941), (1209, 1336, 1477)
_KEYS = ("123", "456", "789", "s0h")  # s is the star, h the hash, as the SDK names them
Part = tuple[tuple[float, ...], float, float]  # tones in Hz, seconds, loudness 0 to 1

SOUNDS: dict[str, list[Part]] = {
    "incoming": [((660, 880), 0.22, 0.5), ((), 0.08, 0), ((660, 880), 0.22, 0.5), ((), 1.48, 0)],
    "outgoing": [((520,), 0.09, 0.4), ((660,), 0.12, 0.4)],
    "disconnect": [((520,), 0.09, 0.4), ((390,), 0.16, 0.4)],
    **{
        f"dtmf{key}": [((low, high), 0.12, 0.35)]
        for low, keys in zip(_ROWS, _KEYS, strict=True)
        for high, key in zip(_COLUMNS, keys, strict=True)
    },
}


def sound(name: str) -> bytes:
    """The WAV file of a name."""
    samples = [value for part in SOUNDS[name] for value in _part(*part)]
    file = BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes(struct.pack(f"<{len(samples)}h", *samples))
    return file.getvalue()


def path(name: str) -> Path:
    """Where it lies."""
    return FOLDER / f"phone-{name}.wav"


def _part(tones: tuple[float, ...], seconds: float, loudness: float) -> Iterator[int]:
    count = round(seconds * RATE)
    for n in range(count):
        edge = min(1.0, (n + 1) / (EDGE_S * RATE), (count - n) / (EDGE_S * RATE))
        wave_now = sum(math.sin(2 * math.pi * tone * n / RATE) for tone in tones) / max(1, len(tones))
        yield round(32767 * loudness * edge * wave_now)


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    for one in SOUNDS:
        path(one).write_bytes(sound(one))
