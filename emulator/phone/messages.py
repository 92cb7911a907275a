"""What a browser's phone says on its socket: JSON objects with a `type`; everything else on it is sound."""

from __future__ import annotations

from typing import Any

import msgspec

MAX_DIGITS = 64
KEYS = frozenset("0123456789*#ABCD")


class Nonsense(ValueError):
    """A message that cannot be understood; the text says why."""


class Said(msgspec.Struct, tag_field="type", tag=str.lower):
    """One message; its type is the class's name in small letters."""


class Listen(Said):
    """The first message, and again with a new token: who this is. `reconnect` is the key of a held call."""

    token: str
    reconnect: str = ""


class Register(Said):
    """Let calls ring here."""


class Unregister(Said):
    """Let calls ring here no more."""


class Invite(Said):
    """Call out; `call` is the browser's own name for the call until it has a CallSid."""

    call: str
    params: dict[str, str] = {}


class Accept(Said):
    """Answer a call that rings."""

    call: str


class Reject(Said):
    """Decline a call that rings."""

    call: str


class Ignore(Said):
    """Ring here no more; the caller hears nothing of it."""

    call: str


class Hangup(Said):
    """End a call."""

    call: str


class Digits(Said):
    """Keys pressed in a call."""

    call: str
    digits: str


class Message(Said):
    """A message of the page to the application; `id` comes back in `sent`."""

    call: str
    id: str
    content: Any = None


class Heard(Said):
    """So many frames were taken from the socket since the last such message."""

    frames: int


class Ping(Said):
    """Answered by `pong`: how long a round trip takes."""


Spoken = (
    Listen
    | Register
    | Unregister
    | Invite
    | Accept
    | Reject
    | Ignore
    | Hangup
    | Digits
    | Message
    | Heard
    | Ping
)
_decoder = msgspec.json.Decoder(Spoken)


def decode(text: str) -> Spoken:
    """The message in this text. Raises Nonsense."""
    try:
        said: Spoken = _decoder.decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError) as error:
        raise Nonsense(str(error)) from error
    if isinstance(said, Digits) and (len(said.digits) > MAX_DIGITS or set(said.digits) - KEYS):
        raise Nonsense(f"digits are at most {MAX_DIGITS} of {''.join(sorted(KEYS))}")
    return said
