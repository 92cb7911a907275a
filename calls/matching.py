"""Which of a few phrases somebody meant, as speech recognition on a telephone writes it down. Pure.

Said whole, a phrase is found anywhere in what was said, and the longest wins: "please call me back today" has
"call me back" in it. Otherwise the nearest is taken, letter by letter and whatever the spaces ("cull me
back", "order stay tus"), if it is near enough and clearly nearer than any other; short words must be said as
they are. Yes and no are read by words of their own: "no, that is not right" has "right" in it.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from rapidfuzz import fuzz

from calls.said import phrase

__all__ = ["MAX_PHRASE_WORDS", "best", "exact", "yes_or_no"]

MAX_PHRASE_WORDS: Final = 6

_MOST_WORDS: Final = 40  # of what was said; who says more has not chosen
_MOST_WORDS_NEAR: Final = 10  # and to be compared letter by letter
_NEAR: Final = 0.74  # of 1: so much of the letters must be the same, in their order
_CLEARLY: Final = 0.06  # nearer than the second
_SHORT: Final = 4  # letters of a phrase that must be said as it is

_YES: Final = frozenset(
    ("yes", "yeah", "yep", "yup", "ya", "sure", "correct", "right", "okay", "ok", "exactly", "indeed", "fine")
)
_NO: Final = frozenset(
    ("no", "nope", "nah", "not", "wrong", "incorrect", "never", "negative", "dont", "doesnt", "isnt", "wasnt")
)


class _Found(NamedTuple):
    """How much of a phrase was said; more is better."""

    words: int
    letters: int


def best(text: str, options: Mapping[str, Sequence[str]]) -> str:
    """The option of which a phrase was said, or nearly said; "" if there is none or it might be two."""
    said = _words(text)
    return _said(said, options) or _nearly(said, options)


def exact(text: str, options: Mapping[str, Sequence[str]]) -> str:
    """The option of which a phrase was said word by word; "" if there is none or it might be two."""
    return _said(_words(text), options)


def yes_or_no(text: str) -> bool | None:
    """What was answered to a question; None for neither. A no anywhere counts more than a yes."""
    words = set(_words(text)[:_MOST_WORDS])
    if words & _NO:
        return False
    return True if words & _YES else None


@lru_cache(maxsize=4096)
def _words(text: str) -> tuple[str, ...]:
    return phrase(text)


def _said(said: Sequence[str], options: Mapping[str, Sequence[str]]) -> str:
    said = said[:_MOST_WORDS]
    found: dict[str, _Found] = {}
    for option, phrases in options.items():
        for words in map(_words, phrases):
            if _holds(said, words):
                found[option] = max(found.get(option, _Found(0, 0)), _Found(len(words), sum(map(len, words))))
    if not found:
        return ""
    most = max(found.values())
    first, *others = [option for option, how in found.items() if how == most]
    return "" if others else first


def _holds(said: Sequence[str], words: Sequence[str]) -> bool:
    size = len(words)
    return any(tuple(said[at : at + size]) == tuple(words) for at in range(len(said) - size + 1) if size)


def _nearly(said: Sequence[str], options: Mapping[str, Sequence[str]]) -> str:
    if not said or len(said) > _MOST_WORDS_NEAR:
        return ""
    scores = sorted(
        ((_nearest(said, map(_words, phrases)), option) for option, phrases in options.items()), reverse=True
    )
    if not scores or scores[0][0] < _NEAR:
        return ""
    if len(scores) > 1 and scores[0][0] - scores[1][0] < _CLEARLY:
        return ""
    return scores[0][1]


def _nearest(said: Sequence[str], phrases: Iterable[Sequence[str]]) -> float:
    return max((_near(said, words) for words in phrases), default=0.0)


def _near(said: Sequence[str], words: Sequence[str]) -> float:
    """How much of the phrase's letters stand somewhere in what was said, 0 to 1."""
    wanted = "".join(words)
    if len(wanted) < _SHORT:
        return 0.0
    windows = (
        window
        for window in _windows(said, len(words))
        if abs(len(window) - len(wanted)) <= len(wanted) // 2 and window not in _YES | _NO
    )
    return max((fuzz.ratio(window, wanted) / 100 for window in windows), default=0.0)


def _windows(said: Sequence[str], size: int) -> Iterable[str]:
    """Words in a row as one text, one more and one fewer than the phrase has."""
    for length in {max(1, size - 1), size, size + 1}:
        for at in range(max(1, len(said) - length + 1)):
            yield "".join(said[at : at + length])
