"""Where a number sends its calls: what Twilio has, what it should be, and setting it right.

Each of Twilio's regions keeps addresses of its own for a number, and the route says which region processes
its calls. Right is a number whose calls are processed in its region and sent here from there.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.conf import settings

from calls.gateway import numbers as gateway
from calls.gateway import routes
from calls.gateway.client import GatewayError
from calls.gateway.numbers import NumberFacts
from calls.models import PhoneNumber

__all__ = [
    "INBOUND_REGION",
    "LIMIT",
    "WORDS",
    "Difference",
    "Found",
    "NotOurs",
    "compare",
    "connect",
    "expected",
    "look",
    "unconnected",
]

INBOUND_REGION: Final = "inbound_region"
LIMIT: Final = 200  # numbers shown to pick from
# Twilio's fields in words.
WORDS: Final = {
    "voice_url": "voice address",
    "voice_method": "its method",
    "voice_fallback_url": "fallback address",
    "voice_fallback_method": "its method",
    "status_callback": "status address",
    "status_callback_method": "its method",
    "voice_application_sid": "application",
    "trunk_sid": "SIP trunk",
    INBOUND_REGION: "inbound region",
    "phone_number": "number",
}
_Webhooks = PhoneNumber.Webhooks


class NotOurs(Exception):
    """Twilio's account has no such number in the number's region."""


@dataclass(frozen=True)
class Difference:
    """One field of a number that is not as it should be."""

    field: str
    wanted: str
    found: str


@dataclass(frozen=True)
class Found:
    """A number as Twilio has it in one region, and the region in which its calls are processed."""

    facts: NumberFacts
    inbound_region: str


def expected() -> dict[str, str]:
    """Twilio's fields of a number whose calls come to this site."""
    base = f"{settings.PUBLIC_URL}/twilio"
    return {
        "voice_url": f"{base}/voice/",
        "voice_method": "POST",
        "voice_fallback_url": f"{base}/fallback/",
        "voice_fallback_method": "POST",
        "status_callback": f"{base}/call-status/",
        "status_callback_method": "POST",
        "voice_application_sid": "",  # an application or a trunk would override the addresses
        "trunk_sid": "",
    }


def look(*, e164: str, region: str) -> tuple[Found, list[Difference]]:
    """What Twilio has and what of it differs; nothing is noted. Raises NotOurs, GatewayError."""
    facts = gateway.find(region=region, e164=e164)
    if facts is None:
        raise NotOurs(
            f"The account {settings.TWILIO_ACCOUNT_SID} has no number {e164} in {region}. "
            "Check the number, the account and the region."
        )
    found = Found(facts, routes.inbound_region(e164=e164))
    return found, _differences(found, region)


def compare(*, number: PhoneNumber, now: datetime) -> list[Difference]:
    """What differs at Twilio, noted on the number. Raises NotOurs, GatewayError."""
    return _compared(number, now)[1]


def connect(*, number: PhoneNumber, now: datetime) -> list[Difference]:
    """Set what differs; gives what was different. Raises NotOurs, GatewayError.

    The addresses first and the region last, so that no call is sent where nobody answers it.
    """
    found, differences = _compared(number, now)
    fields = {one.field: one.wanted for one in differences if one.field != INBOUND_REGION}
    try:
        if fields:
            gateway.update(region=number.region, sid=found.facts.sid, fields=fields)
        if len(fields) < len(differences):
            routes.set_inbound_region(e164=number.e164, region=number.region)
    except GatewayError:
        _compare_again(number, now)
        raise
    if differences:
        _compared(number, now)
    return differences


def unconnected(*, region: str) -> list[NumberFacts]:
    """The account's numbers that are not here, at most LIMIT. Raises GatewayError."""
    listed = gateway.listed(region=region)
    here = set(PhoneNumber.objects.values_list("e164", flat=True))
    return [facts for facts in listed if facts.e164 not in here][:LIMIT]


def _compared(number: PhoneNumber, now: datetime) -> tuple[Found, list[Difference]]:
    try:
        found, differences = look(e164=number.e164, region=number.region)
    except NotOurs:
        _note(number, {"phone_number": ""}, "", now)
        raise
    _note(number, {one.field: one.found for one in differences}, found.inbound_region, now)
    return found, differences


def _compare_again(number: PhoneNumber, now: datetime) -> None:
    """After half a change: say what is true now, if Twilio tells; the first error is the one that counts."""
    try:
        _compared(number, now)
    except (NotOurs, GatewayError):
        _note(number, {}, number.inbound_region, now, state=_Webhooks.UNKNOWN)


def _differences(found: Found, region: str) -> list[Difference]:
    fields = found.facts.fields
    differ = [
        Difference(name, wanted, fields.get(name, ""))
        for name, wanted in expected().items()
        if _plain(fields.get(name, "")) != wanted
    ]
    if found.inbound_region != region:
        differ.append(Difference(INBOUND_REGION, region, found.inbound_region))
    return differ


def _plain(value: str) -> str:
    """Without the fragment, by which Twilio's timeouts are set and which is never sent."""
    return value.partition("#")[0]


def _note(
    number: PhoneNumber, found: Mapping[str, str], inbound: str, now: datetime, *, state: str = ""
) -> None:
    """Write down what was seen, unless the number or its region was changed while we asked."""
    state = state or (_Webhooks.DIFFERS if found else _Webhooks.RIGHT)
    seen = {
        "webhook_state": state,
        "webhook_found": dict(found),
        "inbound_region": inbound[:3],
        "checked_at": now,
    }
    same = PhoneNumber.objects.filter(pk=number.pk, e164=number.e164, region=number.region)
    if same.update(**seen):
        for name, value in seen.items():
            setattr(number, name, value)
