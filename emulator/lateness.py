"""How late the sound goes out: of the last ticks exactly, of all ticks in steps."""

from __future__ import annotations

from collections import deque

KEPT = 5_000
STEP_MS = 0.1
STEPS = 20_000  # two seconds; what is later counts as that


class Lateness:
    """Milliseconds from when a tick was due until its last message was written."""

    def __init__(self) -> None:
        self._last: deque[float] = deque(maxlen=KEPT)
        self._steps = [0] * (STEPS + 1)
        self.ticks = 0

    def add(self, late_ms: float) -> None:
        """Count one tick."""
        self._last.append(late_ms)
        self._steps[min(STEPS, max(0, int(late_ms / STEP_MS)))] += 1
        self.ticks += 1

    def percentile(self, part: float, ticks: int = KEPT) -> float:
        """Of the last so many ticks, at most 5,000; 0.0 without any."""
        late = sorted(list(self._last)[-ticks:]) if ticks > 0 else []
        return round(late[min(len(late) - 1, int(len(late) * part))], 2) if late else 0.0

    def of_all(self, part: float) -> float:
        """Of all ticks ever, rounded up to a tenth of a millisecond; 0.0 without any."""
        wanted, passed = min(self.ticks - 1, int(self.ticks * part)), 0
        for step, count in enumerate(self._steps):
            passed += count
            if count and passed > wanted:
                return round((step + 1) * STEP_MS, 1)
        return 0.0
