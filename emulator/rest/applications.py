"""Applications: addresses that numbers, browsers, calls and participants may share."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from emulator.rest import settings
from emulator.rest.envelope import BASE, exchange_of, form_of, region_of
from emulator.rest.errors import bad, not_found
from emulator.rest.forms import Form, takes
from emulator.rest.pages import page
from emulator.rest.shown import uri
from emulator.world import API_VERSION, Application, rfc2822

MAX_APPLICATIONS, TOO_MANY = 1000, 21301
# Kept and shown; nothing comes of them.
MESSAGES = {"SmsStatusCallback": "sms_status_callback", "MessageStatusCallback": "message_status_callback"}
FIELDS = (*settings.SHARED, *MESSAGES, "PublicApplicationConnectEnabled")


def routes() -> list[web.RouteDef]:
    """The addresses of this resource."""
    return [
        web.post(f"{BASE}/Applications.json", create),
        web.get(f"{BASE}/Applications.json", list_applications),
        web.get(f"{BASE}/Applications/{{application}}.json", fetch),
        web.post(f"{BASE}/Applications/{{application}}.json", update),
        web.delete(f"{BASE}/Applications/{{application}}.json", delete),
    ]


@takes(*FIELDS)
async def create(request: web.Request) -> web.Response:
    """A new application."""
    world, given = exchange_of(request).world, form_of(request)
    if len(world.applications) >= MAX_APPLICATIONS:
        raise bad("Cannot create application: application limit exceeded", TOO_MANY)
    now = world.clock.now()
    made = Application("", "", now, now, region=region_of(request))
    _apply(made, given)
    made.sid = world.sid("AP")
    world.applications[made.sid] = made
    return web.json_response(show(made, world.account.sid), status=201)


@takes("FriendlyName")
async def list_applications(request: web.Request) -> web.Response:
    """The region's applications, by FriendlyName."""
    world, given = exchange_of(request).world, form_of(request)
    name, region, sid = given.get("FriendlyName"), region_of(request), world.account.sid
    rows = [
        a for a in world.applications.values() if a.region == region and name in {None, "", a.friendly_name}
    ]
    return page(request, given, "applications", rows, lambda row: show(row, sid), lambda row: row.sid)


async def fetch(request: web.Request) -> web.Response:
    """One application."""
    return web.json_response(show(_application(request), exchange_of(request).world.account.sid))


@takes(*FIELDS)
async def update(request: web.Request) -> web.Response:
    """Change its settings; what is not named stays."""
    application, world = _application(request), exchange_of(request).world
    _apply(application, form_of(request))
    application.updated = world.clock.now()
    return web.json_response(show(application, world.account.sid))


async def delete(request: web.Request) -> web.Response:
    """Forget it; numbers that used it ask their own addresses again."""
    exchange_of(request).world.applications.pop(_application(request).sid, None)
    return web.Response(status=204)


def _apply(application: Application, given: Form) -> None:
    changed, kept = settings.changes(given, application), settings.kept(given, application)
    for name, key in MESSAGES.items():
        if given.get(name) is not None:
            kept[key] = given.callback(name, settings.BAD_URL)
    if (public := given.flag("PublicApplicationConnectEnabled")) is not None:
        kept["public_application_connect_enabled"] = public
    for attribute, value in changed.items():
        setattr(application, attribute, value)
    application.other |= kept


def _application(request: web.Request) -> Application:
    application = exchange_of(request).world.applications.get(request.match_info["application"])
    if application is None or application.region != region_of(request):
        raise not_found(request)
    return application


def show(application: Application, account_sid: str) -> dict[str, Any]:
    """The resource as Twilio shows it."""
    other = application.other
    return {
        **settings.shown(application),
        "account_sid": account_sid,
        "api_version": API_VERSION,
        "date_created": rfc2822(application.created),
        "date_updated": rfc2822(application.updated),
        "message_status_callback": other.get("message_status_callback", ""),
        "sid": application.sid,
        "sms_status_callback": other.get("sms_status_callback", ""),
        "uri": f"{uri(account_sid, f'Applications/{application.sid}')}.json",
        "public_application_connect_enabled": other.get("public_application_connect_enabled", False),
    }
