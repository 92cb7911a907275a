"""`/ws/calls/<id>/audio/`: the sound of a live call, both tracks, a twentieth of a second behind.

The sound is read from the journal of the call's newest open stream; the media process is not asked, and a
slow browser hurts nobody. The socket holds a `Listening` row as long as it lives. From the browser come
`hello` once and then `ack {seq}`; see streams.listening for what goes the other way.
"""

import asyncio
import contextlib
import json
import logging
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any, ClassVar

from channels.db import database_sync_to_async
from django.conf import settings
from django.db import DatabaseError
from django.utils import timezone
from django.utils.translation import gettext, gettext_noop

from calls import access
from calls.consumers.base import MESSAGE_BYTES, Closed, Receive, Scope, Send
from calls.consumers.browser import RESTART, TOO_SLOW, UNKNOWN, Browser, Tick
from calls.consumers.call import CallConsumer
from calls.consumers.session import admitted
from calls.counters import count, denied
from calls.models import User
from calls.refusal import Refused
from calls.selectors import call
from calls.selectors.feed import Told, encode, iso
from calls.services import listening
from streams.journal_reader import JournalError, journal_path
from streams.listening import Window
from streams.selectors.heard import Heard, heard
from streams.services.hearing import Ear

__all__ = ["ListenConsumer"]

REPLACED, FULL, OVER = 4409, 4410, 1000
TAIL_SECONDS = 0.02
NOT_HERE = gettext_noop("The sound of this call cannot be read here just now.")
BETWEEN = gettext_noop("The stream has ended. Sound comes back with the next one.")
_STIRS = {"call", "stream", "listening"}
_log = logging.getLogger("contactcenter.ws")


@dataclass(eq=False)
class ListenBrowser(Browser):
    """A listener as the hub sees it: no events and no ticks, only that something of the call changed."""

    stirred: asyncio.Event = field(default_factory=asyncio.Event)

    def give(self, told: Told) -> None:
        """An event of the call makes the socket look anew; in a team that is not seen, it ends it."""
        if told.call != self.call:
            return
        if not self.scope.sees(told.team):
            self.close(UNKNOWN)
        elif told.noun in _STIRS:
            self.stirred.set()

    def tick(self, tick: Tick) -> None:
        """Levels are for the pages."""


