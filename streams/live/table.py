"""The streams of one process, and their rows: written behind the media, by the writer's thread.

A stream is in the table from its `start` until its row is closed and its words are final. Its journal's lock
goes last: whoever finds the lock free may take everything else for written, or for left to recovery.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import partial
from typing import Any

from django.db import Error as DatabaseAway
from django.db import transaction
from django.utils import timezone

from calls.counters import count, gauge
from calls.events import Change
from calls.services import tickets
from calls.writer import Writer
from streams.journal import JournalError
from streams.journal import Writer as Journal
from streams.live.stream import LiveStream
from streams.services import streams
from streams.services.streams import Hole, Opening, Totals

__all__ = ["Table"]

UNAVAILABLE = 4412
DUPLICATE = 4409
ADOPTION_WAITS = (0.2, 1.0, 5.0, 15.0)

_log = logging.getLogger("contactcenter.media")


class Table:
    """Begin, tell, end. Everything here is called on the loop; what writes rows runs elsewhere."""

    def __init__(self, *, process_id: str, writer: Writer, database: Any) -> None:
        self.process_id = process_id
        self.writer = writer
        self._database = database
        self._streams: dict[str, LiveStream] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop = asyncio.get_running_loop()

    def __iter__(self) -> Iterator[LiveStream]:
        return iter(list(self._streams.values()))

    def __len__(self) -> int:
        return len(self._streams)

    def __contains__(self, sid: str) -> bool:
        return sid in self._streams

    def get(self, sid: str) -> LiveStream | None:
        """The stream with this SID, if it is ours."""
        return self._streams.get(sid)

    def open(self) -> list[LiveStream]:
        """The streams whose sockets are open."""
        return [live for live in self._streams.values() if live.ended_at is None]

    def begin(self, live: LiveStream) -> None:
        """Take in a stream that started, and have its row written."""
        self._streams[live.sid] = live
        self._count()
        _log.info("stream.opened", extra={"stream": live.sid, "call": live.start.callSid})
        if live.ticket_id is not None:
            self._write_row(live, live.ticket_id)
        else:
            self._spawn(self._adopt(live))

    def end(self, live: LiveStream, reason: str) -> None:
        """Close the stream's row with this reason, after everything else of it; the first call counts."""
        if live.ended_at is not None:
            return
        live.ended_at = self._loop.time()
        live.end_reason = reason
        live.ingest.session.finish()
        self.tell_gaps(live)
        self.tell_progress(live)
        self._finish_journal(live, reason)
        self._count()
        facts = asdict(live.totals())
        _log.info("stream.closed", extra={"stream": live.sid, "reason": reason, **facts})
        if live.ticket_id is not None:
            self._close_row(live, reason)  # else _adopt does, once there is a row

    def tell_gaps(self, live: LiveStream) -> None:
        """Write the gaps that are new."""
        live.gather_gaps()
        if live.holes and live.ticket_id is not None:
            holes, live.holes = live.holes, []
            self.writer.put(partial(_add_gaps, live.sid, live.ticket_id, holes))

    def tell_progress(self, live: LiveStream) -> None:
        """Write how far the stream has come."""
        totals = live.totals()
        if totals != live.told and live.ticket_id is not None:
            count("media.frames", totals.frames - live.told.frames)
            live.told = totals
            job = partial(_progress, live.sid, live.ticket_id, totals, live.talk.figures())
            self.writer.put(job, key=f"progress:{live.sid}:{live.ticket_id}")

    def release(self, ticket_id: int) -> None:
        """Give back the ticket of a socket that never became a stream."""
        self.writer.put(partial(_release, ticket_id, timezone.now()))

    def forget(self, live: LiveStream) -> None:
        """Nothing of the stream is left to do here: give up its journal."""
        if self._streams.get(live.sid) is live:
            del self._streams[live.sid]
        if live.lines is not None:
            live.lines.close()
        if live.journal is not None:
            live.journal.close()
        self._count()

    async def sync(self) -> None:
        """Bring the journals to the disk, in a thread."""
        journals = [live.journal for live in self.open() if live.journal is not None]
        if journals:
            await asyncio.to_thread(_sync_all, journals)

    async def settled(self) -> None:
        """Wait until every adoption that is under way has come to its end."""
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def stop(self) -> None:
        """Cancel what still tries to reach the database, give up every journal: recovery goes on there."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for live in self:
            self.forget(live)

    async def _adopt(self, live: LiveStream) -> None:
        """Make call, leg and ticket of a stream that others opened; its sound is in the journal already."""
        ticket_id = await self._adopted(live)
        if ticket_id is None:
            live.hang_up(UNAVAILABLE, "refused", "media.unavailable")
            self.forget(live)
            return
        live.ticket_id = ticket_id
        self._write_row(live, ticket_id)
        if live.end_reason:
            self._close_row(live, live.end_reason)

    async def _adopted(self, live: LiveStream) -> int | None:
        for wait in (*ADOPTION_WAITS, None):
            try:
                ticket = await self._database(streams.adopt)(
                    key_id=live.admitted.key_id,
                    start=live.start,
                    region=live.admitted.region,
                    now=live.opened_at,
                )
            except Exception as error:
                _log.warning("media.adopt.failed", extra={"stream": live.sid, "error": type(error).__name__})
                count("media.adopt.failed")
                if not isinstance(error, DatabaseAway):
                    return None  # as when the address was deleted meanwhile: no stream without a row
            else:
                return int(ticket.pk)
            if wait is not None:
                await asyncio.sleep(wait)
        return None

    def _write_row(self, live: LiveStream, ticket_id: int) -> None:
        opening = Opening(
            sid=live.sid,
            ticket_id=ticket_id,
            tracks=live.start.tracks,
            parameters=live.parameters,
            process_id=self.process_id,
            at=live.opened_at,
        )
        self.writer.put(partial(_open, opening, partial(self.call, self._opened, live)))

    def _close_row(self, live: LiveStream, reason: str) -> None:
        closed = partial(self.call, self._closed, live)
        talk = live.talk.figures()
        ending = Ending(live.sid, live.ticket_id, reason, timezone.now(), live.totals(), talk)
        self.writer.put(partial(_close, ending, closed))

    def _opened(self, live: LiveStream, call_id: int | None) -> None:
        live.call_id = call_id
        if call_id is None:
            live.hang_up(DUPLICATE, "refused", "media.start.duplicate")

    def _closed(self, live: LiveStream) -> None:
        live.row_closed = True
        if live.lines is None:
            self.forget(live)

    def call(self, function: Callable[..., None], *arguments: Any) -> None:
        """Run a function on the loop, from any thread; not any more once the loop is closed."""
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(function, *arguments)

    def _finish_journal(self, live: LiveStream, reason: str) -> None:
        if live.ingest.journal is None:  # none could be made, or the disk failed
            return
        try:
            live.ingest.journal.finish(reason, asdict(live.totals()))
        except JournalError as error:
            _log.error("journal.failed", extra={"stream": live.sid, "code": error.code})

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _count(self) -> None:
        gauge("media.streams.open", len(self.open()))


# Jobs of the writer: each may be run twice, and comes after those before it.


def _open(opening: Opening, opened: Callable[[int | None], None], told: Change) -> None:
    stream = streams.open_stream(opening, into=told)
    is_ours = stream.ticket_id == opening.ticket_id
    call_id = stream.leg.call_id if is_ours else None
    transaction.on_commit(lambda: opened(call_id))


@dataclass(frozen=True, slots=True)
class Ending:
    """What is written when a stream has ended."""

    sid: str
    ticket_id: int | None
    reason: str
    now: datetime
    totals: Totals
    talk: dict[str, Any]


def _close(ending: Ending, closed: Callable[[], None], told: Change) -> None:
    streams.close(
        sid=ending.sid,
        ticket_id=ending.ticket_id,
        reason=ending.reason,
        now=ending.now,
        totals=ending.totals,
        talk=ending.talk,
        into=told,
    )
    if ending.ticket_id is not None:
        tickets.release(ticket_id=ending.ticket_id, now=ending.now)  # also of a stream that was not ours
    transaction.on_commit(closed)


def _add_gaps(sid: str, ticket_id: int, holes: list[Hole], told: Change) -> None:
    streams.add_gaps(sid=sid, ticket_id=ticket_id, holes=holes, into=told)


def _progress(sid: str, ticket_id: int, totals: Totals, talk: dict[str, Any], told: Change) -> None:
    streams.progress(sid=sid, ticket_id=ticket_id, totals=totals, talk=talk)


def _release(ticket_id: int, now: datetime, told: Change) -> None:
    tickets.release(ticket_id=ticket_id, now=now)


def _sync_all(journals: list[Journal]) -> None:
    for journal in journals:
        journal.sync()
