"""Foreign text made fit to keep and to show: the only place that does it."""

import re

import phonenumbers

__all__ = [
    "E164",
    "clean",
    "csv_cell",
    "e164",
    "from_csv_cell",
    "is_withheld",
    "known_caller",
    "paragraphs",
    "region_of",
    "shown_caller",
    "telephone",
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
_TYPED = re.compile(r"\+?[0-9 ().\-/\u00a0\u2010-\u2015]+")
_SHORTENED = re.compile(r"[0-9]+([.,][0-9]+)?[eE]\+?[0-9]+")
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


def telephone(text: object, region: str = "") -> str:
    """What a person typed, as E.164; `region` (such as GB) tells how to read a number without country code.

    Raises ValueError with a sentence for that person.
    """
    typed = clean(text, 40).translate({0xFF0B: "+"})
    if _SHORTENED.fullmatch(typed):
        raise ValueError(f"A spreadsheet has shortened this number to {typed}. Format the column as text.")
    if is_withheld(typed):
        raise ValueError("This is what networks show for a caller who withholds the number.")
    if not _TYPED.fullmatch(typed):
        raise ValueError("Write a telephone number with digits, such as +31 20 123 4567.")
    return _parsed(typed, region)


def region_of(number: str) -> str:
    """The country of an E.164 number by two letters, such as GB; nothing if it cannot be told."""
    try:
        return phonenumbers.region_code_for_number(phonenumbers.parse(number)) or _first_region(number)
    except phonenumbers.NumberParseException:
        return ""


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


def shown_caller(caller: str) -> str:
    """Who calls, in words: +44 20 7946 0100, Browser agent_7, SIP desk@example.com, or Withheld."""
    kept = known_caller(caller)
    if not kept:
        return "Withheld"
    kind, colon, rest = kept.partition(":")
    if colon and kind.lower() == "client":
        return f"Browser {rest}".strip()
    if colon and kind.lower() in {"sip", "sips"}:
        return f"SIP {rest.partition(';')[0]}".strip()
    return _spaced(kept) if e164(kept) else kept


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


def _parsed(typed: str, region: str) -> str:
    if not region and typed.startswith("00"):
        typed = f"+{typed[2:]}"
    try:
        number = phonenumbers.parse(typed, region or None)
    except phonenumbers.NumberParseException:
        known = f"is no telephone number in {region}" if region else "has no country code"
        raise ValueError(f"{typed} {known}. Write it like +31 20 123 4567.") from None
    written = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    if not phonenumbers.is_possible_number(number) or not e164(written):
        raise ValueError(f"{typed} is too short or too long for a telephone number.")
    if is_withheld(written):
        raise ValueError("This is what networks show for a caller who withholds the number.")
    return str(written)


def _first_region(number: str) -> str:
    code = phonenumbers.parse(number).country_code
    region = phonenumbers.region_code_for_country_code(code or 0)
    return "" if region in {"ZZ", "001"} else str(region)


def _spaced(number: str) -> str:
    try:
        parsed = phonenumbers.parse(number)
    except phonenumbers.NumberParseException:
        return number
    return str(phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL))
