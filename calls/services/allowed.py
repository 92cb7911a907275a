"""Where we may call: the allow-list, asked before every number that a person types."""

import phonenumbers
from phonenumbers import PhoneNumberType

from calls.models import Destination
from calls.refusal import Refused
from calls.text import E164

__all__ = ["check", "country", "normal"]

_COSTLY = {
    PhoneNumberType.PREMIUM_RATE,
    PhoneNumberType.SHARED_COST,
    PhoneNumberType.PAGER,
    PhoneNumberType.UAN,
}

_PRECISE = 8  # + and 7 digits: a line that is meant for numbers that no country lists


def check(text: str, *, region: str | None = None) -> str:
    """The number in E.164 if it may be dialled; `region` is the country of national numbers, such as GB.

    Raises Refused: not a number, premium rate, not on the list (an empty list allows nothing), or of a kind
    that its country does not give out, unless a line of the list names its first seven digits.
    """
    number = normal(text, region=region)
    parsed = phonenumbers.parse(number)
    if phonenumbers.number_type(parsed) in _COSTLY:
        raise Refused("premium", "Premium-rate and shared-cost numbers cannot be called from here.")
    lines = Destination.objects.filter(prefix__in=[number[:end] for end in range(2, len(number) + 1)])
    decisive = max(lines, key=lambda line: len(line.prefix), default=None)
    if decisive is None or not decisive.allowed:
        raise Refused("not_allowed", "Calls to this number are not allowed here. An admin keeps the list.")
    if not phonenumbers.is_valid_number(parsed) and len(decisive.prefix) < _PRECISE:
        raise Refused("number", "No such number is given out in its country. Check the digits.")
    return number


def normal(text: str, *, region: str | None = None) -> str:
    """The number in E.164, however it was written. Raises Refused for what is no number that can exist."""
    try:
        parsed = phonenumbers.parse(text[:40], region)
    except phonenumbers.NumberParseException:
        raise Refused("number", "This is no telephone number. Write it like +44 20 7946 0000.") from None
    if not phonenumbers.is_possible_number(parsed):
        raise Refused("number", "This number cannot exist: it is too short or too long.")
    number = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    if not E164.fullmatch(number):
        raise Refused("number", "This is no telephone number. Write it like +44 20 7946 0000.")
    return number


def country(number: str) -> str | None:
    """The country whose national numbers are meant where `number` (E.164) is ours, such as GB."""
    try:
        return phonenumbers.region_code_for_number(phonenumbers.parse(number)) or None
    except phonenumbers.NumberParseException:
        return None
