"""Twilio's side, written by hand from its contract: signatures, webhook fields, stream messages, a socket.

Nothing here uses the product's own code: a mistake there must not be made twice and so hidden.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlencode

from django.http import HttpResponse
from django.test import Client
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

PUBLIC_URL = "https://calls.example.com"
ACCOUNT_SID = "AC" + "a" * 32
TOKEN = "first-token"
CALL_SID = "CA" + "1" * 32
STREAM_SID = "MZ" + "2" * 32
SILENCE = b"\xff" * 160

Fields = Mapping[str, str]


def signature(url: str, fields: Fields | None = None, *, token: str = TOKEN) -> str:
    """X-Twilio-Signature: base64(HMAC-SHA1(token, url + each field's name and value in order of name))."""
    text = url + "".join(name + value for name, value in sorted((fields or {}).items()))
    return base64.b64encode(hmac.new(token.encode(), text.encode(), hashlib.sha1).digest()).decode()


def voice_fields(**more: str) -> dict[str, str]:
    """The fields of Twilio's first request for an incoming call; `CallSid="CA…"` and others replace."""
    return {
        "AccountSid": ACCOUNT_SID,
        "ApiVersion": "2010-04-01",
        "CallSid": CALL_SID,
        "CallStatus": "ringing",
        "Called": "+31201234567",
        "CalledCountry": "NL",
        "Caller": "+31612345678",
        "CallerCountry": "NL",
        "Direction": "inbound",
        "From": "+31612345678",
        "FromCity": "",
        "FromCountry": "NL",
        "To": "+31201234567",
        "ToCountry": "NL",
        **more,
    }


def status_fields(status: str, *, sequence: int = 0, **more: str) -> dict[str, str]:
    """A call status callback: `status` is Twilio's word, `sequence` its order of firing."""
    ended = {"CallDuration": "12", "Duration": "1"} if status == "completed" else {}
    return voice_fields(
        CallStatus=status,
        CallbackSource="call-progress-events",
        SequenceNumber=str(sequence),
        **{"Timestamp": "Fri, 20 Nov 2026 12:00:00 +0000", **ended, **more},
    )


def stream_fields(event: str, **more: str) -> dict[str, str]:
    """A stream status callback: stream-started, stream-stopped or stream-error."""
    return {
        "AccountSid": ACCOUNT_SID,
        "CallSid": CALL_SID,
        "StreamSid": STREAM_SID,
        "StreamName": "tap",
        "StreamEvent": event,
        "Timestamp": "2026-11-20T12:00:00.417Z",
        **more,
    }


def signed_post(
    client: Client,
    path: str,
    fields: Fields,
    *,
    token: str = TOKEN,
    public_url: str = PUBLIC_URL,
    **extra: Any,
) -> HttpResponse:
    """Post a webhook as Twilio does, through Django's test client; `path` begins with a slash."""
    sent: Any = client.post(
        path,
        data=urlencode(dict(fields)),
        content_type="application/x-www-form-urlencoded",
        headers={"X-Twilio-Signature": signature(public_url + path, fields, token=token)},
        **extra,
    )
    answer: HttpResponse = sent
    return answer


def connected() -> str:
    """The first message on a socket."""
    return '{"event":"connected","protocol":"Call","version":"1.0.0"}'


def start(
    *,
    stream: str = STREAM_SID,
    call: str = CALL_SID,
    account: str = ACCOUNT_SID,
    tracks: tuple[str, ...] = ("inbound", "outbound"),
    parameters: Fields | None = None,
    sequence: int = 1,
) -> str:
    """The second message: whose stream it is and what it will carry."""
    body = {
        "accountSid": account,
        "callSid": call,
        "streamSid": stream,
        "tracks": list(tracks),
        "customParameters": dict(parameters or {}),
        "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
    }
    return json.dumps({"event": "start", "sequenceNumber": str(sequence), "start": body, "streamSid": stream})


def media(
    sequence: int,
    chunk: int,
    timestamp: int,
    payload: bytes = SILENCE,
    *,
    track: str = "inbound",
    stream: str = STREAM_SID,
) -> str:
    """One media message; `timestamp` in ms of the stream, `payload` mu-law."""
    body = {
        "track": track,
        "chunk": str(chunk),
        "timestamp": str(timestamp),
        "payload": base64.b64encode(payload).decode(),
    }
    return json.dumps({"event": "media", "sequenceNumber": str(sequence), "media": body, "streamSid": stream})


def media_messages(
    frames: int,
    *,
    tracks: tuple[str, ...] = ("inbound", "outbound"),
    payload: bytes = SILENCE,
    stream: str = STREAM_SID,
    first_sequence: int = 2,
    first_ms: int = 0,
) -> Iterator[str]:
    """`frames` frames of 20 ms of each track, interleaved as Twilio does, chunks numbered per track."""
    sequence = first_sequence
    for frame in range(frames):
        for track in tracks:
            yield media(sequence, frame + 1, first_ms + 20 * frame, payload, track=track, stream=stream)
            sequence += 1


def dtmf(digit: str, sequence: int, *, stream: str = STREAM_SID) -> str:
    """A key pressed by the caller; on bidirectional streams only."""
    body = {"track": "inbound_track", "digit": digit}
    return json.dumps({"event": "dtmf", "sequenceNumber": str(sequence), "dtmf": body, "streamSid": stream})


def mark(name: str, sequence: int, *, stream: str = STREAM_SID) -> str:
    """A mark that returns; on bidirectional streams only."""
    return json.dumps(
        {"event": "mark", "sequenceNumber": str(sequence), "mark": {"name": name}, "streamSid": stream}
    )


def stop(sequence: int, *, stream: str = STREAM_SID, call: str = CALL_SID, account: str = ACCOUNT_SID) -> str:
    """The last message."""
    body = {"accountSid": account, "callSid": call}
    return json.dumps({"event": "stop", "sequenceNumber": str(sequence), "stop": body, "streamSid": stream})


class TwilioSocket:
    """Twilio's media socket to a real server: its headers, no Origin, no extensions, text only.

    `url` is where to connect (ws://127.0.0.1:port/media/…/); `signed` the url text that Twilio signs, if
    another. The opening raises `websockets.exceptions.InvalidStatus` when the server answers other than 101.
    """

    def __init__(self, url: str, *, token: str = TOKEN, signed: str | None = None, sign: bool = True) -> None:
        headers = {"X-Twilio-Signature": signature(signed or url, token=token)} if sign else {}
        self.connection: ClientConnection = connect(
            url,
            additional_headers=headers,
            user_agent_header="Twilio.TmeWs/1.0",
            compression=None,
            proxy=None,
            open_timeout=10,
            close_timeout=5,
            ping_interval=None,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.connection.close()

    def send(self, *messages: str) -> None:
        """Send messages, as fast as the server reads."""
        for message in messages:
            self.connection.send(message)

    def receive(self, seconds: float = 10) -> Any:
        """The next message from the server, decoded."""
        return json.loads(self.connection.recv(timeout=seconds))

    def closed_with(self, seconds: float = 10) -> int:
        """Wait for the server to close; its close code (1006 if it only dropped the connection)."""
        try:
            while True:
                self.connection.recv(timeout=seconds)
        except ConnectionClosed as end:
            return end.rcvd.code if end.rcvd else 1006

    def drop(self) -> None:
        """Break off without `stop` and without a close frame, as a dead network does."""
        self.connection.socket.close()


@contextmanager
def refused(status: int = 403) -> Iterator[None]:
    """The opening inside must be refused before accept, with this status."""
    try:
        yield
    except InvalidStatus as refusal:
        answered = refusal.response.status_code
    else:
        answered = 101
    assert answered == status, f"the handshake was answered with {answered}"
