"""Twilio at our media door, in one process: the whole ASGI routing, spoken to message by message."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from channels.db import database_sync_to_async
from channels.testing import WebsocketCommunicator

from contactcenter.sockets import application
from streams.live.runtime import Runtime, runtime
from tests import twilio

T = TypeVar("T")
PUBLIC = "wss://calls.example.com"


class Socket:
    """One media socket of Twilio's; `path` begins with a slash. Signed unless told otherwise."""

    def __init__(self, path: str, *, signed: str | None = None, token: str = twilio.TOKEN) -> None:
        signature = twilio.signature(PUBLIC + path, token=token) if signed is None else signed
        headers = [(b"x-twilio-signature", signature.encode())] if signature else []
        headers += [(b"user-agent", b"Twilio.TmeWs/1.0"), (b"host", b"calls.example.com")]
        self._inner = WebsocketCommunicator(application, path, headers=headers)
        self._open = False

    async def connect(self) -> bool:
        """Whether the handshake was accepted."""
        self._open, _ = await self._inner.connect(timeout=10)
        return self._open

    async def send(self, *messages: str) -> None:
        """Send messages, and let the consumer read them all."""
        for message in messages:
            await self._inner.send_to(text_data=message)
        await settle()

    async def send_bytes(self, data: bytes) -> None:
        """Send one binary message."""
        await self._inner.send_to(bytes_data=data)

    async def receive(self) -> str:
        """The next text that we send."""
        message = await self._inner.receive_output(timeout=10)
        assert message["type"] == "websocket.send", message
        return str(message["text"])

    async def closed_with(self) -> int:
        """The code with which we closed."""
        message = await self._inner.receive_output(timeout=10)
        assert message["type"] == "websocket.close"
        await self._inner.wait(timeout=10)
        return int(message["code"])

    async def drop(self, code: int = 1006) -> None:
        """The connection breaks, or Twilio closes with a code of its own."""
        await self._inner.disconnect(code=code, timeout=10)


async def settle() -> None:
    """Let the loop run until what was sent has been read."""
    for _ in range(3):
        await asyncio.sleep(0)


async def written() -> Runtime:
    """Wait until every row that the media side has asked for is written, and the loop knows it."""
    live = runtime()
    assert await asyncio.to_thread(live.writer.flush, 10)
    await settle()
    return live


async def rows(function: Callable[..., T], *arguments: Any, **named: Any) -> T:
    """Call a function that uses the database from a test on the loop."""
    found: T = await database_sync_to_async(function)(*arguments, **named)
    return found


@asynccontextmanager
async def media_side() -> AsyncIterator[None]:
    """End the runtime of the test's loop with the test."""
    try:
        yield
    finally:
        await runtime().stop()
