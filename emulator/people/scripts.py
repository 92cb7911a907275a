"""What people do on the telephone: who plays which recording when, presses which keys, hangs up when."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct, field

from emulator.audio.sound import Library

LAST_WORD_S = 1.0
BETWEEN_KEYS_S = 0.3

Seconds = Annotated[float, Meta(ge=0, le=86_400)]
Digits = Annotated[str, Meta(max_length=1000, pattern="^[0-9*#A-D]*$")]

Reply = Literal["answers", "busy", "no-answer", "failed"]
# What a person on the telephone notices, and a script may wait for.
EVENTS = frozenset(
    {"answered", "connected", "gather", "record", "stream", "prompt", "quiet", "queued", "hold", "resumed"}
)


class ScriptError(ValueError):
    """A script that cannot be used; the text names the file and the key."""


class Play(Struct, frozen=True, forbid_unknown_fields=True):
    """One recording's channel, `at` seconds after the conversation began."""

    file: str
    channel: str = "caller"
    at: Seconds = 0.0


class Keys(Struct, frozen=True, forbid_unknown_fields=True):
    """Digits pressed one after the other from `at` seconds on."""

    digits: Digits
    at: Seconds = 0.0


class Act(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One thing done after the one before it: wait for an event, then `after` seconds, then do it.

    `play` a recording's channel, `say` a text, `press` digits, or `hang_up`; with none of them only wait.
    """

    wait: str = ""
    after: Seconds = 0.0
    play: str = ""
    channel: str = "caller"
    say: str = ""
    press: Digits = ""
    hang_up: bool = False

    def __post_init__(self) -> None:
        """Raises ValueError for an event that nobody notices, and for two things at once."""
        if self.wait and self.wait not in EVENTS:
            raise ValueError(f"wait = {self.wait!r}; known: {', '.join(sorted(EVENTS))}")
        if sum(map(bool, (self.play, self.say, self.press, self.hang_up))) > 1:
            raise ValueError("a step does one of play, say, press and hang_up")


class Part(Struct, frozen=True, forbid_unknown_fields=True):
    """One person: what they say and press, and for a callee how they take the call.

    `plays` and `keys` count from the conversation's beginning; `does` goes step by step from the answer.
    """

    name: str = ""
    plays: tuple[Play, ...] = ()
    keys: tuple[Keys, ...] = ()
    does: tuple[Act, ...] = ()
    reply: Reply = "answers"
    answer_after: Seconds = 1.5


class Script(Struct, frozen=True, forbid_unknown_fields=True):
    """A conversation of two. Times in seconds.

    `hangup_after` counts from its beginning, None: only the people's own steps end it; `patience` is how long
    somebody waits, for a beginning or for an event; `rotation` false: only by name.
    """

    name: str
    title: str = ""
    caller: Part = field(default_factory=Part)
    callee: Part = field(default_factory=Part)
    hangup_after: Seconds | None = 10.0
    hangup_by: Literal["caller", "callee"] = "caller"
    patience: Seconds = 60.0
    order: int = 100
    rotation: bool = True


class Scripts:
    """The scripts of one run, by name and in rotation."""

    def __init__(self, scripts: list[Script], library: Library) -> None:
        self.library = library
        self.by_name = {script.name: script for script in scripts}
        self._rotation = [script for script in scripts if script.rotation] or scripts[:1]
        self._next = 0
        if not scripts:
            raise ScriptError(f"no recordings to play in {library.directory}, and no scripts")

    def choose(self, name: str | None) -> Script:
        """The script of that name, or the next in rotation. Raises ScriptError."""
        if name is None:
            self._next += 1
            return self._rotation[(self._next - 1) % len(self._rotation)]
        if name not in self.by_name:
            raise ScriptError(f"unknown script {name!r}; known: {', '.join(self.by_name)}")
        return self.by_name[name]
