"""One call, live or past, with everything that its page shows."""

from typing import Any

from calls.access import Scope
from calls.events import newest_id
from calls.models import Call, Command, Leg, Ticket, Utterance
from calls.selectors.feed import command_message, streams_of

__all__ = ["LINES_SHOWN", "by_sid", "caller_leg", "exists", "find", "snapshot", "stream_sids", "ticket_of"]

LINES_SHOWN = 20_000  # a four-hour call has about 7,000


def find(call_id: int, scope: Scope) -> Call | None:
    """The call with what its message needs, or None if there is none that the scope sees."""
    calls = Call.objects.select_related("number", "contact", "agent", "queue")
    return scope.of(calls).filter(pk=call_id).first()


def exists(call_id: int, scope: Scope) -> bool:
    """Whether there is such a call that the scope sees."""
    return scope.of(Call.objects.filter(pk=call_id)).exists()


def by_sid(sid: str, scope: Scope) -> int | None:
    """The id of the call that a Twilio CallSid belongs to, or None if the scope sees none."""
    legs = scope.of(Leg.objects.filter(sid=sid), "call__")
    return legs.values_list("call_id", flat=True).first()


def snapshot(call_id: int, scope: Scope) -> dict[str, Any] | None:
    """Call, legs, streams, gaps, lines and commands, or None if there is no such call that the scope sees.

    `last_id` is read first: what changes meanwhile comes again as an event, and is the same state twice.
    """
    last_id = newest_id()
    call = find(call_id, scope)
    if call is None:
        return None
    legs = list(Leg.objects.filter(call=call_id).order_by("started_at", "id"))
    streams = streams_of(legs, gaps=True)
    message = call.as_message()
    return {
        "last_id": last_id,
        "scope": scope.name(),
        "call": message,
        "calls": [message],
        "legs": [_leg(leg) for leg in legs],
        "streams": [stream.as_message() for stream in streams],
        "gaps": [gap.as_message() for stream in streams for gap in stream.gaps.all()],
        "utterances": _lines(call_id),
        "commands": _commands(call_id),
    }


def stream_sids(call_id: int) -> set[str]:
    """The SIDs of all streams of a call."""
    sids = Leg.objects.filter(call=call_id, streams__isnull=False).values_list("streams__sid", flat=True)
    return set(sids)


def caller_leg(call_id: int) -> Leg | None:
    """The leg that a call began with: the one that is streamed."""
    legs = Leg.objects.filter(call=call_id, kind__in=(Leg.Kind.CALLER, Leg.Kind.PERSON)).select_related(
        "call"
    )
    return legs.order_by("started_at", "id").first()


def ticket_of(call_id: int, stream: str) -> Ticket | None:
    """The ticket of a stream of this call, by the stream's SID, or by its name, the newest of that name."""
    tickets = Ticket.objects.filter(leg__call=call_id).select_related("leg__call")
    by_sid = Leg.objects.filter(call=call_id, streams__sid=stream).values("streams__ticket")
    return (
        tickets.filter(pk__in=by_sid).first() or tickets.filter(name=stream).order_by("-created_at").first()
    )


def _leg(leg: Leg) -> dict[str, Any]:
    return {"leg": leg.sid, "kind": leg.kind, "status": leg.status}


def _lines(call_id: int) -> list[dict[str, Any]]:
    rows = Utterance.objects.filter(call=call_id).defer("words").order_by("start_ms", "id")[:LINES_SHOWN]
    return [row.as_message() for row in rows]


def _commands(call_id: int) -> list[dict[str, Any]]:
    rows = Command.objects.filter(call=call_id).select_related("by").order_by("created_at")[:200]
    return [command_message(row) for row in rows]
