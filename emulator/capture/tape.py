"""One recording: its time, its lines in order, and the bounds that keep it from growing for ever."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Literal, Protocol

from emulator.capture import entries
from emulator.capture.placeholders import Placeholders
from emulator.capture.strays import stray
from emulator.clock import Clock

logger = logging.getLogger("contactcenter.emulator")

MOST_LINES = 400_000
MOST_TROUBLES = 200

Listener = Callable[[entries.Line], None]


class Store(Protocol):
    """Where lines go."""

    def put(self, line: bytes) -> bool:
        """Keep a line; false when it cannot. Never waits and never raises."""
        ...


class Memory:
    """A store that is read back at once; for replays."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []

    def put(self, line: bytes) -> bool:
        self.lines.append(line)
        return True


class Tape:
    """Writes lines to a store and tells listeners of them. Whatever goes wrong here stays here."""

    def __init__(self, clock: Clock, store: Store, places: Placeholders, *, checked: bool) -> None:
        self._clock = clock
        self._store = store
        self._places = places
        self._origin = clock.seconds()
        self._listeners: list[Listener] = []
        self.count = 0
        self._troubles = 0
        self._ended = False
        self.lost = 0
        signatures: Literal["checked", "not checked"] = "checked" if checked else "not checked"
        self.write(entries.Opening(at=0, version=entries.VERSION, signatures=signatures))

    def now(self) -> float:
        """Milliseconds since the recording began."""
        return round((self._clock.seconds() - self._origin) * 1000, 1)

    def listen(self, listener: Listener) -> None:
        """Call it with every line from now on."""
        self._listeners.append(listener)

    def write(self, line: entries.Line) -> None:
        """Keep one line, unless it is one too many or betrays something."""
        if self._ended:
            return
        text = entries.write(line)
        if self._withheld(line, text):
            return
        if self.count >= MOST_LINES or not self._store.put(text):
            self.lost += 1
        self.count += 1
        for listener in self._listeners:
            listener(line)

    def trouble(self, text: str) -> None:
        """Write down that something went wrong; `text` must not quote anything that came in."""
        self._troubles += 1
        if self._troubles <= MOST_TROUBLES:
            self.write(entries.Trouble(at=self.now(), text=text))

    def end(self, why: str) -> None:
        """Write the last line; later ones are dropped."""
        if self._ended:
            return
        self._ended = True
        line = self._ending(why)
        if self._withheld(line, entries.write(line)):
            line = self._ending("withheld")  # without a last line the file would pass for half of one
        self._store.put(entries.write(line))

    def _ending(self, why: str) -> entries.Ending:
        return entries.Ending(at=self.now(), why=why, lost=self.lost)

    def _withheld(self, line: entries.Line, text: bytes) -> bool:
        """Nothing should come this far; if it does it is dropped and said."""
        if not (self._places.betrayed(text.decode()) or stray(line)):
            return False
        self.lost += 1
        logger.error("emulator.capture.withheld kind=%s", type(line).__name__)
        return True
