"""One per web process: what happened goes from the event table and the ticks to every browser's outbox.

Events are followed by their counter, in a thread, only while a browser is there; the changed nouns are read
once for all browsers. Ticks arrive by the channel layer as text that was encoded once; they pass untouched
to those who see every call, are cut once for each other scope, and for those who watch one call. When the
layer is away, browsers keep their sockets: events still come, levels come back with it.

Who sees the calls of some teams only is told of nothing else. A call that leaves them is said to be gone; one
that comes to them, or a scope that changed, is answered with a fresh snapshot.
"""

import asyncio
import contextlib
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

from channels.db import database_sync_to_async
from django.utils import timezone
from django.utils.translation import override

from calls.access import EVERY, Scope
from calls.consumers import replay, ticks
from calls.consumers.browser import RESTART, UNKNOWN, Browser, Tick
from calls.consumers.desk_browser import DeskBrowser
from calls.consumers.follower import Follower
from calls.consumers.places import Places
from calls.consumers.replay import Answer
from calls.counters import gauge
from calls.outbox import EVENTS_BEHIND
from calls.selectors import call as one_call
from calls.selectors import feed, wall
from calls.selectors.desk import Look
from calls.selectors.teams import Placed

__all__ = ["Browser", "Hub", "beat", "hub"]

SNAPSHOT_SECONDS = 1.0  # one snapshot per scope serves the rush after a restart
START_SECONDS = 5.0
KEPT = 1024  # events kept for browsers whose `hello` is being answered, and for who sees some teams only
_log = logging.getLogger("contactcenter.hub")


