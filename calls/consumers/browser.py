"""One browser socket as the hub sees it: what it watches, what it is still to get, whether it must close."""

import asyncio
import logging
from dataclasses import dataclass, field
from typing import Any, TypeVar

from calls.counters import count
from calls.outbox import Behind, Outbox
from calls.selectors.feed import Told, encode

__all__ = ["RESTART", "TOO_SLOW", "Browser", "Tick"]

TOO_SLOW = 4408
RESTART = 4012
Part = TypeVar("Part", list[Any], dict[str, Any])
_log = logging.getLogger("contactcenter.hub")


@dataclass
class Tick:
    """One text of one media process; decoded at most once, and only if somebody needs a part of it."""

    kind: str  # levels, partials or health
    source: str
    text: str
    decode: Any
    _body: dict[str, Any] | None = None

    def body(self) -> dict[str, Any]:
        """The JSON object in it; empty if it is none."""
        if self._body is None:
            self._body = self.decode(self.text)
        return self._body

    def part(self, name: str, kind: type[Part]) -> Part:
        """One field of it; empty if it is of another kind."""
        value = self.body().get(name)
        return value if isinstance(value, kind) else kind()


@dataclass(eq=False)
class Browser:
    """Lives on the hub's event loop. `call` None watches the whole wall."""

    call: int | None = None
    streams: set[str] = field(default_factory=set)  # of that call
    outbox: Outbox = field(default_factory=Outbox)
    ready: bool = False  # `hello` was answered: events may follow
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    code: int | None = None  # close with it

    def close(self, code: int) -> None:
        """Ask the socket to close; the first code stays."""
        self.code = self.code or code
        self.wake.set()

    def sees(self, told: Told) -> bool:
        """Whether an event belongs to what this browser watches."""
        return self.call is None or told.call == self.call

    def give(self, told: Told) -> None:
        """Put an event into the outbox if this browser watches its call; too far behind closes the socket."""
        if not self.sees(told):
            return
        if told.noun == "stream":
            self.streams.add(told.key)
        if told.noun == "utterance":
            self.outbox.final(told.stream, told.track)
        try:
            self.outbox.event(told.id, told.body)
        except Behind:
            self._too_slow()
        self.wake.set()

    def tick(self, tick: Tick) -> None:
        """Put a tick into the outbox: whole for the wall, cut to its streams for one call."""
        if tick.kind == "partials":
            self._partials(tick)
        elif text := tick.text if self.call is None else self._cut(tick):
            put = self.outbox.levels if tick.kind == "levels" else self.outbox.health
            put(tick.source, text)
        self.wake.set()

    def _partials(self, tick: Tick) -> None:
        for line in tick.part("partials", list):
            if isinstance(line, dict) and self.call in (None, line.get("call")):
                self.outbox.partial(str(line.get("stream")), str(line.get("track")), encode(line))

    def _cut(self, tick: Tick) -> str:
        name = "levels" if tick.kind == "levels" else "streams"
        ours = {sid: value for sid, value in tick.part(name, dict).items() if sid in self.streams}
        return encode({**tick.body(), name: ours}) if ours else ""

    def _too_slow(self) -> None:
        count("browser.behind")
        _log.warning("ws.too_slow", extra={"behind": self.outbox.behind()})
        self.close(TOO_SLOW)
