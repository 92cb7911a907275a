"""Telephone numbers as people type them, made E.164."""

import phonenumbers

__all__ = ["NOT_A_NUMBER", "typed"]

NOT_A_NUMBER = "This is no telephone number. Write it with + and its country code, such as +31 20 123 4567."
_LONGEST = 40


def typed(text: str) -> str:
    """The number in E.164, nothing if it cannot be one.

    Spaces, brackets, dots and dashes are ignored, 00 counts as +; a number without its country is refused,
    for nothing here knows the country.
    """
    text = text.strip()
    text = "+" + text[2:] if text.startswith("00") else text
    if len(text) > _LONGEST or not text.startswith("+"):
        return ""
    try:
        number = phonenumbers.parse(text, None)
    except phonenumbers.NumberParseException:
        return ""
    if number.extension or not phonenumbers.is_possible_number(number):
        return ""
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))
