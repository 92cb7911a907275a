"""Conferences: fetch, list, end, announce to all."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from emulator.rest.envelope import BASE, exchange_of, form_of, region_of
from emulator.rest.errors import bad, not_found
from emulator.rest.forms import takes
from emulator.rest.pages import Span, page, spans
from emulator.rest.shown import parts, uri
from emulator.rooms.announcement import announce
from emulator.rooms.conference import ENDED_BY_API, Conference
from emulator.twiml import Step
from emulator.world import API_VERSION, rfc2822

STATUSES = frozenset({"init", "in-progress", "completed"})
# Since the end of September 2026 a list without a status is one of those in progress.
USUAL_STATUS = "in-progress"
OVER = 16022
PARTS = ("participants", "recordings")


def routes() -> list[web.RouteDef]:
    """The addresses of this resource."""
    return [
        web.get(f"{BASE}/Conferences.json", list_conferences),
        web.get(f"{BASE}/Conferences/{{conference}}.json", fetch),
        web.post(f"{BASE}/Conferences/{{conference}}.json", update),
    ]


@takes("FriendlyName", "Status", *spans("DateCreated", "DateUpdated"))
async def list_conferences(request: web.Request) -> web.Response:
    """The region's conferences, newest first."""
    exchange, given = exchange_of(request), form_of(request)
    status = given.choice("Status", STATUSES) or USUAL_STATUS
    created, updated = Span(given, "DateCreated"), Span(given, "DateUpdated")
    rows = [
        room
        for room in exchange.conferences.in_region(region_of(request))
        if room.status == status
        and given.get("FriendlyName") in {None, "", room.friendly_name}
        and created.holds(room.created)
        and updated.holds(room.updated)
    ]
    return page(request, given, "conferences", rows[::-1], show, lambda row: row.sid)


async def fetch(request: web.Request) -> web.Response:
    """One conference, ended ones too."""
    return web.json_response(show(_conference(request)))


@takes("Status", "AnnounceUrl", "AnnounceMethod")
async def update(request: web.Request) -> web.Response:
    """End it for all, or play something to all."""
    conference, given = _conference(request), form_of(request)
    status = given.choice("Status", {"completed"})
    step = Step(given.url("AnnounceUrl"), given.method("AnnounceMethod"))
    if not conference.live:
        raise bad("Conference does not exist or is completed", OVER)
    if status:
        _end(conference)
    elif step.url:
        announce(conference, None, step)
    return web.json_response(show(conference))


def _end(conference: Conference) -> None:
    """Let everybody go."""
    conference.end(ENDED_BY_API)


def _conference(request: web.Request) -> Conference:
    conference = exchange_of(request).conferences.by_sid.get(request.match_info["conference"])
    if conference is None or conference.region != region_of(request):
        raise not_found(request)
    return conference


def show(conference: Conference) -> dict[str, Any]:
    """The resource as Twilio shows it."""
    account = conference.exchange.world.account.sid
    here = uri(account, f"Conferences/{conference.sid}")
    return {
        "sid": conference.sid,
        "account_sid": account,
        "api_version": API_VERSION,
        "friendly_name": conference.friendly_name,
        "region": conference.region,
        "status": conference.status,
        "reason_conference_ended": conference.reason or None,
        "call_sid_ending_conference": conference.ended_by.leg.call.sid if conference.ended_by else None,
        "date_created": rfc2822(conference.created),
        "date_updated": rfc2822(conference.updated),
        "uri": f"{here}.json",
        "subresource_uris": parts(here, PARTS),
    }
