"""Who was connected with whom and when somebody listened for keys, noted as it happens, not by the log."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from emulator.leg import Leg
from emulator.rooms.bridge import Bridge
from emulator.world import iso
from tests.emulator.conftest import Box


@dataclass
class Met:
    """Two legs that were connected in the ticks [start, end); `asked` waited or was dialled."""

    by: Leg
    asked: Leg
    start: int
    at: str
    end: int | None = None

    @property
    def dialled(self) -> bool:
        """Whether it was a <Dial> of a number, and no queue."""
        return self.asked.call.parent_sid == self.by.call.sid

    def other(self, leg: Leg) -> Leg | None:
        """Whom this leg was connected with."""
        return self.asked if leg is self.by else self.by if leg is self.asked else None


@dataclass
class Listened:
    """Which of the call's keys were pressed while one listener was there, and when that was over."""

    listener: Any
    first: int
    last: int | None = None
    until: str = ""


class Listeners(list[Any]):
    """The listeners of a leg, with a memory."""

    def __init__(self, leg: Leg) -> None:
        super().__init__()
        self._leg = leg
        self.past: list[Listened] = []

    def append(self, listener: Any) -> None:
        super().append(listener)
        self.past.append(Listened(listener, len(self._leg.call.keys)))

    def remove(self, listener: Any) -> None:
        super().remove(listener)
        over = next(one for one in self.past if one.listener == listener and one.last is None)
        over.last, over.until = len(self._leg.call.keys), now(self._leg)


class Witness:
    """Stands beside an exchange."""

    def __init__(self, box: Box) -> None:
        self.met: list[Met] = []
        self.keys: dict[str, Listeners] = {}
        self._pacer = box.exchange.pacer
        meet = box.exchange.meet

        def noted(*legs: Leg) -> None:
            bridge = legs[0].bridge
            if len(legs) == 2 and bridge is not None and bridge is legs[1].bridge:
                self._note(bridge)
            meet(*legs)

        box.exchange.meet = noted  # type: ignore[method-assign]

    def watch(self, leg: Leg) -> None:
        """Remember who listens to the keys of this leg."""
        leg.listeners = self.keys[leg.call.sid] = Listeners(leg)

    def of(self, leg: Leg) -> list[tuple[Met, Leg]]:
        """With whom this leg was connected, in order."""
        return [(met, other) for met in self.met if (other := met.other(leg)) is not None]

    def _note(self, bridge: Bridge) -> None:
        by, asked = bridge.legs
        met = Met(by, asked, self._pacer.number + 1, now(by))
        self.met.append(met)
        part = bridge.part

        def parted() -> None:
            if not bridge.over.is_set():
                met.end = self._pacer.number + 1
            part()

        bridge.part = parted  # type: ignore[method-assign]


def now(leg: Leg) -> str:
    moment: datetime = leg.exchange.world.clock.now()
    return str(iso(moment))