_Key = tuple[Scope, int | None]  # whose snapshot: as a scope sees it, of all calls or of one


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
        self._moves_since = 0  # of every later event we know in which team its call was before
        self._places = Places()
        self._snapshots: dict[_Key, tuple[float, asyncio.Task[dict[str, Any] | None]]] = {}
        self._renewals: dict[Browser, asyncio.Task[None]] = {}

    def join(self, browser: Browser) -> None:
        """A browser is there; the first one starts the following."""
        self._browsers.add(browser)
        gauge("browsers", len(self._browsers))
        if self._follower is None:
            self._start()

    def leave(self, browser: Browser) -> None:
        """A browser has gone; the last one ends the following."""
        self._browsers.discard(browser)
        if renewal := self._renewals.get(browser):
            renewal.cancel()
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
        for renewal in self._renewals.values():
            renewal.cancel()
        self._follower = self._listener = None
        self._following.clear()
        self._recent.clear()
        self._snapshots.clear()

    async def hello(self, browser: Browser, last_id: int | None) -> None:
        """Answer `hello`: the events it missed, in order, or a fresh snapshot; then events follow.

        Raises LookupError if the call that it watches does not exist or may not be seen, TimeoutError while
        the database is away.
        """
        browser.ready = False
        async with asyncio.timeout(START_SECONDS):
            await self._following.wait()
        scope, answer = browser.scope, await self._answer(browser, last_id)
        while browser.scope != scope or not self._kept_since(answer.upto):
            scope, answer = browser.scope, await self._answer(browser, None)
        browser.streams |= answer.streams
        browser.outbox.restart(answer.chained, *answer.texts, beat(answer.upto))
        browser.ready = True
        for told in self._recent:
            if told.id > answer.upto:
                self._tell(browser, told)
        browser.wake.set()

    async def show(self, desk: DeskBrowser, look: Callable[[], Awaitable[Look]]) -> None:
        """Put a desk's whole state into its outbox, by `look`, and what happened since it was read.

        Raises TimeoutError while the database is away.
        """
        async with asyncio.timeout(START_SECONDS):
            await self._following.wait()
        found = await look()
        while not self._kept_since(found.upto):
            found = await look()
        if desk.show(found, given=self._upto):
            for told in self._recent:
                if told.id > found.upto:
                    desk.give(told)

    def renew(self, browser: Browser) -> None:
        """What a browser may see has changed: a fresh snapshot takes the place of all that it knows."""
        browser.ready, browser.stale = False, True
        browser.outbox.forget_ticks()
        if browser not in self._renewals:
            kept = self._snapshots.get((browser.scope, browser.call))
            wait = max(0.0, kept[0] + SNAPSHOT_SECONDS - time.monotonic()) if kept else 0.0
            renewal = self.loop.create_task(self._renew(browser, wait))
            renewal.add_done_callback(lambda _: self._renewals.pop(browser, None))
            self._renewals[browser] = renewal

    async def _renew(self, browser: Browser, wait: float) -> None:
        """Until a snapshot was made after the change; one that is kept from before it must grow old first."""
        try:
            while browser.stale:
                browser.stale = False
                await asyncio.sleep(wait)
                await self.hello(browser, None)
                wait = SNAPSHOT_SECONDS
        except LookupError:
            browser.close(UNKNOWN)
        except Exception as error:  # whatever it is, the page comes back and greets
            _log.warning("hub.renewal.failed", extra={"error": type(error).__name__})
            browser.close(RESTART)

    def on_tick(self, kind: str, source: str, text: str) -> None:
        """One text of one media process: levels, partial lines or health."""
        if kind in {"levels", "partials", "health"}:
            tick = Tick(kind, source, text, ticks.decoded, self._places)
            for browser in self._browsers:
                if browser.ready:
                    browser.tick(tick)

    def _start(self) -> None:
        follower = Follower(
            started=lambda upto, placed: self._post(follower, self._begin, upto, placed),
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

    def _begin(self, upto: int, placed: Placed) -> None:
        if self._following.is_set():  # the database was put back from a copy: everybody looks anew
            self.drain()
        self._upto, self._moves_since = upto, placed.upto
        self._places = Places(placed)
        self._recent.clear()
        self._following.set()

    def _give(self, batch: feed.Batch) -> None:
        for told in map(self._places.follow, batch.messages):
            self._recent.append(told)
            for browser in self._browsers:
                self._tell(browser, told)
        self._upto = batch.upto

    def _tell(self, browser: Browser, told: feed.Told) -> None:
        if browser.ready:
            browser.give(told)
            if browser.stale:
                self.renew(browser)

    def _kept_since(self, upto: int) -> bool:
        """Whether all that was given after `upto` is still kept."""
        return len(self._recent) < KEPT or self._recent[0].id <= upto + 1 or self._upto <= upto

    async def _answer(self, browser: Browser, last_id: int | None) -> Answer:
        if last_id:
            resumed = await self._resume(browser, last_id)
            if resumed is not None:
                return resumed
        body = await self._snapshot(browser.scope, browser.call)
        if body is None:
            raise LookupError
        with override(browser.language):
            told = one_call.in_words(body)
        text = feed.encode({"type": "snapshot", "at": feed.iso(timezone.now()), **told, "me": browser.me})
        upto = int(body["last_id"])
        return Answer([text], upto, upto, {stream["stream"] for stream in body["streams"]})

    async def _resume(self, browser: Browser, last_id: int) -> Answer | None:
        """What the browser missed; None if a snapshot must do.

        The table does not tell in which team a call was: who sees some teams only resumes from what we kept.
        """
        if browser.scope == EVERY or browser.call is not None:
            return await database_sync_to_async(replay.missed)(browser, last_id)
        missed = [told for told in self._recent if told.id > last_id]
        followed = self._moves_since <= last_id <= self._upto and self._kept_since(last_id)
        if not followed or len(missed) > EVENTS_BEHIND:
            return None
        return replay.again(browser, last_id, missed, self._upto)

    async def _snapshot(self, scope: Scope, call: int | None) -> dict[str, Any] | None:
        """What a scope sees, at most a second old, loaded once however many ask."""
        now = time.monotonic()
        self._snapshots = {k: v for k, v in self._snapshots.items() if now - v[0] < SNAPSHOT_SECONDS}
        if (scope, call) not in self._snapshots:
            self._snapshots[scope, call] = (now, self.loop.create_task(_load(scope, call)))
        return await asyncio.shield(self._snapshots[scope, call][1])


def beat(last_id: int) -> str:
    """Says that the line is alive; `last_id` is the newest event that we know of."""
    return feed.encode({"type": "beat", "at": feed.iso(timezone.now()), "last_id": last_id})


async def _load(scope: Scope, call: int | None) -> dict[str, Any] | None:
    if call is None:
        return await database_sync_to_async(wall.snapshot)(now=timezone.now(), scope=scope)
    return await database_sync_to_async(one_call.snapshot)(call, scope)


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
