"""One media stream: Twilio's end of the socket, its messages, its playback buffer and its ends."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Literal, Protocol

from emulator.pacing import TICK_MS
from emulator.replies import Replies
from emulator.sign import signature
from emulator.sound import Frame
from emulator.wire import ConnectError, Wire
from emulator.world import Call, iso
from streams import protocol

if TYPE_CHECKING:
    from emulator.exchange import Exchange

MEDIA = (
    b'{"event":"media","sequenceNumber":"%d","streamSid":"%b",'
    b'"media":{"track":"%b","chunk":"%d","timestamp":"%d","payload":"%b"}}'
)
ERRORS = {
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
        self.sent = dict.fromkeys(wanted.tracks, 0)
        self.discarded = 0
        self.sequence = 0
        self.warnings: list[int] = []
        self.replies = Replies(self.sid, self._warn, self._return_mark)
        self._chunk = dict.fromkeys(wanted.tracks, 0)
        self._sid = self.sid.encode()
        self._wire: Wire | None = None

    @property
    def live(self) -> bool:
        """Whether it has not ended."""
        return self.status == "in-progress"

    @property
    def unidirectional_tracks(self) -> int:
        """How many of a call's four tracks it takes."""
        return len(self.wanted.tracks) if self.wanted.direction == "unidirectional" else 0

    @property
    def bytes_sent(self) -> int:
        """Bytes written to the socket, framing included."""
        return self._wire.bytes_sent if self._wire is not None else 0

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
        wire.send([protocol.encode(protocol.Connected(protocol="Call", version="1.0.0"))])
        wire.send([protocol.encode(self._start())])
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

    def _start(self) -> protocol.Start:
        body = protocol.StartBody(
            streamSid=self.sid,
            accountSid=self._source.call.account_sid,
            callSid=self._source.call.sid,
            tracks=list(self.wanted.tracks),
            customParameters=dict(self.wanted.parameters),
            mediaFormat=protocol.MediaFormat(encoding="audio/x-mulaw", sampleRate=8000, channels=1),
        )
        return protocol.Start(sequenceNumber=self._next(), streamSid=self.sid, start=body)

    # flowing

    def tick(self, number: int) -> None:
        """Send what is due at this tick: one frame per track, in one write."""
        wire = self._wire
        if wire is None or not self.live:
            return
        self.replies.play()
        timestamp = self.first_ms + (number - self.first_tick) * TICK_MS
        before = self.sequence, dict(self._chunk)
        texts: list[str | bytes] = [self._media(track, number, timestamp) for track in self.wanted.tracks]
        if wire.send(texts):
            self.last_tick = number
            for track in self.wanted.tracks:
                self.sent[track] += 1
        else:
            self.sequence, self._chunk = before
            self.discarded += len(texts)
            self._warn(31930)

    def _media(self, track: str, number: int, timestamp: int) -> bytes:
        frame = self._source.says(number) if track == "inbound" else self._source.hears(number)
        counter = self.wanted.tracks[0] if self._exchange.faults.shared_chunks else track
        self._chunk[counter] += 1
        return MEDIA % (self._next(), self._sid, track.encode(), self._chunk[counter], timestamp, frame.text)

    def press(self, digit: str) -> None:
        """Tell of a key of the party. Only a bidirectional stream does."""
        if self.wanted.direction == "bidirectional" and self._wire is not None and self.live:
            body = protocol.DtmfBody(track="inbound_track", digit=digit)
            message = protocol.Dtmf(sequenceNumber=self._next(), streamSid=self.sid, dtmf=body)
            self._wire.send([protocol.encode(message)])

    def _next(self) -> int:
        self.sequence += 1
        return self.sequence

    # hearing from the server

    def _received(self, opcode: int, data: bytes) -> None:
        if self.wanted.direction == "bidirectional":
            self.replies.receive(opcode, data)
            return
        # Nothing may be sent on a unidirectional stream (31924: unsolicited messages).
        self._finish("unsolicited message", 31924, ERRORS[31924])
        self.close()

    def _return_mark(self, name: str) -> None:
        if self._wire is not None and self.live:
            body = protocol.MarkBody(name=name)
            mark = protocol.Mark(sequenceNumber=self._next(), streamSid=self.sid, mark=body)
            self._wire.send([protocol.encode(mark)])

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
        if self._wire is None:
            return
        body = protocol.StopBody(accountSid=self._source.call.account_sid, callSid=self._source.call.sid)
        stop = protocol.Stop(sequenceNumber=self._next(), streamSid=self.sid, stop=body)
        self._wire.send([protocol.encode(stop)])
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
        elif self.wanted.direction == "bidirectional":
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
