"""Foreign text made fit to keep and to show: the only place that does it."""

import re

__all__ = ["E164", "clean", "e164", "is_withheld", "known_caller"]

E164 = re.compile(r"\+[1-9][0-9]{6,14}")

# Numbers that networks show for a caller who gives none: words on the keypad (ANONYMOUS, RESTRICTED, …).
_PLACEHOLDERS = {"+266696687", "+7378742833", "+2562533", "+8656696", "+86282452253"}
_WORDS = {"", "anonymous", "blocked", "private", "restricted", "unavailable", "unknown", "withheld"}
# Left-to-right and right-to-left marks, embeddings, overrides and isolates reorder the text around them.
_BIDI = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_CONTROL = re.compile("[\x01-\x1f\x7f-\x9f\u2028\u2029]+")


def clean(text: object, limit: int) -> str:
    """The text on one line, at most `limit` characters, storable in every database.

    NUL is dropped, other controls become a space, lone surrogates U+FFFD, bidirectional controls go.
    """
    raw = str(text)[: 4 * limit + 64]  # no work on what would be cut anyway
    whole = raw.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    line = _CONTROL.sub(" ", _BIDI.sub("", whole.replace("\x00", "")))
    return line.strip()[:limit]


def e164(text: str) -> str:
    """The text if it is a telephone number in E.164, else nothing."""
    return text if E164.fullmatch(text) else ""


def is_withheld(caller: str) -> bool:
    """Whether the network gave no number: a word such as anonymous, or its placeholder."""
    return caller.lower() in _WORDS or caller in _PLACEHOLDERS


def known_caller(caller: object) -> str:
    """Twilio's From as we keep it: a number, `client:…`, `sip:…` or a word, cleaned; nothing if withheld."""
    cleaned = clean(caller, 255)
    return "" if is_withheld(cleaned) else cleaned
