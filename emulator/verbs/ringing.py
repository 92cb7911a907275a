"""The legs that <Dial> makes of its nouns, and which of them answers first."""

from __future__ import annotations

import asyncio

from emulator.leg import Leg
from emulator.twiml import Document, Step, Verb
from emulator.verbs.base import absolute, address, method
from emulator.waiting import first
from emulator.webhooks.progress import Callbacks

MAX_NOUNS = 10
KEYS, MAX_KEYS = frozenset("0123456789*#wW"), 64


def nouns(leg: Leg, verb: Verb) -> list[Verb]:
    """The numbers and clients to ring; what else stands there is noted."""
    known = [noun for noun in verb.children if noun.name in {"Number", "Client"}]
    for noun in verb.children:
        if noun.name == "Sip":
            leg.note(13224, "<Sip>: the emulator has no SIP; numbers and clients can be dialled")
        elif noun not in known:
            leg.note(12200, f"<{noun.name}> in <Dial> is not known to the emulator")
    if verb.text and not verb.children:
        known = [Verb("Number", text=verb.text)]
    return known[:MAX_NOUNS]


def child(leg: Leg, verb: Verb, noun: Verb, document: Document) -> Leg:
    """A leg to one noun, with its callbacks, its parameters and what it is played before it is bridged."""
    callbacks = Callbacks(
        url=address(noun, "statusCallback", document),
        method=method(noun, "statusCallbackMethod"),
        events=frozenset(noun.get("statusCallbackEvent", "completed").split()),
    )
    made = leg.exchange.child(leg, verb.get("callerId") or leg.call.from_, _destination(noun), callbacks)
    made.parameters = {p.get("name"): p.get("value") for p in noun.children if p.name == "Parameter"}
    made.digits = "".join(key for key in noun.get("sendDigits")[:MAX_KEYS] if key in KEYS)
    if noun.get("machineDetection"):
        made.note(12200, "<Number machineDetection>: the emulator detects no machine here")
    if noun.get("url"):
        made.before_bridge = Step(absolute(noun.get("url"), document), method(noun))
    return made


async def first_to_answer(children: list[Leg], patience: float) -> Leg | None:
    """Ring them all for at most `patience` seconds; when one answers the others end, else all do."""
    clock = children[0].exchange.world.clock
    ringing = [asyncio.ensure_future(one.party.called(one)) for one in children]
    try:
        await first(_settled(children), clock.sleep(patience))
    finally:
        for task in ringing:
            task.cancel()
        await asyncio.gather(*ringing, return_exceptions=True)
    winner = next((one for one in children if one.call.status == "in-progress"), None)
    for one in children:
        if one is not winner:
            one.finish("canceled" if winner else "no-answer", "not answered in time")
    return winner


async def _settled(children: list[Leg]) -> None:
    """Return when one has answered or all have ended."""
    pending = list(children)
    while pending and not any(one.call.status == "in-progress" for one in children):
        await first(*(event.wait() for one in pending for event in (one.answered, one.over)))
        pending = [one for one in pending if one.call.live]


def _destination(noun: Verb) -> str:
    if noun.name != "Client":
        return noun.text
    identity = next((child.text for child in noun.children if child.name == "Identity"), noun.text)
    return f"client:{identity}"
