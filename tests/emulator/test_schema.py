"""The watch over all answers sees what is wrong; all that Twilio describes is answered, field by field."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from emulator.rest import forms, routing
from tests.emulator.conftest import ACCOUNT_SID, TOKEN, Box
from tests.emulator.schema import FORMATS, Operation, description, operations, problems
from tests.emulator.test_rest import raw

CALLS = f"/2010-04-01/Accounts/{ACCOUNT_SID}/Calls.json"


def formats(of: Any) -> set[str]:
    """Every format that is named anywhere in it."""
    if isinstance(of, dict):
        own = {of["format"]} if isinstance(of.get("format"), str) else set()
        return own.union(*map(formats, of.values()))
    return set().union(*map(formats, of)) if isinstance(of, list) else set()


def answers() -> list[Any]:
    """What Twilio describes of all answers."""
    paths = description()["paths"].values()
    of_paths = [one["responses"] for path in paths for one in path.values() if "responses" in one]
    return [of_paths, description()["components"]["schemas"]]


def test_every_format_that_twilio_names_in_answers_is_checked() -> None:
    named = formats(answers())
    assert "date-time-rfc-2822" in named
    assert named - set(FORMATS.checkers) == set()


def shape(template: str) -> str:
    """An address with its parts unnamed."""
    return re.sub(r"\{\w+\}", "{}", template)


ENDPOINTS: dict[tuple[str, str], Callable[..., Any]] = {
    (route.method, shape(route.path)): route.handler for route in routing.routes()
}


@pytest.mark.parametrize("asked", operations(), ids=lambda one: one.name)
def test_all_that_twilio_describes_is_answered_and_no_field_of_it_is_unknown(asked: Operation) -> None:
    endpoint = ENDPOINTS[asked.method, shape(asked.template)]
    assert asked.fields - forms.known(endpoint) - forms.PAGING == set()


async def call(box: Box) -> dict[str, Any]:
    """A list of calls, as it goes over the wire."""
    await box.place()
    status, found = await raw(box, "GET", "/Calls.json")
    assert status == 200
    return dict(found)


CHANGES: dict[str, tuple[Callable[[dict[str, Any]], Any], str]] = {
    "a key too few": (lambda p: p["calls"][0].pop("duration"), "'duration' is a required property"),
    "a key too many": (lambda p: p["calls"][0].update(colour="red"), "'colour' was unexpected"),
    "a number for a string": (lambda p: p["calls"][0].update(duration=2), "2 is not of type"),
    "an unknown status": (lambda p: p["calls"][0].update(status="talking"), "is not one of"),
    "null where it is not allowed": (lambda p: p["calls"][0].update(status=None), "None is not"),
    "a date as ISO": (lambda p: p["calls"][0].update(date_created="2026-11-20T10:15:00Z"), "rfc-2822"),
    "a date on the wrong day": (
        lambda p: p["calls"][0].update(date_created="Fri, 20 Nov 2026 10:15:00 GMT"),
        "2822",
    ),
    "a wrong id": (lambda p: p["calls"][0].update(sid="CA1"), "CA1"),
    "a wrong address": (lambda p: p.update(uri="Calls.json"), "is not a 'uri'"),
    "no envelope": (lambda p: p.pop("page_size"), "'page_size' is a required property"),
}


@pytest.mark.parametrize("name", CHANGES)
async def test_an_answer_that_is_not_as_twilio_describes_it_is_seen(box: Box, name: str) -> None:
    page = await call(box)
    assert problems("GET", CALLS, 200, "application/json", json.dumps(page).encode()) == []
    change, said = CHANGES[name]
    change(page)
    found = problems("GET", CALLS, 200, "application/json", json.dumps(page).encode())
    assert len(found) >= 1
    assert said in found[0]


ERROR = {
    "code": 20404,
    "message": "Not here",
    "more_info": "https://www.twilio.com/docs/errors/20404",
    "status": 404,
}


@pytest.mark.parametrize(
    ("status", "kind", "body"),
    [
        (404, "application/json", {**ERROR, "status": 400}),
        (404, "application/json", {**ERROR, "code": 20003}),
        (404, "application/json", {**ERROR, "code": "20404"}),
        (404, "application/json", {**ERROR, "detail": "more"}),
        (404, "text/plain", ERROR),
        (500, "application/json", {**ERROR, "status": 500, "message": "Fault of the emulator"}),
        (202, "application/json", {}),
    ],
    ids=["status", "more_info", "type", "key", "kind", "fault", "undocumented"],
)
def test_an_error_that_is_none_of_twilio_s_is_seen(status: int, kind: str, body: dict[str, Any]) -> None:
    assert problems("GET", CALLS, 404, "application/json", json.dumps(ERROR).encode()) == []
    assert len(problems("GET", CALLS, status, kind, json.dumps(body).encode())) == 1


async def test_the_watch_stands_in_every_test_of_the_emulator(box: Box) -> None:
    await box.twilio(lambda client: client.calls.list(), TOKEN)
    assert (box.watch.seen, box.watch.problems) == (1, [])
