"""Puts a voice on a live stream: who speaks, who hears, and where what is said and done is written down."""

import asyncio
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import Error as DatabaseAway
from django.utils import timezone

from calls.counters import count
from calls.events import Change
from calls.services import actions
from calls.text import clean
from streams.live.mouth import Saying
from streams.live.outlet import Outlet
from streams.live.runner import Part, Runner, Told
from streams.services import lines
from streams.services.admission import Admitted
from streams.speech import registry as speakers
from streams.speech.cache import Cache
from streams.voices import bargein, registry

if TYPE_CHECKING:
    from streams.live.runtime import Runtime
    from streams.live.stream import LiveStream

__all__ = ["begin", "prepare"]

MAX_TEXT = 4000
OFFICE_SECONDS = 4.0
"""A caller waits for a database so long, in silence; then their voice goes on without, or they without it."""
_log = logging.getLogger("contactcenter.voice")


async def prepare(kind: str) -> None:
    """Have loaded what the first conversation of a process needs, in a thread: it may take seconds."""
    await asyncio.to_thread(_load, kind)


def _load(kind: str) -> None:
    bargein.model(settings.SPEECH_MODEL_DIR)
    with suppress(registry.UnknownVoice):  # told when it is to talk
        registry.make(kind, settings.VOICES)


def begin(
    *, live: "LiveStream", outlet: Outlet, runtime: "Runtime", over: Callable[[str], None]
) -> Runner | None:
    """Let the voice of the briefing talk. None when it cannot be made: `over("failed")` was told."""
    briefing = live.admitted.briefing
    try:
        if briefing is None:
            raise registry.UnknownVoice("the call has no voice any more")
        voice = registry.make(briefing.kind, settings.VOICES)
    except registry.UnknownVoice as error:
        _log.error("voice.unknown", extra={"stream": live.sid, "why": str(error)})
        over("failed")
        return None
    part = Part(
        voice=voice,
        briefing=briefing,
        office=_Office(runtime.database, live.admitted, briefing.voice),
        speaker=_speaker(),
        ear=bargein.listener(settings.SPEECH_MODEL_DIR),
        has_words=live.lines is not None,
    )
    book = _Book(live, runtime)
    told = Told(said=book.said, moved=book.moved, turned=book.turned, sound=live.ingest.sent, over=over)
    runner = Runner(live.ingest.session, outlet, part, told)
    runner.begin()
    return runner


@cache
def _speaker() -> Cache:
    """One for the process: what it has spoken once it knows."""
    return speakers.make(settings.SPEAKER, settings.SPEECH_DIR)


class _Office:
    """What a conversation may have done, in the database's threads."""

    def __init__(self, database: Any, admitted: Admitted, voice_id: int) -> None:
        self._database = database
        self._whose = {
            "call_id": admitted.call_id,
            "voice_id": voice_id,
            "ticket_id": admitted.ticket_id,
        }

    async def perform(self, name: str, *, reason: str, due: str) -> bool:
        done = await self._ask(actions.perform, name=name, reason=reason, due=due)
        return bool(done.ends)

    async def fact(self, name: str, value: str) -> None:
        with _going_on():
            await self._fact(name, value)

    async def _fact(self, name: str, value: str) -> None:
        note = self._database(actions.note_fact)
        async with asyncio.timeout(OFFICE_SECONDS):
            await note(call_id=self._whose["call_id"], name=name, value=value, now=timezone.now())

    async def place(self, at: str) -> None:
        with _going_on():
            await self._ask(actions.keep_place, at=at)

    async def verify(self, *, then: str, failed: str) -> None:
        await self._ask(actions.to_verify, then=then, failed=failed)

    async def goodbye(self, text: str) -> None:
        await self._ask(actions.goodbye, text=text)

    async def give_up(self) -> None:
        await self._ask(actions.give_up)

    async def _ask(self, function: Callable[..., Any], **named: Any) -> Any:
        async with asyncio.timeout(OFFICE_SECONDS):
            return await self._database(function)(**self._whose, **named, now=timezone.now())


@contextmanager
def _going_on() -> Iterator[None]:
    """No caller is lost for a note that was not taken; only what leads elsewhere needs the database."""
    try:
        yield
    except (DatabaseAway, TimeoutError) as away:
        count("voice.unnoted")
        _log.warning("voice.unnoted", extra={"error": type(away).__name__})


class _Book:
    """Writes down what the caller has heard of the voice, and how quickly it answered."""

    def __init__(self, live: "LiveStream", runtime: "Runtime") -> None:
        self._live = live
        self._runtime = runtime

    def moved(self, line: Saying) -> None:
        """A line is heard so far: pages see it grow."""
        live = self._live
        if live.call_id is not None and live.keeps_words:
            self._runtime.ticker.partial(
                call=live.call_id,
                stream=live.sid,
                track="outbound",
                utterance=f"{live.sid}/outbound/{line.number}",
                text=live.spoken.shown("outbound", line.start_ms, clean(line.heard_text, MAX_TEXT)),
            )

    def said(self, line: Saying) -> None:
        """A line is over; what nobody heard of it is not in it."""
        live = self._live
        self._runtime.ticker.forget(live.sid, "outbound")
        if line.heard_text and live.keeps_words:
            text = f"{line.heard_text} …" if line.is_cut else line.heard_text
            end_ms = line.start_ms + round(line.heard_ms)
            live.spoken.said("outbound", end_ms, line.heard_text)
            job = partial(_said, live.sid, line.number, line.start_ms, end_ms, text)
            self._runtime.writer.put(job)

    def turned(self, number: int, spoken_ms: int, gap_ms: int) -> None:
        """The caller had spoken, and was answered."""
        self._runtime.writer.put(partial(_turned, self._live.sid, number, spoken_ms, gap_ms))


# Jobs of the writer.


def _said(sid: str, number: int, start_ms: int, end_ms: int, text: str, told: Change) -> None:
    lines.said(sid=sid, number=number, start_ms=start_ms, end_ms=end_ms, text=text, into=told)


def _turned(sid: str, number: int, spoken_ms: int, gap_ms: int, told: Change) -> None:
    lines.turned(sid=sid, number=number, spoken_ms=spoken_ms, gap_ms=gap_ms, into=told)
