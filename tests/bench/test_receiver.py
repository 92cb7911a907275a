"""The receiver of a load counts what comes, however it is cut, and notices what is missing."""

import base64
import hashlib
import json
from typing import Any

import pytest

from bench.receiver import Door, Tally

KEY = b"\x01\x02\x03\x04"
OPENING = b"GET /media/ HTTP/1.1\r\nHost: x\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
SOUND = b"\x42" * 160


class Line:
    """The other end of a connection."""

    def __init__(self) -> None:
        self.written = b""
        self.closed = False

    def write(self, data: bytes) -> None:
        self.written += data

    def close(self) -> None:
        self.closed = True


def frame(message: dict[str, Any]) -> bytes:
    text = json.dumps(message, separators=(",", ":")).encode()
    size = len(text).to_bytes(1, "big") if len(text) < 126 else b"\x7e" + len(text).to_bytes(2, "big")
    body = bytes(byte ^ KEY[at % 4] for at, byte in enumerate(text))
    return b"\x81" + bytes([size[0] | 0x80]) + size[1:] + KEY + body


def media(number: int, track: str) -> dict[str, Any]:
    payload = base64.b64encode(SOUND).decode()
    body = {"track": track, "chunk": "1", "timestamp": "20", "payload": payload}
    return {"event": "media", "sequenceNumber": str(number), "streamSid": "MZ1", "media": body}


def conversation(*numbers: int, stop: int) -> list[bytes]:
    """The messages of a stream with media of these sequence numbers."""
    messages = [
        {"event": "connected", "protocol": "Call", "version": "1.0.0"},
        {"event": "start", "sequenceNumber": "1", "streamSid": "MZ1"},
        *(media(number, "outbound" if number % 2 else "inbound") for number in numbers),
        {"event": "stop", "sequenceNumber": str(stop), "streamSid": "MZ1"},
    ]
    return [frame(message) for message in messages]


def connected(tally: Tally, *, verify: bool = False) -> tuple[Door, Line]:
    door, line = Door(tally, verify), Line()
    door._transport = line  # type: ignore[assignment]
    door.data_received(OPENING)
    assert b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" in line.written
    return door, line


@pytest.mark.parametrize("size", [1, 7, 400, 100_000])
def test_messages_are_counted_however_the_bytes_are_cut(size: int) -> None:
    tally = Tally()
    door, line = connected(tally)
    data = b"".join(conversation(2, 3, 4, 5, stop=6)) + b"\x88\x82" + KEY + b"\x02\xea"
    for at in range(0, len(data), size):
        door.data_received(data[at : at + size])
    door.connection_lost(None)
    told = tally.report()
    assert (told["open"], told["over"], told["messages"], told["wrong"]) == (0, 1, 7, 0)
    assert line.closed


@pytest.mark.parametrize(
    "messages",
    [
        conversation(2, 3, stop=4)[:-1],
        conversation(2, 3, stop=5),
        conversation(2, 3, stop=4)[:-2] + conversation(stop=4)[-1:],
        [],
    ],
    ids=["no stop", "one too few", "the last media lost", "nothing"],
)
def test_a_stream_that_is_not_whole_is_noticed(messages: list[bytes]) -> None:
    tally = Tally()
    door, _ = connected(tally)
    door.data_received(b"".join(messages))
    door.connection_lost(None)
    assert tally.wrong == 1


def test_who_verifies_knows_every_gap_and_the_hash_of_each_track() -> None:
    tally = Tally()
    door, _ = connected(tally, verify=True)
    door.data_received(b"".join(conversation(2, 3, 5, stop=6)))
    assert tally.streams["MZ1"] == {
        "gaps": 1,
        "messages": 6,
        "frames": {"inbound": 1, "outbound": 2},
        "sha256": {
            "inbound": hashlib.sha256(SOUND).hexdigest(),
            "outbound": hashlib.sha256(SOUND * 2).hexdigest(),
        },
    }


def test_a_webhook_is_answered_with_a_stream_of_both_tracks() -> None:
    door, line = Door(Tally(), False), Line()
    door._transport = line  # type: ignore[assignment]
    door.data_received(b"POST /twilio/voice/ HTTP/1.1\r\nHost: 127.0.0.1:7\r\nContent-Length: 9\r\n\r\n")
    assert line.written == b""
    door.data_received(b"CallSid=1")
    assert b'<Stream url="ws://127.0.0.1:7/media/" track="both_tracks"/>' in line.written
    assert line.closed
