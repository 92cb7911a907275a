"""What stands around every REST resource: who may ask, in which region, errors, faults, and the log of it."""

from __future__ import annotations

import logging
from base64 import b64decode
from collections.abc import Awaitable, Callable

from aiohttp import web

from emulator.exchange import Exchange
from emulator.ledger import Entry
from emulator.regions import region_asked
from emulator.rest import failing, forms
from emulator.rest.errors import RestError, not_found
from emulator.rest.forms import Form
from emulator.world import API_VERSION

logger = logging.getLogger("contactcenter.emulator")

EXCHANGE: web.AppKey[Exchange] = web.AppKey("exchange", Exchange)
REGION: web.RequestKey[str] = web.RequestKey("region", str)
FORM: web.RequestKey[Form] = web.RequestKey("form", Form)
BASE = f"/{API_VERSION}/Accounts/{{account}}"
SERVICES = (f"/{API_VERSION}/", "/v2/")
WORDS = {429: "Too Many Requests", 503: "Service unavailable"}

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def exchange_of(request: web.Request) -> Exchange:
    """The exchange that is asked."""
    return request.app[EXCHANGE]


def region_of(request: web.Request) -> str:
    """The region that is asked."""
    return request[REGION]


def form_of(request: web.Request) -> Form:
    """What the request brought."""
    return request[FORM]


@web.middleware
async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Credentials, the switched-on failures, errors into their bodies, the log; only for the REST API."""
    if not request.path.startswith(SERVICES):
        return await handler(request)
    exchange = exchange_of(request)
    asked = exchange.ledger.open(request.method, request.path, exchange.world.clock.now())

    async def work() -> web.StreamResponse:
        try:
            answer = await _answer(request, handler, asked)
        except RestError as error:
            answer, asked.code = error.answer(request), error.code
        asked.status = answer.status
        return answer

    def fail(status: int) -> web.StreamResponse:
        asked.status, asked.code = status, 20429 if status == 429 else 20500
        return RestError(status, asked.code, WORDS.get(status, "Internal Server Error")).answer(request)

    return await failing.through(request, exchange.faults, exchange.world.clock, work, fail)


async def _answer(request: web.Request, handler: Handler, asked: Entry) -> web.StreamResponse:
    """The resource's answer. Raises RestError."""
    try:
        request[REGION] = asked.region = region_asked(request)
        _check_account(request)
        request[FORM] = given = await forms.read(request)
        asked.note(given.pairs, _names(request))
        return await handler(request)
    except web.HTTPNotFound as error:
        raise not_found(request) from error
    except web.HTTPMethodNotAllowed as error:
        raise RestError(405, 20004, "Method not allowed") from error
    except (RestError, web.HTTPException):
        raise
    except Exception as error:
        # A fault of the emulator itself: seen in its log, and told as Twilio tells of its own.
        logger.exception("emulator.rest.failed")
        raise RestError(500, 20500, "Fault of the emulator") from error


def _names(request: web.Request) -> frozenset[str]:
    """The fields that the endpoint knows; a list also knows how to be paged."""
    known = forms.known(request.match_info.handler)
    return known if request.method == "POST" else known | forms.PAGING


def _check_account(request: web.Request) -> None:
    account, region = exchange_of(request).world.account, region_of(request)
    scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
    try:
        user, _, password = b64decode(encoded).decode().partition(":")
    except ValueError:
        user = password = ""
    if scheme.lower() != "basic" or not account.knows(user, password, region):
        raise RestError(401, 20003, "Authenticate")
    if request.match_info.get("account", account.sid) != account.sid:
        raise not_found(request)
