"""Who talks and how loud, from the levels of one stream: talk share, overtalk, silence. Pure.

Fed with each tick of the levels, never with a frame. A track speaks from a level above SPEAKING_DBFS until
HOLD_MS after it: speech has holes between words. The pages judge alike (static/js/talk.js).
"""

import math
from typing import Any, Final

from streams.audio import SILENCE_FLOOR, Level

__all__ = ["CLIPPED_DBFS", "HOLD_MS", "SPEAKING_DBFS", "STALLED_MS", "Second", "Talk"]

SPEAKING_DBFS: Final = -45.0
HOLD_MS: Final = 700
CLIPPED_DBFS: Final = -0.3
"""A peak above is mu-law's largest value (−0.17 dBFS; the next one is −0.45)."""

STALLED_MS: Final = 2000
"""Ticks come each 100 ms; of so much time without one nothing is known."""

_SECOND_MS: Final = 1000
_LONG_AGO: Final = -10 * HOLD_MS

Second = tuple[float, int, int]
"""The loudest of some seconds: its RMS in dBFS, when it began (ms of the stream), the most clipped ms."""


class _Side:
    """One track."""

    __slots__ = (
        "_clipped",
        "_ms",
        "_power",
        "clipped_ms",
        "loudest",
        "ms",
        "recent",
        "spoke_at",
    )

    def __init__(self) -> None:
        self.ms = 0
        self.spoke_at = _LONG_AGO
        self.clipped_ms = 0
        self.loudest: Second | None = None
        self.recent: Second | None = None
        self.begin()

    def begin(self) -> None:
        """Forget the second that is under way, and that the track spoke just now."""
        self.spoke_at = _LONG_AGO
        self._ms, self._clipped, self._power = 0, 0, 0.0

    def hear(self, level: Level | None, at_ms: int, ms: int) -> None:
        """Take one tick that ended at `at_ms`; no frame is as good as silence."""
        if level is not None:
            rms, peak = level
            if rms > SPEAKING_DBFS:
                self.spoke_at = at_ms
            self._power += 10.0 ** (rms * 0.1) * ms
            if peak >= CLIPPED_DBFS:
                self._clipped += ms
        self._ms += ms
        if self._ms >= _SECOND_MS:
            self._end_second(at_ms)

    def _end_second(self, at_ms: int) -> None:
        mean = self._power / self._ms
        dbfs = max(SILENCE_FLOOR, 10 * math.log10(mean)) if mean > 0 else SILENCE_FLOOR
        second = dbfs, at_ms - self._ms, self._clipped
        self.clipped_ms += self._clipped
        self.loudest = _louder(self.loudest, second)
        self.recent = _louder(self.recent, second)
        self._ms, self._clipped, self._power = 0, 0, 0.0


