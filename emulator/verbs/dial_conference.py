"""Dial with Conference: sit in a room until one leaves it or it ends."""

from __future__ import annotations

import asyncio

from emulator.leg import Leg
from emulator.rooms.conference import DEFAULT_TOPICS, Callback, Conference
from emulator.rooms.recording import Order
from emulator.rooms.seat import MAX_ROOM, Refused, Seat, Terms
from emulator.twiml import Document, Step, Verb
from emulator.verbs import leaving
from emulator.verbs.base import Outcome, absolute, action, address, method, telling
from emulator.verbs.dial_terms import star, time_limit
from emulator.verbs.record import order
from emulator.waiting import first

MAX_NAME = 128
REDIRECTED = "participant_updated_via_api"


async def conference(leg: Leg, verb: Verb, noun: Verb, document: Document) -> Outcome:
    """Join; afterwards `action` is told `answered`, or the next verb follows."""
    leg.answer()
    after, how, told = action(verb, document), terms(noun, document), callback(noun, document)
    wanted = order(noun, document, source="Conference") if noun.get("record") == "record-from-start" else None
    name = noun.text[:MAX_NAME]
    if not name:
        leg.note(13234, "<Conference> without a name")
        return telling(after, {"DialCallStatus": "failed"})
    room = leg.exchange.conferences.room(name, leg.call.region)
    try:
        seat = room.join(leg, how, told)
    except Refused as refused:
        leg.note(refused.code, f"<Conference>: {refused.detail}")
        room.close_unused()
        # A label in use lets the leg go on to the next verb; nobody to coach fails to the action.
        return None if refused.code == 16025 else telling(after, {"DialCallStatus": "failed"})
    _record(room, wanted)
    return await _stay(leg, verb, telling(after, {"DialCallStatus": "answered"}), seat)


async def _stay(leg: Leg, verb: Verb, after: Step | None, seat: Seat) -> Outcome:
    try:
        with star(leg, verb) as pressed:
            await first(seat.over.wait(), time_limit(leg, verb), pressed.wait())
    except asyncio.CancelledError:
        seat.conference.leave(seat, REDIRECTED if leg.call.live else "participant_hung_up")
        if not leg.exchange.closing:
            await asyncio.shield(asyncio.ensure_future(leaving.leave(leg, after)))
        raise
    finally:
        seat.conference.leave(seat, "participant_left")
    return after


def terms(noun: Verb, document: Document) -> Terms:
    """How a <Conference> lets its leg take part; what cannot be read is the default."""
    limit = noun.number("maxParticipants")
    return Terms(
        label=noun.get("participantLabel"),
        muted=noun.flag("muted"),
        coach=noun.get("coach"),
        coaching=bool(noun.get("coach")),
        start_on_enter=noun.flag("startConferenceOnEnter", True),
        end_on_exit=noun.flag("endConferenceOnExit"),
        beep=noun.get("beep", "true"),
        wait=_wait(noun, document),
        room=min(limit, MAX_ROOM) if limit > 1 else MAX_ROOM,
    )


def _wait(noun: Verb, document: Document) -> Step | None:
    """The TwiML for whoever waits: None is the usual music, a Step without an address silence."""
    if "waitUrl" not in noun.attributes:
        return None
    url = noun.get("waitUrl")
    return Step(absolute(url, document) if url else "", method(noun, "waitMethod"))


def callback(noun: Verb, document: Document) -> Callback:
    """Where a <Conference> wants its events told."""
    topics = noun.get("statusCallbackEvent").split()
    url = address(noun, "statusCallback", document)
    return Callback(url, method(noun, "statusCallbackMethod"), frozenset(topics) or DEFAULT_TOPICS)


def _record(room: Conference, wanted: Order | None) -> None:
    """The first member who asks for it lets the room be recorded from now on."""
    if wanted is not None and not room.recordings:
        room.exchange.recordings.of_conference(room, wanted)
