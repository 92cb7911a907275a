"""What a call is doing, in one word for those who watch it; asked with the calls, no query of its own."""

from typing import Any

from django.db.models import Exists, OuterRef, QuerySet, Subquery

from calls import wishes
from calls.models import Call, CallState, Leg, Offer, Participant, Supervision, Waiting, WrapUp
from calls.models.offer import OPEN
from calls.stamp import iso

__all__ = ["ENDED", "HOLD", "QUEUED", "RINGING", "TALKING", "WRAPUP", "message", "phase_of", "shown"]

RINGING, QUEUED, TALKING, HOLD, WRAPUP, ENDED = "ringing", "queued", "talking", "hold", "wrapup", "ended"


def shown(rows: QuerySet[Call]) -> QuerySet[Call]:
    """The calls with all that `message` needs, in the one query that reads them."""
    waits = Waiting.objects.open().filter(call=OuterRef("pk"))
    seated = Participant.objects.filter(
        leg__call=OuterRef("pk"),
        leg__kind__in=(Leg.Kind.CALLER, Leg.Kind.PERSON),
        leg__ended_at__isnull=True,
        joined_at__isnull=False,
        left_at__isnull=True,
        conference__ended_at__isnull=True,
    )
    writing = WrapUp.objects.filter(call=OuterRef("pk"), closed_at__isnull=True)
    joined = Supervision.objects.joined().filter(call=OuterRef("pk"))
    offered = Offer.objects.filter(call=OuterRef("pk"), state__in=OPEN)
    kinds = (Offer.Kind.QUEUE, Offer.Kind.DIRECT)  # not whom an agent talks with first
    taken = Offer.objects.filter(call=OuterRef("pk"), accepted_at__isnull=False, kind__in=kinds)
    found = rows.select_related("number", "contact", "agent", "queue", "voice")
    return found.annotate(
        is_waiting=Exists(waits),
        is_seated=Exists(seated),
        is_held=Exists(seated.filter(held=True)),
        is_joined=Exists(joined),
        is_offered=Exists(offered),
        is_written_up=Exists(writing),
        agent_since=Subquery(taken.order_by("-accepted_at").values("accepted_at")[:1]),
    )


def message(call: Any) -> dict[str, Any]:
    """A call of `shown` as pages of supervisors get it."""
    phase = {"phase": phase_of(call), "queue_id": call.queue_id, "agent_id": call.agent_id}
    history = {
        "answered_by": call.voice.name if call.voice else "",
        "agent_since": iso(call.agent_since) if call.agent_since else None,
        "facts": wishes.plain(call.facts),
    }
    return {**call.as_message(), **phase, **history, "conference": _in_conference(call)}


def phase_of(call: Any) -> str:
    """Ringing, queued (it waits for an agent), talking, hold, wrapup (its agent still writes), or ended.

    Who waits for the agent back and talks with a supervisor meanwhile talks.
    """
    if call.state == CallState.ENDED:
        return WRAPUP if call.is_written_up else ENDED
    if call.is_waiting and not (call.is_joined and call.is_seated):
        return QUEUED
    if call.state == CallState.RINGING:
        return RINGING
    return HOLD if call.is_held else TALKING


def _in_conference(call: Any) -> bool | None:
    """Whether a supervisor can be added, as services.supervision decides; None: not yet, an agent is rung."""
    if call.is_seated:
        return True
    return None if call.is_offered else False
