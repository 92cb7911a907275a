"""What was said, word by word: the same word in any case, spelling of Unicode and apostrophe is the same.

Whole words only. "don't", "don’t" and "dont" are one word; "manager's" is also "manager", "l'avocat" also
"avocat"; of scripts that write without spaces each sign is a word of its own.
"""

import re
import unicodedata
from collections.abc import Iterator
from itertools import groupby
from typing import Final, NamedTuple

__all__ = ["MAX_TEXT", "QUOTE", "Word", "around", "phrase", "spoken"]

MAX_TEXT: Final = 4000
"""Characters of a line that are looked at; no line is kept longer."""
QUOTE: Final = 200
"""Characters of a quote, without the dots."""

_ELISION: Final = 2  # letters before an apostrophe: l', d', qu'
_LEAST_REST: Final = 3  # and behind it: "I'm" is not "m"


def _marks() -> str:
    """The inside of a character class: combining marks, which `\\w` leaves out, up to U+FFFF."""
    points = [at for at in range(0x300, 0x10000) if unicodedata.category(chr(at)).startswith("M")]
    runs = (list(run) for _, run in groupby(enumerate(points), lambda pair: pair[1] - pair[0]))
    return "".join(f"\\u{run[0][1]:04x}-\\u{run[-1][1]:04x}" for run in runs)


_LETTER: Final = rf"[\w{_marks()}]"
_APOSTROPHE: Final = re.compile("['’‘ʼ＇`´]")
_WORD: Final = re.compile(rf"{_LETTER}+(?:{_APOSTROPHE.pattern}{_LETTER}+)*")
_UNSEEN: Final = re.compile("[\u00ad\u200b-\u200d\u2060\ufeff]")  # soft hyphens, joiners of no width


class Word(NamedTuple):
    """One word of a line, from `start` to `end`; `forms` are the spellings by which it is known."""

    forms: tuple[str, ...]
    start: int
    end: int


def spoken(text: str) -> tuple[str, list[Word]]:
    """The text as quotes have it (composed, nothing unseen, at most MAX_TEXT long), and its words."""
    text = unicodedata.normalize("NFC", _UNSEEN.sub("", text[:MAX_TEXT]))[:MAX_TEXT]
    return text, list(_words(text))


def phrase(text: str) -> tuple[str, ...]:
    """The words of a rule's phrase, each in its first form; empty if there is none in it."""
    return tuple(word.forms[0] for word in spoken(text)[1])


def around(text: str, start: int, end: int) -> str:
    """The part of a line around what was found there, at most QUOTE characters, cut between words."""
    if len(text) <= QUOTE:
        return text.strip()
    spare = max(0, QUOTE - (end - start))
    left = max(0, min(start - spare // 2, len(text) - QUOTE))
    right = min(len(text), left + QUOTE)
    if left:
        left = min(start, text.find(" ", left, start) + 1 or start)
    if right < len(text):
        cut = text.rfind(" ", end, right + 1)
        right = cut if cut >= 0 else max(min(end, right), min(right, end + spare))
    return f"{'…' if left else ''}{text[left:right].strip()}{'…' if right < len(text) else ''}"


def _words(text: str) -> Iterator[Word]:
    for found in _WORD.finditer(text.replace("_", " ")):
        start, raw = found.start(), found.group()
        if raw.isascii():
            yield Word(_forms(raw), start, found.end())
            continue
        for piece in _pieces(raw):
            yield Word(_forms(piece), start, start + len(piece))
            start += len(piece)


def _pieces(raw: str) -> Iterator[str]:
    """Wide signs one by one, what stands between them as it is."""
    for is_wide, run in groupby(raw, lambda sign: unicodedata.east_asian_width(sign) == "W"):
        signs = list(run)
        yield from signs if is_wide else ["".join(signs)]


def _forms(raw: str) -> tuple[str, ...]:
    parts = [_fold(part) for part in _APOSTROPHE.split(raw) if part]
    whole = "".join(parts)
    if len(parts) < 2:
        return (whole,)
    head, rest = parts[0], "".join(parts[1:])
    forms = [whole]
    if parts[-1] == "s":
        forms.append("".join(parts[:-1]))
    if len(head) <= _ELISION and len(rest) >= _LEAST_REST:
        forms.append(rest)
    return tuple(dict.fromkeys(forms))


def _fold(word: str) -> str:
    if word.isascii():
        return word.lower()
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", word).casefold())
