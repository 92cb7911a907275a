"""The lines of a capture file: one JSON object each; `kind` says which. Nothing in them names anybody.

`at` is milliseconds since the recording began. `sender` is whose side spoke. Withheld header values are null.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

VERSION = 1

Sender = Literal["twilio", "application"]
Door = Literal["webhook", "rest"]
Header = tuple[str, str | None]
"""Name as it was spelled, value or null."""
Field = tuple[str, str, str]
"""Name, type in words, and the value or what stands in its place."""


class Line(msgspec.Struct, tag_field="kind", omit_defaults=True, frozen=True):
    """What all lines have."""

    at: float


class Opening(Line, tag="capture", frozen=True):
    """The first line. `signatures`: whether the recorder had a token to check them with."""

    version: int
    signatures: Literal["checked", "not checked"] = "not checked"


class Signed(msgspec.Struct, omit_defaults=True, frozen=True):
    """Which form of its own URL a request's signature covers.

    `state`: valid, no match, absent, not checked. The rest is filled in when it is valid: `scheme` signed;
    `port`: none, given, dropped, added; `slash`: given, added, dropped; `query`: none, given, dropped;
    `host`: the header that named it, or "public" for the URL that the user gave; `body`: none, form, hash.
    """

    state: Literal["valid", "no match", "absent", "not checked"]
    scheme: str = ""
    port: str = ""
    slash: str = ""
    query: str = ""
    host: str = ""
    body: str = ""


class Request(Line, tag="request", frozen=True):
    """A webhook that came, or a REST request that the application made. `number` pairs it with its answer."""

    number: int
    door: Door
    method: str
    path: str
    headers: list[Header]
    query: list[Field] = []
    form: list[Field] = []
    bytes: int = 0
    signed: Signed | None = None


class Answer(Line, tag="answer", frozen=True):
    """The answer: TwiML, JSON, or anything else by its length alone."""

    number: int
    door: Door
    status: int
    headers: list[Header]
    twiml: str = ""
    json: Any = None
    bytes: int = 0


class Handshake(Line, tag="handshake", frozen=True):
    """A socket was asked for. `status` 101 opened it, 0 was no answer at all; `answered` is that moment."""

    socket: int
    path: str
    headers: list[Header]
    status: int
    answered: float
    query: list[Field] = []
    answer_headers: list[Header] = []
    signed: Signed | None = None


class Message(Line, tag="message", frozen=True):
    """One message or control frame of a socket. `json` is the body of a text that is JSON."""

    socket: int
    sender: Sender
    form: str
    bytes: int
    json: Any = None


class Closed(Line, tag="close", frozen=True):
    """A close frame; `code` null when it had none."""

    socket: int
    sender: Sender
    code: int | None = None


class Gone(Line, tag="gone", frozen=True):
    """One side of a socket's connection ended: in order (`end`) or not (`reset`)."""

    socket: int
    sender: Sender
    how: Literal["end", "reset"]


class Trouble(Line, tag="trouble", frozen=True):
    """Something could not be forwarded or recorded; the text names nobody."""

    text: str


class Ending(Line, tag="end", frozen=True):
    """The last line of a whole file. `lost` counts lines that could not be kept."""

    why: str
    lost: int = 0


AnyLine = Opening | Request | Answer | Handshake | Message | Closed | Gone | Trouble | Ending

_decoder: msgspec.json.Decoder[AnyLine] = msgspec.json.Decoder(AnyLine)


def write(line: Line) -> bytes:
    """One line of the file, with its line feed."""
    return msgspec.json.encode(line) + b"\n"


def read(text: bytes) -> AnyLine:
    """The line's content. Raises msgspec.MsgspecError (a ValueError) or RecursionError for nonsense."""
    return _decoder.decode(text)
