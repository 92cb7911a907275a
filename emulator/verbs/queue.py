"""Enqueue and Leave: the caller's side of a queue."""

from __future__ import annotations

import asyncio

from emulator.audio import tones
from emulator.audio.ear import Prompt
from emulator.leg import Leg
from emulator.rooms.bridge import Bridge
from emulator.rooms.queue import MAX_NAME, Member
from emulator.rooms.seat import WAIT_VERBS
from emulator.twiml import Document, Step, Verb
from emulator.verbs import leaving
from emulator.verbs.base import LEAVE, Outcome, action, address, method, telling
from emulator.waiting import first

QUEUE_VERBS = WAIT_VERBS | {"Gather", "Leave", "Hangup"}


async def enqueue(leg: Leg, verb: Verb, document: Document) -> Outcome:
    """Wait in a queue until somebody takes the call, the caller leaves, or hangs up; then `action`."""
    leg.answer()
    after, entertainment = action(verb, document), address(verb, "waitUrl", document)
    name = verb.text[:MAX_NAME]
    if not name:
        leg.note(13250, "<Enqueue> without the name of a queue; the emulator has no TaskRouter")
        return telling(after, {"QueueResult": "system-error"})
    queues = leg.exchange.queues
    queue = queues.named(name, leg.call.region) or queues.make(name, leg.call.region)
    member = queue.enter(leg)
    if member is None:
        return telling(after, {"QueueResult": "queue-full", "QueueSid": queue.sid})
    wait = Step(entertainment, method(verb, "waitUrlMethod")) if entertainment else None
    try:
        result = await _wait(leg, member, wait)
    except asyncio.CancelledError:
        result = _interrupted(leg, member)
        queue.leave(member)
        if not leg.exchange.closing:
            old = telling(after, _fields(member, result))
            await asyncio.shield(asyncio.ensure_future(leaving.leave(leg, old)))
        raise
    finally:
        queue.leave(member)
        member.given_up.set()
    after = telling(after, _fields(member, result))
    if member.step is not None:
        leaving.ask(leg, after)
        return member.step
    return after


async def leave(leg: Leg, verb: Verb, document: Document) -> Outcome:
    """Leave the queue in which the caller waits."""
    return LEAVE


async def stay(leg: Leg, verb: Verb, document: Document) -> Outcome:
    """<Leave> outside of a queue: there is nothing to leave."""
    return None


async def _wait(leg: Leg, member: Member, wait: Step | None) -> str:
    """Play the queue's TwiML until something happens; the QueueResult."""
    leg.party.notice("queued")
    done = await first(member.taken.wait(), _entertain(leg, member, wait))
    if 0 not in done and not member.taken.is_set():
        member.queue.leave(member)
        return "leave" if leg.call.live else "hangup"
    if member.step is not None:
        return "redirected"
    if member.before is not None:
        by = member.by.call.sid if member.by is not None else ""
        told = {"QueueSid": member.queue.sid, "QueueTime": str(member.waited_s), "DequeingCallSid": by}
        before = Step(member.before.url, member.before.method, fields=told)
        await leg.exchange.run(leg, before, False)
    if member.by is None or not member.by.call.live or not leg.call.live:
        return "error" if leg.call.live else "hangup"
    bridge = Bridge(member.by, leg)
    member.bridged.set()
    try:
        await bridge.over.wait()
    finally:
        bridge.part()
    return "bridged"


async def _entertain(leg: Leg, member: Member, wait: Step | None) -> None:
    """Play to the caller who waits; returns when its TwiML says <Leave>."""
    if wait is None:
        music = Prompt(tones.music(), leg.exchange.pacer.number + 1, "music", again=True)
        with leg.ear.hearing(music):
            await asyncio.Event().wait()
    else:
        await leg.exchange.loop(leg, wait, QUEUE_VERBS, lambda: _place(member))


def _place(member: Member) -> dict[str, str]:
    queue, clock = member.queue, member.leg.exchange.world.clock
    return {
        "QueueSid": queue.sid,
        "QueuePosition": str(member.position),
        "QueueTime": str(member.waited(clock.seconds())),
        "AvgQueueTime": str(queue.average_wait()),
        "CurrentQueueSize": str(len(queue.members)),
        "MaxQueueSize": str(queue.max_size),
    }


def _interrupted(leg: Leg, member: Member) -> str:
    if not leg.call.live:
        return "bridged" if member.bridged.is_set() else "hangup"
    return "redirected-from-bridged" if member.bridged.is_set() else "redirected"


def _fields(member: Member, result: str) -> dict[str, str]:
    return {"QueueResult": result, "QueueSid": member.queue.sid, "QueueTime": str(member.waited_s)}
