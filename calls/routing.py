"""Who gets which call: a pure function of who waits and who is free.

Callers are served by priority, then in the order in which they began to wait; each gets, of the free agents
who may take the call, the one who has been idle longest. So no caller is passed over for one behind, no agent
gets two calls, and nobody waits while a free agent may take them (tests/calls/test_routing.py).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

__all__ = ["OWN_PRIORITY", "Free", "Pair", "Wait", "decide", "in_order", "may_take"]

OWN_PRIORITY = 10  # above every queue's: a call that was lost with its agent's page comes first


@dataclass(frozen=True)
class Wait:
    """One who waits: a caller, or a promise to call back that has come due.

    `queue` is whose agents may take it; `agent`, if set, is the only one who may. `is_own`: the call was
    theirs and was lost with their page.
    """

    key: int
    queue: int | None
    agent: int | None
    priority: int
    since: datetime
    is_callback: bool = False
    is_own: bool = False


@dataclass(frozen=True)
class Free:
    """An agent who can take a call now: idle since then, in these queues.

    `only_own`: takes nothing but what is kept for them (their lost call), for they did not say Ready.
    """

    key: int
    since: datetime
    queues: frozenset[int]
    only_own: bool = False


@dataclass(frozen=True)
class Pair:
    """This call goes to this agent."""

    wait: Wait
    agent: int


def in_order(waits: Iterable[Wait]) -> list[Wait]:
    """First who is served first."""
    return sorted(waits, key=lambda wait: (-wait.priority, wait.since, wait.is_callback, wait.key))


def decide(waits: Iterable[Wait], free: Iterable[Free]) -> list[Pair]:
    """Who gets whom, in the order of service."""
    idle = sorted(free, key=lambda agent: (agent.since, agent.key))
    pairs = []
    for wait in in_order(waits):
        taker = next((agent for agent in idle if may_take(agent, wait)), None)
        if taker is not None:
            idle.remove(taker)
            pairs.append(Pair(wait, taker.key))
    return pairs


def may_take(agent: Free, wait: Wait) -> bool:
    """Whether this agent may get this call."""
    if wait.agent is not None:
        return agent.key == wait.agent and (wait.is_own or not agent.only_own)
    return not agent.only_own and wait.queue in agent.queues
