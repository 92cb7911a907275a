"""Where a number sends its calls: what Twilio has, what it should be, and setting it right."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.conf import settings

from calls.gateway import numbers as gateway
from calls.gateway.numbers import NumberFacts
from calls.models import PhoneNumber

__all__ = ["Difference", "NotOurs", "compare", "connect", "expected"]


class NotOurs(Exception):
    """Twilio's account has no such number in the number's region."""


@dataclass(frozen=True)
class Difference:
    """One field of a number that is not as it should be."""

    field: str
    wanted: str
    found: str


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


def compare(number: PhoneNumber) -> list[Difference]:
    """What differs at Twilio, noted in `webhook_state`. Raises NotOurs, GatewayError."""
    differences = _differences(_found(number).fields)
    _note(number, differences)
    return differences


def connect(number: PhoneNumber) -> list[Difference]:
    """Set what differs; gives what was different. Raises NotOurs, GatewayError."""
    found = _found(number)
    differences = _differences(found.fields)
    if differences:
        wanted = {difference.field: difference.wanted for difference in differences}
        found = gateway.update(region=number.region, sid=found.sid, fields=wanted)
    _note(number, _differences(found.fields))
    return differences


def _found(number: PhoneNumber) -> NumberFacts:
    found = gateway.find(region=number.region, e164=number.e164)
    if found is None:
        raise NotOurs(
            f"The account has no number {number.e164} in {number.region}. "
            "Check the number, the account SID and the region."
        )
    return found


def _differences(fields: Mapping[str, str]) -> list[Difference]:
    return [
        Difference(name, wanted, fields.get(name, ""))
        for name, wanted in expected().items()
        if _plain(fields.get(name, "")) != wanted
    ]


def _plain(value: str) -> str:
    """Without the fragment, by which Twilio's timeouts are set and which is never sent."""
    return value.partition("#")[0]


def _note(number: PhoneNumber, differences: list[Difference]) -> None:
    right = PhoneNumber.Webhooks.DIFFERS if differences else PhoneNumber.Webhooks.RIGHT
    if number.webhook_state != right:
        number.webhook_state = right
        number.save(update_fields=["webhook_state"])
