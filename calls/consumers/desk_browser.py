"""One desk as the hub sees it: its whole state now and then, the lines of its current call as they come."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

from django.utils import timezone

from calls.consumers.browser import Browser, Tick
from calls.outbox import with_ids
from calls.selectors.desk import Look
from calls.selectors.feed import Told, encode, iso

__all__ = ["DeskBrowser"]

STATES_UNPROVED = 100  # whole states since the last word of the page; beyond, it takes too long
_LINES = {"utterance", "gap"}


@dataclass(eq=False)
class DeskBrowser(Browser):
    """`call` is the current call, None between calls. `stirred` says that the state must be looked at anew.

    Ids of states are those of the newest event in them: a state is a snapshot, so the page takes its id for
    the last one seen, whatever came before, and the lines after it name it.
    """

    topics: frozenset[str] = frozenset()
    stirred: asyncio.Event = field(default_factory=asyncio.Event)
    greeting: bool = False  # the next state answers a `hello`: it comes in any case, with the transcript
    unproved: int = 0
    _shown: dict[str, Any] = field(default_factory=dict)

    def greet(self, last_id: int | None) -> None:
        """A `hello` came, from a page that last saw event `last_id`."""
        self.ready, self.greeting = False, True
        self.outbox.restart(last_id or 0)
        self.stirred.set()

    def show(self, found: Look, *, given: int) -> bool:
        """Put in a state, unless the page has it already; `given` is the newest event that we were given.

        A state of the same call does not overtake lines that are still to be given; one of another call
        holds its lines itself. False: a `hello` came while it was read without them, so it must be read anew.
        """
        if self.greeting and found.call is not None and "lines" not in found.state:
            return False
        same_call = found.call == self.call and not self.greeting
        self.topics, self.call = found.topics, found.call
        state = {name: value for name, value in found.state.items() if name != "lines"}
        if self.greeting or state != self._shown or not same_call:
            self._shown = state
            id_ = max(self.outbox.last_id, min(found.upto, given)) if same_call else found.upto
            self._put_state(id_, found.state)
        self.greeting, self.ready = False, True
        return True

    def sees(self, told: Told) -> bool:
        """Lines of the current call travel as themselves."""
        return told.noun in _LINES and bool(told.body) and self.call is not None and told.call == self.call

    def give(self, told: Told) -> None:
        """An event: a line is put in, anything else that concerns the desk makes it look anew."""
        if self.sees(told):
            self._put(told)
        if told.noun not in _LINES and told.topics & self.topics:
            self.stirred.set()

    def tick(self, tick: Tick) -> None:
        """Of the ticks only the partial lines of the current call."""
        if tick.kind == "partials" and self.call is not None:
            super().tick(tick)

    def proved(self) -> None:
        """The page has shown that it takes what we send."""
        self.unproved = 0

    def _put_state(self, id_: int, state: dict[str, Any]) -> None:
        self.unproved += 1
        if self.unproved > STATES_UNPROVED:
            self._too_slow()
        body = encode({"type": "desk", "at": iso(timezone.now()), **state})
        if self.greeting:
            beat = encode({"type": "beat", "at": iso(timezone.now()), "last_id": id_})
            self.outbox.restart(id_, with_ids(body, id_=id_, after=self.outbox.last_id), beat)
        else:
            self.outbox.state(id_, body)
        self.wake.set()
