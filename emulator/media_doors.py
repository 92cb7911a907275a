"""The doors to what was streamed: the bytes of a track, where they are kept."""

from __future__ import annotations

import json

from aiohttp import web

from emulator.rest.envelope import EXCHANGE


def routes() -> list[web.RouteDef]:
    """The addresses of this room."""
    return [web.get("/emulator/streams/{stream}/{track}.ulaw", track_audio)]


async def track_audio(request: web.Request) -> web.Response:
    """The mu-law bytes sent on a track, 8 kHz, no header; `X-Cut: true` when more was sent than is kept."""
    stream = request.app[EXCHANGE].stream(request.match_info["stream"])
    track = stream.outlet.tracks.get(request.match_info["track"]) if stream is not None else None
    if track is None:
        raise _missing("no such stream or track")
    if track.kept is None:
        raise _missing("its audio is not kept; start with --keep-audio")
    headers = {"X-Cut": str(track.cut).lower()}
    return web.Response(body=bytes(track.kept), content_type="audio/basic", headers=headers)


def _missing(why: str) -> web.HTTPNotFound:
    return web.HTTPNotFound(text=json.dumps({"error": why}), content_type="application/json")
