"""What holds for every <Dial>, whomever it reaches: how long it rings and lasts, and hangupOnStar."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from emulator.leg import Leg
from emulator.twiml import Verb

TIMEOUT_S = 30.0
TIME_LIMIT_S = 14_400.0


def timeout(verb: Verb) -> float:
    """How many seconds are waited for somebody to be connected with."""
    return verb.seconds("timeout", TIMEOUT_S)


async def time_limit(leg: Leg, verb: Verb) -> None:
    """Return when the two have been connected for as long as they may."""
    await leg.exchange.world.clock.sleep(verb.seconds("timeLimit", TIME_LIMIT_S))


@contextmanager
def star(leg: Leg, verb: Verb) -> Iterator[asyncio.Event]:
    """An event that is set when the party presses *, where the <Dial> says `hangupOnStar`."""
    pressed, wanted = asyncio.Event(), verb.flag("hangupOnStar")

    def key(digit: str) -> None:
        if digit == "*" and wanted:
            pressed.set()

    leg.listeners.append(key)
    try:
        yield pressed
    finally:
        leg.listeners.remove(key)
