"""An agent asks for help: it stands on the call until it is done, and every supervisor of it sees it."""

from datetime import datetime

from django.utils.translation import gettext

from calls.counters import count
from calls.events import change
from calls.models import Call, User
from calls.refusal import Refused
from calls.services import alerts
from calls.text import clean

__all__ = ["ask", "done"]


def ask(*, call: Call, reason: str, by: User, now: datetime) -> None:
    """Ask for help with a live call, and say why. Raises Refused."""
    words = clean(reason, 200) or "Please help"
    with change(at=now) as told:
        live = Call.objects.filter(pk=call.pk).exclude(state=Call.State.ENDED)
        if not live.update(help=words, help_at=now):
            raise Refused("call_ended", gettext("The call has ended."))
        count("call.help")
        told.emit(kind="call.help", noun="call", key=call.pk, call=call.pk, by=by.pk)
        alerts.help_asked(told, call=call, reason=words, by=by, at=now)


def done(*, call: Call, by: User, now: datetime) -> bool:
    """Help has come, or is not needed any more; False if none was asked for."""
    with change(at=now) as told:
        if not Call.objects.filter(pk=call.pk).exclude(help="").update(help="", help_at=None):
            return False
        told.emit(kind="call.helped", noun="call", key=call.pk, call=call.pk, by=by.pk)
        alerts.help_done(told, call=call, by=by, at=now)
    return True
