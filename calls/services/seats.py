"""Legs that we had Twilio call into a conference, by the label that we gave them.

Word of such a leg can come before the answer to the REST call that made it. Its label, which only we choose,
tells whose it is: offer-<offer>, person-<call>, outside-<call>-<8 hex> or supervisor-<supervision>.
"""

import re
from dataclasses import dataclass
from datetime import datetime

from calls.events import Change
from calls.models import Agent, Call, Leg, Offer, Supervision
from calls.services import legs, offers, supervision

__all__ = ["LABEL", "apply", "may_sit"]

LABEL = r"(?:offer|person|supervisor)-[0-9]{1,18}|outside-[0-9]{1,18}-[0-9a-f]{8}"
_LABEL = re.compile(r"(?P<kind>offer|person|outside|supervisor)-(?P<key>[0-9]{1,18})(?:-[0-9a-f]{8})?")
_KINDS = {"person": Leg.Kind.PERSON, "outside": Leg.Kind.OUTSIDE}


@dataclass(frozen=True)
class _Seat:
    call: Call
    kind: str
    agent: Agent | None = None
    offer: Offer | None = None
    supervision: Supervision | None = None


def apply(
    told: Change,
    *,
    label: str,
    sid: str,
    status: str,
    at: datetime,
    now: datetime,
    sequence: int | None = None,
) -> Leg | None:
    """Take in one status of the leg with this label, made if it is new; an agent who answers accepts.

    None for a label that is none of ours, and for a leg that we know as another's.
    """
    seat = _seat(label)
    if seat is None or _is_anothers(sid, seat):
        return None
    Call.objects.select_for_update().get(pk=seat.call.pk)
    made = Leg(sid=sid, call=seat.call, kind=seat.kind, agent=seat.agent, started_at=min(at, now))
    leg = legs.apply_within(told, sid=sid, status=status, at=at, now=now, sequence=sequence, made=made)
    if leg is not None and seat.offer is not None:
        offers.take_leg(told, seat.offer, leg, now=now)
    if leg is not None and seat.supervision is not None:
        supervision.take_leg(told, seat.supervision, leg)
    return leg


def may_sit(*, label: str, sid: str, call: Call) -> bool:
    """Whether neither the leg nor its label is another call's."""
    seat = _seat(label)
    if seat is not None and seat.call.pk != call.pk:
        return False
    return not Leg.objects.filter(sid=sid).exclude(call=call).exists()


def _is_anothers(sid: str, seat: _Seat) -> bool:
    """Whether the leg is known already, and as one that this label was not given to."""
    leg = Leg.objects.filter(sid=sid).first()
    if leg is None:
        return False
    if (leg.call_id, leg.kind, leg.agent_id) != (seat.call.pk, seat.kind, seat.agent and seat.agent.pk):
        return True
    if seat.supervision is not None:
        return Supervision.objects.filter(leg_sid=sid).exclude(pk=seat.supervision.pk).exists()
    return seat.offer is not None and Offer.objects.filter(leg_sid=sid).exclude(pk=seat.offer.pk).exists()


def _seat(label: str) -> _Seat | None:
    found = _LABEL.fullmatch(label)
    if not found:
        return None
    key = int(found["key"])
    if found["kind"] == "offer":
        offer = Offer.objects.select_related("call", "agent").filter(pk=key).first()
        return _Seat(offer.call, Leg.Kind.AGENT, offer.agent, offer) if offer else None
    if found["kind"] == "supervisor":
        row = Supervision.objects.select_related("call").filter(pk=key).first()
        return _Seat(row.call, Leg.Kind.SUPERVISOR, supervision=row) if row else None
    call = Call.objects.filter(pk=key).first()
    return _Seat(call, _KINDS[found["kind"]]) if call else None
