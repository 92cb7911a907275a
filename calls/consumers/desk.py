"""`/ws/desk/`: an agent's one desk. Its being open, shown by answered beats, is the agent's presence.

A desk is one tab. A second tab is told that the desk is open elsewhere (4409) and may take it over, which
tells the first one the same. Presence is only ever extended by what the page says: a closed laptop says
nothing, and its agent is away when the last answer is 20 s old.
"""

import asyncio
import contextlib
import logging
import re
from collections.abc import Coroutine
from typing import Any, ClassVar

from channels.db import database_sync_to_async
from django.db import DatabaseError
from django.utils import timezone

from calls import access
from calls.consumers.base import BrowserSocket, Closed, Receive, Scope, Send, is_id
from calls.consumers.browser import RESTART, TOO_SLOW
from calls.consumers.desk_browser import DeskBrowser
from calls.consumers.session import NOT_ALLOWED, admitted
from calls.counters import count
from calls.hub import beat, hub
from calls.selectors import desk
from calls.services import agents

__all__ = ["DeskConsumer"]

ELSEWHERE = 4409
BEATS_UNANSWERED = 3  # then the presence has run out, and the line is no use
AWAY_SECONDS = 1.0  # between two tries while the database is away
_STILL_SEATED = {ELSEWHERE, TOO_SLOW, RESTART}  # another tab sits there, or this one is back at once
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_log = logging.getLogger("contactcenter.ws")


class DeskConsumer(BrowserSocket):
    """The socket of a desk's page; for people with a desk who are agents."""

    beat_seconds: ClassVar[float] = 5.0
    debounce_seconds: ClassVar[float] = 0.1  # at most ten states a second
    look_seconds: ClassVar[float] = 30.0  # what no event tells (a queue was given to the agent) shows by then
    browser: DeskBrowser

    # agent → the socket that sits there; an older one of the same tab that ends late stands nobody up
    _seated: ClassVar[dict[int, "DeskConsumer"]] = {}

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        super().__init__(scope, receive, send)
        self.browser = DeskBrowser()
        self._agent = 0
        self._desk = ""
        self._unanswered = 0

    def look(self, session_key: str | None) -> access.Scope | int:
        """A desk shows its agent's own calls, of whatever team; the close code for who has none."""
        person = admitted(session_key, may=access.may_use_desk)
        return person if isinstance(person, int) else access.EVERY

    async def watches(self) -> None:
        """No call yet. Who has the permission but is no agent has no desk."""
        agent = await database_sync_to_async(desk.agent_of)(getattr(self.scope.get("user"), "pk", None))
        if agent is None:
            raise Closed(NOT_ALLOWED)
        self._agent = agent.pk

    async def _serve(self) -> None:
        try:
            await super()._serve()
        except Closed as end:
            await self._leave(stands_up=end.code not in _STILL_SEATED)
            raise
        except OSError:
            await self._leave(stands_up=True)
            raise
        finally:
            await self._leave(stands_up=False)

    async def _leave(self, *, stands_up: bool) -> None:
        if self._seated.get(self._agent) is not self:
            return
        del self._seated[self._agent]
        if stands_up:
            with contextlib.suppress(DatabaseError):  # then the presence runs out by itself
                await database_sync_to_async(agents.stand_up)(
                    agent_id=self._agent, desk=self._desk, now=timezone.now()
                )

    def _parts(self) -> list[Coroutine[Any, Any, None]]:
        return [*super()._parts(), self._states()]

    # -- what we hear ------------------------------------------------------------------------------
    async def _hello(self, message: dict[str, Any]) -> None:
        last_id, tab, take = message.get("last_id"), message.get("desk"), message.get("take", False)
        if not is_id(last_id):
            self._wrong("bad_field")
        elif not isinstance(tab, str) or not _UUID.fullmatch(tab) or not isinstance(take, bool):
            self._wrong("bad_desk")
        else:
            await self._sit(tab.lower(), take)
            self._greeted.set()
            self.browser.greet(last_id)

    async def _sit(self, tab: str, take: bool) -> None:
        sit = database_sync_to_async(agents.sit)
        if not await sit(agent_id=self._agent, desk=tab, take=take, now=timezone.now()):
            raise Closed(ELSEWHERE)
        self._desk = tab
        self._seated[self._agent] = self
        self._unanswered = 1  # the beat that ends the answer

    async def _ack(self) -> bool:
        """Each beat may be answered once; only that keeps the agent present."""
        if not self._desk or not self._unanswered:
            return False
        self._unanswered -= 1
        self.browser.proved()
        try:
            alive = await database_sync_to_async(agents.beat)(
                agent_id=self._agent, desk=self._desk, now=timezone.now()
            )
        except DatabaseError:  # the next beat is as good
            count("desk.beat.lost")
            return True
        if not alive:
            await self._look()  # raises if there is no such agent any more
            raise Closed(ELSEWHERE)
        return True

    # -- what we send ------------------------------------------------------------------------------
    async def _beat(self) -> None:
        await self._greeted.wait()
        while True:
            await asyncio.sleep(self.beat_seconds)
            if self._unanswered > BEATS_UNANSWERED:
                raise Closed(TOO_SLOW)
            self._unanswered += 1
            self._say(beat(self.browser.outbox.last_id))

    async def _states(self) -> None:
        """The state anew after each event that concerns the desk, in bursts once."""
        await self._greeted.wait()
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self.look_seconds):
                    await self.browser.stirred.wait()
            if not self.browser.greeting:
                await asyncio.sleep(self.debounce_seconds)
            self.browser.stirred.clear()
            await self._show()

    async def _show(self) -> None:
        try:
            await hub().show(self.browser, self._look)
        except DatabaseError as error:
            if self.browser.greeting:
                raise
            count("desk.look.lost")
            _log.warning("desk.unavailable", extra={"error": type(error).__name__})
            self.browser.stirred.set()
            await asyncio.sleep(AWAY_SECONDS)

    async def _look(self) -> desk.Look:
        known = None if self.browser.greeting else self.browser.call
        found = await database_sync_to_async(desk.look)(
            agent_id=self._agent, now=timezone.now(), known_call=known
        )
        if found is None:
            raise Closed(NOT_ALLOWED)
        if found.desk not in {"", self._desk}:
            raise Closed(ELSEWHERE)
        return found
