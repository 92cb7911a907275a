"""Twilio tells of a message that a caller left: its recording is finished, or there is none."""

import logging

from django.db import Error as DatabaseAway
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from calls.services import voicemails
from calls.webhooks.signed import RECORDING, Fields, signed

__all__ = ["recording"]

_log = logging.getLogger("contactcenter.twilio")


@signed(RECORDING)
def recording(request: HttpRequest, fields: Fields) -> HttpResponse:
    """In any order with the caller's own next turn, any number of times; 204, or 503 without a database."""
    try:
        voicemails.told(
            call_sid=fields["CallSid"],
            recording_sid=fields["RecordingSid"],
            seconds=int(fields.get("RecordingDuration") or 0),
            finished=fields["RecordingStatus"] == "completed",
            now=timezone.now(),
        )
    except DatabaseAway as error:
        _log.error("twilio.recording.database", extra={"error": type(error).__name__})
        return HttpResponse(status=503)
    return HttpResponse(status=204)
