"""What an agent sees of a caller, before and after answering: who, where, and what they want.

A caller without a number or with an odd one is still shown; only what is kept by number is empty then.
"""

from datetime import datetime
from typing import Any

from django.db.models import Min, OuterRef, Q, Subquery

from calls import place, wishes
from calls.models import Agent, Call, Callback, Contact, Matter, Note, Offer, Utterance, Voicemail, WrapUp
from calls.selectors.nouns import iso
from calls.text import clean, is_withheld

__all__ = ["of", "same_person", "voicemails"]

CALLS_SHOWN = 5
SAID_SHOWN = 20
SAID_WITH_A_VOICE = 60  # lines of both
OPEN_SHOWN = 10

Body = dict[str, Any]


def of(*, call: Call, offer: Offer | None, agent: Agent, outcomes: list[str], now: datetime) -> Body:
    """The caller's context for this agent; `outcomes` are those of the call's queue."""
    number = offer.callback.e164 if offer and offer.callback else call.caller
    same = same_person(call.contact_id, number)
    notes = list(Note.objects.filter(call=call).exclude(text="").select_related("by"))
    return {
        "contact": _contact(call.contact),
        "caller": _caller(number, now),
        "queue": _queue(call, offer, outcomes, now),
        "verified": call.verified,
        "said": _said(call),
        "voice": call.voice.name if call.voice else "",
        "reason": offer.reason if offer else "",
        "entered": _entered(call.facts, offer.reason if offer else ""),
        "calls": _calls(same, call),
        "callbacks": _callbacks(call.contact_id, number),
        "voicemails": voicemails(call.contact_id, number),
        "matters": _matters(call.contact_id),
        "notes": [_note(note) for note in notes if note.by_id != agent.user_id],
        "note": next((note.text for note in notes if note.by_id == agent.user_id), ""),
    }


def voicemails(contact: int | None, number: str) -> int:
    """How many messages of this caller nobody has heard yet."""
    unheard = Voicemail.objects.filter(heard_at__isnull=True)
    return unheard.filter(same_person(contact, number, "call__")).count()


def same_person(contact: int | None, number: str, path: str = "") -> Q:
    """Rows of the same contact, or from the same number; none for a stranger who withholds theirs."""
    same = Q(pk__in=[])
    if contact is not None:
        same |= Q(**{f"{path}contact": contact})
    if not is_withheld(number):
        same |= Q(**{f"{path}caller": number})
    return same


def _contact(row: Contact | None) -> Body | None:
    if row is None:
        return None
    return {
        "contact": row.pk,
        "name": row.name,
        "company": row.company,
        "tags": [tag for word in row.tags.split(",") if (tag := word.strip())],
        "note": row.note,
        "e164": row.e164,
        "created_at": iso(row.created_at),
    }


def _caller(number: str, now: datetime) -> Body:
    where = place.of(number)
    local, zone = place.time_there(where, now)
    withheld = is_withheld(number)
    return {
        "number": "" if withheld else number,
        "shown": where.shown,
        "place": where.place,
        "local_time": local,
        "time_zone": zone,
        "withheld": withheld,
    }


def _queue(call: Call, offer: Offer | None, outcomes: list[str], now: datetime) -> Body | None:
    """The queue, and how long the caller has waited in it: until the answer, or until now."""
    if call.queue is None:
        return None
    waiting = offer.waiting if offer else None
    waited = ((offer.accepted_at if offer else None) or now) - waiting.entered_at if waiting else None
    return {
        "name": call.queue.name,
        "waited_s": max(0, int(waited.total_seconds())) if waited else 0,
        "outcomes": outcomes,
        "wrapup_s": call.queue.wrapup_seconds,
    }


def _said(call: Call) -> list[Body]:
    """The caller's last lines before the first agent joined; all of them while nobody has. And what a voice
    has said in between: so much of it as the caller has heard.
    """
    shown = SAID_WITH_A_VOICE if call.voice_id else SAID_SHOWN
    lines = Utterance.objects.filter(call=call, speaker__in=("caller", "voice")).defer("words")
    joined = call.offers.aggregate(first=Min("accepted_at"))["first"]
    if joined is not None:
        lines = lines.filter(start_ms__lt=max(0, int((joined - call.started_at).total_seconds() * 1000)))
    newest = lines.order_by("-start_ms", "-id")[:shown]
    return [{"text": line.text, "at_ms": line.start_ms, "speaker": line.speaker} for line in reversed(newest)]


def _entered(facts: Any, reason: str) -> Body:
    """What is known of the caller's wish, but for what is shown as the reason."""
    return {key: value for key, value in wishes.plain(facts).items() if (key, value) != ("reason", reason)}


def _calls(same: Q, call: Call) -> list[Body]:
    chosen = WrapUp.objects.filter(call=OuterRef("pk")).exclude(outcome="").order_by("-closed_at")
    noted = Note.objects.filter(call=OuterRef("pk")).exclude(text="").order_by("-updated_at")
    rows: Any = (
        Call.objects.filter(same)
        .exclude(pk=call.pk)
        .select_related("agent", "queue")
        .annotate(chosen=Subquery(chosen.values("outcome")[:1]), noted=Subquery(noted.values("text")[:1]))
        .order_by("-started_at", "-id")
    )
    return [_past(row) for row in rows[:CALLS_SHOWN]]


def _past(row: Any) -> Body:
    spoken = row.ended_at - row.answered_at if row.ended_at and row.answered_at else None
    return {
        "call": row.pk,
        "started_at": iso(row.started_at),
        "outcome": row.chosen or (row.get_outcome_display() if row.outcome else ""),
        "agent": row.agent.name if row.agent else "",
        "queue": row.queue.name if row.queue else "",
        "seconds": max(0, int(spoken.total_seconds())) if spoken else 0,
        "note": clean(row.noted or "", 200),
    }


def _callbacks(contact: int | None, number: str) -> list[Body]:
    theirs = Q(pk__in=[])
    if contact is not None:
        # Not by a join: that one could not use the index of numbers for the other half.
        theirs |= Q(call__in=Call.objects.filter(contact=contact).values("pk"))
    if not is_withheld(number):
        theirs |= Q(e164=number)
    rows = Callback.objects.open().filter(theirs).select_related("queue").order_by("due_at", "pk")
    return [
        {
            "callback": row.pk,
            "due_at": iso(row.due_at),
            "note": row.note,
            "queue": row.queue.name if row.queue else "",
        }
        for row in rows[:OPEN_SHOWN]
    ]


def _matters(contact: int | None) -> list[Body]:
    rows = (
        Matter.objects.filter(contact=contact, closed_at__isnull=True) if contact else Matter.objects.none()
    )
    return [
        {"matter": row.pk, "text": row.text, "opened_at": iso(row.opened_at)} for row in rows[:OPEN_SHOWN]
    ]


def _note(row: Note) -> Body:
    by = row.by.get_full_name() or row.by.get_username() if row.by else ""
    return {"by": by, "text": row.text, "at": iso(row.updated_at)}
