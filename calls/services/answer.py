"""The TwiML that a caller meets: the first answer, each next turn, what follows from keys and speech."""

import logging
from collections.abc import Callable, Mapping
from datetime import datetime

from django.db import IntegrityError

from calls import path, steps, twiml
from calls.counters import count
from calls.events import Change, change
from calls.models import Call, Leg, PhoneNumber, Queue, Reply, Ticket
from calls.path import Plan
from calls.selectors import path as selector
from calls.services import legs, offline, plans, queues, tickets, verification, voicemails, voices, waits
from calls.text import known_caller

__all__ = ["first", "gathered", "held", "instead", "next_turn", "replayed", "waiting"]

_log = logging.getLogger("contactcenter.twilio")
Fields = Mapping[str, str]


def first(fields: Fields, *, now: datetime) -> str:
    """The answer to a new call, written with the call; a repeat gets the stored one and causes nothing."""
    stored = replayed(fields["CallSid"])
    if stored:
        return stored
    number = selector.number_of(offline.dialled(fields))
    if number is None:
        return _not_in_service(fields)
    return _once(fields["CallSid"], lambda told: _born(told, fields, number, now), now)


def next_turn(turn: str, fields: Fields, *, now: datetime) -> str:
    """What follows a finished verb. `turn` is the nonce in the address: asked again, the same answer."""
    return _turned(turn, fields, _next, now)


def gathered(turn: str, fields: Fields, *, now: datetime) -> str:
    """What follows from keys or speech: a choice of who waits, or a code."""
    stored = replayed(turn)
    if stored:
        return stored
    leg = _leg(fields)
    heard, of_code = None, plans.sealed_as(turn, plans.OF_CODE)
    if leg is not None and of_code and path.asks_secret(leg.call.plan):
        heard = verification.judge(
            leg.call, digits=fields.get("Digits", ""), speech=fields.get("SpeechResult", ""), now=now
        )

    def follow(told: Change, leg: Leg, turn: str, fields: Fields, now: datetime) -> str:
        if heard is not None and path.asks_secret(leg.call.plan):
            return _verified(told, leg, heard, now)
        if of_code:
            return plans.write_out(leg.call, steps.Go())
        return waits.choose(told, leg.call, fields.get("Digits", ""), now=now)

    return _turned(turn, fields, follow, now)


def waiting(turn: str, fields: Fields, *, now: datetime) -> str:
    """One round for a caller who waits. Nothing is stored: it is made from the rows each time.

    A caller who was let into the queue while the database was away gets their rows now.
    """
    leg = _leg(fields)
    if leg is not None and leg.call.plan:
        return waits.round_of(turn, leg, fields, now=now)
    if leg is None or not leg.call.ended_at:
        _late(fields, now)
        leg = _leg(fields)
    return waits.round_of(turn, leg, fields, now=now) if leg else offline.waiting(fields)


def instead(fields: Fields, *, now: datetime) -> str:
    """The answer of the fallback address. A call that was never answered gets its first answer; in the
    middle of a call the first answer would dial again, so what failed decides.
    """
    what, turn = plans.failed_at(fields.get("ErrorUrl", ""))
    answers = {"next": next_turn, "gather": gathered, "queue": waiting}
    return answers[what](turn, fields, now=now) if what else first(fields, now=now)


def held(fields: Fields) -> str:
    """Music for who is on hold: of the call's queue, else ours."""
    leg = Leg.objects.select_related("call__queue").filter(sid=fields.get("CallSid", "")).first()
    return twiml.hold(plans.music(leg.call if leg else None))


def replayed(key: str) -> str:
    """The TwiML that this request was answered with before, if it was."""
    return Reply.objects.filter(pk=key).values_list("body", flat=True).first() or ""


# -- the first answer -------------------------------------------------------------------------------


