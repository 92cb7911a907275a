"""Card numbers and security codes in what was said are hidden before anything of it is kept or shown.

A run of digits, written or spoken, is a card number when its 13 to 19 digits pass the Luhn check (ISO/IEC
7812-1); a part of a longer run, or a run over several lines, when it also begins as cards of that length do.
A security code is three or four digits near the words for it. Pure: texts in, texts out.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, Final, NamedTuple

from calls.digits import Atom, Run, lengths, runs

__all__ = [
    "ASKED_MS",
    "CARD",
    "CODE",
    "GOES_ON_MS",
    "LABELS",
    "NUMBER",
    "asks_code",
    "has_digits",
    "hidden",
    "hidden_lines",
    "hidden_partial",
    "hidden_words",
]

CARD: Final = "[hidden: card number]"
CODE: Final = "[hidden: security code]"
NUMBER: Final = "[hidden: number]"
"""In partial lines alone: a number that may become a card's."""

LABELS: Final = (CARD, CODE, NUMBER)

GOES_ON_MS: Final = 30_000
"""A number goes on in a line that begins at most so long after the one before."""
ASKED_MS: Final = 20_000
"""A security code is told at most so long after somebody spoke of it."""

_SHORTEST, _LONGEST = 13, 19
_GROWING = 8  # digits of a partial line from which on they are hidden
_WORDS_BETWEEN = 8  # words between "security code" and the code
_WORDS_TO_REPEAT = 2  # words between a code and the same once more

_ASKED: Final = re.compile(
    r"(?<!\[hidden: )\b(?:security\s+(?:code|number)|verification\s+(?:code|value|number)|"
    r"c[\s.]*v[\s.]*[vc]\s*2?|"
    r"(?:digits?|numbers?|code)\s+(?:(?:printed|written)\s+)?on\s+the\s+back)\b",
    re.IGNORECASE,
)
_WORD: Final = re.compile(r"[^\W\d_]+(?:['\u2019][^\W\d_]+)*")
_SAID_BEFORE: Final = re.compile(r"[\s,]*(?:is|as|was|for)\s+(?:\w+\s+){0,2}\Z", re.IGNORECASE)

# How cards of each length begin: (first, last) as texts of the same length, from the issuers' public ranges.
_BEGINNINGS: Final = (
    (("4", "4"), (13, 16, 19)),
    (("51", "55"), (16,)),
    (("2221", "2720"), (16,)),
    (("34", "34"), (15,)),
    (("37", "37"), (15,)),
    (("300", "305"), (14, 16, 17, 18, 19)),
    (("36", "36"), (14, 15, 16, 17, 18, 19)),
    (("38", "39"), (14, 16, 17, 18, 19)),
    (("3528", "3589"), (16, 17, 18, 19)),
    (("6011", "6011"), (16, 17, 18, 19)),
    (("644", "659"), (16, 17, 18, 19)),
    (("62", "62"), (16, 17, 18, 19)),
    (("50", "50"), (13, 14, 15, 16, 17, 18, 19)),
    (("56", "59"), (13, 14, 15, 16, 17, 18, 19)),
    (("63", "63"), (13, 14, 15, 16, 17, 18, 19)),
    (("67", "67"), (13, 14, 15, 16, 17, 18, 19)),
)


class _Span(NamedTuple):
    start: int
    end: int
    label: str


def hidden(text: str, *, asked: bool = False) -> str:
    """The text with what must not be kept replaced. `asked`: somebody has just asked for a security code."""
    return hidden_lines([text], asked=asked)[0]


def hidden_lines(lines: Sequence[str], *, asked: bool = False) -> list[str]:
    """The same for lines that one person said one after another: a number may go on in the next line.

    `asked` belongs to the last line.
    """
    return _covered(list(lines), growing=False, asked=asked)


def hidden_partial(text: str, *, before: Sequence[str] = (), asked: bool = False) -> str:
    """The same for a line still being spoken: a number is hidden from its eighth digit on, a code at once.

    `before` are the lines that the same person has just said.
    """
    return _covered([*before, text], growing=True, asked=asked)[-1]


def hidden_words(words: Sequence[Any]) -> list[Any]:
    """The words of one line, each a text, an object with `text` or a list that begins with it.

    What is hidden becomes one word, without times and confidence.
    """
    kept = list(words)
    while True:
        texts = [_text_of(word) for word in kept]
        spans = _find(" ".join(texts), [0], growing=False, asked=False)
        if not spans:
            return kept
        kept = _replaced(kept, texts, spans)


def asks_code(text: str) -> bool:
    """Whether the line speaks of a card's security code: the next few digits may be it."""
    return _ASKED.search(text) is not None


def has_digits(text: str) -> bool:
    """Whether there is a digit in it, written or said: without one there is nothing to hide."""
    return bool(runs(text))


def _covered(lines: list[str], *, growing: bool, asked: bool) -> list[str]:
    """Hide and look again until nothing is left to hide: what remains of a run is a run of its own."""
    while True:
        pieces = [*lines[:-1], "security code", lines[-1]] if asked else lines
        starts = [sum(len(piece) + 1 for piece in pieces[:place]) for place in range(len(pieces))]
        spans = _find("\n".join(pieces), starts, growing=growing, asked=asked)
        if not spans:
            return lines
        pieces = [_cut(piece, start, spans) for piece, start in zip(pieces, starts, strict=True)]
        lines = [*pieces[:-2], pieces[-1]] if asked else pieces


