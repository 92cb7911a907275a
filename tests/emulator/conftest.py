"""The emulator inside the test, in virtual time, before a tiny product on a loopback port."""

from __future__ import annotations

import asyncio
import json
import math
import struct
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp.test_utils import TestServer
from twilio.rest import Client

from emulator.account import HOME, Account, Credentials
from emulator.app import application
from emulator.clock import VirtualClock
from emulator.exchange import Exchange
from emulator.people.script_files import shipped
from emulator.people.scripts import Scripts
from emulator.rest.envelope import EXCHANGE
from tests.emulator.product import Product
from tests.emulator.schema import Watch

ACCOUNT_SID = "AC" + "a" * 32
TOKEN = "first-token"
ELSEWHERE = {"ie1": "token-of-ie1", "au1": "token-of-au1"}
ALICE = "+31612345678"
OFFICE = "+31201234567"


class Box:
    """The emulator and what a test does with it."""

    def __init__(self, server: TestServer, exchange: Exchange, clock: VirtualClock, watch: Watch) -> None:
        self.server = server
        self.exchange = exchange
        self.clock = clock
        self.watch = watch
        self.url = str(server.make_url("")).rstrip("/")

    async def post(self, path: str, body: Any) -> tuple[int, Any]:
        """POST JSON to one of the emulator's own addresses."""
        async with aiohttp.ClientSession() as http, http.post(self.url + path, json=body) as answer:
            return answer.status, await _json(answer)

    async def get(self, path: str) -> Any:
        async with aiohttp.ClientSession() as http, http.get(self.url + path) as answer:
            return await _json(answer)

    async def delete(self, path: str) -> Any:
        async with aiohttp.ClientSession() as http, http.delete(self.url + path) as answer:
            return await _json(answer)

    async def place(self, script: str | dict[str, Any] = "conversation", **more: Any) -> str:
        """Alice calls the office."""
        body = {"from": ALICE, "to": OFFICE, "script": script, **more}
        status, answer = await self.post("/emulator/calls/", body)
        assert status == 201, answer
        return str(answer["call_sid"])

    async def call(self, sid: str) -> dict[str, Any]:
        """The call's entry in the truth log."""
        log = await self.get("/emulator/log/")
        return next(call for call in log["calls"] if call["call_sid"] == sid)

    async def children(self, sid: str) -> list[dict[str, Any]]:
        log = await self.get("/emulator/log/")
        return [call for call in log["calls"] if call["parent_call_sid"] == sid]

    async def twilio(self, use: Callable[[Client], Any], token: str = TOKEN) -> Any:
        """Use Twilio's own library, unmodified but for its base address."""
        client = Client(ACCOUNT_SID, token)
        client.api.base_url = self.url
        return await asyncio.to_thread(use, client)


async def _json(answer: aiohttp.ClientResponse) -> Any:
    text = await answer.text()
    return json.loads(text) if text.startswith(("{", "[")) else text


@pytest.fixture
async def product() -> AsyncIterator[Product]:
    """The application that the emulator calls."""
    made = Product()
    await made.server.start_server()
    yield made
    await made.server.close()


@pytest.fixture
def scripts() -> Scripts:
    """The scripts that are shipped."""
    return people()


@cache
def _shipped() -> Scripts:
    return shipped()


def people() -> Scripts:
    """The shipped scripts in their first rotation; the recordings, 25 MB, are read once for all tests."""
    once = _shipped()
    return Scripts(list(once.by_name.values()), once.library)


@asynccontextmanager
async def emulator(target: str, scripts: Scripts | None = None, **more: Any) -> AsyncIterator[Box]:
    """The emulator before this application; its time moves only by `box.clock.advance`.

    All its REST answers are held against Twilio's description.
    """
    clock = VirtualClock(datetime(2026, 11, 20, 10, 15, tzinfo=UTC))
    app = application(
        account=Account(
            ACCOUNT_SID, TOKEN, elsewhere={name: Credentials(t) for name, t in ELSEWHERE.items()}
        ),
        target=target,
        scripts=scripts or people(),
        clock=clock,
        numbers=[OFFICE],
        **{"seed": 7, **more},
    )
    watch = Watch(app)
    server = TestServer(app)
    await server.start_server()
    made = Box(server, app[EXCHANGE], clock, watch)
    made.exchange.urls = {HOME: made.url}
    yield made
    await server.close()
    assert watch.problems == []


@pytest.fixture
async def box(product: Product, scripts: Scripts) -> AsyncIterator[Box]:
    """The emulator with seed 7."""
    async with emulator(product.url, scripts) as made:
        yield made


@pytest.fixture(params=["sync", "async"])
def kind(request: pytest.FixtureRequest) -> Any:
    """Which of the two clients of Twilio's library; each test is run with both."""
    return request.param


@pytest.fixture
async def twilio(kind: Any, box: Box) -> AsyncIterator[Any]:
    """Twilio's library (`tests.emulator.library.Library`), with the account's credentials."""
    from tests.emulator.library import opened  # which takes the credentials from here

    async with opened(kind, box.url) as library:
        yield library


def tone(path: Path, *, seconds: float, channels: int = 1, rate: int = 8000) -> None:
    """Write a 16-bit PCM WAV with a tone, by hand."""
    values = [round(8000 * math.sin(n / 5)) for n in range(round(seconds * rate))]
    data = b"".join(struct.pack("<h", value) * channels for value in values)
    head = struct.pack("<HHIIHH", 1, channels, rate, rate * channels * 2, channels * 2, 16)
    body = b"WAVEfmt " + struct.pack("<I", 16) + head + b"data" + struct.pack("<I", len(data)) + data
    path.write_bytes(b"RIFF" + struct.pack("<I", len(body)) + body)
