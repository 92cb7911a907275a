"""Whatever is sent to the REST API: every answer is one of Twilio's, and the emulator goes on."""

from __future__ import annotations

import gc
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from urllib.parse import quote, urlencode

import aiohttp
from aiohttp import web
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from yarl import URL

from emulator.rest import forms, routing
from tests.emulator.conftest import ACCOUNT_SID, ALICE, ELSEWHERE, OFFICE, TOKEN, Box, emulator
from tests.emulator.product import Product
from tests.emulator.test_rest import basic, raw

ROUNDS, TOGETHER = 25, 40
ROUTES: list[web.RouteDef] = routing.routes()
METHODS = ("GET", "POST", "DELETE", "PUT", "PATCH", "OPTIONS", "HEAD")
# What fields may hold; `{…}` is filled in with something that exists.
VALUES = (
    *("", " ", "true", "false", "TRUE", "0", "1", "5", "-1", "1.5", "9" * 30, "x" * 65, "x" * 4001, "\0"),
    *("completed", "canceled", "stopped", "paused", "in-progress", "skip", "dual", "both_tracks", "both"),
    *("GET", "post", "PUT", "us1", "ie1", "2026-11-20", "0001-01-01T00:00:00+23:59", "Enable", "onEnter"),
    *("http://127.0.0.1:1/", "{product}/x/", "ws://127.0.0.1:1/x/", "{socket}/media/x/", "/x/", "http://["),
    *("+31207654321", OFFICE, "client:alice?a=b", "app:{application}", "sip:a@b.c", "12w#", "+", "é☎"),
    *("{call}", "{conference}", "{application}", "{recording}", "Twilio.CURRENT", "Front", "a/b", "boss"),
    *(
        "<Response><Hangup/></Response>",
        "<Response>",
        "<Response><Dial><Conference>room</Conference></Dial></Response>",
    ),
    *("PACA", "PB", "start end speaker", "initiated ringing", "in-progress completed", "AP" + "0" * 32),
)
# What a request needs to get anywhere, by the end of its address; what is drawn comes behind and counts.
CALLED = [("To", "+31207654321"), ("From", OFFICE)]
NEEDED = {
    "/Calls.json": [*CALLED, ("Twiml", "<Response><Pause length='9'/></Response>")],
    "/Participants.json": CALLED,
    "/Queues.json": [("FriendlyName", "more")],
    "/IncomingPhoneNumbers.json": [("AreaCode", "415")],
    "/Streams.json": [("Url", "{socket}/media/x/")],
    "/{recording}.json": [("Status", "paused")],
    "/{stream}.json": [("Status", "stopped")],
    "/{transcription}.json": [("Status", "stopped")],
    "/{member}.json": [("Url", "{product}/x/")],
}
values = st.one_of(st.sampled_from(VALUES), st.text(max_size=30))


@dataclass
class Asked:
    """One request: which route, by which method, with which parts of the path, fields and token."""

    route: web.RouteDef
    method: str
    parts: list[str]
    fields: list[tuple[str, str]]
    token: str


@st.composite
def requests(draw: st.DrawFn) -> Asked:
    """Mostly a request that makes sense, with fields that the route knows."""
    route = draw(st.sampled_from(ROUTES))
    known = sorted(forms.known(route.handler) | forms.PAGING)
    names = st.one_of(st.sampled_from(known), st.text(max_size=10))
    real, other = (
        st.just(""),
        st.one_of(st.sampled_from(("Front", "Twilio.CURRENT", "room")), st.text(min_size=1)),
    )
    needed = next((given for end, given in NEEDED.items() if route.path.endswith(end)), [])
    drawn = draw(st.lists(st.tuples(names, values), max_size=6))
    return Asked(
        route=route,
        method=draw(st.sampled_from((*[route.method] * 9, draw(st.sampled_from(METHODS))))),
        parts=draw(st.lists(st.one_of(real, real, real, other), min_size=3, max_size=3)),
        fields=[*draw(st.sampled_from((needed, needed, needed, []))), *drawn],
        token=draw(st.sampled_from((*[TOKEN] * 20, "", ELSEWHERE["ie1"]))),
    )


@settings(
    max_examples=ROUNDS,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate],  # to make a failure smaller would take far longer than to read it
)
@given(st.lists(requests(), min_size=TOGETHER, max_size=TOGETHER))
async def test_whatever_is_asked_is_answered_as_twilio_answers(asked: list[Asked]) -> None:
    with errors() as seen:
        async with scene() as (product, box, there), aiohttp.ClientSession() as http:
            for number, one in enumerate(asked):
                await ask(http, box, product, there, one)
                if number % 10 == 9:
                    await box.clock.advance(1)
            await box.clock.advance(6)
            assert box.watch.problems == []
            assert (await raw(box, "GET", "/Calls.json"))[0] == 200
            assert len((await box.get("/emulator/log/"))["rest"]) >= len(asked)
        gc.collect()
    assert seen == []


