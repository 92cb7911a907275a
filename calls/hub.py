"""One per web process: what happened goes from the event table and the ticks to every browser's outbox.

Events are followed by their counter, in a thread, only while a browser is there; the changed nouns are read
once for all browsers. Ticks arrive by the channel layer as text that was encoded once; they pass untouched
to those who watch the whole wall and are cut for those who watch one call. When the layer is away, browsers
keep their sockets: events still come, levels come back with it.
"""

import asyncio
import contextlib
import time
from collections import deque
from dataclasses import dataclass
from typing import Any

from channels.db import database_sync_to_async
from django.utils import timezone

from calls.consumers import ticks
from calls.consumers.browser import RESTART, Browser, Tick
from calls.consumers.follower import Follower
from calls.counters import gauge
from calls.events import newest_id
from calls.outbox import EVENTS_BEHIND, with_ids
from calls.selectors import call as one_call
from calls.selectors import feed, wall

__all__ = ["Browser", "Hub", "beat", "hub"]

SNAPSHOT_SECONDS = 1.0  # one snapshot per scope serves the rush after a restart
START_SECONDS = 5.0
KEPT = 1024  # events kept for browsers whose `hello` is being answered


@dataclass
class _Answer:
    """To a `hello`: the texts, the id with which they end for this browser, the id up to which we looked."""

    texts: list[str]
    chained: int
    upto: int
    streams: set[str]


class Hub:
    """Lives on one event loop; only the follower has a thread, and it speaks to the loop alone."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self._browsers: set[Browser] = set()
        self._follower: Follower | None = None
        self._listener: asyncio.Task[None] | None = None
        self._following = asyncio.Event()
        self._recent: deque[feed.Told] = deque(maxlen=KEPT)
        self._upto = 0  # every event up to here was given to the browsers that were ready
        self._snapshots: dict[int | None, tuple[float, asyncio.Task[dict[str, Any] | None]]] = {}

    def join(self, browser: Browser) -> None:
        """A browser is there; the first one starts the following."""
        self._browsers.add(browser)
        gauge("browsers", len(self._browsers))
        if self._follower is None:
            self._start()

    def leave(self, browser: Browser) -> None:
        """A browser has gone; the last one ends the following."""
        self._browsers.discard(browser)
        gauge("browsers", len(self._browsers))
        if not self._browsers:
            self.stop()

    def drain(self) -> None:
        """The server goes down: close every browser socket with 4012."""
        for browser in self._browsers:
            browser.close(RESTART)

    def stop(self) -> None:
        """End thread and task; `join` starts them again."""
        if self._follower:
            self._follower.stop()
        if self._listener:
            self._listener.cancel()
        self._follower = self._listener = None
        self._following.clear()
        self._recent.clear()
        self._snapshots.clear()

    async def hello(self, browser: Browser, last_id: int | None) -> None:
        """Answer `hello`: the events it missed, in order, or a fresh snapshot; then events follow.

        Raises LookupError if the call that it watches does not exist, TimeoutError while the database is
        away.
        """
        browser.ready = False
        async with asyncio.timeout(START_SECONDS):
            await self._following.wait()
        answer = await self._answer(browser, last_id)
        while not self._kept_since(answer.upto):
            answer = await self._answer(browser, None)
        browser.streams |= answer.streams
        browser.outbox.restart(answer.chained, *answer.texts, beat(answer.upto))
        browser.ready = True
        for told in self._recent:
            if told.id > answer.upto:
                browser.give(told)
        browser.wake.set()

    def on_tick(self, kind: str, source: str, text: str) -> None:
        """One text of one media process: levels, partial lines or health."""
        if kind in {"levels", "partials", "health"}:
            tick = Tick(kind, source, text, decode=ticks.decoded)
            for browser in self._browsers:
                if browser.ready:
                    browser.tick(tick)

    def _start(self) -> None:
        follower = Follower(
            started=lambda upto: self._post(follower, self._begin, upto),
            tell=lambda batch: self._post(follower, self._give, batch),
        )
        self._follower = follower
        follower.start()
        self._listener = self.loop.create_task(ticks.listen(self.on_tick))

    def _post(self, follower: Follower, function: Any, *arguments: Any) -> None:
        """From the thread to the loop; nothing of a follower that was stopped counts."""

        def run() -> None:
            if self._follower is follower:
                function(*arguments)

        with contextlib.suppress(RuntimeError):  # the loop has closed
            self.loop.call_soon_threadsafe(run)

    def _begin(self, upto: int) -> None:
        if self._following.is_set():  # the database was put back from a copy: everybody looks anew
            self.drain()
        self._upto = upto
        self._recent.clear()
        self._following.set()

    def _give(self, batch: feed.Batch) -> None:
        for told in batch.messages:
            self._recent.append(told)
            for browser in self._browsers:
                if browser.ready:
                    browser.give(told)
        self._upto = batch.upto

    def _kept_since(self, upto: int) -> bool:
        """Whether all that was given after `upto` is still kept."""
        return len(self._recent) < KEPT or self._recent[0].id <= upto + 1 or self._upto <= upto

    async def _answer(self, browser: Browser, last_id: int | None) -> _Answer:
        if last_id:
            resumed = await database_sync_to_async(_resume)(browser, last_id)
            if resumed is not None:
                return resumed
        body = await self._snapshot(browser.call)
        if body is None:
            raise LookupError
        text = feed.encode({"type": "snapshot", "at": feed.iso(timezone.now()), **body})
        upto = int(body["last_id"])
        return _Answer([text], upto, upto, {stream["stream"] for stream in body["streams"]})

    async def _snapshot(self, call: int | None) -> dict[str, Any] | None:
        """The snapshot of a scope, at most a second old, loaded once however many ask."""
        now = time.monotonic()
        self._snapshots = {k: v for k, v in self._snapshots.items() if now - v[0] < SNAPSHOT_SECONDS}
        if call not in self._snapshots:
            self._snapshots[call] = (now, self.loop.create_task(_load(call)))
        return await asyncio.shield(self._snapshots[call][1])


def beat(last_id: int) -> str:
    """Says that the line is alive; `last_id` is the newest event that we know of."""
    return feed.encode({"type": "beat", "at": feed.iso(timezone.now()), "last_id": last_id})


async def _load(call: int | None) -> dict[str, Any] | None:
    if call is None:
        return await database_sync_to_async(wall.snapshot)(now=timezone.now())
    return await database_sync_to_async(one_call.snapshot)(call)


def _resume(browser: Browser, last_id: int) -> _Answer | None:
    """The events after `last_id` that this browser sees; None if a snapshot must do."""
    if last_id > newest_id():
        return None
    batch = feed.after(last_id, limit=EVENTS_BEHIND)
    if not batch.whole:
        return None
    streams = one_call.stream_sids(browser.call) if browser.call is not None else set()
    texts, chained = [], last_id
    for told in batch.messages:
        if browser.sees(told):
            texts.append(with_ids(told.body, id_=told.id, after=chained))
            chained = told.id
    return _Answer(texts, chained, batch.upto, streams)


_hub: Hub | None = None


def hub() -> Hub:
    """The hub of this process, on the running loop; made at the first browser."""
    global _hub
    loop = asyncio.get_running_loop()
    if _hub is None or _hub.loop is not loop:
        if _hub is not None:
            _hub.stop()
        _hub = Hub(loop)
    return _hub
