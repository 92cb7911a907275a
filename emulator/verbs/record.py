"""Record: what the party says after the beep, until it falls silent, presses a key or hangs up."""

from __future__ import annotations

import asyncio

from emulator.audio import tones
from emulator.audio.ear import Prompt
from emulator.leg import Leg
from emulator.rooms.recording import EVENTS, Order, Recording
from emulator.rooms.speakers import QUIET_DBFS
from emulator.twiml import Document, Verb
from emulator.verbs import leaving
from emulator.verbs.base import Outcome, action, address, method, telling
from streams.audio import level

LOOK_S = 0.1
SILENCE_S = 5.0
MAX_LENGTH_S = 3600.0


async def record(leg: Leg, verb: Verb, document: Document) -> Outcome:
    """Record; then `action` (without one the same document) with what was said, or the next verb."""
    leg.answer()
    after = action(verb, document, default=True)
    wanted = order(verb, document, source="RecordVerb", track="inbound")
    if verb.flag("playBeep", True):
        beep = tones.beep()
        with leg.ear.hearing(Prompt(beep, leg.exchange.pacer.number + 1, "beep")):
            await leg.exchange.world.clock.sleep(beep.ms / 1000)
    recording = leg.exchange.recordings.of_leg(leg, wanted)
    if verb.flag("transcribe") or verb.get("transcribeCallback"):
        leg.note(12200, "<Record transcribe>: the emulator transcribes no recordings")
    leg.party.notice("record")
    if leg.party.conversation is not None:
        leg.party.conversation.begin()
    try:
        key, spoke = await _until_over(leg, verb)
    except asyncio.CancelledError:
        recording.stop()
        if not leg.call.live and not leg.exchange.closing:
            leaving.ask(leg, telling(after, {**_fields(recording), "Digits": "hangup"}))
        raise
    recording.stop()
    if not spoke:
        return None
    return telling(after, {**_fields(recording), **({"Digits": key} if key else {})})


def order(verb: Verb, document: Document, **how: str) -> Order:
    """The recording that a verb's attributes ask for."""
    events = frozenset(verb.get("recordingStatusCallbackEvent", "completed").split())
    dual = verb.get("record").endswith("-dual")
    return Order(
        channels=2 if dual else 1,
        callback=address(verb, "recordingStatusCallback", document),
        method=method(verb, "recordingStatusCallbackMethod"),
        events=events & EVENTS,
        **how,  # type: ignore[arg-type]
    )


def _fields(recording: Recording) -> dict[str, str]:
    return {
        "RecordingUrl": recording.url(),
        "RecordingSid": recording.sid,
        "RecordingDuration": str(recording.seconds()),
    }


async def _until_over(leg: Leg, verb: Verb) -> tuple[str, bool]:
    """The key that ended it, "" for none, and whether anything was said."""
    clock, keys = leg.exchange.world.clock, list[str]()
    ends = verb.attributes.get("finishOnKey", "1234567890*#")
    patience, limit = verb.seconds("timeout", SILENCE_S), verb.seconds("maxLength", MAX_LENGTH_S)
    began = last = clock.seconds()
    spoke = False
    leg.listeners.append(keys.append)
    try:
        while clock.seconds() - last < patience and clock.seconds() - began < limit:
            await clock.sleep(LOOK_S)
            if (pressed := next((key for key in keys if key in ends), "")) != "":
                return pressed, True
            if level(leg.says(leg.exchange.pacer.number).raw).rms_dbfs > QUIET_DBFS:
                last, spoke = clock.seconds(), True
    finally:
        leg.listeners.remove(keys.append)
    return "", spoke
