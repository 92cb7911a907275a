"""The people on the line: what each says at each tick, waits for and does, and what they share."""

from __future__ import annotations

import asyncio
from bisect import bisect_right, insort
from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, Protocol

from emulator.audio.ear import Spoken
from emulator.audio.sound import SILENCE, Frame, Library, Sound, Word
from emulator.audio.speech import Voice, words_of
from emulator.clock import Clock
from emulator.pacing import TICK_MS, TICK_S, Pacer
from emulator.people.scripts import BETWEEN_KEYS_S, LAST_WORD_S, Act, Part, Script

RINGS_AFTER_S = 0.2
MAX_NOTICED = 1000


class Line(Protocol):
    """What a party can do with its telephone: the leg, as the party sees it."""

    def ring(self) -> None: ...
    def answer(self) -> None: ...
    def hang_up(self) -> None: ...
    def press(self, digit: str) -> None: ...
    def finish(self, status: str, reason: str) -> None: ...


class Party(Protocol):
    """Whoever is at the other end of a leg: a scripted person, a browser, another call."""

    conversation: Conversation | None

    def frame(self, tick: int) -> Frame:
        """What it says at this tick."""
        ...

    def spoken(self, start: int, end: int) -> list[Spoken]:
        """Which recordings it spoke in the ticks [start, end)."""
        ...

    def words(self, start: int, end: int) -> list[str]:
        """The words that it finished in the ticks [start, end), as far as they are known."""
        ...

    def notice(self, event: str) -> None:
        """Something that a person on the telephone would notice has happened (scripts.EVENTS)."""
        ...

    def hear_key(self, digit: str) -> None:
        """Whoever it is connected with presses a key."""
        ...

    def attach(self, line: Line) -> None:
        """This is its telephone now."""
        ...

    async def called(self, line: Line) -> None:
        """Its telephone rings: ring, then answer or not. Cancelled when the caller gives up."""
        ...

    def ended(self) -> None:
        """The call is over."""
        ...


@dataclass(frozen=True)
class Stage:
    """What people need to play their parts."""

    library: Library
    clock: Clock
    pacer: Pacer
    voice: Voice
    spawn: Callable[[Coroutine[Any, Any, Any]], None]


class Conversation:
    """Begins once for both: when they are connected, or when the caller is listened to by a program."""

    def __init__(self, script: Script, stage: Stage) -> None:
        self.script = script
        self.stage = stage
        self.begun = False
        self.caller = Person(script.caller, self)
        self.callee = Person(script.callee, self)
        stage.spawn(self._lose_patience())

    @property
    def idle(self) -> bool:
        """Whether it is no script at all: somebody who answers and listens."""
        return not self.script.name

    def begin(self) -> None:
        """Start the recordings with the next tick; a second beginning changes nothing."""
        if self.begun:
            return
        self.begun = True
        if self.script.hangup_after is not None:
            self.stage.spawn(self._hang_up_at_the_end(self.script.hangup_after))
        for person in (self.caller, self.callee):
            person.play_along()

    async def _hang_up_at_the_end(self, after: float) -> None:
        # In ticks: a loop that is late is late with the sound as well.
        await self.stage.clock.sleep_until(self.stage.clock.seconds() + after + TICK_S)
        (self.callee if self.script.hangup_by == "callee" else self.caller).hang_up()

    async def _lose_patience(self) -> None:
        await self.stage.clock.sleep(self.script.patience)
        if not self.begun and not self.caller.part.does:
            self.caller.hang_up()


@dataclass(order=True)
class Utterance:
    """A sound that a person makes from tick `start` on, and the words in it."""

    start: int
    sound: Sound = field(compare=False)
    words: list[Word] = field(compare=False)
    text: str = field(compare=False, default="")


