"""Calls: create, fetch, list with filters and pages, update, delete."""

from __future__ import annotations

import re

from aiohttp import web

from emulator.leg import Leg
from emulator.rest import shown
from emulator.rest.endpoints import NO_APPLICATION, called, caller
from emulator.rest.envelope import BASE, exchange_of, form_of, region_of
from emulator.rest.errors import bad, not_found
from emulator.rest.forms import Form, takes
from emulator.rest.pages import Span, page, spans
from emulator.rest.placing import MAX_LIMIT_S, PLACING_FIELDS, callbacks, detection, place, placing
from emulator.twiml import Step
from emulator.webhooks.progress import Callbacks, Fallback
from emulator.world import LIVE, Application, Call

STATUSES = LIVE | {"completed", "busy", "failed", "no-answer", "canceled"}
TWIML_FIELDS = ("Url", "Method", "Twiml", "FallbackUrl", "FallbackMethod")
# An `action` in inline TwiML that is no whole address.
RELATIVE = re.compile(r"\baction\s*=\s*[\"'](?!https?://)[^\"']")


def routes() -> list[web.RouteDef]:
    """The addresses of this resource."""
    return [
        web.post(f"{BASE}/Calls.json", create),
        web.get(f"{BASE}/Calls.json", list_calls),
        web.get(f"{BASE}/Calls/{{call}}.json", fetch),
        web.post(f"{BASE}/Calls/{{call}}.json", update),
        web.delete(f"{BASE}/Calls/{{call}}.json", delete),
    ]


@takes(
    *PLACING_FIELDS,
    *TWIML_FIELDS,
    "To",
    "From",
    "ApplicationSid",
    "SendDigits",
    "AsyncAmd",
    "AsyncAmdStatusCallback",
    "AsyncAmdStatusCallbackMethod",
)
async def create(request: web.Request) -> web.Response:
    """Call somebody; the answer says queued, the rest is told by callbacks."""
    exchange, given = exchange_of(request), form_of(request)
    to = called(given.get("To"))
    from_ = caller(given.get("CallerId") or given.get("From"), to)
    told, fallback, step = _program(request, given)
    how = placing(given, detection(given, "AsyncAmd"))
    call = exchange.world.outbound(from_, to.address, region_of(request))
    if application := given.get("ApplicationSid"):
        call.extra["ApplicationSid"] = application
    _warn(call, given, request)
    leg = place(call, told, fallback, step, how, exchange)
    leg.parameters = to.parameters
    return web.json_response(shown.call(call), status=201)


async def fetch(request: web.Request) -> web.Response:
    """One call, ended ones too."""
    return web.json_response(shown.call(_call(request)))


@takes(
    "To",
    "From",
    "ParentCallSid",
    "Status",
    *spans("StartTime", "EndTime"),
)
async def list_calls(request: web.Request) -> web.Response:
    """Calls, newest first."""
    given, region = form_of(request), region_of(request)
    given.choice("Status", STATUSES)
    started, ended = Span(given, "StartTime"), Span(given, "EndTime")
    rows = [
        call
        for call in exchange_of(request).world.calls.values()
        if call.region == region
        and _matches(call, given)
        and started.holds(call.dialled)
        and ended.holds(call.ended)
    ]
    return page(request, given, "calls", rows[::-1], shown.call, lambda call: call.sid)


@takes(*TWIML_FIELDS, "Status", "StatusCallback", "StatusCallbackMethod", "TimeLimit")
async def update(request: web.Request) -> web.Response:
    """End a live call, put other TwiML in the place of what runs, or limit its length."""
    leg, given = live_leg(request), form_of(request)
    status = given.choice("Status", {"canceled", "completed"})
    limit, step = given.whole("TimeLimit", 1, MAX_LIMIT_S), _step(given)
    told, fallback = callbacks(given, []), _fallback(given)
    if status is not None:
        _end(leg, status)
        return web.json_response(shown.call(leg.call))
    if step is not None:
        if leg.call.status != "in-progress":
            raise bad("Call is not in-progress. Cannot redirect.", 21220)
        if step.url:
            # Only together with a new address.
            leg.progress.callbacks = told if told is not None and told.url else leg.progress.callbacks
        leg.fallback = fallback if fallback.url else leg.fallback
        _warn(leg.call, given, request)
        leg.exchange.courier.spawn(leg.redirect(step))
    if limit is not None:
        leg.limit(limit)
    return web.json_response(shown.call(leg.call))


