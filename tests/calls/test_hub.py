"""The hub: one follower for all browsers, nothing lost between answer and events, a layer that dies."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from channels.db import database_sync_to_async as in_db
from channels.layers import channel_layers
from django.db import DatabaseError

from calls.access import EVERY, Scope
from calls.channels import publish
from calls.consumers import ticks
from calls.consumers.browser import Browser
from calls.consumers.follower import Follower
from calls.events import change, newest_id
from calls.hub import KEPT, Hub, hub
from calls.selectors import feed
from tests import factories
from tests.calls.browsers import followers

__all__ = ["followers"]

pytestmark = [
    pytest.mark.django_db(transaction=True, serialized_rollback=True),
    pytest.mark.usefixtures("followers"),
]


class Reader:
    """A browser of the hub, read without a socket."""

    def __init__(self, call: int | None = None, scope: Scope = EVERY) -> None:
        self.browser = Browser(call=call, scope=scope)
        self.got: list[dict[str, Any]] = []

    async def until(self, enough: Callable[[list[dict[str, Any]]], bool]) -> list[dict[str, Any]]:
        """Read until there is enough."""
        async with asyncio.timeout(10):
            while not enough(self.got):
                await self.browser.wake.wait()
                self.browser.wake.clear()
                self.got += [json.loads(text) for text in self.browser.outbox.take()]
        return self.got

    def events(self) -> list[int]:
        """The ids that came."""
        return [one["id"] for one in self.got if "id" in one]


async def opened(call: int | None = None, last_id: int | None = None) -> Reader:
    """A browser that has greeted."""
    reader = Reader(call)
    hub().join(reader.browser)
    await hub().hello(reader.browser, last_id)
    await reader.until(lambda got: any(one["type"] == "beat" for one in got))
    return reader


@in_db
def calls_ring(count: int = 1) -> int:
    """Calls ring, each in a change of its own; the id of the newest event."""
    for _ in range(count):
        with change() as told:
            call = factories.call(state="ringing")
            told.emit(kind="call.started", noun="call", key=call.pk, call=call.pk)
    return newest_id()


async def test_the_changed_nouns_are_read_once_for_all_browsers(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    after = feed.after

    def counted(last_id: int, *, limit: int) -> feed.Batch:
        asked.append(last_id)
        return after(last_id, limit=limit)

    readers = [await opened() for _ in range(5)]
    monkeypatch.setattr(feed, "after", counted)
    newest = await calls_ring()
    for reader in readers:
        await reader.until(lambda got: any(one.get("id") == newest for one in got))
        hub().leave(reader.browser)
    assert asked == [newest - 1]


async def test_the_rush_after_a_restart_reads_one_snapshot(monkeypatch: pytest.MonkeyPatch) -> None:
    await calls_ring()
    loaded: list[Any] = []
    from calls.selectors import wall

    snapshot = wall.snapshot

    def counted(**told: Any) -> dict[str, Any]:
        loaded.append(1)
        return snapshot(**told)

    monkeypatch.setattr(wall, "snapshot", counted)
    readers = await asyncio.gather(*(opened() for _ in range(20)))
    assert len(loaded) == 1
    for reader in readers:
        assert reader.got[0]["type"] == "snapshot"
        hub().leave(reader.browser)


async def test_what_happens_while_hello_is_answered_is_not_lost() -> None:
    """Browsers greet all the time while calls ring all the time; each gets an unbroken chain to the end."""
    keeper = await opened()
    start = keeper.got[0]["last_id"]
    readers, newest = [], start
    for _ in range(8):
        fresh, newest, resumed = await asyncio.gather(opened(), calls_ring(3), opened(last_id=start))
        readers += [fresh, resumed]
    for reader in readers:
        await reader.until(lambda got: newest <= max(_ids(got)))
        chain = [one for one in reader.got if "id" in one]
        first = next((one["last_id"] for one in reader.got if one["type"] == "snapshot"), start)
        assert [one["after"] for one in chain] == [first, *reader.events()][: len(chain)]
        hub().leave(reader.browser)
    hub().leave(keeper.browser)


def _ids(got: list[dict[str, Any]]) -> list[int]:
    return [one.get("id") or one.get("last_id") or 0 for one in got]


async def test_a_browser_of_one_call_is_not_told_of_others() -> None:
    await calls_ring()
    call = (await in_db(lambda: list(feed.after(0, limit=9).messages))())[0].call
    reader, wall = await opened(call), await opened()
    newest = await calls_ring()
    await wall.until(lambda got: newest in _ids(got))
    assert reader.browser.outbox.take() == []
    hub().leave(reader.browser)
    hub().leave(wall.browser)


async def test_a_call_that_is_gone_cannot_be_watched() -> None:
    browser = Browser(call=4711, scope=EVERY)
    hub().join(browser)
    with pytest.raises(LookupError):
        await hub().hello(browser, None)
    hub().leave(browser)


async def test_ticks_come_by_the_channel_layer() -> None:
    reader = await opened()

    async def levels_arrive() -> None:
        while not any(one["type"] == "levels" for one in reader.got):
            await publish("levels", '{"type":"levels","levels":{}}', source="media-1")
            await reader.until(
                lambda got: len(got) > 2
            ) if reader.browser.wake.is_set() else await asyncio.sleep(0)

    async with asyncio.timeout(10):
        await levels_arrive()
    hub().leave(reader.browser)


class Dying:
    """A layer that was away: it raises, then it is there again."""

    def __init__(self) -> None:
        self.away = 2
        self.joined: list[str] = []
        self.messages: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    async def new_channel(self) -> str:
        if self.away:
            self.away -= 1
            raise ConnectionError
        return "specific"

    async def group_add(self, group: str, channel: str) -> None:
        self.joined.append(group)

    async def group_discard(self, group: str, channel: str) -> None:
        raise ConnectionError

    async def receive(self, channel: str) -> dict[str, Any]:
        message = await self.messages.get()
        if message.get("dies"):
            self.away = 1
            raise ConnectionError
        return message


async def test_a_layer_that_dies_costs_no_browser_its_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    layer = Dying()
    monkeypatch.setattr(channel_layers, "backends", {"default": layer})
    monkeypatch.setattr(ticks, "AWAY_SECONDS", 0.01)
    reader = await opened()
    for message in ({"dies": True}, {"kind": "levels", "source": "m", "text": '{"type":"levels"}'}):
        layer.messages.put_nowait(message)
    newest = await calls_ring()
    await reader.until(lambda got: any(one["type"] == "levels" for one in got) and newest in _ids(got))
    assert reader.browser.code is None
    assert layer.joined == ["ticks", "ticks"]
    hub().leave(reader.browser)


@pytest.mark.parametrize(
    "text", ["", "no json", "[1]", '{"partials": 7}', '{"partials": [7]}', '{"levels": 7}']
)
@pytest.mark.parametrize("kind", ["levels", "partials", "health", "weather"])
async def test_an_odd_tick_harms_nobody(kind: str, text: str) -> None:
    reader = await opened(await _one_call())
    hub().on_tick(kind, "media-1", text)
    assert reader.browser.code is None
    hub().leave(reader.browser)


@in_db
def _one_call() -> int:
    return factories.call().pk


async def test_a_database_that_goes_away_is_followed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    from calls.consumers import follower

    monkeypatch.setattr(follower, "AWAY_SECONDS", 0.01)
    reader = await opened()
    away = iter([True, True])
    newest = newest_id

    def sometimes() -> int:
        if next(away, False):
            raise DatabaseError
        return newest()

    monkeypatch.setattr(follower, "newest_id", sometimes)
    last = await calls_ring()
    await reader.until(lambda got: last in _ids(got))
    hub().leave(reader.browser)


async def test_a_database_put_back_from_a_copy_makes_everybody_look_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from calls.consumers import follower

    await calls_ring(3)
    reader = await opened()
    monkeypatch.setattr(follower, "newest_id", lambda: 1)
    async with asyncio.timeout(10):
        while reader.browser.code is None:
            await reader.browser.wake.wait()
            reader.browser.wake.clear()
    assert reader.browser.code == 4012
    hub().leave(reader.browser)


async def test_an_answer_older_than_what_is_kept_is_made_again() -> None:
    one = Hub(asyncio.get_running_loop())
    one._recent.extend(
        feed.Told(id=id_, noun="call", key="1", call=1, body="{}") for id_ in range(1, KEPT + 10)
    )
    one._upto = KEPT + 9
    assert not one._kept_since(5)
    assert one._kept_since(KEPT)


async def test_a_follower_that_was_stopped_says_nothing() -> None:
    said: list[Any] = []
    follower = Follower(started=lambda *begun: said.append(begun), tell=said.append)
    follower.stop()
    follower.start()
    follower.join()
    assert said == []
