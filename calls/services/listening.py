"""Who listens to which call: one row a call and person, held open by the socket that carries the sound.

The socket extends its row; a row that nobody extends belongs to a process that died, and the worker ends it.
Every listening is audited when it begins and, with its length, when it ends.
"""

from datetime import datetime, timedelta

from django.utils.translation import gettext

from calls import audit
from calls.counters import count
from calls.events import Change, change
from calls.models import Call, Listening, User
from calls.refusal import Refused

__all__ = ["MOST", "SEEN_SECONDS", "begin", "close_dead", "end", "extend", "is_replaced"]

MOST = 2  # people a call
SEEN_SECONDS = 20.0  # a row that was not extended for so long is dead


def begin(*, call_id: int, by: User, now: datetime, ip: str | None = None) -> Listening:
    """Somebody begins to listen; where they listen to this call already, that ends: the sound moves here.

    Raises Refused: `ended` when the call is over, `two_listen` when two others listen to it.
    """
    with change(at=now) as told:
        # On PostgreSQL two who begin at once queue here.
        if not Call.objects.live().select_for_update().filter(pk=call_id).first():
            raise Refused("ended", gettext("The call has ended."))
        _refuse_a_third(call_id, by, now)
        for mine in Listening.objects.filter(call=call_id, by=by, ended_at__isnull=True):
            _end(told, mine, now)
        row = Listening.objects.create(call_id=call_id, by=by, began_at=now, seen_until=_until(now))
        told.emit(kind="listening.began", noun="listening", key=row.pk, call=call_id, by=by.pk)
        audit.record(who=by, what="call.listened", on=f"call {call_id}", ip=ip)
        count("listening.began")
    return row


def extend(*, listening_id: int, now: datetime) -> bool:
    """The socket is alive; False if the listening has ended meanwhile."""
    with change(at=now):
        row = Listening.objects.filter(pk=listening_id, ended_at__isnull=True)
        return row.update(seen_until=_until(now)) > 0


def end(*, listening_id: int, now: datetime) -> bool:
    """The sound has stopped; False if the listening had ended before."""
    with change(at=now) as told:
        row = Listening.objects.select_related("by").filter(pk=listening_id).first()
        return row is not None and _end(told, row, now)


def close_dead(*, now: datetime) -> int:
    """End the listenings whose process has died, at the time until which they were seen; how many."""
    dead = Listening.objects.filter(ended_at__isnull=True, seen_until__lt=now).values_list("pk", flat=True)
    number = 0
    for pk in list(dead):
        with change(at=now) as told:
            row = Listening.objects.select_related("by").filter(pk=pk, seen_until__lt=now).first()
            number += row is not None and _end(told, row, row.seen_until)
    return number


def is_replaced(*, listening_id: int) -> bool:
    """Whether another socket of the same person goes on in place of this one, which has ended."""
    row = Listening.objects.filter(pk=listening_id).first()
    if row is None or row.ended_at is None:
        return False
    return Listening.objects.filter(call=row.call_id, by=row.by_id, ended_at__isnull=True).exists()


def _refuse_a_third(call_id: int, by: User, now: datetime) -> None:
    others = Listening.objects.going_on(now).filter(call=call_id).exclude(by=by).select_related("by")
    names = [row.by.shown() for row in others]
    if len(names) >= MOST:
        raise Refused(
            "two_listen",
            gettext("%(some)s and %(last)s listen to this call already. At most %(n)s people can at once.")
            % {"some": ", ".join(names[:-1]), "last": names[-1], "n": MOST},
        )


def _end(told: Change, row: Listening, at: datetime) -> bool:
    open_row = Listening.objects.filter(pk=row.pk, ended_at__isnull=True)
    if not open_row.update(ended_at=at, seen_until=at):
        return False
    told.emit(kind="listening.ended", noun="listening", key=row.pk, call=row.call_id, by=row.by_id)
    seconds = max(0, round((at - row.began_at).total_seconds()))
    audit.record(who=row.by, what="call.listened", on=f"call {row.call_id}, {seconds} s")
    return True


def _until(now: datetime) -> datetime:
    return now + timedelta(seconds=SEEN_SECONDS)
