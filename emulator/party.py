"""The people on the line: what each says at each tick, and one conversation that they share."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from emulator.clock import Clock
from emulator.pacing import TICK_MS, TICK_S, Pacer
from emulator.scripts import BETWEEN_KEYS_S, Part, Script
from emulator.sound import SILENCE, Frame, Library


@dataclass(frozen=True)
class Spoken:
    """A piece of a recording, the ticks [start, end) in which it was said; `skipped_ms` into the file."""

    file: str
    channel: str
    start: int
    end: int
    skipped_ms: int = 0

    def within(self, start: int, end: int) -> Spoken | None:
        """The part of it that falls into these ticks."""
        first, last = max(start, self.start), min(end, self.end)
        if first >= last:
            return None
        skipped = self.skipped_ms + (first - self.start) * TICK_MS
        return Spoken(self.file, self.channel, first, last, skipped)


class Conversation:
    """Begins once for both: when they are connected, or when the caller is listened to by a program."""

    def __init__(
        self,
        script: Script,
        library: Library,
        clock: Clock,
        pacer: Pacer,
        spawn: Callable[[Coroutine[Any, Any, Any]], None],
    ) -> None:
        self.script = script
        self.begin_tick: int | None = None
        self._clock = clock
        self._pacer = pacer
        self._spawn = spawn
        self.caller = Party(script.caller, self, library)
        self.callee = Party(script.callee, self, library)
        spawn(self._lose_patience())

    def begin(self) -> None:
        """Start the recordings with the next tick; a second beginning changes nothing."""
        if self.begin_tick is not None:
            return
        self.begin_tick = self._pacer.number + 1
        self._spawn(self._hang_up_at_the_end())
        for party in (self.caller, self.callee):
            for keys in party.part.keys:
                self._spawn(self._press(party, keys.digits, keys.at))

    async def _hang_up_at_the_end(self) -> None:
        # In ticks: a loop that is late is late with the sound as well.
        end = self._clock.seconds() + self.script.hangup_after + TICK_S
        await self._clock.sleep_until(end)
        (self.callee if self.script.hangup_by == "callee" else self.caller).hang_up()

    async def _lose_patience(self) -> None:
        await self._clock.sleep(self.script.patience)
        if self.begin_tick is None:
            self.caller.hang_up()

    async def _press(self, party: Party, digits: str, at: float) -> None:
        await self._clock.sleep(at)
        for digit in digits:
            party.press(digit)
            await self._clock.sleep(BETWEEN_KEYS_S)


class Party:
    """One person. `hang_up` and `press` are connected to the person's leg when there is one."""

    def __init__(self, part: Part, conversation: Conversation, library: Library) -> None:
        self.part = part
        self.conversation = conversation
        self.hang_up: Callable[[], None] = lambda: None
        self.press: Callable[[str], None] = lambda digit: None
        plays = sorted(part.plays, key=lambda play: play.at)
        self._starts = [round(play.at / TICK_S) for play in plays]
        self._sounds = [library.sound(play.file, play.channel) for play in plays]

    def frame(self, tick: int) -> Frame:
        """The frame said at this tick; a later recording cuts an earlier one off."""
        begin = self.conversation.begin_tick
        if begin is None:
            return SILENCE
        since = tick - begin
        which = bisect_right(self._starts, since) - 1
        if which < 0:
            return SILENCE
        frames = self._sounds[which].frames
        at = since - self._starts[which]
        return frames[at] if at < len(frames) else SILENCE

    def spoken(self, start: int, end: int) -> list[Spoken]:
        """What was said in the ticks [start, end), for the truth log."""
        begin = self.conversation.begin_tick
        if begin is None:
            return []
        cuts = [*self._starts[1:], 1 << 62]
        pieces = [
            Spoken(sound.file, sound.channel, begin + at, begin + min(at + len(sound.frames), cut))
            for at, sound, cut in zip(self._starts, self._sounds, cuts, strict=False)  # no sound: no piece
        ]
        return [part for piece in pieces if (part := piece.within(start, end)) is not None]
