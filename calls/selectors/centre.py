"""What the admin of the centre shows: agents with what they do now, and what belongs to a person's teams."""

from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery

from calls.models import Agent, Offer, PhoneNumber, Queue, User, WrapUp
from calls.models.offer import OPEN

__all__ = ["agent_state", "agents_now", "queue_users", "seen_by"]


def agents_now(agents: QuerySet[Agent]) -> QuerySet[Agent]:
    """The agents, each with what `agent_state` asks for."""
    offer = Offer.objects.filter(agent=OuterRef("pk"), state__in=OPEN)
    return agents.annotate(
        open_offer=Subquery(offer.values("state")[:1]),
        in_wrapup=Exists(WrapUp.objects.filter(agent=OuterRef("pk"), closed_at__isnull=True)),
    )


def agent_state(agent: Any, *, now: datetime) -> str:
    """What an agent of `agents_now` is doing, in words."""
    if agent.open_offer:
        return "Ringing" if agent.open_offer == Offer.State.RINGING else "On a call"
    if not agent.is_present(now):
        return "Offline"
    if agent.in_wrapup:
        return "Wrap-up"
    status = str(agent.get_status_display())
    return f"{status} ({agent.reason})" if agent.reason and agent.status == Agent.Status.AWAY else status


def seen_by(person: User, rows: QuerySet[Any], path: str = "") -> QuerySet[Any]:
    """The rows that this person may see: all, or those of their teams and of none.

    `path` leads to the call, such as `call__`.
    """
    if person.has_perm("calls.view_every_team"):
        return rows
    ours = Q(**{f"{path}team__in": person.teams.all()})
    return rows.filter(ours | Q(**{f"{path}team__isnull": True}))


def queue_users(queue: Queue) -> list[str]:
    """Why a queue cannot be deleted now, in words: who waits in it, which numbers and queues lead to it."""
    waiting = queue.waits.filter(left_at__isnull=True).count()
    numbers = [str(number) for number in PhoneNumber.objects.filter(queue=queue)[:20]]
    others = Queue.objects.filter(overflow=Queue.Overflow.QUEUE, overflow_queue=queue)
    queues = [f"the overflow of {other}" for other in others[:20]]
    waits = [f"{waiting} waiting caller{'s' if waiting > 1 else ''}"] if waiting else []
    return [*waits, *numbers, *queues]
