"""When a supervisor's part in a call is over without their having left: nobody answered, nobody is there to
talk with, or they may not any more. Part of the tick.
"""

from datetime import datetime, timedelta

from calls import lattice
from calls.access import may_intervene, scope_of
from calls.events import change
from calls.models import Call, Leg, Participant, Supervision
from calls.services import supervision, takeover

__all__ = ["over"]

_GRACE = timedelta(seconds=2)  # Twilio tells of an answer, or of a seat that is taken, in a moment
_PERSONS = (Leg.Kind.CALLER, Leg.Kind.PERSON)


def over(*, now: datetime) -> int:
    """End what is over; take in changes of mode whose answer was lost and read later. How many changed."""
    rows = Supervision.objects.filter(supervision.OPEN_ONES).select_related("call", "conference", "by")
    return sum(_end_if_over(row, now) or supervision.follow(row, now) for row in rows)


def _end_if_over(row: Supervision, now: datetime) -> int:
    if not _is_over(row, now):
        return 0
    with change(at=now) as told:
        return int(supervision.close(told, row))


def _is_over(row: Supervision, now: datetime) -> bool:
    if row.call.state == Call.State.ENDED or row.conference.ended_at is not None:
        return True
    leg = Leg.objects.filter(sid=row.leg_sid).first() if row.leg_sid else None
    if leg is not None and lattice.has_ended(leg.status):
        return True
    if not may_intervene(row.by) or not scope_of(row.by).sees(row.call.team_id):
        return True
    if leg is None or leg.answered_at is None:
        return row.until + _GRACE <= now or takeover.is_void(row)
    return _coached_has_left(row) or _person_has_left(row, now) or takeover.is_void(row)


def _coached_has_left(row: Supervision) -> bool:
    """Of the leg's end and that of its seat Twilio may tell either first."""
    if row.mode != Supervision.Mode.COACH:
        return False
    if Leg.objects.filter(sid=row.coached_sid, status__in=lattice.TERMINAL).exists():
        return True
    seats = Participant.objects.filter(conference=row.conference, leg__sid=row.coached_sid)
    return seats.filter(left_at__isnull=False).exists()


def _person_has_left(row: Supervision, now: datetime) -> bool:
    """The caller was sent on: nobody is left here to talk with."""
    seats = Participant.objects.filter(conference=row.conference, leg__kind__in=_PERSONS)
    return seats.exists() and not seats.exclude(left_at__lte=now - _GRACE).exists()
