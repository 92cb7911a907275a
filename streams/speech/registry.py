"""Which speakers there are: modules with `make() -> Speaker`, loaded when asked for (setting SPEAKER)."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from streams.speech.base import Speaker, SpeechError
from streams.speech.cache import Cache

__all__ = ["LANGUAGES", "NONE", "SPEAKERS", "make", "speaks", "trouble"]

NONE = "none"
SPEAKERS = {"flite": "streams.speech.flite"}
LANGUAGES: dict[str, tuple[str, ...]] = {"flite": ("en",)}
"""What each speaks, known without loading it; () is any language."""
NO_SPEAKER = "SPEAKER=none: voices do not speak here"
NO_FLITE = "flite is not installed: only the sentences that came with us are spoken"
REMEDY = "Set SPEAKER=flite and install it: sudo apt-get install flite"


class _Mute:
    """What SPEAKER=none gives: no sentence is spoken, and each says why."""

    def voice(self, language: str) -> str:
        return NONE

    async def speak(self, text: str, language: str) -> bytes:
        raise SpeechError(NO_SPEAKER, REMEDY)


def make(name: str, directory: Path) -> Cache:
    """The speaker of this name, with its cache in `directory`. Raises ValueError for an unknown one."""
    if name == NONE:
        return Cache(_Mute(), directory)
    if name not in SPEAKERS:
        raise ValueError(f"no speaker is called {name!r}; there are {NONE}, {', '.join(sorted(SPEAKERS))}")
    speaker: Speaker = import_module(SPEAKERS[name]).make()
    return Cache(speaker, directory)


def speaks(name: str, language: str) -> bool:
    """Whether the speaker of this name knows a language such as "en" or "en-US"."""
    languages = LANGUAGES.get(name, ())
    return name != NONE and (not languages or language.split("-")[0].lower() in languages)


def trouble(name: str, which: Callable[[str], str | None] = shutil.which) -> tuple[str, str] | None:
    """What is wrong with this machine's speech, and the remedy; None if nothing. Never raises."""
    if name == NONE:
        return NO_SPEAKER, REMEDY
    if name not in SPEAKERS:
        return f"no speaker is called {name!r}", f"Set SPEAKER to one of: {NONE}, {', '.join(SPEAKERS)}"
    if name == "flite" and which("flite") is None:
        return NO_FLITE, REMEDY
    return None
