"""One loop for all sound: every 20 ms, on absolute time, each flowing stream sends what is due."""

from __future__ import annotations

import logging
from collections import deque
from datetime import datetime, timedelta
from typing import Protocol

from emulator.clock import Clock

logger = logging.getLogger("contactcenter.emulator")

TICK_S = 0.02
TICK_MS = 20


class Paced(Protocol):
    """Something that has 20 ms of work at each tick."""

    def tick(self, number: int) -> None:
        """Do the work of tick `number`."""
        ...


class Pacer:
    """Counts ticks since it was made; a late loop catches up at once, so no tick is ever left out."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._origin = clock.seconds()
        self._origin_at = clock.now()
        self._paced: dict[Paced, None] = {}
        self._late_ms: deque[float] = deque(maxlen=5000)
        self.number = 0

    def add(self, paced: Paced) -> None:
        """Call `paced.tick` from the next tick on."""
        self._paced[paced] = None

    def remove(self, paced: Paced) -> None:
        """Stop calling it; harmless when it is not there."""
        self._paced.pop(paced, None)

    @property
    def busy(self) -> int:
        """How many are paced."""
        return len(self._paced)

    async def run(self) -> None:
        """Pace for ever; cancel to stop."""
        while True:
            due = self._origin + (self.number + 1) * TICK_S
            await self._clock.sleep_until(due)
            self._late_ms.append((self._clock.seconds() - due) * 1000)
            self.number += 1
            for paced in list(self._paced):
                self._tick(paced)

    def _tick(self, paced: Paced) -> None:
        try:
            paced.tick(self.number)
        except Exception:
            # One stream's fault must not silence the others.
            logger.exception("emulator.tick.failed")
            self.remove(paced)

    def moment(self, number: int) -> datetime:
        """The wall time at which tick `number` is due."""
        return self._origin_at + timedelta(seconds=number * TICK_S)

    def late_p99_ms(self) -> float:
        """How late the loop itself was, over the last 100 s, 99th percentile in ms."""
        ordered = sorted(self._late_ms)
        return round(ordered[int(len(ordered) * 0.99)], 2) if ordered else 0.0
