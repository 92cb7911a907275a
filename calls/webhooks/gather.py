"""What a caller keyed or said: a choice while waiting, or a code. Nothing here logs or keeps it."""

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from calls.services import answer, offline
from calls.webhooks.signed import VOICE, Fields, signed
from calls.webhooks.voice import twiml

__all__ = ["gather"]


@signed(VOICE)
def gather(request: HttpRequest, fields: Fields, turn: str) -> HttpResponse:
    """Digits or SpeechResult, or neither; what follows from it."""
    return twiml(
        fields,
        lambda: answer.gathered(turn, fields, now=timezone.now()),
        lambda: offline.gathered(turn, fields),
    )
