"""What people do on the telephone: who plays which recording when, presses which keys, hangs up when.

A script is a short TOML file in `emulator/scripts/`, or is made from a directory of recordings.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from emulator.sound import Library, SoundError

HERE = Path(__file__).parent / "scripts"
RECORDINGS = Path(__file__).parent / "recordings"
FIRST = ("conversation", "auto_repair_call", "reading_5min")
LAST_WORD_S = 1.0
BETWEEN_KEYS_S = 0.3

Reply = Literal["answers", "busy", "no-answer", "failed"]
# What a person on the telephone notices, and a script may wait for.
EVENTS = frozenset(
    {"answered", "connected", "gather", "record", "stream", "prompt", "quiet", "queued", "hold", "resumed"}
)


class ScriptError(ValueError):
    """A script that cannot be used; the text names the file and the key."""


@dataclass(frozen=True)
class Play:
    """One recording's channel, `at` seconds after the conversation began."""

    file: str
    channel: str = "caller"
    at: float = 0.0


@dataclass(frozen=True)
class Keys:
    """Digits pressed one after the other from `at` seconds on."""

    digits: str
    at: float = 0.0


@dataclass(frozen=True)
class Act:
    """One thing done after the one before it: wait for an event, then `after` seconds, then do it.

    `play` a recording's channel, `say` a text, `press` digits, or `hang_up`; with none of them only wait.
    """

    wait: str = ""
    after: float = 0.0
    play: str = ""
    channel: str = "caller"
    say: str = ""
    press: str = ""
    hang_up: bool = False


@dataclass(frozen=True)
class Part:
    """One person: what they say and press, and for a callee how they take the call.

    `plays` and `keys` count from the conversation's beginning; `does` goes step by step from the answer.
    """

    name: str = ""
    plays: tuple[Play, ...] = ()
    keys: tuple[Keys, ...] = ()
    does: tuple[Act, ...] = ()
    reply: Reply = "answers"
    answer_after: float = 1.5


@dataclass(frozen=True)
class Script:
    """A conversation of two. Times in seconds.

    `hangup_after` counts from its beginning, None: only the people's own steps end it; `patience` is how long
    somebody waits, for a beginning or for an event; `rotation` false: only by name.
    """

    name: str
    title: str = ""
    caller: Part = field(default_factory=Part)
    callee: Part = field(default_factory=Part)
    hangup_after: float | None = 10.0
    hangup_by: Literal["caller", "callee"] = "caller"
    patience: float = 60.0
    order: int = 100
    rotation: bool = True


class Scripts:
    """The scripts of one run, by name and in rotation."""

    def __init__(self, scripts: list[Script], library: Library) -> None:
        self.library = library
        self.by_name = {script.name: script for script in scripts}
        self._rotation = [script for script in scripts if script.rotation]
        self._next = 0
        if not self._rotation:
            raise ScriptError(f"no recordings to play in {library.directory}")

    def choose(self, name: str | None) -> Script:
        """The script of that name, or the next in rotation. Raises ScriptError."""
        if name is None:
            self._next += 1
            return self._rotation[(self._next - 1) % len(self._rotation)]
        if name not in self.by_name:
            raise ScriptError(f"unknown script {name!r}; known: {', '.join(self.by_name)}")
        return self.by_name[name]


def shipped() -> Scripts:
    """The scripts and recordings that come with the emulator. Raises ScriptError, SoundError."""
    library = Library(RECORDINGS)
    scripts = [load(path, library) for path in sorted(HERE.glob("*.toml"))]
    return Scripts(sorted(scripts, key=lambda script: (script.order, script.name)), library)


def from_recordings(directory: Path) -> Scripts:
    """One script per .wav file: the three that open the demo, the others by name, noise last.

    Raises ScriptError when there is none, SoundError when one cannot be read.
    """
    library = Library(directory)
    files = sorted(library.names(), key=lambda file: _place(file, library))
    return Scripts([_made_from(file, library) for file in files], library)


def load(path: Path, library: Library) -> Script:
    """Read one script file. Raises ScriptError naming what is wrong."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
        caller, callee = _part(data.pop("caller", {})), _part(data.pop("callee", {}))
        data.setdefault("hangup_after", _end(caller, callee, library))
        return Script(name=path.stem, caller=caller, callee=callee, **data)
    except (tomllib.TOMLDecodeError, TypeError, KeyError, SoundError) as error:
        raise ScriptError(f"{path.name}: {error}") from error


def _part(data: dict[str, Any]) -> Part:
    plays = tuple(Play(**play) for play in data.pop("plays", []))
    keys = tuple(Keys(**keys) for keys in data.pop("keys", []))
    does = tuple(_act(Act(**act)) for act in data.pop("does", []))
    return Part(plays=plays, keys=keys, does=does, **data)


def _act(act: Act) -> Act:
    if act.wait and act.wait not in EVENTS:
        raise KeyError(f"wait = {act.wait!r}; known: {', '.join(sorted(EVENTS))}")
    if sum(map(bool, (act.play, act.say, act.press, act.hang_up))) > 1:
        raise KeyError("one step does one of play, say, press and hang_up")
    return act


def _end(caller: Part, callee: Part, library: Library) -> float | None:
    """When all is said and pressed and a breath has passed, in seconds; None where people go step by step."""
    for act in caller.does + callee.does:
        if act.play:
            library.sound(act.play, act.channel)
    if caller.does or callee.does:
        return None
    plays, keys = caller.plays + callee.plays, caller.keys + callee.keys
    ends = [play.at + library.sound(play.file, play.channel).ms / 1000 for play in plays]
    ends += [pressed.at + BETWEEN_KEYS_S * len(pressed.digits) for pressed in keys]
    return max(ends, default=0.0) + LAST_WORD_S


def _made_from(file: str, library: Library) -> Script:
    channels = list(library.channels(file))
    caller = Part(plays=(Play(file, channels[0]),))
    callee = Part(plays=tuple(Play(file, channel) for channel in channels[1:2]))
    name = Path(file).stem
    return Script(name, file, caller, callee, hangup_after=_end(caller, callee, library))


def _place(file: str, library: Library) -> tuple[int, str]:
    name = Path(file).stem
    if name in FIRST:
        return FIRST.index(name), name
    noise = library.manifest.get(file, {}).get("speakers") == 0
    return len(FIRST) + noise, name
