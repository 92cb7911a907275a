"""A provider that speaks OpenAI Realtime's wire format: judges turns by loudness, thinks for a while, beeps.

It is a process of its own: `python -m bench.peers.openai_realtime` prints the port it took. `GET /turns`
tells of each turn when the caller's last loud frame came and the first sound of the answer left, in Unix ms.
"""

import asyncio
import base64
import json
import math
import struct
import time
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import WSMsgType, web

from streams.audio import FRAME_MS, level, pcm_to_ulaw

__all__ = ["Hearing", "Session", "application"]

THINK_S = 0.3
LOUD_DBFS = -40.0
DELTAS, DELTA_MS = 5, 100
_TONE = [round(4000 * math.sin(2 * math.pi * 440 * n / 8000)) for n in range(DELTA_MS * 8)]
DELTA = base64.b64encode(pcm_to_ulaw(struct.pack(f"<{len(_TONE)}h", *_TONE))).decode()
Turn = dict[str, Any]


class Hearing:
    """Whether the caller speaks, by frames of 20 ms; `last` is the last loud one, `last_ms` when it came."""

    def __init__(self) -> None:
        self.silence_ms = 500
        self.heard_ms = 0
        self.last, self.last_ms = "", 0.0
        self._quiet_ms: int | None = None  # None: the caller does not speak

    def take(self, audio: str, at_ms: float) -> str:
        """One frame, as base64 of mu-law: whether with it speech has "started", has "stopped", or ""."""
        self.heard_ms += FRAME_MS
        if level(base64.b64decode(audio)).rms_dbfs > LOUD_DBFS:
            began = self._quiet_ms is None
            self._quiet_ms, self.last, self.last_ms = 0, audio, at_ms
            return "started" if began else ""
        if self._quiet_ms is None:
            return ""
        self._quiet_ms += FRAME_MS
        if self._quiet_ms < self.silence_ms:
            return ""
        self._quiet_ms = None
        return "stopped"


class Session:
    """One conversation. `send` takes the text of an event to the client."""

    def __init__(self, send: Callable[[str], Awaitable[None]], turns: list[Turn]) -> None:
        self._send, self._turns = send, turns
        self._hearing = Hearing()
        self._count = 0
        self._answer: asyncio.Task[None] | None = None

    async def begin(self) -> None:
        """Say that we are there."""
        await self._tell("session.created", session={"type": "realtime"})

    async def take(self, event: dict[str, Any]) -> None:
        """One event of the client; most are nothing to us."""
        if event["type"] == "input_audio_buffer.append":
            await self._hear(event["audio"], time.time() * 1000)
        elif event["type"] == "session.update":
            hearing = event["session"].get("audio", {}).get("input", {}).get("turn_detection", {})
            self._hearing.silence_ms = hearing.get("silence_duration_ms", self._hearing.silence_ms)
            await self._tell("session.updated", session={"type": "realtime"})

    async def _hear(self, audio: str, at_ms: float) -> None:
        heard = self._hearing.take(audio, at_ms)
        item, now_ms = "item_caller", self._hearing.heard_ms
        if heard == "started":
            await self._tell("input_audio_buffer.speech_started", audio_start_ms=now_ms, item_id=item)
        elif heard == "stopped":
            turn = {"frame": self._hearing.last, "came_ms": self._hearing.last_ms}
            await self._tell("input_audio_buffer.speech_stopped", audio_end_ms=now_ms, item_id=item)
            self._answer = asyncio.create_task(self._say(turn, str(len(self._turns))))

    async def _say(self, turn: Turn, number: str) -> None:
        await asyncio.sleep(THINK_S)
        response, item = f"resp_{number}", f"item_{number}"
        message = {"id": item, "type": "message", "role": "assistant", "content": []}
        of = {"response_id": response, "output_index": 0}
        place = {**of, "item_id": item, "content_index": 0}
        await self._tell("response.created", response={"id": response, "status": "in_progress"})
        await self._tell("response.output_item.added", item={**message, "status": "in_progress"}, **of)
        turn["sent_ms"] = time.time() * 1000
        await self._tell("response.output_audio.delta", delta=DELTA, **place)
        await self._tell("response.output_audio_transcript.delta", delta="Beep.", **place)
        for _ in range(DELTAS - 1):
            await self._tell("response.output_audio.delta", delta=DELTA, **place)
        await self._tell("response.output_item.done", item={**message, "status": "completed"}, **of)
        await self._tell("response.done", response={"id": response, "status": "completed"})
        self._turns.append(turn)

    async def _tell(self, kind: str, **fields: Any) -> None:
        self._count += 1
        await self._send(json.dumps({"event_id": f"event_{self._count}", "type": kind, **fields}))


def application() -> web.Application:
    """Its sockets, and what it tells of its turns."""
    turns: list[Turn] = []

    async def realtime(request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        session = Session(socket.send_str, turns)
        await session.begin()
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                await session.take(json.loads(message.data))
        return socket

    async def told(request: web.Request) -> web.Response:
        return web.json_response(turns)

    app = web.Application()
    app.add_routes([web.get("/v1/realtime", realtime), web.get("/turns", told)])
    return app


async def _serve() -> None:
    runner = web.AppRunner(application(), access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(json.dumps({"port": runner.addresses[0][1]}), flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_serve())
