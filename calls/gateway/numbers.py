"""Twilio's IncomingPhoneNumber resource: where a number sends its calls."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from calls.gateway.client import ask

__all__ = ["FIELDS", "NumberFacts", "find", "listed", "update"]

# What decides where calls go; an application or a trunk overrides the addresses.
FIELDS = (
    "voice_url",
    "voice_method",
    "voice_fallback_url",
    "voice_fallback_method",
    "status_callback",
    "status_callback_method",
    "voice_application_sid",
    "trunk_sid",
)


@dataclass(frozen=True)
class NumberFacts:
    """A number at Twilio: SID, E.164, its friendly name, and FIELDS by name ("" for none)."""

    sid: str
    e164: str
    label: str
    fields: Mapping[str, str]


def find(*, region: str, e164: str) -> NumberFacts | None:
    """The account's number, None if it has none like that. Raises GatewayError."""
    found = ask(region, lambda twilio: twilio.incoming_phone_numbers.list(phone_number=e164, limit=20))
    return next((_facts(number) for number in found if number.phone_number == e164), None)


def listed(*, region: str) -> list[NumberFacts]:
    """The account's numbers, at most 1000. Raises GatewayError."""
    found = ask(region, lambda twilio: twilio.incoming_phone_numbers.list(limit=1000, page_size=1000))
    return [_facts(number) for number in found]


def update(*, region: str, sid: str, fields: Mapping[str, str]) -> NumberFacts:
    """Change some of FIELDS. Raises GatewayError."""
    return _facts(ask(region, lambda twilio: twilio.incoming_phone_numbers(sid).update(**fields)))


def _facts(number: Any) -> NumberFacts:
    fields = {name: str(getattr(number, name, None) or "") for name in FIELDS}
    return NumberFacts(
        sid=str(number.sid),
        e164=str(number.phone_number),
        label=str(number.friendly_name or ""),
        fields=fields,
    )
