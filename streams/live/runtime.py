"""What lives in a process that holds media sockets: its streams, its rounds, its lease. One for each loop.

Rounds: 20 ms words, 100 ms tick, 1 s watch and progress and fdatasync, 5 s lease and rows. None of them can
hold up a frame: rows go to the writer's thread, the disk's flush to a thread, the layer has its limit.
"""

import asyncio
import logging
import os
import secrets
import socket
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from django.conf import settings
from django.utils import timezone

from calls.counters import count
from calls.events import Change
from calls.writer import Writer
from streams.audio import Level
from streams.levels import Levels
from streams.live.control import Control
from streams.live.database import Database
from streams.live.table import Table
from streams.live.ticker import TICK_SECONDS, Ticker
from streams.live.watch import Watch
from streams.live.words import POLL_SECONDS, Words
from streams.services import leases

__all__ = ["Runtime", "runtime", "shutdown"]

WATCH_SECONDS = 1.0
LEASE_SECONDS = 5.0
STOP_SECONDS = 5.0
RESTART = 4012

_log = logging.getLogger("contactcenter.media")
_running: dict[asyncio.AbstractEventLoop, "Runtime"] = {}


class Runtime:
    """The media side of one process. Everything here is called on its loop."""

    def __init__(self) -> None:
        self.id = f"{socket.gethostname()[:20]}-{os.getpid()}-{secrets.token_hex(4)}"
        self.levels = Levels()
        self.writer = Writer()
        self.database = Database()
        self.table = Table(process_id=self.id, writer=self.writer, database=self.database)
        self.ticker = Ticker(levels=self.levels, source=self.id, health=self._health, hear=self._hear)
        self.watch = Watch(table=self.table, database=self.database)
        self.control = Control(table=self.table, database=self.database)
        self.words = Words(
            table=self.table,
            ticker=self.ticker,
            writer=self.writer,
            keep_seconds=settings.JOURNAL_KEEP_MINUTES * 60,
        )
        self.unstarted: set[object] = set()  # sockets over ingest addresses that have not sent `start`
        self._tasks: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Begin the rounds and the lease."""
        for seconds, work in (
            (POLL_SECONDS, self.words.poll),
            (TICK_SECONDS, self.ticker.tick),
            (WATCH_SECONDS, self.watch.look),
            (LEASE_SECONDS, self._renew),
        ):
            self._tasks.append(asyncio.create_task(_every(seconds, work)))
        self._tasks.append(asyncio.create_task(self.control.follow()))

    async def stop(self) -> None:
        """Close what is open as drained, write the last rows, give up the lease."""
        for live in self.table.open():
            live.hang_up(RESTART, "drained", "media.drained")
        self.writer.put(partial(_give_up, self.id))
        await asyncio.to_thread(self.writer.stop, STOP_SECONDS)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.watch.stop()
        await self.table.stop()
        await asyncio.to_thread(self.database.stop)
        _running.pop(asyncio.get_running_loop(), None)

    async def _renew(self) -> None:
        self.writer.put(partial(_renew, self.id), key="lease")
        await self.control.read_rows()

    def _health(self) -> dict[str, dict[str, Any]]:
        return {live.sid: live.health() for live in self.table.open()}

    def _hear(self, levels: dict[str, dict[str, Level | None]]) -> None:
        now = asyncio.get_running_loop().time()
        for live in self.table.open():
            live.hear(levels.get(live.sid), now)


def runtime() -> Runtime:
    """The runtime of the running loop, started by its first socket."""
    loop = asyncio.get_running_loop()
    found = _running.get(loop)
    if found is None:
        found = _running[loop] = Runtime()
        found.start()
    return found


def shutdown() -> None:
    """End every runtime of this process, from a thread that is not theirs; at most a few seconds."""
    for loop, one in list(_running.items()):
        if loop.is_running():
            asyncio.run_coroutine_threadsafe(one.stop(), loop).result(3 * STOP_SECONDS)


async def _every(seconds: float, work: Callable[[], Awaitable[None]]) -> None:
    """Do `work` at a steady pace for ever; one that fails is told once and tried again at its next turn."""
    loop = asyncio.get_running_loop()
    failing = False
    due = loop.time()
    while True:
        try:
            await work()
            failing = False
        except Exception as error:  # no fault of one round may end the others
            count("media.round.failed")
            if not failing:
                _log.exception("media.round.failed", extra={"error": type(error).__name__})
            failing = True
        due = max(due + seconds, loop.time())
        await asyncio.sleep(due - loop.time())


# Jobs of the writer.


def _renew(process_id: str, told: Change) -> None:
    leases.renew(process_id=process_id, now=timezone.now())


def _give_up(process_id: str, told: Change) -> None:
    leases.give_up(process_id=process_id)
