"""Where a call can be sent on to: colleagues, queues, and a telephone number as it was typed."""

from datetime import datetime
from typing import Any

from django.db.models import Count, Q, QuerySet

from calls import place
from calls.access import EVERY, Scope
from calls.models import Agent, PhoneNumber
from calls.refusal import Refused
from calls.selectors import teams
from calls.selectors.agents import states
from calls.services import allowed
from calls.telephones import region_of, telephone
from calls.text import clean

__all__ = ["FOUND_SHOWN", "number", "number_to_call_from", "numbers_to_call_from", "search", "sees"]

FOUND_SHOWN = 8
TYPED = 80
_FREE_FIRST = {"ready": 0, "wrapup": 1, "on_call": 2, "ringing": 2, "away": 3, "offline": 4}

Body = dict[str, Any]


def search(*, agent: Agent | None, typed: str, now: datetime, scope: Scope = EVERY) -> Body:
    """What fits the words: agents (free ones first), queues with their depth, and a number if it is one.

    `agent` is who asks, and is not found; None for one who is no agent. Only what the scope may see.
    """
    words = clean(typed, TYPED)
    return {
        "agents": _agents(agent, words, now, scope),
        "queues": _queues(words, scope),
        "number": number(words),
    }


def sees(scope: Scope, *, kind: str, key: str) -> bool:
    """Whether an agent or a queue (`key` is the row) is one of those that the scope may see; numbers are."""
    is_row = key.isascii() and key.isdigit() and len(key) < 19
    if scope.teams is None or kind not in {"agent", "queue"}:
        return True
    if kind == "agent":
        return is_row and teams.agents(scope).filter(pk=int(key)).exists()
    return is_row and teams.queues(scope).filter(pk=int(key)).exists()


def number(typed: str) -> Body | None:
    """A telephone number in E.164 and whether it may be dialled, else why not; None if it is none."""
    try:
        e164 = telephone(typed, _home())
    except ValueError:
        return None
    found = {"key": e164, "shown": place.of(e164).shown}
    try:
        allowed.check(e164)
    except Refused as refused:
        return {**found, "allowed": False, "text": refused.text}
    return {**found, "allowed": True, "text": ""}


def numbers_to_call_from(agent: Agent) -> QuerySet[PhoneNumber]:
    """Our numbers from which this agent may call out: those of their teams and of no team."""
    teams = agent.user.teams.values("pk")
    return PhoneNumber.objects.filter(Q(team__isnull=True) | Q(team__in=teams)).order_by("label", "e164")


def number_to_call_from(agent: Agent, pk: int) -> PhoneNumber | None:
    """One of them, or None."""
    return numbers_to_call_from(agent).filter(pk=pk).first()


def _agents(agent: Agent | None, words: str, now: datetime, scope: Scope) -> list[Body]:
    others = teams.agents(scope).filter(name__icontains=words, user__is_active=True)
    if agent is not None:
        others = others.exclude(pk=agent.pk)
    found = states(now=now, agents=others.order_by("name")[:200])
    found.sort(key=lambda one: (_FREE_FIRST.get(one.state, 9), one.agent.name))
    return [
        {"key": str(one.agent.pk), "name": one.agent.name, "state": one.state} for one in found[:FOUND_SHOWN]
    ]


def _queues(words: str, scope: Scope) -> list[Body]:
    open_ = Count("waits", filter=Q(waits__left_at__isnull=True))
    rows: Any = teams.queues(scope).filter(name__icontains=words).annotate(depth=open_).order_by("name")
    return [{"key": str(row.pk), "name": row.name, "waiting": row.depth} for row in rows[:FOUND_SHOWN]]


def _home() -> str:
    """The country of our own numbers: in it a number without + is read."""
    first = PhoneNumber.objects.order_by("pk").values_list("e164", flat=True).first()
    return region_of(first or "")
