"""Our rows against Twilio's REST: what a lost callback left behind is set right by the same lattice.

Each call is read in its own region. Twilio streams cannot be read; they follow their call.
"""

import logging
import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db.models import F, Q, QuerySet

from calls import lattice
from calls.difference import Difference
from calls.events import change
from calls.gateway import calls as gateway
from calls.gateway.calls import CallFacts
from calls.gateway.client import GatewayError
from calls.models import Conference, Leg, PhoneNumber
from calls.services import legs, rooms, taps

__all__ = ["Difference", "complete_by_fetch", "run", "sweep"]

_log = logging.getLogger("contactcenter.reconcile")
_EACH = timedelta(seconds=10)
_AFTER_END = timedelta(minutes=10)
_YOUNG = timedelta(seconds=30)  # its webhook may be under way
_SWEEP_LIMIT = 20


def run(*, now: datetime, check: bool = False) -> list[Difference]:
    """Compare every leg that is not over, or was over lately and not compared since, every live call, and
    every conference that is not over.

    With `check` nothing is changed. Raises GatewayError when Twilio cannot be asked.
    """
    missing = [
        found for region, ours in _ours().items() for found in _missing(region, ours, now=now, check=check)
    ]
    found = _compare_all(list(_due(now, every=timedelta(0))), now, check) + missing
    return found + rooms.compare(list(rooms.due(now=now, every=timedelta(0))), now=now, check=check)


def sweep(*, now: datetime) -> int:
    """The worker's share: at most 20 legs and 20 conferences, none twice within 10 s. How many things were
    set right.

    A region that cannot be asked holds up none of the others.
    """
    unasked = legs.unasked(now=now)
    due = list(_due(now, every=_EACH).order_by(F("checked_at").asc(nulls_first=True))[:_SWEEP_LIMIT])
    open_rooms = list(rooms.due(now=now, every=_EACH)[:_SWEEP_LIMIT])
    ours = _ours()
    regions = {leg.call.region for leg in (*unasked, *due)} | set(ours)
    regions |= {room.call.region for room in open_rooms}
    return sum(
        _sweep_region(
            [leg for leg in unasked if leg.call.region == region],
            [leg for leg in due if leg.call.region == region and leg not in unasked],
            ours.get(region, {}),
            [room for room in open_rooms if room.call.region == region],
            region=region,
            now=now,
        )
        for region in sorted(regions)
    )


def _sweep_region(
    unasked: list[Leg],
    due: list[Leg],
    ours: dict[str, PhoneNumber],
    open_rooms: list[Conference],
    *,
    region: str,
    now: datetime,
) -> int:
    try:
        for leg in unasked:
            complete_by_fetch(leg, now=now)
        found = _compare_all(due, now, check=False)
        found += _missing(region, ours, now=now, check=False) if ours else []
        return len(found + rooms.compare(open_rooms, now=now))
    except GatewayError as error:
        _log.warning("reconcile.stopped", extra={"code": error.code, "region": region})
        return 0


def complete_by_fetch(leg: Leg, *, now: datetime) -> bool:
    """Ask Twilio once who an adopted leg is talking with. False if Twilio does not know it."""
    Leg.objects.filter(pk=leg.pk).update(checked_at=now)
    facts = gateway.fetch(region=leg.call.region, sid=leg.sid)
    if facts is None:
        return False
    person = facts.to if facts.direction.startswith("outbound") else facts.from_
    with change(at=now) as told:
        direction = facts.direction.partition("-")[0]
        legs.complete(told, leg, person=person, caller_name=facts.caller_name, direction=direction)
        legs.apply_within(told, sid=leg.sid, status=facts.status, at=facts.ended_at or now, now=now)
    return True


def _due(now: datetime, *, every: timedelta) -> QuerySet[Leg]:
    unchecked = Q(checked_at__isnull=True)
    alive = ~Q(status__in=lattice.TERMINAL) & (unchecked | Q(checked_at__lte=now - every))
    just_ended = Q(ended_at__gt=now - _AFTER_END) & (unchecked | Q(checked_at__lt=F("ended_at")))
    return Leg.objects.filter(alive | just_ended).select_related("call").order_by("id")


def _compare_all(due: Iterable[Leg], now: datetime, check: bool) -> list[Difference]:
    found = [_compare(leg, now, check) for leg in due]
    return [difference for difference in found if difference is not None]


def _compare(leg: Leg, now: datetime, check: bool) -> Difference | None:
    facts = gateway.fetch(region=leg.call.region, sid=leg.sid)
    Leg.objects.filter(pk=leg.pk).update(checked_at=now)
    twilios = lattice.known(facts.status) if facts else _gone(leg, now)
    if not twilios or lattice.highest(leg.status, twilios) == leg.status:
        return None
    fixed = not check and _set_right(leg, twilios, facts, now)
    return Difference(leg.sid, "status", leg.status, twilios, fixed)


def _gone(leg: Leg, now: datetime) -> str:
    """The status of a leg that Twilio does not know: over, unless so young that Twilio may know it yet."""
    if lattice.has_ended(leg.status) or now - leg.started_at < _YOUNG:
        return ""
    return "completed" if leg.answered_at else "canceled"


def _set_right(leg: Leg, status: str, facts: CallFacts | None, now: datetime) -> bool:
    at = facts.ended_at if facts and facts.ended_at and lattice.has_ended(status) else now
    _log.info("reconcile.status", extra={"call_sid": leg.sid, "ours": leg.status, "twilios": status})
    return legs.apply(sid=leg.sid, status=status, at=at, now=now) is not None


def _ours() -> dict[str, dict[str, PhoneNumber]]:
    """The numbers whose webhooks are ours, by region and E.164."""
    by_region: dict[str, dict[str, PhoneNumber]] = {}
    for number in PhoneNumber.objects.filter(webhook_state=PhoneNumber.Webhooks.RIGHT).order_by("region"):
        by_region.setdefault(number.region, {})[number.e164] = number
    return by_region


def _missing(region: str, numbers: dict[str, PhoneNumber], *, now: datetime, check: bool) -> list[Difference]:
    """Live calls to our numbers of which no row was made: the database was away."""
    live = [facts for facts in gateway.live(region=region) if facts.to in numbers and not facts.parent_sid]
    known = set(Leg.objects.filter(sid__in=[facts.sid for facts in live]).values_list("sid", flat=True))
    return [
        Difference(
            facts.sid, "call", "", facts.status, not check and _take_in(facts, numbers[facts.to], region, now)
        )
        for facts in live
        if facts.sid not in known and facts.started_at is not None and facts.started_at < now - _YOUNG
    ]


def _take_in(facts: CallFacts, number: PhoneNumber, region: str, now: datetime) -> bool:
    """Make the call's rows, and open the tap that it could not be given."""
    leg = legs.adopt(call_sid=facts.sid, account_sid="", number=number, region=region, now=now)
    with change(at=now) as told:
        legs.complete(told, leg, person=facts.from_, caller_name=facts.caller_name, direction="inbound")
    if number.stream:
        taps.start(leg=leg, by=None, command_id=uuid.uuid4(), now=now)
    _log.info("reconcile.adopted", extra={"call_sid": facts.sid})
    return True
