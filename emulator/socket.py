"""One media stream: Twilio's end of the socket, what flows on it, what its server says, and its ends."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Literal, Protocol

from emulator import messages
from emulator.pacing import TICK_MS
from emulator.replies import Replies
from emulator.sign import signature
from emulator.sound import Frame
from emulator.tracks import Track
from emulator.wire import ConnectError, Wire
from emulator.world import Call, iso

if TYPE_CHECKING:
    from emulator.exchange import Exchange

logger = logging.getLogger("contactcenter.emulator")

ERRORS = {
    31900: "Stream - Unknown Error",
    31903: "Stream - Websocket - Connection Broken",
    31921: "Stream - Websocket - Close Error",
    31924: "Stream - Websocket - Protocol Error",
}


class Source(Protocol):
    """The leg whose sound a stream carries."""

    call: Call

    def says(self, tick: int) -> Frame:
        """The frame that its party speaks at this tick."""
        ...

    def hears(self, tick: int) -> Frame:
        """The frame that is played to its party at this tick."""
        ...


@dataclass(frozen=True)
class Wanted:
    """What TwiML or REST asked for."""

    url: str
    name: str = ""
    tracks: tuple[str, ...] = ("inbound",)
    parameters: dict[str, str] = field(default_factory=dict)
    callback: str = ""
    callback_method: str = "POST"
    direction: Literal["unidirectional", "bidirectional"] = "unidirectional"
    made_by: Literal["twiml", "rest"] = "twiml"


class MediaStream:
    """One stream of one leg; `over` is set once it has ended in whatever way."""

    def __init__(self, exchange: Exchange, source: Source, wanted: Wanted) -> None:
        self._exchange = exchange
        self._source = source
        self.wanted = wanted
        self.sid = exchange.world.sid("MZ")
        self.name = wanted.name or self.sid
        self.status: Literal["in-progress", "stopped"] = "in-progress"
        self.created = self.updated = exchange.world.clock.now()
        self.ended: datetime | None = None
        self.reason = ""
        self.error = 0
        self.over = asyncio.Event()
        self.first_tick = 0
        self.last_tick = 0
        # Twilio's first timestamp is small but seldom 0.
        self.first_ms = exchange.world.random.randrange(0, 80)
        self.tracks = {name: Track(name, self.sid) for name in wanted.tracks}
        if exchange.shelf is not None:
            exchange.shelf.keep(self.tracks.values())
        self.discarded = 0
        self.sequence = 0
        self.warnings: list[int] = []
        self.replies = Replies(self.sid, self._warn, self._return_mark)
        self._speaks = wanted.direction == "bidirectional"
        self._wire: Wire | None = None

    @property
    def live(self) -> bool:
        """Whether it has not ended."""
        return self.status == "in-progress"

    @property
    def unidirectional_tracks(self) -> int:
        """How many of a call's four tracks it takes."""
        return 0 if self._speaks else len(self.wanted.tracks)

    @property
    def sent(self) -> dict[str, int]:
        """Frames written to the socket, per track."""
        return {name: track.frames for name, track in self.tracks.items()}

    @property
    def bytes_sent(self) -> int:
        """Bytes written to the socket, framing included."""
        return self._wire.bytes_sent if self._wire is not None else 0

    def digest(self, track: str) -> str:
        """SHA-256, in hex, of the mu-law bytes sent on a track, in the order sent."""
        return self.tracks[track].digest

    # opening

    async def open(self) -> None:
        """Connect, say `connected` and `start`, and let the media flow; a failure ends the stream."""
        world = self._exchange.world
        wire = Wire(self._received, self._gone, world.clock.hold)
        try:
            with world.clock.hold():
                await wire.connect(self.wanted.url, self._signature())
        except ConnectError as error:
            self._finish("not connected", error.code, error.detail)
            return
        if not self.live:
            wire.abort()
            return
        self._wire = wire
        parameters = dict(self.wanted.parameters)
        start = messages.start(self._next(), self.sid, self._source.call, self.wanted.tracks, parameters)
        wire.send([messages.connected(), start])
        self.first_tick = self._exchange.pacer.number + 1
        self._exchange.pacer.add(self)
        self._report("stream-started")

    def _signature(self) -> str | None:
        faults = self._exchange.faults
        token = self._exchange.world.account.token(self._source.call.region)
        if faults.unsigned:
            return None
        # Twilio's pages leave open whether the signed text may end in a slash that the address lacks.
        slash = "/" if faults.slash_signature and not self.wanted.url.endswith("/") else ""
        return signature("wrong" if faults.wrong_signature else token, self.wanted.url + slash)

    # flowing

    def tick(self, number: int) -> None:
        """Send what is due at this tick: one frame per track, in one write."""
        try:
            self._flow(number)
        except Exception:
            # One stream's fault must not silence the others.
            logger.exception("emulator.tick.failed")
            self._finish("fault of the emulator", 31900, ERRORS[31900])
            self.close()

    def _flow(self, number: int) -> None:
        wire = self._wire
        if wire is None or not self.live:
            return
        if self._speaks:
            self.replies.play()
        if wire.behind:
            self.discarded += len(self.tracks)
            self._warn(31930)
            return
        at = self.first_ms + (number - self.first_tick) * TICK_MS
        texts = [self._media(track, number, at) for track in self.tracks.values()]
        wire.send(texts)
        self.last_tick = number

    def _media(self, track: Track, number: int, at: int) -> bytes:
        frame = self._source.says(number) if track.inbound else self._source.hears(number)
        self.sequence += 1
        counted = track
        if self._exchange.faults.shared_chunks:
            counted = self.tracks[self.wanted.tracks[0]]
        counted.chunk += 1
        track.sent(frame)
        return track.sheet % (self.sequence, counted.chunk, at, frame.text)

    def press(self, digit: str) -> None:
        """Tell of a key of the party. Only a bidirectional stream does."""
        if self._speaks and self._wire is not None and self.live:
            self._wire.send([messages.dtmf(self._next(), self.sid, digit)])

    def _next(self) -> int:
        self.sequence += 1
        return self.sequence

    # hearing from the server

    def _received(self, opcode: int, data: bytes) -> None:
        if self._speaks:
            self.replies.receive(opcode, data)
            return
        # Nothing may be sent on a unidirectional stream (31924: unsolicited messages).
        self._finish("unsolicited message", 31924, ERRORS[31924])
        self.close()

    def _return_mark(self, name: str) -> None:
        if self._wire is not None and self.live:
            self._wire.send([messages.mark(self._next(), self.sid, name)])

    def _warn(self, code: int) -> None:
        if code not in self.warnings:
            self.warnings.append(code)
            note = f"warning on stream {self.sid}"
            self._source.call.note(code, note, self._exchange.world.clock.now())

    # ending

    def stop(self, reason: str) -> None:
        """End it in order: `stop`, then close in the background."""
        if not self.live:
            return
        self._finish(reason)
        if self._wire is not None:
            self._wire.send([messages.stop(self._next(), self.sid, self._source.call)])
            self._exchange.courier.spawn(self._wire.close())

    def drop(self) -> None:
        """Fault: reset the connection without `stop`, as a broken network does."""
        self._finish("dropped by a fault", 31903, ERRORS[31903])
        self.close()

    def sever(self) -> None:
        """Fault: go silent with the connection half open; the server is told nothing in any way."""
        self._finish("severed by a fault", told=False)
        if self._wire is not None:
            self._wire.fall_silent()

    def refuse(self, code: int, why: str) -> None:
        """End it before it began, as Twilio refuses one that TwiML asked for."""
        self._finish("refused", code, why)

    def close(self) -> None:
        """Let go of the connection at once."""
        if self._wire is not None:
            self._wire.abort()

    def _gone(self, code: int | None, broken: bool) -> None:
        if broken:
            self._finish("framing broken by the server", 31924, ERRORS[31924])
        elif code is None:
            self._finish("connection broken", 31903, ERRORS[31903])
        elif self._speaks:
            # Closing is how a server leaves <Connect>; the call goes on with the next verb.
            self._finish(f"closed by the server ({code})")
        else:
            self._finish(f"closed by the server ({code})", 31921, ERRORS[31921])

    def _finish(self, reason: str, code: int = 0, detail: str = "", *, told: bool = True) -> None:
        if not self.live:
            return
        now = self._exchange.world.clock.now()
        self.status, self.reason, self.error = "stopped", reason, code
        self.updated = self.ended = now
        self._exchange.pacer.remove(self)
        self.replies.end()
        if code:
            self._source.call.note(code, detail, now)
            self._report("stream-error", StreamError=detail)
        elif told:
            self._report("stream-stopped")
        self.over.set()

    def _report(self, event: str, **facts: str) -> None:
        call, now = self._source.call, self._exchange.world.clock.now()
        form = {
            "AccountSid": call.account_sid,
            "CallSid": call.sid,
            "StreamSid": self.sid,
            "StreamName": self.name,
            "StreamEvent": event,
            "Timestamp": str(iso(now)),
            **facts,
        }
        self._exchange.courier.tell(call, event, self.wanted.callback, self.wanted.callback_method, form)
