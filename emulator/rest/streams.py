"""Streams of a call: create and stop. As at Twilio there is no list, no fetch and no delete."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from emulator.media.limits import Refused
from emulator.media.socket import MediaStream, Wanted
from emulator.rest import shown
from emulator.rest.calls import live_leg
from emulator.rest.envelope import BASE, form_of
from emulator.rest.errors import bad, not_found
from emulator.rest.forms import Form, takes
from emulator.twiml import TRACKS
from emulator.world import Call, rfc2822

MAX_PARAMETERS = 99
PARAMETERS = tuple(f"Parameter{n}.{part}" for n in range(1, MAX_PARAMETERS + 1) for part in ("Name", "Value"))


def routes() -> list[web.RouteDef]:
    """The addresses of this resource."""
    return [
        web.post(f"{BASE}/Calls/{{call}}/Streams.json", create),
        web.post(f"{BASE}/Calls/{{call}}/Streams/{{stream}}.json", update),
    ]


@takes("Url", "Name", "Track", "StatusCallback", "StatusCallbackMethod", *PARAMETERS)
async def create(request: web.Request) -> web.Response:
    """Start a unidirectional stream on a call that is in progress."""
    leg, given = live_leg(request), form_of(request)
    if leg.call.status != "in-progress":
        raise bad("Call is not in-progress. Cannot start a stream.", 21220)
    try:
        stream = leg.open_stream(_wanted(given))
    except Refused as refused:
        raise bad(refused.detail, refused.code) from refused
    return web.json_response(show(leg.call, stream), status=201)


@takes("Status")
async def update(request: web.Request) -> web.Response:
    """Stop a stream by id or name."""
    leg, given = live_leg(request), form_of(request)
    stream = leg.stream(request.match_info["stream"])
    if stream is None:
        raise not_found(request)
    if given.get("Status") != "stopped":
        raise bad("Status must be stopped")
    if stream.wanted.direction == "bidirectional":
        raise bad("A bidirectional stream cannot be stopped; update the call")
    stream.stop("REST Status=stopped")
    return web.json_response(show(leg.call, stream))


def _wanted(given: Form) -> Wanted:
    track = given.get("Track") or "inbound_track"
    if track not in TRACKS:
        raise bad(f"Track {track!r} is not one of {', '.join(TRACKS)}", 31941)
    if not given.get("Url"):
        raise bad("Url is required", 21205)
    return Wanted(
        url=given.get("Url") or "",
        name=given.get("Name") or "",
        tracks=TRACKS[track],
        parameters=_parameters(given),
        callback=given.callback("StatusCallback"),
        callback_method=given.method("StatusCallbackMethod"),
        made_by="rest",
    )


def _parameters(given: Form) -> dict[str, str]:
    numbers = range(1, MAX_PARAMETERS + 1)
    named = {number: given.get(f"Parameter{number}.Name") for number in numbers}
    return {name: given.get(f"Parameter{number}.Value") or "" for number, name in named.items() if name}


def show(call: Call, stream: MediaStream) -> dict[str, Any]:
    """The resource as Twilio shows it."""
    return {
        "sid": stream.sid,
        "account_sid": call.account_sid,
        "call_sid": call.sid,
        "name": stream.wanted.name or None,
        "status": stream.status,
        "date_updated": rfc2822(stream.updated),
        "uri": shown.uri(call.account_sid, f"Calls/{call.sid}/Streams/{stream.sid}.json"),
    }
