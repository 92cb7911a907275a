"""Resources as Twilio shows them: strings where Twilio has strings, dates in RFC 2822."""

from __future__ import annotations

from typing import Any

from emulator.world import API_VERSION, Call, rfc2822

CALL_PARTS = (
    "events",
    "notifications",
    "payments",
    "recordings",
    "siprec",
    "streams",
    "transcriptions",
    "user_defined_message_subscriptions",
    "user_defined_messages",
)


def uri(account_sid: str, path: str) -> str:
    """The address of a resource, without its ending."""
    return f"/{API_VERSION}/Accounts/{account_sid}/{path}"


def parts(of: str, names: tuple[str, ...]) -> dict[str, str]:
    """The addresses of what lies below a resource."""
    return {name: f"{of}/{_title(name)}.json" for name in names}


def call(of: Call) -> dict[str, Any]:
    """A call."""
    here = uri(of.account_sid, f"Calls/{of.sid}")
    return {
        "sid": of.sid,
        "date_created": rfc2822(of.created),
        "date_updated": rfc2822(of.updated),
        "parent_call_sid": of.parent_sid or None,
        "account_sid": of.account_sid,
        "to": of.to,
        "to_formatted": formatted(of.to),
        "from": of.from_,
        "from_formatted": formatted(of.from_),
        "phone_number_sid": of.number_sid or None,
        "status": of.status,
        "start_time": rfc2822(of.dialled),
        "end_time": rfc2822(of.ended),
        "duration": str(of.duration()) if of.ended else None,
        "price": None,
        "price_unit": "USD",
        "direction": of.direction,
        "answered_by": of.answered_by or None,
        "api_version": API_VERSION,
        "forwarded_from": None,
        "group_sid": None,
        "caller_name": of.caller_name or None,
        "queue_time": "0",
        "trunk_sid": None,
        "uri": f"{here}.json",
        "subresource_uris": parts(here, CALL_PARTS),
    }


def formatted(address: str) -> str:
    """A number as people write it in its country; only American ones are written otherwise."""
    if address.startswith("+1") and len(address) == 12:
        return f"({address[2:5]}) {address[5:8]}-{address[8:]}"
    return address


def _title(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("_"))
