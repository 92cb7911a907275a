"""What may stand on a contact's card: each field made tidy, or refused in words. The desk, the admin and the
import all ask here."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from calls.telephones import telephone
from calls.text import clean, paragraphs

__all__ = ["CODE", "LIMITS", "Fault", "code_of", "tidy"]

LIMITS = {"name": 120, "company": 120, "tags": 200, "note": 4000}
"""Characters."""

CODE = re.compile(r"[0-9]{4,12}")
_MAX_TAGS = 20
_OLDEST = date(1900, 1, 1)
_DAY = re.compile(r"(?:(\d{4})-(\d{1,2})-(\d{1,2})|(\d{1,2})\.(\d{1,2})\.(\d{4}))", re.ASCII)


@dataclass(frozen=True)
class Fault:
    """One field that cannot stay as it is, and why, for the person who wrote it."""

    field: str
    text: str


def tidy(fields: Mapping[str, object], *, region: str, today: date) -> tuple[dict[str, Any], list[Fault]]:
    """The known ones of these fields as they may be kept, and what is wrong with the others.

    Known are name, company, e164, tags (text or list), note, code (digits) and born_on (date or None). Others
    are left out, and so is what was not given. `region` reads numbers without a country code.
    """
    kept: dict[str, Any] = {}
    faults = []
    readers = _readers(region, today)
    for field, value in fields.items():
        if field in readers:
            try:
                kept[field] = readers[field](value)
            except ValueError as wrong:
                faults.append(Fault(field, str(wrong)))
    return kept, faults


def code_of(value: object) -> str:
    """A verification code: 4 to 12 digits, spaces left out; nothing for nothing. Raises ValueError."""
    code = "".join(_text(value, 40).split())
    if code and not CODE.fullmatch(code):
        raise ValueError("A code has 4 to 12 digits.")
    return code


def _readers(region: str, today: date) -> dict[str, Callable[[object], Any]]:
    return {
        "name": _name,
        "company": lambda value: _line(value, "company"),
        "e164": lambda value: telephone(value, region) if _text(value, 40) else "",
        "tags": _tags,
        "note": _note,
        "code": code_of,
        "born_on": lambda value: _born(value, today),
    }


def _text(value: object, limit: int) -> str:
    return "" if value is None else clean(value, limit)


def _line(value: object, field: str) -> str:
    limit = LIMITS[field]
    line = _text(value, limit + 1)
    if len(line) > limit or _is_vast(value, limit):
        raise ValueError(f"At most {limit} characters.")
    return line


def _name(value: object) -> str:
    name = _line(value, "name")
    if not name:
        raise ValueError("A contact needs a name.")
    return name


def _note(value: object) -> str:
    limit = LIMITS["note"]
    note = "" if value is None else paragraphs(value, limit + 1)
    if len(note) > limit or _is_vast(value, limit):
        raise ValueError(f"At most {limit:,} characters.")
    return note


def _is_vast(value: object, limit: int) -> bool:
    """What `clean` would not read to its end."""
    return len(str(value)) > 4 * limit


def _tags(value: object) -> str:
    given = ",".join(map(str, value[:1000])) if isinstance(value, list | tuple) else value
    line = _text(given, 4 * LIMITS["tags"])
    words = {word.casefold(): word for part in re.split("[,;]", line) if (word := part.strip())}
    tags = ", ".join(words.values())
    if len(words) > _MAX_TAGS or len(tags) > LIMITS["tags"] or _is_vast(given, LIMITS["tags"]):
        raise ValueError(f"At most {_MAX_TAGS} tags and {LIMITS['tags']} characters.")
    return tags


def _born(value: object, today: date) -> date | None:
    if isinstance(value, date):
        day = value
    elif not (written := _text(value, 40)):
        return None
    else:
        day = _day(written)
    if not _OLDEST <= day <= today:
        raise ValueError("A date of birth lies between 1900 and today.")
    return day


def _day(written: str) -> date:
    found = _DAY.fullmatch(written)
    if not found:
        raise ValueError("Write the date like 1980-05-31.")
    first, second, third, fourth, fifth, sixth = found.groups()
    parts = (first, second, third) if first else (sixth, fifth, fourth)
    try:
        return date(*(int(part) for part in parts))
    except ValueError:
        raise ValueError(f"{written} is no day of the calendar.") from None
