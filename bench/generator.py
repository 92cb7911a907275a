"""Twilio's sockets under load: a process of its own that sends prebuilt two-track media in real time.

`python -m bench.generator` reads one JSON object from standard input: {"host", "port", "core", "pid",
"settle", "seconds", "calls": [{"path", "signature", "account", "call", "stream"}]}. It writes "ready" when
every socket is open and one JSON object when it is done. After `settle` seconds it reads the CPU time of
process `pid`, and again `seconds` later, with the messages it sent in between. Each stream's caller is silent
and loud by turns of one second, staggered over the streams, so that a listener can time a level's way. The
mask key is zero: legal for a client, and the server unmasks all the same.
"""

import base64
import json
import os
import socket
import struct
import sys
import time
from dataclasses import dataclass
from typing import Any

from bench.machine import cpu_seconds, pin

__all__ = ["Line", "run"]

FRAME_S = 0.02
TURN_FRAMES = 50  # one second silent, one second loud
_LOUD = base64.b64encode(bytes([0x9B, 0x1B]) * 80)  # a square tone near -21 dBFS
_QUIET = base64.b64encode(b"\xff" * 160)


@dataclass
class Line:
    """One open media socket."""

    sock: socket.socket
    sid: bytes
    offset: int
    rises: list[float]
    sent: int = 0
    refused: bool = False


def _frame(payload: bytes) -> bytes:
    """A masked text frame with mask key zero (RFC 6455, 5.2)."""
    size = len(payload)
    head = struct.pack("!BBH", 0x81, 0xFE, size) if size > 125 else struct.pack("!BB", 0x81, 0x80 | size)
    return head + b"\0\0\0\0" + payload


def _open(target: dict[str, Any], call: dict[str, str], offset: int) -> Line:
    sock = socket.create_connection((target["host"], target["port"]), timeout=20)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    key = base64.b64encode(os.urandom(16)).decode()
    lines = [
        f"GET {call['path']} HTTP/1.1",
        f"Host: {target['host']}:{target['port']}",
        "User-Agent: Twilio.TmeWs/1.0",
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        f"Sec-WebSocket-Key: {key}",
        f"X-Twilio-Signature: {call['signature']}",
    ]
    sock.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
    answer = b""
    while b"\r\n\r\n" not in answer:
        part = sock.recv(4096)
        if not part:
            break
        answer += part
    if b" 101 " not in answer.split(b"\r\n", 1)[0]:
        raise SystemExit(f"The server refused a media socket: {answer[:60]!r}")
    sock.settimeout(None)  # a timeout would cost a poll() before every send
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", 10, 0))
    sock.sendall(_frame(b'{"event":"connected","protocol":"Call","version":"1.0.0"}'))
    sock.sendall(_frame(_start(call)))
    return Line(sock=sock, sid=call["stream"].encode(), offset=offset, rises=[])


def _start(call: dict[str, str]) -> bytes:
    body = {
        "accountSid": call["account"],
        "callSid": call["call"],
        "streamSid": call["stream"],
        "tracks": ["inbound", "outbound"],
        "customParameters": {},
        "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
    }
    message = {"event": "start", "sequenceNumber": "1", "start": body, "streamSid": call["stream"]}
    return json.dumps(message).encode()


def _parts(tick: int) -> dict[str, tuple[bytes, bytes]]:
    """What stands before and after the StreamSid in this tick's messages: quiet, loud, outbound."""

    def around(track: str, number: int, payload: bytes) -> tuple[bytes, bytes]:
        before = (
            f'{{"event":"media","sequenceNumber":"{number}","media":{{"track":"{track}","chunk":"{tick + 1}"'
        )
        before += f',"timestamp":"{tick * 20}","payload":"'
        after = b'"},"streamSid":"'
        body = before.encode() + payload + after
        size = len(body) + 34 + 2
        return struct.pack("!BBH", 0x81, 0xFE, size) + b"\0\0\0\0" + body, b'"}'

    first = 2 + 2 * tick
    return {
        "quiet": around("inbound", first, _QUIET),
        "loud": around("inbound", first, _LOUD),
        "outbound": around("outbound", first + 1, _QUIET),
    }


def _send(line: Line, data: bytes) -> None:
    try:
        line.sock.sendall(data)
        line.sent += 1
    except OSError:
        line.refused = True


def _tick(lines: list[Line], tick: int) -> None:
    parts = _parts(tick)
    (quiet, end), (loud, _), (out, _) = parts["quiet"], parts["loud"], parts["outbound"]
    for line in lines:
        if line.refused:
            continue
        turn, at = divmod(tick + line.offset, TURN_FRAMES)
        if turn % 2 and at == 0:
            line.rises.append(time.monotonic())
        _send(line, (loud if turn % 2 else quiet) + line.sid + end)
        _send(line, out + line.sid + end)


def run(target: dict[str, Any]) -> dict[str, Any]:
    """Open every socket, stream, stop; counts, lateness in ms and the times at which a caller got loud."""
    lines = [_open(target, call, offset=7 * index) for index, call in enumerate(target["calls"])]
    print("ready", flush=True)
    settling = int(target["settle"] / FRAME_S)
    begin = time.monotonic()
    _ticks(lines, begin, range(settling))
    window = _Window(target["pid"], lines)
    late = sorted(_ticks(lines, begin, range(settling, settling + int(target["seconds"] / FRAME_S))))
    measured = window.close()
    for line, call in zip(lines, target["calls"], strict=True):
        _stop(line, call)
    return {
        **measured,
        "sent": {line.sid.decode(): line.sent for line in lines},
        "refused": sum(line.refused for line in lines),
        "late_p99_ms": round(1000 * late[int(len(late) * 0.99)], 2) if late else 0.0,
        "rises": {line.sid.decode(): line.rises for line in lines},
    }


class _Window:
    """The server's CPU time and our messages between two moments."""

    def __init__(self, pid: int, lines: list[Line]) -> None:
        self._pid, self._lines = pid, lines
        self._cpu, self._at, self._sent = cpu_seconds(pid), time.monotonic(), self._total()

    def close(self) -> dict[str, float]:
        """CPU seconds, wall seconds and messages since the opening."""
        return {
            "cpu_s": cpu_seconds(self._pid) - self._cpu,
            "wall_s": time.monotonic() - self._at,
            "messages": self._total() - self._sent,
        }

    def _total(self) -> int:
        return sum(line.sent for line in self._lines)


def _ticks(lines: list[Line], begin: float, ticks: range) -> list[float]:
    """Send these ticks on absolute time; how late each was, in seconds."""
    late: list[float] = []
    for tick in ticks:
        due = begin + tick * FRAME_S
        now = time.monotonic()
        if now < due:
            time.sleep(due - now)
        late.append(max(0.0, time.monotonic() - due))
        _tick(lines, tick)
    return late


def _stop(line: Line, call: dict[str, str]) -> None:
    number = line.sent + 2
    body = {"accountSid": call["account"], "callSid": call["call"]}
    stop = {"event": "stop", "sequenceNumber": str(number), "stop": body, "streamSid": call["stream"]}
    if not line.refused:
        line.sock.sendall(_frame(json.dumps(stop).encode()))
        line.sock.sendall(b"\x88\x82\0\0\0\0\x03\xe8")
        line.sock.settimeout(5)


def main() -> None:
    target = json.loads(sys.stdin.readline())
    if target.get("core") is not None:
        pin(0, target["core"])
    print(json.dumps(run(target)), flush=True)
    sys.stdin.read()  # sockets stay open until whoever started this has read its figures


if __name__ == "__main__":
    main()
