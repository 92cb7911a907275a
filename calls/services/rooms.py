"""Our rows of conferences against Twilio: who sits there, who does not, what is over. Part of reconcile.

A seat or a room that began a moment ago is left alone: its callback may be under way, or overtake our look.
"""

import logging
import re
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db.models import Exists, F, OuterRef, Q, QuerySet

from calls import lattice
from calls.difference import Difference
from calls.events import change
from calls.gateway import conferences as gateway
from calls.gateway.conferences import RoomFacts
from calls.models import Call, Conference, Leg, Offer, Participant
from calls.models.offer import OPEN
from calls.services import conferences, seats

__all__ = ["compare", "due"]

_log = logging.getLogger("contactcenter.reconcile")
_YOUNG = timedelta(seconds=30)


def due(*, now: datetime, every: timedelta) -> QuerySet[Conference]:
    """Conferences to compare, longest unchecked first: not over, or with somebody still said to sit there.

    None that is younger than 30 s or was compared less than `every` ago.
    """
    sitting = Participant.objects.filter(
        conference=OuterRef("pk"), joined_at__isnull=False, left_at__isnull=True
    )
    unchecked = Q(checked_at__isnull=True) | Q(checked_at__lte=now - every)
    rooms = Conference.objects.filter(unchecked, Q(ended_at__isnull=True) | Exists(sitting))
    rooms = rooms.filter(created_at__lte=now - _YOUNG).select_related("call")
    return rooms.order_by(F("checked_at").asc(nulls_first=True), "id")


def compare(rooms: Iterable[Conference], *, now: datetime, check: bool = False) -> list[Difference]:
    """What differs, set right unless `check`. Raises GatewayError when Twilio cannot be asked."""
    return [found for room in rooms if _claim(room, now, check) for found in _compare(room, now, check)]


def _claim(room: Conference, now: datetime, check: bool) -> bool:
    """Of two workers one asks."""
    if check:
        return True
    mine = Conference.objects.filter(pk=room.pk, checked_at=room.checked_at)
    return bool(mine.update(checked_at=now))


def _compare(room: Conference, now: datetime, check: bool) -> list[Difference]:
    facts = gateway.read(region=room.call.region, conference=room.name)
    if facts is None:
        facts = _never(room, now)
    if facts is None:
        return []
    return [
        *_came(room, facts, now, check),
        *_left(room, facts, now, check),
        *_over(room, facts, now, check),
    ]


def _never(room: Conference, now: datetime) -> RoomFacts | None:
    """A room that Twilio never made, or has forgotten, is over when nobody is to come any more."""
    if room.call.state != Call.State.ENDED:
        coming = Offer.objects.filter(conference=room, state__in=OPEN).exists()
        if coming or room.call.plan.get("name") == room.name:
            return None
    return RoomFacts("", over=True, ended_at=room.call.ended_at or now)


def _came(room: Conference, facts: RoomFacts, now: datetime, check: bool) -> list[Difference]:
    known = set(room.participants.filter(joined_at__isnull=False).values_list("leg__sid", flat=True))
    legs = {leg.sid: leg for leg in Leg.objects.filter(sid__in=facts.members, call=room.call_id)}
    return [
        _differs(
            room,
            sid,
            "participant",
            "",
            "in the room",
            not check and _take_in(room, legs.get(sid), sid, label, now),
        )
        for sid, label in facts.members.items()
        if sid not in known and (sid in legs or re.fullmatch(seats.LABEL, label))
    ]


def _take_in(room: Conference, leg: Leg | None, sid: str, label: str, now: datetime) -> bool:
    """Note who sits there; a leg that we had called in is known by its label, and has been answered."""
    if not seats.may_sit(label=label, sid=sid, call=room.call):
        return False
    with change(at=now) as told:
        called = seats.apply(told, label=label, sid=sid, status=lattice.LIVE, at=now, now=now)
    leg = called or leg
    if leg is None:
        return False
    conferences.found_in(room, leg, now=now)
    return True


def _left(room: Conference, facts: RoomFacts, now: datetime, check: bool) -> list[Difference]:
    sitting = room.participants.filter(joined_at__lte=now - _YOUNG, left_at__isnull=True)
    at = min(facts.ended_at or now, now) if facts.over else now
    return [
        _differs(
            room,
            seat.leg.sid,
            "participant",
            "in the room",
            "not there",
            not check and conferences.found_out(seat, at=max(at, seat.joined_at or at), now=now),
        )
        for seat in sitting.select_related("leg", "conference")
        if seat.leg.sid not in facts.members
    ]


def _over(room: Conference, facts: RoomFacts, now: datetime, check: bool) -> list[Difference]:
    if not facts.over or room.ended_at is not None:
        return []
    at = max(min(facts.ended_at or now, now), room.started_at or room.created_at)
    fixed = not check and conferences.found_over(room, at=at, reason=facts.reason, now=now)
    return [_differs(room, room.name, "conference", "going on", "over", fixed)]


def _differs(room: Conference, sid: str, what: str, ours: str, twilios: str, fixed: bool) -> Difference:
    _log.info("reconcile.conference", extra={"conference": room.name, "ours": ours, "twilios": twilios})
    return Difference(sid, what, ours, twilios, fixed)
