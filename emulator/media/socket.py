"""One media stream: Twilio's end of the socket, what flows on it, what its server says, and its ends."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal

from emulator.audio.sound import SILENCE
from emulator.faults import Faults
from emulator.media import handshake, messages
from emulator.media.outlet import Outlet
from emulator.media.replay import Replay
from emulator.media.replies import Replies
from emulator.media.wanted import Source, Wanted
from emulator.media.wire import ConnectError, Wire
from emulator.pacing import TICK_MS
from emulator.world import iso

if TYPE_CHECKING:
    from emulator.exchange import Exchange

__all__ = ["MediaStream", "Source", "Wanted"]

logger = logging.getLogger("contactcenter.emulator")

MAX_REPLAYS = 100
ERRORS = {
    31900: "Stream - Unknown Error",
    31903: "Stream - Websocket - Connection Broken",
    31921: "Stream - Websocket - Close Error",
    31924: "Stream - Websocket - Protocol Error",
}


class MediaStream:
    """One stream of one leg; `over` is set once it has ended in whatever way."""

    def __init__(self, exchange: Exchange, source: Source, wanted: Wanted) -> None:
        self._exchange = exchange
        self._source = source
        self.wanted = wanted
        self.sid = source.call.new_sid("MZ")
        self.name = wanted.name or self.sid
        self.status: Literal["in-progress", "stopped"] = "in-progress"
        self.created = self.updated = exchange.world.clock.now()
        self.ended: datetime | None = None
        self.reason = ""
        self.error = 0
        self.over = asyncio.Event()
        # Twilio's first timestamp is small but seldom 0.
        first_ms = source.call.chance.randrange(0, 80)
        self.outlet = Outlet(self.sid, wanted.tracks, first_ms, exchange.luck, self._warn)
        if exchange.shelf is not None:
            exchange.shelf.keep(self.outlet.tracks.values())
        self.warnings: list[int] = []
        self.replies = Replies(self.sid, self._warn, self._return_mark)
        self.replays: list[dict[str, Any]] = []
        self._speaks = self.listens = wanted.direction == "bidirectional"
        self._signature: str | None = None
        self._wire: Wire | None = None
        self._switchboard = exchange.faults
        self._faults_seen = -1
        self._eventful = True
        self.phase_s = 0.0
        self._ends: list[tuple[int, Callable[[], None]]] = []

    @property
    def live(self) -> bool:
        """Whether it has not ended."""
        return self.status == "in-progress"

    @property
    def unidirectional_tracks(self) -> int:
        """How many of a call's four tracks it takes."""
        return 0 if self._speaks else len(self.wanted.tracks)

    @property
    def first_tick(self) -> int:
        """The tick of its first frame; 0 before it flows."""
        return self.outlet.first_tick

    @property
    def last_tick(self) -> int:
        """The tick of its last frame so far; 0 for none."""
        return self.outlet.last_tick

    @property
    def sent(self) -> dict[str, int]:
        """Frames written to the socket, per track."""
        return {name: track.frames for name, track in self.outlet.tracks.items()}

    @property
    def replayable(self) -> bool:
        """Whether it opened, and was not replayed too often already."""
        return self._wire is not None and len(self.replays) < MAX_REPLAYS

    # opening

    async def open(self) -> None:
        """Connect, say `connected` and `start`, and let the media flow; a failure ends the stream."""
        world = self._exchange.world
        self._look_at_faults()
        wire = Wire(self._received, self._gone, world.clock.hold, self._exchange.pacer.cork)
        wire.read_slowly(self._faults().slow_reader)
        self._signature = self._sign()
        try:
            with world.clock.hold():
                await wire.connect(self.wanted.url, self._signature)
        except ConnectError as error:
            self._finish("not connected", error.code, error.detail)
            return
        except Exception:
            # Whatever an address does to a resolver: the stream has an end, and <Connect> goes on.
            logger.exception("emulator.stream.failed")
            self._finish("not connected", 31900, ERRORS[31900])
            return
        if not self.live:
            wire.abort()
            return
        self._begin(wire)

    def _begin(self, wire: Wire) -> None:
        self._wire = wire
        self.outlet.begin(wire, self._source, self._exchange.pacer.number + 1)
        wire.send([messages.connected()])
        self.outlet.say(self._start)
        self.phase_s = self._exchange.pacer.add(self)
        self._report("stream-started")

    def _sign(self) -> str | None:
        token = self._exchange.world.account.token(self._source.call.region)
        return handshake.signature(token, self.wanted.url, self._faults())

    def _start(self, number: int) -> bytes:
        wanted = self.wanted
        return messages.start(number, self.sid, self._source.call, wanted.tracks, dict(wanted.parameters))

    def _faults(self) -> Faults:
        return self._switchboard.of(self._source.call.sid)

    def _look_at_faults(self) -> None:
        """Take what was switched: how bad the line is, and when the connection shall break."""
        faults = self._faults()
        self._faults_seen = self._switchboard.version
        self.outlet.suffer(faults)
        planned = (
            (faults.drop_stream_after_ms, self.drop),
            (faults.fin_stream_after_ms, self.fin),
            (faults.sever_after_ms, self.sever),
        )
        self._ends = [(ms // TICK_MS, end) for ms, end in planned if ms]
        self._eventful = self._speaks or bool(self._ends)
        if self._wire is not None:
            self._wire.read_slowly(faults.slow_reader)

    # flowing

    def tick(self, number: int) -> None:
        """Send what is due at this tick: one frame per track, in one write."""
        try:
            if self._switchboard.version != self._faults_seen:
                self._look_at_faults()
            if self._eventful and not self._flows(number):
                return
            self.outlet.flow(number)
        except Exception:
            # One stream's fault must not silence the others.
            logger.exception("emulator.tick.failed")
            self._finish("fault of the emulator", 31900, ERRORS[31900])
            self.close()

    def _flows(self, number: int) -> bool:
        """Do what comes before the sound of this tick; False when there is none any more."""
        if self._ends and self._breaks(number):
            return False
        if self._speaks:
            self.replies.play()
        return True

    def _breaks(self, number: int) -> bool:
        """Break the connection if it is planned for now."""
        due = [end for after, end in self._ends if number - self.first_tick >= after]
        if not due:
            return False
        self._ends = []
        if not self._switchboard.count_down("drop_times", self._source.call.sid):
            return False
        due[0]()
        return True

    def press(self, digit: str) -> None:
        """Tell of a key of the party. Only a bidirectional stream does."""
        if self._speaks and self._wire is not None and self.live:
            self.outlet.say(lambda number: messages.dtmf(number, self.sid, digit))

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
            self.outlet.say(lambda number: messages.mark(number, self.sid, name))

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
            self.outlet.finish(lambda number: messages.stop(number, self.sid, self._source.call))
            self._exchange.courier.spawn(self._wire.close())

    def drop(self) -> None:
        """Fault: reset the connection without `stop`, as a broken network does."""
        self._finish("dropped by a fault", 31903, ERRORS[31903])
        self.close()

    def fin(self) -> None:
        """Fault: end the connection without `stop` or a closing message, as a dying program does."""
        self._finish("ended by a fault", 31903, ERRORS[31903])
        if self._wire is not None:
            self._exchange.courier.spawn(self._wire.end())

    def sever(self) -> None:
        """Fault: go silent with the connection half open; the server is told nothing in any way."""
        self._finish("severed by a fault", told=False)
        if self._wire is not None:
            self._wire.fall_silent()

    def replay(self) -> None:
        """Fault: somebody else opens the same socket with the old signature and the old words."""
        track = next(iter(self.outlet.tracks.values()))
        words = [messages.connected(), self._start(1)]
        words.append(track.sheet % (2, 1, self.outlet.first_ms, SILENCE.text))
        replay = Replay(self._exchange.world.clock, self.wanted.url, self._signature, words)
        self.replays.append(replay.facts)
        self._exchange.courier.spawn(replay.run())

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
        self.outlet.end()
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
