"""Foreign text made fit to keep and to show: the only place that does it."""

import re

__all__ = [
    "E164",
    "clean",
    "csv_cell",
    "e164",
    "from_csv_cell",
    "is_withheld",
    "known_caller",
    "paragraphs",
    "to_call",
]

E164 = re.compile(r"\+[1-9][0-9]{6,14}")

# Numbers that networks show for a caller who gives none: words on the keypad (ANONYMOUS, RESTRICTED, …).
_PLACEHOLDERS = {"266696687", "7378742833", "2562533", "8656696", "86282452253"}
_WORDS = {"", "anonymous", "blocked", "private", "restricted", "unavailable", "unknown", "withheld"}
# Left-to-right and right-to-left marks, embeddings, overrides and isolates reorder the text around them.
_BIDI = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_CONTROL = re.compile("[\x01-\x1f\x7f-\x9f\u2028\u2029]+")
_CONTROL_IN_LINE = re.compile("[\x01-\x09\x0b-\x1f\x7f-\x9f]+")
_LINE_ENDS = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
_MANY_LINE_ENDS = re.compile("\n{3,}")
_FORMULA = re.compile("'*[=+\\-@\t\r\n|%\uff0b\uff0d\uff1d\uff20]")


def clean(text: object, limit: int) -> str:
    """The text on one line, at most `limit` characters, storable in every database.

    NUL is dropped, other controls become a space, lone surrogates U+FFFD, bidirectional controls go.
    """
    return _CONTROL.sub(" ", _storable(text, limit)).strip()[:limit]


def paragraphs(text: object, limit: int) -> str:
    """The same for text of several lines: line ends stay (as \\n, at most one empty line between two)."""
    lines = _LINE_ENDS.sub("\n", _storable(text, limit))
    return _MANY_LINE_ENDS.sub("\n\n", _CONTROL_IN_LINE.sub(" ", lines)).strip()[:limit]


def e164(text: str) -> str:
    """The text if it is a telephone number in E.164, else nothing."""
    return text if E164.fullmatch(text) else ""


def to_call(caller: str) -> str:
    """The caller's number if it is one that can be called back, else nothing."""
    return "" if is_withheld(caller) else e164(caller)


def is_withheld(caller: str) -> bool:
    """Whether the network gave no number: a word such as anonymous (as a SIP user too), a placeholder."""
    word = caller.lower().strip()
    if word.startswith(("sip:", "sips:")):
        word = word.partition(":")[2].partition("@")[0] or word
    return word in _WORDS or word.removeprefix("+") in _PLACEHOLDERS


def known_caller(caller: object) -> str:
    """Twilio's From as we keep it: a number, `client:…`, `sip:…` or a word, cleaned; nothing if withheld."""
    cleaned = clean(caller, 255)
    return "" if is_withheld(cleaned) else cleaned


def csv_cell(text: str) -> str:
    """The text as a CSV cell that no spreadsheet runs: an apostrophe before what looks like a formula.

    An E.164 number stays: it can only be a number.
    """
    return f"'{text}" if _FORMULA.match(text) and not e164(text) else text


def from_csv_cell(cell: str) -> str:
    """The text of a cell that `csv_cell` made; any other cell is its text."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell[1:]) else cell


def _storable(text: object, limit: int) -> str:
    raw = str(text)[: 4 * limit + 64]  # no work on what would be cut anyway
    whole = raw.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return _BIDI.sub("", whole.replace("\x00", ""))
