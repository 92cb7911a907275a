"""A browser's side of the page sockets: signs in, greets, reads; and followers that are gone afterwards."""

import json
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from channels.db import database_sync_to_async
from channels.testing import WebsocketCommunicator
from django.conf import settings
from django.test import Client

from calls.consumers.follower import Follower
from calls.hub import hub
from calls.models import User
from contactcenter.asgi import application

ORIGIN = settings.PUBLIC_URL
SECONDS = 10


class Line:
    """One open page socket."""

    def __init__(self, communicator: WebsocketCommunicator) -> None:
        self.communicator = communicator

    async def say(self, **message: Any) -> None:
        """Send one message."""
        await self.communicator.send_to(text_data=json.dumps(message))

    async def hello(self, last_id: int | None = None) -> list[dict[str, Any]]:
        """Greet; everything up to the beat that ends the answer."""
        await self.say(type="hello", last_id=last_id)
        return await self.until("beat")

    async def hear(self) -> dict[str, Any]:
        """The next message."""
        message: dict[str, Any] = json.loads(await self.communicator.receive_from(SECONDS))
        return message

    async def until(self, kind: str) -> list[dict[str, Any]]:
        """All messages up to the first of a kind."""
        heard = [await self.hear()]
        while heard[-1]["type"] != kind:
            heard.append(await self.hear())
        return heard

    async def closed(self) -> int:
        """The close code; what is still sent before it is passed over."""
        while True:
            event = await self.communicator.receive_output(SECONDS)
            if event["type"] == "websocket.close":
                return int(event["code"])

    async def hears_nothing(self) -> bool:
        """Whether nothing is waiting now."""
        return bool(await self.communicator.receive_nothing(0.15))


def cookie_of(user: User | None) -> str:
    """A session of theirs."""
    client = Client()
    if user is not None:
        client.force_login(user)
    return "; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items())


@asynccontextmanager
async def line(path: str, user: User | None = None, *, cookie: str | None = None) -> AsyncIterator[Line]:
    """An open socket of a page, as a person's browser opens it."""
    if cookie is None:
        cookie = await database_sync_to_async(cookie_of)(user)
    headers = [(b"host", b"calls.example.com"), (b"origin", ORIGIN.encode()), (b"cookie", cookie.encode())]
    communicator = WebsocketCommunicator(application, path, headers)
    accepted, _ = await communicator.connect(SECONDS)
    assert accepted
    try:
        yield Line(communicator)
    finally:
        await communicator.disconnect(timeout=SECONDS)


@pytest.fixture
def followers(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Every follower's thread has ended, and closed its database connection, when the test is over."""
    begun: list[Follower] = []
    start = Follower.start

    def remembered(self: Follower) -> None:
        begun.append(self)
        start(self)

    monkeypatch.setattr(Follower, "start", remembered)
    yield
    for one in begun:
        one.stop()
        one.join()
    assert not [thread for thread in threading.enumerate() if thread.name == "follower" and thread.is_alive()]


async def tick(kind: str, text: dict[str, Any], source: str = "media-1") -> None:
    """What a media process publishes, at the hub."""
    hub().on_tick(kind, source, json.dumps(text))
