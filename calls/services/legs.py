"""Twilio's statuses → Leg → Call.state: in any order, any number of times, with the same rows in the end."""

import logging
from datetime import datetime, timedelta

from django.db import IntegrityError

from calls import lattice
from calls.counters import count
from calls.events import Change, change
from calls.models import Agent, Call, Leg, PhoneNumber
from calls.services import agents, contacts, tickets
from calls.text import clean, known_caller

__all__ = ["adopt", "apply", "apply_within", "born", "complete", "settle", "unasked"]

_log = logging.getLogger("contactcenter.twilio")
_STREAMED_ELSEWHERE = ""  # direction of an adopted call until Twilio has been asked


def apply(
    *,
    sid: str,
    status: str,
    at: datetime,
    now: datetime | None = None,
    sequence: int | None = None,
    parent_sid: str = "",
    to: str = "",
) -> Leg | None:
    """Take in one status of one leg; a leg that a `<Dial>` of ours made is added to its parent's call.

    `at` is when it happened by Twilio's word, `now` our time if it differs. Returns None, with one log line,
    for a leg that belongs to no call of ours and for a status that we do not know.
    """
    now = now or at
    with change(at=now) as told:
        return apply_within(
            told, sid=sid, status=status, at=at, now=now, sequence=sequence, parent_sid=parent_sid, to=to
        )


def apply_within(
    told: Change,
    *,
    sid: str,
    status: str,
    at: datetime,
    now: datetime,
    sequence: int | None = None,
    parent_sid: str = "",
    to: str = "",
    made: Leg | None = None,
) -> Leg | None:
    """The same within a change that is under way; `made` is the leg to add when we do not know it yet."""
    word = lattice.known(status)
    leg = _locked(sid) or _child(sid=sid, parent_sid=parent_sid, to=to, at=min(at, now)) or made
    if leg is None or not word:
        _log.warning("twilio.status.ignored", extra={"call_sid": sid, "status": clean(status, 20)})
        count("twilio.status.ignored")
        return None
    before, was = _facts(leg), leg.status
    _raise(leg, word, min(at, now), sequence)
    if leg.pk is None or _facts(leg) != before:
        leg.save()
        moved = settle(told, leg.call, now=now)
        if not moved and leg.status != was and _is_dialled(leg):
            told.emit(kind="call.changed", noun="call", key=leg.call_id, call=leg.call_id)
        if leg.status != was and leg.parent_id and leg.agent_id:
            _tell_agent(told, leg, now)
    return leg


def born(
    told: Change,
    *,
    sid: str,
    status: str,
    number: PhoneNumber,
    caller: str,
    caller_name: str,
    now: datetime,
    region: str = "",
    tapped: bool = True,
    consented: bool = True,
    rings: bool = True,
    dials: bool = True,
) -> Leg:
    """The first leg of a call that Twilio tells us of, and its call; one adopted before is completed.

    `region` is the one whose token signed; the number's where that is not known. Of the document that
    answers it: `tapped` if it may start a stream, `consented` if the consent text is said, `rings` if the
    caller first hears a telephone ring, `dials` if somebody is to answer.
    """
    leg = _locked(sid)
    call = leg.call if leg else Call(started_at=now)
    call.number = number
    call.caller = known_caller(caller)
    call.caller_name = clean(caller_name, 120)
    call.contact = contacts.match(call.caller)
    call.direction = "inbound"
    call.region = region or number.region
    if call.region != number.region:  # as while the number moves; else doctor tells
        _log.info("twilio.region.other", extra={"call_sid": sid, "region": call.region})
    call.team = number.team
    call.dials = dials
    call.tap_wanted = number.stream and tapped
    call.words_wanted = number.transcribe
    call.record_allowed = number.may_record() and consented
    call.save()
    leg = leg or Leg(sid=sid, call=call, started_at=now)
    # Twilio answers the call when it reads a document that speaks and rings nobody.
    word = lattice.known(status) or "ringing"
    _raise(leg, word if rings else lattice.highest(word, lattice.LIVE), now, None)
    leg.save()
    settle(told, call, now=now, kind="call.started")
    return leg


def adopt(*, call_sid: str, account_sid: str, number: PhoneNumber, now: datetime, region: str = "") -> Leg:
    """The leg of a stream that others opened, made from its `start` if we do not know it; once per SID.

    Who calls is not in `start`: the worker asks Twilio (reconcile.complete_adopted). `account_sid` has been
    compared by the caller of this function.
    """
    known = Leg.objects.select_related("call").filter(sid=call_sid).first()
    if known is not None:
        return known
    try:
        with change(at=now) as told:
            return _adopted(told, call_sid, number, region or number.region, now)
    except IntegrityError:  # of two at once the other was first
        return Leg.objects.select_related("call").get(sid=call_sid)


def settle(told: Change, call: Call, *, now: datetime, kind: str = "") -> bool:
    """Make the call what its legs say, and tell it if something moved (or `kind` is given)."""
    everybody = call.legs.select_related("agent").order_by("started_at", "id")
    legs = [leg for leg in everybody if leg.kind != Leg.Kind.SUPERVISOR]  # no supervisor answers a call
    _raise_parents(legs)
    before, was = _call_facts(call), call.state
    outbound = call.direction == Call.OUTBOUND
    facts = [_lattice_facts(leg) for leg in legs]
    _become(call, lattice.outcome(facts, dials=call.dials, outbound=outbound), now)
    call.agent = _answering(legs)
    moved = _call_facts(call) != before
    if moved:
        call.save()
    if call.state == Call.State.ENDED:
        tickets.revoke_unspent(leg_ids=[leg.pk for leg in legs], now=now)
    if moved or kind:
        kind = kind or (f"call.{call.state}" if call.state != was else "call.changed")
        told.emit(kind=kind, noun="call", key=call.pk, call=call.pk)
    return moved


