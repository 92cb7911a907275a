"""Media Streams on the wire: text ↔ typed messages, for both roles.

Plain data and plain functions: no socket, no clock, no Django. Field names are Twilio's own, as they stand in
the JSON. What may follow what is in `streams.session`; every message is described in docs/protocol.md.
"""

from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta, Struct, field

__all__ = [
    "FROM_TWILIO",
    "MAX_MESSAGE_BYTES",
    "MAX_NUMBER",
    "TO_TWILIO",
    "Clear",
    "Connected",
    "Dtmf",
    "DtmfBody",
    "FromTwilio",
    "Mark",
    "MarkBody",
    "Media",
    "MediaBody",
    "MediaFormat",
    "PlayBody",
    "PlayMark",
    "PlayMarkBody",
    "PlayMedia",
    "ProtocolError",
    "Start",
    "StartBody",
    "Stop",
    "StopBody",
    "ToTwilio",
    "Unknown",
    "decode",
    "decode_reply",
    "encode",
]

MAX_MESSAGE_BYTES: Final = 65536
"""The longest message taken, in bytes of UTF-8."""

MAX_NUMBER: Final = 2**31 - 1
"""The largest sequence number, chunk or timestamp (ms: 24 days) taken; journal and rows hold no more."""

Number = Annotated[int, Meta(ge=0, le=MAX_NUMBER)]
"""Twilio sends these as JSON strings; a JSON number is taken too."""

Code = Literal[
    "malformed",  # not JSON, not an object, no event, not UTF-8
    "binary",  # a binary message: the protocol is text (Twilio error 31950)
    "unknown_event",  # only in replies: what arrives from Twilio unknown becomes Unknown
    "unknown_track",  # media of a track that is neither inbound nor outbound
    "bad_field",  # a field missing, of the wrong type, out of range, or not base64
    "bad_format",  # start announces sound that is not 8 kHz mono mu-law
    "too_large",  # over MAX_MESSAGE_BYTES
    "wrong_stream",  # streamSid of another stream (Twilio error 31951)
    "order",  # media before start, a second start, anything after stop
    "unexpected",  # dtmf or mark on a unidirectional stream
    "flood",  # more bad messages, or more messages a second, than the limits allow
]


class ProtocolError(Exception):
    """The other side broke the protocol. `code` says how, `detail` where; never holds a payload."""

    def __init__(self, code: Code, detail: str = "") -> None:
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code: Code = code
        self.detail = detail


class _Message(Struct, tag_field="event", gc=False):
    """A message with its `event` as the tag."""


class Connected(_Message, tag="connected", kw_only=True):
    """The first message; the only one without streamSid and sequenceNumber."""

    protocol: str = "Call"
    version: str = "1.0.0"


class MediaFormat(Struct, gc=False, kw_only=True):
    """The sound of the stream; Twilio always sends these values."""

    encoding: str = "audio/x-mulaw"
    sampleRate: int = 8000
    channels: int = 1


class StartBody(Struct, kw_only=True):
    """What the stream is. `tracks` in "inbound", "outbound"; `customParameters` from <Parameter>."""

    streamSid: str
    accountSid: str
    callSid: str
    tracks: list[str]
    customParameters: dict[str, str] = field(default_factory=dict)
    mediaFormat: MediaFormat = field(default_factory=MediaFormat)


class Start(_Message, tag="start", kw_only=True):
    """The second message, once: who is streaming what."""

    sequenceNumber: Number
    streamSid: str
    start: StartBody


class MediaBody(Struct, gc=False, kw_only=True):
    """Sound of one track: mu-law bytes of any length, and the ms since the stream began."""

    track: str
    chunk: Number
    timestamp: Number
    payload: bytes


class Media(_Message, tag="media", kw_only=True):
    """Sound, 50 times a second and track."""

    sequenceNumber: Number
    streamSid: str
    media: MediaBody


class DtmfBody(Struct, gc=False, kw_only=True):
    """A key. `track` is "inbound_track" here, not "inbound"."""

    track: str = "inbound_track"
    digit: Annotated[str, Meta(min_length=1, max_length=8)]


class Dtmf(_Message, tag="dtmf", kw_only=True):
    """The caller pressed a key; bidirectional streams only."""

    sequenceNumber: Number
    streamSid: str
    dtmf: DtmfBody


class MarkBody(Struct, gc=False, kw_only=True):
    """A name that we chose."""

    name: str


class Mark(_Message, tag="mark", kw_only=True):
    """Our mark comes back: the sound before it was played or discarded; bidirectional streams only."""

    sequenceNumber: Number
    streamSid: str
    mark: MarkBody


class StopBody(Struct, gc=False, kw_only=True):
    """Whose stream ended; there is no reason."""

    accountSid: str = ""
    callSid: str = ""


class Stop(_Message, tag="stop", kw_only=True):
    """The stream was stopped or the call ended. The last message, if one comes at all."""

    sequenceNumber: Number
    streamSid: str
    stop: StopBody = field(default_factory=StopBody)


