"""What an agent notes on a call, saved as they type: one note a call and person."""

from datetime import datetime

from django.utils.translation import gettext

from calls.events import change
from calls.models import Call, Note, User
from calls.refusal import Refused
from calls.text import clean

__all__ = ["LONGEST", "save"]

LONGEST = 8000  # characters


def save(*, call: Call, text: str, by: User, now: datetime) -> Note:
    """Keep the text as this person's note on the call; the same text again changes nothing.

    Raises Refused when it is longer than `LONGEST` characters: a cut note would look saved.
    """
    if len(text) > LONGEST:
        raise Refused(
            "too_long",
            gettext("A note has at most %(n)s characters. This one was not saved.") % {"n": LONGEST},
        )
    kept = _lines(text)
    with change(at=now) as told:
        note, made = Note.objects.get_or_create(call=call, by=by, defaults={"text": kept, "updated_at": now})
        if not made and note.text == kept:
            return note
        Note.objects.filter(pk=note.pk).update(text=kept, updated_at=now)
        note.text, note.updated_at = kept, now
        told.emit(kind="note.saved", noun="note", key=note.pk, call=call.pk, by=by.pk)
    return note


def _lines(text: str) -> str:
    """Storable and harmless, line by line; the empty lines between stay."""
    return "\n".join(clean(line, LONGEST) for line in text.splitlines())[:LONGEST]
