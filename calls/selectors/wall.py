"""What the wall shows at one moment."""

from datetime import datetime, timedelta
from typing import Any

from django.db.models import OuterRef, Q, Subquery

from calls.access import Scope
from calls.events import newest_id
from calls.models import Call, CallState, Leg, PhoneNumber, Utterance
from calls.selectors.feed import streams_of

__all__ = ["ENDED_SHOWN_SECONDS", "snapshot"]

ENDED_SHOWN_SECONDS = 10


def snapshot(*, now: datetime, scope: Scope) -> dict[str, Any]:
    """Live calls and those just ended that the scope sees, oldest first, with their streams and last line.

    `last_id` is read first: what changes meanwhile comes again as an event, and is the same state twice.
    """
    last_id = newest_id()
    calls = _calls(now, scope)
    ids = [call.pk for call in calls]
    streams = streams_of(scope.of(Leg.objects.filter(call__in=ids), "call__"))
    lines = Utterance.objects.defer("words").filter(
        pk__in=[call.last_line for call in calls if call.last_line]
    )
    return {
        "last_id": last_id,
        "scope": scope.name(),
        "calls": [call.as_message() for call in calls],
        "streams": [stream.as_message() for stream in streams],
        "utterances": [line.as_message() for line in lines],
        "site": _site(scope),
    }


def _calls(now: datetime, scope: Scope) -> list[Any]:
    newest = Utterance.objects.filter(call=OuterRef("pk")).order_by("-start_ms", "-id")
    just_ended = Q(ended_at__gte=now - timedelta(seconds=ENDED_SHOWN_SECONDS))
    return list(
        scope.of(Call.objects.filter(~Q(state=CallState.ENDED) | just_ended))
        .select_related("number", "contact", "agent", "queue")
        .annotate(last_line=Subquery(newest.values("pk")[:1]))
        .order_by("started_at", "id")
    )


def _site(scope: Scope) -> dict[str, Any]:
    """What an empty wall says: whether numbers exist, and when the last call ended."""
    ended = scope.of(Call.objects.filter(state=CallState.ENDED)).order_by("-ended_at")
    last = ended.values_list("ended_at", flat=True).first()
    return {
        "numbers": PhoneNumber.objects.count(),
        "last_ended_at": last.isoformat(timespec="milliseconds").replace("+00:00", "Z") if last else None,
    }
