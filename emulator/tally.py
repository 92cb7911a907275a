"""What a run did and how punctually, in one line."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from emulator.lateness import Lateness
from emulator.leg import Leg


@dataclass
class Tally:
    """What legs did: how many there were, their streams, the frames sent."""

    calls: int = 0
    streams: int = 0
    frames: int = 0

    def add(self, leg: Leg) -> None:
        """Count a leg that will not be seen again."""
        self.calls += 1
        self.streams += len(leg.streams)
        self.frames += sum(sum(stream.sent.values()) for stream in leg.streams)

    def report(self, legs: Iterable[Leg], lateness: Lateness) -> dict[str, Any]:
        """These counts with those of the legs at hand, and how late ticks were (99th percentile, ms)."""
        whole = Tally(self.calls, self.streams, self.frames)
        for leg in legs:
            whole.add(leg)
        return {
            "calls": whole.calls,
            "streams": whole.streams,
            "frames": whole.frames,
            "late_p99_ms": lateness.of_all(0.99),
        }
