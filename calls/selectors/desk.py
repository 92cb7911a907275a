"""What one agent's desk shows: themselves, what waits for them, their one call, and nothing of others'.

The current call is that of the open offer, else that of the open wrap-up. The number of queries is fixed:
it grows neither with calls nor with agents.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import (
    Count,
    DurationField,
    Exists,
    ExpressionWrapper,
    F,
    Min,
    OuterRef,
    Q,
    QuerySet,
    Sum,
)
from django.utils import timezone

from calls.access import may
from calls.events import newest_id
from calls.models import Agent, Call, Callback, Offer, Outcome, Waiting, WrapUp
from calls.models.offer import OPEN
from calls.selectors import context, part
from calls.selectors.agents import state_of
from calls.selectors.feed import iso
from calls.selectors.targets import numbers_to_call_from
from calls.selectors.touched import topic

__all__ = ["Look", "agent_of", "callbacks_of", "look", "state"]

CALLBACKS_SHOWN = 10
NUMBERS_SHOWN = 50
_AWAY_UNASKED = {"missed", "declined"}

Body = dict[str, Any]


@dataclass(frozen=True)
class Look:
    """A desk as of event `upto`: its state, its current call, the tab that it is, what it must hear of."""

    state: Body
    upto: int
    call: int | None
    desk: str
    topics: frozenset[str]


@dataclass(frozen=True)
class _Rows:
    """What every part of the state is made from."""

    agent: Agent
    now: datetime
    queues: list[int]
    offer: Offer | None
    wrapup: WrapUp | None
    outcomes: dict[int, list[str]]

    @property
    def call(self) -> Call | None:
        """The current call."""
        if self.offer is not None:
            return self.offer.call
        return self.wrapup.call if self.wrapup is not None else None


def agent_of(user_id: int | None) -> Agent | None:
    """The agent that a person is, or None."""
    return Agent.objects.select_related("user").filter(user=user_id).first()


def state(agent: Agent, *, now: datetime, lines: bool = True) -> Body:
    """The whole state of a desk; without `lines` the transcript is left out."""
    rows = _rows(agent, now)
    found = _state(rows)
    if lines:
        found["lines"] = part.lines(rows.call)
    return found


def look(*, agent_id: int, now: datetime, known_call: int | None) -> Look | None:
    """The desk anew, or None if there is no such agent any more.

    The transcript comes with it only when the current call is another than `known_call`. The id is read
    first: what changes meanwhile is an event after it.
    """
    upto = newest_id()
    agent = Agent.objects.select_related("user").filter(pk=agent_id).first()
    if agent is None:
        return None
    rows = _rows(agent, now)
    found = _state(rows)
    call = rows.call.pk if rows.call else None
    if call != known_call:
        found["lines"] = part.lines(rows.call)
    return Look(found, upto, call, agent.desk, _topics(rows))


def callbacks_of(agent: Agent) -> QuerySet[Callback]:
    """Open promises that this agent may keep: their own, and those of their queues that are nobody's."""
    queues = agent.queues.values("pk")
    return Callback.objects.open().filter(Q(agent=agent) | Q(agent__isnull=True, queue__in=queues))


def _rows(agent: Agent, now: datetime) -> _Rows:
    offer = (
        Offer.objects.filter(agent=agent, state__in=OPEN)
        .select_related(
            "call__number",
            "call__contact",
            "call__agent",
            "call__queue",
            "call__voice",
            "waiting",
            "callback",
        )
        .first()
    )
    wrapup = (
        WrapUp.objects.filter(agent=agent, closed_at__isnull=True)
        .select_related("call__number", "call__contact", "call__agent", "call__queue", "call__voice", "queue")
        .first()
    )
    asked = {offer.call.queue_id if offer else None, wrapup.queue_id if wrapup else None} - {None}
    outcomes: dict[int, list[str]] = {}
    for queue, label in Outcome.objects.filter(queue__in=asked, active=True).values_list("queue", "label"):
        outcomes.setdefault(queue, []).append(label)
    queues = list(agent.queues.values_list("pk", flat=True))
    return _Rows(agent, now, queues, offer, wrapup, outcomes)


def _topics(rows: _Rows) -> frozenset[str]:
    found = {topic("agent", rows.agent.pk), *(topic("queue", queue) for queue in rows.queues)}
    if rows.call is not None:
        found.add(topic("call", rows.call.pk))
        if rows.call.contact_id is not None:
            found.add(topic("contact", rows.call.contact_id))
    return frozenset(found)


