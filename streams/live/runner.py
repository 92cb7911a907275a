"""One spoken conversation: a voice, what it says and hears, and who interrupts whom.

The media socket hands in what comes from Twilio, `live/words.py` what the engine wrote down. Nothing here
waits while a frame is taken in: the voice runs in a task of its own, and what it has not asked for yet waits
in a queue that has a limit.
"""

import asyncio
import logging
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Protocol

from calls.briefing import Briefing
from calls.counters import count
from calls.refusal import Refused
from streams.live.inbox import Inbox
from streams.live.mouth import Mouth, Saying
from streams.live.outlet import Outlet
from streams.live.talk import LiveTalk, Office
from streams.session import Session
from streams.voices.base import Ended, Frame, Hopeless, Interrupted, Key, Voice, Words

__all__ = ["Ear", "Heard", "Part", "Runner", "Told"]

IDLE_SECONDS: Final = 60.0
"""A voice from which nothing has come for so long is taken for lost; not one that listens to who speaks."""
HASH_MS: Final = 2000
"""A hash key so soon behind a digit belongs to it."""
SUPPRESSED_SECONDS: Final = 0.5
"""Without a frame for so long the carrier sends nothing of silence: the clock tells how far the stream is."""
HEARD_SECONDS: Final = 1.0
"""Without a frame for so long nobody is heard any more: a carrier may send nothing of silence."""
GOES_ON_MS: Final = 1500
"""Who is heard so long after the end of their last words goes on: an end is known within half a second."""
_LOOK_SECONDS = 5.0
_log = logging.getLogger("contactcenter.voice")


class Heard(Protocol):
    """What a frame told: the caller begins to speak (and no cough), speaks, since when (ms), has ended there
    (ms).
    """

    @property
    def began(self) -> bool: ...
    @property
    def since(self) -> int: ...
    @property
    def speaking(self) -> bool: ...
    @property
    def ended(self) -> int | None: ...


class Ear(Protocol):
    """Listens for speech of the caller, frame by frame."""

    def heard(self, payload: bytes, at_ms: int, /) -> Heard:
        """Take one frame, at `at_ms` of the stream."""
        ...

    def played(self, ulaw: bytes, /) -> None:
        """What the caller hears of us meanwhile: it may come back as an echo."""
        ...


@dataclass(frozen=True, slots=True)
class Told:
    """Who is told of what happens. `sound`: at this ms of the stream the caller hears this of us."""

    said: Callable[[Saying], None]
    moved: Callable[[Saying], None]
    turned: Callable[[int, int, int], None]  # number, ms at which the caller had spoken, gap in ms
    sound: Callable[[int, bytes], None]
    over: Callable[[str], None]  # once: the voice is done, lost, or silent; the socket is to be closed


@dataclass(frozen=True, slots=True)
class Part:
    """Who speaks, by what, and with what in hand."""

    voice: Voice
    briefing: Briefing
    office: Office
    speaker: Any  # streams.speech.cache: async speak(text, language, keep=) -> mu-law
    ear: Ear | None = None
    has_words: bool = True  # an engine writes down what the caller says


