"""Messages that callers left: heard once somebody has listened."""

from datetime import datetime

from calls.events import change
from calls.models import User, Voicemail

__all__ = ["heard"]


def heard(*, voicemail: Voicemail, by: User, now: datetime) -> bool:
    """Somebody has heard the message; False if somebody had before."""
    with change(at=now) as told:
        unheard = Voicemail.objects.filter(pk=voicemail.pk, heard_at__isnull=True)
        if not unheard.update(heard_at=now, heard_by=by):
            return False
        told.emit(
            kind="voicemail.heard", noun="voicemail", key=voicemail.pk, call=voicemail.call_id, by=by.pk
        )
    return True
