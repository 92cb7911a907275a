"""A page that is a phone: it may use a microphone and speak to Twilio, or to the stand-in for its SDK."""

from collections.abc import Callable
from typing import Any, cast
from urllib.parse import urlsplit

from csp.decorators import csp_update
from django.conf import settings
from django.http import HttpRequest, HttpResponse

from calls.selectors import phone
from calls.tokens import EDGES

__all__ = ["served"]

_EVENTS = "https://eventgw{region}.twilio.com"
_SIGNALLING = "wss://voice-js.{edge}.twilio.com"
Page = Callable[[HttpRequest], HttpResponse]


def served(page: Page, request: HttpRequest) -> HttpResponse:
    """What `page` answers to the request, with the policy that a phone in it needs."""
    answer = cast(HttpResponse, csp_update(_policy())(page)(request))
    answer["Permissions-Policy"] = "microphone=(self)"
    return answer


def _policy() -> dict[str, Any]:
    """What the phone may reach beside this site: Twilio, or the stand-in's origin when there is one."""
    media = {"media-src": ["mediastream:", "blob:"]}
    if settings.SOFTPHONE_URL:
        parts = urlsplit(settings.SOFTPHONE_URL)
        origin = f"{parts.scheme}://{parts.netloc}"
        socket = f"{parts.scheme.replace('http', 'ws', 1)}://{parts.netloc}"
        return {**media, "script-src": [origin], "worker-src": [origin], "connect-src": [origin, socket]}
    region = phone.region()
    hosts = [_EVENTS.format(region=""), _SIGNALLING.format(edge="roaming")]
    if region != "us1":
        hosts += [_EVENTS.format(region=f".{region}"), _SIGNALLING.format(edge=EDGES[region])]
    return {**media, "connect-src": hosts}
