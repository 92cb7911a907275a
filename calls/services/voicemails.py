"""Messages that callers leave, as Twilio tells of their recordings: in any order, any number of times."""

import logging
from datetime import datetime

from calls.counters import count
from calls.events import Change, change
from calls.models import Call, Leg, Queue, Voicemail

__all__ = ["take", "told"]

_log = logging.getLogger("contactcenter.twilio")


def told(
    *, call_sid: str, recording_sid: str, seconds: int, finished: bool, now: datetime
) -> Voicemail | None:
    """Take in what a recording's callback says. None, with one log line, for a call that is not ours."""
    with change(at=now) as change_:
        leg = Leg.objects.select_related("call__queue").filter(sid=call_sid).first()
        if leg is None:
            _log.warning("twilio.recording.ignored", extra={"call_sid": call_sid})
            count("twilio.recording.ignored")
            return None
        return take(
            change_,
            call=leg.call,
            recording_sid=recording_sid,
            seconds=seconds if finished else 0,
            finished=finished,
            now=now,
        )


def take(
    told: Change, *, call: Call, recording_sid: str, seconds: int, finished: bool, now: datetime
) -> Voicemail | None:
    """Write down a message of so many seconds; `finished` once its sound can be fetched.

    One that holds nothing leaves no row, and a word without seconds changes none. Fields only move one way.
    """
    Call.objects.select_for_update().filter(pk=call.pk).first()
    there = Voicemail.objects.filter(recording_sid=recording_sid).first()
    if not seconds:
        return there
    message = there or Voicemail(call=call, recording_sid=recording_sid, queue=_queue(call), created_at=now)
    before = (message.pk, message.seconds, message.ready)
    message.seconds, message.ready = max(message.seconds, seconds), message.ready or finished
    if (message.pk, message.seconds, message.ready) != before:
        message.save()
        told.emit(kind="voicemail.left", noun="voicemail", key=message.pk, call=call.pk)
    return message


def _queue(call: Call) -> Queue | None:
    if call.plan.get("step") == "voicemail":
        return Queue.objects.filter(pk=call.plan.get("queue")).first()
    return call.queue
