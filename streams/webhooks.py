"""Twilio tells how a stream goes."""

import logging

from django.db import Error as DatabaseAway
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from calls.counters import count
from calls.remedies import explain
from calls.webhooks.signed import STREAM_STATUS, Fields, signed
from streams.services import streams

__all__ = ["stream_status"]

_log = logging.getLogger("contactcenter.twilio")


@signed(STREAM_STATUS)
def stream_status(request: HttpRequest, fields: Fields) -> HttpResponse:
    """Started, stopped or failed, in any order with the socket; 204, or 503 while the database is away."""
    error = _error(fields)
    if error:
        count("stream.error")
        _log.warning(
            "stream.error",
            extra={"stream": fields["StreamSid"], "code": fields.get("StreamErrorCode", ""), "error": error},
        )
    try:
        streams.told(
            sid=fields["StreamSid"],
            call_sid=fields["CallSid"],
            name=fields.get("StreamName", ""),
            event=fields["StreamEvent"],
            error=error,
            now=timezone.now(),
        )
    except DatabaseAway as away:
        _log.error("twilio.status.database", extra={"error": type(away).__name__})
        return HttpResponse(status=503)
    return HttpResponse(status=204)


def _error(fields: Fields) -> str:
    """Twilio's StreamError, with our words for its code if it gives one we know."""
    if fields["StreamEvent"] != "stream-error":
        return ""
    said = fields.get("StreamError", "")[:200] or "Twilio reports an error"
    code = fields.get("StreamErrorCode", "")
    return explain(code, said)[:200] if code.isdigit() else said
