"""Debian's flite with its voice slt (English): one small process for each text, nothing of it on a disk."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
import unicodedata
from pathlib import Path

from streams.speech.base import MOST_CHARACTERS, SpeechError
from streams.speech.sound import from_wav

__all__ = ["Flite", "make"]

VOICE = "slt"
AT_ONCE = 2  # a synthesis takes a core for a twentieth of the time that it speaks
LIMIT_S = 10.0
REMEDY = "Install it (sudo apt-get install flite), or set SPEAKER=none."
# What it reads letter by letter, or not at all.
_PLAIN = str.maketrans({
    "’": "'", "‘": "'", "“": '"', "”": '"', "–": ", ", "—": ", ", "…": ". ",
    "€": " euros ", "£": " pounds ", "&": " and ", "ß": "ss", "æ": "ae", "ø": "o",
})  # fmt: skip


class Flite:
    """A speaker. `program` is flite's path, None where it is not installed."""

    def __init__(self, program: str | None, *, at_once: int = AT_ONCE, limit_s: float = LIMIT_S) -> None:
        self._program = program
        self._limit_s = limit_s
        self._free = asyncio.Semaphore(at_once)

    def voice(self, language: str) -> str:
        """As base.Speaker has it: the one voice, whichever English is asked for."""
        return f"flite-{VOICE}"

    async def speak(self, text: str, language: str) -> bytes:
        """As base.Speaker has it."""
        if language.split("-")[0].lower() != "en":
            raise SpeechError(f"flite speaks English, not {language!r}", "Set another SPEAKER.")
        text = plain(text)
        if len(text) > MOST_CHARACTERS:
            raise SpeechError(f"{len(text)} characters at once; {MOST_CHARACTERS} are spoken", "Say less.")
        if not any(character.isalnum() for character in text):
            return b""
        if self._program is None:
            raise SpeechError("flite is not installed", REMEDY)
        async with self._free:
            return await self._spoken(self._program, text)

    async def _spoken(self, program: str, text: str) -> bytes:
        try:
            with tempfile.TemporaryDirectory(prefix="speech-", dir=_memory()) as directory:
                wav = Path(directory) / "sound.wav"
                await self._run(program, text, wav)
                return await asyncio.to_thread(lambda: from_wav(wav.read_bytes()))
        except (OSError, ValueError) as error:  # as when memory is full, or flite is another program
            raise SpeechError(f"flite gave no sound: {error}", REMEDY) from error

    async def _run(self, program: str, text: str, wav: Path) -> None:
        """By standard input: a text that begins with a dash is no option, and no other process sees it."""
        command = [program, "-voice", VOICE, "-f", "-", "-o", str(wav)]
        pipe, null = asyncio.subprocess.PIPE, asyncio.subprocess.DEVNULL
        try:
            running = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=null, stderr=null)
        except OSError as error:
            raise SpeechError(f"flite does not start: {error.strerror}", REMEDY) from error
        try:
            async with asyncio.timeout(self._limit_s):
                await running.communicate(text.encode("ascii"))
        except TimeoutError:
            raise SpeechError(f"flite took more than {self._limit_s:g} s") from None
        finally:
            if running.returncode is None:
                running.kill()
                await running.wait()
        if running.returncode:
            raise SpeechError(f"flite ended with {running.returncode}", REMEDY)


def plain(text: str) -> str:
    """The text in the letters that flite knows, on one line; accents are dropped, other scripts as well."""
    known = unicodedata.normalize("NFKD", text.translate(_PLAIN)).encode("ascii", "ignore").decode("ascii")
    return " ".join("".join(c if c.isprintable() else " " for c in known).split())


def _memory() -> str | None:
    """A directory in memory, where the machine has one: what is said about callers reaches no disk."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK | os.X_OK) else None  # noqa: S108


def make() -> Flite:
    """flite as it is installed here, or one that says that it is not."""
    return Flite(shutil.which("flite"))
