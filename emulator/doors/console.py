"""What the console shows: the live calls, and what happened last, as lines that people can read."""

from __future__ import annotations

import heapq
import re
from collections.abc import Iterator
from itertools import islice
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from aiohttp import web

from emulator.exchange import Exchange
from emulator.ledger import Entry
from emulator.leg import Leg
from emulator.media.socket import MediaStream
from emulator.rest.envelope import EXCHANGE
from emulator.world import iso

MAX_LIVE = 100
MAX_LINES = 150
# Only the newest calls are searched for lines, so that a console open during a load run costs little.
MAX_SEARCHED = 100
MAX_FIELDS = 120
ACCOUNT = re.compile(r"^/[\d-]+/Accounts/\w+")


class Line(NamedTuple):
    """One thing that happened: `kind` webhook, rest, status, stream or note; `bad` what went wrong."""

    at: str
    kind: str
    call: str
    text: str
    bad: bool = False


def routes() -> list[web.RouteDef]:
    """The address that the console's page polls."""
    return [web.get("/emulator/console/", state)]


async def state(request: web.Request) -> web.Response:
    """{"at", "target", "seed", "numbers", "live", "more", "calls": […], "lines": […]}, newest first."""
    exchange = request.app[EXCHANGE]
    live = [leg for leg in reversed(exchange.legs.values()) if leg.call.live]
    return web.json_response(
        {
            "at": iso(exchange.world.clock.now()),
            "target": exchange.world.target,
            "seed": exchange.world.seed,
            "numbers": list(islice(exchange.world.numbers, MAX_LIVE)),
            "live": len(live),
            "calls": [call(leg) for leg in live[:MAX_LIVE]],
            "lines": [line._asdict() for line in lines(exchange)],
        }
    )


def call(leg: Leg) -> dict[str, Any]:
    """A live call."""
    of = leg.call
    return {
        "sid": of.sid,
        "parent": of.parent_sid,
        "from": of.from_,
        "to": of.to,
        "direction": of.direction,
        "status": of.status,
        "script": of.script,
        "created": iso(of.created),
        "started": iso(of.started),
        "streams": [stream(one) for one in leg.live_streams()],
    }


def stream(of: MediaStream) -> dict[str, Any]:
    """A live stream of it."""
    return {"sid": of.sid, "name": of.name, "direction": of.wanted.direction, "tracks": of.wanted.tracks}


def lines(exchange: Exchange) -> list[Line]:
    """What happened last, newest first."""
    searched = list(islice(reversed(exchange.legs.values()), MAX_SEARCHED))[::-1]
    found = [line for leg in searched for line in _of_call(leg)]
    found += [_request(one) for one in list(exchange.ledger.entries)[-MAX_LINES:]]
    # Of what happened in the same millisecond the later entry is the newer.
    newest = heapq.nlargest(MAX_LINES, enumerate(found), key=lambda one: (one[1].at, one[0]))
    return [line for _, line in newest]


def _of_call(leg: Leg) -> Iterator[Line]:
    of = leg.call
    for hook in of.webhooks:
        yield _webhook(of.sid, hook)
    for note in of.notifications:
        yield Line(note["at"], "note", of.sid, f"{note['code']} {note['message']}", True)
    for one in of.statuses:
        yield Line(one["at"], "status", of.sid, f"{of.from_} → {of.to or '–'}: {one['status']}")
    for media in leg.streams:
        yield from _of_stream(of.sid, media)


def _webhook(sid: str, hook: dict[str, Any]) -> Line:
    answer = str(hook["status"] or "no answer")
    error = f", {hook['error']}" if hook["error"] else ""
    again = f", attempt {hook['attempt']}" if hook.get("attempt", 1) > 1 else ""
    asked = f"{hook['kind']}: {hook['method']} {_path(hook['url'])}"
    answered = f"{answer}{error} in {hook['took_ms']} ms{again}"
    return Line(hook["at"], "webhook", sid, f"{asked} → {answered}", bool(error))


def _of_stream(sid: str, of: MediaStream) -> Iterator[Line]:
    name = of.name if of.name != of.sid else f"{of.sid[:8]}…"
    tracks = " and ".join(of.wanted.tracks)
    yield Line(str(iso(of.created)), "stream", sid, f"{name}: {tracks} to {_path(of.wanted.url)}")
    if of.ended is not None:
        error = f", {of.error}" if of.error else ""
        sent = ", ".join(f"{count} {track}" for track, count in of.sent.items())
        text = f"{name}: {of.reason}{error}; frames sent: {sent}"
        yield Line(str(iso(of.ended)), "stream", sid, text, bool(of.error))


def _request(of: Entry) -> Line:
    fields = ", ".join(f"{name}={values[-1]}" for name, values in of.fields.items())
    asked = f"{of.method} {ACCOUNT.sub('', of.path)}{f' ({fields[:MAX_FIELDS]})' if fields else ''}"
    answered = str(of.status or "no answer") + (f", {of.code}" if of.code else "")
    return Line(str(iso(of.at)), "rest", "", f"{asked} → {answered}", (of.status or 0) >= 400)


def _path(url: str) -> str:
    parts = urlsplit(url)
    return parts.path or url
