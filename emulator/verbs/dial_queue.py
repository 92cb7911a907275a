"""Dial with Queue: take the caller in front, or wait until there is one."""

from __future__ import annotations

import asyncio

from emulator.leg import Leg
from emulator.rooms.queue import Member
from emulator.twiml import Document, Step, Verb
from emulator.verbs import leaving
from emulator.verbs.base import Outcome, action, address, method, telling
from emulator.verbs.dial_terms import star, time_limit, timeout
from emulator.waiting import first


async def queue(leg: Leg, verb: Verb, noun: Verb, document: Document) -> Outcome:
    """Be connected with the caller in front, then `action` or the next verb."""
    leg.answer()
    after, before = action(verb, document), address(noun, "url", document)
    member = await _take(leg, verb, noun, Step(before, method(noun)) if before else None)
    if member is None:
        return telling(after, {"DialCallStatus": "no-answer"})
    try:
        await _talk(leg, member, verb)
    except asyncio.CancelledError:
        member.by = None  # whom nobody takes any more must not be bridged after its whisper
        if not leg.exchange.closing:
            old = telling(after, _fields(member))
            await asyncio.shield(asyncio.ensure_future(leaving.leave(leg, old)))
        raise
    return telling(after, _fields(member))


async def _talk(leg: Leg, member: Member, verb: Verb) -> None:
    await first(member.bridged.wait(), member.given_up.wait(), member.leg.over.wait())
    bridge = leg.bridge
    if bridge is None:
        return
    try:
        with star(leg, verb) as pressed:
            await first(bridge.over.wait(), time_limit(leg, verb), pressed.wait())
    finally:
        bridge.part()


def _fields(member: Member) -> dict[str, str]:
    bridged = member.bridged.is_set()
    return {
        "DialCallStatus": "completed" if bridged else "no-answer",
        "DialCallSid": member.leg.call.sid,
        "DialBridged": str(bridged).lower(),
    }


async def _take(leg: Leg, verb: Verb, noun: Verb, before: Step | None) -> Member | None:
    """The caller in front; None when none came in time."""
    queues, clock = leg.exchange.queues, leg.exchange.world.clock
    found = queues.named(noun.text, leg.call.region)
    if found is None:
        leg.note(13255, f"<Queue>: there is no queue {noun.text[:64]!r}")
        return None
    end = clock.seconds() + timeout(verb)
    while (member := found.take(leg, before)) is None:
        done = await first(found.arrived.wait(), clock.sleep_until(end))
        if 0 not in done:
            return None
    return member