def _born(told: Change, fields: Fields, number: PhoneNumber, now: datetime) -> str:
    known = selector.known(number)
    offline.remember(known)
    caller = known_caller(fields.get("From", ""))
    blocked = selector.is_blocked(caller, now=now)
    start = path.opening(
        known.settings, is_open=known.is_open(now), blocked=blocked, closed=known.closed(now)
    )
    leg = legs.born(
        told,
        sid=fields["CallSid"],
        status=fields.get("CallStatus", "ringing"),
        number=number,
        caller=fields.get("From", ""),
        caller_name=fields.get("CallerName", ""),
        region=fields.get("Region", ""),
        now=now,
        tapped=start.tapped,
        consented=start.consented,
        rings=start.plan["step"] == "phone",
        dials=path.dials(start.plan, known.settings),
    )
    if blocked:
        count("twilio.caller.blocked")
        told.emit(kind="call.blocked", noun="call", key=leg.call_id, call=leg.call_id)
    seconds = path.seconds_to_say(" ".join(said.text for said in start.first))
    taps = [_tap(leg, seconds, now)] if start.tapped else []
    _set_out(told, leg.call, start.plan, now)
    if path.asks_secret(leg.call.plan):
        return plans.write_out(
            leg.call, *start.first, *taps, *start.then, steps.Say(path.VERIFY_FIRST), steps.Go()
        )
    return voices.document(told, leg, *start.first, *taps, *start.then, seconds=seconds, now=now)


def _tap(leg: Leg, seconds: int, now: datetime) -> twiml.Tap:
    ticket = tickets.issue(
        leg=leg,
        origin=Ticket.Origin.TWIML,
        parameters={"call": str(leg.call_id)},
        now=now,
        after_seconds=seconds,
    )
    return plans.tap(ticket)


def _set_out(told: Change, call: Call, plan: Plan, now: datetime) -> None:
    """Write the plan; who has nothing to be compared with is not asked, who goes to a queue enters it."""
    settings = plans.number_of(call)
    if path.asks_secret(plan) and not verification.comparable(settings, call.contact):
        verification.finish(told, call=call, result=Call.Verified.UNKNOWN)
        plan = path.route(settings)
    _travel(told, call, plan, now)


def _travel(told: Change, call: Call, plan: Plan, now: datetime) -> None:
    number, queue = call.number, _queue(plan)
    if plan["step"] == "queue" and queue is not None:
        queues.arrive(told, call=call, queue=queue, now=now)
    elif plan["step"] == "agent" and number is not None and number.agent is not None:
        queues.enter(told, call=call, agent=number.agent, now=now)
    else:
        if plan["step"] == "voicemail" and queue is not None:
            queues.belong(told, call, queue)
        if path.speaks(plan):
            Call.objects.filter(pk=call.pk).update(voice=plan["voice"])
        queues.write_plan(call, plan)


def _queue(plan: Plan) -> Queue | None:
    return Queue.objects.filter(pk=plan["queue"]).first() if plan.get("queue") else None


def _late(fields: Fields, now: datetime) -> None:
    """Make the rows of a call that waits already: the call, its wait, and a tap that the tick reopens."""
    number = selector.number_of(offline.dialled(fields))
    if number is None or number.destination not in ("queue", "agent", "voice"):
        return
    settings = selector.settings_of(number)
    with change(at=now) as told:
        leg = legs.born(
            told,
            sid=fields["CallSid"],
            status=fields["CallStatus"],
            number=number,
            caller=fields.get("From", ""),
            caller_name=fields.get("CallerName", ""),
            now=now,
            rings=False,
        )
        if number.stream and not leg.tickets.exists():
            ticket = tickets.issue(
                leg=leg, origin=Ticket.Origin.TWIML, parameters={"call": str(leg.call_id)}, now=now
            )
            tickets.release(ticket_id=ticket.pk, now=now)
        _travel(told, leg.call, path.without_voice(path.route(settings), settings), now)
    _log.info("twilio.queue.found_again", extra={"call_sid": fields["CallSid"]})


# -- each next turn ---------------------------------------------------------------------------------

Follow = Callable[[Change, Leg, str, Fields, datetime], str]


