"""Twilio tells how conferences go, and how the legs go that we had it call into them."""

import logging

from django.db import Error as DatabaseAway
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from calls.events import change
from calls.services import conferences, seats
from calls.webhooks.signed import CALL_STATUS, CONFERENCE, Fields, signed
from calls.webhooks.status import twilio_time

__all__ = ["conference", "seat"]

_log = logging.getLogger("contactcenter.twilio")


@signed(CONFERENCE)
def conference(request: HttpRequest, fields: Fields) -> HttpResponse:
    """An event of a conference, in any order and number; 204, or 503 while it cannot be written down."""
    now = timezone.now()
    try:
        conferences.apply(fields, at=twilio_time(fields.get("Timestamp", ""), now=now), now=now)
    except DatabaseAway as error:
        return _unavailable(error)
    return HttpResponse(status=204)


@signed(CALL_STATUS)
def seat(request: HttpRequest, fields: Fields, label: str) -> HttpResponse:
    """The status of a leg that we had called into a conference under this label; 204 or 503."""
    now = timezone.now()
    try:
        with change(at=now) as told:
            known = seats.apply(
                told,
                label=label,
                sid=fields["CallSid"],
                status=fields["CallStatus"],
                at=twilio_time(fields.get("Timestamp", ""), now=now),
                now=now,
                sequence=int(fields.get("SequenceNumber") or -1),
            )
        if known is None:
            _log.warning("twilio.seat.unknown", extra={"call_sid": fields["CallSid"]})
    except DatabaseAway as error:
        return _unavailable(error)
    return HttpResponse(status=204)


def _unavailable(error: DatabaseAway) -> HttpResponse:
    _log.error("twilio.conference.database", extra={"error": type(error).__name__})
    return HttpResponse(status=503)
