"""Is this voice? Silero's network at 8 kHz: one probability per 32 ms, one running state per track."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from streams.engines.runtime import load
from streams.engines.sound import RATE, Samples

__all__ = ["WINDOW", "WINDOW_MS", "Vad", "VadModel"]

WINDOW = 256  # samples; the network knows this length alone at 8 kHz
WINDOW_MS = 1000 * WINDOW // RATE
_CONTEXT = 32  # samples of the window before, which the network wants in front
_RATE = np.array(RATE, dtype=np.int64)


class VadModel:
    """The network, loaded once and shared by every track and thread."""

    def __init__(self, directory: Path) -> None:
        """Load silero_vad.onnx. Raises FileNotFoundError when the models are not installed."""
        self._session = load(directory / "silero_vad.onnx")

    def run(self, sound: Samples, state: Any) -> tuple[float, Any]:
        """Probability of voice in one window with its context, and the state for the next."""
        answer, state = self._session.run(None, {"input": sound[None], "state": state, "sr": _RATE})
        return float(answer[0, 0]), state


class Vad:
    """Voice probabilities of one track, in order. Behind a gap start a new one: the state is the sound's."""

    def __init__(self, model: VadModel) -> None:
        self._model = model
        self._state = np.zeros((2, 1, 128), dtype=np.float32)
        self._before = np.zeros(_CONTEXT, dtype=np.float32)

    def probability(self, window: Samples) -> float:
        """How surely this window of WINDOW samples is voice, 0 … 1."""
        answer, self._state = self._model.run(np.concatenate([self._before, window]), self._state)
        self._before = window[-_CONTEXT:]
        return answer
