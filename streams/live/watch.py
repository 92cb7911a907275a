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

_log = logging.getLogger("contactcenter.media")


class Watch:
    """Looks at what the sockets brought since the last look. `look` once a second."""

    def __init__(self, *, table: Table) -> None:
        self._table = table
        self._loop = asyncio.get_running_loop()

    async def look(self) -> None:
        """Judge every open stream, have its progress written, and bring the journals to the disk."""
        now = self._loop.time()
        for live in self._table.open():
            self._note_failed_journal(live)
            self.judge(live, now)
            self._table.tell(live)
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
