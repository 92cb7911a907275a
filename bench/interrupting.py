"""How soon a voice that speaks hears that it is interrupted, and by what it is not: its ear on recordings."""

from dataclasses import dataclass, field

import numpy as np

from bench.machine import ROOT
from bench.noises import NOISES
from streams.audio import FRAME_BYTES, FRAME_MS, SILENCE, level, pcm_to_ulaw
from streams.engines.install import model_dir
from streams.engines.recording import read
from streams.engines.sound import Samples, ulaw_samples
from streams.speech.cache import SHIPPED
from streams.voices import bargein

__all__ = ["Heard", "measure"]

RECORDINGS = ROOT / "emulator" / "recordings"
SECONDS = 60  # of each recording
PAUSE_MS = 600  # after so much quiet, what is loud begins to speak
LOUD_DBFS = -40.0
WITHIN_MS = 600
ECHO_DB = -25.0
LEAD = SILENCE * 8000


@dataclass
class Heard:
    """In ms, from the first loud frame of speech until it was decided; speech missed; what was no speech."""

    delays: list[float] = field(default_factory=list)
    missed: int = 0
    false: list[str] = field(default_factory=list)


def measure() -> Heard:
    """Every recording of people, and every noise at hand, our own echo among them."""
    heard = Heard()
    for path in sorted(RECORDINGS.glob("*.wav")):
        if path.name == "noise_dishes.wav":
            continue
        for channel in read(path).channels:
            _speech(LEAD + channel[: 8000 * SECONDS], heard)
    for name, sound in _noises().items():
        heard.false += [name] * len(_began(sound))
    heard.false += ["our own echo"] * len(_began(*_echo()))
    return heard


def _speech(sound: bytes, heard: Heard) -> None:
    ours = _ours(len(sound))
    began = _began(_mixed(sound, _softer(ours)), ours)
    for onset in _onsets(sound):
        delays = [at - onset for at in began if -FRAME_MS * 5 < at - onset < WITHIN_MS]
        heard.delays += delays[:1]
        heard.missed += not delays


def _began(sound: bytes, ours: bytes = SILENCE * FRAME_BYTES) -> list[int]:
    """When it was decided that somebody speaks, in ms; `ours` is what we say meanwhile."""
    ear = bargein.listener(model_dir())
    assert ear is not None
    found = []
    for at in range(0, len(sound) - FRAME_BYTES + 1, FRAME_BYTES):
        ear.played(ours[at : at + FRAME_BYTES])
        if ear.heard(sound[at : at + FRAME_BYTES], at // 8).began:
            found.append(at // 8 + FRAME_MS)
    return found


def _onsets(sound: bytes) -> list[int]:
    """Begins of loud frames behind a pause, in ms."""
    found, quiet_ms = [], PAUSE_MS
    for at in range(0, len(sound) - FRAME_BYTES + 1, FRAME_BYTES):
        if level(sound[at : at + FRAME_BYTES]).rms_dbfs > LOUD_DBFS:
            if quiet_ms >= PAUSE_MS:
                found.append(at // 8)
            quiet_ms = 0
        else:
            quiet_ms += FRAME_MS
    return found


def _noises() -> dict[str, bytes]:
    dishes = read(RECORDINGS / "noise_dishes.wav").channels[0]
    return {**{name: make() for name, make in NOISES.items()}, "dishes": dishes}


def _echo() -> tuple[bytes, bytes]:
    """A minute of ourselves, 25 dB softer and 300 ms later; and what it is an echo of."""
    ours = _ours(8000 * SECONDS)
    return SILENCE * 2400 + _softer(ours), ours


def _ours(size: int) -> bytes:
    """So many bytes of what the demo's voice says, without a pause."""
    said = b"".join(path.read_bytes() for path in sorted(SHIPPED.glob("*.ulaw")))
    return (said * (size // len(said) + 1))[:size]


def _softer(ulaw: bytes) -> bytes:
    return _coded(ulaw_samples(ulaw) * 10 ** (ECHO_DB / 20))


def _mixed(one: bytes, other: bytes) -> bytes:
    return _coded(ulaw_samples(one) + ulaw_samples(other))


def _coded(samples: Samples) -> bytes:
    return pcm_to_ulaw((np.clip(samples, -1, 1) * 32767).astype(np.int16).tobytes())