class Runner:
    """The conversation on one bidirectional stream, from its `start` to its end. On the loop alone."""

    def __init__(self, session: Session, outlet: Outlet, part: Part, told: Told) -> None:
        self.part = part
        self.mouth = Mouth(session, outlet, said=told.said, moved=told.moved, spoke=self._spoke)
        self.inbox = Inbox()
        self.wants_words = part.voice.wants_words and part.has_words
        # Who hears sound answers sound: words may come after the answer, and no turn is counted from them.
        self._turns_by_ear = part.ear is not None and (part.voice.wants_frames or not self.wants_words)
        self.interruptible = getattr(part.voice, "interruptible", True)
        self.interruptions = 0
        self.is_over = False
        self.speech_at = 0.0  # loop time at which words of the caller came last
        self.saying_since: int | None = None  # ms of the stream at which what is being said was begun
        self._hearing_until = 0.0  # loop time; each frame of speech moves it
        self._speech_since = 0  # ms at which the speech that is heard, or was heard last, began
        self._heard_to_ms = 0  # ms at which the last speech that is over ended
        self.ended_at = 0.0  # loop time at which the caller fell silent
        self.by_key = False  # what interrupted last was a key
        self.waiting_out = 0  # whoever waits in `heard_out` sees an interruption by itself
        self._session = session
        self._told = told
        self._loop = asyncio.get_running_loop()
        self._spoken_ms: int | None = None
        self._keyed_ms: int | None = None
        self._turns = 0
        self._journalled_ms = self._come_ms = 0
        self._came_at = self._spoke_at = self._loop.time()
        self._task: asyncio.Task[None] | None = None
        self._timer: asyncio.TimerHandle | None = None

    def begin(self) -> None:
        """Let the voice talk."""
        self._task = asyncio.create_task(self._talk())
        self._look()

    def end(self) -> None:
        """The socket is gone. May be repeated."""
        if self.is_over:
            return
        self.is_over = True
        if self._timer is not None:
            self._timer.cancel()
        self.mouth.close()
        self.inbox.close()
        if self._task is not None and self._task is not asyncio.current_task():
            self._task.cancel()

    # -- what comes in ----------------------------------------------------------------------------

    def hear(self, payload: bytes, at_ms: int) -> None:
        """One frame of the caller."""
        if self.is_over:
            return
        self._come_ms, self._came_at = at_ms + len(payload) // 8, self._loop.time()
        self._sound(self._come_ms)
        if self.part.ear is not None:
            self._listen(self.part.ear.heard(payload, at_ms))
        if self.part.voice.wants_frames:
            self.inbox.put(Frame(payload, at_ms))

    def key(self, digit: str, at_ms: int) -> None:
        """A key of the caller: it interrupts like speech."""
        if self.is_over or (digit == "#" and self._is_idle(at_ms)):
            return
        self._keyed_ms = at_ms
        self.by_key = True
        self.speech_at = self._loop.time()
        self.interrupt()
        self._spoken_ms = at_ms
        self.inbox.put(Key(digit, at_ms))

    def _is_idle(self, at_ms: int) -> bool:
        """Whether a hash key ends nothing any more: the digits before it were enough, and what they led to is
        being said or done. Who is used to it keys it all the same.
        """
        lately = self._keyed_ms is not None and at_ms - self._keyed_ms <= HASH_MS
        return lately and not self.inbox.is_waited_for

    def partial(self) -> None:
        """The caller is saying something: it is words, no cough."""
        self.speech_at = self._loop.time()
        self.inbox.stir()

    def words(self, text: str, start_ms: int, end_ms: int, confidence: float | None) -> None:
        """The caller has said this."""
        if self.is_over or not text.strip():
            return
        self.speech_at = self._loop.time()
        if not self.wants_words:
            return
        self.by_key = False
        if self.part.ear is None or self._is_answer(start_ms):
            self.interrupt()
        if not self._turns_by_ear:
            self._spoken_ms = end_ms
        self.inbox.put(Words(text, start_ms, end_ms, confidence))

    def _is_answer(self, start_ms: int) -> bool:
        """Whether words that began there were said to what is being said, not before it, and by somebody whom
        the ear has heard: no echo of ours, and no television.
        """
        was_heard = self.is_hearing or start_ms <= self._heard_to_ms
        return was_heard and self.saying_since is not None and start_ms >= self.saying_since

    def mark(self, name: str) -> None:
        """A mark of ours came back."""
        self._sound(self.position_ms)
        self.mouth.returned(name)

    # -- for the talk -----------------------------------------------------------------------------

    def interrupt(self) -> None:
        """Discard what we are saying, if we are and it may be."""
        if not (self.interruptible and self.mouth.is_speaking):
            return
        self.interruptions += 1
        self.mouth.clear()
        if not self.waiting_out:
            self.inbox.put(Interrupted(self.mouth.take_said()))

    @property
    def position_ms(self) -> int:
        """How far the stream has come; by the clock where a carrier sends nothing of silence."""
        late_s = self._loop.time() - self._came_at
        return self._come_ms + (round(late_s * 1000) if late_s > SUPPRESSED_SECONDS else 0)

    @property
    def is_hearing(self) -> bool:
        """Whether the caller speaks just now; where no frames come any more nobody does."""
        return self._loop.time() < self._hearing_until

    @property
    def is_told(self) -> bool:
        """Whether the caller is telling something that the voice does not know yet: they speak, and not as
        the end of what it has taken.
        """
        if not self.is_hearing:
            return False
        goes_on = self.position_ms - self.inbox.taken_ms >= GOES_ON_MS
        return self._speech_since > self.inbox.taken_ms or goes_on

    # -- inside -----------------------------------------------------------------------------------

    def _listen(self, heard: Heard) -> None:
        if heard.began:
            self.by_key = False
            self.interrupt()
        if heard.ended is not None:
            self.ended_at, self._heard_to_ms = self._loop.time(), heard.ended
            self.inbox.stir()
            if self._turns_by_ear:
                self._spoken_ms = heard.ended
        if heard.speaking:
            self._speech_since = heard.since
            self._hearing_until = self._loop.time() + HEARD_SECONDS
        else:
            self._hearing_until = 0.0

    def _sound(self, upto_ms: int) -> None:
        """The stream has come so far: what of us did the caller hear meanwhile."""
        ms, at_ms = upto_ms - self._journalled_ms, self._journalled_ms
        if ms <= 0:
            return
        self._journalled_ms = upto_ms
        sound = self.mouth.sounding(ms)
        if sound:
            self._told.sound(at_ms, sound)
            if self.part.ear is not None:
                self.part.ear.played(sound)

    def _spoke(self) -> None:
        """Sound goes out after silence: if the caller had spoken, this is our answer."""
        self._spoke_at = self._loop.time()
        self._journalled_ms = max(self._journalled_ms, self.position_ms)
        spoken_ms, self._spoken_ms = self._spoken_ms, None
        if spoken_ms is None:
            return
        self._turns += 1
        gap = max(0, self.position_ms - spoken_ms)
        self._told.turned(self._turns, spoken_ms, gap)

    async def _talk(self) -> None:
        """The voice's whole life; however it ends, the socket is closed so that Twilio goes on."""
        talk = LiveTalk(self)
        why = "failed"
        try:
            await self.part.voice.talk(talk)
            await talk.leave()
        except Ended:
            why = "done"
        except Hopeless:
            await self._give_up()
        except asyncio.CancelledError as error:
            if not self.is_over:  # not by us: something that the voice waited for was cancelled
                self._failed(error)
            raise
        except Exception as error:  # whatever a voice does wrong, its caller goes on elsewhere
            self._failed(error)
        finally:
            self._finish(why)

    async def _give_up(self) -> None:
        """Lead the caller on. Where that cannot be written down they come back, which ends the same way."""
        try:
            await self.part.office.give_up()
        except Refused:  # somebody has the call already
            return
        except Exception as error:
            self._failed(error)

    def _failed(self, error: BaseException) -> None:
        count("voice.failed")
        where = traceback.extract_tb(error.__traceback__)[-1]
        facts = {"error": type(error).__name__, "where": f"{where.name}:{where.lineno}"}
        _log.error("voice.failed", extra={"stream": self._session.stream_sid, **facts})

    def _finish(self, why: str) -> None:
        if not self.is_over:
            self.end()
            self._told.over(why)

    def _look(self) -> None:
        """A voice that hangs is lost."""
        if self.mouth.is_speaking or (self.is_hearing and self.inbox.is_waited_for):
            self._spoke_at = self._loop.time()
        if self._loop.time() - self._spoke_at > IDLE_SECONDS:
            _log.error("voice.silent", extra={"stream": self._session.stream_sid})
            count("voice.silent")
            self._finish("silent")
            return
        self._timer = self._loop.call_later(_LOOK_SECONDS, self._look)
