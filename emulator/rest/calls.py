"""Calls: create, fetch, list with filters and pages, update."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from emulator.leg import Leg
from emulator.progress import Callbacks, Fallback
from emulator.rest.envelope import BASE, EXCHANGE, Form, bad, form, not_found, page
from emulator.twiml import Step
from emulator.world import API_VERSION, Call, rfc2822

EVENTS = frozenset({"initiated", "ringing", "answered", "completed"})
MAX_TWIML = 4000
SUBRESOURCES = (
    "events",
    "notifications",
    "payments",
    "recordings",
    "siprec",
    "streams",
    "transcriptions",
    "user_defined_message_subscriptions",
    "user_defined_messages",
)


def routes() -> list[web.RouteDef]:
    """The addresses of this resource."""
    return [
        web.post(f"{BASE}/Calls.json", create),
        web.get(f"{BASE}/Calls.json", list_calls),
        web.get(f"{BASE}/Calls/{{call}}.json", fetch),
        web.post(f"{BASE}/Calls/{{call}}.json", update),
    ]


async def create(request: web.Request) -> web.Response:
    """Call somebody; the answer says queued, the rest is told by callbacks."""
    exchange, given = request.app[EXCHANGE], await form(request)
    to, from_ = given.get("To"), given.get("From")
    if not to:
        raise bad("No 'To' number is specified", 21201)
    if not from_:
        raise bad("No 'From' number is specified", 21213)
    step = _step(given)
    if step is None:
        raise bad("Url or Twiml is required", 21205)
    call = exchange.world.new_call(from_, to, "outbound-api")
    leg = exchange.outgoing(call, _callbacks(given, call, exchange.world.clock.now()), _fallback(given), step)
    return web.json_response(show(leg.call), status=201)


async def fetch(request: web.Request) -> web.Response:
    """One call, ended ones too."""
    return web.json_response(show(_call(request)))


async def list_calls(request: web.Request) -> web.Response:
    """Calls, newest first."""
    calls = [call for call in request.app[EXCHANGE].world.calls.values() if _matches(call, request)]
    return page(request, "calls", calls[::-1], show)


async def update(request: web.Request) -> web.Response:
    """End a live call, or put other TwiML in the place of what runs."""
    leg, given = live_leg(request), await form(request)
    status, step = given.get("Status"), _step(given)
    if status == "canceled" and leg.call.status not in {"queued", "ringing"}:
        raise bad("Call is not queued or ringing. Cannot cancel.", 21220)
    if status in {"canceled", "completed"}:
        leg.finish(_terminal(status, leg), f"REST Status={status}")
    elif status is not None:
        raise bad(f"Status {status!r} is not supported; completed or canceled", 20001)
    elif step is not None:
        await _redirect(leg, step, given)
    return web.json_response(show(leg.call))


async def _redirect(leg: Leg, step: Step, given: Form) -> None:
    if leg.call.status != "in-progress":
        raise bad("Call is not in-progress. Cannot redirect.", 21220)
    if given.get("StatusCallback"):
        leg.progress.callbacks = _callbacks(given, leg.call, leg.exchange.world.clock.now())
    if given.get("FallbackUrl"):
        leg.fallback = _fallback(given)
    leg.exchange.courier.spawn(leg.redirect(step))


def _terminal(status: str, leg: Leg) -> str:
    # Completing a call that was never answered leaves it canceled.
    return status if leg.answered.is_set() else "canceled"


def live_leg(request: web.Request) -> Leg:
    """The live leg that the path names. Raises RestError 20404, also for one that has ended."""
    leg = request.app[EXCHANGE].legs.get(request.match_info["call"])
    if leg is None or not leg.call.live:
        raise not_found(request)
    return leg


def _call(request: web.Request) -> Call:
    call = request.app[EXCHANGE].world.calls.get(request.match_info["call"])
    if call is None:
        raise not_found(request)
    return call


def _step(given: Form) -> Step | None:
    url, twiml = given.url("Url"), given.get("Twiml") or ""
    if len(twiml) > MAX_TWIML:
        raise bad("Twiml must not be longer than 4000 characters", 20001)
    if url:
        return Step(url, given.method("Method"))
    return Step(twiml=twiml) if twiml else None


def _callbacks(given: Form, call: Call, now: datetime) -> Callbacks:
    url = given.url("StatusCallback")
    events = frozenset(given.all("StatusCallbackEvent")) or frozenset({"completed"})
    if not events <= EVENTS:
        # Twilio takes the call and then sends no callback at all.
        call.note(21626, "Invalid statusCallbackEvents", now)
        return Callbacks("")
    return Callbacks(url, given.method("StatusCallbackMethod"), events)


def _fallback(given: Form) -> Fallback:
    return Fallback(given.url("FallbackUrl"), given.method("FallbackMethod"))


def _matches(call: Call, request: web.Request) -> bool:
    query = request.query
    wanted = {
        "Status": call.status,
        "To": call.to,
        "From": call.from_,
        "ParentCallSid": call.parent_sid,
    }
    if any(name in query and query[name] != value for name, value in wanted.items()):
        return False
    return _in_time(query, "StartTime", call.started or call.created) and _in_time(
        query, "EndTime", call.ended
    )


def _in_time(query: Any, name: str, moment: datetime | None) -> bool:
    for suffix in ("", ">", "<"):
        text = query.get(name + suffix)
        if not text:
            continue
        asked = _moment(text, name + suffix)
        if moment is None:
            return False
        if suffix == "" and moment.date() != asked.date():
            return False
        if (suffix == ">" and moment < asked) or (suffix == "<" and moment > asked):
            return False
    return True


def _moment(text: str, name: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise bad(f"{name} is not a date") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def show(call: Call) -> dict[str, Any]:
    """The resource as Twilio shows it."""
    uri = f"/{API_VERSION}/Accounts/{call.account_sid}/Calls/{call.sid}"
    return {
        "sid": call.sid,
        "date_created": rfc2822(call.created),
        "date_updated": rfc2822(call.updated),
        "parent_call_sid": call.parent_sid or None,
        "account_sid": call.account_sid,
        "to": call.to,
        "to_formatted": call.to,
        "from": call.from_,
        "from_formatted": call.from_,
        "phone_number_sid": call.number_sid or None,
        "status": call.status,
        "start_time": rfc2822(call.started or call.created),
        "end_time": rfc2822(call.ended),
        "duration": str(call.duration()) if call.ended else None,
        "price": None,
        "price_unit": "USD",
        "direction": call.direction,
        "answered_by": None,
        "api_version": API_VERSION,
        "forwarded_from": None,
        "group_sid": None,
        "caller_name": call.caller_name or None,
        "queue_time": "0",
        "trunk_sid": None,
        "uri": f"{uri}.json",
        "subresource_uris": {name: f"{uri}/{_title(name)}.json" for name in SUBRESOURCES},
    }


def _title(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("_"))
