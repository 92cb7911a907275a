"""One leg: its status, its party, what it hears, its streams, and the program that it follows."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from emulator.audio.ear import Ear
from emulator.audio.sound import SILENCE, Frame
from emulator.media import limits
from emulator.media.socket import MediaStream, Wanted
from emulator.people.party import Party
from emulator.rooms.bridge import Bridge
from emulator.rooms.transcription import Transcription
from emulator.twiml import Step
from emulator.waiting import first
from emulator.webhooks.progress import Callbacks, Fallback, Progress
from emulator.world import Call, iso

if TYPE_CHECKING:
    from emulator.exchange import Exchange

logger = logging.getLogger("contactcenter.emulator")

MAX_KEYS = 1000


class Leg:
    """A live call. `over` is set when it has ended; everything else of it ends then too."""

    def __init__(
        self,
        exchange: Exchange,
        call: Call,
        party: Party,
        callbacks: Callbacks,
        fallback: Fallback | None = None,
    ) -> None:
        self.exchange = exchange
        self.call = call
        self.party = party
        self.progress = Progress(exchange, call, callbacks)
        self.fallback = fallback or Fallback()
        self.ear = Ear(exchange.pacer)
        self.streams: list[MediaStream] = []
        self.transcriptions: list[Transcription] = []
        self.bridge: Bridge | None = None
        self.parameters: dict[str, str] = {}
        self.digits = ""
        self.answered = asyncio.Event()
        self.over = asyncio.Event()
        self.before_bridge: Step | None = None
        self.endings: list[Callable[[], None]] = []
        self.listeners: list[Callable[[str], None]] = []
        self._program: asyncio.Task[None] | None = None
        # Whether it ever followed TwiML; what REST wants it to follow next; whether it is on the way there.
        self.followed = False
        self._wanted: Step | None = None
        self._leaving = False
        self._saying = False
        self._limits = 0
        party.attach(self)

    # status

    def ring(self) -> None:
        """It rings at the other end."""
        if self.call.live and not self.answered.is_set():
            self.call.become("ringing", self.exchange.world.clock.now())
            self.progress.announce("ringing")

    def answer(self) -> None:
        """It is answered; harmless when it was before, or has ended."""
        if self.call.live and not self.answered.is_set():
            self.call.become("in-progress", self.exchange.world.clock.now())
            self.answered.set()
            self.progress.announce("answered")
            self.party.notice("answered")

    def hang_up(self, reason: str = "hung up by the party") -> None:
        """This leg's party puts the telephone down."""
        self.finish("completed" if self.answered.is_set() else "no-answer", reason)

    def finish(self, status: str, reason: str) -> None:
        """End the leg with a terminal status; only the first end counts."""
        if not self.call.live:
            return
        self.call.become(status, self.exchange.world.clock.now())
        self.call.reason = reason
        for stream in self.streams:
            stream.stop("call ended")
        if self.bridge is not None:
            self.bridge.part()
        self.over.set()
        for ending in (*self.endings, self.party.ended):
            self._safely(ending)
        self.endings.clear()
        self.progress.announce("completed")
        self.exchange.ended(self)
        if self._program is not None and self._program is not asyncio.current_task():
            self._program.cancel()

    def dismiss(self, reason: str) -> None:
        """End it from our side: a call that was never answered is canceled."""
        self.finish("completed" if self.answered.is_set() else "canceled", reason)

    def _safely(self, ending: Callable[[], None]) -> None:
        """One thing that cannot end must not keep the others from it."""
        try:
            ending()
        except Exception:
            logger.exception("emulator.ending.failed")

    def limit(self, seconds: float) -> None:
        """End the call after that many seconds, which begin when it is answered, or now if it was.

        A later limit takes the place of an earlier one.
        """
        self._limits += 1
        mine = self._limits

        async def end() -> None:
            await first(self.answered.wait(), self.over.wait())
            await first(self.exchange.world.clock.sleep(seconds), self.over.wait())
            if mine == self._limits:
                self.finish("completed", "time limit of the call")

        self.exchange.courier.spawn(end())

    def note(self, code: int, message: str) -> None:
        """Write what Twilio's debugger would show of this call."""
        self.call.note(code, message, self.exchange.world.clock.now())

    # program

    def follow(self, step: Step, *, ends: bool = True) -> None:
        """Run the TwiML found at `step` as this leg's program; with `ends` the call ends when it does."""
        if self.exchange.closing:
            return
        self.followed = True
        self._program = asyncio.get_running_loop().create_task(self.exchange.run(self, step, ends))
        self._program.add_done_callback(self._program_is_over)

    def _program_is_over(self, program: asyncio.Task[None]) -> None:
        """A fault of the emulator itself is seen, and ends the call instead of leaving it for ever."""
        if self._program is program:
            # A cancelled task holds its frames, and they hold the leg: a circle that nobody needs.
            self._program = None
        if not program.cancelled() and (error := program.exception()) is not None:
            logger.error("emulator.program.failed", exc_info=error)
            self.finish("completed" if self.answered.is_set() else "failed", "fault of the emulator")

    async def redirect(self, step: Step) -> None:
        """Leave the running program, letting it clean up, and follow another (REST update).

        A leg has one program at a time: of several updates while one is being left the last counts.
        """
        self._wanted = step
        if self._leaving:
            return
        self._leaving = True
        try:
            if self.bridge is not None and self._program is None:
                # A leg that was dialled is taken out of the call; whoever dialled it goes on.
                self.bridge.part()
            await self.settle_program()
        finally:
            self._leaving = False
        if self.call.live and self._wanted is not None:
            wanted, self._wanted = self._wanted, None
            self.follow(wanted)

    async def settle_program(self) -> None:
        """Cancel the running program and wait until it has cleaned up."""
        if self._program is not None and self._program is not asyncio.current_task():
            self._program.cancel()
            await asyncio.gather(self._program, return_exceptions=True)

    async def listen_first(self) -> bool:
        """Play the callee what its noun's `url` says; whether it may be bridged then.

        Not when it hung up meanwhile, or was sent elsewhere by REST.
        """
        if self.before_bridge is not None and self.call.live and not self.elsewhere:
            self.follow(self.before_bridge, ends=False)
            if (whisper := self._program) is not None:
                await asyncio.wait({whisper})
        return self.call.live and not self.elsewhere

    @property
    def elsewhere(self) -> bool:
        """Whether it follows TwiML of its own, or is about to."""
        return self._program is not None or self._leaving

    # sound

    def says(self, tick: int) -> Frame:
        """The frame of this leg's party: the inbound track of its streams."""
        if self.call.status != "in-progress" or self._saying:
            # A call that is connected with itself in a circle would ask for ever.
            return SILENCE
        self._saying = True
        try:
            return self.party.frame(tick)
        finally:
            self._saying = False

    def hears(self, tick: int) -> Frame:
        """The frame played to this leg's party: the outbound track of its streams."""
        return self.ear.frame(tick)

    def take_over(self, party: Party) -> None:
        """Another party holds this leg's telephone from now on."""
        self.party.ended()
        self.party = party
        party.attach(self)
        if self.answered.is_set():
            party.notice("answered")

    def press(self, digit: str) -> None:
        """The party presses a key."""
        if self.call.status != "in-progress":
            return
        if len(self.call.keys) < MAX_KEYS:
            self.call.keys.append({"digit": digit, "at": iso(self.exchange.world.clock.now())})
        for stream in self.streams:
            stream.press(digit)
        for listener in list(self.listeners):
            listener(digit)
        if self.bridge is not None:
            self.bridge.other(self).party.hear_key(digit)

    # streams

    def open_stream(self, wanted: Wanted) -> MediaStream:
        """Start a stream; its socket is opened in the background. Raises limits.Refused."""
        limits.check_url(wanted.url)
        limits.check_parameters(wanted.parameters)
        limits.check_room(
            self.live_streams(),
            name=wanted.name,
            tracks=len(wanted.tracks),
            bidirectional=wanted.direction == "bidirectional",
        )
        stream = self.add_stream(wanted)
        self.exchange.courier.spawn(stream.open())
        return stream

    def refuse_stream(self, wanted: Wanted, refused: limits.Refused) -> MediaStream:
        """Write down a stream that TwiML asked for and that may not be; its callback hears of it."""
        stream = self.add_stream(wanted)
        stream.refuse(refused.code, refused.detail)
        return stream

    def add_stream(self, wanted: Wanted) -> MediaStream:
        """A stream of this leg, not yet opened."""
        stream = MediaStream(self.exchange, self, wanted)
        self.streams.append(stream)
        return stream

    def live_streams(self) -> list[MediaStream]:
        """Those that have not ended."""
        return [stream for stream in self.streams if stream.live]

    def stream(self, sid_or_name: str) -> MediaStream | None:
        """The live stream with this id or name."""
        return next((s for s in self.live_streams() if sid_or_name in {s.sid, s.name}), None)