async def delete(request: web.Request) -> web.Response:
    """Forget a call that has ended."""
    call, exchange = _call(request), exchange_of(request)
    if call.live:
        raise bad("Cannot delete this resource before it is complete", 20009)
    exchange.world.calls.pop(call.sid, None)
    if (leg := exchange.legs.pop(call.sid, None)) is not None:
        exchange.tally.add(leg)
    return web.Response(status=204)


def _end(leg: Leg, status: str) -> None:
    if status == "canceled" and leg.call.status not in {"queued", "ringing"}:
        raise bad("Call is not queued or ringing. Cannot cancel.", 21220)
    leg.dismiss(f"REST Status={status}")


def live_leg(request: web.Request) -> Leg:
    """The live leg that the path names. Raises RestError 20404, also for one that has ended."""
    leg = exchange_of(request).leg(request.match_info["call"], region_of(request))
    if leg is None or not leg.call.live:
        raise not_found(request)
    return leg


def _call(request: web.Request) -> Call:
    call = exchange_of(request).world.calls.get(request.match_info["call"])
    if call is None or call.region != region_of(request):
        raise not_found(request)
    return call


def _program(request: web.Request, given: Form) -> tuple[Callbacks | None, Fallback, Step]:
    """Who is told, what is asked when the first address fails, and that address or TwiML.

    A TwiML application takes the place of all addresses in the request.
    """
    told, fallback, step = callbacks(given, given.all("StatusCallbackEvent")), _fallback(given), _step(given)
    application = _application(request, given.get("ApplicationSid"))
    if application is not None:
        events = told.events if told is not None else frozenset({"completed"})
        return (
            Callbacks(application.status_callback, application.status_callback_method, events),
            Fallback(application.voice_fallback_url, application.voice_fallback_method),
            Step(application.voice_url, application.voice_method),
        )
    if step is None:
        raise bad("Url, Twiml or ApplicationSid is required", 21205)
    return told, fallback, step


def _application(request: web.Request, sid: str | None) -> Application | None:
    if not sid:
        return None
    application = exchange_of(request).world.applications.get(sid)
    if application is None or application.region != region_of(request):
        raise bad(f"ApplicationSid {sid[:40]!r} is not valid", NO_APPLICATION)
    return application


def _step(given: Form) -> Step | None:
    """The TwiML: of an address and a text the address counts."""
    url, method, twiml = given.url("Url"), given.method("Method"), given.get("Twiml") or ""
    if url:
        return Step(url, method)
    return Step(twiml=twiml) if twiml else None


def _fallback(given: Form) -> Fallback:
    return Fallback(given.url("FallbackUrl"), given.method("FallbackMethod"))


def _warn(call: Call, given: Form, request: web.Request) -> None:
    """What Twilio's debugger says of the TwiML that came with the request."""
    twiml, now = given.get("Twiml") or "", exchange_of(request).world.clock.now()
    if twiml and given.get("Url"):
        call.note(32019, "Twiml and Voice URL are both set. Using Voice URL.", now)
    elif RELATIVE.search(twiml) and "call" in request.match_info:
        call.note(15004, "Action Callback URL must be an absolute URL when using TwiML to update calls", now)


def _matches(call: Call, given: Form) -> bool:
    has = {"Status": call.status, "To": call.to, "From": call.from_, "ParentCallSid": call.parent_sid}
    return all(given.get(name) in {None, "", value} for name, value in has.items())
