"""IncomingPhoneNumbers: the account's numbers and the addresses that their calls ask, by region."""

from __future__ import annotations

import re
from typing import Any

from aiohttp import web

from emulator.account import HOME
from emulator.rest import endpoints, settings
from emulator.rest.envelope import BASE, exchange_of, form_of, region_of
from emulator.rest.errors import bad, not_found
from emulator.rest.forms import Form, takes
from emulator.rest.pages import page
from emulator.rest.shown import uri
from emulator.world import API_VERSION, Number, World, rfc2822

BAD_NUMBER, TAKEN, BAD_AREA, NONE_LEFT, NO_APPLICATION, NOT_HERE = 21421, 21422, 21451, 21452, 22108, 22402
MAX_NUMBERS = 10_000
# Kept and shown; nothing comes of them.
PAPERS = {"AddressSid": "AD", "EmergencyAddressSid": "AD", "IdentitySid": "RI", "BundleSid": "BU"}
WORDS = {"EmergencyStatus": ("Active", "Inactive"), "VoiceReceiveMode": ("voice", "fax")}
FIELDS = (
    *settings.SHARED,
    *PAPERS,
    *WORDS,
    "SmsApplicationSid",
    "VoiceApplicationSid",
    "TrunkSid",
)


def routes() -> list[web.RouteDef]:
    """The addresses of this resource."""
    return [
        web.post(f"{BASE}/IncomingPhoneNumbers.json", create),
        web.get(f"{BASE}/IncomingPhoneNumbers.json", list_numbers),
        web.get(f"{BASE}/IncomingPhoneNumbers/{{number}}.json", fetch),
        web.post(f"{BASE}/IncomingPhoneNumbers/{{number}}.json", update),
        web.delete(f"{BASE}/IncomingPhoneNumbers/{{number}}.json", delete),
    ]


@takes(*FIELDS, "PhoneNumber", "AreaCode")
async def create(request: web.Request) -> web.Response:
    """Buy a number, or any number of an area."""
    _only_at_home(request)
    given, world = form_of(request), exchange_of(request).world
    wanted = _wanted(given, world)
    if len(world.numbers) >= MAX_NUMBERS:
        raise bad("The emulator keeps no more numbers", TAKEN)
    # Read before the number is made: a request that is refused makes none.
    blank = Number("", wanted, wanted, world.clock.now(), world.clock.now())
    changed, kept = _changes(request, blank)
    made = world.new_number(wanted)
    _apply(made, changed, kept)
    return web.json_response(show(made, world.account.sid), status=201)


@takes("Beta", "FriendlyName", "PhoneNumber", "Origin")
async def list_numbers(request: web.Request) -> web.Response:
    """The account's numbers, by PhoneNumber (part of it, `*` for any digit), FriendlyName, Origin."""
    given, world = form_of(request), exchange_of(request).world
    rows = [world.number_in(number, region_of(request)) for number in world.numbers.values()]
    rows = [number for number in rows if _matches(number, given)]
    sid = world.account.sid
    return page(
        request, given, "incoming_phone_numbers", rows, lambda row: show(row, sid), lambda row: row.sid
    )


async def fetch(request: web.Request) -> web.Response:
    """One number."""
    return _answer(request, _number(request))


@takes(*FIELDS, "AccountSid")
async def update(request: web.Request) -> web.Response:
    """Change its settings; what is not named stays."""
    number, world = _number(request), exchange_of(request).world
    if (form_of(request).get("AccountSid") or world.account.sid) != world.account.sid:
        raise bad("The emulator has no other account to give a number to", 21471)
    _apply(number, *_changes(request, number))
    number.updated = world.clock.now()
    return _answer(request, number)


async def delete(request: web.Request) -> web.Response:
    """Give a number back."""
    _only_at_home(request)
    number = _number(request)
    exchange_of(request).world.numbers.pop(number.phone_number, None)
    return web.Response(status=204)


