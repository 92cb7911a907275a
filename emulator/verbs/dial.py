"""Dial: a room to enter, or numbers and clients that ring, of which the first to answer is bridged."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from emulator import tones
from emulator.bridge import Bridge
from emulator.ear import Prompt
from emulator.leg import Leg
from emulator.progress import Callbacks
from emulator.recording import Order, Recording
from emulator.twiml import Document, Step, Verb
from emulator.verbs import dial_conference, dial_queue, leaving
from emulator.verbs.base import Outcome, absolute, action, method
from emulator.verbs.record import order
from emulator.waiting import first

TIMEOUT_S = 30.0
TIME_LIMIT_S = 14_400.0
MAX_NOUNS = 10
RECORD = frozenset(
    {"true"} | {f"record-from-{since}{how}" for since in ("answer", "ringing") for how in ("", "-dual")}
)
ROOMS = {"Conference": dial_conference.conference, "Queue": dial_queue.queue}


async def dial(leg: Leg, verb: Verb, document: Document) -> Outcome:
    """Join a conference, take a caller from a queue, or ring numbers and clients."""
    for noun in verb.children:
        if (room := ROOMS.get(noun.name)) is not None:
            return await room(leg, verb, noun, document)
    return await _ring(leg, verb, document)


async def _ring(leg: Leg, verb: Verb, document: Document) -> Outcome:
    """Ring all nouns, bridge the first that answers, and go on to `action` or the next verb after it."""
    if not verb.flag("answerOnBridge"):
        leg.answer()
    children = [_child(leg, verb, noun, document) for noun in _nouns(leg, verb)]
    if not children:
        return action(verb, document, {"DialCallStatus": "failed"})
    winner: Leg | None = None
    tape: Recording | None = None
    wanted = (
        order(verb, document, source="DialVerb") if verb.get("record", "do-not-record") in RECORD else None
    )
    try:
        with leg.ear.hearing(Prompt(tones.ringback(), leg.exchange.pacer.number + 1, "ringing", again=True)):
            winner = await _first_to_answer(children, verb.seconds("timeout", TIMEOUT_S))
        if winner is not None:
            tape = await _talk(leg, winner, verb, wanted)
    except asyncio.CancelledError:
        if leg.exchange.closing:
            raise
        # Whatever cancels us a second time, the children still end.
        left = _leave(leg, children, winner, action(verb, document, {}))
        await asyncio.shield(asyncio.ensure_future(left))
        raise
    return action(verb, document, _result(children, winner, tape))


async def _talk(leg: Leg, child: Leg, verb: Verb, wanted: Order | None) -> Recording | None:
    leg.answer()
    await child.listen_first()
    if not child.call.live:
        return None
    tape = leg.exchange.recordings.of_leg(leg, wanted) if wanted is not None else None
    bridge = Bridge(leg, child)
    star = asyncio.Event()
    listener = _on_star(star)
    if verb.flag("hangupOnStar"):
        leg.listeners.append(listener)
    limit = leg.exchange.world.clock.sleep(verb.seconds("timeLimit", TIME_LIMIT_S))
    try:
        done = await first(child.over.wait(), limit, star.wait())
    finally:
        bridge.part()
        if listener in leg.listeners:
            leg.listeners.remove(listener)
        if tape is not None:
            tape.stop()
    child.finish("completed", "time limit of <Dial>" if 1 in done else "the other side pressed *")
    return tape


def _on_star(star: asyncio.Event) -> Callable[[str], None]:
    def key(digit: str) -> None:
        if digit == "*":
            star.set()

    return key


async def _first_to_answer(children: list[Leg], patience: float) -> Leg | None:
    clock = children[0].exchange.world.clock
    ringing = [asyncio.ensure_future(child.party.called(child)) for child in children]
    try:
        await first(_settled(children), clock.sleep(patience))
    finally:
        for task in ringing:
            task.cancel()
        await asyncio.gather(*ringing, return_exceptions=True)
    winner = next((child for child in children if child.call.status == "in-progress"), None)
    for child in children:
        if child is not winner:
            child.finish("canceled" if winner else "no-answer", "not answered in time")
    return winner


async def _settled(children: list[Leg]) -> None:
    """Return when one has answered or all have ended."""
    pending = list(children)
    while pending and not any(child.call.status == "in-progress" for child in children):
        await first(*(w for child in pending for w in (child.answered.wait(), child.over.wait())))
        pending = [child for child in pending if child.call.live]


async def _leave(leg: Leg, children: list[Leg], winner: Leg | None, old_action: Step | None) -> None:
    """The call was redirected or has ended: end the children and still ask the old `action`."""
    if leg.call.live:
        await leg.exchange.world.clock.sleep(leaving.CHILD_END_S)
    if leg.bridge is not None:
        leg.bridge.part()
    for child in children:
        child.finish("completed" if child.answered.is_set() else "canceled", "the other side left")
    if old_action is not None:
        old_action = Step(old_action.url, old_action.method, fields=_result(children, winner))
    await leaving.leave(leg, old_action)


def _result(children: list[Leg], winner: Leg | None, tape: Recording | None = None) -> dict[str, str]:
    call = (winner or children[0]).call
    status = "in-progress" if call.live else call.status
    result = {"DialCallStatus": status, "DialCallSid": call.sid, "DialBridged": str(bool(winner)).lower()}
    if winner is not None:
        result["DialCallDuration"] = str(call.duration())
    if tape is not None:
        result |= {"RecordingUrl": tape.url(), "RecordingSid": tape.sid}
    return result


def _nouns(leg: Leg, verb: Verb) -> list[Verb]:
    nouns = [noun for noun in verb.children if noun.name in {"Number", "Client"}]
    for noun in verb.children:
        if noun.name == "Sip":
            leg.note(13224, "<Sip>: the emulator has no SIP; numbers and clients can be dialled")
        elif noun not in nouns:
            leg.note(12200, f"<{noun.name}> in <Dial> is not known to the emulator")
    if verb.text and not verb.children:
        nouns = [Verb("Number", text=verb.text)]
    return nouns[:MAX_NOUNS]


def _child(leg: Leg, verb: Verb, noun: Verb, document: Document) -> Leg:
    caller = verb.get("callerId") or leg.call.from_
    url = noun.get("statusCallback")
    callbacks = Callbacks(
        url=absolute(url, document) if url else "",
        method=method(noun, "statusCallbackMethod"),
        events=frozenset(noun.get("statusCallbackEvent", "completed").split()),
    )
    child = leg.exchange.child(leg, caller, _address(noun), callbacks)
    child.parameters = {p.get("name"): p.get("value") for p in noun.children if p.name == "Parameter"}
    if noun.get("url"):
        child.before_bridge = Step(absolute(noun.get("url"), document), method(noun))
    return child


def _address(noun: Verb) -> str:
    if noun.name != "Client":
        return noun.text
    identity = next((child.text for child in noun.children if child.name == "Identity"), noun.text)
    return f"client:{identity}"
