"""One connection through the relay: two ends, a pump each way; how each ends is passed on as it was."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from dataclasses import dataclass

from emulator.capture.entries import Sender
from emulator.capture.tap import Tap

PIECE = 64 * 1024
FLUSH_S = 5.0


@dataclass(frozen=True)
class End:
    """One end of it."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    def finish(self) -> None:
        """Say that nothing more comes; what the other says may still come."""
        if self.writer.can_write_eof() and not self.writer.is_closing():
            self.writer.write_eof()
        else:
            self.writer.close()

    def reset(self) -> None:
        """Break it off without a word (RST)."""
        raw = self.writer.get_extra_info("socket")
        if raw is not None and raw.fileno() >= 0:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()

    async def flush(self) -> None:
        """Close it when what was written has left, or after a while."""
        self.writer.close()
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(FLUSH_S):
                await self.writer.wait_closed()


class Connection:
    """Runs until both ends have finished, or one has broken off."""

    def __init__(self, twilio: End, application: End, tap: Tap) -> None:
        self._twilio = twilio
        self._application = application
        self._tap = tap
        self._broken = False

    async def run(self) -> None:
        """Forward until it is over; cancelling cuts both ends."""
        pumps = [
            asyncio.ensure_future(self._pump("twilio", self._twilio, self._application)),
            asyncio.ensure_future(self._pump("application", self._application, self._twilio)),
        ]
        try:
            await asyncio.wait(pumps)
            await self._twilio.flush()
            await self._application.flush()
        finally:
            for pump in pumps:
                pump.cancel()
            self._twilio.writer.transport.abort()
            self._application.writer.transport.abort()

    async def _pump(self, sender: Sender, source: End, sink: End) -> None:
        while True:
            try:
                data = await source.reader.read(PIECE)
            except OSError:
                self._end(sender, sink, reset=True)
                return
            if not data:
                self._end(sender, sink, reset=False)
                return
            sink.writer.write(data)
            self._tap.heard(sender, data)
            try:
                await sink.writer.drain()
            except OSError:
                return  # the other pump learns how that end went

    def _end(self, sender: Sender, sink: End, *, reset: bool) -> None:
        if self._broken:
            return  # what we broke off ourselves
        self._tap.ended(sender, reset=reset)
        if reset:
            self._broken = True
            sink.reset()
        else:
            sink.finish()
