"""What is played to one party over time: prompts, music, another leg, a conference, a server's audio."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from emulator.audio.sound import SILENCE, Frame, Sound, Word
from emulator.pacing import TICK_MS, Pacer

KEEP = 5_000


@dataclass(frozen=True)
class Spoken:
    """A piece of sound in the ticks [start, end), `skipped_ms` into it.

    From a recording: `file` and `channel`; of a prompt: `text`, which says what was spoken or played.
    """

    file: str
    channel: str
    start: int
    end: int
    skipped_ms: int = 0
    text: str = ""

    def within(self, start: int, end: int) -> Spoken | None:
        """The part of it that falls into these ticks."""
        first, last = max(start, self.start), min(end, self.end)
        if first >= last:
            return None
        skipped = self.skipped_ms + (first - self.start) * TICK_MS
        return Spoken(self.file, self.channel, first, last, skipped, self.text)


class Source(Protocol):
    """Something that can be heard."""

    def frame(self, tick: int) -> Frame:
        """What it sounds like at this tick."""
        ...

    def spoken(self, start: int, end: int) -> list[Spoken]:
        """What was said by it in the ticks [start, end), for the truth log."""
        ...

    def words(self, start: int, end: int) -> list[str]:
        """The words finished in the ticks [start, end), as far as they are known."""
        ...


class Prompt:
    """One sound played from tick `start` on, once or for ever; `text` says in the log what it was."""

    def __init__(
        self, sound: Sound, start: int, text: str, *, again: bool = False, words: Sequence[Word] = ()
    ) -> None:
        self._frames = sound.frames
        self._start = start
        self._text = text
        self._again = again
        self._words = words

    def frame(self, tick: int) -> Frame:
        at = tick - self._start
        if self._again and at >= 0 and self._frames:
            at %= len(self._frames)
        return self._frames[at] if 0 <= at < len(self._frames) else SILENCE

    def spoken(self, start: int, end: int) -> list[Spoken]:
        last = end if self._again else self._start + len(self._frames)
        piece = Spoken("", "", self._start, last, text=self._text).within(start, end)
        return [piece] if piece is not None else []

    def words(self, start: int, end: int) -> list[str]:
        return [w.text for w in self._words if start <= self._start + (w.end_ms - 1) // TICK_MS < end]


@dataclass
class Hearing:
    """The ticks [start, end) in which a source was heard; open while `end` is None."""

    source: Source
    start: int
    end: int | None = None


class Ear:
    """The sources that play to one party; the one that began last is heard, those under it wait."""

    def __init__(self, pacer: Pacer) -> None:
        self._pacer = pacer
        self._stack: list[Source] = []
        self.past: list[Hearing] = []

    def frame(self, tick: int) -> Frame:
        """What the party hears at this tick."""
        return self._stack[-1].frame(tick) if self._stack else SILENCE

    def spoken(self, start: int, end: int) -> list[Spoken]:
        """What the party heard in the ticks [start, end)."""
        return [piece for source, *ticks in self._during(start, end) for piece in source.spoken(*ticks)]

    def words(self, start: int, end: int) -> list[str]:
        """The words that the party heard to their end in the ticks [start, end)."""
        return [word for source, *ticks in self._during(start, end) for word in source.words(*ticks)]

    def _during(self, start: int, end: int) -> Iterator[tuple[Source, int, int]]:
        for heard in self.past:
            first = max(start, heard.start)
            last = min(end, heard.end if heard.end is not None else end)
            if first < last:
                yield heard.source, first, last

    @contextmanager
    def hearing(self, source: Source) -> Iterator[None]:
        """Play `source` while the block runs, from the next tick on."""
        self.begin(source)
        try:
            yield
        finally:
            self.end(source)

    def begin(self, source: Source) -> None:
        """Play `source` over what plays now."""
        self._stack.append(source)
        self._turn()

    def end(self, source: Source) -> None:
        """Stop it, wherever it stands; harmless when it does not play."""
        if source in self._stack:
            self._stack.remove(source)
            self._turn()

    def _turn(self) -> None:
        """Write down who is heard from the next tick on."""
        now, top = self._pacer.number + 1, self._stack[-1] if self._stack else None
        last = self.past[-1] if self.past else None
        if last is not None and last.end is None:
            if last.source is top:
                return
            last.end = now
        if top is not None:
            self.past.append(Hearing(top, now))
            del self.past[:-KEEP]
