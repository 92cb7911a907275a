"""Each second, for every open stream: whether it fell silent, what the rules hear, how far it has come."""

import asyncio
import logging
from functools import partial
from typing import Any

from calls.counters import count
from calls.events import Change
from calls.rules import Finding
from streams.live.stream import LiveStream
from streams.live.table import Table
from streams.services import watch as service
from streams.services.watch import Known

__all__ = ["LOST_SECONDS", "QUIET_SECONDS", "Watch"]

# Delivery pauses for a quarter of a second now and then; a carrier that suppresses silence for longer.
QUIET_SECONDS = 10.0
LOST_SECONDS = 20.0
OVER = 1000
# A row each second for every stream would cost as much as a tenth of its media; a look in five, by turns.
PROGRESS_LOOKS = 5
# Rules, and how the calls of the streams stand, are read so often, in a thread: a judgement is no older.
KNOWN_LOOKS = 2

_log = logging.getLogger("contactcenter.media")


def _turn(live: LiveStream) -> int:
    """Which of the looks writes this stream's progress: streams that began together are spread."""
    return int(live.sid[-4:], 16) % PROGRESS_LOOKS


class Watch:
    """Looks at what the sockets brought since the last look. `look` once a second."""

    def __init__(self, *, table: Table, database: Any) -> None:
        self._table = table
        self._database = database
        self._loop = asyncio.get_running_loop()
        self._looks = 0
        self._known = Known()
        self._reading: asyncio.Task[None] | None = None

    async def look(self) -> None:
        """Judge every open stream, have its progress written, and bring the journals to the disk."""
        now = self._loop.time()
        for live in self._table.open():
            self._note_failed_journal(live)
            self.judge(live, now)
            self._listen(live)
            self._table.tell_gaps(live)
            if _turn(live) == self._looks % PROGRESS_LOOKS:
                self._table.tell_progress(live)
        if self._looks % KNOWN_LOOKS == 0 and (self._reading is None or self._reading.done()):
            self._reading = asyncio.create_task(self.read())
        self._looks += 1
        await self._table.sync()

    async def read(self) -> None:
        """Read the rules and how the calls stand. While the database is away what was read last holds."""
        sids = [live.sid for live in self._table.open()]
        if not sids:
            return
        try:
            self._known = await self._database(service.known)(sids=sids)
        except Exception as error:  # of whatever kind: streams go on unjudged
            count("watch.unread")
            _log.debug("watch.unread", extra={"error": type(error).__name__})
            return
        for live in self._table.open():
            stream = self._known.streams.get(live.sid)
            live.talk.meet(stream is not None and stream.met)

    async def stop(self) -> None:
        """Read no more."""
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)

    def _listen(self, live: LiveStream) -> None:
        """Judge the last second by the rules for sound; what is found goes to the writer."""
        stream = self._known.streams.get(live.sid)
        if stream is None or live.ingest.paused:
            return
        found = service.judge(
            rules=self._known.rules,
            stream=stream,
            talk=live.talk,
            ear=live.ear,
            silent=not live.quiet_noted,
        )
        if found:
            self._table.writer.put(partial(_tell, live.sid, stream.call_id, found))

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


# Jobs of the writer.


def _tell(sid: str, call_id: int, findings: list[Finding], told: Change) -> None:
    service.tell(told, sid=sid, call_id=call_id, findings=findings)
