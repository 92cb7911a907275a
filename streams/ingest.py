"""The whole work for one message of a media stream, on any server: one synchronous call, nothing awaited.

size → decode → session → journal → level, in this order: what a browser sees moving is kept already.
Neither a database nor an engine nor a browser can be waited for here, and a failing disk does not end a call.
"""

import time
from collections.abc import Callable
from enum import Enum
from typing import Final

from msgspec import Struct

from streams.happenings import Closed, Counters, Frame, Gap, Greeted, Happening, Key, Marked, Opened
from streams.journal import KEY, MARK, SENT, TRACK_KIND, JournalError, Writer
from streams.levels import Levels
from streams.protocol import ProtocolError, Start, decode
from streams.session import Session

__all__ = ["Ingest", "Limits", "Seen"]

Spare = Callable[[], Writer | None]

TOLERATED: Final = frozenset({"unknown_track", "unexpected"})
"""Errors that do not make a sender hostile: Twilio may add tracks and events. The rate limit counts them."""

FATAL: Final = frozenset({"order", "too_large", "flood"})
"""Errors after which the socket is to be closed at once."""

_RATE_STEP = 64  # messages between two looks at the clock
_BURST_SECONDS = 10
_FIRST_SECONDS = 2
_MARK_BYTES = 400


class Seen(Enum):
    """What a message was, for whoever holds the socket."""

    MEDIA = "media"
    CONNECTED = "connected"
    START = "start"  # read `session.start`, admit it, then `attach` a journal before the next message
    KEY = "key"
    MARK = "mark"
    STOP = "stop"
    PASSED = "passed"  # an event that we do not know
    BAD = "bad"  # counted in `counters`, named in `error`; go on
    CLOSE = "close"  # close the socket; `error` says why


class Limits(Struct, frozen=True):
    """What is borne before `flood`. `per_second`: messages for each track, over 2 s at first and 10 s later
    (a backlog is no flood); 0 is no limit, as in virtual time."""

    bad_messages: int = 20
    per_second: int = 200


_SEEN: dict[type[Happening], Seen] = {
    Opened: Seen.START,
    Closed: Seen.STOP,
    Key: Seen.KEY,
    Marked: Seen.MARK,
    Greeted: Seen.CONNECTED,
}