def _locked(sid: str) -> Leg | None:
    """The leg, with its call's row locked: all legs of one call are settled one after the other."""
    call_id = Leg.objects.filter(sid=sid).values_list("call_id", flat=True).first()
    if call_id is None:
        return None
    Call.objects.select_for_update().get(pk=call_id)
    return Leg.objects.select_related("call__number", "call__agent", "call__contact", "call__queue").get(
        sid=sid
    )


def _child(*, sid: str, parent_sid: str, to: str, at: datetime) -> Leg | None:
    parent = _locked(parent_sid) if parent_sid else None
    if parent is None:
        return None
    there = Leg.objects.select_related("call").filter(sid=sid).first()
    if there is not None:  # made by another callback while we waited for the lock
        return there
    agent = _agent(to)
    kind = Leg.Kind.AGENT if agent else Leg.Kind.OUTSIDE
    return Leg(sid=sid, call=parent.call, parent=parent, kind=kind, agent=agent, started_at=at)


def _tell_agent(told: Change, leg: Leg, now: datetime) -> None:
    """A line that rings an agent straight has no offer that would tell what the agent does."""
    if leg.agent_id and lattice.has_ended(leg.status):
        agents.idle(told, leg.agent_id, now=now)
    else:
        told.emit(kind="agent.changed", noun="agent", key=leg.agent_id)


def _is_dialled(leg: Leg) -> bool:
    """Whether an agent had it called into the conference and watches how far that has come."""
    return leg.parent_id is None and leg.kind in (Leg.Kind.PERSON, Leg.Kind.OUTSIDE)


def _agent(to: str) -> Agent | None:
    if to.startswith("client:"):
        return Agent.objects.filter(identity=to.removeprefix("client:")).first()
    return Agent.objects.filter(e164=to).first() if to else None


def _become(call: Call, result: lattice.Outcome, now: datetime) -> None:
    """Twilio's times have whole seconds: nothing happens before the call began."""
    begun = call.started_at
    call.state, call.outcome = result.state, result.outcome
    call.answered_at = max(result.answered_at, begun) if result.answered_at else None
    ended = result.state == Call.State.ENDED
    call.ended_at = max(result.ended_at or now, call.answered_at or begun) if ended else None


def _call_facts(call: Call) -> tuple[object, ...]:
    return call.state, call.outcome, call.answered_at, call.ended_at, call.agent_id


def _lattice_facts(leg: Leg) -> lattice.LegFacts:
    return lattice.LegFacts(leg.status, leg.is_persons(), leg.answered_at, leg.ended_at)


def _facts(leg: Leg) -> tuple[object, ...]:
    return leg.status, leg.sequence, leg.started_at, leg.answered_at, leg.ended_at


def _raise(leg: Leg, word: str, at: datetime, sequence: int | None) -> None:
    """Every field only moves one way, so that the order of arrival does not matter."""
    leg.status = lattice.highest(leg.status, word)
    leg.sequence = max(leg.sequence, -1 if sequence is None else sequence)
    leg.started_at = min(leg.started_at, at)
    if word == lattice.LIVE:
        leg.answered_at = min(leg.answered_at or at, at)
    if lattice.has_ended(word):
        leg.ended_at = min(leg.ended_at or at, at)


def _raise_parents(legs: list[Leg]) -> None:
    """Twilio bridges a child only with an answered parent, and tells of the parent's answer nowhere else."""
    by_id = {leg.pk: leg for leg in legs}
    for leg in legs:
        parent = by_id.get(leg.parent_id) if leg.parent_id else None
        if parent is not None and leg.answered_at is not None:
            before = _facts(parent)
            _raise(parent, lattice.LIVE, leg.answered_at, None)
            if _facts(parent) != before:
                parent.save()


def _answering(legs: list[Leg]) -> Agent | None:
    """The agent who talks, or talked last; of two at once who came first, until they have left."""
    answered = [leg for leg in legs if leg.agent is not None and leg.answered_at is not None]
    talking = [leg for leg in answered if leg.ended_at is None]
    if talking:
        return min(talking, key=lambda leg: (leg.answered_at, leg.sid)).agent
    last = max(answered, key=lambda leg: (leg.ended_at, leg.answered_at, leg.sid), default=None)
    return last.agent if last else None


def _adopted(told: Change, call_sid: str, number: PhoneNumber, region: str, now: datetime) -> Leg:
    call = Call.objects.create(
        number=number,
        direction=_STREAMED_ELSEWHERE,
        region=region,
        started_at=now,
        words_wanted=number.transcribe,
    )
    leg = Leg.objects.create(sid=call_sid, call=call, status=lattice.LIVE, started_at=now, answered_at=now)
    settle(told, call, now=now, kind="call.started")
    return leg


def unasked(*, now: datetime) -> list[Leg]:
    """Adopted legs of the last hour whose caller we do not know yet; each is asked for once in 10 s."""
    legs = Leg.objects.select_related("call").filter(
        call__direction=_STREAMED_ELSEWHERE, call__started_at__gt=now - timedelta(hours=1)
    )
    return list(legs.exclude(checked_at__gt=now - timedelta(seconds=10)).order_by("id")[:20])


def complete(told: Change, leg: Leg, *, person: str, caller_name: str, direction: str) -> None:
    """Write down who an adopted leg is talking with, as REST has told."""
    call = leg.call
    call.caller = known_caller(person)
    call.caller_name = clean(caller_name, 120)
    call.contact = contacts.match(call.caller)
    call.direction = clean(direction, 16) or "inbound"
    call.save()
    told.emit(kind="call.changed", noun="call", key=call.pk, call=call.pk)