class Unknown(Struct, gc=False):
    """A message of an event that we do not know: counted and passed over, since Twilio adds events."""

    event: str


class PlayBody(Struct, gc=False, forbid_unknown_fields=True):
    """Sound to play: mu-law bytes of any length, without a file header."""

    payload: bytes


class PlayMedia(_Message, tag="media", kw_only=True, forbid_unknown_fields=True):
    """Play this after what is already waiting."""

    streamSid: str
    media: PlayBody


class PlayMarkBody(Struct, gc=False, forbid_unknown_fields=True):
    """A name that is to come back."""

    name: str


class PlayMark(_Message, tag="mark", kw_only=True, forbid_unknown_fields=True):
    """Send this name back once everything before it was played."""

    streamSid: str
    mark: PlayMarkBody


class Clear(_Message, tag="clear", kw_only=True, forbid_unknown_fields=True):
    """Drop all sound that waits to be played; pending marks come back at once."""

    streamSid: str


Known = Connected | Start | Media | Dtmf | Mark | Stop
FromTwilio = Known | Unknown
ToTwilio = PlayMedia | PlayMark | Clear

FROM_TWILIO: Final = (Connected, Start, Media, Dtmf, Mark, Stop)
TO_TWILIO: Final = (PlayMedia, PlayMark, Clear)


class _Envelope(Struct):
    event: str


_KNOWN_EVENTS = frozenset({"connected", "start", "media", "dtmf", "mark", "stop"})
_REPLY_EVENTS = frozenset({"media", "mark", "clear"})
_MAX_EVENT = 40
_MAX_DETAIL = 200
_NUMBERS = frozenset({"sequenceNumber", "chunk", "timestamp"})

_from_twilio: msgspec.json.Decoder[Known] = msgspec.json.Decoder(Known, strict=False)
_to_twilio: msgspec.json.Decoder[ToTwilio] = msgspec.json.Decoder(ToTwilio)
_envelope = msgspec.json.Decoder(_Envelope)
# RecursionError: nesting beyond the interpreter's depth. UnicodeError: a str with a lone surrogate.
_BROKEN = (msgspec.MsgspecError, RecursionError, UnicodeError, ValueError)


def decode(text: str | bytes) -> FromTwilio:
    """One message from Twilio. Unknown keys are ignored; of a doubled key the last counts.

    Raises ProtocolError (malformed, bad_field, too_large) and nothing else.
    """
    _check_size(text)
    try:
        return _from_twilio.decode(text)
    except _BROKEN as error:
        event = _event_of(text, error)
        if event not in _KNOWN_EVENTS:
            return Unknown(_printable(event[:_MAX_EVENT]))
        raise _bad_field(event, error) from None


def decode_reply(text: str | bytes) -> ToTwilio:
    """One message to Twilio, judged as strictly as Twilio does: a missing or extra field is an error (31951).

    Raises ProtocolError (malformed, unknown_event, bad_field, too_large) and nothing else.
    """
    _check_size(text)
    try:
        return _to_twilio.decode(text)
    except _BROKEN as error:
        event = _event_of(text, error)
        if event not in _REPLY_EVENTS:
            raise ProtocolError("unknown_event", _printable(event[:_MAX_EVENT])) from None
        raise _bad_field(event, error) from None


def encode(message: Known | ToTwilio) -> str:
    """The JSON text of a message of either role; numbers that Twilio sends as strings are strings."""
    if isinstance(message, PlayMedia | PlayMark | Clear | Connected):
        return msgspec.json.encode(message).decode()
    return msgspec.json.encode(_with_texts(msgspec.to_builtins(message))).decode()


def _check_size(text: str | bytes) -> None:
    size = len(text)
    if size <= MAX_MESSAGE_BYTES // 4:  # a character takes at most four bytes
        return
    if size <= MAX_MESSAGE_BYTES and isinstance(text, str) and not text.isascii():
        size = len(text.encode("utf-8", "surrogatepass"))
    if size > MAX_MESSAGE_BYTES:
        raise ProtocolError("too_large", f"{size} bytes")


def _event_of(text: str | bytes, error: Exception) -> str:
    """The event of a message that did not decode. Raises ProtocolError malformed if it has none."""
    if isinstance(error, UnicodeError):
        raise ProtocolError("malformed", "not UTF-8") from None
    try:
        return _envelope.decode(text).event
    except _BROKEN:
        raise ProtocolError("malformed", _printable(str(error)[:_MAX_DETAIL])) from None


def _bad_field(event: str, error: Exception) -> ProtocolError:
    return ProtocolError("bad_field", f"{event}: {_printable(str(error)[:_MAX_DETAIL])}")


def _printable(text: str) -> str:
    """For logs: what the decoder says, or an event's name, may quote what was sent."""
    return "".join(c if c.isprintable() else "?" for c in text)


def _with_texts(value: Any) -> Any:
    """A copy in which the numbers that Twilio sends as text are text."""
    if not isinstance(value, dict):
        return value
    return {key: str(item) if key in _NUMBERS else _with_texts(item) for key, item in value.items()}
