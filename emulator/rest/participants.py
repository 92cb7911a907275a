"""Participants of a conference: fetch, list, update, remove; creating one is `inviting`."""

from __future__ import annotations

from aiohttp import web

from emulator.rest.envelope import BASE, exchange_of, form_of
from emulator.rest.errors import bad
from emulator.rest.forms import Form, takes
from emulator.rest.guests import Guest, conference_of, guest, guests, show
from emulator.rest.inviting import create
from emulator.rest.pages import page
from emulator.rest.terms import TERMS_FIELDS, changes
from emulator.rooms.announcement import announce
from emulator.twiml import Step

KICKED = "participant_updated_via_api"


def routes() -> list[web.RouteDef]:
    """The addresses of this resource."""
    everybody = f"{BASE}/Conferences/{{conference}}/Participants"
    return [
        web.post(f"{everybody}.json", create),
        web.get(f"{everybody}.json", list_participants),
        web.get(f"{everybody}/{{participant}}.json", fetch),
        web.post(f"{everybody}/{{participant}}.json", update),
        web.delete(f"{everybody}/{{participant}}.json", delete),
    ]


@takes("Muted", "Hold", "Coaching")
async def list_participants(request: web.Request) -> web.Response:
    """Who is in a conference or on the way to it; an ended one has nobody."""
    given = form_of(request)
    rows = [one for one in guests(conference_of(request)) if _matches(one, given)]
    return page(request, given, "participants", rows, show, lambda one: one.call.sid)


async def fetch(request: web.Request) -> web.Response:
    """One participant, by CallSid or label."""
    return web.json_response(show(guest(request)))


@takes(*TERMS_FIELDS, "AnnounceUrl", "AnnounceMethod")
async def update(request: web.Request) -> web.Response:
    """Mute, hold, coach and so on; play something to one participant."""
    one, given = guest(request), form_of(request)
    step = Step(given.url("AnnounceUrl"), given.method("AnnounceMethod"))
    change = changes(given, one.terms, one.call.sid, one.conference)
    if step.url and one.seat is None:
        raise bad("The participant is not in the conference yet")
    change.apply(one.terms)
    if one.seat is not None:
        one.conference.changed(one.seat, change.events, music=change.music)
    if step.url:
        announce(one.conference, one.seat, step)
    return web.json_response(show(one))


async def delete(request: web.Request) -> web.Response:
    """Send somebody away; whoever is still being called is called no longer."""
    one = guest(request)
    if one.seat is not None:
        one.conference.leave(one.seat, KICKED, kicked=True)
    elif (leg := exchange_of(request).legs.get(one.call.sid)) is not None:
        leg.dismiss("removed from the conference by REST")
    return web.Response(status=204)


def _matches(one: Guest, given: Form) -> bool:
    has = {"Muted": one.terms.muted, "Hold": one.terms.hold, "Coaching": one.terms.coaching}
    return all(given.flag(name) in {None, value} for name, value in has.items())
