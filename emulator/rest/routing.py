"""All addresses of the REST API."""

from __future__ import annotations

from aiohttp import web

from emulator.rest import (
    applications,
    calls,
    conferences,
    number_routes,
    numbers,
    participants,
    queues,
    recordings,
    streams,
    transcriptions,
)

RESOURCES = (
    calls,
    streams,
    numbers,
    number_routes,
    applications,
    queues,
    recordings,
    transcriptions,
    conferences,
    participants,
)


def routes() -> list[web.RouteDef]:
    """Every resource's addresses."""
    return [route for resource in RESOURCES for route in resource.routes()]
