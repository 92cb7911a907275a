"""Runs one leg's TwiML: fetch a document, perform its verbs in order, go where they lead, else hang up."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection

from emulator import twiml
from emulator.leg import Leg
from emulator.twiml import Document, Step, TwimlError, Verb
from emulator.verbs import base, dial, flow, gather, queue, record, stream, talk
from emulator.webhooks.courier import Answer
from emulator.world import iso

logger = logging.getLogger("contactcenter.emulator")

VERBS: dict[str, base.Handler] = {
    "Connect": stream.connect,
    "Dial": dial.dial,
    "Enqueue": queue.enqueue,
    "Gather": gather.gather,
    "Hangup": flow.hangup,
    "Leave": queue.stay,
    "Pause": talk.pause,
    "Play": talk.play,
    "Record": record.record,
    "Redirect": flow.redirect,
    "Refer": flow.refer,
    "Reject": flow.reject,
    "Say": talk.say,
    "Start": stream.start,
    "Stop": stream.stop,
}
BEFORE_BRIDGE = {name: verb for name, verb in VERBS.items() if name not in {"Connect", "Dial", "Enqueue"}}
WAITING = VERBS | {"Leave": queue.leave}
XML_TYPES = {"text/xml", "application/xml", "text/html"}
MAX_DOCUMENTS = 1000
# A circle of documents that take less than this is broken after so many.
HASTE_S, MAX_HASTY = 0.5, 1000
APOLOGY = "We are sorry. An application error has occurred. Goodbye."
# A document of a loop that takes no time is not asked for again at once.
LEAST_LOOP_S = 1.0


async def run(leg: Leg, step: Step, ends: bool) -> None:
    """Follow documents from `step` on until one ends without a successor; then, if `ends`, the call ends.

    Without `ends` it is a document that is played before two are connected, in which nothing may be dialled.
    """
    verbs = VERBS if ends else BEFORE_BRIDGE
    following: Step | None = step
    hasty = 0
    while following is not None and leg.call.live:
        began = leg.exchange.world.clock.seconds()
        document = await fetch(leg, following)
        if document is None and ends:
            await apologise(leg)
            leg.finish("completed", "no TwiML that can be read")
        outcome = await perform(leg, document, verbs) if document is not None else None
        following = outcome if isinstance(outcome, Step) else None
        hasty = hasty + 1 if leg.exchange.world.clock.seconds() - began < HASTE_S else 0
        if hasty >= MAX_HASTY:
            leg.note(11215, f"{MAX_HASTY} documents one after the other that took no time")
            following = None
    if ends and leg.call.live:
        leg.answer()
        leg.finish("completed", "end of TwiML")


async def apologise(leg: Leg) -> None:
    """Tell a caller whose TwiML cannot be had that there is an error, as Twilio does before it hangs up."""
    await talk.say(leg, Verb("Say", text=APOLOGY), Document((), "", ""))


async def loop(
    leg: Leg, step: Step, allowed: Collection[str], fields: Callable[[], dict[str, str]] = dict
) -> None:
    """Play a document to somebody who waits, again and again, until <Leave> or the end of the call.

    `fields` are added to each request. Verbs that are not allowed there are noted as 13238 and passed over.
    """
    verbs = {name: WAITING[name] for name in allowed}
    clock = leg.exchange.world.clock
    following = step
    while leg.call.live:
        began = clock.seconds()
        asked = Step(following.url, following.method, following.twiml, {**following.fields, **fields()})
        document = await fetch(leg, asked)
        outcome = await perform(leg, document, verbs) if document is not None else None
        if outcome is base.LEAVE:
            return
        if outcome is base.HANGUP:
            leg.finish("completed", "<Hangup>")
        following = outcome if isinstance(outcome, Step) else step
        if clock.seconds() - began < LEAST_LOOP_S:
            await clock.sleep(LEAST_LOOP_S)


async def perform(leg: Leg, document: Document, verbs: dict[str, base.Handler]) -> base.Outcome:
    """Perform the verbs; what ended it before its end: where to go on, HANGUP or LEAVE, else None."""
    for verb in document.verbs:
        handler = verbs.get(verb.name)
        if handler is None:
            _passed_over(leg, verb, verbs)
            continue
        try:
            outcome = await handler(leg, verb, document)
        except TwimlError as error:
            leg.note(error.code, error.detail)
            return base.HANGUP
        if outcome is not None:
            return outcome
        if not leg.call.live:
            return base.HANGUP
    return None


def _passed_over(leg: Leg, verb: Verb, allowed: dict[str, base.Handler]) -> None:
    if verb.name in VERBS and allowed is BEFORE_BRIDGE:
        code = 13201 if verb.name == "Dial" else 12200
        leg.note(code, f"<{verb.name}> is not allowed in TwiML that is played before two are connected")
    elif verb.name in VERBS:
        leg.note(13238, f"<{verb.name}> is not allowed in TwiML that is played to somebody who waits")
    else:
        leg.note(12200, f"<{verb.name}> is not a verb that the emulator knows")


async def fetch(leg: Leg, step: Step) -> Document | None:
    """The document at `step`, or the fallback's, or None when neither can be read."""
    found = await _try(leg, step, "voice")
    if isinstance(found, TwimlError) and leg.fallback.url and not step.twiml:
        fields = {**step.fields, "ErrorCode": str(found.code), "ErrorUrl": step.url}
        found = await _try(leg, Step(leg.fallback.url, leg.fallback.method, fields=fields), "fallback")
    return None if isinstance(found, TwimlError) else found


async def _try(leg: Leg, step: Step, kind: str) -> Document | TwimlError:
    """The document, or why there is none: noted, and said on the terminal."""
    try:
        return await _ask(leg, step, kind)
    except TwimlError as error:
        leg.note(error.code, error.detail)
        logger.warning("emulator.twiml.failed %s %s", error.code, error.detail)
        return error


async def _ask(leg: Leg, step: Step, kind: str) -> Document:
    """Raises TwimlError for whatever keeps the answer from being performed."""
    if step.twiml:
        _write_down(leg, "inline", "", step.twiml)
        return twiml.read(step.twiml, "")
    if not step.url.startswith(("http://", "https://")):
        raise TwimlError(11100, f"Invalid URL format: {step.url[:200]!r}")
    answer = await _answer(leg, step, kind)
    if answer.error:
        raise TwimlError(answer.error, answer.detail)
    if answer.content_type.startswith("audio/"):
        # An address may give a sound instead of TwiML: it is played.
        return Document((Verb("Play", text=step.url),), step.url, "")
    _write_down(leg, kind, answer.url, answer.body)
    if answer.content_type not in XML_TYPES:
        raise TwimlError(12300, f"Invalid Content-Type {answer.content_type!r} from {answer.url}")
    return twiml.read(answer.body, answer.url)


async def _answer(leg: Leg, step: Step, kind: str) -> Answer:
    form = {**leg.call.form(), **step.fields}
    asking = leg.exchange.courier.ask(leg.call, kind, step.url, step.method, form)
    # A caller who hangs up does not call back a request that is already on its way.
    return await asyncio.shield(asyncio.ensure_future(asking))


def _write_down(leg: Leg, kind: str, url: str, text: str) -> None:
    leg.call.documents.append(
        {"kind": kind, "url": url, "twiml": text, "at": iso(leg.exchange.world.clock.now())}
    )
    del leg.call.documents[:-MAX_DOCUMENTS]
