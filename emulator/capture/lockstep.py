"""Virtual time in steps of one frame: nobody's clock moves while anything said is still on its way."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from emulator.clock import VirtualClock
from emulator.pacing import TICK_S

STILL_TURNS = 12


class Lockstep:
    """Moves a virtual clock. `activity()` is a number that changes whenever something was said or heard."""

    def __init__(self, clock: VirtualClock, activity: Callable[[], int]) -> None:
        self._clock = clock
        self._activity = activity

    async def advance(self, seconds: float) -> None:
        """Let that much time pass, frame by frame."""
        end = self._clock.seconds() + seconds
        await self.quiet()
        while (left := end - self._clock.seconds()) > 1e-9:
            await self._clock.advance(min(TICK_S, left))
            await self.quiet()

    async def quiet(self) -> None:
        """Return when nothing was said for several turns of the loop."""
        still, last = 0, self._activity()
        while still < STILL_TURNS:
            await asyncio.sleep(0)
            now = self._activity()
            still, last = (still + 1, last) if now == last else (0, now)
