"""A voice for a bidirectional stream, written in a few lines: it repeats what the caller says."""

from __future__ import annotations

import asyncio
import json
from base64 import b64decode
from collections.abc import Callable, Iterator
from typing import Any

from websockets.asyncio.server import Server, ServerConnection, serve


class Echo:
    """Sends each of the first `frames` sounds back `times` times over, and a mark after every fifty of them.

    The key `*` clears, `#` closes with code 1000.
    """

    def __init__(self, frames: int, times: int = 1) -> None:
        self.frames = frames
        self.times = times
        self.heard: list[dict[str, Any]] = []
        self.echoed: list[bytes] = []
        self.stream = ""
        self._changed = asyncio.Event()
        self._server: Server | None = None

    async def __aenter__(self) -> Echo:
        self._server = await serve(self._talk, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *error: object) -> None:
        assert self._server is not None
        self._server.close()
        await self._server.wait_closed()

    @property
    def url(self) -> str:
        """Where it answers."""
        assert self._server is not None
        port: int = next(iter(self._server.sockets)).getsockname()[1]
        return f"ws://127.0.0.1:{port}/echo/"

    def of(self, event: str) -> list[Any]:
        """The bodies of the messages of this event, in order."""
        return [message[event] for message in self.heard if message["event"] == event]

    @property
    def marks(self) -> list[str]:
        """The names that came back, in order."""
        return [mark["name"] for mark in self.of("mark")]

    async def until(self, condition: Callable[[], Any]) -> None:
        """Wait until it holds; it is looked at again with each message."""
        while not condition():
            self._changed.clear()
            await self._changed.wait()

    async def _talk(self, socket: ServerConnection) -> None:
        async for text in socket:
            message = json.loads(text)
            self.heard.append(message)
            for answer in self._answers(message):
                await socket.send(json.dumps({**answer, "streamSid": self.stream}))
            self._changed.set()
            if message.get("dtmf", {}).get("digit") == "#":
                await socket.close()

    def _answers(self, message: dict[str, Any]) -> Iterator[dict[str, Any]]:
        if message["event"] == "start":
            self.stream = message["streamSid"]
        elif message["event"] == "media" and len(self.echoed) < self.frames:
            self.echoed.append(b64decode(message["media"]["payload"]))
            yield from [{"event": "media", "media": {"payload": message["media"]["payload"]}}] * self.times
            if len(self.echoed) % 50 == 0:
                yield {"event": "mark", "mark": {"name": f"frame {len(self.echoed)}"}}
        elif message["event"] == "dtmf" and message["dtmf"]["digit"] == "*":
            yield {"event": "clear"}
