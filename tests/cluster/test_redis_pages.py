"""Redis goes away and comes back: a page keeps its socket, misses no event, and has its levels again."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from tests.browser.theatre import Stage
from tests.calls.rest import Rest
from tests.processes import Redis, until


@pytest.fixture
def grown(tmp_path: Path, redis_server: Redis) -> Iterator[Stage]:
    """The pages on a channel layer of Redis."""
    one = Stage(tmp_path / "stage", Rest(), settings={"REDIS_URL": redis_server.url})
    one.prepare()
    one.start()
    one.play("clear")
    yield one
    one.stop()


class Page:
    """Mina's socket; everything that came is in `heard`."""

    def __init__(self, stage: Stage, socket: ClientConnection) -> None:
        self.stage, self.socket = stage, socket
        self.heard: list[dict[str, Any]] = []

    def hears(self, kind: str) -> bool:
        """Whether a message of a kind has come; acknowledges levels as a page does."""
        try:
            while True:
                message = json.loads(self.socket.recv(timeout=0.1))
                self.heard.append(message)
                if message["type"] == "levels":
                    self.socket.send('{"type":"ack"}')
        except TimeoutError:
            return any(message["type"] == kind for message in self.heard)

    def hears_levels(self) -> bool:
        """Whether levels that are published now arrive."""
        self.stage.tick("levels", {"MZ": {"inbound": -20.0, "outbound": None}})
        return self.hears("levels")


@contextmanager
def at_the_wall(stage: Stage) -> Iterator[Page]:
    """Mina's socket to the wall, greeted."""
    cookie = {"Cookie": f"sessionid={stage.play('session', username='mina')}"}
    address = stage.url.replace("http", "ws") + "/ws/live/"
    socket = connect(address, origin=Origin(stage.url), additional_headers=cookie)
    with socket:
        socket.send('{"type":"hello","last_id":null}')
        yield Page(stage, socket)


@pytest.fixture
def page(grown: Stage) -> Iterator[Page]:
    """Mina at the wall."""
    with at_the_wall(grown) as one:
        yield one


def test_redis_dies_and_returns_and_the_page_keeps_its_socket(
    grown: Stage, page: Page, redis_server: Redis
) -> None:
    until(page.hears_levels, "levels by Redis")
    redis_server.kill()
    page.heard.clear()
    call = grown.play("ring")
    until(lambda: page.hears("call"), "the call, from the table")
    assert [message["call"] for message in page.heard if message["type"] == "call"] == [call]
    redis_server.start()
    page.heard.clear()
    until(page.hears_levels, "levels again, on the same socket")


def test_pages_open_while_redis_is_away_and_get_their_levels_later(grown: Stage, redis_server: Redis) -> None:
    redis_server.kill()
    with at_the_wall(grown) as late:
        until(lambda: late.hears("snapshot"), "the snapshot")
        redis_server.start()
        until(late.hears_levels, "levels, once Redis is there")
