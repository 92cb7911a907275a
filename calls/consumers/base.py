"""A browser socket: let in, greeted, fed from its outbox, looked at again every few seconds, closed in words.

To us come only `hello {last_id}` and `ack`; people act by POST. A refusal closes after accept, with a code
that a page can read: before it, a browser could not tell it from a broken line. The origin was checked
before us (contactcenter.sockets).
"""

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, ClassVar

from channels.db import database_sync_to_async
from django.db import DatabaseError
from django.utils import timezone
from django.utils.translation import gettext, gettext_noop

from calls import access
from calls.consumers.browser import RESTART, TOO_SLOW, UNKNOWN, Browser
from calls.consumers.session import admitted
from calls.counters import denied
from calls.hub import beat, hub
from calls.selectors.feed import encode, iso

__all__ = ["BrowserSocket", "Closed", "Receive", "Scope", "Send", "is_id"]

BAD_MESSAGE, TOO_LARGE, RATE = 4400, 4413, 4429
MESSAGE_BYTES = 16 * 1024
BAD_MESSAGES = 3
PER_SECOND, BURST = 20.0, 40.0
HELLO_SECONDS = 10.0
CHECK_SECONDS = 4.0  # a person who was signed out is gone within 5 s
UNCHECKED_SECONDS = 60.0
BEAT_SECONDS = 15.0
GONE = "Disconnected"  # autobahn's, of a line that closed while we sent: no fault of ours
_log = logging.getLogger("contactcenter.ws")
_NAMES = {
    4400: "ws.message.bad",
    4401: "ws.signed_out",
    4403: "ws.not_allowed",
    4404: "ws.unknown",
    4408: "ws.too_slow",
    4409: "ws.replaced",
    4413: "ws.message.too_large",
    4429: "ws.rate",
}
_ERRORS = {
    "bad_json": gettext_noop("A message must be one JSON object."),
    "unknown_type": gettext_noop("Only hello and ack are understood."),
    "bad_field": gettext_noop("last_id must be a whole number or null, scope a text or null."),
    "bad_desk": gettext_noop("desk must be a UUID, and take true or false."),
}

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


class Closed(Exception):
    """The socket is to be closed with a code of DESIGN 5; None when the browser has gone by itself."""

    def __init__(self, code: int | None) -> None:
        super().__init__(code)
        self.code = code


