"""The tick: what follows from the facts, four times a second. Doors write, this draws the consequences.

Each step finds its work in the rows and may be run twice or by two workers: constraints and conditional
updates make the second harmless. The steps are in the order in which one thing leads to the next.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import IntegrityError

from calls.counters import count
from calls.events import change, newest_id
from calls.gateway import conferences as gateway
from calls.gateway.client import GatewayError
from calls.models import (
    Agent,
    Call,
    Callback,
    Command,
    Event,
    Leg,
    Offer,
    Participant,
    Queue,
    Supervision,
    Waiting,
)
from calls.models.offer import OPEN
from calls.refusal import Refused
from calls.routing import OWN_PRIORITY, Free, Pair, Wait, decide
from calls.selectors import agents as selector
from calls.services import (
    agents,
    commands,
    conferences,
    dialling,
    ending,
    lost,
    moves,
    offers,
    queues,
    supervision_over,
    takeover_fetch,
    wrapup,
)

__all__ = ["Tick", "settle"]

_BACKOFF = timedelta(seconds=2)  # after a ring that could not be asked of Twilio
_AT_ONCE = 50
_BY_CLOCK = timedelta(seconds=1)
_NOUNS = ("call", "waiting", "offer", "agent", "participant", "wrapup", "callback", "command", "supervision")


class Tick:
    """`settle`, four times a second, when an event or the clock gives it something to do.

    What follows from a fact follows at once; what follows from time alone (a ring that is over, a desk that
    is silent) within a second.
    """

    def __init__(self) -> None:
        self._seen = 0
        self._at: datetime | None = None

    def __call__(self, *, now: datetime) -> int:
        """Settle if it is due; how many consequences were drawn."""
        if not self._has_news() and self._at is not None and now - self._at < _BY_CLOCK:
            return 0
        self._at = now
        return settle(now=now)

    def _has_news(self) -> bool:
        seen, self._seen = self._seen, newest_id()
        return seen != self._seen and Event.objects.filter(id__gt=seen, noun__in=_NOUNS).exists()


def settle(*, now: datetime) -> int:
    """Draw every consequence once; how many there were.

    A step that fails holds up no other; its error is raised at the end, for the worker to tell.
    """
    done, failed = 0, None
    for step in _STEPS:
        try:
            done += step(now)
        except IntegrityError:  # another worker was first; the rest of the step comes with the next tick
            count("routing.raced")
        except Exception as error:
            failed = failed or error
    if failed is not None:
        raise failed
    return done


def _unanswered(now: datetime) -> int:
    return offers.unanswered(now=now)


def _abandoned(now: datetime) -> int:
    """Callers who hung up while they waited."""
    rows = Waiting.objects.open().filter(call__state=Call.State.ENDED).select_related("call")
    return sum(_leave(row, Waiting.Result.ABANDONED, now) for row in rows)


def _offered(now: datetime) -> int:
    """Who waits gets who is free."""
    waits = _waits(now)
    if not waits:
        return 0
    free = {agent.pk: agent for agent in selector.free(now=now)}
    pairs = decide(
        (_as_wait(row, now) for row in waits.values()), (_as_free(one, now) for one in free.values())
    )
    made = [_offer(pair, waits[pair.wait.is_callback, pair.wait.key], free, now) for pair in pairs[:_AT_ONCE]]
    ringing = [offer for offer in made if offer is not None and offer.kind != Offer.Kind.CALLBACK]
    offers.ring(ringing, now=now)
    return len(made)


def _fetched(now: datetime) -> int:
    """Callers whose agent has answered are brought into the conference; on hold no longer.

    A colleague who was asked is that agent when who asked is gone.
    """
    accepted = Offer.objects.filter(state=Offer.State.ACCEPTED, conference__isnull=False)
    found = accepted.exclude(kind=Offer.Kind.DIAL).exclude(call__state=Call.State.ENDED)
    return sum(
        _fetch(offer, now)
        for offer in found.select_related("call__number", "conference", "agent")
        if offer.kind != Offer.Kind.CONSULT or offers.is_alone(offer)
    )


def _overflowed(now: datetime) -> int:
    """Who has waited too long in a queue goes where the queue says."""
    ringing = Offer.objects.filter(state=Offer.State.RINGING).values("call")
    rows = Waiting.objects.open().exclude(queue__isnull=True).exclude(call__in=ringing)
    rows = rows.exclude(queue__overflow=Queue.Overflow.STAY).select_related("queue__overflow_queue", "call")
    rows = rows.exclude(call__in=Supervision.objects.joined().values("call"))  # they talk meanwhile
    late = [row for row in rows if _is_late(row, now)]
    return sum(_overflow(row, now) for row in late)


_STEPS: tuple[Callable[[datetime], int], ...] = (
    _unanswered,
    _abandoned,
    lambda now: ending.parts_over(now=now),
    lambda now: supervision_over.over(now=now),
    lambda now: takeover_fetch.fetch(now=now),
    lambda now: lost.kept(now=now),
    lambda now: ending.strays(now=now),
    _offered,
    _fetched,
    lambda now: dialling.proceed(now=now),
    _overflowed,
    lambda now: ending.forsaken(now=now),
    lambda now: ending.lonely(now=now),
    lambda now: wrapup.close_due(now=now),
    lambda now: agents.notice_absent(now=now),
)


def _waits(now: datetime) -> dict[tuple[bool, int], Waiting | Callback]:
    """Who may be offered now: nobody rings for them, and the last ring did not fail just now."""
    busy = Offer.objects.filter(state=Offer.State.RINGING).values("call")
    failed = Offer.objects.filter(state=Offer.State.WITHDRAWN, ended_at__gt=now - _BACKOFF).values("call")
    rows = Waiting.objects.open().exclude(call__in=busy).exclude(call__in=failed)
    rows = rows.exclude(call__state=Call.State.ENDED).select_related("call__number", "call__queue", "queue")
    due = Callback.objects.open().filter(due_at__lte=now).exclude(call__in=busy).exclude(call__in=failed)
    due = due.exclude(call__voice__isnull=False, call__ended_at__isnull=True)  # they still talk with it
    due = due.exclude(offers__state__in=OPEN).select_related("call__number", "queue")
    found: dict[tuple[bool, int], Waiting | Callback] = {(False, row.pk): row for row in rows[:1000]}
    found.update({(True, row.pk): row for row in due[:1000]})
    return found


def _as_wait(row: Waiting | Callback, now: datetime) -> Wait:
    if isinstance(row, Callback):
        return Wait(row.pk, row.queue_id, row.agent_id, row.priority, row.place_at, is_callback=True)
    kept = row.agent_id is not None and (row.agent_until is None or row.agent_until > now)
    return Wait(
        key=row.pk,
        queue=row.queue_id,
        agent=row.agent_id if kept else None,
        priority=row.priority,
        since=row.entered_at,
        is_own=kept and row.priority >= OWN_PRIORITY,
    )


def _as_free(agent: Agent, now: datetime) -> Free:
    queues_of = frozenset(queue.pk for queue in agent.queues.all())
    only_own = agent.status != Agent.Status.READY
    return Free(agent.pk, agent.idle_since or agent.since or now, queues_of, only_own)


def _offer(pair: Pair, row: Waiting | Callback, free: dict[int, Agent], now: datetime) -> Offer | None:
    agent = free[pair.agent]
    seconds = row.queue.ring_seconds if row.queue else offers.RING_SECONDS
    if isinstance(row, Callback):
        kind = Offer.Kind.CALLBACK
        return offers.make(call=row.call, agent=agent, kind=kind, callback=row, seconds=seconds, now=now)
    own = Offer.Kind.RESUME if pair.wait.is_own else Offer.Kind.DIRECT
    kind = own if pair.wait.agent is not None else Offer.Kind.QUEUE
    return offers.make(
        call=row.call, agent=agent, kind=kind, waiting=row, reason=row.reason, seconds=seconds, now=now
    )


def _fetch(offer: Offer, now: datetime) -> int:
    call, room = offer.call, offer.conference
    assert room is not None, "the query asks for it"
    seat = Participant.objects.filter(
        conference=room, leg__kind__in=(Leg.Kind.CALLER, Leg.Kind.PERSON), leg__ended_at__isnull=True
    ).exclude(joined_at__isnull=True)
    there = seat.filter(left_at__isnull=True).select_related("leg", "conference__call").first()
    if there is not None:
        return _unhold(offer, there, now)
    plan = {"step": "conference", "name": room.name}
    if offer.hung_up or (call.plan == plan and seat.exists()):
        return 0  # they were there, and went on
    leg = moves.persons_leg(call)
    if leg is None or moves.recently(call, Command.Kind.REDIRECT, now=now):
        return 0
    try:
        if call.plan == plan and gateway.find(region=call.region, conference=room.name, participant=leg.sid):
            conferences.found_in(room, leg, now=now)  # sent on again they would leave it for a moment
        else:
            moves.redirect(call=call, plan=plan, by=None, now=now)
    except (Refused, GatewayError):  # hung up at this very moment; or not to be asked now
        return 0
    return 1


def _unhold(offer: Offer, seat: Participant, now: datetime) -> int:
    """Who was put on hold before this agent came, because the other one was lost, hears the one who came."""
    if not seat.held or moves.recently(offer.call, Command.Kind.RESUME, now=now):
        return 0
    held = Command.objects.filter(call=offer.call, kind=Command.Kind.HOLD).order_by("-created_at").first()
    if held is None or offer.accepted_at is None or held.created_at >= offer.accepted_at:
        return 0  # the agent who is there has put them on hold
    moves.unhold(seat=seat, by=None, now=now)
    return 1


def _is_late(row: Waiting, now: datetime) -> bool:
    return row.queue is not None and row.created_at + timedelta(seconds=row.queue.overflow_seconds) <= now


def _overflow(row: Waiting, now: datetime) -> int:
    call = row.call
    if moves.recently(call, Command.Kind.REDIRECT, now=now):
        return 0
    try:
        with change(at=now) as told:
            plan = queues.overflow(told, call=call, now=now)
            if plan is None:
                return 0
            command = moves.intend_redirect(told, call=call, plan=plan, by=None)
    except Refused:
        return 0
    commands.send([command], now=now)
    return 1


def _leave(row: Waiting, result: str, now: datetime) -> bool:
    with change(at=now) as told:
        return queues.leave(told, call=row.call, result=result, now=now)
