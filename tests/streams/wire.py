"""Twilio's messages, written by hand from its documentation: texts, never made by our encoder."""

import base64

SID = "MZ" + "7f" * 16
OTHER = "MZ" + "0e" * 16
ACCOUNT = "AC" + "1a" * 16
CALL = "CA" + "9c" * 16

CONNECTED = '{"event":"connected","protocol":"Call","version":"1.0.0"}'


def start(*tracks: str, sid: str = SID, sequence: int = 1) -> str:
    """A start with tracks (both when none is named) and one custom parameter."""
    names = ",".join(f'"{track}"' for track in tracks or ("inbound", "outbound"))
    return (
        f'{{"event":"start","sequenceNumber":"{sequence}","streamSid":"{sid}","start":{{"accountSid":"{ACCOUNT}",'
        f'"callSid":"{CALL}","streamSid":"{sid}","tracks":[{names}],"customParameters":{{"session":"q8"}},'
        '"mediaFormat":{"encoding":"audio/x-mulaw","sampleRate":8000,"channels":1}}}'
    )


def media(
    sequence: int,
    timestamp: int,
    track: str = "inbound",
    *,
    chunk: int = 1,
    payload: bytes = b"\xff" * 160,
    sid: str = SID,
) -> str:
    """Sound: 20 ms of silence unless another payload is given."""
    sound = base64.b64encode(payload).decode()
    return (
        f'{{"event":"media","sequenceNumber":"{sequence}","streamSid":"{sid}","media":{{"track":"{track}",'
        f'"chunk":"{chunk}","timestamp":"{timestamp}","payload":"{sound}"}}}}'
    )


def dtmf(sequence: int, digit: str = "5", sid: str = SID) -> str:
    """A key; its track is called inbound_track."""
    return (
        f'{{"event":"dtmf","sequenceNumber":"{sequence}","streamSid":"{sid}",'
        f'"dtmf":{{"track":"inbound_track","digit":"{digit}"}}}}'
    )


def mark(sequence: int, name: str = "prompt-3", sid: str = SID) -> str:
    """A mark that comes back."""
    return f'{{"event":"mark","sequenceNumber":"{sequence}","streamSid":"{sid}","mark":{{"name":"{name}"}}}}'


def stop(sequence: int, sid: str = SID) -> str:
    """The end."""
    return (
        f'{{"event":"stop","sequenceNumber":"{sequence}","streamSid":"{sid}",'
        f'"stop":{{"accountSid":"{ACCOUNT}","callSid":"{CALL}"}}}}'
    )
