"""Telephone numbers: read as people type them, written as people write them, and whose country's they are.

The only place that parses them. A number that can exist is not always one that was given out.
"""

import re

import phonenumbers
from phonenumbers import PhoneNumber, PhoneNumberFormat, PhoneNumberType

from calls.text import clean, e164, is_withheld

__all__ = ["is_costly", "is_country", "is_given_out", "parsed", "region_of", "spaced", "telephone"]

_COSTLY = {
    PhoneNumberType.PREMIUM_RATE,
    PhoneNumberType.SHARED_COST,
    PhoneNumberType.PAGER,
    PhoneNumberType.UAN,
}
_TYPED = re.compile(r"\+?[0-9 ().\-/\u00a0\u2010-\u2015]+")
_SHORTENED = re.compile(r"[0-9]+([.,][0-9]+)?[eE]\+?[0-9]+")


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
    return _e164(typed, region)


def parsed(number: str, region: str = "") -> PhoneNumber | None:
    """The parts of a number, read as in `region` (such as GB) without a country code; None if it is none."""
    try:
        return phonenumbers.parse(number, region or None)
    except phonenumbers.NumberParseException:
        return None


def spaced(number: PhoneNumber) -> str:
    """With its country code, and spaces where its country puts them: +44 20 7946 0100."""
    return str(phonenumbers.format_number(number, PhoneNumberFormat.INTERNATIONAL))


def region_of(number: str) -> str:
    """The country of an E.164 number by two letters, such as GB; nothing if it cannot be told."""
    found = parsed(number)
    if found is None:
        return ""
    region = phonenumbers.region_code_for_number(found) or phonenumbers.region_code_for_country_code(
        found.country_code or 0
    )
    return "" if region in {"ZZ", "001"} else str(region)


def is_costly(number: str) -> bool:
    """Whether calls to an E.164 number cost more than others: premium rate, shared cost and their like."""
    found = parsed(number)
    return found is not None and phonenumbers.number_type(found) in _COSTLY


def is_given_out(number: str) -> bool:
    """Whether the country of an E.164 number gives such numbers out."""
    found = parsed(number)
    return found is not None and phonenumbers.is_valid_number(found)


def is_country(region: str) -> bool:
    """Whether telephone numbers know a country by these two letters."""
    return region in phonenumbers.SUPPORTED_REGIONS


def _e164(typed: str, region: str) -> str:
    if not region and typed.startswith("00"):
        typed = f"+{typed[2:]}"
    number = parsed(typed, region)
    if number is None:
        known = f"is no telephone number in {region}" if region else "has no country code"
        raise ValueError(f"{typed} {known}. Write it like +31 20 123 4567.")
    written = str(phonenumbers.format_number(number, PhoneNumberFormat.E164))
    if not phonenumbers.is_possible_number(number) or not e164(written):
        raise ValueError(f"{typed} is too short or too long for a telephone number.")
    if is_withheld(written):
        raise ValueError("This is what networks show for a caller who withholds the number.")
    return written
