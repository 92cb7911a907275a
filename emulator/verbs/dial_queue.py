"""Dial with Queue: take the caller in front, or wait until there is one."""

from __future__ import annotations

from emulator.leg import Leg
from emulator.rooms.queue import Member
from emulator.twiml import Document, Step, Verb
from emulator.verbs.base import Outcome, absolute, action, method
from emulator.waiting import first

TIMEOUT_S = 30.0
TIME_LIMIT_S = 14_400.0


async def queue(leg: Leg, verb: Verb, noun: Verb, document: Document) -> Outcome:
    """Be connected with the caller in front, then `action` or the next verb."""
    leg.answer()
    member = await _take(leg, verb, noun, document)
    if member is None:
        return action(verb, document, {"DialCallStatus": "no-answer"})
    clock = leg.exchange.world.clock
    await first(member.bridged.wait(), member.leg.over.wait())
    bridge = leg.bridge
    if bridge is not None:
        try:
            await first(bridge.over.wait(), clock.sleep(verb.seconds("timeLimit", TIME_LIMIT_S)))
        finally:
            bridge.part()
    bridged = str(member.bridged.is_set()).lower()
    call = member.leg.call
    status = "completed" if member.bridged.is_set() else "no-answer"
    return action(verb, document, {"DialCallStatus": status, "DialCallSid": call.sid, "DialBridged": bridged})


async def _take(leg: Leg, verb: Verb, noun: Verb, document: Document) -> Member | None:
    """The caller in front; None when none came in time."""
    queues, clock = leg.exchange.queues, leg.exchange.world.clock
    found = queues.named(noun.text, leg.call.region)
    if found is None:
        leg.note(13255, f"<Queue>: there is no queue {noun.text[:64]!r}")
        return None
    before = Step(absolute(noun.get("url"), document), method(noun)) if noun.get("url") else None
    end = clock.seconds() + verb.seconds("timeout", TIMEOUT_S)
    while (member := found.take(leg, before)) is None:
        done = await first(found.arrived.wait(), clock.sleep_until(end))
        if 0 not in done:
            return None
    return member
