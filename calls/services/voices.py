"""Voices on a caller's leg: the stream that carries one, what follows when it is over, and when it was lost.

A voice is over when Twilio asks for the next turn. By then an action, a person or the voice itself may have
written another plan; where the plan is still the voice's, it broke off: it comes back once, at the place that
it had reached, and then the caller goes to its queue, or hears an apology.
"""

import logging
from datetime import datetime

from django.conf import settings

from calls import path, steps, twiml
from calls.counters import count
from calls.events import Change
from calls.models import Call, Leg, Ticket, Voice
from calls.services import plans, queues, tickets

__all__ = ["LOST", "connect", "document", "drained", "give_up", "over", "resume", "tap_again"]

_log = logging.getLogger("contactcenter.voice")
RESUMES = 1
LOST = "The voice was lost during this call."
_TAPPED = ("queue", "agent", "phone", "voicemail", "conference")


def document(told: Change, leg: Leg, *before: steps.Step | twiml.Tap, seconds: int = 0, now: datetime) -> str:
    """What comes before (so many `seconds` of speech), then what the plan says, with the voice's stream if it
    is a voice's plan. A leg that cannot have another such stream gets what a lost voice leads to.
    """
    call = leg.call
    if not path.speaks(call.plan):
        return plans.document(call, *before)
    try:
        return plans.document(call, *before, connect(leg, seconds=seconds, now=now))
    except tickets.LimitReached as refusal:
        _log.warning("voice.refused", extra={"call": call.pk, "code": refusal.code})
        give_up(told, call, now)
        return plans.document(call, *before)


def connect(leg: Leg, *, seconds: int = 0, now: datetime) -> steps.Connect:
    """The stream for the voice of the call's plan. Raises LimitReached where the leg has one already."""
    ticket = tickets.issue(
        leg=leg,
        kind=Ticket.Kind.VOICE,
        origin=Ticket.Origin.TWIML,
        track="inbound_track",
        parameters={"call": str(leg.call_id)},
        now=now,
        after_seconds=seconds,
    )
    return steps.Connect(
        url=tickets.media_url(ticket),
        name=ticket.name,
        status_callback=f"{settings.PUBLIC_URL}/twilio/stream-status/",
        parameters=ticket.parameters,
    )


def over(leg: Leg, *, now: datetime) -> None:
    """Twilio asks what comes next, so no voice speaks on the leg any more: give back what its stream took."""
    tickets.release_voices(leg=leg, now=now)


def resume(told: Change, leg: Leg, *, now: datetime) -> str:
    """What follows for the caller whose voice broke off, as the document: the voice again, or its queue, or
    an apology.
    """
    call, plan = leg.call, leg.call.plan
    lost = int(plan.get("lost", 0)) + 1
    count("voice.lost")
    _log.warning("voice.lost", extra={"call": call.pk, "times": lost})
    told.emit(kind="call.voice_lost", noun="call", key=call.pk, call=call.pk, facts={"times": lost})
    known = Voice.objects.filter(pk=plan["voice"]).exists()
    if lost <= RESUMES and known:
        queues.write_plan(call, path.to_voice(plan["voice"], at=str(plan.get("at", "")), lost=lost))
    else:
        give_up(told, call, now)
    return document(told, leg, *tap_again(leg, now=now), now=now)


def drained(*, leg: Leg) -> None:
    """Our server restarts, which is no fault of the voice: its stream's end is not counted. Before or after
    `resume`, as it comes.
    """
    call = Call.objects.select_for_update().get(pk=leg.call_id)
    if path.speaks(call.plan):
        queues.write_plan(call, {**call.plan, "lost": int(call.plan.get("lost", 0)) - 1})


def tap_again(leg: Leg, *, now: datetime) -> tuple[twiml.Tap, ...]:
    """The number's stream for who goes on after a voice, as after the consent; none while a voice speaks, and
    none where there was one already.
    """
    call = leg.call
    number = plans.number_of(call)
    if not number.stream or call.plan.get("step") not in _TAPPED or not _only_voices(leg):
        return ()
    try:
        ticket = tickets.issue(
            leg=leg, origin=Ticket.Origin.TWIML, parameters={"call": str(call.pk)}, now=now
        )
    except tickets.LimitReached:  # others stream all of the leg's tracks
        return ()
    Call.objects.filter(pk=call.pk).update(tap_wanted=True)
    return (plans.tap(ticket),)


def _only_voices(leg: Leg) -> bool:
    """Whether all streams of the leg that we have asked for were voices'."""
    kinds = set(leg.tickets.exclude(origin=Ticket.Origin.INGEST).values_list("kind", flat=True))
    return kinds == {Ticket.Kind.VOICE}


def give_up(told: Change, call: Call, now: datetime) -> None:
    """The voice's queue, or an apology."""
    voice = Voice.objects.select_related("queue").filter(pk=call.plan.get("voice")).first()
    if voice is not None and voice.queue is not None:
        queues.arrive(told, call=call, queue=voice.queue, reason=LOST, now=now)
    else:
        queues.write_plan(call, path.to_end(path.APOLOGY))
