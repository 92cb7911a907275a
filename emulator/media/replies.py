"""What a server says on a bidirectional stream: judged as Twilio judges it, obeyed, written down."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from emulator.media import frames
from emulator.media.playback import Playback
from emulator.pacing import TICK_MS
from streams import protocol

BYTES_PER_MS = 8
MAX_COMMANDS = 10_000
# So long a person waits, in ticks of 20 ms, before they take a pause for the end of what is said.
PAUSE_TICKS = 35

# Not protocol.decode_reply: its limit of size is the product's own, Twilio takes sound of any length.
_replies: msgspec.json.Decoder[protocol.ToTwilio] = msgspec.json.Decoder(protocol.ToTwilio)


class Replies:
    """The server's side of one stream. `warn(code)` and `return_mark(name)` speak for Twilio."""

    def __init__(self, sid: str, warn: Callable[[int], None], return_mark: Callable[[str], None]) -> None:
        self._sid = sid
        self._warn = warn
        self._return_mark = return_mark
        self._playback = Playback()
        self._playing: bytes | None = None
        self._silent_ticks = PAUSE_TICKS
        self._ticks = 0
        # Told "prompt" when the server begins to speak, "quiet" when it has stopped.
        self.notice: Callable[[str], None] = lambda event: None
        # A list that was cut ends in `cut`, which says how many were left out.
        self.commands: list[dict[str, Any]] = []

    @property
    def played_bytes(self) -> int:
        """How much of the audio sent the party has heard."""
        return self._playback.played

    def play(self) -> None:
        """Play the next 20 ms of what waits; the marks behind what has been played go back."""
        self._ticks += 1
        self._return(self._playback.due())
        self._playing = self._playback.take()
        self._listen()

    def _listen(self) -> None:
        if self._playing is not None:
            if self._silent_ticks >= PAUSE_TICKS:
                self.notice("prompt")
            self._silent_ticks = 0
            return
        self._silent_ticks += 1
        if self._silent_ticks == PAUSE_TICKS:
            self.notice("quiet")

    def playing(self) -> bytes | None:
        """The 160 bytes of this tick, None for nothing."""
        return self._playing

    def end(self) -> None:
        """The stream is over: what waits is never played, and no mark of it goes back."""
        self._playing = None
        self._playback.clear()

    def receive(self, opcode: int, data: bytes) -> None:
        """Take one message; a bad one is a warning (31950 binary, 31951 anything else) and is ignored."""
        if opcode == frames.BINARY:
            self._warn(31950)
            return
        try:
            message = _replies.decode(data)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            self._warn(31951)
            return
        if message.streamSid != self._sid:
            self._warn(31951)
        else:
            self._obey(message)

    def _obey(self, message: protocol.ToTwilio) -> None:
        if isinstance(message, protocol.PlayMedia):
            self._media(message.media.payload)
        elif isinstance(message, protocol.PlayMark):
            self._mark(message.mark.name)
        else:
            pending = self._playback.clear()
            self._note("clear", marks=pending)
            self._return(pending)

    def _media(self, payload: bytes) -> None:
        taken = self._playback.put(payload)
        if not taken:
            self._warn(31931)
        last = self.commands[-1] if self.commands else None
        if last is not None and last["event"] == "media":
            last["bytes"] += len(payload)
            last["messages"] += 1
        else:
            self._note("media", bytes=len(payload), messages=1)

    def _mark(self, name: str) -> None:
        self._note("mark", name=name)
        due = self._playback.mark(name)
        if due is None:
            self._warn(31951)
        else:
            self._return(due)

    def _return(self, names: list[str]) -> None:
        for name in names:
            self._note("mark-returned", name=name)
            self._return_mark(name)

    def _note(self, event: str, **facts: Any) -> None:
        when = {"played_ms": self._playback.played // BYTES_PER_MS, "at_ms": self._ticks * TICK_MS}
        if len(self.commands) < MAX_COMMANDS:
            self.commands.append({"event": event, **when, **facts})
            return
        if len(self.commands) == MAX_COMMANDS:
            self.commands.append({"event": "cut", **when, "left_out": 0})
        self.commands[-1]["left_out"] += 1