class Talk:
    """The figures of one stream. `met` says whether its two sides are people who are connected.

    Until they are, outbound is music and prompts, nobody is silent and nobody interrupts: only how loud
    inbound is counts. All times are ms of the stream.
    """

    __slots__ = (
        "_both_since",
        "_since",
        "at_ms",
        "both_ms",
        "inbound",
        "longest_both",
        "longest_silence",
        "met",
        "outbound",
        "silent_ms",
    )

    def __init__(self, *, met: bool = False) -> None:
        self.met = met
        self.at_ms = 0
        self.inbound, self.outbound = _Side(), _Side()
        self.both_ms = self.silent_ms = 0
        self.longest_both = self.longest_silence = (0, 0)  # ms, and when it began
        self._since = 0
        self._both_since: int | None = None

    def meet(self, met: bool) -> None:
        """The two are connected from now on, or not any more: a silence or an overtalk ends here."""
        if met != self.met:
            self.met = met
            self._begin()

    def skip(self, at_ms: int) -> None:
        """Nothing may be judged up to here, as while the stream is paused."""
        self.at_ms = max(self.at_ms, at_ms)
        self._begin()

    def hear(self, inbound: Level | None, outbound: Level | None, *, at_ms: int) -> None:
        """Take the levels of the tick that ends at `at_ms`; None where no frame came."""
        ms = at_ms - self.at_ms
        if ms <= 0:
            return
        if ms > STALLED_MS:  # we stood still, which says nothing of the two
            self.skip(at_ms)
            return
        self.at_ms = at_ms
        self.inbound.hear(inbound, at_ms, ms)
        if self.met:
            self.outbound.hear(outbound, at_ms, ms)
            self._share(at_ms, ms)

    @property
    def silence(self) -> tuple[int, int]:
        """How long nobody has spoken, since the last word, and since when; 0 ms while somebody speaks."""
        since = max(self._since, self.inbound.spoke_at, self.outbound.spoke_at)
        lasts = self.at_ms - since
        return (lasts, since) if self.met and lasts >= HOLD_MS else (0, self.at_ms)

    @property
    def overtalk(self) -> tuple[int, int]:
        """How long both have been speaking, and since when; 0 ms while they do not."""
        if self._both_since is None:
            return 0, self.at_ms
        return self.at_ms - self._both_since, self._both_since

    def take_recent(self) -> dict[str, Second]:
        """The loudest full second of each track since this was asked last."""
        sides = {"inbound": self.inbound, "outbound": self.outbound}
        recent = {track: side.recent for track, side in sides.items() if side.recent is not None}
        self.inbound.recent = self.outbound.recent = None
        return recent

    def message(self) -> dict[str, int]:
        """What pages get each second: the whole stream so far, and the silence that goes on."""
        return {
            "inbound_ms": self.inbound.ms,
            "outbound_ms": self.outbound.ms,
            "both_ms": self.both_ms,
            "silent_ms": self.silent_ms,
            "silence_ms": self.silence[0],
        }

    def figures(self) -> dict[str, Any]:
        """What is kept of the stream: times, the longest of each, the loudest second, what was clipped."""
        return {
            "inbound_ms": self.inbound.ms,
            "outbound_ms": self.outbound.ms,
            "both_ms": self.both_ms,
            "silent_ms": self.silent_ms,
            "longest_silence": _longest(self.longest_silence),
            "longest_both": _longest(self.longest_both),
            "inbound": _loudness(self.inbound),
            "outbound": _loudness(self.outbound),
        }

    def _share(self, at_ms: int, ms: int) -> None:
        inbound, outbound = self.inbound, self.outbound
        ours = at_ms - inbound.spoke_at < HOLD_MS
        theirs = at_ms - outbound.spoke_at < HOLD_MS
        if ours:
            inbound.ms += ms
        if theirs:
            outbound.ms += ms
        if ours and theirs:
            self._overtalk(at_ms, ms)
            return
        self._both_since = None
        if not ours and not theirs:
            self._silence(at_ms, ms)

    def _overtalk(self, at_ms: int, ms: int) -> None:
        self.both_ms += ms
        if self._both_since is None:
            self._both_since = at_ms - ms
        if at_ms - self._both_since > self.longest_both[0]:
            self.longest_both = at_ms - self._both_since, self._both_since

    def _silence(self, at_ms: int, ms: int) -> None:
        self.silent_ms += ms
        lasts, since = self.silence
        if lasts > self.longest_silence[0]:
            self.longest_silence = lasts, since

    def _begin(self) -> None:
        self._since = self.at_ms
        self._both_since = None
        self.inbound.begin()
        self.outbound.begin()


def _louder(one: Second | None, other: Second) -> Second:
    """The louder of two, with the worse clipping of both."""
    if one is None:
        return other
    dbfs, at_ms, _ = max(one, other)
    return dbfs, at_ms, max(one[2], other[2])


def _longest(found: tuple[int, int]) -> dict[str, int]:
    return {"ms": found[0], "at_ms": found[1]}


def _loudness(side: _Side) -> dict[str, Any]:
    dbfs, at_ms, most = side.loudest or (None, None, 0)
    return {
        "loudest_dbfs": None if dbfs is None else round(dbfs, 1),
        "loudest_at_ms": at_ms,
        "clipped_ms": side.clipped_ms,
        "clipped_most_ms": most,
    }
