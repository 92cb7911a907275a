"""After a stream: its last words, its figures, its recording where allowed; then its sound is deleted.

Sound goes as soon as its words are final, and JOURNAL_KEEP_MINUTES after the end whatever else is missing:
an engine that never came, a process that still holds the file. Each step may be repeated.
"""

import contextlib
import logging
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django.db.models import QuerySet

from calls.counters import count
from calls.models import Call, Utterance
from streams.journal import HEAD, Reader, journal_path, listing, owned
from streams.models import Stream
from streams.services import leases, lines, recordings
from streams.wordfile import SUFFIX as WORDS
from streams.wordfile import words_path

__all__ = ["clean", "forget"]

BATCH = 20  # finished at a time: the worker has other rounds too
FORGOTTEN_AT_ONCE = 500

_log = logging.getLogger("contactcenter.media")
_told: set[str] = set()  # streams that could not be finished, one log line each


def clean(*, now: datetime) -> int:
    """Finish streams that have ended, oldest first; how many were finished."""
    finished = 0
    for stream in _waiting():
        finished += _tried(stream, now)
        if finished >= BATCH:
            break
    _delete_strays(now)
    return finished


def forget(*, now: datetime) -> int:
    """Drop the parameters that came with old streams, when the caller is forgotten too; of how many."""
    before = now - timedelta(days=settings.UTTERANCE_KEEP_DAYS)
    old = Stream.objects.filter(closed_at__lt=before).exclude(parameters={}).order_by("closed_at")
    sids = list(old.values_list("pk", flat=True)[:FORGOTTEN_AT_ONCE])
    return Stream.objects.filter(pk__in=sids).update(parameters={}) if sids else 0


def _tried(stream: Stream, now: datetime) -> bool:
    """Finish one; what cannot be finished now (a full disk, a file that cannot be read) keeps no other."""
    try:
        return _finish(stream, now)
    except OSError as error:
        count("stream.unfinished")
        if stream.sid not in _told:
            _told.add(stream.sid)
            _log.error("stream.unfinished", extra={"stream": stream.sid, "error": type(error).__name__})
        return False


def _waiting() -> QuerySet[Stream]:
    closed = Stream.objects.filter(closed_at__isnull=False, journal_state="closed")
    return closed.select_related("leg__call", "process").order_by("closed_at")


def _finish(stream: Stream, now: datetime) -> bool:
    """Store what was heard; once that is all, or time is over, make figures and delete. True if deleted."""
    journal = journal_path(settings.JOURNAL_DIR, stream.sid)
    if not journal.exists():
        return _missing(stream, journal, now)
    overdue = now >= _deadline(stream)
    if owned(journal) and not overdue:
        return False  # its process reads the words
    finals, done = lines.collect(journal)
    lines.store(sid=stream.sid, lines=finals)
    if not (done or overdue or not _words_wanted(journal)):
        return False
    _conclude(stream, journal)
    return True


def _deadline(stream: Stream) -> datetime:
    assert stream.closed_at is not None
    return stream.closed_at + timedelta(minutes=settings.JOURNAL_KEEP_MINUTES)


def _words_wanted(journal: Path) -> bool:
    """Whether somebody is to write down what is said: as the journal's head has it."""
    with Reader(journal) as reader:
        head = next((record for record in reader.read(0) if record.kind == HEAD), None)
    return settings.TRANSCRIBER != "none" and bool(head and head.facts().get("words"))


def _conclude(stream: Stream, journal: Path) -> None:
    call = stream.leg.call
    if call.record_allowed:
        recordings.make(stream=stream, journal=journal)
    stream.figures = {**stream.figures, **_figures(stream, journal)}
    _delete(journal)
    Stream.objects.filter(pk=stream.pk).update(journal_state="gone", figures=stream.figures)
    _sum_up(call)
    _log.info("stream.finished", extra={"stream": stream.sid})


def _missing(stream: Stream, journal: Path, now: datetime) -> bool:
    """No journal here: never made, gone, or on another machine, whose worker cleans up."""
    elsewhere = stream.process is not None and stream.process.host != leases.here()
    if elsewhere and not leases.expired(process=stream.process, now=now):
        return False
    _delete(journal)  # its words file may be left
    return bool(Stream.objects.filter(pk=stream.pk).update(journal_state="gone"))


def _delete(journal: Path) -> None:
    """Both files; the journal first, or an engine would begin anew on it."""
    journal.unlink(missing_ok=True)
    words_path(journal).unlink(missing_ok=True)


def _figures(stream: Stream, journal: Path) -> dict[str, object]:
    """What was in it, in numbers: no words, no sound."""
    heard = recordings.listen(journal)
    said = Utterance.objects.filter(stream_sid=stream.sid).values_list("track", "text")
    words = {"inbound": 0, "outbound": 0}
    for track, text in said:
        words[track] = words.get(track, 0) + len(text.split())
    return {"sound_ms": heard.sound_ms, "words": words, "lines": len(said)}


def _sum_up(call: Call) -> None:
    """The call's figures: the sums over its streams."""
    streams = list(Stream.objects.filter(leg__call=call).order_by("opened_at"))
    figures = {
        "streams": len(streams),
        "stream_ms": sum(stream.last_ms for stream in streams),
        "lost_ms": sum(stream.lost_ms for stream in streams),
        "sound_ms": sum(sum(stream.figures.get("sound_ms", {}).values()) for stream in streams),
        "words": sum(sum(stream.figures.get("words", {}).values()) for stream in streams),
    }
    Call.objects.filter(pk=call.pk).update(figures=figures)


def _delete_strays(now: datetime) -> None:
    """Files that belong to no stream of ours: nothing is kept of what has no row."""
    oldest = now.timestamp() - 60 * settings.JOURNAL_KEEP_MINUTES
    for path in _files(settings.JOURNAL_DIR):
        with contextlib.suppress(FileNotFoundError):
            if path.stat().st_mtime < oldest and not owned(path) and not _has_row(path):
                path.unlink()
                count("journal.stray")
                _log.warning("journal.stray", extra={"file": path.name})


def _files(directory: Path) -> Iterator[Path]:
    yield from listing(directory)
    if directory.is_dir():
        yield from directory.glob(f"*{WORDS}")
        yield from directory.glob(".*.new")


def _has_row(path: Path) -> bool:
    kept = Stream.objects.filter(sid=path.stem).exclude(journal_state="gone")
    return kept.exists()
