"""A caller, Twilio and the network before a voice, in virtual time; the emulator's playback is the judge."""

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from calls.briefing import Briefing
from calls.refusal import Refused
from emulator.media import frames
from emulator.media.replies import Replies
from streams.happenings import Frame
from streams.ingest import Ingest, Limits, Seen
from streams.live.mouth import Saying
from streams.live.outlet import Outlet
from streams.live.runner import Part, Runner, Told
from streams.playback import Piece
from streams.session import Session
from tests.streams import wire

TICK = 0.02
APART = 1e-6  # s: timers of one moment have no order, messages have
QUIET, VOICE = b"\xff" * 160, b"\x20" * 160
DECIDES_MS = 120  # of speech, until the ear is sure
WORD_BYTES = 8 * 250  # our speaker takes a quarter of a second for a word


@dataclass
class Verdict:
    began: bool = False
    speaking: bool = False
    since: int = 0
    ended: int | None = None


class Ear:
    """Knows speech by its bytes; as unsure at its beginning as a real one."""

    def __init__(self) -> None:
        self._spoken = 0
        self._quiet = 0
        self._since = self._next_ms = 0

    def heard(self, payload: bytes, at_ms: int) -> Verdict:
        if at_ms - self._next_ms > 200:
            self._spoken = 0
        self._next_ms = at_ms + 20
        if payload == VOICE:
            self._since = self._since if self._spoken else at_ms
            self._spoken, self._quiet = self._spoken + 20, 0
            began, speaking = self._spoken == DECIDES_MS, self._spoken >= DECIDES_MS
            return Verdict(began, speaking, self._since)
        self._quiet += 20
        ended = at_ms - self._quiet + 20 if self._spoken >= DECIDES_MS and self._quiet == 200 else None
        if self._quiet >= 200:
            self._spoken = 0
        return Verdict(False, self._spoken >= DECIDES_MS, self._since, ended)

    def played(self, ulaw: bytes) -> None:
        """It never hears us."""


class Speaker:
    """Speaks each word for a quarter of a second, after a moment."""

    def __init__(self, seconds: Callable[[], float] = lambda: 0.03) -> None:
        self._seconds = seconds
        self.asked: list[tuple[str, bool]] = []

    async def speak(self, text: str, language: str, *, keep: bool = True) -> bytes:
        self.asked.append((text, keep))
        await asyncio.sleep(self._seconds())
        return b"\x55" * (WORD_BYTES * len(text.split()))


@dataclass
class Office:
    """Notes what it is asked to do; `actions` says which there are and which end the conversation."""

    actions: dict[str, bool] = field(default_factory=lambda: {"person": True, "callback": False})
    did: list[tuple[str, ...]] = field(default_factory=list)

    async def perform(self, name: str, *, reason: str, due: str) -> bool:
        if name not in self.actions:
            raise Refused("no_action", f"There is no action {name}.")
        self.did.append(("perform", name, reason, due))
        return self.actions[name]

    async def fact(self, name: str, value: str) -> None:
        self.did.append(("fact", name, value))

    async def place(self, at: str) -> None:
        self.did.append(("place", at))

    async def verify(self, *, then: str, failed: str) -> None:
        self.did.append(("verify", then, failed))

    async def give_up(self) -> None:
        self.did.append(("give_up",))

    async def goodbye(self, text: str) -> None:
        self.did.append(("goodbye", text))


def at_once(chance: random.Random) -> float:
    """No network between us and Twilio."""
    return 0.0


