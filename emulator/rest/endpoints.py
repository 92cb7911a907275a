"""Whom a call is to and from: numbers, clients, TwiML applications; SIP is refused."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

from emulator.rest.errors import bad

MAX_IDENTITY = 256
IDENTITY = re.compile(r"[^\s\x00-\x1f\x7f]+")
# What people write between the digits of a number.
BETWEEN = str.maketrans("", "", " ().-/")
NO_TO, BAD_TO, NO_FROM, BAD_FROM, NO_SIP, NO_APPLICATION = 21201, 21211, 21213, 21212, 21226, 21218


@dataclass(frozen=True)
class Endpoint:
    """One end of a call, and the parameters that were written behind it (`client:alice?topic=bill`)."""

    address: str
    parameters: dict[str, str] = field(default_factory=dict)

    @property
    def is_number(self) -> bool:
        """Whether it is a telephone."""
        return not self.address.startswith(("client:", "app:"))


def called(text: str | None, *, applications: bool = False) -> Endpoint:
    """Whom `To` names. Raises RestError 21201, 21211, 21226."""
    if not text or not text.strip():
        raise bad("No 'To' number is specified", NO_TO)
    address, _, query = text.strip().partition("?")
    if address.startswith(("sip:", "sips:")):
        raise bad("SIP calling is not enabled for this account: the emulator has no SIP", NO_SIP)
    parameters = dict(parse_qsl(query, keep_blank_values=True))
    if address.startswith("client:"):
        return Endpoint(_client(address, BAD_TO, "To"), parameters)
    if address.startswith("app:") and applications:
        return Endpoint(address, parameters)
    return Endpoint(_number(address, BAD_TO, "To"))


def caller(text: str | None, to: Endpoint) -> str:
    """Whom `From` (or `CallerId`) names. Raises RestError 21213, 21212."""
    if not text or not text.strip():
        raise bad("'From' phone number is required", NO_FROM)
    address = text.strip()
    if address.startswith("client:") and not to.is_number:
        return _client(address, BAD_FROM, "From")
    return _number(address, BAD_FROM, "From")


def number(text: str) -> str | None:
    """A telephone number in E.164, None when it is none; numbers without a country are American."""
    bare = text.strip().translate(BETWEEN)
    digits = bare.removeprefix("+")
    if not re.fullmatch(r"[0-9]{3,15}", digits):
        return None
    if bare.startswith("+") or len(digits) < 10:
        return bare
    return f"+1{digits}" if len(digits) == 10 else f"+{digits}"


def _number(text: str, code: int, name: str) -> str:
    found = number(text)
    if found is None:
        raise bad(f"'{name}' {text[:100]!r} is not a valid phone number", code)
    return found


def _client(address: str, code: int, name: str) -> str:
    identity = address.removeprefix("client:")
    if len(identity) > MAX_IDENTITY or not IDENTITY.fullmatch(identity):
        raise bad(f"'{name}' {address[:100]!r} is not a valid client", code)
    return address
