"""What a request brings: fields by name, read as what they have to be, and which of them nobody knows."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Collection
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlsplit

from aiohttp import web

from emulator.rest.errors import RestError, bad

MAX_FIELDS = 1000
MAX_VALUE = 4000
# What stands in no address: space, control characters, what no XML may hold.
UNFIT = re.compile("[\x00-\x20\x7f\ufffe\uffff]")
PAGING = frozenset({"PageSize", "Page", "PageToken"})

Endpoint = TypeVar("Endpoint", bound=Callable[[web.Request], Awaitable[web.StreamResponse]])
_known: dict[Any, frozenset[str]] = {}


def takes(*names: str) -> Callable[[Endpoint], Endpoint]:
    """Say which fields an endpoint knows; others are ignored, as at Twilio, and written down as such."""

    def remember(endpoint: Endpoint) -> Endpoint:
        _known[endpoint] = frozenset(names)
        return endpoint

    return remember


def known(endpoint: object) -> frozenset[str]:
    """The fields that this endpoint knows."""
    return _known.get(endpoint, frozenset())


class Form:
    """The fields of a request; a missing one is None, repeated ones are kept.

    Whatever cannot be read as what it has to be raises RestError with HTTP status 400.
    """

    def __init__(self, pairs: list[tuple[str, str]]) -> None:
        self.pairs = pairs

    def get(self, name: str) -> str | None:
        """The last value of that name."""
        values = self.all(name)
        return values[-1] if values else None

    def all(self, name: str) -> list[str]:
        """Every value of that name."""
        values = [value for key, value in self.pairs if key == name]
        if any(len(value) > MAX_VALUE for value in values):
            raise bad(f"{name} must not be longer than {MAX_VALUE} characters")
        return values

    def words(self, name: str) -> list[str]:
        """Every value, whether the name was repeated or the values stand in one text, between spaces."""
        return [word for value in self.all(name) for word in value.split()]

    def needed(self, name: str, code: int = 20001) -> str:
        """A field that must be there and not empty."""
        value = self.get(name)
        if not value:
            raise bad(f"{name} is required", code)
        return value

    def text(self, name: str, most: int, code: int = 20001) -> str | None:
        """A text of at most so many characters."""
        value = self.get(name)
        if value is not None and len(value) > most:
            raise bad(f"{name} must not be longer than {most} characters", code)
        return value

    def whole(self, name: str, least: int, most: int, code: int = 20001) -> int | None:
        """A whole number of this range."""
        value = self.get(name)
        if not value:
            return None
        if not re.fullmatch(r"-?[0-9]{1,12}", value) or not least <= int(value) <= most:
            raise bad(f"{name} must be a whole number from {least} to {most}", code)
        return int(value)

    def flag(self, name: str) -> bool | None:
        """A truth; whatever is not `true` is false."""
        value = self.get(name)
        return None if value is None else value.lower() == "true"

    def choice(self, name: str, choices: Collection[str], code: int = 20001) -> str | None:
        """One of these words."""
        value = self.get(name)
        if value and value not in choices:
            raise bad(f"{name} must be one of {', '.join(sorted(choices))}", code)
        return value or None

    def method(self, name: str, default: str = "POST", code: int = 21209) -> str:
        """An HTTP method."""
        value = (self.get(name) or default).upper()
        if value not in {"GET", "POST"}:
            raise bad(f"{name} must be GET or POST", code)
        return value

    def url(self, name: str, code: int = 21205) -> str:
        """A web address, "" when it is absent or empty."""
        value = self.get(name) or ""
        if value and not is_web_address(value):
            raise bad(f"{name} is not a valid URL", code)
        return value

    def callback(self, name: str, code: int = 21609) -> str:
        """A web address for callbacks; a host name with an underscore is none."""
        value = self.url(name, code)
        if "_" in (urlsplit(value).hostname or ""):
            raise bad(f"{name} must have a valid host name", code)
        return value


def is_web_address(text: str) -> bool:
    """Whether it is an absolute http(s) address that can be asked."""
    if UNFIT.search(text):
        return False
    try:
        parts = urlsplit(text)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port or 0) >= 0
    except ValueError:
        return False


async def read(request: web.Request) -> Form:
    """The fields of a request: of a POST its form, else the query. Raises RestError."""
    try:
        raw = (await request.read()).decode(errors="replace")
        text = raw if request.method == "POST" else request.rel_url.raw_query_string
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=MAX_FIELDS)
    except web.HTTPRequestEntityTooLarge as error:
        raise RestError(413, 20413, "Request Entity Too Large") from error
    except ValueError as error:
        raise bad(f"A request may have {MAX_FIELDS} fields at most") from error
    if any("\0" in part for pair in pairs for part in pair):
        raise bad("A field holds a NUL character")
    return Form(pairs)
