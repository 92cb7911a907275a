"""What is true of agents now: their choice, their desk's life, and what they are doing, in one word."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from calls.models import Agent, Offer, WrapUp
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
    """The agents (all, if none are named) as they are now; three queries, however many."""
    found = list(Agent.objects.select_related("user") if agents is None else agents)
    ids = [agent.pk for agent in found]
    offers = {offer.agent_id: offer for offer in Offer.objects.filter(agent__in=ids, state__in=OPEN)}
    wrapups = {one.agent_id: one for one in WrapUp.objects.filter(agent__in=ids, closed_at__isnull=True)}
    return [_state(agent, offers.get(agent.pk), wrapups.get(agent.pk), now) for agent in found]


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
    reachable = [agent for agent in present.prefetch_related("queues") if _reachable(agent)]
    return [agent for agent in reachable if agent.status != Agent.Status.OFFLINE]


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
    return AgentState(agent, agent.status, agent.reason, agent.since)
