"""Lists: one page at a time, with Twilio's envelope, and the filters that several lists share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar
from urllib.parse import urlencode

from aiohttp import web

from emulator.rest.errors import bad
from emulator.rest.forms import PAGING, Form

USUAL_PAGE = 50
MAX_PAGE = 1000
MAX_NUMBER = 10**9
# Before the id in a PageToken: the page begins after it, or ends before it.
AFTER, BEFORE = "PA", "PB"

Row = TypeVar("Row")


def page(
    request: web.Request,
    given: Form,
    key: str,
    rows: Sequence[Row],
    show: Callable[[Row], dict[str, Any]],
    place: Callable[[Row], str],
) -> web.Response:
    """One page of `rows`; `place` names a row, so that pages hold together while rows come and go.

    Raises RestError: 20007 page too large, 21481 bad token.
    """
    if (given.whole("PageSize", 1, MAX_NUMBER) or USUAL_PAGE) > MAX_PAGE:
        raise bad("Page size too large", 20007)
    size = given.whole("PageSize", 1, MAX_PAGE) or USUAL_PAGE
    number = given.whole("Page", 0, MAX_NUMBER) or 0
    start = _start([place(row) for row in rows], given.get("PageToken"), number, size)
    shown = rows[start : start + size]

    def uri(of: int, token: str = "") -> str:
        kept = [(name, value) for name, value in given.pairs if name not in PAGING]
        more = [("PageSize", size), ("Page", of), *([("PageToken", token)] if token else [])]
        return f"{request.rel_url.raw_path}?{urlencode([*kept, *more])}"

    later, earlier = start + len(shown) < len(rows), start > 0
    before = BEFORE + place(rows[start]) if start < len(rows) else ""
    body = {
        key: [show(row) for row in shown],
        "first_page_uri": uri(0),
        "next_page_uri": uri(number + 1, AFTER + place(shown[-1])) if later else None,
        "previous_page_uri": uri(max(0, number - 1), before) if earlier else None,
        "uri": uri(number, given.get("PageToken") or ""),
        "page": number,
        "page_size": size,
        "start": number * size,
        "end": number * size + max(0, len(shown) - 1),
    }
    return web.json_response(body)


def _start(places: list[str], token: str | None, number: int, size: int) -> int:
    """Where the page begins: where its token says, else by its number."""
    if not token:
        return number * size
    if token[:2] not in {AFTER, BEFORE}:
        raise bad("Invalid PageToken", 21481)
    if token[2:] not in places:
        # The row has gone since; the number is the best that is left.
        return number * size
    at = places.index(token[2:])
    return at + 1 if token.startswith(AFTER) else max(0, at - size)


class Span:
    """The filters `name` (that day), `name>` (from then on) and `name<` (until then). Raises RestError."""

    def __init__(self, given: Form, name: str) -> None:
        self._day = _moment(given, name)
        self._from = _moment(given, f"{name}>")
        self._until = _moment(given, f"{name}<")

    def holds(self, moment: datetime | None) -> bool:
        """Whether a moment fits; what has not happened fits only when nothing is asked."""
        if moment is None:
            return self._day is self._from is self._until is None
        return (
            (self._day is None or moment.date() == self._day.date())
            and (self._from is None or moment >= self._from)
            and (self._until is None or moment <= self._until)
        )


def spans(*names: str) -> tuple[str, ...]:
    """The names of these filters, for `takes`."""
    return tuple(f"{name}{how}" for name in names for how in ("", "<", ">"))


def _moment(given: Form, name: str) -> datetime | None:
    text = given.get(name)
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise bad(f"{name} is not a date") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
