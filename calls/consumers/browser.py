"""One browser socket as the hub sees it: what it may see, what it is still to get, whether it must close."""

import asyncio
import json
import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

from django.utils import timezone
from django.utils.translation import get_language, override

from calls.access import EVERY, NOTHING, Scope
from calls.consumers.places import Places
from calls.counters import count
from calls.outbox import Behind, Outbox
from calls.selectors.feed import Told, encode, gone
from calls.selectors.nouns import in_words

__all__ = ["OF_A_CALL", "RESTART", "TOO_SLOW", "UNKNOWN", "Browser", "Tick"]

UNKNOWN = 4404
TOO_SLOW = 4408
RESTART = 4012
OF_A_CALL = {"gap", "command", "moment", "note", "turn"}  # shown on the page of their call, not on the wall
FRAME = {"queue", "team"}  # no messages: what the wall hangs in is another, so that it is shown anew
Part = TypeVar("Part", list[Any], dict[str, Any])
_log = logging.getLogger("contactcenter.hub")


@dataclass
class Line:
    """One partial line; encoded once for all who get it."""

    call: Any
    stream: str
    track: str
    body: dict[str, Any]

    @cached_property
    def text(self) -> str:
        """The message."""
        return encode(self.body)


@dataclass
class Tick:
    """One text of one media process; decoded at most once, and only if somebody needs a part of it.

    Cut once for each scope, however many browsers have it.
    """

    kind: str  # levels, partials or health
    source: str
    text: str
    decode: Any
    places: Places
    _body: dict[str, Any] | None = None
    _texts: dict[Scope, str] = field(default_factory=dict)
    _lines: dict[Scope, list[Line]] = field(default_factory=dict)

    def body(self) -> dict[str, Any]:
        """The JSON object in it; empty if it is none."""
        if self._body is None:
            self._body = self.decode(self.text)
        return self._body

    def part(self, name: str, kind: type[Part]) -> Part:
        """One field of it; empty if it is of another kind."""
        value = self.body().get(name)
        return value if isinstance(value, kind) else kind()

    def levels_for(self, scope: Scope) -> str:
        """Levels or health as a scope sees them: untouched if it sees all of it, empty if nothing."""
        if scope == EVERY:
            return self.text
        if scope not in self._texts:
            self._texts[scope] = self._cut(self.places.streams(scope))
        return self._texts[scope]

    def only(self, sids: Iterable[str]) -> str:
        """Levels or health of some streams; empty if nothing is told of them."""
        values = self.part(self._field, dict)
        ours = {sid: values[sid] for sid in sids if sid in values}
        return encode({**self.body(), self._field: ours}) if ours else ""

    def lines_for(self, scope: Scope) -> list[Line]:
        """The partial lines that a scope sees."""
        if scope not in self._lines:
            self._lines[scope] = self._read() if scope == EVERY else self._lines_in(scope)
        return self._lines[scope]

    @property
    def _field(self) -> str:
        return "levels" if self.kind == "levels" else "streams"

    def _cut(self, seen: frozenset[str]) -> str:
        """Untouched only if all that is in it is understood and seen."""
        values = self.body().get(self._field, {})
        if not self.body() or not isinstance(values, dict):
            return ""
        return self.text if values.keys() <= seen else self.only(values.keys() & seen)

    def _lines_in(self, scope: Scope) -> list[Line]:
        seen = self.places.streams(scope)
        return [line for line in self.lines_for(EVERY) if line.stream in seen]

    def _read(self) -> list[Line]:
        return [
            Line(one.get("call"), str(one.get("stream")), str(one.get("track")), one)
            for one in self.part("partials", list)
            if isinstance(one, dict)
        ]


@dataclass(eq=False)
class Browser:
    """Lives on the hub's event loop. `call` None watches the whole wall, as far as `scope` sees it."""

    call: int | None = None
    scope: Scope = NOTHING
    me: dict[str, Any] = field(default_factory=dict)  # calls.access.me
    language: str = field(default_factory=get_language)  # of its page
    streams: set[str] = field(default_factory=set)  # of that call
    outbox: Outbox = field(default_factory=Outbox)
    ready: bool = False  # `hello` was answered: events may follow
    stale: bool = False  # a call came into view: only a fresh snapshot shows it whole
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    code: int | None = None  # close with it

    def close(self, code: int) -> None:
        """Ask the socket to close; the first code stays."""
        self.code = self.code or code
        self.wake.set()

    def sees(self, told: Told) -> bool:
        """Whether an event belongs to what this browser watches, shows and may see."""
        if not told.body or (self.call is None and told.noun in OF_A_CALL):
            return False
        if told.teams is not None:
            return self.call is None and self.scope.shares(told.teams)
        return self._watches(told, told.team)

    def give(self, told: Told) -> None:
        """Put an event into the outbox if this browser sees its call; too far behind closes the socket.

        Of a call that went out of its sight it is told only that, one that came into it makes it `stale`.
        """
        if self.call is None and (told.noun in FRAME or self._gains(told)):
            self.stale = True
        elif self.sees(told):
            self._put(told)
        elif self._watches(told, told.was) and not self._watches(told, told.team):
            self._lose(told)

    def _watches(self, told: Told, team: int | None) -> bool:
        return self.call in (None, told.call) and self.scope.sees(team)

    def _gains(self, told: Told) -> bool:
        """Whatever the event is, it shows first that its call has come."""
        return self.scope.sees(told.team) and not self.scope.sees(told.was)

    def _lose(self, told: Told) -> None:
        self.outbox.forget_ticks()
        if self.call is not None:
            self.close(UNKNOWN)
        elif told.call is not None:
            self._event(told.id, gone(told.call, at=timezone.now()))

    def _put(self, told: Told) -> None:
        if told.noun == "stream":
            self.streams.add(told.key)
        if told.noun == "utterance":
            self.outbox.final(told.stream, told.track)
        self._event(told.id, self._in_words(told) if told.noun == "command" else told.body)

    def _in_words(self, told: Told) -> str:
        """A command's reason in the language of its reader; all else was encoded once for everybody."""
        message = json.loads(told.body)
        if "text" not in message:
            return told.body
        with override(self.language):
            return encode(in_words(message))

    def _event(self, id_: int, body: str) -> None:
        try:
            self.outbox.event(id_, body)
        except Behind:
            self._too_slow()
        self.wake.set()

    def tick(self, tick: Tick) -> None:
        """Put a tick into the outbox: as its scope sees it for the wall, cut to its streams for one call."""
        if tick.kind == "partials":
            self._partials(tick)
        elif text := tick.levels_for(self.scope) if self.call is None else tick.only(self.streams):
            put = self.outbox.levels if tick.kind == "levels" else self.outbox.health
            put(tick.source, text)
        self.wake.set()

    def _partials(self, tick: Tick) -> None:
        for line in tick.lines_for(self.scope):
            if self.call in (None, line.call):
                self.outbox.partial(line.stream, line.track, line.text)

    def _too_slow(self) -> None:
        count("browser.behind")
        _log.warning("ws.too_slow", extra={"behind": self.outbox.behind()})
        self.close(TOO_SLOW)
