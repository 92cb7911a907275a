"""Which taps of live calls are lost."""

from datetime import datetime, timedelta
from typing import Any

from django.db.models import Prefetch

from calls import lattice, path
from calls.models import CallState, Command, Ticket

__all__ = ["lost", "others_open"]

# Twilio's `stop` comes with the end of a call too; its status callback gets this long to say so.
_AFTER_STOP = timedelta(seconds=2)
_WINDOW = timedelta(seconds=60)
_MAX_WAIT = timedelta(seconds=30)
MAX_FAILURES = 10


def lost(*, now: datetime) -> list[Ticket]:
    """Tickets of taps that are to be opened again now: on a live leg of a call that wants its tap, closed by
    anything but a person or the end of the call, not reopened yet, and not tried too often.
    """
    candidates = (
        Ticket.objects.filter(
            leg__call__state__in=(CallState.RINGING, CallState.LIVE),
            leg__call__tap_wanted=True,
            leg__status=lattice.LIVE,
            kind=Ticket.Kind.TAP,
            released_at__isnull=False,
            stopped_by__isnull=True,
            reopened_by__isnull=True,
        )
        .select_related("leg__call__number")
        .prefetch_related("leg__streams", "leg__tickets", _stops())
        .order_by("-released_at")[:500]
    )
    return [ticket for ticket in candidates if _is_lost(ticket, now) and _is_due(ticket, now)]


def others_open(ticket: Ticket) -> bool:
    """Whether the call has another tap that is open or may open yet."""
    open_taps = Ticket.objects.filter(
        leg__call_id=ticket.leg.call_id, kind=Ticket.Kind.TAP, released_at__isnull=True
    )
    return open_taps.exclude(pk=ticket.pk).exists()


def _stops() -> "Prefetch[Any]":
    stops = Command.objects.filter(kind=Command.Kind.STOP_STREAM).exclude(state=Command.State.FAILED)
    return Prefetch("commands", queryset=stops, to_attr="stops")


def _is_lost(ticket: Any, now: datetime) -> bool:
    if ticket.stops or _taken_over(ticket) or path.asks_secret(ticket.leg.call.plan):
        return False  # while a caller gives a code nothing is opened
    stream = next((each for each in ticket.leg.streams.all() if each.ticket_id == ticket.pk), None)
    if stream is None:
        # Never opened: Twilio could not connect. A start that a person asked for has told them so.
        return ticket.origin == Ticket.Origin.TWIML or ticket.reopens_id is not None
    if stream.closed_at is None or stream.close_reason == "call_ended":
        return False
    if stream.close_reason == "stop":
        # Others stop their own streams; one of ours that we did not stop is missed.
        return bool(ticket.origin != Ticket.Origin.INGEST and stream.closed_at <= now - _AFTER_STOP)
    return True


def _taken_over(ticket: Ticket) -> bool:
    """A person has opened another tap on the leg since this one was lost."""
    since = ticket.released_at
    return any(
        other.asked_by_id is not None and since is not None and other.created_at >= since
        for other in ticket.leg.tickets.all()
    )


def _is_due(ticket: Ticket, now: datetime) -> bool:
    """At once the first time, then after 1, 2, 4 … 30 s; ten failures in a row are enough."""
    ours = sorted(
        (other for other in ticket.leg.tickets.all() if other.reopens_id is not None),
        key=lambda other: other.created_at,
        reverse=True,
    )
    if len(ours) >= MAX_FAILURES and all(other.spent_at is None for other in ours[:MAX_FAILURES]):
        return False
    recent = [other for other in ours if now - other.created_at < _WINDOW]
    if not recent:
        return True
    wait = min(timedelta(seconds=2 ** (len(recent) - 1)), _MAX_WAIT)
    return now - recent[0].created_at >= wait
