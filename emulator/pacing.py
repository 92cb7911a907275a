"""One loop for all sound: every 20 ms, on absolute time, each flowing stream sends what is due."""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime, timedelta
from typing import Protocol

from emulator.clock import Clock
from emulator.lateness import Lateness
from emulator.media.cork import Cork

logger = logging.getLogger("contactcenter.emulator")

TICK_S = 0.02
TICK_MS = 20
# Seconds are sums of floats: a tick that is due counts as due.
NEARLY = 1e-6


# How many ticks are taken at once when nothing else can happen between them.
STRIDE = 25


class Paced(Protocol):
    """Something that has 20 ms of work at each tick.

    One that `listens` reacts to what a server says in between.
    """

    def tick(self, number: int) -> None:
        """Do the work of tick `number`."""
        ...


class Pacer:
    """Counts ticks since it was made; a late loop catches up at once, so no tick is ever left out.

    While nobody has work it sleeps, and its ticks pass uncounted and unmeasured.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._origin = clock.seconds()
        self._origin_at = clock.now()
        self._paced: dict[Paced, None] = {}
        self._wanted = asyncio.Event()
        self._number = 0
        self._listeners = 0
        self.cork = Cork()
        self.lateness = Lateness()

    @property
    def number(self) -> int:
        """The last tick that was due."""
        return self._number if self._paced else self._by_the_clock()

    def add(self, paced: Paced) -> None:
        """Call `paced.tick` from the next tick on."""
        if not self._paced:
            self._number = self._by_the_clock()
            self._wanted.set()
        if paced not in self._paced:
            self._listeners += getattr(paced, "listens", False)
            self._paced[paced] = None

    def remove(self, paced: Paced) -> None:
        """Stop calling it; harmless when it is not there."""
        if paced in self._paced:
            self._listeners -= getattr(paced, "listens", False)
            del self._paced[paced]

    @property
    def busy(self) -> int:
        """How many are paced."""
        return len(self._paced)

    async def run(self) -> None:
        """Pace for ever; cancel to stop."""
        while True:
            if not self._paced:
                self._wanted.clear()
                await self._wanted.wait()
            due = self._origin + (self._number + 1) * TICK_S
            await self._clock.sleep_until(due)
            if self._clock.hurries:
                with self.cork.put_in():
                    self._stride(due)
            elif self._paced:
                self._tick(due)

    def _stride(self, due: float) -> None:
        """This tick, and those after it that nobody would notice apart: their messages go in one write."""
        for _ in range(STRIDE):
            if not self._paced:
                return
            self._tick(due)
            due = self._origin + (self._number + 1) * TICK_S
            if self._listeners or not self._clock.skip_to(due):
                return

    def _tick(self, due: float) -> None:
        self._number += 1
        for paced in list(self._paced):
            try:
                paced.tick(self._number)
            except Exception:
                # One stream's fault must not silence the others.
                logger.exception("emulator.tick.failed")
                self.remove(paced)
        if not self._clock.hurries:
            # From when it was due until the last of all was written.
            self.lateness.add((self._clock.seconds() - due) * 1000)

    def moment(self, number: int) -> datetime:
        """The wall time at which tick `number` is due."""
        return self._origin_at + timedelta(seconds=number * TICK_S)

    def late_p99_ms(self) -> float:
        """How late the last write of a tick was, over the last 100 s of sound, 99th percentile in ms."""
        return self.lateness.percentile(0.99)

    def _by_the_clock(self) -> int:
        return max(self._number, int((self._clock.seconds() - self._origin) / TICK_S + NEARLY))
