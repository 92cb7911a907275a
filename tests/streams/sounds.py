"""Sound for tests: recordings of people, and the noises of a telephone line."""

import numpy as np

from streams.audio import FRAME_BYTES, pcm_to_ulaw
from streams.engines.install import model_dir
from streams.engines.recording import read
from streams.engines.segments import Clip, Limits, Segmenter
from streams.engines.sound import ulaw_samples
from streams.engines.vad import WINDOW, Vad, VadModel
from tools.house import ROOT

RECORDINGS = ROOT / "emulator" / "recordings"
MODELS = model_dir()
SILENCE = b"\xff"


def recorded(name: str, channel: int = 0) -> bytes:
    """One channel of a recording, as mu-law."""
    return read(RECORDINGS / name).channels[channel]


def quiet(seconds: float) -> bytes:
    """Digital silence."""
    return SILENCE * int(8000 * seconds)


def tone(seconds: float, *hertz: float, on: float = 1.0, of: float = 1.0, loud: float = 0.2) -> bytes:
    """Tones together, sounding the first `on` seconds of every `of`."""
    at = np.arange(int(8000 * seconds)) / 8000
    wave = sum(np.sin(2 * np.pi * each * at) for each in hertz) * loud * (at % of < on)
    return pcm_to_ulaw((np.clip(wave, -1, 1) * 32767).astype("<i2").tobytes())


def hiss(seconds: float, loud: float = 0.1) -> bytes:
    """White noise, the same each time."""
    wave = np.random.default_rng(7).normal(0, loud, int(8000 * seconds))
    return pcm_to_ulaw((np.clip(wave, -1, 1) * 32767).astype("<i2").tobytes())


NOISES = {
    "silence": quiet(8),
    "ringback": tone(12, 440, 480, on=2, of=6),
    "European ringback": tone(10, 425, on=1, of=5),
    "dial tone": tone(6, 350, 440),
    "busy": tone(6, 480, 620, on=0.5),
    "keys": tone(4, 770, 1336, on=0.1, of=0.25),
    "a beep": tone(2, 1000, on=0.4, of=2, loud=0.5),
    "special information": tone(6, 950, on=0.33),
    "hiss": hiss(6),
    "dishes": recorded("noise_dishes.wav"),
}


def frames(ulaw: bytes, size: int = FRAME_BYTES) -> list[tuple[bytes, int]]:
    """Pieces with their times in ms, as Twilio sends them."""
    return [(ulaw[at : at + size], at // 8) for at in range(0, len(ulaw), size)]


def clips(ulaw: bytes, limits: Limits | None = None) -> list[Clip]:
    """What the segmenter makes of a whole track."""
    vad, segmenter = Vad(VadModel(MODELS)), Segmenter(limits)
    sound = ulaw_samples(ulaw)
    found = [
        segmenter.push(sound[at : at + WINDOW], vad.probability(sound[at : at + WINDOW]))
        for at in range(0, len(sound) - WINDOW + 1, WINDOW)
    ]
    return [clip for clip in [*found, segmenter.finish()] if clip]
