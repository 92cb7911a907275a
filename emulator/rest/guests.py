"""Whoever is in a conference or on the way to it: found by call or label, shown as a participant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from aiohttp import web

from emulator.rest.envelope import exchange_of, region_of
from emulator.rest.errors import not_found
from emulator.rest.shown import uri
from emulator.rooms.conference import Conference
from emulator.rooms.seat import Seat, Terms
from emulator.world import Call, rfc2822

ON_THE_WAY = {"queued": "queued", "ringing": "ringing", "in-progress": "connecting", "completed": "complete"}


@dataclass(frozen=True)
class Guest:
    """One participant; without a seat it has been called and has not come yet."""

    conference: Conference
    call: Call
    terms: Terms
    seat: Seat | None = None

    @property
    def status(self) -> str:
        """Twilio's word for how far it has come."""
        return "connected" if self.seat is not None else ON_THE_WAY.get(self.call.status, "failed")


def guests(conference: Conference) -> list[Guest]:
    """Who sits there, in the order in which they came, and who is on the way."""
    calls = conference.exchange.world.calls
    sitting = [Guest(conference, seat.leg.call, seat.terms, seat) for seat in conference.seats.values()]
    coming = [Guest(conference, calls[sid], t) for sid, t in conference.expected.items() if sid in calls]
    return sitting + coming


def guest(request: web.Request) -> Guest:
    """The participant that the path names by CallSid or label. Raises RestError 20404."""
    name = request.match_info["participant"]
    found = [one for one in guests(conference_of(request)) if name in {one.call.sid, one.terms.label}]
    if not found:
        raise not_found(request)
    return found[0]


def conference_of(request: web.Request) -> Conference:
    """The conference that the path names, by id, or by name while it lives. Raises RestError 20404."""
    conferences = exchange_of(request).conferences
    found = conferences.find(request.match_info["conference"], region_of(request))
    if found is None:
        raise not_found(request)
    return found


def show(of: Guest) -> dict[str, Any]:
    """A participant as Twilio shows it."""
    room, terms = of.conference, of.terms
    here = uri(of.call.account_sid, f"Conferences/{room.sid}/Participants/{of.call.sid}")
    return {
        "account_sid": of.call.account_sid,
        "call_sid": of.call.sid,
        "conference_sid": room.sid,
        "label": terms.label or None,
        "muted": terms.muted,
        "hold": terms.hold,
        "coaching": terms.coaching,
        "call_sid_to_coach": terms.coach if terms.coaching else None,
        "start_conference_on_enter": terms.start_on_enter,
        "end_conference_on_exit": terms.end_on_exit,
        "status": of.status,
        "queue_time": "0",
        "date_created": rfc2822(of.seat.joined if of.seat is not None else of.call.created),
        "date_updated": rfc2822(of.seat.updated if of.seat is not None else of.call.updated),
        "uri": f"{here}.json",
    }
