"""Who speaks in a conference, for applications that asked to be told."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from emulator.pacing import TICK_S
from streams.audio import level

if TYPE_CHECKING:
    from emulator.rooms.conference import Conference
    from emulator.rooms.seat import Seat

# Quieter than this is silence.
QUIET_DBFS = -45.0
# How long somebody must be loud to have begun, and quiet to have stopped.
BEGUN_TICKS, STOPPED_TICKS = round(0.1 / TICK_S), round(1.0 / TICK_S)


class Speakers:
    """Listens to every member; whoever is muted, on hold or coaching does not speak to the room."""

    def __init__(self, conference: Conference) -> None:
        self._conference = conference
        self._loud: Counter[Seat] = Counter()
        self._heard: dict[Seat, int] = {}

    def tick(self, number: int) -> None:
        """Notice who begins and who stops."""
        for seat in list(self._conference.seats.values()):
            if self._speaks(seat, number):
                self._begin(seat, number)
            else:
                self._loud.pop(seat, None)
        for seat, last in list(self._heard.items()):
            if number - last >= STOPPED_TICKS:
                self._stop(seat)

    def leave(self, seat: Seat) -> None:
        """A member is about to go: it speaks no longer, and that is told before."""
        self._loud.pop(seat, None)
        if seat in self._heard:
            self._stop(seat)

    def _stop(self, seat: Seat) -> None:
        del self._heard[seat]
        self._conference.tell("participant-speech-stop", seat)

    def _begin(self, seat: Seat, number: int) -> None:
        self._loud[seat] += 1
        if seat in self._heard:
            self._heard[seat] = number
        elif self._loud[seat] >= BEGUN_TICKS:
            self._heard[seat] = number
            self._conference.tell("participant-speech-start", seat)

    def _speaks(self, seat: Seat, number: int) -> bool:
        if self._conference.status != "in-progress" or not seat.talks:
            return False
        return level(seat.leg.says(number).raw).rms_dbfs > QUIET_DBFS
