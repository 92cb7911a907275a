"""What came of the caller, until the voice asks for it. Bounded; on the loop alone."""

import asyncio
from collections import deque
from typing import Final

from streams.voices.base import Event, Frame, Key, Words

__all__ = ["EVENTS_KEPT", "FRAMES_KEPT", "Inbox"]

FRAMES_KEPT: Final = 100
"""Frames that a voice has not asked for yet: two seconds. Then the oldest goes."""
EVENTS_KEPT: Final = 200


class Inbox:
    """Events in their order. `taken_ms`: until there the voice knows what the caller has said or keyed."""

    def __init__(self) -> None:
        self.taken_ms = 0
        self._events: deque[Event] = deque()
        self._frames = 0
        self._some = asyncio.Event()
        self._waiting = 0
        self._is_closed = False

    @property
    def is_waited_for(self) -> bool:
        """Whether the voice waits for what comes."""
        return self._waiting > 0

    @property
    def has_events(self) -> bool:
        """Whether something waits to be taken that is not mere sound."""
        return len(self._events) > self._frames

    def put(self, event: Event) -> None:
        """Keep what came; too many keys and words of one who does not stop are dropped, and old sound."""
        if type(event) is Frame:
            if self._frames >= FRAMES_KEPT:
                self._events.remove(next(one for one in self._events if type(one) is Frame))
                self._frames -= 1
            self._frames += 1
        elif len(self._events) - self._frames >= EVENTS_KEPT:
            return
        self._events.append(event)
        self._some.set()

    def stir(self) -> None:
        """Have whoever waits look anew: something has changed that is no event."""
        self._some.set()

    def close(self) -> None:
        """Nothing more comes."""
        self._is_closed = True
        self._some.set()

    def take(self) -> Event | None:
        """The next thing that came, if there is one."""
        if not self._events:
            return None
        event = self._events.popleft()
        if type(event) is Frame:
            self._frames -= 1
        elif type(event) is Words:
            self.taken_ms = max(self.taken_ms, event.end_ms)
        elif type(event) is Key:
            self.taken_ms = max(self.taken_ms, event.at_ms)
        return event

    def skip_keys(self) -> bool:
        """Pass over keys (and sound) until something else; whether there was a key."""
        found = False
        while self._events and type(self._events[0]) in (Key, Frame):
            found = type(self.take()) is Key or found
        return found

    async def something(self, seconds: float | None, *, sound: bool = True) -> None:
        """Wait until something may have come, at most so long; without `sound` it is more than frames."""
        if self._is_closed or (self._events if sound else self.has_events):
            return
        self._some.clear()
        self._waiting += 1
        try:
            async with asyncio.timeout(seconds):
                await self._some.wait()
        except TimeoutError:
            return
        finally:
            self._waiting -= 1
