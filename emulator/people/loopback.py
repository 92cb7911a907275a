"""The network between a leg that was dialled and the call it became at a number of the account's own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from emulator.audio.ear import Ear, Spoken
from emulator.audio.sound import SILENCE, Frame
from emulator.leg import Leg
from emulator.people.party import Conversation, Line
from emulator.waiting import first
from emulator.world import Application, Call

if TYPE_CHECKING:
    from emulator.exchange import Exchange

MAX_HOPS = 10
KEY_S = 0.2
WAITS_S = {"w": 0.5, "W": 1.0}


class End:
    """One end: the party of one leg, which says what the leg at the other end hears."""

    conversation: Conversation | None = None

    def __init__(self) -> None:
        self.leg: Leg | None = None
        self.far: End = self
        self._asked = False
        self._pressing = False

    def frame(self, tick: int) -> Frame:
        # The leg's own `says` keeps a circle of calls from asking for ever.
        return self.far.leg.hears(tick) if self.far.leg is not None else SILENCE

    def spoken(self, start: int, end: int) -> list[Spoken]:
        with self._once() as ear:
            return ear.spoken(start, end) if ear is not None else []

    def words(self, start: int, end: int) -> list[str]:
        with self._once() as ear:
            return ear.words(start, end) if ear is not None else []

    @contextmanager
    def _once(self) -> Iterator[Ear | None]:
        """The ear at the other end; None for a call that, round a circle, asks itself."""
        if self._asked or self.far.leg is None:
            yield None
            return
        self._asked = True
        try:
            yield self.far.leg.ear
        finally:
            self._asked = False

    def notice(self, event: str) -> None:
        """The line itself waits for nothing."""

    def hear_key(self, digit: str) -> None:
        """A key goes through to the other end, where it is pressed; round a circle of calls once."""
        if self.far.leg is not None and not self._pressing:
            self._pressing = True
            try:
                self.far.leg.press(digit)
            finally:
                self._pressing = False

    def attach(self, line: Line) -> None:
        """The leg whose party this end is."""
        self.leg = line if isinstance(line, Leg) else None

    async def called(self, line: Line) -> None:
        """Nobody rings at the end of the one who calls."""
        line.finish("failed", "the caller's end of a call does not ring")

    def ended(self) -> None:
        """This end hung up: so does the other."""
        leg, self.leg = self.leg, None
        if leg is not None:
            self.far.part()

    def part(self) -> None:
        """The other end hung up."""
        if self.leg is not None:
            self.leg.hang_up()


class Dialled(End):
    """The end whose leg was dialled; being called, it makes the incoming call at number or application."""

    def __init__(self, exchange: Exchange, application: Application | None = None) -> None:
        super().__init__()
        self._exchange = exchange
        self._application = application
        self.far = End()
        self.far.far = self

    async def called(self, line: Line) -> None:
        """Ring there, and answer when its TwiML does."""
        here = self.leg
        if here is None or here.call.hops >= MAX_HOPS:
            line.finish("failed", "a circle of calls")
            return
        there = self._arrive(here.call)
        line.ring()
        await first(there.answered.wait(), there.over.wait())
        if there.answered.is_set():
            line.answer()
            if there.over.is_set():
                line.hang_up()
        else:
            line.finish(there.call.status if there.call.status != "canceled" else "no-answer", "not answered")

    def part(self) -> None:
        """The other end hung up; while it rings there, `called` tells how."""
        if self.leg is not None and self.leg.answered.is_set():
            self.leg.hang_up()

    def _arrive(self, call: Call) -> Leg:
        exchange, hops = self._exchange, call.hops + 1
        if self._application is not None:
            return exchange.to_application(self._application, call.from_, self.far, hops)
        return exchange.incoming(call.from_, call.to, party=self.far, hops=hops)


async def send_keys(leg: Leg, keys: str) -> None:
    """Press keys towards the leg's party, `w` waiting 0.5 s and `W` 1 s; only another call hears them."""
    for key in keys:
        if key not in WAITS_S:
            leg.party.hear_key(key)
        await leg.exchange.world.clock.sleep(WAITS_S.get(key, KEY_S))
