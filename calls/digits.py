"""Digits in a text, however they are written or said: "4111", "4-1-1-1", "four one double one", "forty-one".

A text is cut into runs: digits with nothing between them but spaces, signs and the noises of speech. What may
be read in two ways ("twenty one": 21 or 201) is kept in both. Only English words are known.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

__all__ = ["Atom", "Run", "lengths", "runs"]

_UNITS: Final = {
    "zero": "0",
    "one": "1",
    "two": "2",
    "three": "3",
    "four": "4",
    "five": "5",
    "six": "6",
    "seven": "7",
    "eight": "8",
    "nine": "9",
    "niner": "9",
    **dict.fromkeys(("oh", "o", "nought", "naught", "nil"), "0"),
}
_TEENS: Final = {
    "ten": "10",
    "eleven": "11",
    "twelve": "12",
    "thirteen": "13",
    "fourteen": "14",
    "fifteen": "15",
    "sixteen": "16",
    "seventeen": "17",
    "eighteen": "18",
    "nineteen": "19",
}
_TENS: Final = {
    "twenty": "2",
    "thirty": "3",
    "forty": "4",
    "fourty": "4",
    "fifty": "5",
    "sixty": "6",
    "seventy": "7",
    "eighty": "8",
    "ninety": "9",
}
_TIMES: Final = {"double": 2, "triple": 3, "treble": 3, "quadruple": 4}
_ZEROS: Final = {"hundred": "00", "thousand": "000"}
# Said between digits, and meaning nothing.
_NOISE: Final = frozenset(
    (
        "um",
        "uh",
        "er",
        "erm",
        "ah",
        "hm",
        "hmm",
        "mm",
        "dash",
        "hyphen",
        "space",
        "point",
        "dot",
        "comma",
        "slash",
    )
)
# The same, but they may as well stand between two numbers; and digits that were heard as another word.
_LOOSE: Final = {
    **dict.fromkeys(("and", "then", "okay", "ok", "yes", "yeah", "right"), ("",)),
    **dict.fromkeys(("to", "too"), ("", "2")),
    **dict.fromkeys(("for", "fore"), ("", "4")),
    "won": ("", "1"),
    "ate": ("", "8"),
}
_LONG_GROUP: Final = 13  # digits without a space, in which a number of its own may begin or end anywhere

_TOKEN: Final = re.compile(
    r"(?P<bar>\[hidden: [a-z ]+\])|(?P<digit>\d)|(?P<word>[^\W\d_]+(?:['\u2019][^\W\d_]+)*)"
    r"|(?P<stop>[$€£¥%+=@&#<>|])"
)


class Atom(NamedTuple):
    """One piece of a run: where it stands, and the digits that it may stand for ("": none).

    `opens` and `closes` tell whether a group begins or ends with it, `firm` whether it is surely digits,
    `long` whether its group is so long that a number may begin or end inside.
    """

    start: int
    end: int
    readings: tuple[str, ...]
    opens: bool = True
    closes: bool = True
    firm: bool = True
    long: bool = False


@dataclass
class Run:
    """Digits in a row, at least one of them firm; it begins and ends with what may be one."""

    atoms: list[Atom] = field(default_factory=list)

    @property
    def start(self) -> int:
        """Where it begins in the text."""
        return self.atoms[0].start

    @property
    def end(self) -> int:
        """Where it ends in the text."""
        return self.atoms[-1].end

    @property
    def surely(self) -> tuple[int, int]:
        """Where its first and its last firm digits stand."""
        firm = [atom for atom in self.atoms if atom.firm]
        return firm[0].start, firm[-1].end

    def groups(self) -> list[str]:
        """Its digits as they were grouped, in their first reading."""
        found: list[str] = []
        for atom in self.atoms:
            if atom.opens or not found:
                found.append("")
            found[-1] += atom.readings[0]
        return [group for group in found if group]


class _Token(NamedTuple):
    kind: str
    text: str
    start: int
    end: int


def runs(text: str, *, loose: bool = False) -> list[Run]:
    """The runs of a text in their order; with `loose`, over words that may stand between two numbers too."""
    tokens = [
        _Token(found.lastgroup or "", found.group().lower(), found.start(), found.end())
        for found in _TOKEN.finditer(text)
    ]
    return [run for pieces in _stretches(tokens, loose) if (run := _trimmed(pieces)).atoms]


def lengths(atoms: Iterable[Atom]) -> tuple[int, int]:
    """How many digits they are, at least and at most."""
    sizes = [[len(reading) for reading in atom.readings] for atom in atoms]
    return sum(map(min, sizes)), sum(map(max, sizes))


def _stretches(tokens: Sequence[_Token], loose: bool) -> Iterator[list[Atom]]:
    """Atoms in a row, again and again; what is no part of a number ends them."""
    open_: list[Atom] = []
    at = 0
    while at < len(tokens):
        atom, used = _atom(tokens, at, loose, bool(open_))
        if atom is None:
            if open_:
                yield open_
            open_ = []
        else:
            open_.append(atom)
        at += used
    if open_:
        yield open_


def _atom(tokens: Sequence[_Token], at: int, loose: bool, inside: bool) -> tuple[Atom | None, int]:
    """What begins at this token, if it is part of a number, and how many tokens it takes."""
    token = tokens[at]
    if token.kind == "digit":
        return _written(tokens, at), 1
    if token.kind != "word":
        return None, 1
    word = token.text
    if word in _TIMES or word in _TENS:
        return _of_two(token, tokens[at + 1] if at + 1 < len(tokens) else None)
    if (value := _UNITS.get(word) or _TEENS.get(word)) is not None:
        return Atom(token.start, token.end, (value,)), 1
    if inside and word in _ZEROS:
        return Atom(token.start, token.end, (_ZEROS[word],)), 1
    between = ("",) if word in _NOISE else _LOOSE.get(word) if loose else None
    return (Atom(token.start, token.end, between, firm=False) if between else None), 1


def _written(tokens: Sequence[_Token], at: int) -> Atom:
    first = last = at
    while first and _touch(tokens[first - 1], tokens[first]):
        first -= 1
        if at - first > _LONG_GROUP:
            break
    while last + 1 < len(tokens) and _touch(tokens[last], tokens[last + 1]):
        last += 1
        if last - at > _LONG_GROUP:
            break
    token = tokens[at]
    long = last - first + 1 >= _LONG_GROUP
    return Atom(token.start, token.end, (str(int(token.text)),), first == at, last == at, long=long)


def _touch(one: _Token, other: _Token) -> bool:
    return one.kind == other.kind == "digit" and one.end == other.start


def _of_two(token: _Token, then: _Token | None) -> tuple[Atom | None, int]:
    """ "Double five", "forty-one", and "forty" alone."""
    unit = _unit(then)
    if token.text in _TIMES:
        if then is None or unit is None:
            return None, 1
        return Atom(token.start, then.end, (unit * _TIMES[token.text],)), 2
    ten = _TENS[token.text]
    if then is None or unit in (None, "0") or then.kind != "word":
        return Atom(token.start, token.end, (f"{ten}0",)), 1
    return Atom(token.start, then.end, (f"{ten}{unit}", f"{ten}0{unit}")), 2


def _unit(token: _Token | None) -> str | None:
    if token is None:
        return None
    return str(int(token.text)) if token.kind == "digit" else _UNITS.get(token.text)


def _trimmed(atoms: Sequence[Atom]) -> Run:
    said = [place for place, atom in enumerate(atoms) if any(atom.readings)]
    firm = any(atom.firm for atom in atoms)
    return Run(list(atoms[said[0] : said[-1] + 1]) if firm else [])
