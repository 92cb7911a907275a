"""Places in a call that somebody marks to find them again."""

from datetime import datetime, timedelta

from django.utils.translation import gettext

from calls.events import change
from calls.models import Call, Moment, User
from calls.refusal import Refused
from calls.text import clean

__all__ = ["MOST", "mark"]

MOST = 200  # in one call


def mark(*, call: Call, text: str, by: User, now: datetime) -> Moment:
    """Mark this moment of a live call. Raises Refused when it is over, or has `MOST` of them."""
    if call.state == Call.State.ENDED:
        raise Refused("call_ended", gettext("The call has ended. Its moments cannot be marked any more."))
    if Moment.objects.filter(call=call).count() >= MOST:
        raise Refused("too_many", gettext("At most %(n)s moments of one call can be marked.") % {"n": MOST})
    at_ms = max(0, int((now - call.started_at) / timedelta(milliseconds=1)))
    with change(at=now) as told:
        row = Moment.objects.create(call=call, by=by, at=now, at_ms=at_ms, text=clean(text, 200))
        told.emit(kind="moment.marked", noun="moment", key=row.pk, call=call.pk, by=by.pk)
    return row