def _wanted(given: Form, world: World) -> str:
    text, area = given.get("PhoneNumber"), given.get("AreaCode")
    if text:
        found = endpoints.number(text)
        if found is None or not found.startswith("+"):
            raise bad(f"PhoneNumber {text[:40]!r} is not valid", BAD_NUMBER)
        if found in world.numbers:
            raise bad(f"{found} is not available", TAKEN)
        return found
    if not area:
        raise bad("PhoneNumber or AreaCode is required", BAD_NUMBER)
    if not re.fullmatch(r"[2-9][0-9]{2}", area):
        raise bad(f"AreaCode {area[:40]!r} is not valid", BAD_AREA)
    free = [n for n in range(10_000) if f"+1{area}555{n:04}" not in world.numbers]
    if not free:
        raise bad("No phone numbers found in area code", NONE_LEFT)
    return f"+1{area}555{world.random.choice(free):04}"


def _changes(request: web.Request, number: Number) -> tuple[dict[str, Any], dict[str, Any]]:
    """What changes of the number itself, and of what is only kept."""
    given, world = form_of(request), exchange_of(request).world
    changed, kept = settings.changes(given, number), settings.kept(given, number)
    application = settings.sid(given, "VoiceApplicationSid", "AP", NO_APPLICATION)
    if application:
        found = world.applications.get(application)
        if found is None or found.region != region_of(request):
            raise bad("VoiceApplicationSid is the id of no application", NO_APPLICATION)
    if application is not None:
        changed["voice_application_sid"] = application
    if given.get("TrunkSid"):
        raise bad("TrunkSid: the emulator has no SIP trunks")
    kept |= {name: given.choice(name, words) for name, words in WORDS.items() if given.get(name)}
    kept |= {
        name: settings.sid(given, name, kind) for name, kind in PAPERS.items() if given.get(name) is not None
    }
    if (texts := settings.sid(given, "SmsApplicationSid", "AP", NO_APPLICATION)) is not None:
        kept["SmsApplicationSid"] = texts
    return changed, kept


def _apply(number: Number, changed: dict[str, Any], kept: dict[str, Any]) -> None:
    for attribute, value in changed.items():
        setattr(number, attribute, value)
    number.other |= kept


def _matches(number: Number, given: Form) -> bool:
    part = re.escape(given.get("PhoneNumber") or "").replace(r"\*", "[0-9]")
    beta, name = given.flag("Beta"), given.get("FriendlyName")
    return (
        re.search(part, number.phone_number) is not None
        and name in {None, "", number.friendly_name}
        and given.get("Origin") in {None, "", "twilio"}
        and not beta
    )


def _only_at_home(request: web.Request) -> None:
    if region_of(request) != HOME:
        raise bad("Phone Number Operation not permitted within Region", NOT_HERE)


def _number(request: web.Request) -> Number:
    world = exchange_of(request).world
    number = world.number_by_sid(request.match_info["number"])
    if number is None:
        raise not_found(request)
    return world.number_in(number, region_of(request))


def _answer(request: web.Request, number: Number) -> web.Response:
    return web.json_response(show(number, exchange_of(request).world.account.sid))


def show(number: Number, account_sid: str) -> dict[str, Any]:
    """The resource as Twilio shows it."""
    other = number.other
    return {
        **settings.shown(number),
        "account_sid": account_sid,
        "address_sid": other.get("AddressSid") or None,
        "address_requirements": "none",
        "api_version": API_VERSION,
        "beta": False,
        "capabilities": {"voice": True, "sms": False, "mms": False, "fax": False},
        "date_created": rfc2822(number.created),
        "date_updated": rfc2822(number.updated),
        "identity_sid": other.get("IdentitySid") or None,
        "phone_number": number.phone_number,
        "origin": "twilio",
        "sid": number.sid,
        "sms_application_sid": other.get("SmsApplicationSid") or None,
        "trunk_sid": number.trunk_sid or None,
        "uri": f"{uri(account_sid, f'IncomingPhoneNumbers/{number.sid}')}.json",
        "voice_receive_mode": other.get("VoiceReceiveMode", "voice"),
        "voice_application_sid": number.voice_application_sid or None,
        "emergency_status": other.get("EmergencyStatus", "Inactive"),
        "emergency_address_sid": other.get("EmergencyAddressSid") or None,
        "emergency_address_status": "unregistered",
        "bundle_sid": other.get("BundleSid") or None,
        "status": "in-use",
        "type": "local",
    }
