"""Gather: keys and speech of the party, while prompts play and after them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from emulator.leg import Leg
from emulator.rooms.transcription import CONFIDENCE
from emulator.twiml import Document, Verb
from emulator.verbs import talk
from emulator.verbs.base import Handler, Outcome, action, address, method, telling

LOOK_S = 0.1
AUTO_SPEECH_S = 1.0
TIMEOUT_S = 5.0
MAX_SPEECH_S = 60.0
PROMPTS: dict[str, Handler] = {"Say": talk.say, "Play": talk.play, "Pause": talk.pause}


@dataclass
class Terms:
    """How long is listened, and what ends it. Seconds; `digits` 0 is no limit."""

    inputs: frozenset[str]
    timeout: float
    speech_timeout: float
    finish: str
    digits: int
    barge_in: bool

    @classmethod
    def of(cls, verb: Verb) -> Terms:
        """The terms of a <Gather>; what cannot be read is the default."""
        timeout = verb.seconds("timeout", TIMEOUT_S)
        auto = verb.get("speechTimeout") == "auto"
        return cls(
            inputs=frozenset(verb.get("input", "dtmf").split()),
            timeout=timeout,
            speech_timeout=AUTO_SPEECH_S if auto else verb.seconds("speechTimeout", timeout),
            # An empty attribute means that no key ends it, a missing one #.
            finish=verb.attributes.get("finishOnKey", "#"),
            digits=verb.number("numDigits"),
            barge_in=verb.flag("bargeIn", True),
        )


@dataclass
class Heard:
    """What was heard so far, and when the last of it, in seconds of the clock."""

    pressed: list[str] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    last_key: float = 0.0
    last_word: float = 0.0
    finished: bool = False

    @property
    def digits(self) -> str:
        return "".join(self.pressed)


async def gather(leg: Leg, verb: Verb, document: Document) -> Outcome:
    """Listen; what was heard goes to `action` (the same document without one), nothing to the next verb."""
    leg.answer()
    after, partial = action(verb, document, default=True), _teller(leg, verb, document)
    terms, heard = Terms.of(verb), Heard()
    prompts = asyncio.ensure_future(_prompts(leg, verb, document))
    try:
        await _listen(leg, terms, heard, prompts, partial)
    finally:
        prompts.cancel()
        await asyncio.gather(prompts, return_exceptions=True)
    if not prompts.cancelled() and (failed := prompts.exception()) is not None:
        raise failed
    if heard.digits:
        return telling(after, {"Digits": heard.digits})
    if heard.words:
        return telling(after, {"SpeechResult": " ".join(heard.words), "Confidence": str(CONFIDENCE)})
    if verb.flag("actionOnEmptyResult"):
        return telling(after, {"Digits": ""} if "dtmf" in terms.inputs else {})
    return None


async def _listen(
    leg: Leg, terms: Terms, heard: Heard, prompts: asyncio.Future[None], partial: Callable[[list[str]], None]
) -> None:
    clock, pacer = leg.exchange.world.clock, leg.exchange.pacer
    keys: list[str] = []
    leg.listeners.append(keys.append)
    since, quiet_from = pacer.number + 1, -1.0
    began = clock.seconds()
    try:
        while not _over(terms, heard, clock.seconds(), quiet_from, began):
            await clock.sleep(LOOK_S)
            now = pacer.number + 1
            words = leg.party.words(since, now) if "speech" in terms.inputs and not heard.pressed else []
            since = now
            if keys and "dtmf" in terms.inputs:
                _take_keys(terms, heard, keys, clock.seconds())
            if words and (terms.barge_in or prompts.done()):
                heard.words += words
                heard.last_word = clock.seconds()
                partial(heard.words)
            keys.clear()
            if heard.pressed or heard.words or heard.finished:
                prompts.cancel()
            if prompts.done() and quiet_from < 0:
                quiet_from = clock.seconds()
                leg.party.notice("gather")
    finally:
        leg.listeners.remove(keys.append)


def _take_keys(terms: Terms, heard: Heard, keys: list[str], now: float) -> None:
    for key in keys:
        if heard.finished:
            return
        heard.last_key = now
        if key in terms.finish:
            heard.finished = True
        else:
            heard.pressed.append(key)
            heard.finished = bool(terms.digits) and len(heard.pressed) >= terms.digits


def _over(terms: Terms, heard: Heard, now: float, quiet_from: float, began: float) -> bool:
    if heard.finished:
        return True
    if heard.pressed:
        return now - heard.last_key >= terms.timeout
    if heard.words:
        return now - heard.last_word >= terms.speech_timeout or now - began >= MAX_SPEECH_S
    return quiet_from >= 0 and now - quiet_from >= terms.timeout


async def _prompts(leg: Leg, verb: Verb, document: Document) -> None:
    for child in verb.children:
        handler: Callable[[Leg, Verb, Document], Awaitable[Outcome]] | None = PROMPTS.get(child.name)
        if handler is None:
            leg.note(12200, f"<{child.name}> is not allowed in <Gather>")
            continue
        await handler(leg, child, document)


def _teller(leg: Leg, verb: Verb, document: Document) -> Callable[[list[str]], None]:
    """Tells partial results, where they were asked for."""
    url, number = address(verb, "partialResultCallback", document), -1

    def tell(words: list[str]) -> None:
        nonlocal number
        number += 1
        form = {
            **leg.call.form(),
            "UnstableSpeechResult": words[-1],
            "StableSpeechResult": " ".join(words[:-1]),
            "SequenceNumber": str(number),
        }
        by = method(verb, "partialResultCallbackMethod")
        leg.exchange.courier.tell(leg.call, "gather-partial", url, by, form)

    return tell
