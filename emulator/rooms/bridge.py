"""Two legs that hear each other."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from emulator.audio.ear import Spoken
from emulator.audio.sound import Frame

if TYPE_CHECKING:
    from emulator.leg import Leg


class Mouth:
    """A leg's party, as somebody else hears it."""

    def __init__(self, leg: Leg) -> None:
        self._leg = leg

    def frame(self, tick: int) -> Frame:
        return self._leg.says(tick)

    def spoken(self, start: int, end: int) -> list[Spoken]:
        return self._leg.party.spoken(start, end)

    def words(self, start: int, end: int) -> list[str]:
        return self._leg.party.words(start, end)


class Bridge:
    """Open from its making until `part`; `over` is set then."""

    def __init__(self, one: Leg, other: Leg) -> None:
        self.legs = (one, other)
        self.over = asyncio.Event()
        self._mouths = (Mouth(other), Mouth(one))
        for leg, mouth in zip(self.legs, self._mouths, strict=True):
            leg.bridge = self
            leg.ear.begin(mouth)
        one.exchange.meet(one, other)
        for leg in self.legs:
            leg.party.notice("connected")

    def other(self, leg: Leg) -> Leg:
        """The leg at the other side."""
        one, other = self.legs
        return other if leg is one else one

    def part(self) -> None:
        """They hear each other no more; harmless when they do not."""
        if self.over.is_set():
            return
        self.over.set()
        for leg, mouth in zip(self.legs, self._mouths, strict=True):
            leg.ear.end(mouth)
            if leg.bridge is self:
                leg.bridge = None
