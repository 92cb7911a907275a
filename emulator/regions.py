"""Which of Twilio's regions a request asks: by its Host header, else by the port at which it came in."""

from __future__ import annotations

from aiohttp import web

from emulator.account import HOME, region_of
from emulator.rest.errors import not_found

# The ports of the regions that have one of their own.
PORTS: web.AppKey[dict[int, str]] = web.AppKey("ports", dict)
TWILIO = ".twilio.com"


def region_asked(request: web.Request) -> str:
    """The region. Raises RestError 20404 for a host under twilio.com that is none of Twilio's."""
    host = request.host.partition(":")[0].lower()
    if host.endswith(TWILIO):
        region = region_of(host)
        if region is None:
            raise not_found(request)
        return region
    return request.app[PORTS].get(_port(request), HOME)


def _port(request: web.Request) -> int:
    address = request.transport.get_extra_info("sockname") if request.transport is not None else None
    return int(address[1]) if isinstance(address, tuple) else 0