class Ingest:
    """Takes the messages of one stream. `happened` is what the last one meant, `error` the last refusal."""

    def __init__(
        self,
        session: Session,
        journal: Writer | None = None,
        levels: Levels | None = None,
        *,
        limits: Limits | None = None,
        spare: Spare | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Without a journal nothing is kept. `spare` gives the next journal when one cannot be written."""
        self.session = session
        self.journal = journal
        self.levels = levels
        self.limits = limits or Limits()
        self.happened: list[Happening] = []
        self.error: ProtocolError | None = None
        self.degraded = False
        self.paused = False
        self.words = True
        self._spare = spare
        self._clock = clock
        self._bad = 0
        self._until_check = _RATE_STEP
        self._looked_at = clock()
        self._credit = 0.0
        self._credited = False

    @property
    def counters(self) -> Counters:
        """The stream's figures, up to date."""
        return self.session.counters

    @property
    def start(self) -> Start | None:
        """The stream's `start`, once it came."""
        return self.session.start

    def attach(self, journal: Writer | None) -> None:
        """From now on write there."""
        self.journal = journal

    def feed(self, text: str | bytes) -> Seen:
        """Take one text message. Never raises: what is wrong is counted and told."""
        self._until_check -= 1
        if not self._until_check and self._flooded():
            return self._refuse(ProtocolError("flood", "messages a second"), count=True)
        try:
            message = decode(text)
        except ProtocolError as error:
            return self._refuse(error, count=True)
        try:
            self.happened = happened = self.session.receive(message)
        except ProtocolError as error:
            return self._refuse(error, at_start=isinstance(message, Start))
        if not happened:
            return Seen.PASSED
        seen = Seen.MEDIA
        for happening in happened:
            if type(happening) is Frame:
                self._keep(happening)
            else:
                seen = self._note(happening)
        return seen

    def feed_binary(self, data: bytes) -> Seen:
        """Take one binary message: there is none in the protocol."""
        return self._refuse(ProtocolError("binary", f"{len(data)} bytes"), count=True)

    def pause(self) -> None:
        """Keep nothing from here on: neither journal nor level gets sound. May be repeated."""
        if not self.paused:
            self.paused = True
            self._write(lambda journal: journal.pause(self.session.position_ms, True))
            self.session.pause()

    def resume(self) -> None:
        """Keep again; the time between is a gap with the cause "paused". May be repeated."""
        if self.paused:
            for gap in self.session.resume():
                self._note(gap)
            self._write(lambda journal: journal.pause(self.session.position_ms, False))
            self.paused = False

    def write_down(self, wanted: bool) -> None:
        """Have what is said from here on written down, or not; sound and levels go on. May be repeated."""
        if wanted is not self.words:
            self.words = wanted
            self._write(lambda journal: journal.words(self.session.position_ms, wanted))

    def sent(self, at_ms: int, sound: bytes) -> None:
        """What the caller hears of us from `at_ms` of the stream on."""
        if self.paused:
            return
        self._write(lambda journal: journal.append(SENT, at_ms, 0, sound))
        if self.levels is not None:
            self.levels.add(self.session.stream_sid, "outbound", sound)

    def _keep(self, frame: Frame) -> None:
        if self.paused:
            return
        journal = self.journal
        if journal is not None:
            try:
                journal.append(TRACK_KIND[frame.track], frame.at_ms, frame.sequence, frame.payload)
            except JournalError:
                self._change_journal()
                self._write(
                    lambda j: j.append(TRACK_KIND[frame.track], frame.at_ms, frame.sequence, frame.payload)
                )
        if self.levels is not None:
            self.levels.add(self.session.stream_sid, frame.track, frame.payload)

    def _note(self, happening: Happening) -> Seen:
        """Write down what is no sound; what kind of message it was."""
        if isinstance(happening, Gap):
            gap = happening
            self._write(lambda journal: journal.gap(gap.track, gap.at_ms, gap.ms, gap.cause))
        elif isinstance(happening, Key):
            key = happening
            self._write(lambda journal: journal.append(KEY, key.at_ms, key.sequence, b"*"))
        elif isinstance(happening, Marked):
            mark, name = happening, happening.name.encode("utf-8", "replace")[:_MARK_BYTES]
            self._write(lambda journal: journal.append(MARK, mark.at_ms, mark.sequence, name))
        return _SEEN.get(type(happening), Seen.MEDIA)

    def _write(self, record: Callable[[Writer], None]) -> None:
        """Write a record, if need be to the spare journal; without one the stream goes on unkept."""
        try:
            if self.journal is not None:
                record(self.journal)
        except JournalError:
            self._change_journal()
            self._write(record)

    def _change_journal(self) -> None:
        """The journal cannot be written: go on in the next one, or in none."""
        self.degraded = True
        spare, self._spare = self._spare, None
        self.journal = spare() if spare is not None else None
        if not self.words:
            self._write(lambda journal: journal.words(self.session.position_ms, False))

    def _refuse(self, error: ProtocolError, *, count: bool = False, at_start: bool = False) -> Seen:
        self.happened = []
        self.error = error
        if count:
            self.session.count(error)
        self._bad += error.code not in TOLERATED
        if error.code in FATAL or at_start:
            return Seen.CLOSE
        if self._bad >= self.limits.bad_messages:
            self.error = ProtocolError("flood", f"{self._bad} bad messages")
            return Seen.CLOSE
        return Seen.BAD

    def _flooded(self) -> bool:
        """Whether more came than time and limit allow; time that was quiet is credit for a backlog."""
        self._until_check = _RATE_STEP
        rate = self.limits.per_second * max(1, len(self.session.tracks))
        if rate == 0:
            return False
        now = self._clock()
        if not self._credited:
            self._credit, self._credited = rate * _FIRST_SECONDS, True
        self._credit += (now - self._looked_at) * rate - _RATE_STEP
        self._credit = min(self._credit, rate * _BURST_SECONDS)
        self._looked_at = now
        return self._credit < 0
