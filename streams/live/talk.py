"""The conversation as a voice sees it: what `streams.voices.base.Talk` promises, on a live stream."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from textwrap import wrap
from typing import TYPE_CHECKING, Any, Final, Protocol

from calls import matching, spoken
from calls.path import GOODBYE
from calls.refusal import Refused
from streams.voices.base import Ended, Event, Key, NotAllowed, Said, Silence, Words

if TYPE_CHECKING:
    from streams.live.runner import Runner

__all__ = ["LiveTalk", "Office"]

QUEUED_MS: Final = 10_000
"""So much may wait to be said; who says more waits."""
ANSWER_SECONDS: Final = 8.0
BETWEEN_DIGITS_SECONDS: Final = 2.0
BETWEEN_KEYS_SECONDS: Final = 0.6
COUGH_SECONDS: Final = 1.2
"""Who fell silent so long ago without a word had only coughed: we go on with what they have not heard."""
FINISH_SECONDS: Final = 4.0
"""So long a caller who speaks already is let finish; longer speaks a television."""
FETCHED_SECONDS: Final = 10.0
"""Who is being fetched from the voice is: did we close the stream too, they would be fetched out of where it
leads.
"""
RESUMED: Final = 2
TRIES: Final = 3
WORDLESS: Final = 5
"""So many answers without a digit are borne while digits are asked for; then it is asked again."""
_FAREWELL_SECONDS = 10.0
_LOOK_SECONDS = 0.5
PIECE: Final = 500
"""Characters made at once: cells of a table may make a sentence longer than an engine takes."""
_SENTENCE = re.compile(r"(?<=[.?!])\s+")
_HEADERS: Final = frozenset({b"RIFF", b"RIFX", b"OggS", b"fLaC", b".snd", b"caff"})
_KEYED: Final = {"1": True, "2": False}


class Office(Protocol):
    """What a conversation may have done (calls.services.actions). Each raises Refused."""

    async def perform(self, name: str, *, reason: str, due: str) -> bool:
        """Take an action; True when the conversation ends with it."""
        ...

    async def fact(self, name: str, value: str) -> None: ...
    async def place(self, at: str) -> None: ...
    async def verify(self, *, then: str, failed: str) -> None: ...
    async def goodbye(self, text: str) -> None: ...
    async def give_up(self) -> None: ...


class LiveTalk:
    """One voice's talk with one caller."""

    def __init__(self, runner: Runner) -> None:
        self.briefing = runner.part.briefing
        self._runner = runner
        self._mouth = runner.mouth
        self._office = runner.part.office
        self._loop = asyncio.get_running_loop()
        self._own_text = " ".join(self.briefing.text.split())

    # -- saying -------------------------------------------------------------------------------------

    async def say(self, text: str, *, interruptible: bool = True) -> Said:
        """Speak, and return when the caller has heard it or interrupted it. A cough is no interruption."""
        self._mouth.take_said()
        try:
            return await self._say_all(text, interruptible)
        finally:
            self._runner.saying_since = None

    async def _say_all(self, text: str, interruptible: bool) -> Said:
        heard: list[Said] = []
        rest = text
        for _ in range(RESUMED + 1):
            before = self._runner.interruptions
            said = await self._say(rest, interruptible)
            heard.append(said)
            rest = _rest(rest, said.text)
            # Without an interruption marks were lost: the caller has probably heard it, and hears it once.
            if self._runner.interruptions == before or not rest or await self._was_meant():
                break
        return Said(
            " ".join(said.text for said in heard if said.text),
            sum(said.ms for said in heard),
            heard[-1].whole,
            self._runner.saying_since or 0,
        )

    async def _say(self, text: str, interruptible: bool) -> Said:
        """Sentence by sentence: the first sounds while the next is made."""
        self._alive()
        before, usual = self._runner.interruptions, self._runner.interruptible
        self._runner.interruptible = interruptible and usual
        self._runner.waiting_out += 1
        try:
            if await self._let_finish(interruptible):
                return Said("", 0, False)
            if self._runner.saying_since is None:
                self._runner.saying_since = self._runner.position_ms
            for sentence in _sentences(text):
                sound = await self._speak(sentence)
                if self._runner.interruptions != before:
                    break
                self._mouth.put(sound, sentence)
            said = await self.heard_out()
        finally:
            self._runner.waiting_out -= 1
            self._runner.interruptible = usual
        return said if self._runner.interruptions == before else Said(said.text, said.ms, False)

    async def _let_finish(self, interruptible: bool) -> bool:
        """Let a caller who is speaking already finish; whether they said something to be heard first."""
        runner = self._runner
        if not runner.is_told:
            return False
        end = self._loop.time() + FINISH_SECONDS
        while runner.is_hearing and not runner.inbox.has_events and self._loop.time() < end:
            await runner.inbox.something(_LOOK_SECONDS, sound=False)
            self._alive()
        if interruptible and runner.wants_words and not runner.is_hearing:
            await runner.inbox.something(COUGH_SECONDS, sound=False)
            self._alive()
        return interruptible and runner.inbox.has_events

    async def _speak(self, sentence: str) -> bytes:
        """Its sound; only what the voice says to everybody is kept on the disk."""
        keep = " ".join(sentence.split()) in self._own_text
        language = self.briefing.language
        sound: bytes = await self._runner.part.speaker.speak(sentence, language, keep=keep)
        return sound

    async def _was_meant(self) -> bool:
        """Whether who interrupted has something to say: a key, or words that an engine makes out."""
        runner = self._runner
        if runner.by_key or not runner.wants_words:
            return True
        began = self._loop.time()
        while not runner.is_over:
            if runner.speech_at >= began or self._runner.by_key:
                return True
            quiet = 0.0 if runner.is_hearing else self._loop.time() - max(runner.ended_at, began)
            if quiet > COUGH_SECONDS:
                return False
            await runner.inbox.something(COUGH_SECONDS - quiet + 0.01, sound=False)
            if runner.inbox.has_events:
                return True
        raise Ended

    async def play(self, ulaw: bytes, text: str = "") -> None:
        """Queue sound; waits while ten seconds are queued. Raises ValueError for sound with a file's header:
        Twilio would play it as noise.
        """
        self._alive()
        if bytes(ulaw[:4]) in _HEADERS:
            raise ValueError("sound is played without a file's header: mu-law, 8 kHz, mono")
        self._mouth.put(ulaw, text)
        while self._mouth.queued_ms > QUEUED_MS:
            await self._mouth.changed(1.0)
            self._alive()

    async def heard_out(self) -> Said:
        """Wait until all that was queued has been heard or discarded."""
        self._runner.waiting_out += 1
        try:
            while self._mouth.is_speaking:
                await self._mouth.changed()
        finally:
            self._runner.waiting_out -= 1
        self._alive()
        return self._mouth.take_said()

    def clear(self) -> Said:
        """Discard what the caller has not heard yet."""
        self._mouth.clear()
        return self._mouth.take_said()

    # -- hearing ------------------------------------------------------------------------------------

    async def hear(self, *, timeout_s: float | None = None) -> Event | Silence:
        """What comes next; Silence after so long in which neither of the two has spoken."""
        runner, since = self._runner, self._loop.time()
        while True:
            self._alive()
            event = runner.inbox.take()
            if event is not None:
                return event
            now = self._loop.time()
            if runner.is_hearing or self._mouth.is_speaking:
                since = now
            since = max(since, runner.ended_at, runner.speech_at)
            if timeout_s is not None and now - since >= timeout_s:
                return Silence()
            left = None if timeout_s is None else since + timeout_s - now + 0.001
            await runner.inbox.something(left)

    async def choose(
        self, text: str, options: Mapping[str, Sequence[str]], *, keys: Mapping[str, str] | None = None
    ) -> str:
        """Ask, up to three times, for one of the options; "" for none."""
        by_key = keys or {str(number): name for number, name in enumerate(options, 1)}
        for _ in range(TRIES):
            await self.say(text)
            event = await self._answer()
            if isinstance(event, Key) and event.digit in by_key:
                return by_key[event.digit]
            if isinstance(event, Key):
                await self._keys_over()
            if isinstance(event, Words) and (found := matching.best(event.text, options)):
                return found
        return ""

    async def confirm(self, text: str) -> bool:
        """Ask for yes or no (1 or 2)."""
        for _ in range(TRIES):
            said = await self.say(text)
            event = await self._answer(since_ms=said.began_ms)
            answer = _KEYED.get(event.digit) if isinstance(event, Key) else None
            if isinstance(event, Words):
                answer = matching.yes_or_no(event.text)
            if answer is not None:
                return answer
            if isinstance(event, Key):
                await self._keys_over()
        return False

    async def digits(self, text: str, *, least: int = 1, most: int = 20) -> str:
        """Ask for digits, keyed (# ends them) or spoken; "" when none can be understood."""
        for _ in range(TRIES):
            await self.say(text)
            found = await self._digits(most)
            if least <= len(found) <= most:
                return found
        return ""

    async def _digits(self, most: int) -> str:
        found, seconds, wordless = "", ANSWER_SECONDS, 0
        while len(found) < most and wordless < WORDLESS:
            event = await self._answer(seconds)
            if isinstance(event, Silence) or (isinstance(event, Key) and event.digit == "#"):
                break
            more = event.digit if isinstance(event, Key) else spoken.as_digits(event.text)
            found += more
            wordless += not more
            seconds = BETWEEN_DIGITS_SECONDS if found else ANSWER_SECONDS
        return found

    async def _keys_over(self) -> None:
        """A key that means nothing is followed by others of its kind: they are one answer, not several."""
        while True:
            await self._runner.inbox.something(BETWEEN_KEYS_SECONDS, sound=False)
            if not self._runner.inbox.skip_keys():
                return

    async def _answer(self, seconds: float = ANSWER_SECONDS, *, since_ms: int = 0) -> Words | Key | Silence:
        """The next words (that began at `since_ms` or later), key or silence."""
        while True:
            event = await self.hear(timeout_s=seconds)
            if isinstance(event, Words) and event.start_ms < since_ms:
                continue  # a yes to something else
            if isinstance(event, Words | Key | Silence):
                return event

    # -- doing --------------------------------------------------------------------------------------

    async def fact(self, name: str, value: str) -> None:
        """Note something about the call."""
        await self._do(self._office.fact(name, value))

    async def do(self, action: str, *, reason: str = "", due: str = "") -> None:
        """Take one of the voice's actions. Raises Ended when the conversation ends with it, NotAllowed."""
        if await self._do(self._office.perform(action, reason=reason, due=due)):
            await self._farewell()

    async def verify(self, *, then: str, failed: str) -> None:
        """Have Twilio ask for the code or date. Raises Ended, NotAllowed."""
        await self._do(self._office.verify(then=then, failed=failed))
        await self._farewell()

    async def at(self, place: str) -> None:
        """Where to go on should this voice be lost."""
        await self._do(self._office.place(place))

    async def end(self, text: str = "") -> None:
        """Say this and hang up. Raises Ended."""
        if text:
            await self.say(text, interruptible=False)
        await self._do(self._office.goodbye(""))
        await self._farewell()

    async def leave(self) -> None:
        """The voice has nothing more to say: Twilio says goodbye and hangs up. Raises Ended."""
        await self._do(self._office.goodbye(GOODBYE))
        await self._farewell()

    async def _do(self, asked: Any) -> Any:
        try:
            self._alive()
        except Ended:
            asked.close()
            raise
        try:
            return await asked
        except Refused as refused:
            if refused.code == "taken_over":
                await asyncio.sleep(FETCHED_SECONDS)  # Twilio fetches the caller, which ends this stream
                raise Ended from refused
            raise NotAllowed(refused.text) from refused

    async def _farewell(self) -> None:
        """What was said last is heard before the socket closes."""
        end = self._loop.time() + _FAREWELL_SECONDS
        while self._mouth.is_speaking and self._loop.time() < end:
            await self._mouth.changed(1.0)
        raise Ended

    def _alive(self) -> None:
        if self._runner.is_over:
            raise Ended


def _sentences(text: str) -> list[str]:
    """A text in pieces that are made one after the other; a long sentence is cut between words."""
    found = _SENTENCE.split(text.strip())
    return [piece for one in found for piece in wrap(one, PIECE, break_on_hyphens=False) or [one]]


def _rest(text: str, heard: str) -> str:
    """What of a text has not been heard, by its words."""
    return " ".join(text.split()[len(heard.split()) :])