class Conversation:
    """One call. `delay` is the time of the network each way in seconds; `lose` how likely a mark is lost.
    Whose carrier `suppresses` silence sends no frames of it.
    """

    def __init__(
        self,
        voice: Any,
        *,
        seed: int = 0,
        delay: Callable[[random.Random], float] = at_once,
        lose: float = 0.0,
        ear: Ear | None = None,
        speaker: Any = None,
        has_words: bool = True,
        suppresses: bool = False,
        briefing: Briefing | None = None,
    ) -> None:
        self.chance = random.Random(seed)
        self.office = Office()
        self.lines: list[Saying] = []
        self.turns: list[tuple[int, int, int]] = []
        self.sounded: list[tuple[int, bytes]] = []
        self.over: list[str] = []
        self.warned: list[int] = []
        self.heard: list[Piece] = []
        self.sent: dict[str, Piece] = {}
        self.lost: set[str] = set()
        self.under_way: set[str] = set()  # marks between Twilio and us
        self.excused: set[str] = set()  # were still to be told of when we sent `clear`, or closed
        self._loop = asyncio.get_running_loop()
        self._delay, self._lose = delay, lose
        self._suppresses = suppresses
        self._there = self._back = 0.0
        self._sequence = 1
        self._saying = 0.0  # until then the caller speaks
        self.at_ms = 0
        self.outlet = Outlet()
        self.ingest = Ingest(Session("bidirectional"), limits=Limits(per_second=0))
        for text in (wire.CONNECTED, wire.start("inbound")):
            self.ingest.feed(text)
        self.judge = Replies(wire.SID, self.warned.append, self._returns)
        told = Told(
            said=self.lines.append,
            moved=lambda _: None,
            turned=lambda *facts: self.turns.append(facts),
            sound=lambda at_ms, sound: self.sounded.append((at_ms, sound)),
            over=self._over,
        )
        part = Part(
            voice=voice,
            briefing=briefing or Briefing(1, "Test", "test"),
            office=self.office,
            speaker=speaker or Speaker(),
            ear=ear if ear is not None else Ear(),
            has_words=has_words,
        )
        self.runner = Runner(self.ingest.session, self.outlet, part, told)
        self._watch_beliefs()

    async def last(self, seconds: float = 120.0) -> "Conversation":
        """Until the voice or the time is over."""
        self.runner.begin()
        writing = asyncio.create_task(self._write())
        end = self._loop.time() + seconds
        due = self._loop.time()
        while not self.over and self._loop.time() < end:
            due += TICK
            await asyncio.sleep(due - self._loop.time())
            self._tick()
        self.hang_up()
        writing.cancel()
        self.judge.end()
        await asyncio.sleep(1)
        return self

    # -- what the caller does ---------------------------------------------------------------------

    def speaks(self, text: str, seconds: float = 1.0) -> None:
        """Say this; the engine has it half a second after its end. Without a text it is a cough."""
        self._saying = max(self._saying, self._loop.time()) + seconds
        start, end = self.at_ms, self.at_ms + round(seconds * 1000)
        if text:
            self._loop.call_later(min(0.5, seconds), self.runner.partial)
            self._loop.call_later(seconds + 0.6, lambda: self.runner.words(text, start, end, 0.9))

    def presses(self, digit: str) -> None:
        """Press a key."""
        self._feed(wire.dtmf(self._next(), digit))

    def hang_up(self) -> None:
        """The socket ends."""
        self._excuse()
        self.runner.end()

    # -- the truth --------------------------------------------------------------------------------

    def played(self) -> set[str]:
        """The pieces that the caller has heard to their end, by Twilio's own account."""
        discarded: set[str] = set()
        returned: set[str] = set()
        for command in self.judge.commands:
            if command["event"] == "clear":
                discarded |= set(command["marks"])
            elif command["event"] == "mark-returned":
                returned.add(command["name"])
        return returned - discarded

    def believed(self) -> set[str]:
        """The pieces that we believe the caller has heard."""
        return {piece.name for piece in self.heard}

    # -- inside -----------------------------------------------------------------------------------

    def _tick(self) -> None:
        speaking = self._loop.time() < self._saying
        if self._suppresses and not speaking:
            self.at_ms += 20
            self.judge.play()
            return
        text = wire.media(
            self._next(), self.at_ms, chunk=self.at_ms // 20 + 1, payload=VOICE if speaking else QUIET
        )
        self.at_ms += 20
        self._feed(text)
        self.judge.play()

    def _feed(self, text: str) -> None:
        seen = self.ingest.feed(text)
        if seen is Seen.MEDIA:
            for happening in self.ingest.happened:
                if isinstance(happening, Frame):
                    self.runner.hear(happening.payload, happening.at_ms)
        elif seen is Seen.KEY:
            key: Any = self.ingest.happened[0]
            self.runner.key(key.digit, key.at_ms)
        elif seen is Seen.MARK:
            mark: Any = self.ingest.happened[0]
            self.runner.mark(mark.name)
        else:
            raise AssertionError(self.ingest.error)

    def _next(self) -> int:
        self._sequence += 1
        return self._sequence

    async def _write(self) -> None:
        """The transport: what we send arrives in order, some time later."""
        while True:
            text = await self.outlet.get()
            if self._delay is at_once:
                self.judge.receive(frames.TEXT, text.encode())
                continue
            self._there = max(self._there + APART, self._loop.time() + self._delay(self.chance))
            self._loop.call_at(self._there, self.judge.receive, frames.TEXT, text.encode())

    def _returns(self, name: str) -> None:
        if self.chance.random() < self._lose:
            self.lost.add(name)
            return
        self.under_way.add(name)
        self._back = max(self._back + APART, self._loop.time() + self._delay(self.chance))
        self._loop.call_at(self._back, self._arrives, name)

    def _arrives(self, name: str) -> None:
        self.under_way.discard(name)
        if not self.runner.is_over:
            self._feed(wire.mark(self._next(), name))

    def _over(self, why: str) -> None:
        self._excuse()
        self.over.append(why)

    def _excuse(self) -> None:
        """What we give up now may have been played, or be played until Twilio knows of it."""
        self.excused |= self.sent.keys() - self.believed()

    def _watch_beliefs(self) -> None:
        playback = self.runner.mouth.playback
        returned, sent, clear = playback.returned, playback.sent, playback.clear

        def hear(name: str) -> list[Piece]:
            heard = returned(name)
            self.heard += heard
            return heard

        def send(piece: Piece, now_ms: float) -> None:
            self.sent[piece.name] = piece
            sent(piece, now_ms)

        def discard(now_ms: float) -> list[Piece]:
            discarded = clear(now_ms)
            self.excused |= {piece.name for piece in discarded}
            return discarded

        playback.returned, playback.sent = hear, send  # type: ignore[method-assign]
        playback.clear = discard  # type: ignore[method-assign]
