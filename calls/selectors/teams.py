"""Where calls and streams are now, and which numbers and agents a scope may choose from."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, Q, QuerySet

from calls.access import Scope
from calls.events import newest_id
from calls.models import Agent, Call, Leg, PhoneNumber, Queue, Team

__all__ = ["Placed", "agents", "numbers", "placed", "queues", "teams"]

_JUST_ENDED = timedelta(minutes=1)


@dataclass(frozen=True)
class Placed:
    """The team (None: none) of each call that is live or ended just now, and the call of each stream.

    No event after `upto` is in it yet.
    """

    teams: dict[int, int | None]
    streams: dict[str, int]
    upto: int


def placed(*, now: datetime) -> Placed:
    """Where everything is at this moment; three queries."""
    recent = Q(ended_at__isnull=True) | Q(ended_at__gte=now - _JUST_ENDED)
    teams: dict[int, int | None] = dict(Call.objects.filter(recent).order_by().values_list("pk", "team"))
    legs = Leg.objects.filter(call__in=list(teams), streams__isnull=False)
    streams = dict(legs.order_by().values_list("streams__sid", "call"))
    return Placed(teams, streams, upto=newest_id())


def numbers(scope: Scope) -> QuerySet[PhoneNumber]:
    """Numbers whose calls the scope may see: by their own team or by that of their queue."""
    found = PhoneNumber.objects.all()
    if scope.teams is None:
        return found
    return found.filter(scope.where() | Q(queue__team__in=scope.teams))


def agents(scope: Scope) -> QuerySet[Agent]:
    """Agents of the scope's teams, and those of no team."""
    found = Agent.objects.all()
    if scope.teams is None:
        return found
    theirs = Team.objects.filter(people=OuterRef("user"))
    ours = Exists(theirs.filter(pk__in=scope.teams))
    return found.filter(ours | ~Exists(theirs) if scope.teamless else ours)


def queues(scope: Scope) -> QuerySet[Queue]:
    """Queues of the scope's teams, and those of no team."""
    return scope.of(Queue.objects.all())


def teams(scope: Scope) -> QuerySet[Team]:
    """The scope's teams."""
    found = Team.objects.all()
    return found if scope.teams is None else found.filter(pk__in=scope.teams)
