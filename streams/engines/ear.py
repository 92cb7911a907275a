"""One track's sound, put in its place: late sound dropped, holes kept, cut into windows, heard for voice."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from streams.engines.segments import Clip, Limits, Segmenter
from streams.engines.sound import RATE, Samples, ulaw_samples
from streams.engines.vad import WINDOW, Vad, VadModel

__all__ = ["Ear"]

_PER_MS = RATE // 1000
_JITTER_MS = 20  # times are whole ms; frames this little off are in their place
_BRIDGE_MS = 200  # a shorter hole becomes silence, a longer one ends the utterance
_EMPTY = np.zeros(0, dtype=np.float32)


class Ear:
    """Feed it mu-law with stream times; step by step it tells what its segmenter found.

    Each step is one window heard: the clip that ended with it, or None. Between steps `segmenter` shows the
    open utterance, so steps are to be taken one by one.
    """

    def __init__(self, model: VadModel, limits: Limits | None = None) -> None:
        self._model, self._limits = model, limits
        self._origin_ms = -1
        self._begin(0)
        self._origin_ms = -1  # nothing heard yet: the first sound tells the time

    def _begin(self, origin_ms: int) -> None:
        """Start anew at this stream time: what was heard before says nothing about what comes."""
        self._origin_ms = origin_ms
        self._fed = 0  # samples since the origin
        self._rest = _EMPTY
        self._vad = Vad(self._model)
        self.segmenter = Segmenter(self._limits, origin_ms)

    def feed(self, ulaw: bytes, timestamp_ms: int) -> Iterator[Clip | None]:
        """Hear sound that belongs at this time."""
        if self._origin_ms < 0:
            self._begin(timestamp_ms)
        missing_ms = timestamp_ms - self._origin_ms - self._fed / _PER_MS
        if missing_ms < -_JITTER_MS:
            return  # late or double
        if missing_ms > _BRIDGE_MS:
            yield from self.flush()
            self._begin(timestamp_ms)
        elif missing_ms > _JITTER_MS:
            yield from self._hear(np.zeros(int(missing_ms * _PER_MS), dtype=np.float32))
        yield from self._hear(ulaw_samples(ulaw))

    def flush(self) -> Iterator[Clip | None]:
        """No sound comes for now: hear what is left of the last window, and end the open utterance."""
        if len(self._rest) and self.segmenter.start_ms is not None:
            yield from self._hear(np.zeros(WINDOW - len(self._rest), dtype=np.float32))
        yield self.segmenter.finish()

    def _hear(self, samples: Samples) -> Iterator[Clip | None]:
        self._fed += len(samples)
        sound = np.concatenate([self._rest, samples]) if len(self._rest) else samples
        whole = len(sound) - len(sound) % WINDOW
        self._rest = sound[whole:]
        for at in range(0, whole, WINDOW):
            window = sound[at : at + WINDOW]
            yield self.segmenter.push(window, self._vad.probability(window))