class BrowserSocket:
    """One socket of one browser, from accept to close. Subclasses say what it watches."""

    check_seconds: ClassVar[float] = CHECK_SECONDS
    hello_seconds: ClassVar[float] = HELLO_SECONDS
    beat_seconds: ClassVar[float] = BEAT_SECONDS

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scope, self._receive, self._send = scope, receive, send
        self.browser = Browser()
        self.me: dict[str, Any] = {}
        self._greeted = asyncio.Event()
        self._bad = 0
        self._tokens, self._filled_at = BURST, asyncio.get_running_loop().time()

    @classmethod
    def as_asgi(cls) -> Callable[[Scope, Receive, Send], Coroutine[Any, Any, None]]:
        """The ASGI application."""

        async def application(scope: Scope, receive: Receive, send: Send) -> None:
            await cls(scope, receive, send).run()

        return application

    async def watches(self) -> int | None:
        """The call that this socket watches, None for all. Raises LookupError if there is none."""
        raise NotImplementedError

    def look(self, session_key: str | None) -> access.Scope | int:
        """Whose calls the person behind the session may watch now, or the close code; asks the database."""
        person = admitted(session_key)
        if isinstance(person, int):
            return person
        self.me = access.me(person)
        return access.scope_of(person)

    async def run(self) -> None:
        """The whole life of the socket."""
        try:
            await self._live()
        except OSError:  # how some servers say that the browser has gone while we sent
            return
        except RuntimeError as error:
            if type(error).__name__ != GONE:
                raise

    async def _live(self) -> None:
        await self._receive()  # websocket.connect
        await self._send({"type": "websocket.accept"})
        try:
            await self._serve()
        except Closed as end:
            await self._close(end.code)
        except (DatabaseError, TimeoutError) as error:  # the page tries again soon
            _log.warning("ws.unavailable", extra={"error": type(error).__name__})
            await self._close(RESTART)

    async def _serve(self) -> None:
        await self._check()
        try:
            self.browser.call = await self.watches()
        except LookupError:
            raise Closed(UNKNOWN) from None
        hub().join(self.browser)
        try:
            await self._until_one_ends(*self._parts())
        finally:
            hub().leave(self.browser)

    def _parts(self) -> list[Coroutine[Any, Any, None]]:
        """What goes on at once until the first of them ends."""
        return [self._read(), self._pump(), self._watch(), self._beat(), self._patience()]

    async def _until_one_ends(self, *parts: Coroutine[Any, Any, None]) -> None:
        tasks = [asyncio.ensure_future(part) for part in parts]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        for task in done:
            task.result()

    async def _close(self, code: int | None) -> None:
        if code is None:
            return
        if code in _NAMES:
            denied(_NAMES[code])
            _log.warning(_NAMES[code], extra={"code": code})
        await self._send({"type": "websocket.close", "code": code})

    # -- what we send ------------------------------------------------------------------------------
    async def _pump(self) -> None:
        while True:
            await self.browser.wake.wait()
            self.browser.wake.clear()
            for text in self.browser.outbox.take():
                await self._send({"type": "websocket.send", "text": text})
            if self.browser.code is not None:
                raise Closed(self.browser.code)

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(self.beat_seconds)
            self._say(beat(self.browser.outbox.last_id))

    def _say(self, text: str) -> None:
        self.browser.outbox.notice(text)
        self.browser.wake.set()

    # -- who it is ---------------------------------------------------------------------------------
    async def _watch(self) -> None:
        """Look again and again; while the database is away for a minute, the last answer holds."""
        failures = 0
        while True:
            await asyncio.sleep(self.check_seconds)
            try:
                await self._check()
                failures = 0
            except DatabaseError:
                failures += 1
                if failures * self.check_seconds > UNCHECKED_SECONDS:
                    raise

    async def _check(self) -> None:
        session = self.scope.get("session")
        found = await database_sync_to_async(self.look)(getattr(session, "session_key", None))
        if isinstance(found, int):
            raise Closed(found)
        changed = (found, self.me) != (self.browser.scope, self.browser.me)
        self.browser.scope, self.browser.me = found, self.me
        if changed and self._greeted.is_set():
            hub().renew(self.browser)

    async def _patience(self) -> None:
        """A socket that never says hello is closed."""
        try:
            async with asyncio.timeout(self.hello_seconds):
                await self._greeted.wait()
        except TimeoutError:
            raise Closed(TOO_SLOW) from None

    # -- what we hear ------------------------------------------------------------------------------
    async def _read(self) -> None:
        while True:
            event = await self._receive()
            if event["type"] == "websocket.disconnect":
                raise Closed(None)
            await self._hear(event.get("text"))

    def _spend(self) -> None:
        now = asyncio.get_running_loop().time()
        self._tokens = min(BURST, self._tokens + (now - self._filled_at) * PER_SECOND)
        self._filled_at = now
        if self._tokens < 1:
            raise Closed(RATE)
        self._tokens -= 1

    async def _hear(self, text: str | None) -> None:
        if text is not None and len(text.encode("utf-8", "replace")) > MESSAGE_BYTES:
            raise Closed(TOO_LARGE)
        message = _parse(text)
        kind = message.get("type") if message is not None else None
        if kind == "ack" and await self._ack():
            return  # it costs nothing: there are no more of these than we asked for
        self._spend()
        if message is None:
            self._wrong("bad_json")
        elif kind == "hello":
            await self._hello(message)
        elif kind != "ack":
            self._wrong("unknown_type")

    async def _ack(self) -> bool:
        """The browser has what we sent; False if we waited for no word of it."""
        if not self.browser.outbox.ack():
            return False
        self.browser.wake.set()
        return True

    async def _hello(self, message: dict[str, Any]) -> None:
        last_id, scope = message.get("last_id"), message.get("scope")
        if not is_id(last_id) or not isinstance(scope, str | None):
            self._wrong("bad_field")
            return
        self._greeted.set()
        seen_by_another = scope is not None and scope != self.browser.scope.name()
        try:
            await hub().hello(self.browser, None if seen_by_another else last_id)
        except LookupError:
            raise Closed(UNKNOWN) from None

    def _wrong(self, code: str) -> None:
        self._bad += 1
        denied("ws.message.bad")
        _log.warning("ws.message.bad", extra={"code": code})
        told = {"type": "error", "at": iso(timezone.now()), "code": code, "text": gettext(_ERRORS[code])}
        self._say(encode(told))
        if self._bad >= BAD_MESSAGES:
            self.browser.close(BAD_MESSAGE)


def is_id(value: Any) -> bool:
    """Whether it can be the id of an event, or none was seen."""
    return value is None or (type(value) is int and 0 <= value < 2**63)


def _parse(text: str | None) -> dict[str, Any] | None:
    """The JSON object, or None: nothing that a browser sends may raise."""
    try:
        value = json.loads(text) if text is not None else None
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
