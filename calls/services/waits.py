"""What happens to callers who wait: rounds of sentences and music, what they choose, how the wait ends."""

import logging
from collections.abc import Mapping
from datetime import datetime

from calls import lattice, path, steps, waiting
from calls.counters import count
from calls.events import Change
from calls.models import Call, Leg, Waiting
from calls.selectors import path as selector
from calls.services import callbacks, legs, plans, queues
from calls.services.plans import write_out

__all__ = ["after_queue", "choose", "round_of"]

_log = logging.getLogger("contactcenter.twilio")
Fields = Mapping[str, str]
_MOVING = {"leave", "redirected", "redirected-from-bridged"}
_TALKED = {"bridged", "bridging-in-process"}


def round_of(turn: str, leg: Leg, fields: Fields, *, now: datetime) -> str:
    """One round for who waits: their place when it is another than before, then music. Writes no row.

    A caller whose plan has moved on leaves the queue, so that a redirect that was lost is made good; but who
    is on the way into a conference only hears music, for two ways in would put them out again.
    """
    call = leg.call
    row = Waiting.objects.open().select_related("queue").filter(call=call).first()
    if not path.waits(call.plan) and call.plan.get("step") not in (None, "conference"):
        return write_out(call, steps.Leave())
    if row is None:
        return write_out(call, waiting.Round((), keys=False))
    if leg.status != lattice.LIVE:  # only the first time: nothing else tells that Twilio has answered
        legs.apply(sid=leg.sid, status=fields["CallStatus"], at=now)
    return _round(call, row, int(fields.get("QueueTime") or 0), after=turn, now=now)


def choose(told: Change, call: Call, digits: str, *, now: datetime) -> str:
    """What a key leads to: a message, to be called back with the place kept, or one more round."""
    row = Waiting.objects.open().select_related("queue", "agent").filter(call=call).first()
    if row is None or not path.waits(call.plan):
        count("twilio.choice.late")
        return write_out(call, waiting.Round((), keys=False))
    wanted = waiting.choice(digits, selector.offers(row.queue, call.caller))
    if wanted == "voicemail" and queues.leave(told, call=call, result=Waiting.Result.VOICEMAIL, now=now):
        queues.write_plan(call, path.to_voicemail(row.queue_id))
        return write_out(call, steps.Leave())
    if wanted == "callback" and queues.leave(told, call=call, result=Waiting.Result.CALLBACK, now=now):
        callbacks.ask(told, waiting=row, now=now)
        queues.write_plan(call, path.to_end(path.CALLBACK_PROMISED))
        return write_out(call, steps.Leave())
    return _round(call, row, 0, now=now)


def after_queue(told: Change, call: Call, result: str, *, now: datetime) -> str:
    """What follows `<Enqueue>`, by its QueueResult.

    After a redirect Twilio asks this too and uses the other answer: it says what the plan says, no more.
    """
    if result == "hangup":
        queues.leave(told, call=call, result=Waiting.Result.ABANDONED, now=now)
        return write_out(call, steps.End())
    if result in _TALKED:
        return write_out(call, steps.End())
    if result not in _MOVING and path.waits(call.plan):
        _log.warning("twilio.queue.failed", extra={"call": call.pk, "result": result[:24]})
        count("twilio.queue.failed")
        _elsewhere(told, call, now)
    return plans.document(call)


def _round(call: Call, row: Waiting, waited: int, *, after: str = "", now: datetime) -> str:
    """A round of who has waited so many seconds; `after` is the turn by which the one before led here."""
    offers, place = selector.offers(row.queue, call.caller), selector.position(row, now=now)
    chapter = f"{call.pk} {waiting.chapter(offers, position=place, waited=waited)}"
    told = plans.sealed_as(after, chapter)
    return write_out(call, waiting.round_of(offers, position=place, told=told), chapter=chapter)


def _elsewhere(told: Change, call: Call, now: datetime) -> None:
    """Twilio's queue is full or broken: the overflow, or an apology where that is to wait on."""
    before = dict(call.plan)
    if queues.overflow(told, call=call, now=now) is None or call.plan == before:
        queues.leave(told, call=call, result=Waiting.Result.FAILED, now=now)
        queues.write_plan(call, path.to_end(path.NOBODY))
