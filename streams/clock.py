"""One track's time: where each frame belongs, what is missing, what comes late or twice.

Loss is judged by `media.timestamp` alone, never by arrival: delivery is bursty without anything being lost,
and a carrier that suppresses silence sends nothing for a while. Rules, all in the stream's own ms:

- A frame less than 20 ms off the time that is due joins on to what is there: timestamps are whole ms and
  jitter, and sound must neither overlap nor tear. Drift adds up until it is a frame's worth, then it shows.
- 20 ms or more ahead of what is due is a hole from there to here. A first frame later than 500 ms leaves one
  too: a stream's first timestamp is small, but seldom 0.
- Behind what is due, a frame fills a hole that ended at most 200 ms ago if it fits there; else it is late
  (its hole is older) or doubled (its time is written), and dropped.
- Three frames in a row that go on from one another, 200 ms or more behind and with new sequence numbers: the
  sender's clock began anew. Sound goes on where it was, with a hole for the frames that were the proof.

Inside, time is counted in samples, so that payloads of any length add up.
"""

from collections import deque
from collections.abc import Iterable
from typing import Final

from msgspec import Struct

from streams.audio import BYTES_PER_MS

__all__ = ["DOUBLED", "LATE", "LATE_MS", "LEAD_MS", "TOLERANCE_MS", "Clock", "Hole", "without"]

TOLERANCE_MS: Final = 20
LATE_MS: Final = 200
LEAD_MS: Final = 500
LAST_MS: Final = 2**31 - 1

LATE: Final = -1
DOUBLED: Final = -2

_TOLERANCE = TOLERANCE_MS * BYTES_PER_MS
_LATE = LATE_MS * BYTES_PER_MS
_LEAD = LEAD_MS * BYTES_PER_MS
_LAST = LAST_MS * BYTES_PER_MS
_PROOF_FRAMES = 3
_PLAUSIBLE = 100_000  # messages that may be missing at once: a quarter of an hour of two tracks
_REMEMBERED = 64


class Hole(Struct):
    """Missing samples [start, end), between the frames of sequence numbers `before` and `after`.

    `lead` marks the time before the first frame: it may be filled, but nothing is known to be missing.
    """

    start: int
    end: int
    before: int = 0
    after: int = 0
    lead: bool = False

    @property
    def at_ms(self) -> int:
        """Where it begins."""
        return self.start // BYTES_PER_MS

    @property
    def ms(self) -> int:
        """How long it is; a part of a ms counts when it completes one."""
        return self.end // BYTES_PER_MS - self.at_ms


def without(holes: Iterable[Hole], start: int, end: int) -> list[Hole]:
    """The holes that remain when [start, end) has sound."""
    left: list[Hole] = []
    for hole in holes:
        if end <= hole.start or hole.end <= start:
            left.append(hole)
            continue
        if hole.start < start:
            left.append(Hole(hole.start, start, hole.before, hole.after, hole.lead))
        if end < hole.end:
            left.append(Hole(end, hole.end, hole.before, hole.after))  # no lead: sound came before it
    return left


