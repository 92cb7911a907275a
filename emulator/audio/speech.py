"""Spoken prompts: flite where it is installed, otherwise silence as long as a voice would take."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections import OrderedDict
from pathlib import Path

from emulator.audio.sound import RATE, SILENT_BYTE, Sound, SoundError, Word, cut, read_wav

CHARACTERS_PER_S = 15.0
LEAST_S = 0.5
MAX_TEXT = 4096
LIMIT_S = 30.0
KEEP = 200


class Voice:
    """Turns text into sound. `program` is flite's path; None speaks in silence."""

    def __init__(self, program: str | None = None) -> None:
        self._program = program
        self._said: OrderedDict[str, Sound] = OrderedDict()

    @classmethod
    def installed(cls) -> Voice:
        """With flite if this machine has it."""
        return cls(shutil.which("flite"))

    async def speak(self, text: str) -> Sound:
        """The text as sound; spoken once, remembered for the next time."""
        text = " ".join(text.split())[:MAX_TEXT]
        if text not in self._said:
            self._said[text] = await self._speak(text)
            while len(self._said) > KEEP:
                self._said.popitem(last=False)
        return self._said[text]

    async def _speak(self, text: str) -> Sound:
        seconds = max(LEAST_S, len(text) / CHARACTERS_PER_S) if text else 0.0
        silent = Sound("", "", cut(SILENT_BYTE * round(seconds * RATE)))
        if self._program is None or not text:
            return silent
        with tempfile.TemporaryDirectory(prefix="emulator-say-") as directory:
            spoken = await _run(self._program, text, Path(directory))
        return Sound("", "", cut(spoken)) if spoken else silent


async def _run(program: str, text: str, directory: Path) -> bytes:
    """Mu-law of the text, empty when the program fails or takes too long."""
    words, wav = directory / "text", directory / "sound.wav"
    # By file: a text that begins with a dash is no option.
    words.write_text(text, encoding="utf-8", errors="replace")
    running = await asyncio.create_subprocess_exec(
        program, "-voice", "slt", "-f", str(words), "-o", str(wav), stdout=asyncio.subprocess.DEVNULL
    )
    try:
        async with asyncio.timeout(LIMIT_S):
            await running.wait()
        return read_wav(wav.read_bytes(), "speech")[0]
    except (TimeoutError, OSError, SoundError, IndexError):
        return b""
    finally:
        if running.returncode is None:
            running.kill()
            await running.wait()


def words_of(text: str, ms: int) -> list[Word]:
    """The words of a spoken text, spread evenly over its length."""
    words = text.lower().split()
    return [Word(w, ms * n // len(words), ms * (n + 1) // len(words)) for n, w in enumerate(words)]
