"""The sounds that callers hear, made here and nowhere else: python -m tools.hold_music writes static/sounds/.

The music on hold is eight bars of quiet plucked chords, 16 s that end where they begin; mu-law at 8 kHz, as a
telephone carries it. The same program makes the same bytes.
"""

from __future__ import annotations

import math
import struct

from streams.audio import pcm_to_ulaw
from tools.house import ROOT

RATE = 8000
BAR_S = 2.0
NOTES_PER_BAR = 8
LOUDNESS = 5000  # of 32767: well under a voice, so that a sentence stands out
DECAY_S = 0.9
# C, A minor, F, G, and once more with another end; each as MIDI notes of one bar.
CHORDS = (
    (60, 64, 67, 72), (57, 60, 64, 69), (53, 57, 60, 65), (55, 59, 62, 67),
    (60, 64, 67, 72), (57, 60, 64, 69), (62, 65, 69, 74), (55, 59, 65, 67),
)  # fmt: skip
ORDER = (0, 2, 1, 3, 2, 1, 2, 3)


def main() -> None:
    """Write the files."""
    folder = ROOT / "static" / "sounds"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "hold.wav").write_bytes(wav(music()))


def music() -> bytes:
    """The music on hold as 16-bit PCM. What rings on after the last bar is heard in the first."""
    samples = [0.0] * int(RATE * BAR_S * len(CHORDS))
    for bar, chord in enumerate(CHORDS):
        for place in range(NOTES_PER_BAR):
            at = int(RATE * BAR_S * (bar + place / NOTES_PER_BAR))
            pluck(samples, at, chord[ORDER[place]])
    loudest = max(map(abs, samples))
    return struct.pack(f"<{len(samples)}h", *(round(LOUDNESS * value / loudest) for value in samples))


def pluck(samples: list[float], at: int, note: int) -> None:
    """Add one note from sample `at` on, round the end."""
    pitch = 440 * 2 ** ((note - 69) / 12)
    for step in range(int(RATE * 2 * DECAY_S)):
        seconds = step / RATE
        strength = min(1.0, step / 40) * math.exp(-seconds / DECAY_S * 3)
        turn = 2 * math.pi * pitch * seconds
        samples[(at + step) % len(samples)] += strength * (math.sin(turn) + 0.3 * math.sin(2 * turn))


def wav(pcm: bytes) -> bytes:
    """PCM at 8 kHz as a WAV file of mu-law."""
    sound = pcm_to_ulaw(pcm)
    form = struct.pack("<HHIIHHH", 7, 1, RATE, RATE, 1, 8, 0)
    body = b"WAVEfmt " + struct.pack("<I", len(form)) + form + b"data" + struct.pack("<I", len(sound)) + sound
    return b"RIFF" + struct.pack("<I", len(body)) + body


if __name__ == "__main__":
    main()
