"""Each second, for every open stream: whether it fell silent, and how far it has come."""

import asyncio
import logging

from calls.counters import count
from streams.live.stream import LiveStream
from streams.live.table import Table

__all__ = ["LOST_SECONDS", "QUIET_SECONDS", "Watch"]

# Delivery pauses for a quarter of a second now and then; a carrier that suppresses silence for longer.
QUIET_SECONDS = 10.0
LOST_SECONDS = 20.0
OVER = 1000
# A row each second for every stream would cost as much as a tenth of its media; a look in five, by turns.
PROGRESS_LOOKS = 5

_log = logging.getLogger("contactcenter.media")


def _turn(live: LiveStream) -> int:
    """Which of the looks writes this stream's progress: streams that began together are spread."""
    return int(live.sid[-4:], 16) % PROGRESS_LOOKS


class Watch:
    """Looks at what the sockets brought since the last look. `look` once a second."""

    def __init__(self, *, table: Table) -> None:
        self._table = table
        self._loop = asyncio.get_running_loop()
        self._looks = 0

    async def look(self) -> None:
        """Judge every open stream, have its progress written, and bring the journals to the disk."""
        now = self._loop.time()
        for live in self._table.open():
            self._note_failed_journal(live)
            self.judge(live, now)
            self._table.tell_gaps(live)
            if _turn(live) == self._looks % PROGRESS_LOOKS:
                self._table.tell_progress(live)
        self._looks += 1
        await self._table.sync()

    def _note_failed_journal(self, live: LiveStream) -> None:
        """Tell once that a stream's sound cannot be kept any more: the call goes on, its words end here."""
        if live.ingest.degraded and not live.degraded_noted:
            live.degraded_noted = True
            _log.error("journal.failed", extra={"stream": live.sid, "code": "write"})
            count("journal.failed")

    def judge(self, live: LiveStream, now: float) -> None:
        """End a stream of which nothing came for LOST_SECONDS; `now` is the loop's clock."""
        came = live.came()
        if came != live.activity:
            live.activity, live.heard_at, live.quiet_noted = came, now, False
        elif now - live.heard_at >= LOST_SECONDS:
            live.hang_up(OVER, "silent", "media.silent")
        elif now - live.heard_at >= QUIET_SECONDS and not live.quiet_noted:
            live.quiet_noted = True
            _log.info("media.quiet", extra={"stream": live.sid})
            count("media.quiet")
