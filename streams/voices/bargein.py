"""Does the caller speak, since when, and have they ended? One listener for each conversation.

Silero's network says of each 32 ms how surely they are voice. Three things more make speech of it: it lasts
(three of four windows, so that a click or a key is none), it grows surer (a cough dies away), and it is
louder than what comes back of our own speech. Without the models nobody listens: callers then interrupt by
keys only, which the log and the doctor say.
"""

from __future__ import annotations

import logging
from collections import deque
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from streams.audio import BYTES_PER_MS, SILENCE_FLOOR, level
from streams.engines.sound import ulaw_samples

if TYPE_CHECKING:
    from streams.engines.vad import Vad, VadModel

__all__ = ["HANGOVER_MS", "Listener", "Verdict", "listener", "model"]

VOICE = 0.5
"""So sure is a window that may be speech."""
OF, NEEDED = 4, 3
"""Windows that are looked at, and how many of them must be voice: the decision falls within 128 ms."""
SURELY = 0.8
"""So sure is the newest of them: speech grows surer by the window, a cough dies away."""
ECHO_DB = 20.0
"""What is so much softer than we are is ourselves. A telephone gives back 25 dB less, or lower."""
OURS_DBFS = -14.0
"""Our loudest 32 ms, as long as nobody has told what we play."""
ECHO_WINDOWS = 24
"""An echo may come three quarters of a second later: there are networks, jitter buffers and rooms."""
FAINTEST_DBFS = -50.0
"""Softer than this nobody speaks into a telephone; it is a television behind them."""
HANGOVER_MS = 400
"""Silence after which a caller has ended."""
WINDOW = 256
WINDOW_MS = WINDOW // BYTES_PER_MS
_log = logging.getLogger("contactcenter.media")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a frame made known. `began` and `ended` are told once.

    `speaking` from the decision that it is speech until its end is decided; `since` is when it began, in ms
    of the stream; `ended` when it did, HANGOVER_MS before it is known, None while it has not.
    """

    speaking: bool = False
    began: bool = False
    since: int = 0
    ended: int | None = None


@lru_cache(maxsize=1)
def model(directory: Path) -> VadModel | None:
    """The network, loaded once for a process; None where it is not installed, or damaged. Takes 0.2 s: not
    on the loop."""
    from streams.engines.vad import VadModel  # a process without voices does not pay for it

    try:
        return VadModel(directory)
    except Exception as error:  # onnxruntime has its own for each way in which a file is no network
        why = {"error": type(error).__name__, "remedy": "manage.py speech install"}
        _log.warning("voice.deaf", extra=why)
        return None


def listener(directory: Path) -> Listener | None:
    """One for a conversation; None where nobody can listen."""
    found = model(directory)
    return Listener(found) if found else None


class Listener:
    """Feed it every inbound frame, and what we play; not for two threads at once."""

    def __init__(self, model: VadModel, hangover_ms: int = HANGOVER_MS) -> None:
        self._model = model
        self._hangover_ms = hangover_ms
        self._vad: Vad | None = None
        self._sound = bytearray()
        self._next_ms = -1  # where the next frame belongs
        self._recent: deque[tuple[float, float]] = deque(maxlen=OF)  # how surely voice, and how loud
        self._ours: deque[float] = deque([OURS_DBFS], maxlen=ECHO_WINDOWS)  # dBFS, by window
        self._is_told = False
        self._since = self._voice_ms = 0  # ms at which the speech began, and at which voice was last heard
        self._speaking = False

    def played(self, ulaw: bytes) -> None:
        """What the caller is about to hear of us: the more of it, the more can be an echo."""
        if not self._is_told:
            self._is_told = True
            self._ours[0] = SILENCE_FLOOR
        self._ours[-1] = max(self._ours[-1], level(ulaw).rms_dbfs)

    def heard(self, payload: bytes, at_ms: int) -> Verdict:
        """Take one inbound frame, mu-law, at its time in ms of the stream; what is too late is left out."""
        if at_ms < self._next_ms:
            return Verdict(self._speaking, since=self._since)
        if at_ms > self._next_ms:
            self._restart()
        self._next_ms = at_ms + len(payload) // BYTES_PER_MS
        self._sound += payload
        began = False
        while len(self._sound) >= WINDOW:
            window = bytes(self._sound[:WINDOW])
            del self._sound[:WINDOW]
            began |= self._window(window, self._next_ms - len(self._sound) // BYTES_PER_MS)
        return self._verdict(began)

    def _restart(self) -> None:
        """Behind a gap: the network's state is of the sound before it."""
        from streams.engines.vad import Vad

        self._vad = Vad(self._model)
        self._sound.clear()
        self._recent.clear()

    def _window(self, ulaw: bytes, end_ms: int) -> bool:
        """Take 32 ms; whether with them it is decided that the caller speaks."""
        assert self._vad is not None
        chance, loud = self._vad.probability(ulaw_samples(ulaw)), level(ulaw).rms_dbfs
        self._recent.append((chance, loud))
        if self._is_told:
            self._ours.append(SILENCE_FLOOR)
        if self._speaking:
            if chance >= VOICE and (not self._is_told or loud > self._threshold()):
                self._voice_ms = end_ms
            return False
        if not self._is_speech():
            return False
        self._speaking, self._voice_ms = True, end_ms
        voiced = [number for number, (chance, _) in enumerate(self._recent) if chance >= VOICE]
        self._since = end_ms - WINDOW_MS * (len(self._recent) - voiced[0])
        return True

    def _is_speech(self) -> bool:
        voiced = [(chance, loud) for chance, loud in self._recent if chance >= VOICE]
        if len(voiced) < NEEDED or self._recent[-1][0] < SURELY:
            return False
        return max(loud for _, loud in voiced) > self._threshold()

    def _threshold(self) -> float:
        """What is softer, in dBFS, may be ourselves."""
        return max(FAINTEST_DBFS, max(self._ours) - ECHO_DB)

    def _verdict(self, began: bool) -> Verdict:
        if self._speaking and self._next_ms - self._voice_ms >= self._hangover_ms:
            self._speaking = False
            self._recent.clear()
            return Verdict(began=began, since=self._since, ended=self._voice_ms)
        return Verdict(self._speaking, began, self._since)