def _state(rows: _Rows) -> Body:
    return {
        "me": _me(rows),
        "depth": _depth(rows),
        "today": _today(rows),
        "offer": part.offer(rows.offer),
        "call": part.call(rows.call),
        "context": _context(rows),
        "wrapup": _wrapup(rows),
        "callbacks": _callbacks(rows),
        "missed": rows.agent.status == Agent.Status.AWAY and rows.agent.reason in _AWAY_UNASKED,
        "dial": _dial(rows.agent),
        "commands": part.commands(rows.call),
        "watchers": part.watchers(rows.call, now=rows.now),
    }


def _me(rows: _Rows) -> Body:
    agent, true = rows.agent, state_of(rows.agent, now=rows.now)
    return {
        "agent": agent.pk,
        "name": agent.name,
        "identity": agent.identity,
        "state": true.state,
        "status": agent.status,
        "reason": agent.reason,
        "since": iso(true.since) if true.since else None,
        "phone": agent.phone,
        "telephone": agent.e164,
        "phone_ok": agent.phone_ok,
    }


def _depth(rows: _Rows) -> Body:
    """Callers who wait for any agent of my queues, or for me."""
    mine = Q(agent=rows.agent) | Q(agent__isnull=True, queue__in=rows.queues)
    found = Waiting.objects.open().filter(mine).aggregate(waiting=Count("pk"), since=Min("entered_at"))
    return {"waiting": found["waiting"], "longest_since": iso(found["since"]) if found["since"] else None}


def _today(rows: _Rows) -> Body:
    """Since midnight of the site's time zone. A call that came back after a lost page is the same call."""
    start = timezone.localtime(rows.now).replace(hour=0, minute=0, second=0, microsecond=0)
    own = (Offer.Kind.QUEUE, Offer.Kind.DIRECT, Offer.Kind.CALLBACK)
    spoken = _span(F("ended_at") - F("accepted_at"))
    offers = Offer.objects.filter(agent=rows.agent, created_at__gte=start).aggregate(
        answered=Count("pk", filter=Q(accepted_at__isnull=False, kind__in=own)),
        missed=Count("pk", filter=Q(state=Offer.State.MISSED)),
        talk=Sum(spoken, filter=Q(accepted_at__isnull=False, ended_at__isnull=False)),
    )
    written = WrapUp.objects.filter(agent=rows.agent, opened_at__gte=start, closed_at__isnull=False)
    wrapup = written.aggregate(all=Sum(_span(F("closed_at") - F("opened_at"))))["all"]
    return {
        "answered": offers["answered"],
        "missed": offers["missed"],
        "talk_s": int(offers["talk"].total_seconds()) if offers["talk"] else 0,
        "wrapup_s": int(wrapup.total_seconds()) if wrapup else 0,
    }


def _span(difference: Any) -> Any:
    return ExpressionWrapper(difference, output_field=DurationField())


def _context(rows: _Rows) -> Body | None:
    if rows.call is None:
        return None
    outcomes = rows.outcomes.get(rows.call.queue_id or 0, [])
    return context.of(call=rows.call, offer=rows.offer, agent=rows.agent, outcomes=outcomes, now=rows.now)


def _wrapup(rows: _Rows) -> Body | None:
    row = rows.wrapup
    if row is None:
        return None
    outcomes = rows.outcomes.get(row.queue_id or 0, [])
    return {
        "wrapup": row.pk,
        "call": row.call_id,
        "opened_at": iso(row.opened_at),
        "due_at": iso(row.due_at),
        "outcomes": outcomes,
        "outcome_required": bool(outcomes),
        "caller": row.call.display_caller(),
    }


def _callbacks(rows: _Rows) -> list[Body]:
    found = callbacks_of(rows.agent).select_related("call__contact", "queue")
    return [
        {
            "callback": row.pk,
            "who": row.call.display_caller(),
            "e164": row.e164,
            "due_at": iso(row.due_at),
            "note": row.note,
            "queue": row.queue.name if row.queue else "",
        }
        for row in found.order_by("due_at", "pk")[:CALLBACKS_SHOWN]
    ]


def _dial(agent: Agent) -> Body:
    """Whether they may call out, and from which of our numbers: those of their queues first."""
    allowed = may(agent.user, "calls.dial_out")
    mine = Exists(agent.queues.filter(pk=OuterRef("queue")))
    rows = numbers_to_call_from(agent).order_by(mine.desc(), "label", "pk")[:NUMBERS_SHOWN]
    shown = [{"number": row.pk, "label": row.label, "e164": row.e164} for row in rows]
    return {"allowed": allowed, "numbers": shown if allowed else []}
