"""The network between a leg that was dialled and the call it became at a number of the account's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from emulator.ear import Spoken
from emulator.leg import Leg
from emulator.party import Conversation, Line
from emulator.sound import SILENCE, Frame
from emulator.waiting import first

if TYPE_CHECKING:
    from emulator.exchange import Exchange

MAX_HOPS = 10


class End:
    """One end: the party of one leg, which says what the leg at the other end hears."""

    conversation: Conversation | None = None

    def __init__(self) -> None:
        self.leg: Leg | None = None
        self.far: End = self

    def frame(self, tick: int) -> Frame:
        return self.far.leg.hears(tick) if self.far.leg is not None else SILENCE

    def spoken(self, start: int, end: int) -> list[Spoken]:
        return self.far.leg.ear.spoken(start, end) if self.far.leg is not None else []

    def words(self, start: int, end: int) -> list[str]:
        return self.far.leg.ear.words(start, end) if self.far.leg is not None else []

    def notice(self, event: str) -> None:
        """The line itself waits for nothing."""

    def attach(self, line: Line) -> None:
        """The leg whose party this end is."""
        self.leg = line if isinstance(line, Leg) else None

    async def called(self, line: Line) -> None:
        raise NotImplementedError("only the dialled end is called")

    def ended(self) -> None:
        """This end hung up: so does the other."""
        leg, self.leg = self.leg, None
        if leg is not None and self.far.leg is not None:
            self.far.leg.hang_up()


class Dialled(End):
    """The end whose leg was dialled; being called, it makes the incoming call at the number."""

    def __init__(self, exchange: Exchange) -> None:
        super().__init__()
        self._exchange = exchange
        self.far = End()
        self.far.far = self

    async def called(self, line: Line) -> None:
        """Ring at the number, and answer when its TwiML does."""
        here = self.leg
        if here is None or here.call.hops >= MAX_HOPS:
            line.finish("failed", "a circle of calls")
            return
        there = self._exchange.incoming(
            here.call.from_, here.call.to, party=self.far, hops=here.call.hops + 1
        )
        line.ring()
        await first(there.answered.wait(), there.over.wait())
        if there.answered.is_set():
            line.answer()
        else:
            line.finish(there.call.status if there.call.status != "canceled" else "no-answer", "not answered")
