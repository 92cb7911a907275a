"""A speaker that says nothing twice: memory first, then files, then what came with us, then the engine.

A text about one caller (`keep=False`) stays in memory only, and not for long: it never reaches a file.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path

from streams.speech.base import Speaker, SpeechError
from streams.speech.store import Store, key

__all__ = ["SHIPPED", "Cache"]

MEMORY_BYTES = 8 << 20  # seventeen minutes of speech
DISK_BYTES = 64 << 20
SHIPPED = Path(__file__).parent / "shipped"
"""Sentences spoken beforehand, so that the demo speaks where no engine is installed."""
_log = logging.getLogger("contactcenter.media")


class Cache:
    """As base.Speaker, one for a process and its loop."""

    def __init__(
        self,
        speaker: Speaker,
        directory: Path,
        *,
        memory_bytes: int = MEMORY_BYTES,
        disk_bytes: int = DISK_BYTES,
        shipped: Path = SHIPPED,
    ) -> None:
        self._speaker = speaker
        self._store = Store(directory, disk_bytes)
        self._stores: Sequence[Store] = (self._store, Store(shipped, 0))
        self._memory: OrderedDict[str, bytes] = OrderedDict()
        self._memory_bytes = memory_bytes
        self._free_bytes = memory_bytes
        self._under_way: dict[str, asyncio.Task[bytes]] = {}
        self._told = False

    def voice(self, language: str) -> str:
        """As base.Speaker has it."""
        return self._speaker.voice(language)

    async def speak(self, text: str, language: str, *, keep: bool = True) -> bytes:
        """The text's sound. `keep=False` for a text with facts of a caller. Raises SpeechError."""
        text = " ".join(text.split())
        name = key(self._speaker.voice(language), text)
        if name in self._memory:
            self._memory.move_to_end(name)
            return self._memory[name]
        task = self._under_way.get(name)
        if task is None:
            task = asyncio.create_task(self._find(name, text, language, keep))
            self._under_way[name] = task
            task.add_done_callback(lambda _: self._under_way.pop(name, None))
            task.add_done_callback(_seen)
        return await asyncio.shield(task)  # who hangs up does not take it from the others

    async def _find(self, name: str, text: str, language: str, keep: bool) -> bytes:
        sound = await asyncio.to_thread(self._kept, name)
        if not sound:
            sound = await self._speaker.speak(text, language)
            if keep and sound:
                await asyncio.to_thread(self._keep, name, sound)
        if sound:
            self._remember(name, sound)
        return sound

    def _kept(self, name: str) -> bytes:
        return next((sound for store in self._stores if (sound := store.get(name))), b"")

    def _keep(self, name: str, sound: bytes) -> None:
        """A disk that takes nothing costs a synthesis each time, and no caller their answer."""
        try:
            self._store.put(name, sound)
        except OSError as error:
            if not self._told:
                self._told = True
                _log.warning("speech.unkept", extra={"error": type(error).__name__})

    def _remember(self, name: str, sound: bytes) -> None:
        self._memory[name] = sound
        self._free_bytes -= len(sound)
        while self._free_bytes < 0 and self._memory:
            _, oldest = self._memory.popitem(last=False)
            self._free_bytes += len(oldest)


def _seen(task: asyncio.Task[bytes]) -> None:
    """Take note of a failure that nobody waits for any more; who does hears of it by themselves."""
    if not task.cancelled() and (error := task.exception()) and not isinstance(error, SpeechError):
        _log.error("speech.failed", extra={"error": type(error).__name__})
