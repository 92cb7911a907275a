"""Where we may call: the allow-list, asked before every number that a person types."""

from django.utils.translation import gettext

from calls.models import Destination
from calls.refusal import Refused
from calls.telephones import is_costly, is_given_out, telephone

__all__ = ["check"]

_PRECISE = 8  # + and 7 digits: a line that is meant for numbers that no country lists


def check(text: str, *, region: str = "") -> str:
    """The number in E.164 if it may be dialled; `region` is the country of national numbers, such as GB.

    Raises Refused: not a number, premium rate, not on the list (an empty list allows nothing), or of a kind
    that its country does not give out, unless a line of the list names its first seven digits.
    """
    try:
        number = telephone(text, region)
    except ValueError as wrong:
        raise Refused("number", str(wrong)) from None
    if is_costly(number):
        raise Refused("premium", gettext("Premium-rate and shared-cost numbers cannot be called from here."))
    lines = Destination.objects.filter(prefix__in=[number[:end] for end in range(2, len(number) + 1)])
    decisive = max(lines, key=lambda line: len(line.prefix), default=None)
    if decisive is None or not decisive.allowed:
        raise Refused(
            "not_allowed", gettext("Calls to this number are not allowed here. An admin keeps the list.")
        )
    if not is_given_out(number) and len(decisive.prefix) < _PRECISE:
        raise Refused("number", gettext("No such number is given out in its country. Check the digits."))
    return number
