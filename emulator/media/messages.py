"""The texts of Twilio's messages on a media socket, from `connected` to `stop`."""

from __future__ import annotations

from collections.abc import Sequence

from emulator.world import Call
from streams import protocol

_FORMAT = protocol.MediaFormat(encoding="audio/x-mulaw", sampleRate=8000, channels=1)


def connected() -> bytes:
    """The first message."""
    return _text(protocol.Connected(protocol="Call", version="1.0.0"))


def start(sequence: int, sid: str, call: Call, tracks: Sequence[str], parameters: dict[str, str]) -> bytes:
    """The second: what is streamed, and the `<Parameter>`s."""
    body = protocol.StartBody(
        streamSid=sid,
        accountSid=call.account_sid,
        callSid=call.sid,
        tracks=list(tracks),
        customParameters=parameters,
        mediaFormat=_FORMAT,
    )
    return _text(protocol.Start(sequenceNumber=sequence, streamSid=sid, start=body))


def media(sid: str, track: str) -> bytes:
    """A sheet to fill in with `%`: sequence number, chunk, timestamp (ms), payload (base64)."""
    return (
        b'{"event":"media","sequenceNumber":"%%d","streamSid":"%b",'
        b'"media":{"track":"%b","chunk":"%%d","timestamp":"%%d","payload":"%%b"}}'
    ) % (sid.encode(), track.encode())


def dtmf(sequence: int, sid: str, digit: str) -> bytes:
    """The party pressed a key; the track has a name of its own here."""
    body = protocol.DtmfBody(track="inbound_track", digit=digit)
    return _text(protocol.Dtmf(sequenceNumber=sequence, streamSid=sid, dtmf=body))


def mark(sequence: int, sid: str, name: str) -> bytes:
    """A mark of the server's comes back."""
    return _text(protocol.Mark(sequenceNumber=sequence, streamSid=sid, mark=protocol.MarkBody(name=name)))


def stop(sequence: int, sid: str, call: Call) -> bytes:
    """The last."""
    body = protocol.StopBody(accountSid=call.account_sid, callSid=call.sid)
    return _text(protocol.Stop(sequenceNumber=sequence, streamSid=sid, stop=body))


def _text(message: protocol.Known) -> bytes:
    return protocol.encode(message).encode()
