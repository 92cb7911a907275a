"""Which team each call is in, and which streams are its: so that ticks are cut and moves are noticed.

Read once when the following begins and kept by the events that pass; ended calls are forgotten in time.
"""

from dataclasses import dataclass, field, replace

from calls.access import NOWHERE, Scope
from calls.selectors.feed import Told
from calls.selectors.teams import Placed

__all__ = ["ENDED_KEPT", "Places"]

ENDED_KEPT = 1000  # ended calls of which something may still be told


@dataclass
class _Place:
    team: int | None
    streams: set[str] = field(default_factory=set)


class Places:
    """Lives on the hub's event loop."""

    def __init__(self, placed: Placed | None = None) -> None:
        self._calls: dict[int, _Place] = {}
        self._ended: dict[int, None] = {}  # in the order in which they ended
        self._seen: dict[Scope, frozenset[str]] = {}
        if placed is not None:
            self._calls = {call: _Place(team) for call, team in placed.teams.items()}
            for sid, call in placed.streams.items():
                self._calls[call].streams.add(sid)

    def follow(self, told: Told) -> Told:
        """Take in where an event says that its call is; the event, with the team in which the call was."""
        if told.call is None:
            return told
        place = self._calls.get(told.call)
        team = place.team if place and told.team == NOWHERE else told.team  # a row that is gone has no team
        was = place.team if place else team
        if place or told.noun in {"call", "stream"}:
            self._take_in(told, place, team)
        return told if (team, was) == (told.team, told.was) else replace(told, team=team, was=was)

    def streams(self, scope: Scope) -> frozenset[str]:
        """The streams of the calls that a scope sees. What is not known yet is not among them."""
        if scope not in self._seen:
            ours = (place.streams for place in self._calls.values() if scope.sees(place.team))
            self._seen[scope] = frozenset().union(*ours)
        return self._seen[scope]

    def _take_in(self, told: Told, place: _Place | None, team: int | None) -> None:
        assert told.call is not None
        if place is None:
            place = self._calls[told.call] = _Place(team)
            self._ended[told.call] = None  # until its own event says that it lives
        if place.team != team:
            place.team = team
            self._seen.clear()
        if told.noun == "stream" and told.key not in place.streams:
            place.streams.add(told.key)
            self._seen.clear()
        if told.noun == "call":
            self._age(told.call, ended=told.ended)

    def _age(self, call: int, *, ended: bool) -> None:
        self._ended.pop(call, None)
        if ended:
            self._ended[call] = None
        while len(self._ended) > ENDED_KEPT:
            oldest = next(iter(self._ended))
            del self._ended[oldest]
            del self._calls[oldest]
            self._seen.clear()
