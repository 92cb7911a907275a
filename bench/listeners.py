"""What listeners cost: fifty streams, and fifty browser sockets that hear one each, in real time."""

import asyncio
import json
import sqlite3
import struct
import sys
import threading
import time
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Origin

from bench import media
from bench.heard import percentile
from bench.product import LOGIN, Product, product
from bench.screen import sign_in

__all__ = ["LISTENERS", "Crowd", "measure"]

LISTENERS = 50
OPEN_S = 60
FRAME_BYTES = 172
FRAME_MS = 20
ACK_EVERY = 10
_HEAD = struct.Struct("<BBHd")


@dataclass
class Crowd:
    """The core without and with the listeners, and how old a frame was at a listener's socket."""

    without_percent: float = 0.0
    with_percent: float = 0.0
    late_p99_ms: float = 0.0
    dropped_ms: int = 0
    frames: int = 0
    ages: list[float] = field(default_factory=list)

    def figures(self) -> dict[str, tuple[float | None, str]]:
        """By name: value and unit."""
        each = (self.with_percent - self.without_percent) / LISTENERS
        return {
            "streams_core_percent": (self.without_percent, "%"),
            "streams_and_listeners_core_percent": (self.with_percent, "%"),
            "listener_core_percent": (round(each, 2), "%"),
            "frame_at_socket_p50_ms": (percentile(self.ages, 50), "ms"),
            "frame_at_socket_p99_ms": (percentile(self.ages, 99), "ms"),
            "listeners_left_out_ms": (self.dropped_ms, "ms"),
            "listeners_frames": (self.frames, "frames"),
        }


def measure(seconds: float) -> Crowd:
    """Fifty both-track calls on Daphne, once alone and once with a listener each."""
    crowd = Crowd()
    for heard in (False, True):
        with product("daphne", core=media.SERVER_CORE) as running:
            targets = [running.call(index) for index in range(LISTENERS)]
            listeners = Listeners(running, [target["call"] for target in targets], crowd)
            if heard:
                listeners.open()
            result = media.measure(running.pid, running.port, targets, max(seconds, 15), running)
            listeners.stop()
        if heard:
            crowd.with_percent = result["core_percent"]
        else:
            crowd.without_percent = result["core_percent"]
        crowd.late_p99_ms = max(crowd.late_p99_ms, result["late"])
        print(
            f"listeners: {'with' if heard else 'without'}, core {result['core_percent']} %", file=sys.stderr
        )
    return crowd


class Listeners(threading.Thread):
    """A supervisor's browser sockets, one a call, on an event loop of their own."""

    def __init__(self, running: Product, sids: list[str], crowd: Crowd) -> None:
        super().__init__(daemon=True)
        self._running, self._sids, self._crowd = running, sids, crowd
        self._ended = threading.Event()
        self._opened = threading.Semaphore(0)

    def open(self) -> None:
        """Begin, and wait until every socket has an answer."""
        self.start()
        for _ in self._sids:
            if not self._opened.acquire(timeout=OPEN_S):
                raise SystemExit("The listeners could not open their sockets.")

    def run(self) -> None:
        """Listen until the sockets are closed."""
        cookie = sign_in(self._running.url, LOGIN["username"], LOGIN["password"])
        asyncio.run(self._all(cookie))

    def stop(self) -> None:
        """Hang up and wait for the thread."""
        self._ended.set()
        if self.is_alive():
            self.join(10)

    async def _all(self, cookie: str) -> None:
        tasks = [asyncio.create_task(self._one(call, cookie)) for call in self._calls()]
        await asyncio.to_thread(self._ended.wait)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _calls(self) -> list[int]:
        """The ids of the calls."""
        with closing(sqlite3.connect(self._running.data / "contactcenter.sqlite3")) as reader:
            marks = ",".join("?" * len(self._sids))
            rows = reader.execute(f"select call_id from calls_leg where sid in ({marks})", self._sids)  # noqa: S608
            return [int(call) for (call,) in rows]

    async def _one(self, call: int, cookie: str) -> None:
        url = f"{self._running.url.replace('http', 'ws', 1)}/ws/calls/{call}/audio/"
        headers = {"Cookie": cookie}
        origin = Origin(self._running.url)
        async with connect(
            url, additional_headers=headers, origin=origin, compression=None, proxy=None, open_timeout=OPEN_S
        ) as socket:
            await socket.send('{"type":"hello"}')
            waiting = 0
            try:
                async for message in socket:
                    if isinstance(message, bytes):
                        waiting += self._take(message)
                        if waiting >= ACK_EVERY:
                            waiting = 0
                            last = _HEAD.unpack_from(message, len(message) - FRAME_BYTES)
                            await socket.send(json.dumps({"type": "ack", "seq": last[2]}))
                    else:
                        self._hear(json.loads(message))
            except ConnectionClosed as closed:
                print(f"listeners: closed with {closed}", file=sys.stderr)

    def _hear(self, message: dict[str, Any]) -> None:
        if message["type"] == "waiting":
            self._opened.release()
        if message["type"] == "dropped":
            self._crowd.dropped_ms += message["ms"]

    def _take(self, message: bytes) -> int:
        now = time.time() * 1000
        for at in range(0, len(message), FRAME_BYTES):
            ms = _HEAD.unpack_from(message, at)[3]
            self._crowd.ages.append(now - ms - FRAME_MS)
        frames = len(message) // FRAME_BYTES
        self._crowd.frames += frames
        return frames