def _cut(piece: str, at: int, spans: Sequence[_Span]) -> str:
    """A piece that stands at `at`, with the label in place of what the spans cover of it."""
    for span in reversed(spans):
        start, end = max(0, span.start - at), min(len(piece), span.end - at)
        if start < end:
            piece = piece[:start] + span.label + piece[end:]
    return piece


def _replaced(words: list[Any], texts: Sequence[str], spans: Sequence[_Span]) -> list[Any]:
    found: list[Any] = []
    at, told = 0, -1
    for word, text in zip(words, texts, strict=True):
        over = next(
            (place for place, span in enumerate(spans) if span.start < at + len(text) and span.end > at), None
        )
        if over is None:
            found.append(word)
        elif over != told:
            found.append({"text": spans[over].label, "confidence": None})
            told = over
        at += len(text) + 1
    return found


def _text_of(word: Any) -> str:
    if isinstance(word, dict):
        word = word.get("text", "")
    elif isinstance(word, list | tuple):
        word = word[0] if word else ""
    return word if isinstance(word, str) else ""


def _find(text: str, starts: Sequence[int], *, growing: bool, asked: bool) -> list[_Span]:
    """What is to be hidden, in order and without overlap. `starts`: where the lines of the text begin."""
    strict, loose = runs(text), runs(text, loose=True)
    spans = [_Span(run.start, run.end, CARD) for run in strict if _is_card(run, starts)]
    for run in loose:
        spans.extend(_Span(start, end, CARD) for start, end in _inner_cards(run))
    codes = (_Span(run.start, run.end, CODE) for run in strict if _is_code(text, run, growing))
    spans.extend(islice(codes, 1))  # what follows one is judged when it is hidden
    if growing and not spans:
        spans = [_Span(*run.surely, NUMBER) for run in loose if lengths(run.atoms)[1] >= _GROWING]
    return list(_apart(spans))


def _apart(spans: Sequence[_Span]) -> Iterator[_Span]:
    """The first and longest of those that overlap; what is left of the others is looked at again."""
    end = -1
    for span in sorted(spans, key=lambda span: (span.start, -span.end)):
        if span.start >= end:
            end = span.end
            yield span


def _is_card(run: Run, starts: Sequence[int]) -> bool:
    """Whether a run that stands in one line is, as a whole, as long as a card number and passes Luhn."""
    if any(run.start < start < run.end for start in starts) or _are_years(run):
        return False
    shortest, longest = lengths(run.atoms)
    sizes = range(max(shortest, _SHORTEST), min(longest, _LONGEST) + 1)
    return any(len(run.atoms) - 1 in _ends(run.atoms, 0, size) for size in sizes)


def _inner_cards(run: Run) -> Iterator[tuple[int, int]]:
    """Parts of a run that begin and end as a card number of their length does, and pass Luhn."""
    atoms = run.atoms
    if lengths(atoms)[1] < _SHORTEST or _are_years(run):
        return
    for first, atom in enumerate(atoms):
        if not (atom.opens or atom.long):
            continue
        for size in _sizes(atoms, first):
            for last in _ends(atoms, first, size):
                if atoms[last].closes or (atoms[last].long and atom.opens):
                    yield atom.start, atoms[last].end


def _sizes(atoms: Sequence[Atom], first: int) -> set[int]:
    """How long a card number is that begins here, by its first four digits in any reading."""
    found = {reading for reading in atoms[first].readings if reading}
    for atom in atoms[first + 1 : first + 8]:
        found = {(text + reading)[:4] for text in found for reading in atom.readings}
    return {
        size
        for text in found
        for (low, high), sizes in _BEGINNINGS
        if low <= text[: len(low)] <= high
        for size in sizes
    }


def _ends(atoms: Sequence[Atom], first: int, size: int) -> Iterator[int]:
    """The atoms with which `size` digits that begin with `first` are complete, and pass the Luhn check.

    For each number of digits so far a bit for each sum modulo 10 that some reading of the atoms has.
    """
    reached = {0: 1}
    for place in range(first, len(atoms)):
        grown: dict[int, int] = {}
        for length, sums in reached.items():
            for reading in atoms[place].readings:
                to = length + len(reading)
                if to <= size and (reading or place > first):
                    grown[to] = grown.get(to, 0) | _added(sums, reading, size - length)
        if grown.get(size, 0) & 1:
            yield place
        reached = {length: sums for length, sums in grown.items() if length < size}
        if not reached:
            return


def _added(sums: int, reading: str, behind: int) -> int:
    """The sums with these digits added, of which the first has `behind` - 1 digits to its right."""
    for place, digit in enumerate(reading):
        value = int(digit) * (1 if (behind - place) % 2 else 2)
        value = (value - 9 if value > 9 else value) % 10
        sums = (sums << value | sums >> (10 - value)) & 0x3FF
    return sums


def _are_years(run: Run) -> bool:
    """Whether it is a list of years, which no card number looks like."""
    return all(len(group) == 4 and group[:2] in ("19", "20") for group in run.groups())


def _is_code(text: str, run: Run, growing: bool) -> bool:
    """Whether it is as long as a security code and stands where one is spoken of."""
    shortest, longest = lengths(run.atoms)
    if longest > 4 or (shortest < 3 and not growing):
        return False
    before = list(_ASKED.finditer(text, 0, run.start))
    if before:
        between = text[before[-1].end() : run.start]
        allowed = _WORDS_TO_REPEAT if CODE in between else _WORDS_BETWEEN
        if len(_WORD.findall(between.rpartition(CODE)[2])) <= allowed:
            return True
    follows = _ASKED.search(text, run.end)
    return follows is not None and bool(_SAID_BEFORE.fullmatch(text, run.end, follows.start()))
