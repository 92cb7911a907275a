"""The stream rows and their gaps. Nothing else writes them; every function may be repeated.

Each takes `into`, the change it is part of (a job of calls.writer), or makes one of its own.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Case, F, JSONField, QuerySet, Value, When
from django.db.models.functions import Greatest

from calls.events import Change, change
from calls.models import IngestKey, Ticket
from calls.services import commands, legs, tickets, voices
from streams.models import Gap, Process, Stream
from streams.protocol import StartBody

__all__ = [
    "LOST",
    "Hole",
    "Opening",
    "Totals",
    "add_gaps",
    "adopt",
    "close",
    "note_error",
    "open_stream",
    "progress",
    "told",
    "words_stopped",
]

# A stream that ended so was lost, not ended on purpose: what follows on the same leg shows the hole.
LOST = (Stream.Reason.DROPPED, Stream.Reason.LEASE, Stream.Reason.SILENT, Stream.Reason.DRAINED)

_ENDINGS = {"stream-stopped": Stream.Reason.STOP, "stream-error": Stream.Reason.DROPPED}


@dataclass(frozen=True, slots=True)
class Totals:
    """What a stream has carried so far; `late` frames came too late or twice, `last_ms` ends its sound."""

    frames: int = 0
    bytes: int = 0
    lost_ms: int = 0
    late: int = 0
    errors: int = 0
    last_ms: int = 0


@dataclass(frozen=True, slots=True)
class Hole:
    """Missing time of one track, in ms of the stream."""

    track: str
    at_ms: int
    ms: int
    cause: str = Gap.Cause.LOST


@dataclass(frozen=True, slots=True)
class Opening:
    """A `start` that was let in."""

    sid: str
    ticket_id: int
    tracks: Sequence[str]
    parameters: dict[str, str]
    process_id: str
    at: datetime


def adopt(*, key_id: int, start: StartBody, now: datetime, region: str = "") -> Ticket:
    """The ticket, already spent, of a stream that others opened, with its leg and call.

    `region` is the one whose token signed the handshake; the number's where that is not known.
    """
    key = IngestKey.objects.select_related("number").get(pk=key_id)
    IngestKey.objects.filter(pk=key_id).update(used_at=now)
    sids = {"call_sid": start.callSid, "account_sid": start.accountSid}
    leg = legs.adopt(**sids, number=key.number, region=region, now=now)
    track = f"{start.tracks[0]}_track" if len(start.tracks) == 1 else "both_tracks"
    return tickets.issue(leg=leg, origin=Ticket.Origin.INGEST, track=track, ingest_key=key, now=now)


def open_stream(opening: Opening, *, into: Change | None = None) -> Stream:
    """The row of a stream that started, and the hole since a stream of this leg was lost.

    A SID is good for one stream: if it is known already, the row of that one is given, as it is.
    """
    with _within(into) as c:
        ticket = Ticket.objects.select_related("leg__call").get(pk=opening.ticket_id)
        known = Stream.objects.select_related("leg").filter(sid=opening.sid).first()
        if known is not None:
            return known
        stream = Stream.objects.create(
            sid=opening.sid,
            leg=ticket.leg,
            ticket=ticket,
            process=Process.objects.filter(pk=opening.process_id).first(),
            tracks=list(opening.tracks),
            parameters=opening.parameters,
            opened_at=opening.at,
            call_offset_ms=_ms(opening.at - ticket.leg.call.started_at),
            words=not words_stopped(leg_id=ticket.leg_id),
        )
        c.emit(kind="stream.opened", noun="stream", key=stream.sid, call=ticket.leg.call_id)
        _mark_hole(c, stream)
        return stream


def words_stopped(*, leg_id: int) -> bool:
    """Whether a person has stopped the words of the leg's newest stream: the next one begins without."""
    newest = Stream.objects.filter(leg_id=leg_id).order_by("-opened_at", "-id")
    return newest.values_list("words", flat=True).first() is False


def progress(
    *, sid: str, totals: Totals, ticket_id: int | None = None, talk: dict[str, Any] | None = None
) -> None:
    """Write how far the stream has come, and who talked; a late or repeated word takes nothing back.

    With `ticket_id`, here and below, only if the stream came in by that ticket.
    """
    facts: dict[str, Any] = asdict(totals)
    if talk is not None:
        facts["figures"] = _unless_finished(talk)
    for counted_by_us_alone in ("late", "errors"):  # a journal taken over does not know them
        facts[counted_by_us_alone] = Greatest(F(counted_by_us_alone), Value(facts[counted_by_us_alone]))
    _of(sid, ticket_id).filter(frames__lte=totals.frames).update(**facts)