class ListenConsumer(CallConsumer):
    """The socket of a person who hears one call."""

    look_seconds: ClassVar[float] = 5.0  # what no event tells shows by then
    silent_seconds: ClassVar[float] = 15.0  # without an `ack` for what was sent
    browser: ListenBrowser

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        super().__init__(scope, receive, send)
        self.browser = ListenBrowser()
        self._person: User | None = None
        self._row: int | None = None
        self._window = Window()
        self._heard = Heard()
        self._ear: Ear | None = None
        self._finished = ""  # the stream whose journal has ended, whatever its row says
        self._told = ""  # why nothing is heard, as it was said
        self._acked_at = asyncio.get_running_loop().time()

    def look(self, session_key: str | None) -> access.Scope | int:
        """Whose calls the person behind the session may hear now, or the close code; asks the database."""
        person = admitted(session_key, may=access.may_listen)
        if isinstance(person, int):
            return person
        self._person = person
        return access.scope_of(person)

    def _parts(self) -> list[Coroutine[Any, Any, None]]:
        """What goes on at once until the first of them ends."""
        followed = self._follow(), self._carry()
        return [self._read(), self._pump(), self._watch(), self._beat(), self._patience(), *followed]

    # -- who it is ---------------------------------------------------------------------------------
    async def _check(self) -> None:
        """Still signed in, still allowed, the call still in sight; and our row says that we are alive."""
        session = self.scope.get("session")
        found = await database_sync_to_async(self.look)(getattr(session, "session_key", None))
        if isinstance(found, int):
            raise Closed(found)
        self.browser.scope = found
        watched = self.browser.call
        if watched is not None and not await database_sync_to_async(call.exists)(watched, found):
            raise Closed(UNKNOWN)
        if self._row is not None:
            await self._extend(self._row)

    async def _extend(self, row: int) -> None:
        if await database_sync_to_async(listening.extend)(listening_id=row, now=timezone.now()):
            return
        replaced = await database_sync_to_async(listening.is_replaced)(listening_id=row)
        raise Closed(REPLACED if replaced else RESTART)  # we were taken for dead: the page comes again

    async def _begin(self) -> None:
        """Write down that the person listens, if they may."""
        assert self._person is not None
        assert self.browser.call is not None
        client = self.scope.get("client") or [None]
        try:
            row = await database_sync_to_async(listening.begin)(
                call_id=self.browser.call, by=self._person, now=timezone.now(), ip=client[0]
            )
        except Refused as refused:
            await self._refuse(refused)
        else:
            self._row = row.pk

    async def _refuse(self, refused: Refused) -> None:
        if refused.code == "ended":
            await self._over()
        denied("listening.full")
        _log.warning("ws.listening.full", extra={"call": self.browser.call})
        await self._tell(type="error", code=refused.code, text=refused.text)
        raise Closed(FULL)

    async def _end(self) -> None:
        row, self._row = self._row, None
        if row is None:
            return
        try:
            await database_sync_to_async(listening.end)(listening_id=row, now=timezone.now())
        except DatabaseError as error:  # the worker ends it in a while
            _log.warning("ws.listening.open", extra={"listening": row, "error": type(error).__name__})

    # -- which stream ------------------------------------------------------------------------------
    async def _follow(self) -> None:
        """Keep an ear at the right stream, from `hello` to the end."""
        await self._greeted.wait()
        self.browser.ready = True
        await self._begin()
        try:
            while True:
                self.browser.stirred.clear()
                await self._turn()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self.look_seconds):
                        await self.browser.stirred.wait()
        finally:
            self._close_ear()
            await self._end()

    async def _turn(self) -> None:
        """Look which stream is to be heard, and turn to it. While the database is away all stays as it is."""
        assert self.browser.call is not None
        try:
            replaced, found = await database_sync_to_async(_look)(self._row, self.browser.call)
        except DatabaseError as error:
            count("listening.look.lost")
            _log.warning("ws.listening.unavailable", extra={"error": type(error).__name__})
            return
        if replaced:
            raise Closed(REPLACED)
        if found.over:
            await self._over()
        if self._ear is None or found.sid != self._heard.sid:
            await self._turn_to(found)

    async def _turn_to(self, found: Heard) -> None:
        self._close_ear()
        self._window.clear()
        self._heard = found
        if not found.sid:
            await self._wait(found.why)
        elif found.sid == self._finished:
            await self._wait(gettext(BETWEEN))
        elif (ear := _open(found.sid)) is None:
            await self._wait(gettext(NOT_HERE))
        else:
            self._told = ""
            tracks = list(found.tracks)
            await self._tell(type="started", stream=found.sid, tracks=tracks, behind_ms=ear.behind_ms)
            self._ear = ear

    async def _wait(self, why: str) -> None:
        """Say once why nothing is heard."""
        if why != self._told:
            self._told = why
            _log.info("ws.listening.waits", extra={"call": self.browser.call, "stream": self._heard.sid})
            await self._tell(type="waiting", text=why)

    async def _over(self) -> None:
        await self._tell(type="ended", reason="call_ended")
        raise Closed(OVER)

    def _close_ear(self) -> None:
        ear, self._ear = self._ear, None
        if ear is not None:
            ear.close()

    # -- its sound ---------------------------------------------------------------------------------
    async def _carry(self) -> None:
        """Every 20 ms what is new in the journal goes to the browser, as far as it says that it follows."""
        while True:
            await asyncio.sleep(TAIL_SECONDS)
            if self._ear is not None:
                self._listen(self._ear)
            await self._pass_on()

    def _listen(self, ear: Ear) -> None:
        for sound in ear.hear():
            self._window.put(sound)
        if ear.over:
            self._finished = self._heard.sid
            self._close_ear()
            self.browser.stirred.set()

    async def _pass_on(self) -> None:
        lost_ms, frames = self._window.take()
        if lost_ms:
            count("listening.dropped_ms", lost_ms)
            await self._tell(type="dropped", ms=lost_ms)
        now = asyncio.get_running_loop().time()
        if not self._window.in_flight:
            self._acked_at = now
        elif now - self._acked_at > self.silent_seconds:
            raise Closed(TOO_SLOW)
        if frames:
            await self._send({"type": "websocket.send", "bytes": frames})

    async def _tell(self, **message: Any) -> None:
        text = encode({**message, "at": iso(timezone.now())})
        await self._send({"type": "websocket.send", "text": text})

    # -- what we hear from the browser -------------------------------------------------------------
    async def _hear(self, text: str | None) -> None:
        """An `ack` of what was on its way costs nothing: there are no more of these than frames."""
        if text is None or len(text) > MESSAGE_BYTES or not self._window.ack(_acknowledged(text)):
            await super()._hear(text)
            return
        self._acked_at = asyncio.get_running_loop().time()

    async def _ack(self) -> bool:
        """One that acknowledges nothing is borne, at the price of a message."""
        return False

    async def _hello(self, message: dict[str, Any]) -> None:
        self._greeted.set()


def _acknowledged(text: str) -> int:
    """The `seq` of an `ack`; -1 of anything else. Never raises."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return -1
    seq = value.get("seq") if isinstance(value, dict) and value.get("type") == "ack" else None
    return seq if type(seq) is int else -1


def _look(row: int | None, call_id: int) -> tuple[bool, Heard]:
    """Whether another tab has taken the listening over, and what is to be heard."""
    return row is not None and listening.is_replaced(listening_id=row), heard(call_id=call_id)


def _open(sid: str) -> Ear | None:
    """An ear at a stream's journal; None where there is none, as on another machine."""
    try:
        return Ear(journal_path(settings.JOURNAL_DIR, sid))
    except (OSError, JournalError):
        return None