def _turned(turn: str, fields: Fields, follow: Follow, now: datetime) -> str:
    """The stored answer to this turn, or a new one of `follow`, with the call locked while it is made."""
    stored = replayed(turn)
    if stored:
        return stored

    def make(told: Change) -> str:
        _note_legs(told, fields, now)
        leg = _leg(fields)
        if leg is None:
            return twiml.ending(path.after_dial(fields.get("DialCallStatus", "completed")))
        return follow(told, leg, turn, fields, now)

    return _once(turn, make, now)


def _next(told: Change, leg: Leg, turn: str, fields: Fields, now: datetime) -> str:
    call, over = leg.call, plans.follows(turn, leg.call) or not leg.call.plan
    step = call.plan.get("step", "")
    voices.over(leg, now=now)
    if path.speaks(call.plan):
        return voices.resume(told, leg, now=now)
    if "QueueResult" in fields:
        return waits.after_queue(told, call, fields["QueueResult"], now=now)
    if "DialCallStatus" in fields and over:
        return plans.write_out(call, _after_dial(step, fields["DialCallStatus"]))
    if "RecordingSid" in fields and step == "voicemail":
        seconds = int(fields.get("RecordingDuration") or 0)
        voicemails.take(
            told, call=call, recording_sid=fields["RecordingSid"], seconds=seconds, finished=False, now=now
        )
        return plans.write_out(call, steps.End(path.THANKS if seconds else path.NOTHING_HEARD))
    if step == "listen" or not call.plan:
        alive = not call.dials and tickets.live_on(leg)
        return plans.write_out(call, steps.Listen(again=True) if alive else steps.End())
    if path.asks_secret(call.plan):
        return plans.document(call, verification.hush(call, leg, now=now))
    return plans.document(call, *voices.tap_again(leg, now=now))


def _after_dial(step: str, status: str) -> steps.End:
    ending = path.after_dial(status)
    return steps.End(path.GOODBYE) if step == "conference" and not ending.text else ending


def _verified(told: Change, leg: Leg, heard: verification.Heard, now: datetime) -> str:
    """One more try, or the result, the streams again and on to where the number leads."""
    call = leg.call
    result = verification.tried(call, heard)
    if not result:
        return plans.document(call, verification.hush(call, leg, now=now), heard.sorry())
    stopped = call.plan.get("stopped", [])
    back = path.after_verify(call.plan, right=result == Call.Verified.YES)
    verification.finish(told, call=call, result=result)
    _travel(told, call, back or path.route(plans.number_of(call)), now)
    again = verification.restart(leg, stopped=stopped, now=now)
    return voices.document(told, leg, *(plans.tap(ticket) for ticket in again), now=now)


def _note_legs(told: Change, fields: Fields, now: datetime) -> None:
    """The request says how the caller's leg is, and of a `<Dial>` how the dialled one ended: perhaps before
    their own callbacks do.
    """
    sid, status = fields["CallSid"], fields["CallStatus"]
    call_id = Leg.objects.filter(sid=sid).values_list("call_id", flat=True).first()
    Call.objects.select_for_update().filter(pk=call_id or 0).first()  # its turns one after the other
    if Leg.objects.filter(sid=sid).exclude(status=status).exists():
        legs.apply_within(told, sid=sid, status=status, at=now, now=now)
    if child := fields.get("DialCallSid"):
        word = fields.get("DialCallStatus", "")
        legs.apply_within(told, sid=child, status=word, at=now, now=now, parent_sid=sid)


def _leg(fields: Fields) -> Leg | None:
    related = Leg.objects.select_related("call__number__voice", "call__queue", "call__contact")
    return related.filter(sid=fields["CallSid"]).first()


def _once(key: str, make: Callable[[Change], str], now: datetime) -> str:
    """Make the answer and store it in one change; of two at once the loser sends the winner's."""
    try:
        with change(at=now) as told:
            body = make(told)
            Reply.objects.create(key=key, body=body)
            return body
    except IntegrityError:
        stored = replayed(key)
        if not stored:
            raise
        return stored


def _not_in_service(fields: Fields) -> str:
    _log.warning("twilio.number.unknown", extra={"call_sid": fields["CallSid"]})
    count("twilio.number.unknown")
    return twiml.ending(steps.End(path.UNKNOWN_NUMBER))
