"""Garbage is looked for when that holds up no sound: a full collection takes as long as three frames."""

from __future__ import annotations

import gc
from collections.abc import Callable

from emulator.clock import Clock

LOOK_EVERY_S = 1.0
# While sound flows without a break: at 300 calls about a dozen late ticks of 15,000.
LONGEST_S = 300.0
NEVER = 1_000_000


async def sweep(busy: Callable[[], bool], clock: Clock) -> None:
    """Do Python's full collections, for ever: when sound has just ended, else every five minutes.

    `busy` tells whether sound flows. The young generations go on being collected by Python itself.
    """
    young, middle, old = gc.get_threshold()
    gc.set_threshold(young, middle, NEVER)
    # What is here stays, and need not be looked through again.
    gc.collect()
    gc.freeze()
    swept, flowed = clock.seconds(), False
    try:
        while True:
            await clock.sleep(LOOK_EVERY_S)
            flows = busy()
            if (flowed and not flows) or clock.seconds() - swept >= LONGEST_S:
                gc.collect()
                swept = clock.seconds()
            flowed = flows
    finally:
        gc.set_threshold(young, middle, old)
