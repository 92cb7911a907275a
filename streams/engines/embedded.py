"""The engine that comes with the product: Silero finds the voice, Moonshine writes it down. English only.

feed ─► ear: windows, voice, segments ─► utterance: clips ─► pool of decoding threads ─► events

Voice activity runs where sound is fed, decoding in threads. A final is prepared as soon as the speaker
pauses: if the pause lasts it is ready when the utterance ends, if not it is shown as a partial.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal

from streams.engines.base import Event, Options, Params
from streams.engines.ear import Ear
from streams.engines.hearing import Hearing, Said
from streams.engines.moonshine import Moonshine
from streams.engines.pool import Job, Pool, Rank
from streams.engines.segments import Clip, Segmenter
from streams.engines.vad import VadModel

__all__ = ["Embedded", "EmbeddedSession", "make"]

_FIRST_PARTIAL_MS = 400  # of voice; in less there is no word yet


class Embedded:
    """Models and decoding threads, shared by all sessions of a process."""

    languages: Sequence[str] = ("en",)

    def __init__(self, models: Path, *, partial_ms: int = 1_000, threads: int = 2) -> None:
        """Load the models. `partial_ms` 0 gives no partials. Raises FileNotFoundError without them."""
        self.vad = VadModel(models)
        self.hearing = Hearing(Moonshine(models))
        self.partial_ms = partial_ms
        self.pool = Pool(threads)

    def hurried(self) -> bool:
        """Whether second hearings are left out: live lines are late. Without partials nobody waits."""
        return self.partial_ms > 0 and self.pool.behind

    def open(self, params: Params) -> EmbeddedSession:
        """A session for one track; hints are not used."""
        return EmbeddedSession(self, params)

    def stop(self) -> None:
        """End the decoding threads; what was not decoded is lost."""
        self.pool.stop()


def make(options: Options) -> Embedded:
    """The engine as the registry makes it."""
    return Embedded(options.models, partial_ms=options.partial_ms)


class EmbeddedSession:
    """The hearing of one track: its ear, its open utterance, and the finals still being decoded."""

    def __init__(self, engine: Embedded, params: Params) -> None:
        self._engine = engine
        self._ear = Ear(engine.vad)
        self._number = params.first_number - 1
        self._open: _Utterance | None = None
        self._ended: deque[tuple[_Utterance, _Decoding]] = deque()
        self._events: list[Event] = []
        self._closed = False

    @property
    def backlog(self) -> int:
        """Finals still to come."""
        return len(self._ended)

    @property
    def finished(self) -> bool:
        """Whether it was closed and has given everything."""
        return self._closed and not self._ended and not self._events

    def feed(self, ulaw: bytes, timestamp_ms: int) -> None:
        """Take sound at its stream time."""
        self._follow(self._ear.feed(ulaw, timestamp_ms))

    def flush(self) -> None:
        """No sound comes for now."""
        self._follow(self._ear.flush())

    def close(self) -> None:
        """No sound will come."""
        self.flush()
        self._closed = True

    def events(self) -> list[Event]:
        """What happened since, in order; a final waits for those before it."""
        if self._open:
            self._events.extend(self._open.guesses())
        while self._ended and self._ended[0][1].job.done:
            utterance, decoding = self._ended.popleft()
            self._events.extend(utterance.outcome(decoding))
        events, self._events = self._events, []
        return events

    def _follow(self, steps: Iterable[Clip | None]) -> None:
        for clip in steps:
            segmenter = self._ear.segmenter
            if clip and self._open:
                self._ended.append((self._open, self._open.end(clip)))
                self._open = None
            if segmenter.start_ms is None:
                continue
            if self._open is None:
                self._begin(segmenter.start_ms)
            elif not clip:
                self._open.grow(segmenter)

    def _begin(self, start_ms: int) -> None:
        self._number += 1
        self._open = _Utterance(self._engine, self._number, start_ms)
        self._events.append(Event("speech", self._number, start_ms))


class _Decoding:
    """A clip on its way through the pool; the draft is what was last heard of it, if anything."""

    def __init__(self, engine: Embedded, clip: Clip, rank: Rank, draft: Sequence[int]) -> None:
        self.clip = clip
        self.told = False
        if rank is not Rank.PARTIAL:
            self.job = Job[Said](
                lambda job: engine.hearing.final(clip, draft, lambda: job.dropped or engine.hurried())
            )
        else:
            self.job = Job[Said](lambda job: engine.hearing.partial(clip, draft))


class _Utterance:
    """One utterance from its first voice to its final: when to guess, and what was guessed."""

    def __init__(self, engine: Embedded, number: int, start_ms: int) -> None:
        self._engine, self._every_ms = engine, engine.partial_ms
        self._number = number
        self._due_ms = start_ms + min(_FIRST_PARTIAL_MS, engine.partial_ms)
        self._early: _Decoding | None = None
        self._partial: _Decoding | None = None
        self._draft: Sequence[int] = ()
        self._told = ""
        self._told_ms = 0

    def grow(self, segmenter: Segmenter) -> None:
        """One more window: prepare the final at a pause, drop it when the speaker goes on, guess when due."""
        if segmenter.pausing:
            self._early = self._put(segmenter.so_far(), Rank.EARLY)
            self._due_ms = segmenter.now_ms + self._every_ms  # it is a guess too
        elif segmenter.voiced and self._early and not self._early.job.dropped:
            self._early.job.dropped = True  # what of it is done by then still serves as a guess
            if not self._early.job.taken:
                self._due_ms = segmenter.now_ms
        if self._every_ms and segmenter.voiced and segmenter.now_ms >= self._due_ms:
            self._guess(segmenter)

    def _guess(self, segmenter: Segmenter) -> None:
        if self._partial and self._partial.job.busy:
            return
        if self._partial:
            self._partial.job.dropped = True
        self._partial = self._put(segmenter.so_far(), Rank.PARTIAL)
        self._due_ms = segmenter.now_ms + self._every_ms

    def _put(self, clip: Clip | None, rank: Rank) -> _Decoding | None:
        if clip is None:
            return None
        decoding = _Decoding(self._engine, clip, rank, self._draft)
        self._engine.pool.put(decoding.job, rank)
        return decoding

    def end(self, clip: Clip) -> _Decoding:
        """The utterance is whole: what was prepared for it if it is the same sound, else a new decoding."""
        if self._partial:
            self._partial.job.dropped = True
        decoding = self._early
        if decoding is None or not decoding.clip.same(clip) or decoding.job.dropped:
            decoding = _Decoding(self._engine, clip, Rank.FINAL, self._draft)
        self._engine.pool.put(decoding.job, Rank.FINAL)
        return decoding

    def guesses(self) -> list[Event]:
        """A partial event for each guess that was decoded since and says something new."""
        done = [each for each in (self._partial, self._early) if each and each.job.done and not each.told]
        return [event for decoding in done for event in self._tell(decoding)]

    def _tell(self, decoding: _Decoding) -> list[Event]:
        decoding.told = True
        said = decoding.job.result
        if not said or not said.text or not self._every_ms or decoding.clip.used_ms < self._told_ms:
            return []
        self._told_ms, self._draft = decoding.clip.used_ms, said.tokens
        if said.text == self._told:
            return []
        self._told = said.text
        return [self._event("partial", decoding.clip, said)]

    def outcome(self, decoding: _Decoding) -> list[Event]:
        """The final; without words, the taking back of what was shown; or that it could not be heard."""
        said = decoding.job.result
        if said and said.text:
            return [self._event("final", decoding.clip, said)]
        events = [self._event("partial", decoding.clip, Said())] if self._told else []
        if said is None:
            events.append(Event("error", self._number, decoding.clip.start_ms, decoding.clip.end_ms))
        return events

    def _event(self, kind: Literal["partial", "final"], clip: Clip, said: Said) -> Event:
        times = clip.start_ms, clip.end_ms
        return Event(kind, self._number, *times, said.text, said.confidence, said.words, clip.used_ms)
