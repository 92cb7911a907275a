"""A page with a phone, as the emulator sees it: a WebSocket, a token, messages and mu-law."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import aiohttp
from twilio.jwt.access_token import AccessToken
from twilio.jwt.access_token.grants import VoiceGrant

from emulator.world import Application
from tests.emulator import patience
from tests.emulator.conftest import ACCOUNT_SID, Box

KEY, SECRET = "SK" + "b" * 32, "secret-of-the-key-that-is-long-enough-for-hs256"
APPLICATION = "AP" + "c" * 32
FRAME = bytes(range(160))
ACKNOWLEDGES = 50


def token(box: Box, identity: str = "agent_7", **other: Any) -> str:
    """A token as Twilio's library writes it, by the emulator's clock."""
    now = int(box.clock.now().timestamp())
    grant = VoiceGrant(
        outgoing_application_sid=other.pop("application", APPLICATION),
        outgoing_application_params=other.pop("params", None),
        incoming_allow=other.pop("incoming", True),
    )
    key, secret = other.pop("key", KEY), other.pop("secret", SECRET)
    facts = {"nbf": now, "valid_until": now + 3600, **other}
    made = AccessToken(facts.pop("account", ACCOUNT_SID), key, secret, identity=identity, **facts)
    made.add_grant(grant)
    return str(made.to_jwt())


def open_account(box: Box) -> None:
    """Give the account an API key."""
    box.exchange.world.account.api_keys[KEY] = SECRET


def application(box: Box, target: str, **addresses: str) -> Application:
    """A TwiML application whose voice address is /app/ of the product."""
    now = box.clock.now()
    facts: dict[str, Any] = {"voice_url": f"{target}/app/", **addresses}
    made = Application(APPLICATION, "browsers", now, now, **facts)
    box.exchange.world.applications[APPLICATION] = made
    return made


class Page:
    """One page; `messages` are those it was sent, `sound` the frames."""

    def __init__(self, ws: aiohttp.ClientWebSocketResponse) -> None:
        self.ws = ws
        self.messages: list[dict[str, Any]] = []
        self.sound: list[bytes] = []
        self.takes = True
        self._changed = asyncio.Event()
        self._reader = asyncio.ensure_future(self._read())

    @classmethod
    async def open(cls, box: Box, http: aiohttp.ClientSession, **headers: str) -> Page:
        return cls(await http.ws_connect(f"{box.url}/emulator/softphone/", headers=headers))

    async def say(self, kind: str, **facts: Any) -> None:
        await self.ws.send_str(json.dumps({"type": kind, **facts}))

    async def speak(self, frame: bytes = FRAME, times: int = 1) -> None:
        for _ in range(times):
            await self.ws.send_bytes(frame)

    async def told(self, kind: str, number: int = 1) -> dict[str, Any]:
        """The `number`th message of that kind, waited for."""

        def kinds() -> dict[str, Any] | None:
            found = [message for message in self.messages if message["type"] == kind]
            open_ = len(found) >= number or not self._reader.done()
            assert open_, f"closed with {self.ws.close_code}, {self.messages}"
            return found[number - 1] if len(found) >= number else None

        told: dict[str, Any] = await patience.until(
            kinds, self._changed, lambda: f"{self.messages}, not {kind}"
        )
        return told

    async def hears(self, frame: bytes) -> None:
        """Wait until it was sent this frame."""
        await patience.until(
            lambda: frame in self.sound,
            self._changed,
            lambda: f"{len(self.sound)} frames, {len(set(self.sound))} different",
        )

    async def closed(self) -> int | None:
        """Wait for the end; the close code."""
        await self._reader
        return self.ws.close_code

    def break_off(self) -> None:
        """End without a word, as a crashed browser does."""
        connection = self.ws._response.connection
        assert connection is not None
        assert connection.transport is not None
        connection.transport.abort()

    async def _read(self) -> None:
        async for message in self.ws:
            if message.type is aiohttp.WSMsgType.TEXT:
                self.messages.append(json.loads(message.data))
            elif message.type is aiohttp.WSMsgType.BINARY:
                self.sound.append(message.data)
                if self.takes and len(self.sound) % ACKNOWLEDGES == 0:
                    await self.say("heard", frames=ACKNOWLEDGES)
            self._changed.set()
        self._changed.set()


async def registered(box: Box, http: aiohttp.ClientSession, identity: str = "agent_7", **other: Any) -> Page:
    """A page that waits for calls."""
    page = await Page.open(box, http)
    await page.say("listen", token=token(box, identity, **other))
    await page.say("register")
    await page.told("registered")
    return page
