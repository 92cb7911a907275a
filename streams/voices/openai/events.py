"""What OpenAI's Realtime API tells us, as far as we need it: text in, plain data out. No socket, no clock.

Read leniently: fields that we do not know are passed over, kinds that we do not know are nothing, and what is
no event at all is Garbage. The official client's own types are pydantic's, more than thirty times
slower on the deltas of sound; the tests hold its types against what is sent.
"""

from __future__ import annotations

import base64
import binascii

import msgspec

__all__ = ["Event", "Garbage", "Item", "decode", "sound_of"]

_KNOWN = frozenset(
    {
        "session.created",
        "session.updated",
        "error",
        "input_audio_buffer.speech_started",
        "input_audio_buffer.speech_stopped",
        "response.created",
        "response.done",
        "response.output_audio.delta",
        "response.output_audio_transcript.delta",
        "response.output_item.done",
    }
)


class Garbage(Exception):
    """No event of theirs."""


class Item(msgspec.Struct, frozen=True):
    """Something in the conversation: a message that was spoken, or a function that is called."""

    id: str | None = None
    type: str | None = None
    status: str | None = None
    name: str | None = None
    call_id: str | None = None
    arguments: str | None = None


class Response(msgspec.Struct, frozen=True):
    """A response and how it came out: completed, cancelled, failed, incomplete or in_progress."""

    id: str | None = None
    status: str | None = None


class Failure(msgspec.Struct, frozen=True):
    """An error; its message is not read, for it may quote what was said."""

    type: str | None = None
    code: str | None = None


class _Kind(msgspec.Struct):
    type: str


class Event(msgspec.Struct, frozen=True):
    """One event. `delta` is base64 of sound or a piece of text."""

    type: str
    item_id: str = ""
    response_id: str = ""
    delta: str = ""
    item: Item = msgspec.field(default_factory=Item)
    response: Response = msgspec.field(default_factory=Response)
    error: Failure = msgspec.field(default_factory=Failure)


_kind = msgspec.json.Decoder(_Kind)
_event = msgspec.json.Decoder(Event)


def decode(message: bytes) -> Event | None:
    """The event in a message, None for a kind that is nothing to us. Raises Garbage."""
    try:
        return _event.decode(message) if _kind.decode(message).type in _KNOWN else None
    except (msgspec.DecodeError, RecursionError) as error:
        raise Garbage from error


def sound_of(event: Event) -> bytes:
    """The sound in a delta, mu-law. Raises Garbage."""
    try:
        return base64.b64decode(event.delta, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Garbage from error
