"""One stream that this process owns: from its `start` until its rows are written and its words are final."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from calls.rules import Ear
from streams import wordfile
from streams.audio import Level
from streams.ingest import Ingest
from streams.journal import Writer as Journal
from streams.live.runner import Runner
from streams.live.spoken import Spoken
from streams.protocol import StartBody
from streams.services.admission import Admitted
from streams.services.streams import Hole, Totals
from streams.talk import Talk

__all__ = ["LiveStream"]

HangUp = Callable[[int, str, str], None]


@dataclass(slots=True, eq=False)
class LiveStream:
    """What the rounds of a media process know of a stream. `begun_at`, `ended_at`: the loop's clock, s."""

    sid: str
    start: StartBody
    admitted: Admitted
    parameters: dict[str, str]
    opened_at: datetime
    begun_at: float
    ingest: Ingest
    journal: Journal | None
    hang_up: HangUp  # (close code, reason of the row, event of the log): ends the socket
    lines: wordfile.Reader | None = None  # None: nobody writes down what is said
    ticket_id: int | None = None
    call_id: int | None = None
    ended_at: float | None = None
    end_reason: str = ""
    row_closed: bool = False
    words_final: bool = False
    settling: bool = False
    holes: list[Hole] = field(default_factory=list)
    told: Totals = field(default_factory=Totals)
    talk: Talk = field(default_factory=Talk)
    ear: Ear = field(default_factory=Ear)
    spoken: Spoken = field(default_factory=Spoken)
    activity: int = 0
    heard_at: float = 0.0
    quiet_noted: bool = False
    degraded_noted: bool = False
    runner: Runner | None = None  # of a bidirectional stream: who talks on it
    keeps_words: bool = True  # False: a voice hears them, and nobody writes them down

    def totals(self) -> Totals:
        """What it has carried so far."""
        counters = self.ingest.counters
        return Totals(
            frames=counters.frames,
            bytes=counters.bytes,
            lost_ms=counters.lost_ms,
            late=counters.late + counters.doubled,
            errors=counters.errors,
            last_ms=counters.last_ms,
        )

    def came(self) -> int:
        """How many messages have come, of any kind; only good to be compared with itself."""
        c = self.ingest.counters
        return c.frames + c.late + c.doubled + c.empty + c.unknown_events + c.signs + c.errors

    def write_down(self, wanted: bool) -> None:
        """Have what is said from here on written down, or not. A voice goes on hearing it."""
        if self.admitted.voice:
            self.keeps_words = wanted and self.admitted.keeps_words
        else:
            self.ingest.write_down(wanted)

    def gather_gaps(self) -> None:
        """Take over the gaps that nothing can fill any more."""
        gaps = self.ingest.session.take_gaps()
        self.holes.extend(Hole(gap.track, gap.at_ms, gap.ms, gap.cause) for gap in gaps)

    def hear(self, levels: dict[str, Level | None] | None, now: float) -> None:
        """Take the levels of the tick that ends `now`, of the loop's clock. While paused there are none."""
        at_ms = round((now - self.begun_at) * 1000)
        if self.ingest.paused or levels is None:
            self.talk.skip(at_ms)
        else:
            self.talk.hear(levels["inbound"], levels["outbound"], at_ms=at_ms)

    def health(self) -> dict[str, Any]:
        """What pages show: ms lost, frames late, ms that the words are behind, that they fail, who talks."""
        totals = self.totals()
        counted = {"lost_ms": totals.lost_ms, "late": totals.late, "talk": self.talk.message()}
        return {**counted, **self.spoken.health()}
