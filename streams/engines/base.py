"""What an engine is: something that hears telephone sound and says what was said.

An engine satisfies `Engine`, its sessions satisfy `Session`; nothing is inherited. `streams.engines.run`
carries sound from journals to sessions and their events into words files, for every engine alike.

The contract
- `Engine.open` gives one session for one track of one stream; the session numbers its utterances from
  `first_number` on. Many sessions are open at once. All calls come from one thread.
- `Session.feed` takes mu-law sound in order, with the stream time of its first byte. It returns at once: what
  takes long happens elsewhere. Time that is missing is missing sound, never closed up; sound that comes late
  may be dropped.
- `Session.events` gives what happened since the last call, in order, and never waits. Utterances are final in
  the order of their numbers. A `partial` is only a guess and may be left out; an empty one takes back the
  partials of its number. A number without a final line was nothing.
- `Event.heard_ms` of a `final` is the stream time before which nothing needs to be heard again: an engine
  that is
  started anew there, with the next number, leaves no hole and hears nothing twice.
- `Session.flush` says that no sound comes for now; `Session.close` that none will come. Finals of what was
  fed
  still follow; `Session.finished` tells when all were given.
- `Session.backlog` is the number of finals still to come; who feeds faster than real time waits while it is
  high.
- What goes wrong with one utterance is an `error` event, and the session goes on. Sound is never logged, and
  neither is text.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

__all__ = ["Engine", "Event", "Options", "Params", "Session", "Word"]


@dataclass(frozen=True, slots=True)
class Options:
    """What an engine is made with: where its models lie, and ms of speech between partials (0: none)."""

    models: Path
    partial_ms: int = 1_000


@dataclass(frozen=True, slots=True)
class Params:
    """What a session is for. `hints` are likely phrases; an engine may have no use for them."""

    stream: str
    track: str
    language: str = "en"
    hints: Sequence[str] = ()
    first_number: int = 1


@dataclass(frozen=True, slots=True)
class Word:
    """One word of an utterance, and how sure the engine is of it, 0 … 1."""

    text: str
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """Something heard; times in ms of the stream. `end_ms` and `text` are empty for `speech`."""

    kind: Literal["partial", "final", "speech", "error"]
    number: int
    start_ms: int
    end_ms: int = 0
    text: str = ""
    confidence: float | None = None
    words: Sequence[Word] = field(default_factory=tuple)
    heard_ms: int = 0


class Session(Protocol):
    """The hearing of one track; see the contract above."""

    @property
    def backlog(self) -> int: ...

    @property
    def finished(self) -> bool: ...

    def feed(self, ulaw: bytes, timestamp_ms: int) -> None: ...

    def events(self) -> list[Event]: ...

    def flush(self) -> None: ...

    def close(self) -> None: ...


class Engine(Protocol):
    """Something that opens sessions. `languages`: the primary subtags it hears, such as "en"; () is any."""

    languages: Sequence[str]

    def open(self, params: Params) -> Session: ...

    def stop(self) -> None: ...
