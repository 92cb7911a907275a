"""Twilio tells how a leg goes."""

import logging
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from django.db import Error as DatabaseAway
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from calls.services import legs
from calls.webhooks.signed import CALL_STATUS, Fields, signed

__all__ = ["call_status", "twilio_time"]

_log = logging.getLogger("contactcenter.twilio")
_LIKELY = timedelta(days=2)


@signed(CALL_STATUS)
def call_status(request: HttpRequest, fields: Fields) -> HttpResponse:
    """Any leg's status, in any order and number; 204, or 503 while it cannot be written down."""
    now = timezone.now()
    try:
        legs.apply(
            sid=fields["CallSid"],
            status=fields["CallStatus"],
            at=twilio_time(fields.get("Timestamp", ""), now=now),
            now=now,
            sequence=int(fields.get("SequenceNumber") or -1),
            parent_sid=fields.get("ParentCallSid", ""),
            to=fields.get("To", ""),
        )
    except DatabaseAway as error:
        _log.error("twilio.status.database", extra={"error": type(error).__name__})
        return HttpResponse(status=503)
    return HttpResponse(status=204)


def twilio_time(text: str, *, now: datetime) -> datetime:
    """Twilio's Timestamp: RFC 2822 for calls, ISO 8601 for streams. `now` if it is absent or absurd."""
    moment = _rfc2822(text) or _iso8601(text)
    if moment is None:
        return now
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    try:
        return moment if abs(moment - now) < _LIKELY else now
    except OverflowError:
        return now


def _rfc2822(text: str) -> datetime | None:
    try:
        return parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None


def _iso8601(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        return None
