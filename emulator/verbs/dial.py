"""Dial with Number and Client: child legs that ring, the first to answer is bridged."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from emulator.leg import Callbacks, Leg
from emulator.twiml import Document, Step, Verb
from emulator.verbs.base import Outcome, absolute, action, note

TIMEOUT_S = 30.0
TIME_LIMIT_S = 14_400.0
MAX_NOUNS = 10
# Measured at Twilio: after a redirect the child ends, then the old action is asked, then the new address.
CHILD_END_S, OLD_ACTION_S, NEW_DOCUMENT_S = 0.166, 0.154, 0.331


async def dial(leg: Leg, verb: Verb, document: Document) -> Outcome:
    """Ring all nouns, bridge the first that answers, and go on to `action` or the next verb after it."""
    if not verb.flag("answerOnBridge"):
        leg.answer()
    children = [_child(leg, verb, noun, document) for noun in _nouns(leg, verb)]
    if not children:
        return action(verb, document, {"DialCallStatus": "failed"})
    winner: Leg | None = None
    try:
        winner = await _first_to_answer(leg, children, verb.seconds("timeout", TIMEOUT_S))
        if winner is not None:
            await _talk(leg, winner, verb.seconds("timeLimit", TIME_LIMIT_S))
    except asyncio.CancelledError:
        if leg.exchange.closing:
            raise
        leaving = _leave(leg, children, winner, action(verb, document, {}))
        # Whatever cancels us a second time, the children still end.
        await asyncio.shield(asyncio.ensure_future(leaving))
        raise
    return action(verb, document, _result(children, winner))


async def _talk(leg: Leg, child: Leg, limit: float) -> None:
    leg.answer()
    await child.listen_first()
    if not child.call.live:
        return
    leg.bridge(child)
    ending = asyncio.ensure_future(leg.exchange.world.clock.sleep(limit))
    over = asyncio.ensure_future(child.over.wait())
    try:
        await asyncio.wait({ending, over}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        ending.cancel()
        over.cancel()
    child.finish("completed", "time limit of <Dial>")


async def _first_to_answer(leg: Leg, children: list[Leg], patience: float) -> Leg | None:
    exchange = leg.exchange
    ringing = [asyncio.ensure_future(exchange.try_to_reach(child)) for child in children]
    waiting = [asyncio.ensure_future(_settled(child)) for child in children]
    late = asyncio.ensure_future(exchange.world.clock.sleep(patience))
    try:
        winner = await _race(children, waiting, late)
    finally:
        for task in (*ringing, *waiting, late):
            task.cancel()
    for child in children:
        if child is not winner:
            child.finish("canceled" if winner else "no-answer", "not answered in time")
    return winner


async def _race(
    children: list[Leg], waiting: Sequence[asyncio.Future[None]], late: asyncio.Future[None]
) -> Leg | None:
    while not late.done():
        winner = next((child for child in children if child.call.status == "in-progress"), None)
        pending = [task for task in waiting if not task.done()]
        if winner is not None or not pending:
            return winner
        await asyncio.wait({late, *pending}, return_when=asyncio.FIRST_COMPLETED)
    return None


async def _settled(child: Leg) -> None:
    """Return when the child has answered or ended."""
    events = [asyncio.ensure_future(child.answered.wait()), asyncio.ensure_future(child.over.wait())]
    try:
        await asyncio.wait(events, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for event in events:
            event.cancel()


async def _leave(leg: Leg, children: list[Leg], winner: Leg | None, old_action: Step | None) -> None:
    """The call was redirected or has ended: end the children and still ask the old `action`."""
    clock = leg.exchange.world.clock
    redirected = leg.call.live
    if redirected:
        await clock.sleep(CHILD_END_S)
    leg.unbridge()
    for child in children:
        status = "completed" if child.answered.is_set() else "canceled"
        child.finish(status, "the other side left")
    if old_action is not None:
        if redirected:
            await clock.sleep(OLD_ACTION_S)
        form = {**leg.call.form(), **_result(children, winner)}
        asking = leg.exchange.courier.ask(leg.call, "action", old_action.url, old_action.method, form)
        leg.exchange.courier.spawn(asking)
    if redirected:
        await clock.sleep(NEW_DOCUMENT_S)


def _result(children: list[Leg], winner: Leg | None) -> dict[str, str]:
    call = (winner or children[0]).call
    status = "in-progress" if call.live else call.status
    result = {"DialCallStatus": status, "DialCallSid": call.sid, "DialBridged": str(bool(winner)).lower()}
    if winner is not None:
        result["DialCallDuration"] = str(call.duration())
    return result


def _nouns(leg: Leg, verb: Verb) -> list[Verb]:
    nouns = [noun for noun in verb.children if noun.name in {"Number", "Client"}]
    for noun in verb.children:
        if noun not in nouns:
            note(leg, 12200, f"<{noun.name}> in <Dial> is not known to the emulator")
    if verb.text and not nouns:
        nouns = [Verb("Number", text=verb.text)]
    return nouns[:MAX_NOUNS]


def _child(leg: Leg, verb: Verb, noun: Verb, document: Document) -> Leg:
    caller = verb.get("callerId") or leg.call.from_
    url = noun.get("statusCallback")
    callbacks = Callbacks(
        url=absolute(url, document) if url else "",
        method=noun.get("statusCallbackMethod", "POST").upper(),
        events=frozenset(noun.get("statusCallbackEvent", "completed").split()),
    )
    child = leg.exchange.child(leg, caller, _address(noun), callbacks)
    if noun.get("url"):
        method = noun.get("method", "POST").upper()
        child.before_bridge = Step(absolute(noun.get("url"), document), method)
    return child


def _address(noun: Verb) -> str:
    if noun.name != "Client":
        return noun.text
    identity = next((child.text for child in noun.children if child.name == "Identity"), noun.text)
    return f"client:{identity}"
