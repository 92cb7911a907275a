"""Sound to text: Moonshine tiny-en on plain onnxruntime. English only.

The encoder reads 16 kHz samples; the decoder gives one token after the other and keeps its keys and values.
Its `encoder_attention_mask` is the one over samples, not over encoder frames. A draft (the tokens of an
earlier hearing of nearly the same sound) is checked several tokens at a time instead of being found again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from streams.engines.runtime import load
from streams.engines.sound import WIDE_RATE, Samples

__all__ = ["Heard", "Moonshine"]

_BEGIN, _END = 1, 2
_TOKENS_PER_SECOND = 6.5  # nobody speaks faster; more is the recogniser going round in circles
_AT_ONCE = 8  # tokens of a draft that are checked in one step: little dearer than a single one
_NEAR = 4
_SHORTEST = WIDE_RATE // 10  # samples; the encoder's first layers need some


@dataclass(frozen=True, slots=True)
class Heard:
    """What one hearing gave: tokens, and the logarithm of the probability of each (the end of text last)."""

    tokens: tuple[int, ...] = ()
    chances: tuple[float, ...] = ()

    @property
    def certainty(self) -> float:
        """Mean log-probability per token: 0 is certain, below −0.2 mistakes are likely."""
        return sum(self.chances) / len(self.chances) if self.chances else 0.0


class Moonshine:
    """The recogniser, loaded once; `hear` may be called from several threads."""

    def __init__(self, directory: Path) -> None:
        """Load encoder, decoder and vocabulary. Raises FileNotFoundError when they are not installed."""
        self._encoder = load(directory / "encoder_model.ort")
        self._decoder = load(directory / "decoder_model_merged.ort")
        self._vocabulary = _vocabulary(directory / "tokenizer.bin")
        self._past = [
            put.name for put in self._decoder.get_inputs() if put.name.startswith("past_key_values")
        ]
        self._present = [name.replace("past_key_values", "present") for name in self._past]
        self._shape = self._decoder.get_inputs()[3].shape  # batch, heads, past, size of a head

    def hear(self, sound: Samples, draft: Sequence[int] = ()) -> Heard:
        """The most likely words in samples at 16 kHz; nothing for less than a tenth of a second."""
        if len(sound) < _SHORTEST:
            return Heard()
        mask = np.ones((1, len(sound)), dtype=np.int64)
        states = self._encoder.run(None, {"input_values": sound[None], "attention_mask": mask})[0]
        steps = _Steps(self, mask, states, limit=int(len(sound) / WIDE_RATE * _TOKENS_PER_SECOND) + 8)
        return steps.run(draft)

    def words(self, heard: Heard) -> list[tuple[str, float]]:
        """The words with the log-probability of each one's worst token."""
        words: list[tuple[bytes, float]] = []
        for token, chance in zip(heard.tokens, heard.chances, strict=False):
            piece = self._vocabulary[token]
            if piece.startswith(b" ") or not words:
                words.append((piece.strip(), chance))
            else:
                word, worst = words[-1]
                words[-1] = (word + piece, min(worst, chance))
        return [(text, chance) for word, chance in words if (text := word.decode("utf-8", "ignore").strip())]

    def step(self, feed: dict[str, Any]) -> tuple[Any, list[Any]]:
        """One run of the decoder: logits, and the keys and values in the order of `empty_past`."""
        logits, *present = self._decoder.run(["logits", *self._present], feed)
        return logits, present

    def empty_past(self, frames: int) -> dict[str, Any]:
        """Keys and values before the first token."""
        _, heads, _, size = self._shape
        lengths = {name: 0 if ".decoder." in name else frames for name in self._past}
        return {name: np.zeros((1, heads, long, size), dtype=np.float32) for name, long in lengths.items()}


class _Steps:
    """The decoding of one sound: tokens one by one, until the end or the limit."""

    def __init__(self, model: Moonshine, mask: Any, states: Any, limit: int) -> None:
        self._model, self._limit = model, limit
        self._feed = {"encoder_attention_mask": mask, "encoder_hidden_states": states}
        self._past = model.empty_past(states.shape[1])
        self._tokens: list[int] = []
        self._chances: list[float] = []
        self._shift = 0  # how far the draft runs ahead of what is heard

    def run(self, draft: Sequence[int]) -> Heard:
        """Token by token; where the draft is likely to be right, several tokens at once."""
        place, guess = 0, list(draft[:_AT_ONCE])
        logits = self._step([_BEGIN, *guess], cached=False)
        while True:
            token = self._accept(guess, logits)
            if token == _END or len(self._tokens) >= self._limit:
                return Heard(tuple(self._tokens), tuple(self._chances))
            self._tokens.append(token)
            place, guess = _likely(draft, len(self._tokens) - 1 + self._shift, token)
            self._shift = place - len(self._tokens)
            logits = self._step([token, *guess], cached=True)

    def _accept(self, guess: Sequence[int], logits: Any) -> int:
        """Take the guessed tokens that the model would have said itself; the token that follows them."""
        for place, guessed in enumerate(guess):
            token = self._choose(logits[place])
            if token != guessed or len(self._tokens) >= self._limit:
                self._forget(1 + len(self._tokens))
                return token
            self._tokens.append(guessed)
        return self._choose(logits[len(guess)])

    def _choose(self, logits: Any) -> int:
        token = int(logits.argmax())
        self._chances.append(-float(np.log(np.exp(logits - logits[token]).sum())))
        return token

    def _step(self, ids: list[int], *, cached: bool) -> Any:
        fed = {"input_ids": np.array([ids], dtype=np.int64), "use_cache_branch": np.array([cached])}
        logits, present = self._model.step({**self._feed, **self._past, **fed})
        for name, value in zip(self._past, present, strict=True):
            # The encoder's keys never change; the cached branch gives back empty ones.
            if not cached or ".decoder." in name:
                self._past[name] = value
        return logits[0]

    def _forget(self, keep: int) -> None:
        """Drop the keys and values of what was drafted and not heard."""
        for name, value in self._past.items():
            if ".decoder." in name:
                self._past[name] = np.ascontiguousarray(value[:, :, :keep])


def _likely(draft: Sequence[int], place: int, token: int) -> tuple[int, list[int]]:
    """After `token`, expected at `place` of the draft: where the draft goes on, and its next tokens.

    The token is looked for near its place, because words are put in and left out; one that is not there
    stands for another, and nothing is guessed.
    """
    around = range(max(0, place - _NEAR), min(len(draft), place + _NEAR + 1))
    near = [at for at in around if draft[at] == token]
    if not near:
        return place + 1, []
    place = min(near, key=lambda at: abs(at - place)) + 1
    return place, list(draft[place : place + _AT_ONCE])


def _vocabulary(path: Path) -> list[bytes]:
    """The pieces of text by token: one length byte (two above 127) before each; a blank stands for U+2581."""
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing: run `manage.py speech install`")
    raw, at, pieces = path.read_bytes(), 0, []
    while at < len(raw):
        size, at = raw[at], at + 1
        if size >= 128:
            size, at = size - 128 + raw[at] * 128, at + 1
        pieces.append(raw[at : at + size].replace("\u2581".encode(), b" "))
        at += size
    return pieces
