"""One browser's phone: who it is, what it may do, the calls that ring there and the one that it holds."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Protocol

from emulator.account import EDGES
from emulator.audio.sound import Frame
from emulator.exchange import Exchange
from emulator.phone import messages as said
from emulator.phone.handset import Handset
from emulator.phone.softphone import DialError
from emulator.phone.token import Grant, TokenError, read

MAX_CALLS = 20
DENIED = 4401


class Connection(Protocol):
    """The socket to the page."""

    def send(self, message: dict[str, Any]) -> None:
        """Send a control message."""
        ...

    def sound(self, raw: bytes) -> None:
        """Send 20 ms of mu-law."""
        ...

    def taken(self, frames: int) -> None:
        """The page has taken so many frames of sound."""
        ...

    def drop(self, code: int, why: str) -> None:
        """Close it, with the reason."""
        ...


class Phone:
    """The browser that handsets speak to (handset.Browser)."""

    def __init__(self, exchange: Exchange, connection: Connection) -> None:
        self._exchange = exchange
        self._phones = exchange.softphones
        self._connection = connection
        self._grant: Grant | None = None
        self._calls: dict[str, Handset] = {}
        self._held: Handset | None = None
        self._expiry: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._answers: dict[type[said.Said], Callable[[Any], None]] = {
            said.Register: self._register,
            said.Unregister: self._unregister,
            said.Invite: self._invite,
            said.Accept: self._accept,
            said.Reject: self._reject,
            said.Hangup: self._hang_up,
            said.Digits: self._press,
            said.Message: self._message,
            said.Heard: lambda words: connection.taken(words.frames),
        }

    @property
    def identified(self) -> bool:
        """Whether a token has said who it is."""
        return self._grant is not None

    # what handsets say

    def ring(self, handset: Handset, message: dict[str, Any]) -> None:
        """A call for this page; one that lets calls pile up hears of no more."""
        if len(self._calls) < MAX_CALLS:
            self._calls[message["call"]] = handset
            self._connection.send(message)

    def tell(self, message: dict[str, Any]) -> None:
        """Send a control message; a call that is over is forgotten with it."""
        self._connection.send(message)
        if message["type"] in {"cancel", "hangup"}:
            self._forget(message["call"])

    def hear(self, raw: bytes) -> None:
        """Send 20 ms of sound."""
        self._connection.sound(raw)

    # what the page says

    def obey(self, words: said.Spoken) -> None:
        """Do what a message asks for."""
        if isinstance(words, said.Ping):
            self._connection.send({"type": "pong"})
        elif isinstance(words, said.Listen):
            self._identify(words)
        elif self._grant is None:
            self._error(31102, "Authorization token missing in request")
        elif (answer := self._answers.get(type(words))) is not None:
            answer(words)

    def listen(self, frame: Frame) -> None:
        """The microphone, for the call that is held."""
        if self._held is not None:
            self._held.listen(frame)

    def leave(self, goodbye: bool) -> None:
        """The connection is over: a page that said goodbye hangs up, another may come back."""
        self._expiry.cancel()
        if self._grant is not None:
            self._phones.unregister(self, self._grant)
        for handset in list(self._calls.values()):
            if goodbye and handset is self._held:
                handset.hang_up(self)
            else:
                handset.lose(self)

    def _error(self, code: int, message: str) -> None:
        self._connection.send({"type": "error", "error": {"code": code, "message": message}})

    # identity

    def _identify(self, words: said.Listen) -> None:
        world, had = self._exchange.world, self._grant
        try:
            grant = read(words.token, world.account, world.clock.now())
        except TokenError as error:
            self._error(error.code, error.message)
            if had is None:
                self._connection.drop(DENIED, "the token opens nothing")
            return
        if had is not None and (had.identity, had.region) != (grant.identity, grant.region):
            self._unregister(None)
        self._grant = grant
        left = grant.expires - world.clock.now().timestamp()
        self._expiry.cancel()
        self._expiry = asyncio.ensure_future(self._expire(left))
        place = {"region": grant.region, "home": grant.region, "edge": EDGES[grant.region]}
        self._connection.send({"type": "connected", "identity": grant.identity, "ttl": left, **place})
        if words.reconnect:
            self._resume(words.reconnect, grant)

    async def _expire(self, seconds: float) -> None:
        """Calls that ring need a valid token; one that is held goes on."""
        await self._exchange.world.clock.sleep(seconds)
        self._error(20104, "The access token has expired")
        self._unregister(None)

    def _register(self, words: said.Register) -> None:
        if self._grant is None or not self._grant.incoming:
            self._error(20151, "The token's voice grant does not allow incoming calls")
            self._connection.send({"type": "unregistered"})
            return
        self._phones.register(self, self._grant)
        self._connection.send({"type": "registered"})

    def _unregister(self, words: said.Unregister | None) -> None:
        if self._grant is not None:
            self._phones.unregister(self, self._grant)
            self._connection.send({"type": "unregistered"})

    # calls

    def _resume(self, key: str, grant: Grant) -> None:
        handset = self._phones.held(key, grant.identity)
        sid = ""
        if handset is not None and self._held is None:
            sid = handset.sid
            self._calls[sid] = self._held = handset
            handset.take(self)
        self._connection.send({"type": "resumed", "call": sid})

    def _invite(self, words: said.Invite) -> None:
        if self._grant is None or self._held is not None:
            self._refuse(words.call, 31100, "A call is already active")
            return
        try:
            handset = self._phones.dial(self, self._grant, words.params)
        except DialError as error:
            self._refuse(words.call, error.code, error.message)
            return
        self._calls[handset.sid] = self._held = handset
        self._connection.send({"type": "ringing", "call": words.call, "sid": handset.sid, "early": True})

    def _refuse(self, call: str, code: int, message: str) -> None:
        error = {"code": code, "message": message}
        self._connection.send({"type": "hangup", "call": call, "error": error})

    def _accept(self, words: said.Accept) -> None:
        handset = self._calls.get(words.call)
        if handset is not None and handset is self._held:
            return
        if self._held is not None:
            self._held.hang_up(self)
        self._held = handset
        if handset is None or not handset.accept(self):
            self._held = None
            self.tell({"type": "cancel", "call": words.call})

    def _reject(self, words: said.Reject) -> None:
        if (handset := self._calls.pop(words.call, None)) is not None:
            handset.reject(self)

    def _hang_up(self, words: said.Hangup) -> None:
        if (handset := self._calls.get(words.call)) is not None:
            handset.hang_up(self)

    def _forget(self, call: str) -> None:
        if (gone := self._calls.pop(call, None)) is not None and gone is self._held:
            self._held = None

    def _press(self, words: said.Digits) -> None:
        if (handset := self._calls.get(words.call)) is not None and handset is self._held:
            handset.press(words.digits)

    def _message(self, words: said.Message) -> None:
        if (handset := self._calls.get(words.call)) is not None and handset is self._held:
            handset.note(words.content)
            self._connection.send({"type": "sent", "call": words.call, "id": words.id})
