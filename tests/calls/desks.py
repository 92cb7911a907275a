"""An agent's world for tests: Jonas at his desk, the Support queue, an offer of a call; all by rows."""

from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from calls.events import change
from calls.models import Agent, Call, Offer, Outcome, Queue, Team, Waiting
from tests import factories, people

TAB, OTHER_TAB = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"


def sanne() -> Agent:
    """Jonas's colleague."""
    user = people.person("sanne", "Agent")
    return Agent.objects.get_or_create(user=user, defaults={"name": "Sanne", "identity": "agent_sanne"})[0]


def support(*agents: Agent, **fields: Any) -> Queue:
    """The queue that these agents answer."""
    queue, _ = Queue.objects.get_or_create(name="Support", defaults=fields)
    queue.agents.add(*agents)
    return queue


def outcomes(queue: Queue, *labels: str) -> None:
    """The words for how its calls end."""
    for order, label in enumerate(labels):
        Outcome.objects.create(queue=queue, label=label, order=order)


def seated(agent: Agent, desk: str = TAB, **fields: Any) -> Agent:
    """Present for an hour, and Ready unless told otherwise."""
    fields.setdefault("status", "ready")
    fields.setdefault("present_until", timezone.now() + timedelta(hours=1))
    Agent.objects.filter(pk=agent.pk).update(desk=desk, **fields)
    agent.refresh_from_db()
    return agent


def offered(agent: Agent, call: Call | None = None, **fields: Any) -> Offer:
    """A call that rings at the agent's desk, with its events; `state="accepted"` gets its time too."""
    now = timezone.now()
    call = call or factories.call()
    fields.setdefault("until", now + timedelta(seconds=20))
    if fields.get("state") == "accepted":
        fields.setdefault("accepted_at", now)
    with change() as told:
        offer = Offer.objects.create(call=call, agent=agent, **fields)
        told.emit(kind="offer.ringing", noun="offer", key=offer.pk, call=call.pk)
        told.emit(kind="agent.changed", noun="agent", key=agent.pk)
    return offer


def ended(offer: Offer, state: str = "ended") -> None:
    """The agent's part is over."""
    with change() as told:
        Offer.objects.filter(pk=offer.pk).update(state=state, ended_at=timezone.now())
        told.emit(kind=f"offer.{state}", noun="offer", key=offer.pk, call=offer.call_id)
        told.emit(kind="agent.changed", noun="agent", key=offer.agent_id)


def waits(queue: Queue, call: Call | None = None, since: datetime | None = None) -> Waiting:
    """A caller begins to wait."""
    call = call or factories.call(queue=queue)
    with change() as told:
        row = Waiting.objects.create(call=call, queue=queue, entered_at=since or timezone.now())
        told.emit(kind="waiting.entered", noun="waiting", key=row.pk, call=call.pk)
    return row


def said(call: Call, text: str, **fields: Any) -> None:
    """A final line, with its event."""
    with change() as told:
        stream = call.legs.first() and factories.stream(call.legs.first())
        message = factories.utterance(stream or factories.stream(factories.leg(call)), text, **fields)
        body = message.as_message()
        told.emit(kind="utterance.final", noun="utterance", key=body["utterance"], call=call.pk)


def team(name: str) -> Team:
    """A team without people yet."""
    return Team.objects.create(name=name)
