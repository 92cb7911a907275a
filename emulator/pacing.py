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

    In real time each of those paced has a phase, its own moment within the 20 ms: they do not all write at
    once. While nobody has work the pacer sleeps, and its ticks pass uncounted and unmeasured.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._origin = clock.seconds()
        self._origin_at = clock.now()
        self._phases: list[dict[Paced, None]] = [{} for _ in range(clock.phases)]
        self._phase_of: dict[Paced, int] = {}
        self._wanted = asyncio.Event()
        self._number = 0
        self._listeners = 0
        self.cork = Cork()
        self.lateness = Lateness()

    @property
    def number(self) -> int:
        """The last tick that was due."""
        return self._number if self._phase_of else self._by_the_clock()

    @property
    def busy(self) -> int:
        """How many are paced."""
        return len(self._phase_of)

    def add(self, paced: Paced) -> float:
        """Call `paced.tick` from the next tick on; returns how many seconds after the tick its moment is."""
        if paced in self._phase_of:
            return self._offset(self._phase_of[paced])
        if not self._phase_of:
            self._number = self._by_the_clock()
            self._wanted.set()
        emptiest = min(range(len(self._phases)), key=lambda phase: len(self._phases[phase]))
        self._phases[emptiest][paced] = None
        self._phase_of[paced] = emptiest
        self._listeners += getattr(paced, "listens", False)
        return self._offset(emptiest)

    def remove(self, paced: Paced) -> None:
        """Stop calling it; harmless when it is not there."""
        phase = self._phase_of.pop(paced, None)
        if phase is not None:
            del self._phases[phase][paced]
            self._listeners -= getattr(paced, "listens", False)

    async def run(self) -> None:
        """Pace for ever; cancel to stop."""
        while True:
            if not self._phase_of:
                self._wanted.clear()
                await self._wanted.wait()
            due = self._origin + (self._number + 1) * TICK_S
            await self._clock.sleep_until(due)
            if self._clock.hurries:
                with self.cork.put_in():
                    self._stride()
            else:
                await self._through_the_phases(due)

    async def _through_the_phases(self, due: float) -> None:
        """One tick, each phase at its moment."""
        self._number += 1
        late, worked = 0.0, False
        for phase, members in enumerate(self._phases):
            if not members:
                continue
            moment = due + self._offset(phase)
            if phase:
                await self._clock.sleep_until(moment)
            self._tick(members)
            # From when it was due until the last of all was written.
            late, worked = max(late, self._clock.seconds() - moment), True
        if worked:
            self.lateness.add(late * 1000)

    def _stride(self) -> None:
        """This tick, and those after it that nobody would notice apart: their messages go in one write."""
        for _ in range(STRIDE):
            if not self._phase_of:
                return
            self._number += 1
            for members in self._phases:
                self._tick(members)
            due = self._origin + (self._number + 1) * TICK_S
            if self._listeners or not self._clock.skip_to(due):
                return

    def _tick(self, members: dict[Paced, None]) -> None:
        for paced in list(members):
            try:
                paced.tick(self._number)
            except Exception:
                # One stream's fault must not silence the others.
                logger.exception("emulator.tick.failed")
                self.remove(paced)

    def moment(self, number: int, phase_s: float = 0.0) -> datetime:
        """The wall time at which tick `number` is due, for somebody whose moment is so much later."""
        return self._origin_at + timedelta(seconds=number * TICK_S + phase_s)

    def late_p99_ms(self) -> float:
        """How late the last write of a tick was, over the last 100 s of sound, 99th percentile in ms."""
        return self.lateness.percentile(0.99)

    def _offset(self, phase: int) -> float:
        return phase * TICK_S / len(self._phases)

    def _by_the_clock(self) -> int:
        return max(self._number, int((self._clock.seconds() - self._origin) / TICK_S + NEARLY))
