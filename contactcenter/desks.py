"""The simulated agents of the demo: present, Ready, and done with their wrap-ups, as their desks would say.

Their phones are played by Twilio's side. Whoever signs in as one of them and opens the desk takes the seat,
and is that agent from then on. A person who is Ready is served before them.
"""

import uuid
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import Min
from django.utils import timezone

from calls.models import Agent, Offer, Outcome, WrapUp
from calls.refusal import Refused
from calls.selectors.agents import READY, states
from calls.services import agents, help, wrapup
from contactcenter.seeding import NEEDS_HELP

__all__ = ["Desks"]

WRAP_UP_SECONDS = 4.0
HELP_AFTER_SECONDS = 12.0
HELP = "The warning light is on after our service. What may I offer?"
_A_MOMENT = 3.0
_PATIENCE = 30.0  # an agent who was taken Away is Ready again


@dataclass
class Desks:
    """Keeps those agents at their desks that no person sits at. `look` is called twice a second."""

    identities: list[str]
    desk: str = field(default_factory=lambda: str(uuid.uuid4()))
    seated: set[int] = field(default_factory=set)
    asked: set[int] = field(default_factory=set)  # calls with which help was asked

    def open(self) -> None:
        """Whose seat is free sits down and says Ready; one that a person took is free when they have left."""
        now = timezone.now()
        for agent in Agent.objects.filter(identity__in=self.identities).exclude(pk__in=self.seated):
            if agents.sit(agent_id=agent.pk, desk=self.desk, take=False, now=now):
                self.seated.add(agent.pk)
                agents.set_phone(agent=agent, kind=Agent.Phone.BROWSER, ok=True, now=now)
                agents.set_status(agent=agent, status=Agent.Status.READY, now=now)

    def look(self) -> None:
        """Beat, finish wrap-ups, come back from Away; leave a seat that a person has taken."""
        now = timezone.now()
        for agent_id in list(self.seated):
            if not agents.beat(agent_id=agent_id, desk=self.desk, now=now):
                self.seated.discard(agent_id)
        self.open()
        self._let_persons_go_first()
        for row in WrapUp.objects.filter(agent__in=self.seated, closed_at__isnull=True):
            if (now - row.opened_at).total_seconds() >= WRAP_UP_SECONDS:
                wrapup.close(wrapup=row, outcome=self._outcome(row), now=now)
        self._ask_for_help(now)
        away = Agent.objects.filter(pk__in=self.seated, status=Agent.Status.AWAY)
        for agent in away:
            if agent.since is None or (now - agent.since).total_seconds() >= _PATIENCE:
                self._back(agent)

    def _let_persons_go_first(self) -> None:
        """Who has been idle longest is served next: a person has, whenever a simulated agent is idle."""
        first = Agent.objects.filter(pk__in=self.seated).aggregate(first=Min("idle_since"))["first"]
        if first is not None:
            persons = Agent.objects.exclude(pk__in=self.seated).filter(idle_since__gte=first)
            persons.update(idle_since=first - timedelta(seconds=1))

    def _ask_for_help(self, now: datetime) -> None:
        """One caller is too much for whoever has them: a supervisor is asked, once a call."""
        talking = Offer.objects.filter(agent__in=self.seated, state=Offer.State.ACCEPTED)
        hard = talking.filter(call__contact__name=NEEDS_HELP).exclude(call__in=self.asked)
        for offer in hard.select_related("call", "agent__user"):
            if offer.accepted_at and (now - offer.accepted_at).total_seconds() >= HELP_AFTER_SECONDS:
                self.asked.add(offer.call_id)
                with suppress(Refused):  # hung up at this very moment
                    help.ask(call=offer.call, reason=HELP, by=offer.agent.user, now=now)

    def people_ready(self) -> int:
        """How many people have been Ready for a moment, with nothing to do."""
        now = timezone.now()
        persons = Agent.objects.exclude(pk__in=self.seated)
        found = states(now=now, agents=persons)
        return sum(1 for one in found if one.state == READY and _long(one.since, now))

    def _back(self, agent: Agent) -> None:
        try:
            agents.set_status(agent=agent, status=Agent.Status.READY, now=timezone.now())
        except Refused:  # somebody sits down at this desk just now
            self.seated.discard(agent.pk)

    def _outcome(self, row: WrapUp) -> str:
        labels = Outcome.objects.filter(queue=row.queue, active=True).values_list("label", flat=True)
        return labels[row.pk % len(labels)] if labels else ""


def _long(since: datetime | None, now: datetime) -> bool:
    return since is not None and (now - since).total_seconds() >= _A_MOMENT
