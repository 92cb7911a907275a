"""Runs one leg's TwiML: fetch a document, perform its verbs in order, go where they lead, else hang up."""

from __future__ import annotations

import asyncio

from emulator import twiml
from emulator.leg import Leg
from emulator.twiml import Document, Step, TwimlError
from emulator.verbs import base, dial, flow, stream, talk
from emulator.webhooks import Answer
from emulator.world import iso

VERBS: dict[str, base.Handler] = {
    "Connect": stream.connect,
    "Dial": dial.dial,
    "Hangup": flow.hangup,
    "Pause": talk.pause,
    "Redirect": flow.redirect,
    "Reject": flow.reject,
    "Say": talk.say,
    "Start": stream.start,
    "Stop": stream.stop,
}
XML_TYPES = {"text/xml", "application/xml", "text/html"}
MAX_DOCUMENTS = 1000


async def run(leg: Leg, step: Step, ends: bool) -> None:
    """Follow documents from `step` on until one ends without a successor; then, if `ends`, the call ends."""
    following: Step | None = step
    for _ in range(MAX_DOCUMENTS):
        if following is None or not leg.call.live:
            break
        document = await fetch(leg, following)
        following = await perform(leg, document) if document is not None else None
    if ends:
        leg.finish("completed", "end of TwiML")


async def perform(leg: Leg, document: Document) -> Step | None:
    """Perform the verbs; returns where to go on, None when the call shall end."""
    for verb in document.verbs:
        handler = VERBS.get(verb.name)
        if handler is None:
            note(leg, 12200, f"<{verb.name}> is not a verb that the emulator knows")
            continue
        outcome = await handler(leg, verb, document)
        if isinstance(outcome, Step):
            return outcome
        if outcome is base.HANGUP or not leg.call.live:
            return None
    return None


async def fetch(leg: Leg, step: Step) -> Document | None:
    """The document at `step`, or the fallback's, or None when neither can be read."""
    try:
        return await _ask(leg, step, "voice")
    except TwimlError as error:
        note(leg, error.code, error.detail)
        failed = error
    if step.twiml or not leg.fallback.url:
        return None
    fields = {**step.fields, "ErrorCode": str(failed.code), "ErrorUrl": step.url}
    try:
        return await _ask(leg, Step(leg.fallback.url, leg.fallback.method, fields=fields), "fallback")
    except TwimlError as error:
        note(leg, error.code, error.detail)
        return None


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
    _write_down(leg, kind, answer.url, answer.body)
    if answer.content_type not in XML_TYPES:
        raise TwimlError(12300, f"Invalid Content-Type {answer.content_type!r} from {answer.url}")
    return twiml.read(answer.body, answer.url)


async def _answer(leg: Leg, step: Step, kind: str) -> Answer:
    form = {**leg.call.form(), **step.fields}
    asking = leg.exchange.courier.ask(leg.call, kind, step.url, step.method, form)
    # A caller who hangs up does not call back a request that is already on its way.
    return await asyncio.shield(asyncio.ensure_future(asking))


def note(leg: Leg, code: int, message: str) -> None:
    """Write a notification of this call."""
    leg.call.note(code, message, leg.exchange.world.clock.now())


def _write_down(leg: Leg, kind: str, url: str, text: str) -> None:
    leg.call.documents.append(
        {"kind": kind, "url": url, "twiml": text, "at": iso(leg.exchange.world.clock.now())}
    )
