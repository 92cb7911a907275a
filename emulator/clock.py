"""Telephone time: the real clock, and a virtual one that runs as fast as the work allows.

Everything that a call waits for (ringing, pauses, the next 20 ms of sound) waits here. Network limits do not:
they are real seconds, because the target is a real program.
"""

from __future__ import annotations

import asyncio
import heapq
import time
from collections.abc import Iterator, Sized
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Protocol

# A loop that does not show what it has to do next is given this many turns; one that never rests, that many.
BLIND_ROUNDS, MOST_ROUNDS = 12, 100


class Clock(Protocol):
    """What the emulator asks of time.

    `hurries`: moments may be skipped. `phases`: in how many moments the sound of 20 ms is to be spread.
    """

    hurries: bool
    phases: int

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

    def skip_to(self, moment: float) -> bool:
        """Be at that moment at once, if nothing else can happen before it; False: it must be waited for."""
        ...


class RealClock:
    """The machine's own time."""

    hurries = False
    # Of two milliseconds each: nobody has to wait for all others, and a server is not hit all at once.
    phases = 10

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

    def skip_to(self, moment: float) -> bool:
        return False


class VirtualClock:
    """Time that jumps to the next moment anybody waits for, unless something outside is being waited for.

    It counts in whole microseconds: sums of seconds would not meet.
    """

    phases = 1

    def __init__(self, start: datetime) -> None:
        self._start = start
        self._us = 0
        self._held = 0
        self._sleepers: list[tuple[int, int, asyncio.Future[None]]] = []
        self._order = count()
        self._changed = asyncio.Event()
        self.hurries = False
        self._runs: Sized | None = None

    def now(self) -> datetime:
        return self._start + timedelta(microseconds=self._us)

    def seconds(self) -> float:
        return self._us / 1_000_000

    async def sleep(self, seconds: float) -> None:
        await self.sleep_until(self.seconds() + seconds)

    async def sleep_until(self, moment: float) -> None:
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (round(moment * 1_000_000), next(self._order), woken))
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

    def skip_to(self, moment: float) -> bool:
        us = round(moment * 1_000_000)
        # This clock's own next look is always about to run; whatever else is comes first.
        if not self.hurries or self._held or self._runs is None or len(self._runs) > 1:
            return False
        due = self._next()
        if due is not None and due <= us:
            return False
        self._us = max(self._us, us)
        return True

    async def run(self, *, hurry: bool = False) -> None:
        """Move time on for ever; cancel to stop it.

        In a hurry sockets are not looked at between two moments when only one is waiting: what a target says
        by itself is then heard a little later in telephone time.
        """
        self.hurries = hurry
        self._runs = _ready()
        while True:
            await self._settle()
            if self._held or self._next() is None:
                self._changed.clear()
                await self._changed.wait()
            else:
                self._wake_next()

    async def advance(self, seconds: float) -> None:
        """Move time on by exactly `seconds`, waking everybody due on the way."""
        end = self._us + round(seconds * 1_000_000)
        await self._settle()
        while self._held or ((due := self._next()) is not None and due <= end):
            if self._held:
                self._changed.clear()
                await self._changed.wait()
            else:
                self._wake_next()
            await self._settle()
        self._us = end

    async def _settle(self) -> None:
        """Let all that was woken come to rest: it sleeps, has ended, or waits for something outside.

        The loop is at rest when after a turn, which also looked at every socket, nothing is left to run.
        """
        ready = _ready()
        for _ in range(BLIND_ROUNDS if ready is None else MOST_ROUNDS):
            await asyncio.sleep(0)
            if ready is not None and not ready:
                return

    def _next(self) -> int | None:
        """The next moment that somebody still waits for."""
        while self._sleepers and self._sleepers[0][2].done():
            heapq.heappop(self._sleepers)
        return self._sleepers[0][0] if self._sleepers else None

    def _wake_next(self) -> None:
        moment, _, woken = heapq.heappop(self._sleepers)
        self._us = max(self._us, moment)
        woken.set_result(None)


def _ready() -> Sized | None:
    """What the running loop has to do next, None when it does not show it."""
    ready: Sized | None = getattr(asyncio.get_running_loop(), "_ready", None)
    return ready
