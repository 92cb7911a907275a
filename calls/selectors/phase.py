"""What a call is doing, in one word for those who watch it; asked with the calls, no query of its own."""

from typing import Any

from django.db.models import Exists, OuterRef, QuerySet

from calls.models import Call, CallState, Leg, Participant, Waiting, WrapUp

__all__ = ["ENDED", "HOLD", "QUEUED", "RINGING", "TALKING", "WRAPUP", "message", "phase_of", "shown"]

RINGING, QUEUED, TALKING, HOLD, WRAPUP, ENDED = "ringing", "queued", "talking", "hold", "wrapup", "ended"


def shown(rows: QuerySet[Call]) -> QuerySet[Call]:
    """The calls with all that `message` needs, in the one query that reads them."""
    waits = Waiting.objects.open().filter(call=OuterRef("pk"))
    held = Participant.objects.filter(
        leg__call=OuterRef("pk"),
        leg__kind__in=(Leg.Kind.CALLER, Leg.Kind.PERSON),
        leg__ended_at__isnull=True,
        held=True,
        joined_at__isnull=False,
        left_at__isnull=True,
        conference__ended_at__isnull=True,
    )
    writing = WrapUp.objects.filter(call=OuterRef("pk"), closed_at__isnull=True)
    found = rows.select_related("number", "contact", "agent", "queue", "voice")
    return found.annotate(is_waiting=Exists(waits), is_held=Exists(held), is_written_up=Exists(writing))


def message(call: Any) -> dict[str, Any]:
    """A call of `shown` as pages of supervisors get it."""
    phase = {"phase": phase_of(call), "queue_id": call.queue_id, "agent_id": call.agent_id}
    return {**call.as_message(), **phase}


def phase_of(call: Any) -> str:
    """Ringing, queued (it waits for an agent), talking, hold, wrapup (its agent still writes), or ended."""
    if call.state == CallState.ENDED:
        return WRAPUP if call.is_written_up else ENDED
    if call.is_waiting:
        return QUEUED
    if call.state == CallState.RINGING:
        return RINGING
    return HOLD if call.is_held else TALKING
