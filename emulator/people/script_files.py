"""Where scripts come from: TOML files, Python files, recordings, JSON."""

from __future__ import annotations

import runpy
import tomllib
from pathlib import Path
from typing import Any

import msgspec

from emulator.audio.sound import Library, SoundError
from emulator.people.scripts import BETWEEN_KEYS_S, LAST_WORD_S, Part, Play, Script, ScriptError, Scripts

HERE = Path(__file__).parent.parent / "scripts"
RECORDINGS = Path(__file__).parent.parent / "recordings"
FIRST = ("conversation", "auto_repair_call", "reading_5min")


def shipped() -> Scripts:
    """The scripts and recordings that come with the emulator. Raises ScriptError, SoundError."""
    return from_directory(HERE, Library(RECORDINGS))


def from_directory(directory: Path, library: Library) -> Scripts:
    """The scripts of a directory, by their `order` and name; with none in rotation the first is.

    A `.toml` file is one script, named as the file. A `.py` file is run; each Script among its names is one.
    Raises ScriptError naming file and fault.
    """
    scripts = [load(path, library) for path in sorted(directory.glob("*.toml"))]
    for path in sorted(directory.glob("*.py")):
        scripts += _run(path, library)
    if not scripts:
        raise ScriptError(f"no .toml or .py script in {directory}")
    return Scripts(sorted(scripts, key=lambda script: (script.order, script.name)), library)


def from_recordings(directory: Path) -> Scripts:
    """One script per .wav file: the three that open the demo, the others by name, noise last.

    Raises ScriptError when there is none, SoundError when one cannot be read.
    """
    library = Library(directory)
    files = sorted(library.names(), key=lambda file: _place(file, library))
    return Scripts([_made_from(file, library) for file in files], library)


def load(path: Path, library: Library) -> Script:
    """Read one TOML file. Raises ScriptError naming what is wrong."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ScriptError(f"{path.name}: {error}") from error
    return read({"name": path.stem, **data}, library, path.name)


def read(data: dict[str, Any], library: Library, where: str = "script") -> Script:
    """A script from TOML or JSON. Raises ScriptError naming `where` and the key."""
    try:
        script = msgspec.convert(data, Script)
        return checked(script, library, known_end="hangup_after" in data)
    except (msgspec.ValidationError, SoundError) as error:
        raise ScriptError(f"{where}: {error}") from error


def checked(script: Script, library: Library, *, known_end: bool) -> Script:
    """The script with its end, its recordings having been looked up. Raises SoundError."""
    end = _end(script.caller, script.callee, library)
    return script if known_end else msgspec.structs.replace(script, hangup_after=end)


def _run(path: Path, library: Library) -> list[Script]:
    try:
        names = runpy.run_path(str(path))
        return [checked(s, library, known_end=True) for s in names.values() if isinstance(s, Script)]
    except Exception as error:
        # Whatever a stranger's program does wrong is said with its name.
        raise ScriptError(f"{path.name}: {type(error).__name__}: {error}") from error


def _end(caller: Part, callee: Part, library: Library) -> float | None:
    """When all is said and pressed and a breath has passed, in seconds; None where people go step by step."""
    for act in caller.does + callee.does:
        if act.play:
            library.sound(act.play, act.channel)
    plays, keys = caller.plays + callee.plays, caller.keys + callee.keys
    ends = [play.at + library.sound(play.file, play.channel).ms / 1000 for play in plays]
    ends += [pressed.at + BETWEEN_KEYS_S * len(pressed.digits) for pressed in keys]
    return None if caller.does or callee.does else max(ends, default=0.0) + LAST_WORD_S


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
