"""Queues and their members: made, set up, emptied; a caller is sent to other TwiML."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from emulator.rest.envelope import BASE, exchange_of, form_of, region_of
from emulator.rest.errors import bad, not_found
from emulator.rest.forms import takes
from emulator.rest.pages import page
from emulator.rest.shown import uri
from emulator.rooms.queue import DEFAULT_SIZE, MAX_NAME, MAX_SIZE, Member, Queue
from emulator.twiml import Step
from emulator.world import rfc2822

BAD_NAME, TAKEN = 20002, 22003
MAX_QUEUES = 10_000


def routes() -> list[web.RouteDef]:
    """The addresses of both resources."""
    queue = f"{BASE}/Queues/{{queue}}"
    return [
        web.post(f"{BASE}/Queues.json", create),
        web.get(f"{BASE}/Queues.json", list_queues),
        web.get(f"{queue}.json", fetch),
        web.post(f"{queue}.json", update),
        web.delete(f"{queue}.json", delete),
        web.get(f"{queue}/Members.json", list_members),
        web.get(f"{queue}/Members/{{member}}.json", fetch_member),
        web.post(f"{queue}/Members/{{member}}.json", update_member),
    ]


@takes("FriendlyName", "MaxSize")
async def create(request: web.Request) -> web.Response:
    """A new queue."""
    exchange, given, region = exchange_of(request), form_of(request), region_of(request)
    given.needed("FriendlyName", BAD_NAME)
    name = given.text("FriendlyName", MAX_NAME, BAD_NAME) or ""
    size = given.whole("MaxSize", 1, MAX_SIZE) or DEFAULT_SIZE
    _check_name(request, name, None)
    if len(exchange.queues.by_sid) >= MAX_QUEUES:
        raise bad("The emulator keeps no more queues")
    return _answer(request, exchange.queues.make(name, region, size), status=201)


async def list_queues(request: web.Request) -> web.Response:
    """The region's queues, oldest first."""
    rows = exchange_of(request).queues.in_region(region_of(request))
    sid = exchange_of(request).world.account.sid
    return page(request, form_of(request), "queues", rows, lambda row: show(row, sid), lambda row: row.sid)


async def fetch(request: web.Request) -> web.Response:
    """One queue, by its id alone."""
    return _answer(request, _queue(request))


@takes("FriendlyName", "MaxSize")
async def update(request: web.Request) -> web.Response:
    """Name it or size it anew; who waits already goes on waiting."""
    queue, given = _queue(request), form_of(request)
    name = given.text("FriendlyName", MAX_NAME, BAD_NAME)
    size = given.whole("MaxSize", 1, MAX_SIZE)
    if name:
        _check_name(request, name, queue)
        queue.friendly_name = name
    queue.max_size = size or queue.max_size
    queue.updated = exchange_of(request).world.clock.now()
    return _answer(request, queue)


async def delete(request: web.Request) -> web.Response:
    """Forget an empty queue."""
    queue = _queue(request)
    if queue.members:
        raise bad("Queue is not empty: only an empty queue can be deleted")
    exchange_of(request).queues.by_sid.pop(queue.sid, None)
    return web.Response(status=204)


async def list_members(request: web.Request) -> web.Response:
    """Who waits, in order."""
    rows = list(_queue(request).members)
    sid = exchange_of(request).world.account.sid
    return page(
        request,
        form_of(request),
        "queue_members",
        rows,
        lambda row: show_member(row, sid),
        lambda row: row.leg.call.sid,
    )


async def fetch_member(request: web.Request) -> web.Response:
    """One caller by CallSid, or the one in front as `Front`."""
    return web.json_response(show_member(_member(request), exchange_of(request).world.account.sid))


@takes("Url", "Method")
async def update_member(request: web.Request) -> web.Response:
    """Send a caller out of the queue, to other TwiML; the answer shows where it waited."""
    member, given = _member(request), form_of(request)
    given.needed("Url")
    step = Step(given.url("Url"), given.method("Method"))
    shown = show_member(member, exchange_of(request).world.account.sid)
    member.queue.redirect(member, step)
    return web.json_response(shown)


def _check_name(request: web.Request, name: str, own: Queue | None) -> None:
    found = next(
        (q for q in exchange_of(request).queues.in_region(region_of(request)) if q.friendly_name == name),
        None,
    )
    if found is not None and found is not own:
        raise bad("Queue with the given name already exists", TAKEN)


def _queue(request: web.Request) -> Queue:
    queue = exchange_of(request).queues.by_sid.get(request.match_info["queue"])
    if queue is None or queue.region != region_of(request):
        raise not_found(request)
    return queue


def _member(request: web.Request) -> Member:
    member = _queue(request).member(request.match_info["member"])
    if member is None:
        raise not_found(request)
    return member


def _answer(request: web.Request, queue: Queue, status: int = 200) -> web.Response:
    return web.json_response(show(queue, exchange_of(request).world.account.sid), status=status)


def show(queue: Queue, account_sid: str) -> dict[str, Any]:
    """A queue as Twilio shows it."""
    return {
        "sid": queue.sid,
        "friendly_name": queue.friendly_name,
        "current_size": len(queue.members),
        "max_size": queue.max_size,
        "average_wait_time": queue.average_wait(),
        "account_sid": account_sid,
        "date_created": rfc2822(queue.created),
        "date_updated": rfc2822(queue.updated),
        "uri": f"{uri(account_sid, f'Queues/{queue.sid}')}.json",
    }


def show_member(member: Member, account_sid: str) -> dict[str, Any]:
    """A member as Twilio shows it."""
    queue, call = member.queue, member.leg.call
    return {
        "call_sid": call.sid,
        "queue_sid": queue.sid,
        "position": member.position,
        "wait_time": member.waited(member.leg.exchange.world.clock.seconds()),
        "date_enqueued": rfc2822(member.entered),
        "uri": f"{uri(account_sid, f'Queues/{queue.sid}/Members/{call.sid}')}.json",
    }
