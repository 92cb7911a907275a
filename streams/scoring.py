"""Word error rate: how far what was heard is from what was said.

Both texts are brought to one form (lower case, no punctuation, numbers as words) and compared word by word
with the usual edit distance. Pure: text in, counts out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

__all__ = ["Score", "align", "normalise", "score", "total"]

_TEENS = "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen"
_ONES = f"zero one two three four five six seven eight nine {_TEENS}".split(" ")
_TENS = ["_", "_", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_SCALES = ((1_000_000_000, "billion"), (1_000_000, "million"), (1_000, "thousand"), (100, "hundred"))
_SIGNS = {"%": " percent ", "&": " and ", "+": " plus ", "@": " at "}
_SHORT = {"ok": "okay", "mr": "mister", "mrs": "missus", "dr": "doctor"}
_NUMBER = re.compile(r"(?P<money>\$)?(?P<body>\d[\d,]*(?:[.:]\d+)*)(?P<tail>st|nd|rd|th)?(?![a-z])")
_HALF_DAY = re.compile(r"\b([ap])\.\s?m\b\.?|\b(p)m\b|(?<=\d)\s*(a)m\b")
_ORDINALS = {
    "one": "first",
    "two": "second",
    "three": "third",
    "five": "fifth",
    "eight": "eighth",
    "nine": "ninth",
    "twelve": "twelfth",
}


@dataclass(frozen=True, slots=True)
class Score:
    """Counts of one comparison; `words` are those of the reference."""

    words: int
    substituted: int
    deleted: int
    inserted: int

    @property
    def errors(self) -> int:
        """Words that are wrong, missing or too many."""
        return self.substituted + self.deleted + self.inserted

    @property
    def rate(self) -> float | None:
        """Errors per reference word; None when the reference is empty (then every word heard is too many)."""
        return self.errors / self.words if self.words else None


def normalise(text: str) -> list[str]:
    """The words of a text in the form that is compared."""
    plain = text.lower().replace("’", "'")
    plain = _HALF_DAY.sub(lambda found: f" {found[1] or found[2] or found[3]} m ", plain)
    plain = _NUMBER.sub(lambda found: f" {_spoken(found)} ", plain)
    for sign, word in _SIGNS.items():
        plain = plain.replace(sign, word)
    words = re.sub(r"[^\w\s]|_", " ", plain.replace("'", "")).split()
    return [_SHORT.get(word, word) for word in words]


def _spoken(found: re.Match[str]) -> str:
    body = found["body"].rstrip(",")
    if ":" in body:
        said = " ".join(_clock(part) for part in body.split(":") if part.strip("0"))
    elif "." in body:
        whole, _, fraction = body.partition(".")
        said = f"{_cardinal(int(whole.replace(',', '')))} point {_digits(fraction)}"
    else:
        said = _whole(body)
    if found["tail"]:
        said = _ordinal(said)
    return f"{said} dollars" if found["money"] else said


def _whole(body: str) -> str:
    digits = body.replace(",", "")
    if "," in body or (len(digits) < 3 and not digits.startswith("0")):
        return _cardinal(int(digits))
    if len(digits) == 4 and digits[:2] in {"11", "12", "13", "14", "15", "16", "17", "18", "19"}:
        return f"{_cardinal(int(digits[:2]))} {_clock(digits[2:])}"
    if len(digits) in {3, 4} and digits.endswith("00"):
        return _cardinal(int(digits))
    return _digits(digits)


def _clock(part: str) -> str:
    value = int(part)
    if value == 0:
        return "hundred"
    return f"oh {_ONES[value]}" if part.startswith("0") and value < 10 else _cardinal(value)


def _digits(digits: str) -> str:
    return " ".join(_ONES[int(digit)] for digit in digits if digit.isdigit())


def _cardinal(value: int) -> str:
    if value < 20:
        return _ONES[value]
    if value < 100:
        rest = value % 10
        return _TENS[value // 10] + (f" {_ONES[rest]}" if rest else "")
    for size, name in _SCALES:
        if value >= size:
            rest = value % size
            return f"{_cardinal(value // size)} {name}" + (f" {_cardinal(rest)}" if rest else "")
    raise AssertionError(value)


def _ordinal(said: str) -> str:
    head, _, last = said.rpartition(" ")
    word = f"{last[:-1]}ieth" if last.endswith("y") else _ORDINALS.get(last, f"{last}th")
    return f"{head} {word}".strip()


def align(reference: list[str], heard: list[str]) -> list[tuple[int | None, int | None]]:
    """Pairs of positions of the cheapest alignment: both (same or substituted), or None on one side."""
    rows = _distances(reference, heard)
    i, j = len(reference), len(heard)
    pairs: list[tuple[int | None, int | None]] = []
    while i or j:
        if i and j and rows[i][j] == rows[i - 1][j - 1] + (reference[i - 1] != heard[j - 1]):
            i, j = i - 1, j - 1
            pairs.append((i, j))
        elif i and rows[i][j] == rows[i - 1][j] + 1:
            i -= 1
            pairs.append((i, None))
        else:
            j -= 1
            pairs.append((None, j))
    return pairs[::-1]


def _distances(reference: list[str], heard: list[str]) -> list[list[int]]:
    rows = [list(range(len(heard) + 1))]
    for i, word in enumerate(reference, start=1):
        above, row = rows[-1], [i]
        for j, other in enumerate(heard, start=1):
            row.append(min(above[j - 1] + (word != other), above[j] + 1, row[j - 1] + 1))
        rows.append(row)
    return rows


def score(reference: str, heard: str) -> Score:
    """Compare two texts after normalising both."""
    said, got = normalise(reference), normalise(heard)
    pairs = align(said, got)
    return Score(
        words=len(said),
        substituted=sum(1 for i, j in pairs if i is not None and j is not None and said[i] != got[j]),
        deleted=sum(1 for _, j in pairs if j is None),
        inserted=sum(1 for i, _ in pairs if i is None),
    )


def total(scores: Iterable[Score]) -> Score:
    """All counts together, so that long texts weigh as many words as they have."""
    parts = list(scores)
    return Score(
        words=sum(part.words for part in parts),
        substituted=sum(part.substituted for part in parts),
        deleted=sum(part.deleted for part in parts),
        inserted=sum(part.inserted for part in parts),
    )
