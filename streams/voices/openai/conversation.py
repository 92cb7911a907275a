"""One conversation of an AI agent: the caller's sound to OpenAI, its sound back, over its sessions.

Four things go on at once and share this object: `_hear` carries what the caller does to the provider,
`_lines` reads the provider and opens the next session when one is lost or too old, the mouth speaks and acts,
`_watch` looks at the clock. The caller's sound is kept until it was answered, so that a new session hears
what the old one did not answer; what was said is carried over as text, as far as it was heard or will be.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

from django.conf import settings

from calls.realtime_options import Options
from streams.voices.base import Frame, Interrupted, Key, Said, Talk, Words
from streams.voices.openai import messages
from streams.voices.openai.events import Event, Garbage, Item, sound_of
from streams.voices.openai.kept import Kept
from streams.voices.openai.line import Dropped, Limits, Line, ProviderLost
from streams.voices.openai.mouth import Cut, Mouth
from streams.voices.openai.tools import Asked, Tools
from streams.voices.openai.turn import Turn

__all__ = ["Conversation"]

_NOT_DONE: Final = '{"error": "The caller interrupted. Nothing was done."}'
_OTHER_SOCKET: Final = {"session_expired"}
_HOPELESS: Final = {
    "invalid_api_key": "denied",
    "insufficient_quota": "limit",
    "rate_limit_exceeded": "limit",
    "model_not_found": "settings",
    "server_error": "provider",
}
"""Errors after which nothing comes; by code or type. Others belong to one message and are passed over."""


class Conversation:
    """Made for one call; `run` once. `clock` gives seconds that do not jump."""

    def __init__(self, call: Talk, options: Options, limits: Limits, clock: Callable[[], float]) -> None:
        self._call, self._options, self._limits, self._clock = call, options, limits, clock
        self._tools = Tools(call.briefing)
        self._mouth = Mouth(
            call, limits.pending_ms, said=self._was_heard, act=self._act, interrupted=self._interrupted
        )
        self._turn = Turn(clock, limits)
        self._kept = Kept()
        self._history = messages.History()
        self._line: Line | None = None
        self._sessions = 0
        self._renewing = self._reconnected = False
        self._keys, self._keyed_at = "", 0.0

    async def run(self) -> None:
        """Talk until Ended; returns when the caller says nothing any more. Raises ProviderLost in a group."""
        try:
            async with asyncio.TaskGroup() as group:
                for part in (self._hear, self._mouth.run, self._watch, self._lines):
                    group.create_task(part())
        finally:
            if self._line is not None:
                await self._line.close()

    # -- the caller ---------------------------------------------------------------------------------

    async def _hear(self) -> None:
        while True:
            match await self._call.hear():
                case Frame(payload=payload, at_ms=at_ms):
                    await self._frame(payload, at_ms)
                case Interrupted(said=said):
                    await self._interrupted(said)
                case Key(digit=digit):
                    self._turn.pressed()
                    self._keys, self._keyed_at = (self._keys + digit)[:40], self._clock()
                case Words(text=text, start_ms=start_ms):
                    self._history.add(text, at_ms=start_ms, caller=True)

    async def _frame(self, payload: bytes, at_ms: int) -> None:
        self._kept.add(payload, at_ms, waiting=self._turn.waiting or self._line is None)
        if (line := self._line) is not None:
            with contextlib.suppress(Dropped):  # who reads the line finds out
                await line.sound(payload)

    async def _interrupted(self, said: Said) -> None:
        """What the caller heard stays said, the provider learns how much that is; once per interruption."""
        cut = self._mouth.cut(said, running=self._turn.responding)
        if not cut:
            return
        self._call.clear()
        self._turn.interrupted()
        self._history.add(cut.text, at_ms=self._kept.now_ms, caller=False)
        if self._turn.responding:
            await self._tell(messages.cancel())
        await self._tell_heard(cut)
        for asked in cut.asked:
            await self._answer(asked, _NOT_DONE)

    async def _tell_heard(self, cut: Cut) -> None:
        number = 0 if self._line is None else self._line.number
        for line, item, ms in cut.items:
            if line == number:
                await self._tell(messages.truncate(item, ms))
        if any(line != number for line, _, _ in cut.items):  # this session was told that all of it was said
            await self._tell(messages.note(f"The caller interrupted you and heard only: {cut.text}"))

    async def _tell_keys(self) -> None:
        keys, self._keys = " ".join(self._keys), ""
        text = f"(The caller pressed {keys})"
        self._history.add(text, at_ms=self._kept.now_ms, caller=True)
        await self._tell(messages.user(text))
        self._turn.owe()
        await self._go_on()

    # -- the provider -------------------------------------------------------------------------------

    async def _lines(self) -> None:
        """One session after the other. Raises ProviderLost."""
        again = await self._open(messages.opening(self._call.briefing), speak=self._options.greet)
        while True:
            try:
                await self._read(again)
            except Dropped:
                if not self._renewing and self._reconnected:
                    raise ProviderLost("disconnected") from None
                self._reconnected = self._reconnected or not self._renewing
            again = await self._renew(again)

    async def _open(self, told: list[messages.Message], *, speak: bool) -> Line:
        """A session that is set up and has been told what came before."""
        self._sessions += 1
        model = self._options.model or settings.OPENAI_REALTIME_MODEL
        line = await Line.open(self._sessions, model, self._limits, self._clock)
        try:
            async with asyncio.timeout(self._limits.connect_s):
                await self._set_up(line, told)
            await self._attach(line)
        except BaseException as error:
            await line.close()
            if isinstance(error, TimeoutError | Dropped):
                raise ProviderLost("not_set_up") from None
            raise
        self._turn.begin(spoken=self._turn.spoken)
        if speak:
            self._turn.owe()
            await self._go_on()
        return line

    async def _set_up(self, line: Line, told: list[messages.Message]) -> None:
        voice = self._options.voice or settings.OPENAI_REALTIME_VOICE
        now = datetime.now(UTC)
        tools = self._tools.described()
        await line.send(messages.setup(self._call.briefing, self._options, tools, voice=voice, now=now))
        while (event := await line.receive()) is None or event.type != "session.updated":
            if event is not None and event.type == "error":
                raise ProviderLost(_HOPELESS.get(event.error.code or "", "settings"))
        for message in told:
            await line.send(message)

    async def _attach(self, line: Line) -> None:
        """Give the session the sound that nobody answered, then what comes."""
        place = 0
        while (payload := self._kept.at(place)) is not None:
            await line.sound(payload)
            place += 1
        self._line = line

    async def _renew(self, old: Line) -> Line:
        """The next session, with the conversation so far. The caller hears on what was under way."""
        self._line = None
        await old.close()
        speak = self._mouth.unfinished or self._turn.missing
        under_way = self._mouth.end_all(whole=False)
        waiting_since = self._kept.since_ms if self._turn.waiting else None
        told = [*self._history.told(before_ms=waiting_since)]
        told += [messages.assistant(under_way)] if under_way else []
        self._renewing = False
        return await self._open([*told, messages.note(messages.RENEWED)], speak=speak)

    async def _read(self, line: Line) -> None:
        """Take events until the session is over. Raises Dropped, ProviderLost."""
        while True:
            event = await line.receive()
            if event is not None:
                self._turn.heard_of()
                try:
                    await self._take(event, line)
                except Garbage:
                    line.garbage()

    async def _take(self, event: Event, line: Line) -> None:
        match event.type:
            case "response.output_audio.delta":
                self._sound(event, line)
            case "response.output_audio_transcript.delta":
                self._mouth.letters(event.response_id, event.item_id, event.delta, line.number)
            case "input_audio_buffer.speech_started":
                await self._speech_started()
            case "input_audio_buffer.speech_stopped":
                self._turn.speech_stopped()
            case "response.created":
                self._turn.created(event.response.id or "")
            case "response.output_item.done":
                await self._item_done(event.item, event.response_id, line)
            case "response.done":
                await self._response_done(event)
            case "session.updated":
                self._turn.answered()
            case "error":
                self._error(event)

    def _sound(self, event: Event, line: Line) -> None:
        ulaw = sound_of(event)
        if not ulaw:
            return
        self._turn.spoke()
        self._kept.answered()
        self._mouth.sound(event.response_id, event.item_id, ulaw, line.number)

    async def _speech_started(self) -> None:
        self._turn.speech_started()
        if not self._mouth.quiet:
            await self._interrupted(self._call.clear())

    async def _item_done(self, item: Item, response: str, line: Line) -> None:
        self._mouth.end(item.id or "", whole=item.status in {"completed", None})
        if item.type != "function_call" or item.status not in {"completed", None}:
            return
        asked = Asked(line.number, item.call_id or "", item.name or "", item.arguments or "")
        self._turn.tool()
        if asked.notes:
            await self._answer(asked, await self._tools.use(self._call, asked))
        elif not self._mouth.ask(asked, response):
            await self._answer(asked, _NOT_DONE)

    async def _response_done(self, event: Event) -> None:
        status = event.response.status or ""
        self._mouth.end_all(whole=status == "completed")
        self._turn.done(status)
        if not self._turn.waiting:
            self._kept.answered()
        await self._go_on()

    def _error(self, event: Event) -> None:
        why = {event.error.code, event.error.type}
        if why & _OTHER_SOCKET:
            raise Dropped
        for name in why & set(_HOPELESS):
            raise ProviderLost(_HOPELESS[str(name)])
        self._turn.passed_over()

    # -- doing --------------------------------------------------------------------------------------

    async def _act(self, asked: Asked) -> None:
        await self._answer(asked, await self._tools.use(self._call, asked))

    async def _answer(self, asked: Asked, output: str) -> None:
        """Tell the model what became of a tool, and let it go on once its response is over."""
        line = self._line
        known = line is not None and line.number == asked.line
        await self._tell(messages.answer(asked.call_id, output) if known else messages.note(output))
        self._turn.tool_answered()
        await self._go_on()

    async def _go_on(self) -> None:
        """Ask for a response if one is owed and none is running."""
        if self._line is not None and self._turn.may_ask():
            await self._tell(messages.respond())

    async def _tell(self, message: dict[str, Any]) -> None:
        if (line := self._line) is not None:
            with contextlib.suppress(Dropped):  # who reads the line finds out
                await line.send(message)

    def _was_heard(self, text: str) -> None:
        self._history.add(text, at_ms=self._kept.now_ms, caller=False)

    # -- the clock ----------------------------------------------------------------------------------

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(self._limits.tick_s)
            if (line := self._line) is None:
                continue
            self._turn.stalled()
            if self._keys and self._clock() - self._keyed_at >= self._limits.keys_s:
                await self._tell_keys()
            elif self._too_old(line):
                self._renewing, self._line = True, None
                await line.close()
            elif self._turn.cut_for_nothing():
                await self._tell_and_ask(messages.NOISE)
            elif self._is_silent():
                await self._tell_and_ask(messages.SILENT)
            elif self._turn.unanswered():
                await self._tell(messages.hello())

    def _is_silent(self) -> bool:
        """Whether the caller has been silent for so long that the model is to know."""
        if not (self._turn.quiet and self._mouth.quiet) or self._keys:
            self._turn.busy()
        return self._turn.caller_silent()

    async def _tell_and_ask(self, text: str) -> None:
        await self._tell(messages.note(text))
        self._turn.owe()
        await self._go_on()

    def _too_old(self, line: Line) -> bool:
        """Whether the session is to be left: at a quiet moment, or when there is no more time for one."""
        beyond_s = self._clock() - line.began - self._options.session_minutes * 60
        return beyond_s >= self._limits.overtime_s or (
            beyond_s >= 0 and self._turn.quiet and self._mouth.quiet and not self._keys
        )
