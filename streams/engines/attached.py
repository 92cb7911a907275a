"""One stream at the engine: its journal in, its words file out.

The lock of the words file makes this process the stream's engine. Each final line carries the journal offset
behind which its track has not been heard, so that whoever takes the stream over goes on exactly there.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

from streams import journal, wordfile
from streams.engines.base import Engine, Event, Params, Session
from streams.record import HEADER_BYTES

__all__ = ["Attached", "Unwanted"]

log = logging.getLogger("contactcenter.speech")

_KEPT = ("final", "done")  # while they cannot be written; later lines make up for the others
TRACKS = {kind: track for track, kind in journal.TRACK_KIND.items()}
_READ_BYTES = 1 << 16  # about two seconds of both tracks: one stream never keeps the others waiting for long
_MOST_BACKLOG = 8  # finals of one track still to decode, above which its journal is left to wait
_STILL_S = 1.0  # without a frame for so long, what is open is ended
_TELL_S = 2.0  # between two lines that say how far the stream was heard
_MARKS = 10_000  # frames whose place is remembered, 200 s: more than can be waiting


class Unwanted(Exception):
    """This stream needs no engine, or not this one: its head says so, or all its words are there."""


class Attached:
    """One stream being heard."""

    def __init__(self, path: Path, engine: Engine, now: float) -> None:
        """Claim the stream. Raises Unwanted, wordfile.Taken (another engine has it) or OSError.

        `now` here and in `step` is a monotonic time in seconds.
        """
        self.path = path
        self._head = _head(path, engine)
        self._words = wordfile.Writer(wordfile.words_path(path))
        try:
            numbers, offsets = _so_far(self._words.path)
        except Unwanted:
            self._words.close()
            raise
        self._tracks = {
            track: _Track(self._open(engine, track, numbers.get(track, 1)), track, offsets.get(track, 0), now)
            for track in TRACKS.values()
        }
        self._reader = journal.Reader(path, min(track.from_offset for track in self._tracks.values()))
        self._ended = False
        self._wanted = True  # a person may stop the words of a stream, and start them again
        self._from_ms = 0  # sound before it is of a time without words, however late it came
        self._read_ms = self._heard_ms = self._told_ms = 0
        self._told = now
        self._unwritten: deque[wordfile.Line] = deque()
        self.done = False

    def _open(self, engine: Engine, track: str, number: int) -> Session:
        facts = self._head
        hints = [hint for hint in facts.get("hints") or [] if isinstance(hint, str)]
        language = str(facts.get("language") or "en")
        return engine.open(Params(self.path.stem, track, language, hints, number))

    def step(self, now: float) -> None:
        """Read what is new in the journal, write what was heard. Never waits; `done` when all is written."""
        tracks = self._tracks.values()
        if self.backlog > _MOST_BACKLOG:
            for track in tracks:
                track.hold(now)
        elif not self._ended:
            for record in self._reader.read(_READ_BYTES):
                self._take(record, now)
        for track in tracks:
            track.rest(now)
        self._unwritten.extend(chain.from_iterable(track.lines() for track in tracks))
        self._note_heard(now)
        if self._ended and not self.done and all(track.session.finished for track in tracks):
            self._unwritten.append({"kind": "done", "offset": self._reader.offset})
            self.done = True
        self._write()

    @property
    def backlog(self) -> int:
        """Finals of the busiest track still to be decoded."""
        return max(track.session.backlog for track in self._tracks.values())

    @property
    def finished(self) -> bool:
        """Whether every line, `done` included, is in the file."""
        return self.done and not self._unwritten

    def close(self) -> None:
        """Let go of the stream; the next engine goes on behind the last final line."""
        self._words.close()
        self._reader.close()

    def _take(self, record: journal.Record, now: float) -> None:
        if record.kind in TRACKS:
            self._read_ms = max(self._read_ms, record.timestamp_ms)
            if self._wanted and record.timestamp_ms >= self._from_ms:
                self._tracks[TRACKS[record.kind]].hear(record, now)
        elif record.kind == journal.PAUSE:
            self._flush()
        elif record.kind == journal.WORDS:
            self._wanted = record.facts().get("words") is not False
            self._from_ms = record.timestamp_ms if self._wanted else self._from_ms
            self._flush()
        elif record.kind == journal.END:
            self._ended = True
            for track in self._tracks.values():
                track.session.close()

    def _flush(self) -> None:
        """End what is being said: it was said before."""
        for track in self._tracks.values():
            track.session.flush()

    def _note_heard(self, now: float) -> None:
        """Say now and then how far everything was heard, so that silence is no standstill to who waits."""
        if self.backlog == 0:
            self._heard_ms = self._read_ms
        if now - self._told >= _TELL_S and self._heard_ms > self._told_ms:
            self._told, self._told_ms = now, self._heard_ms
            self._unwritten.append({"kind": "heard", "end_ms": self._heard_ms})

    def _write(self) -> None:
        """In order; a full disk keeps what waits, but for what a later line makes up for."""
        while self._unwritten:
            try:
                self._words.write(self._unwritten[0])
            except OSError as error:
                log.warning("speech.words.unwritten", extra={"stream": self.path.stem, "errno": error.errno})
                self._unwritten = deque(each for each in self._unwritten if each["kind"] in _KEPT)
                return
            self._unwritten.popleft()


def _head(path: Path, engine: Engine) -> dict[str, Any]:
    """What the journal says about itself. Raises Unwanted when no words, or not these, are wanted."""
    with journal.Reader(path) as reader:
        records = reader.read(_READ_BYTES)
    facts = records[0].facts() if records and records[0].kind == journal.HEAD else {"words": False}
    language = str(facts.get("language") or "en").split("-")[0].lower()
    if facts.get("words", True) is False or (engine.languages and language not in engine.languages):
        raise Unwanted
    return facts


def _so_far(path: Path) -> tuple[dict[str, int], dict[str, int]]:
    """By track: the number of the next utterance, and the offset to go on from. Raises Unwanted when done."""
    numbers: dict[str, int] = {}
    offsets: dict[str, int] = {}
    with wordfile.Reader(path) as reader:
        while lines := reader.read():
            for line in lines:
                if line["kind"] == "done":
                    raise Unwanted
                if line["kind"] == "final":
                    numbers[line["track"]], offsets[line["track"]] = line["number"] + 1, line["offset"]
    return numbers, offsets


class _Track:
    """One track's session, and where in the journal its sound stands."""

    def __init__(self, session: Session, name: str, from_offset: int, now: float) -> None:
        self.session, self.from_offset = session, from_offset
        self._name = name
        self._behind = from_offset  # the end of the last frame
        self._marks: deque[tuple[int, int]] = deque(maxlen=_MARKS)  # end in ms and in bytes, frame by frame
        self._last = now
        self._resting = True

    def hear(self, record: journal.Record, now: float) -> None:
        """Feed one frame, unless a final line written before covers it."""
        if record.end <= self.from_offset:
            return
        self._last, self._resting, self._behind = now, False, record.end
        self._marks.append((record.timestamp_ms, record.end - HEADER_BYTES - len(record.payload)))
        self.session.feed(record.payload, record.timestamp_ms)

    def hold(self, now: float) -> None:
        """Its journal is not being read: that no frame comes means nothing."""
        self._last = now

    def rest(self, now: float) -> None:
        """End what is open when no frame has come for a while."""
        if not self._resting and now - self._last > _STILL_S:
            self._resting = True
            self.session.flush()

    def lines(self) -> Iterator[wordfile.Line]:
        """What was heard, as lines."""
        for event in self.session.events():
            if event.kind == "error":
                log.warning("speech.utterance.lost", extra={"track": self._name, "number": event.number})
            else:
                yield self._line(event)

    def _line(self, event: Event) -> wordfile.Line:
        line: wordfile.Line = {
            "kind": "final" if event.kind == "final" else "partial",
            "track": self._name,
            "number": event.number,
            "start_ms": event.start_ms,
            "end_ms": event.end_ms,
            "text": event.text,
            "confidence": event.confidence,
            "words": [{"text": word.text, "confidence": word.confidence} for word in event.words],
        }
        if event.kind == "speech":
            return {"kind": "speech", "track": self._name, "number": event.number, "start_ms": event.start_ms}
        if event.kind == "final":
            line["offset"] = self._heard(event.heard_ms)
        return line

    def _heard(self, heard_ms: int) -> int:
        """The offset of the first frame that this final does not cover; frames that it does are forgotten."""
        while self._marks and self._marks[0][0] < heard_ms:
            self._marks.popleft()
        return self._marks[0][1] if self._marks else self._behind
