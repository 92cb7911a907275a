"""What is kept for a time only: words, who called, and answers that can no longer be asked for again."""

import logging
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q

from calls.models import (
    Alert,
    Call,
    Callback,
    CallState,
    Command,
    Event,
    Moment,
    Note,
    Offer,
    Reply,
    Ticket,
    Utterance,
    Voicemail,
    Waiting,
)

__all__ = ["purge"]

_log = logging.getLogger("contactcenter.retention")
_REPLIES = timedelta(days=2)  # a call lasts a day at the most
_BATCH = 500


def purge(*, now: datetime) -> int:
    """Delete words and events beyond UTTERANCE_KEEP_DAYS and forget who called; how many rows it touched.

    A call's row stays, with its times and outcome and without the person. At most one batch of each kind, so
    that no run holds the database long; the next one goes on.
    """
    before = now - timedelta(days=settings.UTTERANCE_KEEP_DAYS)
    counts = {
        "utterances": _delete_utterances(before),
        "quotes": _forget_quotes(before),
        "calls": _forget_callers(before),
        "events": _delete_events(before),
        "replies": _delete_replies(now - _REPLIES),
    }
    touched = sum(counts.values())
    if touched:
        _log.info("retention.purged", extra=counts)
    return touched


def _delete_utterances(before: datetime) -> int:
    # Ids rise with time: a look at the lowest ones needs no index and no walk through the table.
    first = Utterance.objects.order_by("pk").values_list("pk", "created_at")[:_BATCH]
    ids = [pk for pk, made in first if made < before]
    return Utterance.objects.filter(pk__in=ids).delete()[0] if ids else 0


def _forget_quotes(before: datetime) -> int:
    """What alerts quote is what was said: it goes with the lines. The alert stays, with its rule and time."""
    old = Alert.objects.filter(at__lt=before).exclude(quote="", utterance="")
    ids = list(old.order_by("at").values_list("pk", flat=True)[:_BATCH])
    return Alert.objects.filter(pk__in=ids).update(quote="", utterance="") if ids else 0


def _forget_callers(before: datetime) -> int:
    """Number, name and contact of old calls, what was sent with their streams as parameters, and what was
    written down about them: notes, marks, promises to call back, reasons, messages (their sound is Twilio's).
    """
    somebody = ~Q(caller="") | ~Q(caller_name="") | Q(contact__isnull=False)
    old = Call.objects.filter(somebody, state=CallState.ENDED, ended_at__lt=before)
    ids = list(old.order_by("ended_at").values_list("pk", flat=True)[:_BATCH])
    if not ids:
        return 0
    Ticket.objects.filter(leg__call_id__in=ids).update(parameters={})
    Command.objects.filter(call_id__in=ids).update(args={})
    for written in (Note, Moment, Callback, Voicemail):
        written.objects.filter(call_id__in=ids).delete()
    for told in (Waiting, Offer):
        told.objects.filter(call_id__in=ids).update(reason="")
    fields: dict[str, object] = {
        "caller": "",
        "caller_name": "",
        "contact": None,
        "plan": {},
        "facts": {},
        "help": "",
    }
    return Call.objects.filter(pk__in=ids).update(**fields)


def _delete_events(before: datetime) -> int:
    ids = [pk for pk, at in Event.objects.order_by("pk").values_list("pk", "at")[:_BATCH] if at < before]
    return Event.objects.filter(pk__in=ids).delete()[0] if ids else 0


def _delete_replies(before: datetime) -> int:
    ids = list(Reply.objects.filter(created_at__lt=before).values_list("pk", flat=True)[:_BATCH])
    return Reply.objects.filter(pk__in=ids).delete()[0] if ids else 0
