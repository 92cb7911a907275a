"""An agent's part in a call: their offer, the colleague they asked, hold and mute, lines, what failed."""

from datetime import datetime
from typing import Any

from django.conf import settings

from calls.models import Call, Command, Leg, Listening, Offer, Participant, Supervision, Utterance
from calls.selectors.nouns import command_message, in_words, iso

__all__ = ["LINES_SHOWN", "call", "commands", "lines", "offer", "watchers"]

LINES_SHOWN = 200
COMMANDS_SHOWN = 5
_OF_STREAMS = (Command.Kind.START_STREAM, Command.Kind.STOP_STREAM)
_SAID_OF_OFFER = {
    Offer.State.RINGING: "ringing",
    Offer.State.ACCEPTED: "talking",
    Offer.State.DECLINED: "declined",
    Offer.State.MISSED: "missed",
}
_SAID_OF_LEG = {"in-progress": "talking", "busy": "declined", "no-answer": "missed", "failed": "failed"}
_GONE = {"completed", "canceled"}

Body = dict[str, Any]


def offer(row: Offer | None) -> Body | None:
    """The agent's open offer, with the colleague they consult and the state of the room."""
    if row is None:
        return None
    seats = _seats(row.call)
    mine = [seat for seat in seats if seat.label == row.label()]
    persons = [seat for seat in seats if seat.leg.kind in (Leg.Kind.CALLER, Leg.Kind.PERSON)]
    return {
        "offer": row.pk,
        "kind": row.kind,
        "state": row.state,
        "created_at": iso(row.created_at),
        "until": iso(row.until),
        "accepted_at": iso(row.accepted_at) if row.accepted_at else None,
        "reason": row.reason or (row.waiting.reason if row.waiting else ""),
        "leg": row.leg_sid,
        "consult": _consult(row),
        "held": any(seat.held for seat in persons),
        "muted": any(seat.muted for seat in mine),
    }


def call(row: Call | None) -> Body | None:
    """The current call as pages get it; of a call out also how far the dialling has come."""
    if row is None:
        return None
    legs = Leg.objects.filter(call=row, kind=Leg.Kind.PERSON).order_by("-started_at", "-id")
    status = legs.values_list("status", flat=True).first() or ""
    return {**row.as_message(), "progress": "initiated" if status == "queued" else status}


def lines(row: Call | None) -> list[Body]:
    """The last lines that were said, oldest first."""
    if row is None:
        return []
    said = Utterance.objects.filter(call=row).defer("words").order_by("-start_ms", "-id")[:LINES_SHOWN]
    return [line.as_message() for line in reversed(said)]


def commands(row: Call | None) -> list[Body]:
    """What was asked of Twilio for this call and failed, or may have; streams are no agent's matter."""
    if row is None:
        return []
    open_ = (Command.State.FAILED, Command.State.UNKNOWN)
    found = Command.objects.filter(call=row, state__in=open_).exclude(kind__in=_OF_STREAMS)
    newest = found.select_related("by").order_by("-created_at")[:COMMANDS_SHOWN]
    return [in_words(command_message(one)) for one in newest]


def watchers(row: Call | None, *, now: datetime) -> Body | None:
    """Who listens, if the site tells agents so, and which supervisor speaks in the call; None: nobody."""
    if row is None:
        return None
    listening = Listening.objects.going_on(now).filter(call=row).select_related("by")
    names = [one.by.shown() for one in listening] if settings.TELL_AGENTS_OF_LISTENERS else []
    there = Supervision.objects.filter(call=row).exclude(state=Supervision.State.ENDED)
    one = there.select_related("by").first()
    speaking = {"name": one.by.shown(), "mode": one.mode, "state": one.state} if one else None
    return {"listeners": names, "supervisor": speaking} if names or speaking else None


def _seats(row: Call) -> list[Participant]:
    """Who is in the room now."""
    found = Participant.objects.filter(
        conference__call=row, conference__ended_at__isnull=True, joined_at__isnull=False, left_at__isnull=True
    )
    return list(found.select_related("leg"))


def _consult(row: Offer) -> Body | None:
    """The colleague or outside number that was asked since this agent took the call; the newest counts."""
    asked = Offer.objects.filter(call=row.call_id, kind=Offer.Kind.CONSULT).exclude(pk=row.pk)
    outside = Leg.objects.filter(call=row.call_id, kind=Leg.Kind.OUTSIDE)
    colleague = asked.select_related("agent").order_by("-created_at", "-pk").first()
    leg = outside.order_by("-started_at", "-pk").first()
    since = row.accepted_at
    if since is None:
        return None
    if leg is not None and (colleague is None or leg.started_at > colleague.created_at):
        said = "" if leg.status in _GONE else _SAID_OF_LEG.get(leg.status, "ringing")
        return _said("Outside number", said) if leg.started_at >= since else None
    if colleague is None or colleague.created_at < since:
        return None
    return _said(colleague.agent.name, _SAID_OF_OFFER.get(Offer.State(colleague.state), ""))


def _said(who: str, state: str) -> Body | None:
    return {"who": who, "state": state} if state else None
