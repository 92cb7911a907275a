"""All conferences: by id, by name while they live, by region."""

from __future__ import annotations

from typing import TYPE_CHECKING

from emulator.rooms.conference import Conference

if TYPE_CHECKING:
    from emulator.exchange import Exchange

KEEP_ENDED = 1000


class Conferences:
    """All rooms; a name is one live room per region."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self.by_sid: dict[str, Conference] = {}
        self._ended: list[str] = []

    def room(self, name: str, region: str) -> Conference:
        """The live room of this name, made when there is none."""
        found = self.find(name, region, live=True)
        if found is not None:
            return found
        world = self._exchange.world
        now = world.clock.now()
        made = Conference(self._exchange, world.sid("CF"), name, region, now, now)
        self.by_sid[made.sid] = made
        return made

    def find(self, sid_or_name: str, region: str, *, live: bool = False) -> Conference | None:
        """The room with this id, or the live one with this name."""
        found = self.by_sid.get(sid_or_name)
        if found is not None and found.region == region:
            return found if found.live or not live else None
        return next((c for c in self.in_region(region) if c.live and c.friendly_name == sid_or_name), None)

    def in_region(self, region: str) -> list[Conference]:
        """All rooms of a region, oldest first."""
        return [conference for conference in self.by_sid.values() if conference.region == region]

    def ended(self, conference: Conference) -> None:
        """Keep the memory of ended rooms bounded."""
        self._exchange.courier.forget(conference.sid)
        self._ended.append(conference.sid)
        while len(self._ended) > KEEP_ENDED:
            self.by_sid.pop(self._ended.pop(0), None)
