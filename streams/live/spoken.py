"""What the words file of one stream tells of its engine, and what was just said in it.

Words have failed when nobody writes them down: no engine holds the words file, or one does and comes no
further. Silence is no failure: an engine says how far it has heard. Nor is a line that comes late: who writes
has not failed, however far behind.
"""

from collections import deque
from dataclasses import dataclass, field

from calls import redaction

__all__ = ["Spoken"]

UNCLAIMED_MS = 5_000  # of sound without an engine: one that died is started again within seconds
BEHIND_MS = 10_000  # of sound that an engine has not heard
STUCK_SECONDS = 10.0  # in which it came no further; one that catches up has not failed
SLOW_MS = 4_000  # from here on how far the engine is behind is told instead of how late its last line came
_LINES = 8


@dataclass(slots=True)
class Spoken:
    """Times in ms of the stream; `now` is the loop's clock in seconds."""

    failed: bool = False
    behind_ms: int = 0
    _late_ms: int = 0
    _heard_ms: int = 0
    _came_on_at: float = 0.0
    _wrote_at: float = -STUCK_SECONDS
    _claimed: bool = False
    _asked_ms: int | None = None
    _finals: dict[str, deque[tuple[int, str]]] = field(default_factory=dict)

    def heard(self, up_to_ms: int, now: float) -> None:
        """The engine has heard the stream up to there."""
        if up_to_ms > self._heard_ms:
            self._heard_ms, self._came_on_at = up_to_ms, now

    def wrote(self, now: float) -> None:
        """A line came, of whatever moment."""
        self._wrote_at = now

    def final(self, track: str, end_ms: int, text: str, position_ms: int) -> None:
        """A final line came, while the stream was at `position_ms`."""
        self._late_ms = max(0, position_ms - end_ms)
        self.said(track, end_ms, text)

    def said(self, track: str, end_ms: int, text: str) -> None:
        """This was said on the track, by whoever: what comes next is judged by it."""
        self._finals.setdefault(track, deque(maxlen=_LINES)).append((end_ms, text))
        if redaction.asks_code(text):
            self._asked_ms = end_ms

    def shown(self, track: str, start_ms: int, text: str) -> str:
        """A partial line as it may be shown, after what was said before it."""
        recent = [
            said for end_ms, said in self._finals.get(track, ()) if start_ms - end_ms <= redaction.GOES_ON_MS
        ]
        asked = self._asked_ms is not None and start_ms - self._asked_ms <= redaction.ASKED_MS
        return redaction.hidden_partial(text, before=recent, asked=asked)

    def judge(self, *, wanted: bool, claimed: bool, position_ms: int, now: float) -> None:
        """Whether words fail now. `wanted`: somebody should write them down; `claimed`: an engine does."""
        if not wanted:
            self._heard_ms = position_ms
        if claimed and not self._claimed:
            self._came_on_at = now
        self._claimed = claimed
        behind = max(0, position_ms - self._heard_ms)
        stuck = behind > BEHIND_MS and now - self._came_on_at > STUCK_SECONDS
        writes = now - self._wrote_at < STUCK_SECONDS
        self.failed = (stuck and not writes) if claimed else behind > UNCLAIMED_MS
        self.behind_ms = behind if behind > SLOW_MS else self._late_ms

    def health(self) -> dict[str, int]:
        """What the wall shows of it: ms that the words are behind the sound; `failed` if there are none."""
        return {"behind_ms": self.behind_ms, **({"failed": True} if self.failed else {})}
