"""Stands between Twilio and the application: bytes go through as they came, a tap listens to copies.

Nothing is parsed on the way, so whatever the two say to each other (headers, framing, pings, close codes,
half-closed and reset connections) arrives as it was sent, also when the recording fails.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from urllib.parse import urlsplit

from emulator.capture.connection import PIECE, Connection, End
from emulator.capture.tap import Tap

CONNECT_S = 5.0
MOST_CONNECTIONS = 256
UNREACHABLE = (
    b"HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/plain\r\nContent-Length: 27\r\nConnection: close\r\n\r\n"
    b"The application is not up.\n"
)


class Relay:
    """Listens and forwards every connection to `target` (http or https). `tap()` makes one listener each."""

    def __init__(self, target: str, tap: Callable[[], Tap], trouble: Callable[[str], None]) -> None:
        parts = urlsplit(target)
        self._host = parts.hostname or "127.0.0.1"
        self._port = parts.port or (443 if parts.scheme == "https" else 80)
        self._tls = ssl.create_default_context() if parts.scheme == "https" else None
        self._tap = tap
        self._trouble = trouble
        self._server: asyncio.Server | None = None
        self._live: set[asyncio.Task[None]] = set()

    async def start(self, host: str, port: int) -> int:
        """Begin to listen; returns the port. Raises OSError."""
        self._server = await asyncio.start_server(self._accept, host, port, limit=PIECE)
        return int(self._server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        """Stop listening and cut what is still connected."""
        if self._server is not None:
            self._server.close()
        for task in list(self._live):
            task.cancel()
        await asyncio.gather(*self._live, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._live) >= MOST_CONNECTIONS:
            self._trouble("a connection too many was refused")
            writer.transport.abort()
            return
        task = asyncio.get_running_loop().create_task(self._serve(End(reader, writer)))
        self._live.add(task)
        task.add_done_callback(self._live.discard)

    async def _serve(self, twilio: End) -> None:
        tap = self._tap()
        try:
            async with asyncio.timeout(CONNECT_S):
                application = End(
                    *await asyncio.open_connection(self._host, self._port, ssl=self._tls, limit=PIECE)
                )
        except (OSError, TimeoutError) as error:
            self._trouble(f"the application cannot be reached: {type(error).__name__}")
            await _unreachable(twilio, tap)
        else:
            await Connection(twilio, application, tap).run()
        finally:
            twilio.writer.transport.abort()


async def _unreachable(twilio: End, tap: Tap) -> None:
    """Take what Twilio asks, so that it is written down, and answer in the application's place."""
    try:
        async with asyncio.timeout(CONNECT_S):
            while not tap.asked and (data := await twilio.reader.read(PIECE)):
                tap.heard("twilio", data)
            tap.heard("application", UNREACHABLE)
            twilio.writer.write(UNREACHABLE)
            twilio.writer.write_eof()
            while await twilio.reader.read(PIECE):
                pass
    except (OSError, TimeoutError):
        return
