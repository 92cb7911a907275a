"""IncomingPhoneNumbers: list, fetch, update of the addresses that calls ask."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from emulator.rest.envelope import BASE, EXCHANGE, Form, bad, form, not_found, page
from emulator.world import API_VERSION, Number, rfc2822

URLS = {
    "VoiceUrl": "voice_url",
    "VoiceFallbackUrl": "voice_fallback_url",
    "StatusCallback": "status_callback",
}
METHODS = {
    "VoiceMethod": "voice_method",
    "VoiceFallbackMethod": "voice_fallback_method",
    "StatusCallbackMethod": "status_callback_method",
}
TEXTS = {
    "FriendlyName": "friendly_name",
    "VoiceApplicationSid": "voice_application_sid",
    "TrunkSid": "trunk_sid",
}


def routes() -> list[web.RouteDef]:
    """The addresses of this resource."""
    return [
        web.get(f"{BASE}/IncomingPhoneNumbers.json", list_numbers),
        web.get(f"{BASE}/IncomingPhoneNumbers/{{number}}.json", fetch),
        web.post(f"{BASE}/IncomingPhoneNumbers/{{number}}.json", update),
    ]


async def list_numbers(request: web.Request) -> web.Response:
    """The account's numbers, by PhoneNumber (part of it) or FriendlyName."""
    query = request.query
    numbers = [
        number
        for number in request.app[EXCHANGE].world.numbers.values()
        if query.get("PhoneNumber", "").replace("*", "") in number.phone_number
        and query.get("FriendlyName", number.friendly_name) == number.friendly_name
    ]
    account = request.app[EXCHANGE].world.account.sid
    return page(request, "incoming_phone_numbers", numbers, lambda number: show(number, account))


async def fetch(request: web.Request) -> web.Response:
    """One number."""
    return _answer(request, _number(request))


async def update(request: web.Request) -> web.Response:
    """Change its addresses; what is not named stays."""
    number, given = _number(request), await form(request)
    changes = _changes(given)
    primary = changes.get("voice_url", number.voice_url)
    if changes.get("voice_fallback_url") and not primary:
        raise bad("VoiceFallbackUrl is useless without VoiceUrl", 21405)
    for name, value in changes.items():
        setattr(number, name, value)
    number.updated = request.app[EXCHANGE].world.clock.now()
    return _answer(request, number)


def _changes(given: Form) -> dict[str, Any]:
    changes: dict[str, Any] = {f: given.url(name) for name, f in URLS.items() if given.get(name) is not None}
    changes |= {f: given.method(name) for name, f in METHODS.items() if given.get(name)}
    changes |= {f: given.get(name) for name, f in TEXTS.items() if given.get(name) is not None}
    if given.get("VoiceCallerIdLookup") is not None:
        changes["voice_caller_id_lookup"] = given.get("VoiceCallerIdLookup") == "true"
    return changes


def _number(request: web.Request) -> Number:
    number = request.app[EXCHANGE].world.number_by_sid(request.match_info["number"])
    if number is None:
        raise not_found(request)
    return number


def _answer(request: web.Request, number: Number) -> web.Response:
    return web.json_response(show(number, request.app[EXCHANGE].world.account.sid))


def show(number: Number, account_sid: str) -> dict[str, Any]:
    """The resource as Twilio shows it."""
    uri = f"/{API_VERSION}/Accounts/{account_sid}/IncomingPhoneNumbers/{number.sid}.json"
    return {
        "account_sid": account_sid,
        "address_sid": None,
        "address_requirements": "none",
        "api_version": API_VERSION,
        "beta": False,
        "capabilities": {"voice": True, "sms": False, "mms": False, "fax": False},
        "date_created": rfc2822(number.created),
        "date_updated": rfc2822(number.updated),
        "friendly_name": number.friendly_name,
        "identity_sid": None,
        "phone_number": number.phone_number,
        "origin": "twilio",
        "sid": number.sid,
        "sms_application_sid": "",
        "sms_fallback_method": "POST",
        "sms_fallback_url": "",
        "sms_method": "POST",
        "sms_url": "",
        "status_callback": number.status_callback,
        "status_callback_method": number.status_callback_method,
        "trunk_sid": number.trunk_sid or None,
        "uri": uri,
        "voice_receive_mode": "voice",
        "voice_application_sid": number.voice_application_sid or None,
        "voice_caller_id_lookup": number.voice_caller_id_lookup,
        "voice_fallback_method": number.voice_fallback_method,
        "voice_fallback_url": number.voice_fallback_url,
        "voice_method": number.voice_method,
        "voice_url": number.voice_url,
        "emergency_status": "Inactive",
        "emergency_address_sid": None,
        "emergency_address_status": "unregistered",
        "bundle_sid": None,
        "status": "in-use",
    }
