"""What a media process left behind when it died: its streams are closed, its journals are made whole.

The journal's lock tells at once: the kernel frees it with the process. Where there is no journal to ask (made
on another machine, or never), the process's lease does, after 15 s.
"""

import contextlib
import logging
from datetime import datetime, timedelta
from pathlib import Path

import msgspec
from django.conf import settings

from calls.counters import count
from calls.models import Ticket
from calls.services import tickets
from streams.journal import HEAD, JournalError, Reader, Recovered, journal_path, listing, owned, recover
from streams.models import Stream
from streams.services import leases, streams
from streams.services.streams import Hole, Totals

__all__ = ["sweep"]

AFTER_THE_CALL = timedelta(seconds=10)  # Twilio's `stop` and its media process come first
WITHOUT_START = timedelta(seconds=30)
FILE_TIME_STEP = 0.01  # s; file times go in steps of some ms and may lie before the handshake they follow

_log = logging.getLogger("contactcenter.media")


def sweep(*, now: datetime) -> int:
    """Close the streams that nobody stands for; how many were closed."""
    closed = 0
    for stream in Stream.objects.open().select_related("leg", "process"):
        try:
            closed += _judge(stream, now)
        except OSError as error:  # its journal cannot be read: the others are judged all the same
            count("journal.failed")
            _log.error("journal.failed", extra={"stream": stream.sid, "code": type(error).__name__})
    _release_unstarted(now)
    leases.forget(now=now)
    return closed


def _judge(stream: Stream, now: datetime) -> bool:
    journal = journal_path(settings.JOURNAL_DIR, stream.sid)
    if journal.exists():
        if not owned(journal):
            return _take_over(stream, now)
    elif leases.expired(process=stream.process, now=now):
        return _close(stream, Stream.Reason.LEASE, now)
    ended = stream.leg.ended_at
    if ended is not None and ended < now - AFTER_THE_CALL:
        return _close(stream, Stream.Reason.CALL_ENDED, now)
    return False


def _take_over(stream: Stream, now: datetime) -> bool:
    """Make the journal whole and close the row by it. Its words are stored by `aftercall`."""
    try:
        found = recover(journal_path(settings.JOURNAL_DIR, stream.sid))
    except JournalError as error:
        _log.error("journal.failed", extra={"stream": stream.sid, "code": error.code})
        return _close(stream, Stream.Reason.LEASE, now)
    if found is None:
        return False
    with found:
        return _close_by(stream, found, now)


def _close_by(stream: Stream, found: Recovered, now: datetime) -> bool:
    streams.add_gaps(sid=stream.sid, holes=[Hole(*gap) for gap in found.gaps])
    totals = Totals(**msgspec.structs.asdict(found.totals))
    reason = found.reason if found.reason in Stream.Reason.values and found.reason else Stream.Reason.LEASE
    return _close(stream, reason, now, totals)


def _close(stream: Stream, reason: str, now: datetime, totals: Totals | None = None) -> bool:
    closed = streams.close(sid=stream.sid, reason=reason, now=now, totals=totals)
    if closed:
        count("stream.lost")
        _log.warning("stream.lost", extra={"stream": stream.sid, "reason": str(reason)})
    return closed


def _release_unstarted(now: datetime) -> None:
    """Tickets whose socket was let in and never became a stream with a row: its process died in between.

    A journal without an owner and without a row tells at once; where not even that was made, time does.
    """
    spent = Ticket.objects.filter(spent_at__isnull=False, released_at__isnull=True, stream__isnull=True)
    waiting = list(spent.select_related("leg"))
    died = _died_without_row() if waiting else {}
    for ticket in waiting:
        let_in = ticket.spent_at or now
        if let_in < now - WITHOUT_START or let_in.timestamp() <= died.get(ticket.leg.sid, 0.0):
            tickets.release(ticket_id=ticket.pk, now=now)
            count("ticket.unstarted")


def _died_without_row() -> dict[str, float]:
    """Of journals that nobody holds and no row knows: CallSid → when it was last written, s since 1970."""
    left = {journal.stem: journal for journal in listing(settings.JOURNAL_DIR) if not owned(journal)}
    known = set(Stream.objects.filter(sid__in=left).values_list("sid", flat=True))
    died: dict[str, float] = {}
    for sid in left.keys() - known:
        with contextlib.suppress(OSError):
            call_sid, written = _call_sid(left[sid]), left[sid].stat().st_mtime
            died[call_sid] = max(written + FILE_TIME_STEP, died.get(call_sid, 0.0))
    return died


def _call_sid(journal: Path) -> str:
    """Whose sound it is; "" if its head cannot be read."""
    with Reader(journal) as reader:
        return next((str(one.facts().get("call")) for one in reader.read(0) if one.kind == HEAD), "")