def add_gaps(
    *, sid: str, holes: Sequence[Hole], ticket_id: int | None = None, into: Change | None = None
) -> int:
    """Write the holes with an event each; how many were new."""
    with _within(into) as c:
        stream = _of(sid, ticket_id).select_related("leg").first()
        return sum(_add_gap(c, stream, hole) for hole in holes) if stream else 0


def close(
    *,
    sid: str,
    reason: str,
    now: datetime,
    totals: Totals | None = None,
    error: str = "",
    ticket_id: int | None = None,
    talk: dict[str, Any] | None = None,
    into: Change | None = None,
) -> bool:
    """Close the stream unless it is closed already; whether this was the one that closed it."""
    with _within(into) as c:
        if totals is not None:
            progress(sid=sid, totals=totals, ticket_id=ticket_id, talk=talk)
        stream = _of(sid, ticket_id).select_related("leg", "ticket").first()
        if stream is None or not _close_row(stream, reason, now, error):
            return False
        tickets.release(ticket_id=stream.ticket_id, now=now)
        if reason == Stream.Reason.DRAINED and stream.ticket.kind == Ticket.Kind.VOICE:
            voices.drained(leg=stream.leg)
        facts = {"reason": reason}
        c.emit(kind="stream.closed", noun="stream", key=sid, call=stream.leg.call_id, facts=facts)
        return True


def told(*, sid: str, call_sid: str, name: str, event: str, error: str, now: datetime) -> bool:
    """What Twilio's callback says of a stream; whether it closed something. Order-free with the socket.

    `stream-started` changes nothing: the socket's own `start` is the fact. A stream that ended before its
    socket came gives its ticket back.
    """
    if error:
        note_error(sid=sid, error=error)
    reason = _ENDINGS.get(event)
    if reason is None:
        return False
    if Stream.objects.filter(sid=sid).exists():
        return close(sid=sid, reason=reason, now=now, error=error)
    return commands.not_opened(call_sid=call_sid, name=name, text=error, now=now)


def note_error(*, sid: str, error: str) -> None:
    """Keep Twilio's own words for what went wrong, also on a stream that is closed; the first stays."""
    Stream.objects.filter(sid=sid, error="").update(error=error[:200])


def _unless_finished(talk: dict[str, Any]) -> Case:
    """The figures until there are those of the whole stream, which hold these too."""
    return Case(
        When(journal_state="gone", then=F("figures")),
        default=Value({"talk": talk}, output_field=JSONField()),
    )


def _of(sid: str, ticket_id: int | None) -> QuerySet[Stream]:
    found = Stream.objects.filter(sid=sid)
    return found if ticket_id is None else found.filter(ticket_id=ticket_id)


def _close_row(stream: Stream, reason: str, now: datetime, error: str) -> bool:
    fields: dict[str, Any] = {"closed_at": now, "close_reason": reason, "journal_state": "closed"}
    if error:
        fields["error"] = error[:200]
    return bool(Stream.objects.open().filter(pk=stream.pk).update(**fields))


def _mark_hole(c: Change, stream: Stream) -> None:
    """From the end of a lost stream to the opening of this one no sound of the leg reached us."""
    lost = Stream.objects.filter(leg_id=stream.leg_id, close_reason__in=LOST)
    if not lost.exists():
        return
    before = (
        lost.exclude(pk=stream.pk)
        .exclude(gaps__cause=Gap.Cause.CLOSED)
        .select_related("leg")
        .order_by("-closed_at")
        .first()
    )
    if before is None:
        return
    covered = Stream.objects.open().filter(leg_id=stream.leg_id).exclude(pk=stream.pk)
    heard = {track for tracks in covered.values_list("tracks", flat=True) for track in tracks}
    ms = stream.call_offset_ms - before.call_offset_ms - before.last_ms
    for track in before.tracks:
        if track not in heard and ms > 0:
            _add_gap(c, before, Hole(track, before.last_ms, ms, Gap.Cause.CLOSED))


def _add_gap(c: Change, stream: Stream, hole: Hole) -> bool:
    gap, made = Gap.objects.get_or_create(
        stream=stream, track=hole.track, at_ms=hole.at_ms, defaults={"ms": hole.ms, "cause": hole.cause}
    )
    if made:
        c.emit(kind="gap.found", noun="gap", key=gap.pk, call=stream.leg.call_id)
    return made


def _ms(time: timedelta) -> int:
    return round(time.total_seconds() * 1000)


@contextmanager
def _within(given: Change | None) -> Iterator[Change]:
    if given is not None:
        yield given
        return
    with change() as own:
        yield own
