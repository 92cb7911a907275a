"""What a voice is: one class with one coroutine. This page and docs/voices.md are all that its author reads.

    class Pizza:
        async def talk(self, call: Talk) -> None:
            size = await call.choose("Small or large?", {"small": ["small"], "large": ["large", "big"]})
            if size and await call.confirm(f"A {size} pizza. Is that right?"):
                await call.fact("pizza", size)
                await call.say("It is in the oven.")
            await call.do("kitchen")  # an action that the voice has in admin; the conversation ends there

`talk` runs on the media process's loop: it may await whatever it likes and must not block. When it returns,
the caller is told goodbye; when it raises, or the socket breaks, the caller is not lost: they come back to it
once, and then go to the voice's queue or hear an apology. What it says is believed heard only as far as
Twilio's marks say so; it is stopped by the caller's speech or a key unless it asks not to be.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Protocol

from calls.briefing import Briefing

__all__ = [
    "Ended",
    "Event",
    "Frame",
    "Hopeless",
    "Interrupted",
    "Key",
    "NotAllowed",
    "Said",
    "Silence",
    "Talk",
    "Voice",
    "Words",
]


@dataclass(frozen=True, slots=True)
class Words:
    """What the caller said, once final. Times in ms of the stream; `confidence` 0 to 1 or None."""

    text: str
    start_ms: int = 0
    end_ms: int = 0
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class Key:
    """One key: 0-9, * or #."""

    digit: str
    at_ms: int = 0


@dataclass(frozen=True, slots=True)
class Frame:
    """Sound of the caller, mu-law 8 kHz as Twilio sent it (mostly 160 bytes); for voices that want frames."""

    payload: bytes
    at_ms: int


@dataclass(frozen=True, slots=True)
class Interrupted:
    """The caller spoke or pressed a key while we spoke: what was not yet heard is discarded."""

    said: "Said"


@dataclass(frozen=True, slots=True)
class Silence:
    """Nothing came within the time that was waited."""


@dataclass(frozen=True, slots=True)
class Said:
    """What the caller has heard of what we said since the last `say`, `heard_out` or `clear`.

    `text` up to the last mark that came back, `ms` of sound, `whole` when nothing of it was discarded. After
    `say`, `began_ms` of the stream is when it began: words that began before were not said to it.
    """

    text: str
    ms: int
    whole: bool
    began_ms: int = field(default=0, compare=False)


Event = Words | Key | Frame | Interrupted


class Ended(Exception):
    """The conversation is over (an action was taken, or the caller is gone). Let it pass."""


class Hopeless(Exception):
    """Raise it where coming back would not help: the caller goes to the voice's queue at once."""


class NotAllowed(Exception):
    """No such action is configured, or it is not possible now; the text says why. Nothing was done."""


class Talk(Protocol):
    """A conversation with one caller, as a voice sees it. Every method may raise Ended."""

    briefing: Briefing

    # -- saying -------------------------------------------------------------------------------------

    async def say(self, text: str, *, interruptible: bool = True) -> Said:
        """Speak, and return when the caller has heard it or interrupted it."""
        ...

    async def play(self, ulaw: bytes, text: str = "") -> None:
        """Queue sound (mu-law 8 kHz) that says `text`; waits while ten seconds are queued. Raises ValueError
        for sound with a file's header.
        """
        ...

    async def heard_out(self) -> Said:
        """Wait until all that was queued has been heard or discarded."""
        ...

    def clear(self) -> Said:
        """Discard what the caller has not heard yet."""
        ...

    # -- hearing ------------------------------------------------------------------------------------

    async def hear(self, *, timeout_s: float | None = None) -> Event | Silence:
        """What comes next. Silence after `timeout_s` in which neither of the two has spoken."""
        ...

    async def choose(
        self, text: str, options: Mapping[str, Sequence[str]], *, keys: Mapping[str, str] | None = None
    ) -> str:
        """Ask, up to three times, for one of the options: by one of its phrases, or a key. "" for none.

        `keys` gives the option of a digit; without it they are 1, 2, 3 … in order.
        """
        ...

    async def confirm(self, text: str) -> bool:
        """Ask for yes or no (1 or 2); False for no, and when no answer can be understood."""
        ...

    async def digits(self, text: str, *, least: int = 1, most: int = 20) -> str:
        """Ask for digits, keyed (# ends them) or spoken; "" when none can be understood."""
        ...

    # -- doing --------------------------------------------------------------------------------------

    async def fact(self, name: str, value: str) -> None:
        """Note something about the call; whoever takes it over reads it."""
        ...

    async def do(self, action: str, *, reason: str = "", due: str = "") -> None:
        """Take one of the voice's actions, by its name, for this reason; it ends the conversation, raising
        Ended. A call back does not end it and may have a time (`due`, ISO 8601). Raises NotAllowed.
        """
        ...

    async def verify(self, *, then: str, failed: str) -> None:
        """Have Twilio ask for the code or date, where no stream hears it; the voice comes back at `then` or
        `failed` (`briefing.at`). Ends the conversation, raising Ended. Raises NotAllowed.
        """
        ...

    async def at(self, place: str) -> None:
        """Where to go on (`briefing.at`) should this voice be lost."""
        ...

    async def end(self, text: str = "") -> None:
        """Say this and hang up. Raises Ended."""
        ...


class Voice(Protocol):
    """Something that talks with callers. One is made for each conversation, without arguments."""

    wants_frames: ClassVar[bool]  # whether `hear` gives Frame events
    wants_words: ClassVar[bool]  # whether `hear` gives Words; else the engine only writes the transcript
    # interruptible: ClassVar[bool] = True; False: neither speech nor keys discard what it plays

    async def talk(self, call: Talk) -> None:
        """Lead the conversation."""
        ...