class Clock:
    """Places the frames of one track. `hole` is the one that the last frame left before it, if any."""

    __slots__ = (
        "_due",
        "_offset",
        "_open",
        "_proof",
        "_proof_next",
        "_remembered",
        "_sequence",
        "_settled",
        "_settled_samples",
        "_stood_at",
        "hole",
        "restarts",
    )

    def __init__(self) -> None:
        self.hole: Hole | None = None
        self.restarts = 0
        self._due = -1  # the sample where the next frame is due; -1 before the first
        self._offset = 0  # what a restarted sender clock lacks, in samples
        self._sequence = -1  # the highest seen on this track
        self._open: list[Hole] = []
        self._settled: list[Hole] = []
        self._settled_samples = 0
        self._remembered: deque[Hole] = deque(maxlen=_REMEMBERED)
        self._proof = 0
        self._proof_next = 0
        self._stood_at = -1

    @property
    def end_ms(self) -> int:
        """Where the sound of this track ends so far."""
        return max(0, self._due) // BYTES_PER_MS

    @property
    def lost_ms(self) -> int:
        """All that is missing so far."""
        open_samples = sum(hole.end - hole.start for hole in self._open if not hole.lead)
        return (self._settled_samples + open_samples) // BYTES_PER_MS

    def place(self, timestamp_ms: int, size: int, sequence: int) -> int:
        """The ms at which a frame of `size` > 0 bytes is to be written; LATE or DOUBLED to drop it."""
        start = timestamp_ms * BYTES_PER_MS + self._offset
        due = self._due
        self.hole = None
        ahead = start - due
        if -_TOLERANCE < ahead < _TOLERANCE and due >= 0 and (ahead >= 0 or sequence > self._sequence):
            self._due = due + size
            if 0 < sequence - self._sequence <= _PLAUSIBLE:
                self._sequence = sequence
            if self._open:
                self._settle()
            return due // BYTES_PER_MS
        if due < 0:
            return self._first(start, size, sequence)
        if ahead > 0:
            return self._ahead(start, size, sequence)
        return self._behind(start, size, sequence)

    def finish(self) -> None:
        """No more frames come: every hole is final."""
        self._settle(everything=True)

    def take_settled(self) -> list[Hole]:
        """The holes that nothing can fill any more, each once."""
        settled, self._settled = self._settled, []
        return settled

    def _first(self, start: int, size: int, sequence: int) -> int:
        if start >= _LEAD:
            self._due = 0
            return self._ahead(start, size, sequence)
        if start > 0:
            self._open.append(Hole(0, start, self._sequence, sequence, lead=True))
        self._due = start + size
        self._note(sequence)
        return start // BYTES_PER_MS

    def _ahead(self, start: int, size: int, sequence: int) -> int:
        if start + size > _LAST:
            return LATE
        self.hole = Hole(self._due, start, self._sequence, sequence)
        self._open.append(self.hole)
        self._due = start + size
        self._note(sequence)
        self._settle()
        return start // BYTES_PER_MS

    def _note(self, sequence: int) -> None:
        """The newest number so far; a wild one is none, or all honest frames after it would look old."""
        if 0 < sequence - self._sequence <= _PLAUSIBLE:
            self._sequence = sequence

    def _behind(self, start: int, size: int, sequence: int) -> int:
        new = sequence > self._sequence
        self._note(sequence)
        at = self._fill(start, size, sequence, new)
        if at is not None:
            return at // BYTES_PER_MS
        if new and self._due - start >= _LATE and self._proves_restart(start, size):
            return self._restart(start, size, sequence)
        old = any(hole.start < start + size and start < hole.end for hole in self._remembered)
        return LATE if old else DOUBLED

    def _fill(self, start: int, size: int, sequence: int, new: bool) -> int | None:
        """The sample in an open hole where the frame fits, near its own time; the hole shrinks."""
        for hole in self._open:
            if not (new or hole.before < sequence < hole.after) or size > hole.end - hole.start:
                continue
            at = min(max(start, hole.start), hole.end - size)
            if abs(at - start) < _TOLERANCE:
                self._open = without(self._open, at, at + size)
                return at
        return None

    def _proves_restart(self, start: int, size: int) -> bool:
        follows = self._stood_at == self._due and abs(start - self._proof_next) < _TOLERANCE
        self._proof = self._proof + 1 if follows else 1
        self._proof_next = start + size
        self._stood_at = self._due
        return self._proof >= _PROOF_FRAMES

    def _restart(self, start: int, size: int, sequence: int) -> int:
        at = self._due + (_PROOF_FRAMES - 1) * size
        self._offset += at - start
        self._proof = 0
        self.restarts += 1
        return self._ahead(at, size, sequence)

    def _settle(self, everything: bool = False) -> None:
        """Put the holes aside that are too old to be filled."""
        keep: list[Hole] = []
        for hole in self._open:
            if not everything and self._due - hole.end <= _LATE:
                keep.append(hole)
                continue
            self._remembered.append(hole)
            if not hole.lead:
                self._settled.append(hole)
                self._settled_samples += hole.end - hole.start
        self._open = keep
