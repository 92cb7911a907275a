"""People who call, found by their number."""

from calls.models import Contact
from calls.text import e164

__all__ = ["match"]


def match(caller: str) -> Contact | None:
    """The contact with this E.164 number; None for strangers, words, browsers and SIP addresses."""
    number = e164(caller)
    return Contact.objects.filter(e164=number).first() if number else None
