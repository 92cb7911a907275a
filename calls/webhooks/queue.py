"""What callers hear who wait in a queue, or who are on hold."""

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from calls.services import answer, offline
from calls.webhooks.signed import HOLD, VOICE, Fields, signed
from calls.webhooks.voice import twiml

__all__ = ["hold", "queue"]


@signed(VOICE)
def queue(request: HttpRequest, fields: Fields, turn: str) -> HttpResponse:
    """One round of the wait: the place if it is another one, what may be chosen, music."""
    return twiml(
        fields,
        lambda: answer.waiting(turn, fields, now=timezone.now()),
        lambda: offline.waiting(fields),
    )


@signed(HOLD)
def hold(request: HttpRequest, fields: Fields) -> HttpResponse:
    """Music on hold. By POST alone: whoever holds a participant says HoldMethod=POST."""
    return twiml(fields, lambda: answer.held(fields), lambda: offline.held())
