"""The application under a load of calls: answers every webhook with a two-track stream, counts what comes.

`python -m bench.receiver [--core N] [--verify]` writes {"url", "pid"} and then, for each line that it reads,
one JSON object: sockets open and over, messages, bytes, CPU seconds, and `wrong`: sockets that ended without
`stop` or with another number of messages than `stop` counts. Content is looked at with --verify alone: each
stream's gaps in sequence numbers, and per track its frames and SHA-256, under `streams` once it is over.
"""

import argparse
import asyncio
import base64
import hashlib
import json
import os
import sys
import time
from typing import Any

from bench.machine import pin

__all__ = ["Door", "Tally"]

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
TWIML = (
    '<?xml version="1.0"?><Response><Start><Stream url="{ws}/media/" track="both_tracks"/></Start>'
    '<Dial timeLimit="86400">+15550100199</Dial></Response>'
)
TEXT, CLOSE = 0x81, 0x88


class Tally:
    """What all sockets together have received."""

    def __init__(self) -> None:
        self.open = self.over = self.messages = self.bytes = self.wrong = 0
        self.streams: dict[str, dict[str, Any]] = {}

    def report(self) -> dict[str, Any]:
        """Everything so far."""
        counts = {name: getattr(self, name) for name in ("open", "over", "messages", "bytes", "wrong")}
        return {**counts, "cpu_s": time.process_time(), "streams": self.streams}


class Door(asyncio.Protocol):
    """One connection: a webhook, or a media socket."""

    def __init__(self, tally: Tally, verify: bool) -> None:
        self._tally = tally
        self._judge = Judge(tally) if verify else None
        self._transport: asyncio.Transport | None = None
        self._rest = b""
        self._media = False
        self._messages = 0
        self._last = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        if self._media:
            self._tally.bytes += len(data)
            self._count(self._rest + data if self._rest else data)
            return
        self._rest += data
        head, found, body = self._rest.partition(b"\r\n\r\n")
        if found:
            self._answer(head.lower(), head, body)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._media:
            self._tally.open -= 1
            self._tally.over += 1
            self._tally.wrong += not self._was_whole()

    # webhooks and the opening of sockets

    def _answer(self, lower: bytes, head: bytes, body: bytes) -> None:
        assert self._transport is not None
        fields = dict(line.split(b": ", 1) for line in head.split(b"\r\n")[1:])
        given = {name.lower(): value for name, value in fields.items()}
        if b"sec-websocket-key" in given:
            accept = base64.b64encode(
                hashlib.sha1(given[b"sec-websocket-key"] + GUID, usedforsecurity=False).digest()
            )
            self._transport.write(
                b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n"
            )
            self._media, self._rest = True, b""
            self._tally.open += 1
            if body:
                self._count(body)
        elif len(body) >= int(given.get(b"content-length", b"0")):
            text = TWIML.format(ws="ws://" + given[b"host"].decode()).encode()
            self._transport.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nConnection: close\r\n"
                b"Content-Length: %d\r\n\r\n%b" % (len(text), text)
            )
            self._transport.close()

    # frames

    def _count(self, data: bytes) -> None:
        """Take whole frames from the front; masked, final, as Twilio sends them."""
        at, end, judge = 0, len(data), self._judge
        while end - at >= 8:
            size, head = data[at + 1] & 0x7F, 6
            if size == 126:
                size, head = data[at + 2] << 8 | data[at + 3], 8
            if end - at < head + size:
                break
            frame = data[at : at + head + size]
            at += head + size
            if frame[0] == CLOSE:
                self._close()
                break
            self._messages += 1
            self._tally.messages += 1
            if judge is not None:
                judge.take(unmasked(frame, head))
            self._last = frame
        self._rest = data[at:]

    def _close(self) -> None:
        assert self._transport is not None
        self._transport.write(b"\x88\x02\x03\xe8")
        self._transport.close()

    def _was_whole(self) -> bool:
        """Whether the last message was `stop`, and as many messages came as it counts."""
        if not self._last:
            return False
        text = unmasked(self._last, 8 if self._last[1] & 0x7F == 126 else 6)
        if not text.startswith(b'{"event":"stop"'):
            return False
        # `connected` has no number.
        return int(json.loads(text)["sequenceNumber"]) == self._messages - 1


class Judge:
    """Looks at every message of one stream."""

    def __init__(self, tally: Tally) -> None:
        self._tally = tally
        self._sequence = 0
        self._gaps = 0
        self._tracks: dict[bytes, Any] = {}
        self._frames = {b"inbound": 0, b"outbound": 0}

    def take(self, text: bytes) -> None:
        """One message. Media is cut out of its text: its shape is fixed, and JSON costs much more."""
        if not text.startswith(b'{"event":"media","sequenceNumber":"'):
            self._other(json.loads(text))
            return
        parts = text.split(b'"')
        self._follow(int(parts[7]))
        track = parts[17]
        if track not in self._tracks:
            self._tracks[track] = hashlib.sha256()
        self._tracks[track].update(base64.b64decode(parts[29]))
        self._frames[track] += 1

    def _follow(self, number: int) -> None:
        self._gaps += number != self._sequence + 1
        self._sequence = number

    def _other(self, message: dict[str, Any]) -> None:
        if message["event"] == "connected":
            return
        self._follow(int(message["sequenceNumber"]))
        if message["event"] == "stop":
            self._tally.streams[message["streamSid"]] = {
                "gaps": self._gaps,
                "messages": self._sequence,
                "frames": {track.decode(): count for track, count in self._frames.items()},
                "sha256": {track.decode(): digest.hexdigest() for track, digest in self._tracks.items()},
            }


def unmasked(frame: bytes, head: int) -> bytes:
    """The payload of a masked frame whose payload begins at `head`."""
    size = len(frame) - head
    key = (frame[head - 4 : head] * (size // 4 + 1))[:size]
    return (int.from_bytes(frame[head:], "little") ^ int.from_bytes(key, "little")).to_bytes(size, "little")


async def serve(tally: Tally, verify: bool) -> None:
    """Listen until standard input ends."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Door(tally, verify), "127.0.0.1", 0, backlog=1024)
    port = server.sockets[0].getsockname()[1]
    print(json.dumps({"url": f"http://127.0.0.1:{port}", "pid": os.getpid()}), flush=True)
    asked = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(asked), sys.stdin)
    while await asked.readline():
        print(json.dumps(tally.report()), flush=True)
    server.close()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--core", type=int, help="stay on this core")
    parser.add_argument("--verify", action="store_true", help="look at every message")
    given = parser.parse_args()
    if given.core is not None:
        pin(0, given.core)
    asyncio.run(serve(Tally(), given.verify))


if __name__ == "__main__":
    main()
