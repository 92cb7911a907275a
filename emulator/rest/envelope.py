"""The shape of the REST API: who may ask, errors, forms, dates, pages."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qsl, urlencode

from aiohttp import web

from emulator.exchange import Exchange
from emulator.rest import failing
from emulator.world import API_VERSION

EXCHANGE: web.AppKey[Exchange] = web.AppKey("exchange", Exchange)
BASE = f"/{API_VERSION}/Accounts/{{account}}"
MAX_PAGE = 1000

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class RestError(Exception):
    """An answer that is an error: HTTP status, Twilio's code, words."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message

    def answer(self) -> web.Response:
        """The body as Twilio writes it."""
        body = {
            "code": self.code,
            "message": self.message,
            "more_info": f"https://www.twilio.com/docs/errors/{self.code}",
            "status": self.status,
        }
        headers = {"WWW-Authenticate": 'Basic realm="Twilio API"'} if self.status == 401 else {}
        return web.json_response(body, status=self.status, headers=headers)


def not_found(request: web.Request) -> RestError:
    """Unknown or foreign resource, or a call that has ended."""
    return RestError(404, 20404, f"The requested resource {request.path} was not found")


def bad(message: str, code: int = 20001) -> RestError:
    """A parameter that cannot be taken."""
    return RestError(400, code, message)


@web.middleware
async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Credentials, the switched-on failures, and errors into their bodies; only for the REST API."""
    if not request.path.startswith(f"/{API_VERSION}/"):
        return await handler(request)
    exchange = request.app[EXCHANGE]
    return await failing.through(
        request, exchange.faults, exchange.world.clock, lambda: _answer(request, handler), _failure
    )


async def _answer(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        _check_account(request)
        return await handler(request)
    except RestError as error:
        return error.answer()
    except web.HTTPNotFound:
        return not_found(request).answer()
    except web.HTTPMethodNotAllowed:
        return RestError(405, 20004, "Method not allowed").answer()


def _failure(status: int) -> web.Response:
    return RestError(status, 20429 if status == 429 else 20500, "Switched on as a fault").answer()


def _check_account(request: web.Request) -> None:
    account = request.app[EXCHANGE].world.account
    scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
    try:
        user, _, password = b64decode(encoded).decode().partition(":")
    except ValueError:
        user = password = ""
    if scheme.lower() != "basic" or not account.knows(user, password):
        raise RestError(401, 20003, "Authenticate")
    if request.match_info.get("account", account.sid) != account.sid:
        raise not_found(request)


class Form:
    """The posted fields; a missing one is None, repeated ones are kept."""

    def __init__(self, pairs: list[tuple[str, str]]) -> None:
        self.pairs = pairs

    def get(self, name: str) -> str | None:
        """The last value of that name."""
        values = self.all(name)
        return values[-1] if values else None

    def all(self, name: str) -> list[str]:
        """Every value of that name."""
        return [value for key, value in self.pairs if key == name]

    def method(self, name: str) -> str:
        """An HTTP method field, POST when absent. Raises RestError."""
        value = (self.get(name) or "POST").upper()
        if value not in {"GET", "POST"}:
            raise bad(f"{name} must be GET or POST")
        return value

    def url(self, name: str) -> str:
        """An http(s) address field, "" when absent. Raises RestError 21205."""
        value = self.get(name) or ""
        if value and not value.startswith(("http://", "https://")):
            raise bad(f"{name} is not a valid URL", 21205)
        return value


async def form(request: web.Request) -> Form:
    """The request's form."""
    return Form(parse_qsl(await request.text(), keep_blank_values=True))


def page(
    request: web.Request, key: str, rows: list[Any], show: Callable[[Any], dict[str, Any]]
) -> web.Response:
    """One page of a list, with Twilio's envelope."""
    query = request.query
    size, number = _number(query.get("PageSize"), 50, 1), _number(query.get("Page"), 0, 0)
    size = min(size, MAX_PAGE)
    start, end = number * size, number * size + size

    def uri(of: int | None) -> str | None:
        if of is None:
            return None
        kept = [(k, v) for k, v in query.items() if k not in {"Page", "PageSize", "PageToken"}]
        return f"{request.path}?{urlencode([*kept, ('PageSize', size), ('Page', of)])}"

    shown = rows[start:end]
    body = {
        key: [show(row) for row in shown],
        "first_page_uri": uri(0),
        "next_page_uri": uri(number + 1 if end < len(rows) else None),
        "previous_page_uri": uri(number - 1 if number else None),
        "uri": uri(number),
        "page": number,
        "page_size": size,
        "start": start,
        "end": start + max(0, len(shown) - 1),
    }
    return web.json_response(body)


def _number(text: str | None, default: int, least: int) -> int:
    return max(least, int(text)) if text and text.isdigit() else default
