"""A capture file read back: its requests with their answers, its sockets with their messages."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from emulator.capture import entries
from emulator.capture.tape import MOST_LINES

MOST_BYTES = 256 << 20
OVER = "the call is over"
"""How every reason begins that ends a recording after its call."""
SILENCE = "nothing was said any more"


class ReelError(ValueError):
    """A file that is no capture; the text says which line and why."""


@dataclass
class Asked:
    """One request and its answer, None when none was written down."""

    request: entries.Request
    answer: entries.Answer | None = None

    @property
    def form(self) -> dict[str, str]:
        """The fields, wherever the method puts them, without their types."""
        return {name: value for name, _, value in (*self.request.query, *self.request.form)}

    @property
    def types(self) -> dict[str, str]:
        """The fields' types."""
        return {name: kind for name, kind, _ in (*self.request.query, *self.request.form)}


def inner(message: Any, key: str) -> dict[str, Any]:
    """The object under this key of a JSON value, an empty one when there is none."""
    value = message.get(key) if isinstance(message, dict) else None
    return value if isinstance(value, dict) else {}


SocketLine = entries.Message | entries.Closed | entries.Gone


@dataclass
class Socket:
    """One socket: everything that was said on it, in order."""

    handshake: entries.Handshake
    events: list[SocketLine] = field(default_factory=list)

    @property
    def messages(self) -> list[entries.Message]:
        """Messages, pings and pongs of both sides."""
        return [one for one in self.events if isinstance(one, entries.Message)]

    @property
    def closes(self) -> list[entries.Closed]:
        """Close frames of both sides."""
        return [one for one in self.events if isinstance(one, entries.Closed)]

    @property
    def gone(self) -> list[entries.Gone]:
        """Ends of both halves of the connection."""
        return [one for one in self.events if isinstance(one, entries.Gone)]

    def said(self, sender: entries.Sender, event: str = "") -> list[entries.Message]:
        """The JSON messages of one side, or those of one event."""
        return [
            one
            for one in self.messages
            if one.sender == sender and isinstance(one.json, dict) and event in ("", one.json.get("event"))
        ]

    def media(self) -> list[dict[str, Any]]:
        """The bodies of Twilio's media messages."""
        return [inner(message.json, "media") for message in self.said("twilio", "media")]

    @property
    def tracks(self) -> list[str]:
        """The tracks that `start` named."""
        tracks = self.start.get("tracks")
        return [str(track) for track in tracks] if isinstance(tracks, list) else []

    @property
    def start(self) -> dict[str, Any]:
        """The body of `start`."""
        started = self.said("twilio", "start")
        return inner(started[0].json, "start") if started else {}

    @property
    def stream_sid(self) -> str:
        """The placeholder of its stream, "" when it never said `start`."""
        return str(self.start.get("streamSid", ""))


@dataclass
class Reel:
    """One capture. `whole` is false when it ends before the call did."""

    opening: entries.Opening
    webhooks: list[Asked] = field(default_factory=list)
    rest: list[Asked] = field(default_factory=list)
    sockets: list[Socket] = field(default_factory=list)
    troubles: list[entries.Trouble] = field(default_factory=list)
    ending: entries.Ending | None = None

    @property
    def whole(self) -> bool:
        """Whether nothing is missing at its end."""
        return self.ending is not None and self.ending.why.startswith(OVER) and not self.ending.lost

    @property
    def stopped(self) -> bool:
        """Whether it may have ended in mid-call, with sockets open: neither its call nor silence ended it."""
        return self.ending is None or not self.ending.why.startswith((OVER, SILENCE))


def load(path: Path) -> Reel:
    """Read a file. A last line that was cut off is left out. Raises ReelError."""
    try:
        if path.stat().st_size > MOST_BYTES:
            raise ReelError(f"{path.name}: larger than {MOST_BYTES >> 20} MB")
        text = path.read_bytes()
    except OSError as error:
        raise ReelError(f"{path.name}: {error.strerror or error}") from error
    return read(text.splitlines(keepends=True), path.name)


def read(texts: Iterable[bytes], name: str) -> Reel:
    """Read lines. Raises ReelError that begins with `name`."""
    found: list[entries.AnyLine] = []
    for number, text in enumerate(texts, 1):
        if number > MOST_LINES + 1:
            raise ReelError(f"{name}: more than {MOST_LINES} lines")
        try:
            found.append(entries.read(text))
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            if not text.endswith(b"\n") and found:
                break  # the recording was cut off while it wrote
            raise ReelError(f"{name}: line {number} is not of a capture: {error}") from error
    if not found or not isinstance(found[0], entries.Opening):
        raise ReelError(f'{name}: not a capture; its first line must be one of kind "capture"')
    if found[0].version != entries.VERSION:
        raise ReelError(f"{name}: version {found[0].version}; this program reads {entries.VERSION}")
    return _sorted(found[0], found[1:])


def _sorted(opening: entries.Opening, rest: list[entries.AnyLine]) -> Reel:
    reel = Reel(opening)
    asked: dict[int, Asked] = {}
    sockets: dict[int, Socket] = {}
    for line in rest:
        match line:
            case entries.Request():
                asked[line.number] = Asked(line)
                (reel.webhooks if line.door == "webhook" else reel.rest).append(asked[line.number])
            case entries.Answer() if line.number in asked:
                asked[line.number].answer = line
            case entries.Handshake():
                sockets[line.socket] = Socket(line)
                reel.sockets.append(sockets[line.socket])
            case entries.Message() | entries.Closed() | entries.Gone() if line.socket in sockets:
                sockets[line.socket].events.append(line)
            case entries.Trouble():
                reel.troubles.append(line)
            case entries.Ending():
                reel.ending = line
            case _:
                pass  # an answer or message whose beginning was not recorded
    return reel
