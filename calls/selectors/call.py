"""One call, live or past, with everything that its page shows."""

from datetime import datetime
from typing import Any

from django.db.models import OuterRef, Subquery
from django.utils import timezone

from calls.access import Scope
from calls.events import newest_id
from calls.models import (
    Alert,
    Call,
    Command,
    Leg,
    Listening,
    Moment,
    Note,
    Supervision,
    Ticket,
    Utterance,
    Waiting,
    WrapUp,
)
from calls.selectors import nouns, phase, voices
from calls.selectors.context import same_person
from calls.selectors.nouns import command_message, iso, note_message, streams_of, waiting_message

__all__ = [
    "LINES_SHOWN",
    "by_sid",
    "caller_leg",
    "exists",
    "find",
    "in_words",
    "snapshot",
    "stream_sids",
    "ticket_of",
]

PAST_SHOWN = 5
ALERTS_SHOWN, MOMENTS_SHOWN, SUPERVISIONS_SHOWN = 200, 500, 200
LINES_SHOWN = 20_000  # a four-hour call has about 7,000

Body = dict[str, Any]


def find(call_id: int, scope: Scope) -> Call | None:
    """The call with what its message needs, or None if there is none that the scope sees."""
    return phase.shown(scope.of(Call.objects.filter(pk=call_id))).first()


def exists(call_id: int, scope: Scope) -> bool:
    """Whether there is such a call that the scope sees."""
    return scope.of(Call.objects.filter(pk=call_id)).exists()


def by_sid(sid: str, scope: Scope) -> int | None:
    """The id of the call that a Twilio CallSid belongs to, or None if the scope sees none."""
    legs = scope.of(Leg.objects.filter(sid=sid), "call__")
    return legs.values_list("call_id", flat=True).first()


def snapshot(call_id: int, scope: Scope, *, now: datetime | None = None) -> Body | None:
    """All that the page of a call shows, or None if there is no such call that the scope sees.

    Whoever looks is told besides who they are (`calls.access.me`): that is not the scope's.
    `last_id` is read first: what changes meanwhile comes again as an event, and is the same state twice.
    """
    last_id = newest_id()
    call = find(call_id, scope)
    if call is None:
        return None
    legs = list(Leg.objects.filter(call=call_id).order_by("started_at", "id"))
    streams = streams_of(legs, gaps=True)
    message = phase.message(call)
    return {
        "last_id": last_id,
        "scope": scope.name(),
        "call": message,
        "calls": [message],
        "legs": [_leg(leg) for leg in legs],
        "streams": [stream.as_message() for stream in streams],
        "gaps": [gap.as_message() for stream in streams for gap in stream.gaps.all()],
        "utterances": _lines(call_id),
        "turns": voices.turns(call_id),
        "commands": _commands(call_id),
        "waiting": _waiting(call_id),
        "history": {"calls": _past(call, scope), "contact": _contact(call)},
        **_supervised(call_id, now or timezone.now()),
    }


def in_words(body: Body) -> Body:
    """A snapshot for one reader: what was asked of Twilio says its reason in the language that is active."""
    if "commands" not in body:
        return body
    return {**body, "commands": [nouns.in_words(one) for one in body["commands"]]}


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


def _supervised(call_id: int, now: datetime) -> Body:
    """What supervisors see in it, do with it and note on it."""
    alerts = Alert.objects.filter(call=call_id).select_related(*Alert.SHOWN)[:ALERTS_SHOWN]
    listenings = Listening.objects.going_on(now).filter(call=call_id).select_related("by")
    supervisions = Supervision.objects.filter(call=call_id).select_related("by")[:SUPERVISIONS_SHOWN]
    moments = Moment.objects.filter(call=call_id).select_related("by")[:MOMENTS_SHOWN]
    notes = Note.objects.filter(call=call_id).select_related("by")
    return {
        "alerts": [row.as_message() for row in alerts],
        "listenings": [row.as_message() for row in listenings],
        "supervisions": [row.as_message() for row in supervisions],
        "moments": [row.as_message() for row in moments],
        "notes": [note_message(row) for row in notes],
    }


def _waiting(call_id: int) -> list[Body]:
    rows = Waiting.objects.open().filter(call=call_id).select_related("queue", "agent")
    return [waiting_message(row) for row in rows]


def _past(call: Call, scope: Scope) -> list[Body]:
    """The last calls of the same person, as far as the scope sees them; not this one."""
    chosen = WrapUp.objects.filter(call=OuterRef("pk")).exclude(outcome="").order_by("-closed_at")
    rows: Any = scope.of(Call.objects.filter(same_person(call.contact_id, call.caller))).exclude(pk=call.pk)
    rows = rows.select_related("agent", "queue", "number")
    rows = rows.annotate(chosen=Subquery(chosen.values("outcome")[:1])).order_by("-started_at", "-id")
    return [_past_call(row) for row in rows[:PAST_SHOWN]]


def _past_call(row: Any) -> Body:
    spoken = row.ended_at - row.answered_at if row.ended_at and row.answered_at else None
    return {
        "call": row.pk,
        "started_at": iso(row.started_at),
        "outcome": row.chosen or row.outcome,
        "agent": row.agent.name if row.agent else "",
        "label": row.number.label if row.number else "",
        "queue": row.queue.name if row.queue else "",
        "seconds": max(0, int(spoken.total_seconds())) if spoken else 0,
    }


def _contact(call: Call) -> Body | None:
    who = call.contact
    if who is None:
        return None
    tags = [tag for word in who.tags.split(",") if (tag := word.strip())]
    return {"name": who.name, "company": who.company, "tags": tags, "note": who.note}


def _leg(leg: Leg) -> Body:
    return {"leg": leg.sid, "kind": leg.kind, "status": leg.status}


def _lines(call_id: int) -> list[Body]:
    rows = Utterance.objects.filter(call=call_id).defer("words").order_by("start_ms", "id")[:LINES_SHOWN]
    return [row.as_message() for row in rows]


def _commands(call_id: int) -> list[Body]:
    rows = Command.objects.filter(call=call_id).select_related("by").order_by("created_at")[:200]
    return [command_message(row) for row in rows]
