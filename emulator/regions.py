"""Twilio's regions: a request asks one by its Host header, else by the port at which it came in."""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp import web

from emulator.account import EDGES, HOME, Account, region_of
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


async def listen(
    app: web.Application, runner: web.AppRunner, host: str, ports: Mapping[str, int]
) -> dict[str, str]:
    """Serve each region at its port (0 takes a free one); their urls. Raises OSError."""
    urls: dict[str, str] = {}
    for region, port in ports.items():
        await web.TCPSite(runner, host, port).start()
        taken = int(runner.addresses[-1][1])
        app[PORTS][taken] = region
        urls[region] = address(host, taken)
    return urls


def address(host: str, port: int) -> str:
    """The URL of a server at this host, which may be an IPv6 address."""
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def described(account: Account, urls: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """How each region is reached: by its url, if it has one, or by the name of its host."""
    return {
        region: {
            **({"url": urls[region]} if region in urls else {}),
            "host": "api.twilio.com" if region == HOME else f"api.{edge}.{region}.twilio.com",
            "auth_token": account.token(region),
        }
        for region, edge in EDGES.items()
    }
