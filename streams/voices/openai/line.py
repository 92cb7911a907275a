"""One socket to OpenAI's Realtime API, by its own client: opened, bounded, and lost by name.

Nothing here logs or raises what was said, and no key: a loss has a reason from a fixed list.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Self

from django.conf import settings

from streams.voices.openai.events import Event, Garbage, decode

if TYPE_CHECKING:
    from openai import AsyncOpenAI
    from openai.resources.realtime.realtime import AsyncRealtimeConnection

__all__ = ["REMEDY", "Dropped", "Limits", "Line", "ProviderLost", "installed"]

REMEDY = "pip install -r requirements-openai.txt"
BYTES_PER_MS = 8


@dataclass(frozen=True, slots=True)
class Limits:
    """How long we wait and how much we take; seconds, bytes, ms."""

    connect_s: float = 5
    """For a socket, and for its session to be set up."""
    stall_s: float = 8
    """Without any event while one is awaited."""
    ask_s: float = 4
    """Without any event at all before we ask whether anybody is there."""
    noise_s: float = 1.5
    """From an interruption of ours to the provider's word that somebody speaks."""
    keys_s: float = 1.5
    """Between two keys that are told as one."""
    tick_s: float = 0.1
    silence_s: float = 20
    """Of the caller, before the model is told; a voice from which nothing comes for a minute is lost."""
    overtime_s: float = 120
    """Beyond the session's time in which a quiet moment is waited for."""
    pending_ms: int = 60_000
    """Sound that the conversation has not taken yet."""
    bytes_per_s: int = 1_000_000
    messages_per_s: int = 1_000
    """An answer comes in some hundreds within a second; a thousand cost a thirtieth of a processor."""
    message_bytes: int = 1_000_000
    garbage: int = 20


class ProviderLost(Exception):
    """The provider is lost for this conversation; `reason` is one of a fixed list."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Dropped(Exception):
    """The socket closed; another one may be opened."""


class Line:
    """An open session's socket. `number` counts the sessions of a conversation from 1."""

    def __init__(
        self, number: int, connection: AsyncRealtimeConnection, limits: Limits, clock: Callable[[], float]
    ) -> None:
        self.number = number
        self.began = clock()
        self._connection = connection
        self._limits = limits
        self._clock = clock
        self._second, self._bytes, self._messages, self._garbage = self.began, 0, 0, 0

    @classmethod
    async def open(cls, number: int, model: str, limits: Limits, clock: Callable[[], float]) -> Self:
        """Connect. Raises ProviderLost."""
        if not installed():
            raise ProviderLost("not_installed")
        if not settings.OPENAI_API_KEY:
            raise ProviderLost("no_key")
        try:
            # Outside of the limit: the first call of a process loads the client, which may take seconds.
            client = await asyncio.to_thread(_client, settings.OPENAI_API_KEY, settings.OPENAI_REALTIME_URL)
            async with asyncio.timeout(limits.connect_s):
                return cls(number, await _connect(client, model, limits), limits, clock)
        except Exception as error:
            # From None: a traceback of the handshake may hold its headers.
            raise ProviderLost(_reason(error)) from None

    async def send(self, event: dict[str, Any]) -> None:
        """Send one event. Raises Dropped, and ProviderLost when it is not taken."""
        await self._write(self._connection.send(event))  # type: ignore[arg-type]

    async def sound(self, ulaw: bytes) -> None:
        """Send sound of the caller as it is. Raises as `send`."""
        audio = base64.b64encode(ulaw).decode("ascii")
        await self._write(
            self._connection.send_raw(f'{{"type":"input_audio_buffer.append","audio":"{audio}"}}')
        )

    async def receive(self) -> Event | None:
        """The next event, None for one that is nothing to us. Raises Dropped, ProviderLost."""
        from websockets.exceptions import ConnectionClosed

        try:
            message = await self._connection.recv_bytes()
        except ConnectionClosed as closed:
            raise _over(closed) from None
        self._count(len(message))
        return self._decoded(message)

    def garbage(self) -> None:
        """Count a message that says nothing. Raises ProviderLost when there were too many."""
        self._garbage += 1
        if self._garbage > self._limits.garbage:
            raise ProviderLost("garbage")

    async def close(self) -> None:
        """Hang up; a provider that does not answer is not waited for."""
        try:
            async with asyncio.timeout(1):
                await self._connection.close()
        except Exception:  # noqa: S110  it is closed in any case
            pass

    async def _write(self, sending: Any) -> None:
        from websockets.exceptions import ConnectionClosed

        try:
            async with asyncio.timeout(self._limits.stall_s):
                await sending
        except ConnectionClosed as closed:
            raise _over(closed) from None
        except TimeoutError:
            raise ProviderLost("stall") from None

    def _count(self, size: int) -> None:
        now = self._clock()
        if now - self._second >= 1:
            self._second, self._bytes, self._messages = now, 0, 0
        self._bytes += size
        self._messages += 1
        if self._bytes > self._limits.bytes_per_s or self._messages > self._limits.messages_per_s:
            raise ProviderLost("flood")

    def _decoded(self, message: bytes) -> Event | None:
        try:
            return decode(message)
        except Garbage:
            self.garbage()
            return None


def installed() -> bool:
    """Whether the optional client is here; REMEDY says how to install it."""
    return find_spec("openai") is not None and find_spec("websockets") is not None


@lru_cache(maxsize=4)
def _client(key: str, url: str) -> AsyncOpenAI:
    """The official client; loading it and its certificates takes some tenths of a second."""
    from openai import AsyncOpenAI

    return AsyncOpenAI(api_key=key, websocket_base_url=url or None)


async def _connect(client: AsyncOpenAI, model: str, limits: Limits) -> AsyncRealtimeConnection:
    # A finite size turns compression on by itself, which costs a processor more than the wire gains.
    connecting = client.realtime.connect(
        model=model,
        websocket_connection_options={"max_size": limits.message_bytes, "compression": None},
    )
    return await connecting.enter()


def _reason(error: Exception) -> str:
    """Why no socket came to be."""
    status = getattr(getattr(error, "response", None), "status_code", 0)
    if status in {401, 403}:
        return "denied"
    if status == 429:
        return "limit"
    return "timeout" if isinstance(error, TimeoutError) else "provider" if status else "unreachable"


def _over(closed: Any) -> Exception:
    """A close that we made for the size of a message is their fault; else another socket may help."""
    return ProviderLost("flood") if closed.sent and closed.sent.code == 1009 else Dropped()
