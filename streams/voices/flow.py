"""A self-service flow, spoken: `calls.flows.walk` says what comes next, this says and hears it."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import ClassVar, Final

from calls.flows.file import parse
from calls.flows.steps import Flow
from calls.flows.walk import (
    Act,
    Denied,
    Finish,
    Heard,
    Move,
    Onward,
    Pressed,
    Quiet,
    Spoke,
    Verify,
    begin,
    step,
)
from streams.voices.base import Key, NotAllowed, Said, Silence, Talk, Words

__all__ = ["FlowVoice", "read"]

_CUT_S: Final = 2.0  # who interrupts a text that asks nothing has so long to say why
_BETWEEN_KEYS_S: Final = 0.6
_MOST_KEPT: Final = 64
_flows: dict[str, Flow] = {}  # those that were read, by their text


def read(text: str) -> Flow:
    """The flow of a text, kept until others take its place. Raises FlowError.

    Blocks when it was not read before, for a long one some 100 ms.
    """
    found = _flows.get(text)
    if found is None:
        found = parse(text)
        if len(_flows) >= _MOST_KEPT:
            _flows.clear()
        _flows[text] = found
    return found


def _now() -> datetime:
    return datetime.now(UTC)


class FlowVoice:
    """Leads one caller through the flow of its voice.

    A flow that cannot be read any more, or has lost the step at which this call is, raises: the caller then
    goes the way of a lost voice, to its queue or an apology.
    """

    wants_frames: ClassVar[bool] = False
    wants_words: ClassVar[bool] = True

    def __init__(self, now: Callable[[], datetime] = _now) -> None:
        self._now = now
        self._place = ""

    async def talk(self, call: Talk) -> None:
        """Until the flow ends the conversation."""
        text = call.briefing.text
        flow = _flows[text] if text in _flows else await asyncio.to_thread(read, text)
        state = begin(flow, call.briefing)
        heard: Heard = Onward()
        while True:
            move = step(flow, state, heard, about=call.briefing, now=self._now())
            if isinstance(heard, Pressed) and move.state.tries > state.tries:
                later = await _behind_keys(call)
                if later is not None:
                    heard = later
                    continue
            state = move.state
            heard = await self._make(call, move)

    async def _make(self, call: Talk, move: Move) -> Heard:
        """Make the move, and tell what came of it."""
        await self._keep(call, move)
        if isinstance(move.deed, Finish):
            await call.end(move.say)
        said = Said("", 0, whole=True)
        if move.say:
            said = await call.say(move.say, interruptible=move.deed is None)
        if move.deed is not None:
            return await _done(call, move.deed)
        if move.wait_s is not None:
            return await _hear(call, move.wait_s, since_ms=said.began_ms if move.decides else 0)
        return Onward() if said.whole else await _hear(call, _CUT_S)

    async def _keep(self, call: Talk, move: Move) -> None:
        """Facts and the place, before anything is said: should the voice be lost, they are not."""
        for name, value in move.facts:
            with suppress(NotAllowed):  # one too many; the flow knows it all the same
                await call.fact(name, value)
        if move.state.step != self._place:
            self._place = move.state.step
            await call.at(self._place)


async def _behind_keys(call: Talk) -> Heard | None:
    """A key that means nothing is followed by others of its kind: they are one answer, not several. What was
    said meanwhile is the answer, if anything was.
    """
    while True:
        event = await call.hear(timeout_s=_BETWEEN_KEYS_S)
        if isinstance(event, Words) and event.text.strip():
            return Spoke(event.text)
        if isinstance(event, Silence):
            return None


async def _hear(call: Talk, seconds: float, *, since_ms: int = 0) -> Heard:
    """The next words (that began at `since_ms` or later), key or silence."""
    while True:
        event = await call.hear(timeout_s=seconds)
        if isinstance(event, Silence):
            return Quiet()
        if isinstance(event, Key):
            return Pressed(event.digit)
        if isinstance(event, Words) and event.text.strip() and event.start_ms >= since_ms:
            return Spoke(event.text)


async def _done(call: Talk, deed: Act | Verify | Finish) -> Heard:
    """What came of a deed; most end the conversation, and do not return."""
    try:
        if isinstance(deed, Act):
            await call.do(deed.action, reason=deed.reason, due=deed.due)
        elif isinstance(deed, Verify):
            await call.verify(then=deed.ok, failed=deed.failed)
    except NotAllowed:
        return Denied()
    return Onward()
