"""hangupOnStar: the party leaves what it is connected to by pressing *."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from emulator.leg import Leg
from emulator.twiml import Verb


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
