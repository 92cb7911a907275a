"""The files that browsers get: the softphone's script, its worklet, the console's page."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from functools import cache
from pathlib import Path

from aiohttp import web

STATIC = Path(__file__).parent.parent / "static"
# The softphone's parts, each using only those before it.
PARTS = (
    "place", "emitter", "errors", "tones", "enums", "sound", "devices", "signalling", "stats", "preflight",
    "keys", "call", "page", "device",
)  # fmt: skip
LINKS = re.compile(r"^import .*;\n|^export (?:default )?", re.M)
# Another origin's page loads these: its script, and the worklet by CORS.
SHARED = {
    "Access-Control-Allow-Origin": "*",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Cache-Control": "no-cache",
    "X-Content-Type-Options": "nosniff",
}
CONSOLE = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


def routes() -> list[web.RouteDef]:
    """Their addresses; the console's page itself is at /emulator/ (see `wanted`)."""
    return [
        web.get("/", nearby),
        web.get("/emulator", nearby),
        web.get("/emulator/softphone.js", softphone),
        web.get("/emulator/softphone-worklet.js", worklet),
        web.get("/emulator/console.js", _console_file("console.js", "text/javascript")),
        web.get("/emulator/console.css", _console_file("console.css", "text/css")),
    ]


async def nearby(request: web.Request) -> web.Response:
    """Lead whoever leaves something out to the console."""
    raise web.HTTPFound("/emulator/")


def wanted(request: web.Request) -> bool:
    """Whether a person asks at /emulator/: browsers name HTML, programs do not."""
    return "text/html" in request.headers.get("Accept", "")


def console() -> web.Response:
    """The console's page."""
    return web.Response(text=_read("console.html"), content_type="text/html", headers=CONSOLE)


async def softphone(request: web.Request) -> web.Response:
    """The script with the shape of Twilio's Voice SDK: one classic script that sets `window.Twilio`."""
    return web.Response(text=script(), content_type="text/javascript", headers=SHARED)


async def worklet(request: web.Request) -> web.Response:
    """The softphone's microphone and loudspeaker."""
    text = _read("softphone-worklet.js")
    return web.Response(text=text, content_type="text/javascript", headers=SHARED)


@cache
def script() -> str:
    """The parts of the softphone, written as modules, joined into one script without imports and exports."""
    parts = [LINKS.sub("", _read(f"softphone/{name}.js")) for name in PARTS]
    return "\n".join(["(() => {", '"use strict";', *parts, "})();", ""])


def _console_file(name: str, kind: str) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def serve(request: web.Request) -> web.Response:
        return web.Response(text=_read(name), content_type=kind, headers=CONSOLE)

    return serve


@cache
def _read(name: str) -> str:
    return (STATIC / name).read_text(encoding="utf-8")