class Person:
    """One scripted person."""

    def __init__(self, part: Part, conversation: Conversation) -> None:
        self.part = part
        self.conversation: Conversation | None = conversation
        self._stage = conversation.stage
        self._patience = conversation.script.patience
        self._line: Line | None = None
        self._said: list[Utterance] = []
        self._starts: list[int] = []
        # What happened since the last event that was waited for, oldest first.
        self._noticed: deque[str] = deque(maxlen=MAX_NOTICED)
        self._changed = asyncio.Event()
        self._doing = False

    # the telephone

    @property
    def free(self) -> bool:
        """Whether it has no telephone yet."""
        return self._line is None

    @property
    def replaceable(self) -> bool:
        """Whether somebody with a part in another script may hold its telephone: it has done nothing yet."""
        own = self.conversation
        return own is not None and not own.begun and not self.part.does and (self is own.caller or own.idle)

    def attach(self, line: Line) -> None:
        """Take up the telephone; what the script lets them do by steps begins to wait."""
        self._line = line
        if self.part.does and not self._doing:
            self._doing = True
            self._stage.spawn(self._do())

    async def called(self, line: Line) -> None:
        """Ring, and answer or decline as the script says."""
        await self._stage.clock.sleep(RINGS_AFTER_S)
        if self.part.reply == "failed":
            line.finish("failed", "unreachable")
            return
        line.ring()
        await self._stage.clock.sleep(self.part.answer_after)
        if self.part.reply == "answers":
            line.answer()
        elif self.part.reply == "busy":
            line.finish("busy", "busy")

    def ended(self) -> None:
        """The call is over; whoever still waits stops waiting."""
        self._line = None
        self._changed.set()

    def hang_up(self) -> None:
        """Put the telephone down."""
        if self._line is not None:
            self._line.hang_up()

    def notice(self, event: str) -> None:
        """Notice something; a step may wait for it."""
        self._noticed.append(event)
        self._changed.set()

    def hear_key(self, digit: str) -> None:
        """A tone: people do nothing about it."""

    # sound

    def frame(self, tick: int) -> Frame:
        """The frame said at this tick; a later recording cuts an earlier one off."""
        which = bisect_right(self._starts, tick) - 1
        if which < 0:
            return SILENCE
        frames = self._said[which].sound.frames
        at = tick - self._starts[which]
        return frames[at] if at < len(frames) else SILENCE

    def spoken(self, start: int, end: int) -> list[Spoken]:
        """What was said in the ticks [start, end), for the truth log."""
        pieces = [
            Spoken(one.sound.file, one.sound.channel, one.start, last, text=one.text)
            for one, last in self._with_ends()
        ]
        return [part for piece in pieces if (part := piece.within(start, end)) is not None]

    def words(self, start: int, end: int) -> list[str]:
        """The words finished in the ticks [start, end)."""
        found: list[str] = []
        for one, last in self._with_ends():
            for word in one.words:
                at = one.start + (word.end_ms - 1) // TICK_MS
                if start <= at < min(end, last):
                    found.append(word.text)
        return found

    def _with_ends(self) -> list[tuple[Utterance, int]]:
        """Each utterance and the tick at which it is over or cut off."""
        cuts = [*self._starts[1:], 1 << 62]
        return [
            (one, min(one.start + len(one.sound.frames), cut))
            for one, cut in zip(self._said, cuts, strict=False)  # nothing said: one cut and no utterance
        ]

    def _utter(self, start: int, sound: Sound, words: list[Word], text: str = "") -> None:
        insort(self._said, Utterance(start, sound, words, text))
        self._starts = [one.start for one in self._said]

    def _play(self, file: str, channel: str, start: int) -> Sound:
        sound = self._stage.library.sound(file, channel)
        self._utter(start, sound, self._stage.library.words(file, channel))
        return sound

    # what the script lets them do

    def play_along(self) -> None:
        """The conversation has begun: speak and press at the script's times."""
        now = self._stage.pacer.number + 1
        for play in self.part.plays:
            self._play(play.file, play.channel, now + round(play.at / TICK_S))
        for keys in self.part.keys:
            self._stage.spawn(self._press(keys.digits, keys.at))

    async def _press(self, digits: str, after: float = 0.0) -> None:
        await self._stage.clock.sleep(after)
        for digit in digits:
            if self._line is not None:
                self._line.press(digit)
            await self._stage.clock.sleep(BETWEEN_KEYS_S)

    async def _do(self) -> None:
        """One step after the other; who waits in vain, or has done all, hangs up."""
        for number, act in enumerate(self.part.does):
            if not await self._until(act.wait or ("answered" if number == 0 else "")):
                self.hang_up()
                return
            await self._stage.clock.sleep(act.after)
            if self._line is None:
                return
            await self._act(act)
            if act.hang_up:
                return
        if self.conversation is not None and self.conversation.script.hangup_after is None:
            await self._stage.clock.sleep(LAST_WORD_S)
            self.hang_up()

    async def _act(self, act: Act) -> None:
        if act.hang_up:
            self.hang_up()
        elif act.press:
            await self._press(act.press)
        elif act.play:
            sound = self._play(act.play, act.channel, self._stage.pacer.number + 1)
            await self._stage.clock.sleep(sound.ms / 1000)
        elif act.say:
            with self._stage.clock.hold():
                sound = await self._stage.voice.speak(act.say)
            self._utter(self._stage.pacer.number + 1, sound, words_of(act.say, sound.ms), act.say)
            await self._stage.clock.sleep(sound.ms / 1000)

    async def _until(self, event: str) -> bool:
        """Wait for the next such event after the last waited for; False when patience or the call ended."""
        if not event:
            return True
        waiting = asyncio.ensure_future(self._next(event))
        patience = asyncio.ensure_future(self._stage.clock.sleep(self._patience))
        try:
            await asyncio.wait({waiting, patience}, return_when=asyncio.FIRST_COMPLETED)
            return waiting.done() and waiting.result()
        finally:
            waiting.cancel()
            patience.cancel()

    async def _next(self, event: str) -> bool:
        while event not in self._noticed:
            if self._line is None:
                return False
            self._changed.clear()
            await self._changed.wait()
        while self._noticed.popleft() != event:
            pass
        return True
