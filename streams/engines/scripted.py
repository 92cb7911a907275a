"""An engine without models, for tests: a word for each second louder than a whisper, always the same."""

from __future__ import annotations

from collections.abc import Sequence

from streams.audio import RATE, level
from streams.engines.base import Event, Options, Params, Word

__all__ = ["Scripted", "ScriptedSession", "make"]

_WORDS = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
_LOUD_DBFS = -45.0
_HANGOVER_MS = 500
_WORD_MS = 1_000


class Scripted:
    """Opens scripted sessions; hears every language."""

    languages: Sequence[str] = ()

    def open(self, params: Params) -> ScriptedSession:
        """A session for one track."""
        return ScriptedSession(params.first_number - 1)

    def stop(self) -> None:
        """Nothing runs."""


def make(options: Options) -> Scripted:
    """The engine as the registry makes it; no option matters."""
    return Scripted()


class ScriptedSession:
    """The first word at once, another after each second of loud sound, final after half a second of quiet."""

    def __init__(self, number: int) -> None:
        self._number = number
        self._start_ms = self._end_ms = self._loud_ms = 0
        self._open = self._closed = False
        self._events: list[Event] = []
        self.backlog = 0

    @property
    def finished(self) -> bool:
        """Whether it was closed and has given everything."""
        return self._closed and not self._events

    def feed(self, ulaw: bytes, timestamp_ms: int) -> None:
        """Judge each piece by its loudness."""
        end_ms = timestamp_ms + len(ulaw) * 1000 // RATE
        if level(ulaw).rms_dbfs >= _LOUD_DBFS:
            self._loud(timestamp_ms, end_ms)
        elif self._open and end_ms - self._end_ms >= _HANGOVER_MS:
            self._final(end_ms)

    def flush(self) -> None:
        """End the open utterance."""
        if self._open:
            self._final(self._end_ms)

    def close(self) -> None:
        """No sound will come."""
        self.flush()
        self._closed = True

    def events(self) -> list[Event]:
        """What happened since."""
        events, self._events = self._events, []
        return events

    def _loud(self, timestamp_ms: int, end_ms: int) -> None:
        if not self._open:
            self._open, self._start_ms, self._loud_ms = True, timestamp_ms, 0
            self._number += 1
            self._events.append(Event("speech", self._number, timestamp_ms))
        before, self._end_ms = self._count(), end_ms
        self._loud_ms += end_ms - timestamp_ms
        if self._count() > before or not before:
            self._events.append(self._event("partial", end_ms))

    def _final(self, heard_ms: int) -> None:
        self._open = False
        self._events.append(self._event("final", heard_ms))

    def _count(self) -> int:
        return -(-self._loud_ms // _WORD_MS)

    def _event(self, kind: str, heard_ms: int) -> Event:
        words = [_WORDS[place % len(_WORDS)] for place in range(max(1, self._count()))]
        return Event(
            "final" if kind == "final" else "partial",
            self._number,
            self._start_ms,
            self._end_ms,
            " ".join(words),
            1.0,
            tuple(Word(word, 1.0) for word in words),
            heard_ms,
        )
