"""What is true of agents now: their choice, their desk's life, and what they are doing, in one word."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from calls.models import Agent, Leg, Offer, WrapUp
from calls.models.offer import OPEN

__all__ = [
    "AWAY",
    "OFFLINE",
    "ON_CALL",
    "READY",
    "RINGING",
    "WRAPUP",
    "AgentState",
    "free",
    "state_of",
    "states",
]

OFFLINE, AWAY, READY, RINGING, ON_CALL, WRAPUP = "offline", "away", "ready", "ringing", "on_call", "wrapup"


@dataclass(frozen=True)
class AgentState:
    """One agent in one word, why, and since when; the call that they have, hear ringing or write up."""

    agent: Agent
    state: str
    reason: str
    since: datetime | None
    call: int | None = None


def states(*, now: datetime, agents: Iterable[Agent] | None = None) -> list[AgentState]:
    """The agents (all, if none are named) as they are now; four queries, however many."""
    found = list(Agent.objects.select_related("user") if agents is None else agents)
    ids = [agent.pk for agent in found]
    offers = {offer.agent_id: offer for offer in Offer.objects.filter(agent__in=ids, state__in=OPEN)}
    wrapups = {one.agent_id: one for one in WrapUp.objects.filter(agent__in=ids, closed_at__isnull=True)}
    direct = {leg.agent_id: leg for leg in _direct().filter(agent__in=ids)}
    return [
        _called(agent, direct.get(agent.pk), offers.get(agent.pk))
        or _state(agent, offers.get(agent.pk), wrapups.get(agent.pk), now)
        for agent in found
    ]


def state_of(agent: Agent, *, now: datetime) -> AgentState:
    """One agent as they are now."""
    return states(now=now, agents=[agent])[0]


def free(*, now: datetime) -> list[Agent]:
    """Agents who could be rung now: at their desk with a phone that works, and in no call or wrap-up.

    Those who are not Ready are among them: a call of theirs that was lost comes back to them all the same.
    """
    busy = Offer.objects.filter(state__in=OPEN).values("agent")
    writing = WrapUp.objects.filter(closed_at__isnull=True).values("agent")
    present = Agent.objects.present(now).exclude(pk__in=busy).exclude(pk__in=writing)
    present = present.exclude(pk__in=_direct().values("agent"))
    reachable = [agent for agent in present.prefetch_related("queues") if _reachable(agent)]
    return [agent for agent in reachable if agent.status != Agent.Status.OFFLINE]


def _direct() -> QuerySet[Leg]:
    """The legs of agents whom a line rings straight, without an offer: they ring or talk all the same."""
    dialled = Leg.objects.filter(kind=Leg.Kind.AGENT, agent__isnull=False, parent__isnull=False)
    return dialled.filter(ended_at__isnull=True, call__ended_at__isnull=True).order_by("-pk")


def _called(agent: Agent, leg: Leg | None, offer: Offer | None) -> AgentState | None:
    if leg is None or offer is not None:
        return None
    state = RINGING if leg.answered_at is None else ON_CALL
    return AgentState(agent, state, "", leg.answered_at or leg.started_at, leg.call_id)


def _reachable(agent: Agent) -> bool:
    return bool(agent.e164) if agent.phone == Agent.Phone.TELEPHONE else agent.phone_ok


def _state(agent: Agent, offer: Offer | None, wrapup: WrapUp | None, now: datetime) -> AgentState:
    if offer is not None and offer.state == Offer.State.ACCEPTED:
        return AgentState(agent, ON_CALL, "", offer.accepted_at, offer.call_id)
    if offer is not None:
        return AgentState(agent, RINGING, "", offer.created_at, offer.call_id)
    if not agent.is_present(now):
        return AgentState(agent, OFFLINE, agent.reason, agent.present_until or agent.since)
    if wrapup is not None:
        return AgentState(agent, WRAPUP, "", wrapup.opened_at, wrapup.call_id)
    return AgentState(agent, agent.status, agent.reason, _since(agent))


def _since(agent: Agent) -> datetime | None:
    """Ready is who has had nothing to do since then: since the last call, not since they said so."""
    known = [moment for moment in (agent.since, agent.idle_since) if moment is not None]
    return max(known, default=None) if agent.status == Agent.Status.READY else agent.since
