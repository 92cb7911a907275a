"""What a telephone line sounds like when nobody speaks, as mu-law."""

import math
import random
from array import array
from collections.abc import Callable, Iterable

from streams.audio import pcm_to_ulaw

__all__ = ["NOISES"]

RATE = 8000


def _tone(seconds: float, *hertz: float, on: float = 1.0, of: float = 1.0) -> bytes:
    """Tones together, sounding the first `on` seconds of every `of`."""
    return _ulaw(
        sum(math.sin(2 * math.pi * each * at / RATE) for each in hertz) * 0.2 * (at / RATE % of < on)
        for at in range(int(seconds * RATE))
    )


def _hiss(seconds: float, loud: float) -> bytes:
    """White noise, the same in every run."""
    noise = random.Random(7)
    return _ulaw(noise.gauss(0, loud) for _ in range(int(seconds * RATE)))


def _hum(seconds: float) -> bytes:
    """The mains, with its overtones."""
    return _tone(seconds, 50, 100, 150, 250)


def _ulaw(samples: Iterable[float]) -> bytes:
    whole = array("h", (int(max(-1.0, min(1.0, each)) * 32767) for each in samples))
    return pcm_to_ulaw(whole.tobytes())


NOISES: dict[str, Callable[[], bytes]] = {
    "silence": lambda: b"\xff" * 20 * RATE,
    "ringback": lambda: _tone(18, 440, 480, on=2, of=6),
    "european ringback": lambda: _tone(15, 425, on=1, of=5),
    "british ringback": lambda: _tone(9, 400, 450, on=0.4, of=0.6),
    "dial tone": lambda: _tone(10, 350, 440),
    "busy": lambda: _tone(10, 480, 620, on=0.5),
    "reorder": lambda: _tone(10, 480, 620, on=0.25, of=0.5),
    "keys": lambda: _tone(6, 770, 1336, on=0.1, of=0.25),
    "beep": lambda: _tone(4, 1000, on=0.4, of=4),
    "fax": lambda: _tone(12, 1100, on=0.5, of=3.5),
    "special information": lambda: _tone(6, 950, on=0.33),
    "chord": lambda: _tone(8, 262, 330, 392, on=1.5, of=2),
    "hum": lambda: _hum(10),
    "hiss": lambda: _hiss(10, 0.02),
    "loud hiss": lambda: _hiss(10, 0.2),
}
