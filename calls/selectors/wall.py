"""What the wall shows at one moment."""

from datetime import datetime, timedelta
from typing import Any

from django.db.models import OuterRef, Q, Subquery

from calls.access import Scope
from calls.events import newest_id
from calls.models import Alert, Call, Leg, Listening, PhoneNumber, Supervision, Utterance, Waiting
from calls.selectors import figures, phase, teams
from calls.selectors.nouns import agent_messages, iso, streams_of, waiting_message

__all__ = ["ALERTS_SHOWN", "ALERT_SHOWN_MINUTES", "ENDED_SHOWN_SECONDS", "snapshot"]

ENDED_SHOWN_SECONDS = 10
ALERT_SHOWN_MINUTES = 10  # one that was acknowledged
ALERTS_SHOWN = 200

Body = dict[str, Any]


def snapshot(*, now: datetime, scope: Scope) -> Body:
    """All that the scope sees: live calls and those just ended, oldest first, with their streams and last
    line; who waits, who answers, what needs attention, who listens; queues and teams; the figures.

    `last_id` is read first: what changes meanwhile comes again as an event, and is the same state twice.
    Whoever looks is told besides who they are (`calls.access.me`): that is not the scope's.
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
        "calls": [phase.message(call) for call in calls],
        "streams": [stream.as_message() for stream in streams],
        "utterances": [line.as_message() for line in lines],
        "waiting": _waiting(scope),
        "agents": agent_messages(teams.agents(scope), now=now),
        "alerts": _alerts(now, scope),
        "listenings": _listenings(now, scope),
        "supervisions": _supervisions(scope),
        "queues": _queues(scope),
        "teams": [{"team": team.pk, "name": team.name} for team in teams.teams(scope)],
        "figures": figures.lately(now=now, scope=scope),
        "site": _site(scope),
    }


def _calls(now: datetime, scope: Scope) -> list[Any]:
    newest = Utterance.objects.filter(call=OuterRef("pk")).order_by("-start_ms", "-id")
    shown = Q(ended_at__isnull=True) | Q(ended_at__gte=now - timedelta(seconds=ENDED_SHOWN_SECONDS))
    return list(  # by the index of ends, for a call has one if it ended
        phase.shown(scope.of(Call.objects.filter(shown)))
        .annotate(last_line=Subquery(newest.values("pk")[:1]))
        .order_by("started_at", "id")
    )


def _waiting(scope: Scope) -> list[Body]:
    """Who waits, in the order in which they are served."""
    rows = scope.of(Waiting.objects.open(), "call__").select_related("queue", "agent")
    return [waiting_message(row) for row in rows]


def _alerts(now: datetime, scope: Scope) -> list[Body]:
    """The open ones and those of the last minutes, newest first; of very many the newest."""
    lately = Q(at__gte=now - timedelta(minutes=ALERT_SHOWN_MINUTES))
    rows = Alert.objects.filter(Q(acknowledged_at__isnull=True) | lately)
    found = scope.of(rows, "call__").select_related(*Alert.SHOWN).order_by("-at", "-id")
    return [row.as_message() for row in found[:ALERTS_SHOWN]]


def _listenings(now: datetime, scope: Scope) -> list[Body]:
    rows = scope.of(Listening.objects.going_on(now), "call__").select_related("by")
    return [row.as_message() for row in rows]


def _supervisions(scope: Scope) -> list[Body]:
    rows = Supervision.objects.exclude(state=Supervision.State.ENDED)
    return [row.as_message() for row in scope.of(rows, "call__").select_related("by")]


def _queues(scope: Scope) -> list[Body]:
    return [
        {
            "queue": queue.pk,
            "name": queue.name,
            "team": queue.team_id,
            "warn_seconds": queue.warn_seconds,
            "bad_seconds": queue.bad_seconds,
            "target_seconds": queue.target_seconds,
            "target_percent": queue.target_percent,
        }
        for queue in teams.queues(scope)
    ]


def _site(scope: Scope) -> Body:
    """What an empty wall says: whether numbers exist, and when the last call ended."""
    ended = scope.of(Call.objects.filter(ended_at__isnull=False)).order_by("-ended_at")
    last = ended.values_list("ended_at", flat=True).first()
    return {"numbers": PhoneNumber.objects.count(), "last_ended_at": iso(last) if last else None}
