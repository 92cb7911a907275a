"""One call, live or past, with everything that its page shows."""

from typing import Any

from calls.events import newest_id
from calls.models import Call, Command, Leg, Utterance
from calls.selectors.feed import command_message, streams_of

__all__ = ["LINES_SHOWN", "by_sid", "exists", "find", "snapshot", "stream_sids", "tracks_in_use"]

LINES_SHOWN = 20_000  # a four-hour call has about 7,000


def find(call_id: int) -> Call | None:
    """The call with what its message needs, or None."""
    return Call.objects.select_related("number", "contact", "agent").filter(pk=call_id).first()


def exists(call_id: int) -> bool:
    """Whether there is such a call."""
    return Call.objects.filter(pk=call_id).exists()


def by_sid(sid: str) -> int | None:
    """The id of the call that a Twilio CallSid belongs to, or None."""
    return Leg.objects.filter(sid=sid).values_list("call_id", flat=True).first()


def snapshot(call_id: int) -> dict[str, Any] | None:
    """Call, legs, streams, gaps, lines and commands, or None if there is no such call.

    `last_id` is read first: what changes meanwhile comes again as an event, and is the same state twice.
    """
    last_id = newest_id()
    call = find(call_id)
    if call is None:
        return None
    streams = streams_of(Leg.objects.filter(call=call_id))
    message = call.as_message()
    return {
        "last_id": last_id,
        "call": message,
        "calls": [message],
        "legs": [_leg(leg) for leg in call.legs.all()],
        "streams": [stream.as_message() for stream in streams],
        "gaps": [gap.as_message() for stream in streams for gap in stream.gaps.all()],
        "utterances": _lines(call_id),
        "commands": _commands(call_id),
    }


def stream_sids(call_id: int) -> set[str]:
    """The SIDs of all streams of a call."""
    sids = Leg.objects.filter(call=call_id, streams__isnull=False).values_list("streams__sid", flat=True)
    return set(sids)


def tracks_in_use(call_id: int) -> int:
    """How many of Twilio's four unidirectional tracks the caller's leg has in use or promised."""
    leg = Leg.objects.filter(call=call_id, parent__isnull=True).prefetch_related("tickets").first()
    tickets = leg.tickets.all() if leg else []
    return sum(ticket.track_count() for ticket in tickets if not ticket.released_at and ticket.kind == "tap")


def _leg(leg: Leg) -> dict[str, Any]:
    return {"leg": leg.sid, "kind": leg.kind, "status": leg.status}


def _lines(call_id: int) -> list[dict[str, Any]]:
    rows = Utterance.objects.filter(call=call_id).defer("words").order_by("start_ms", "id")[:LINES_SHOWN]
    return [row.as_message() for row in rows]


def _commands(call_id: int) -> list[dict[str, Any]]:
    rows = Command.objects.filter(call=call_id).select_related("by").order_by("created_at")[:200]
    return [command_message(row) for row in rows]
