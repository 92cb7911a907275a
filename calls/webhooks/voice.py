"""Twilio asks what a caller meets: the first answer, each next turn, the fallback. It always gets TwiML."""

import logging
from collections.abc import Callable

from django.db import Error as DatabaseAway
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from calls.services import answer, offline
from calls.webhooks.signed import VOICE, Fields, signed

__all__ = ["fallback", "next_turn", "twiml", "voice"]

_log = logging.getLogger("contactcenter.twilio")


@signed(VOICE)
def voice(request: HttpRequest, fields: Fields) -> HttpResponse:
    """A call comes in."""
    now = timezone.now()
    return twiml(fields, lambda: answer.first(fields, now=now), lambda: offline.first(fields, now=now))


@signed(VOICE)
def next_turn(request: HttpRequest, fields: Fields, turn: str) -> HttpResponse:
    """A verb is finished; `turn` tells a replay from a new question."""
    return twiml(
        fields,
        lambda: answer.next_turn(turn, fields, now=timezone.now()),
        lambda: offline.next_turn(turn, fields),
    )


@signed(VOICE)
def fallback(request: HttpRequest, fields: Fields) -> HttpResponse:
    """Twilio could not use our answer (ErrorCode, ErrorUrl)."""
    _log.warning(
        "twilio.fallback", extra={"call_sid": fields["CallSid"], "code": fields.get("ErrorCode", "")}
    )
    return twiml(
        fields,
        lambda: answer.instead(fields, now=timezone.now()),
        lambda: offline.instead(fields, timezone.now()),
    )


def twiml(fields: Fields, make: Callable[[], str], without: Callable[[], str]) -> HttpResponse:
    """The document of `make`, or of `without` when the database is away or the fault is ours."""
    try:
        body = make()
    except DatabaseAway as error:
        _log.error(
            "twilio.voice.database",
            extra={"error": type(error).__name__, "call_sid": fields.get("CallSid", "")},
        )
        body = without()
    except Exception:
        # The caller first: a fault of ours is logged whole, and still somebody is dialled.
        _log.exception("twilio.voice.failed", extra={"call_sid": fields.get("CallSid", "")})
        body = without()
    return HttpResponse(body, content_type="text/xml; charset=utf-8")