@contextmanager
def errors() -> Iterator[list[str]]:
    """What the emulator, or a task of it that nobody waited for, calls an error."""
    seen: list[str] = []

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            seen.append(self.format(record))

    handler, loggers = (
        Handler(logging.ERROR),
        [logging.getLogger(n) for n in ("contactcenter.emulator", "asyncio")],
    )
    for logger in loggers:
        logger.addHandler(handler)
    try:
        yield seen
    finally:
        for logger in loggers:
            logger.removeHandler(handler)


@asynccontextmanager
async def scene() -> AsyncIterator[tuple[Product, Box, dict[str, list[str]]]]:
    """Something of everything: calls that wait, meet and ring; what there is, by its part of a path."""
    product = Product()
    await product.server.start_server()
    product.answers["/twilio/voice/"] = [
        "<Response><Dial><Conference record='record-from-start'>room</Conference></Dial></Response>",
        "<Response><Dial><Conference participantLabel='boss'>room</Conference></Dial></Response>",
        "<Response><Enqueue>line</Enqueue></Response>",
        "<Response><Say>Hello</Say><Pause length='300'/></Response>",
        *["<Response><Pause length='300'/></Response>"] * 500,
    ]
    async with emulator(product.url) as box:
        calls = []
        for _ in range(4):
            calls.append(box.exchange.incoming(ALICE, OFFICE, script="listener").call.sid)
            await box.clock.advance(1)
        yield product, box, await furnished(product, box, calls)
    await product.server.close()


async def furnished(product: Product, box: Box, calls: list[str]) -> dict[str, list[str]]:
    """Things made by REST beside what the calls made; their ids by the name of their part of a path."""
    talking = f"/Calls/{calls[3]}"
    box.exchange.people["+31207654321"] = "no_answer"

    async def made(path: str, key: str = "sid", **fields: str) -> str:
        status, body = await raw(box, "POST", path, data=fields)
        assert status == 201, body
        return str(body[key])

    room = next(iter(box.exchange.conferences.by_sid))
    guest = await made(f"/Conferences/{room}/Participants.json", "call_sid", To="+31207654321", From=OFFICE)
    return {
        "account": [ACCOUNT_SID],
        "call": [*calls, guest],
        "conference": [room, "room"],
        "participant": [calls[0], "boss", guest],
        "queue": list(box.exchange.queues.by_sid),
        "member": [calls[2], "Front"],
        "recording": [*box.exchange.recordings.by_sid, await made(f"{talking}/Recordings.json")],
        "application": [await made("/Applications.json", VoiceUrl=f"{product.url}/x/")],
        "number": [box.exchange.world.numbers[OFFICE].sid, OFFICE],
        "stream": [
            await made(f"{talking}/Streams.json", Url=f"{product.socket_url}/media/x/", Name="tap"),
            "tap",
        ],
        "transcription": [await made(f"{talking}/Transcriptions.json", Name="notes"), "notes"],
    }


async def ask(
    http: aiohttp.ClientSession, box: Box, product: Product, there: dict[str, list[str]], one: Asked
) -> None:
    """Send it; whatever comes back is looked at by the watch."""
    some = {name: ids[len(one.fields) % len(ids)] for name, ids in there.items()}
    some |= {"product": product.url, "socket": product.socket_url}
    fields = [(name, filled(value, some)) for name, value in one.fields]
    path, parts = one.route.path, iter(one.parts)
    for name, existing in some.items():
        if f"{{{name}}}" in path:
            wanted = existing if name == "account" else next(parts) or existing
            path = path.replace(f"{{{name}}}", quote(wanted, safe=""))
    headers = basic(ACCOUNT_SID, one.token) | {"Content-Type": "application/x-www-form-urlencoded"}
    body = urlencode(fields) if one.method == "POST" else None
    url = URL(box.url + path + ("" if body else f"?{urlencode(fields)}"), encoded=True)
    async with http.request(one.method, url, headers=headers, data=body) as answer:
        assert answer.status < 500, (one, await answer.text())


def filled(value: str, some: dict[str, str]) -> str:
    for name, existing in some.items():
        value = value.replace(f"{{{name}}}", existing)
    return value


async def test_a_method_that_a_resource_does_not_have_is_20004(box: Box) -> None:
    for method, path in (
        ("PUT", "/Calls.json"),
        ("DELETE", "/Queues.json"),
        ("GET", "/Calls/CA0/Streams.json"),
    ):
        status, body = await raw(box, method, path)
        assert (status, body["code"]) == (405, 20004)


async def test_a_form_that_is_no_form_has_no_fields(box: Box) -> None:
    headers = basic(ACCOUNT_SID, TOKEN) | {"Content-Type": "application/json"}
    for data in (b'{"To": "+31201"}', b"\xff\xfe\x00", b"%", b"&&&=&=", b"To"):
        status, body = await raw(box, "POST", "/Calls.json", data=data, headers=headers)
        assert (status, body["code"]) in {(400, 21201), (400, 20001)}
