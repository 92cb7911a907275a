"""Who may come in at `/emulator/…`: programs, and pages of this machine. No foreign page, by no name.

A page of another site could post to a loopback address, and one whose name was pointed here could read as
well (DNS rebinding). So every request must name this machine as its host, and whatever changes something must
not come from another origin. The REST API needs none of this: it asks for credentials.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from aiohttp import web

from emulator.doors import reading
from emulator.media import limits
from emulator.rest.envelope import EXCHANGE

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
# The names by which this emulator may be called, beside localhost and addresses.
HOST_NAMES: web.AppKey[frozenset[str]] = web.AppKey("host_names", frozenset)


@web.middleware
async def keeper(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse foreign hosts and cross-site changes."""
    if request.path.startswith("/emulator/"):
        if not _is_own(_host(f"//{request.host}"), request):
            raise reading.refused(web.HTTPForbidden, "this host is not the emulator's (--host-name adds one)")
        if request.method not in {"GET", "HEAD"} and not _same_origin(request):
            raise reading.refused(web.HTTPForbidden, "not from a page of another origin")
    return await handler(request)


def may_phone(request: web.Request) -> bool:
    """Whether a softphone is served to this origin: the target's, this machine's, or none (a program)."""
    origin = request.headers.get("Origin")
    if origin is None:
        return True
    if origin.lower() == _origin(request.app[EXCHANGE].world.target):
        return True
    return limits.is_loopback(_host(origin)) or _same_origin(request)


def _same_origin(request: web.Request) -> bool:
    origin = request.headers.get("Origin")
    return origin is None or origin.partition("://")[2].lower() == request.host.lower()


def _is_own(host: str, request: web.Request) -> bool:
    # Only a name can be pointed somewhere else; an address is where the request came in.
    return host in request.app[HOST_NAMES] or _is_address(host) or limits.is_loopback(host)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _host(address: str) -> str:
    try:
        return (urlsplit(address).hostname or "").rstrip(".")
    except ValueError:
        return ""


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}".lower()
