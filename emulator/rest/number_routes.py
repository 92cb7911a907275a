"""Routes v2: the region in which a number's incoming calls are handled."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from aiohttp import web

from emulator.account import EDGES
from emulator.rest.envelope import exchange_of, form_of, region_of
from emulator.rest.errors import not_found
from emulator.rest.forms import takes
from emulator.world import Number

PATH = "/v2/PhoneNumbers"
MAX_NAME = 64


def routes() -> list[web.RouteDef]:
    """The addresses of this resource; each number has one from the start."""
    return [web.get(f"{PATH}/{{number}}", fetch), web.post(f"{PATH}/{{number}}", update)]


async def fetch(request: web.Request) -> web.Response:
    """Where a number's calls are handled; the number by itself or by its PN id."""
    return web.json_response(_show(request, _number(request)))


@takes("VoiceRegion", "FriendlyName")
async def update(request: web.Request) -> web.Response:
    """Let them be handled elsewhere. Twilio takes up to five minutes for it, the emulator none."""
    number, given = _number(request), form_of(request)
    region = given.choice("VoiceRegion", EDGES)
    name = given.text("FriendlyName", MAX_NAME)
    number.voice_region = region or number.voice_region
    number.route_name = number.route_name if name is None else name
    number.routed = exchange_of(request).world.clock.now()
    return web.json_response(_show(request, number))


def _number(request: web.Request) -> Number:
    world, wanted = exchange_of(request).world, request.match_info["number"]
    number = world.numbers.get(wanted) or world.number_by_sid(wanted)
    if number is None:
        raise not_found(request)
    return number


def _show(request: web.Request, number: Number) -> dict[str, Any]:
    exchange = exchange_of(request)
    return {
        "phone_number": number.phone_number,
        "url": f"{exchange.url(region_of(request))}{PATH}/{number.phone_number}",
        "sid": f"QQ{number.sid[2:]}",
        "account_sid": exchange.world.account.sid,
        "friendly_name": number.route_name or number.friendly_name,
        "voice_region": number.voice_region,
        "date_created": _date(number.created),
        "date_updated": _date(number.routed or number.created),
    }


def _date(moment: datetime) -> str:
    """A date as newer services write it: ISO 8601, whole seconds."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
