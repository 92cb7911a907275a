"""WebSocket routes: media first, then browser sockets behind origin and login, then a refusal.

Routing is flat. Media sockets stand outside origin check and sessions, for Twilio sends neither; their
admission is the signature over the raw path and the nonce in it. Browser sockets are let in from the origin
of PUBLIC_URL, or from the very loopback address they connect to. Everything else gets HTTP 403 before
accept: an unknown path would otherwise end in a 500.
"""

import logging
import re
from typing import Any
from urllib.parse import urlsplit

from channels.auth import AuthMiddlewareStack
from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import get_language_from_request, override

from calls.consumers.call import CallConsumer
from calls.consumers.desk import DeskConsumer
from calls.consumers.live import LiveConsumer
from calls.counters import denied
from contactcenter.draining import draining
from contactcenter.echo import Echo
from streams.consumers.listen import ListenConsumer
from streams.consumers.media import MediaConsumer

__all__ = ["Guarded", "application", "language_of", "may_open"]

_log = logging.getLogger("contactcenter.sockets")
# As browsers write it (RFC 6454): no path, no user, no odd character. urlsplit would repair and raise.
_ORIGIN = re.compile(r"(https?)://(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::([0-9]{1,5}))?", re.ASCII)
_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::([0-9]{1,5}))?", re.ASCII)
_PORTS = {"http": 80, "https": 443}
_LOOPBACK = re.compile(r"localhost|127\.[0-9.]+|\[::1\]", re.ASCII)
_HEX = "[0-9a-f]{32}"

Scope = dict[str, Any]


class InLanguage:
    """Speaks the reader's language in all that follows, as pages do: by cookie, else as the browser asks."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        """Pass on; each socket has a context of its own, so no other one speaks with it."""
        with override(language_of(scope)):
            await self.inner(scope, receive, send)


def language_of(scope: Scope) -> str:
    """The language of the page that opened this socket. Never raises."""
    request = HttpRequest()
    request.COOKIES = scope.get("cookies", {})
    wanted = [value.decode("latin-1") for name, value in scope["headers"] if name == b"accept-language"]
    request.META["HTTP_ACCEPT_LANGUAGE"] = ",".join(wanted)
    return get_language_from_request(request)


async def refuse(scope: Scope, receive: Any, send: Any) -> None:
    """The end of every path that nobody knows: HTTP 403, one log line, one count."""
    is_media = str(scope.get("path", "")).startswith("/media/")
    await _deny("media.handshake.denied" if is_media else "ws.path.unknown", receive, send, reason="path")


class Guarded:
    """Stands before every socket: refuses while draining; a fault before accept is a refusal, not a 500."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        """Run the inner application and watch whether it has accepted."""
        if draining.is_set():
            await _deny("ws.draining", receive, send, reason="restart")
            return
        answered = False

        async def watched(message: dict[str, Any]) -> None:
            nonlocal answered
            answered = True
            await send(message)

        try:
            await self.inner(scope, receive, watched)
        except Exception:
            if answered:
                raise
            _log.exception("ws.failed")
            denied("ws.failed")
            await send({"type": "websocket.close", "code": 4500})


class OriginCheck:
    """Lets in only pages of our own site; see `may_open`."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        """Pass on or refuse before accept."""
        if may_open(scope.get("headers", [])):
            await self.inner(scope, receive, send)
        else:
            await _deny("ws.origin.denied", receive, send, reason="origin")


def may_open(headers: list[tuple[bytes, bytes]]) -> bool:
    """Whether a handshake with these headers comes from a page of ours. Never raises.

    The one Origin must equal scheme, host and port of PUBLIC_URL; or name a loopback host and port that the
    handshake itself goes to, so that a site is usable on its own machine whatever its public address.
    """
    origins = [value.decode("latin-1") for name, value in headers if name == b"origin"]
    hosts = [value.decode("latin-1") for name, value in headers if name == b"host"]
    origin = _parse_origin(origins[0]) if len(origins) == 1 else None
    if origin is None:
        return False
    return origin == _public_origin() or (len(hosts) == 1 and _is_own_loopback(origin, hosts[0]))


def _parse_origin(text: str) -> tuple[str, str, int] | None:
    found = _ORIGIN.fullmatch(text)
    if not found:
        return None
    scheme, host, port = found.groups()
    return scheme, host, int(port) if port else _PORTS[scheme]


def _public_origin() -> tuple[str, str, int] | None:
    parts = urlsplit(settings.PUBLIC_URL)
    return _parse_origin(f"{parts.scheme}://{parts.netloc.lower()}")


def _is_own_loopback(origin: tuple[str, str, int], host_header: str) -> bool:
    scheme, host, port = origin
    found = _HOST.fullmatch(host_header.lower())
    if not found or scheme != "http" or not _LOOPBACK.fullmatch(host):
        return False  # whoever speaks TLS here speaks for PUBLIC_URL
    return (host, port) == (found[1], int(found[2]) if found[2] else _PORTS[scheme])


async def _deny(event: str, receive: Any, send: Any, *, reason: str) -> None:
    await receive()  # websocket.connect
    denied(event)
    _log.warning(event, extra={"reason": reason})
    await send({"type": "websocket.close", "code": 4403})  # before accept: every server answers 403


class Routes:
    """The first pattern that matches the whole path; its named parts stand in scope["url_route"]."""

    def __init__(self, *routes: tuple[str, Any]) -> None:
        self.routes = [(re.compile(pattern, re.ASCII), inner) for pattern, inner in routes]

    async def __call__(self, scope: Scope, receive: Any, send: Any) -> None:
        """Pass on, or refuse what nobody knows."""
        for pattern, inner in self.routes:
            if found := pattern.fullmatch(scope["path"]):
                route = {"args": (), "kwargs": found.groupdict()}
                await inner({**scope, "url_route": route}, receive, send)
                return
        await refuse(scope, receive, send)


def _browser(consumer: Any) -> Any:
    return OriginCheck(AuthMiddlewareStack(InLanguage(consumer.as_asgi())))


_media = MediaConsumer.as_asgi()
application = Guarded(
    Routes(
        (rf"/media/k/(?P<key>{_HEX})/?", _media),
        (rf"/media/(?P<nonce>{_HEX})/?", _media),
        (r"/media/doctor-(?P<proof>[^/]+)/?", Echo.as_asgi()),
        (r"/ws/live/", _browser(LiveConsumer)),
        (r"/ws/desk/", _browser(DeskConsumer)),
        (r"/ws/calls/(?P<call_id>[0-9]{1,18})/", _browser(CallConsumer)),
        (r"/ws/calls/(?P<call_id>[0-9]{1,18})/audio/", _browser(ListenConsumer)),
        (r"/ws/.*", OriginCheck(refuse)),
    )
)
