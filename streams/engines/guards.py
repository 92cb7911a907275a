"""What a recogniser makes up, and what it leaves out: judged here, by counts alone. Pure.

Measured weaknesses of small recognisers: words where nobody spoke, one phrase over and over at the end of a
clip, and an early end on slowly read lists.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

__all__ = ["certain", "confidence", "doubtful", "made_up", "plausible", "tidy", "too_few", "unrepeated"]

DOUBTFUL = -0.2  # mean log-probability below which another hearing is worth its time
SURE = -0.1
_SLOWEST = 1.2  # words per second of voice; fewer means that the recogniser stopped early
_FASTEST = 6.5
_LONGEST_PHRASE = 8
_HOLLOW = frozenset(
    {
        "you",
        "thank you",
        "thanks",
        "thanks for watching",
        "thank you for watching",
        "bye",
        "the",
        "okay",
        "oh",
        "so",
    }
)


def doubtful(certainty: float) -> bool:
    """Whether a hearing (mean log-probability per token) is likely to hold mistakes."""
    return certainty < DOUBTFUL


def certain(certainty: float) -> bool:
    """Whether a hearing is so sure that no other is needed."""
    return certainty > SURE


def confidence(certainty: float) -> float:
    """Mean log-probability as the confidence that is shown, 0 … 1."""
    return round(math.exp(min(0.0, certainty)), 3)


def plausible(words: int, voiced_ms: int, certainty: float) -> float:
    """How good a hearing is to choose among several: its certainty, less when nobody speaks so."""
    rate = words / max(0.1, voiced_ms / 1000)
    return certainty - (0.0 if 1.0 <= rate <= _FASTEST else 1.0)


def too_few(words: int, voiced_ms: int) -> bool:
    """Whether so long a stretch of voice must have held more words; short ones are not judged."""
    return voiced_ms >= 2_500 and words / (voiced_ms / 1000) < _SLOWEST


def unrepeated(words: Sequence[str]) -> int:
    """How many of the words to keep when the end of a clip goes round in circles.

    A phrase of two or more words three times in a row at the end is kept once. Single words are said again
    and again ("no, no, no", "five five five five"), so they are cut only from six on.
    """
    plain = [_plain(word) for word in words]
    for size in range(1, min(_LONGEST_PHRASE, len(plain) // 3) + 1):
        times = _times_at_end(plain, size)
        if times >= (6 if size == 1 else 3):
            return len(plain) - size * (times - 1)
    return len(plain)


def _times_at_end(words: Sequence[str], size: int) -> int:
    phrase, times = words[-size:], 1
    while words[-size * (times + 1) : -size * times] == phrase:
        times += 1
    return times


def made_up(text: str, voiced_ms: int, certainty: float) -> bool:
    """Whether this is what recognisers write where nobody spoke: signs without letters, or a hollow phrase.

    A phrase such as "thank you" is dropped only when there was hardly any voice or the recogniser was unsure.
    """
    plain = " ".join(_plain(word) for word in text.split()).strip()
    if not plain or text.strip()[:1] in "[(♪":
        return True
    if voiced_ms < 100 or certainty < -1.2:
        return True
    return plain in _HOLLOW and (certainty < -0.8 or voiced_ms < 60 * len(plain))


def tidy(text: str) -> str:
    """One line, single blanks, no comma twice, no doubled end."""
    line = " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
    line = line.replace(",,", ",")
    return line[:-1] if line.endswith("..") and not line.endswith("...") else line


def _plain(word: str) -> str:
    return "".join(sign for sign in word.lower() if sign.isalnum() or sign == "'")
