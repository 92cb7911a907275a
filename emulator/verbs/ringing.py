"""The legs that <Dial> makes of its nouns, and which of them answers first."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass

from emulator.leg import Leg
from emulator.twiml import Document, Step, Verb
from emulator.verbs.base import address, method
from emulator.waiting import first
from emulator.webhooks.progress import Callbacks

MAX_NOUNS = 10
KEYS, MAX_KEYS = frozenset("0123456789*#wW"), 64
# What people write between the digits of a number, as REST takes it too.
BETWEEN = str.maketrans("", "", " ().-/")
DIGITS = re.compile(r"\+?[0-9]{3,15}")


@dataclass(frozen=True)
class Callee:
    """What one noun says of whom it calls: `before` is played to them before they are bridged."""

    to: str
    callbacks: Callbacks
    parameters: dict[str, str]
    digits: str
    before: Step | None
    detects: bool


def callees(leg: Leg, verb: Verb, document: Document) -> list[Callee]:
    """Whom to ring. What is no number is noted and does not ring. Raises TwimlError for a bad address."""
    return [_callee(noun, document) for noun in _nouns(leg, verb) if _can_ring(leg, noun)]


def _nouns(leg: Leg, verb: Verb) -> list[Verb]:
    """The numbers and clients; what else stands there is noted."""
    known = [noun for noun in verb.children if noun.name in {"Number", "Client"}]
    for noun in verb.children:
        if noun.name == "Sip":
            leg.note(13224, "<Sip>: the emulator has no SIP; numbers and clients can be dialled")
        elif noun not in known:
            leg.note(12200, f"<{noun.name}> in <Dial> is not known to the emulator")
    if verb.text and not verb.children:
        known = [Verb("Number", text=verb.text)]
    return known[:MAX_NOUNS]


def _can_ring(leg: Leg, noun: Verb) -> bool:
    if noun.name == "Client" or DIGITS.fullmatch(noun.text.translate(BETWEEN)):
        return True
    leg.note(13223, f"Dial: Invalid phone number format: {noun.text[:100]!r}")
    return False


def _callee(noun: Verb, document: Document) -> Callee:
    before = address(noun, "url", document)
    return Callee(
        to=_destination(noun),
        callbacks=Callbacks(
            url=address(noun, "statusCallback", document),
            method=method(noun, "statusCallbackMethod"),
            events=frozenset(noun.get("statusCallbackEvent", "completed").split()),
        ),
        parameters={p.get("name"): p.get("value") for p in noun.children if p.name == "Parameter"},
        digits="".join(key for key in noun.get("sendDigits")[:MAX_KEYS] if key in KEYS),
        before=Step(before, method(noun)) if before else None,
        detects=bool(noun.get("machineDetection")),
    )


def child(leg: Leg, verb: Verb, callee: Callee) -> Leg:
    """A leg to whom one noun calls."""
    made = leg.exchange.child(leg, verb.get("callerId") or leg.call.from_, callee.to, callee.callbacks)
    made.parameters = callee.parameters
    made.digits = callee.digits
    made.before_bridge = callee.before
    if callee.detects:
        made.note(12200, "<Number machineDetection>: the emulator detects no machine here")
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
