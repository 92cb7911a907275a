"""The doors to what was streamed: how punctually, and the bytes of a track, where they are kept."""

from __future__ import annotations

import json

from aiohttp import web

from emulator.lateness import KEPT
from emulator.rest.envelope import EXCHANGE

TICKS_A_SECOND = 50
MAX_SECONDS, MAX_DIGITS = 1000, 10


def routes() -> list[web.RouteDef]:
    """The addresses of this room."""
    return [
        web.get("/emulator/lateness/", lateness),
        web.get("/emulator/streams/{stream}/{track}.ulaw", track_audio),
    ]


async def lateness(request: web.Request) -> web.Response:
    """Milliseconds from when a tick was due to the last write of it, over the last `?seconds=` of sound."""
    asked = request.query.get("seconds", "100")
    if not asked.isascii() or not asked.isdigit():
        raise web.HTTPBadRequest(
            text=json.dumps({"error": "seconds must be a whole number"}), content_type="application/json"
        )
    seconds = min(int(asked), MAX_SECONDS) if len(asked) < MAX_DIGITS else MAX_SECONDS
    late, ticks = request.app[EXCHANGE].pacer.lateness, seconds * TICKS_A_SECOND
    return web.json_response(
        {
            "ticks": min(ticks, late.ticks, KEPT),
            "late_p50_ms": late.percentile(0.5, ticks),
            "late_p99_ms": late.percentile(0.99, ticks),
            "late_max_ms": late.percentile(1.0, ticks),
        }
    )


async def track_audio(request: web.Request) -> web.Response:
    """The mu-law bytes sent on a track, 8 kHz, no header; `X-Cut: true` when more was sent than is kept."""
    stream = request.app[EXCHANGE].stream(request.match_info["stream"])
    track = stream.outlet.tracks.get(request.match_info["track"]) if stream is not None else None
    if track is None:
        raise _missing("no such stream or track")
    kept = track.kept
    if kept is None:
        raise _missing("its audio is not kept; start with --keep-audio")
    headers = {"X-Cut": str(track.cut).lower()}
    return web.Response(body=kept, content_type="audio/basic", headers=headers)


def _missing(why: str) -> web.HTTPNotFound:
    return web.HTTPNotFound(text=json.dumps({"error": why}), content_type="application/json")
