"""Messages that callers left: fetched to be listened to, heard once somebody has."""

from datetime import datetime

from django.utils.translation import gettext

from calls.events import change
from calls.gateway import recordings
from calls.gateway.client import GatewayError
from calls.models import User, Voicemail
from calls.refusal import Refused

__all__ = ["heard", "sound"]


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


def sound(*, voicemail: Voicemail) -> bytes:
    """The message as a WAV file. Raises Refused: `gone` at Twilio, or Twilio's code."""
    try:
        found = recordings.sound(region=voicemail.call.region, sid=voicemail.recording_sid)
    except GatewayError as error:
        raise Refused(error.code, error.text) from error
    if found is None:
        raise Refused("gone", gettext("The sound of this message is not at Twilio any more."))
    return found
