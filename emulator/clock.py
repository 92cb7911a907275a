"""Telephone time: the real clock, and a virtual one that runs as fast as the work allows.

Everything that a call waits for (ringing, pauses, the next 20 ms of sound) waits here. Network limits do not:
they are real seconds, because the target is a real program.
"""

from __future__ import annotations

import asyncio
import heapq
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Protocol

SETTLE_ROUNDS = 12


class Clock(Protocol):
    """What the emulator asks of time."""

    def now(self) -> datetime:
        """The wall time, UTC."""
        ...

    def seconds(self) -> float:
        """Seconds on a steady scale of no particular origin."""
        ...

    async def sleep_until(self, moment: float) -> None:
        """Return once `seconds()` has reached `moment`."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Let that much telephone time pass."""
        ...

    def hold(self) -> AbstractContextManager[None]:
        """While held, virtual time stands still: something outside is being waited for."""
        ...


class RealClock:
    """The machine's own time."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def seconds(self) -> float:
        return time.monotonic()

    async def sleep_until(self, moment: float) -> None:
        await asyncio.sleep(max(0.0, moment - time.monotonic()))

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    @contextmanager
    def hold(self) -> Iterator[None]:
        yield


class VirtualClock:
    """Time that jumps to the next moment anybody waits for, unless something outside is being waited for."""

    def __init__(self, start: datetime) -> None:
        self._start = start
        self._seconds = 0.0
        self._held = 0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._order = count()
        self._changed = asyncio.Event()

    def now(self) -> datetime:
        return self._start + timedelta(seconds=self._seconds)

    def seconds(self) -> float:
        return self._seconds

    async def sleep(self, seconds: float) -> None:
        await self.sleep_until(self._seconds + seconds)

    async def sleep_until(self, moment: float) -> None:
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (moment, next(self._order), woken))
        self._changed.set()
        await woken

    @property
    def held(self) -> bool:
        """Whether something outside is being waited for."""
        return self._held > 0

    @contextmanager
    def hold(self) -> Iterator[None]:
        self._held += 1
        try:
            yield
        finally:
            self._held -= 1
            self._changed.set()

    async def run(self) -> None:
        """Move time on for ever; cancel to stop it."""
        while True:
            await self._settle()
            if self._held or not self._sleepers:
                self._changed.clear()
                await self._changed.wait()
            else:
                self._wake_next()

    async def advance(self, seconds: float) -> None:
        """Move time on by exactly `seconds`, waking everybody due on the way."""
        end = self._seconds + seconds
        await self._settle()
        while self._held or (self._sleepers and self._sleepers[0][0] <= end):
            if self._held:
                self._changed.clear()
                await self._changed.wait()
            else:
                self._wake_next()
            await self._settle()
        self._seconds = end

    async def _settle(self) -> None:
        # A woken task may need several turns of the loop before it sleeps again or takes a hold.
        for _ in range(SETTLE_ROUNDS):
            await asyncio.sleep(0)

    def _wake_next(self) -> None:
        moment, _, woken = heapq.heappop(self._sleepers)
        self._seconds = max(self._seconds, moment)
        if not woken.done():
            woken.set_result(None)
