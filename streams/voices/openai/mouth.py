"""What an AI agent says, on its way to the caller: in order, bounded, and known by what was really heard.

The provider sends faster than anybody speaks, so its sound waits here and the talk takes it at its own pace.
Each of its items keeps how much of it was given to the talk; what the talk says was heard is then shared out
over the items, the oldest first. Until then nothing counts as said.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Final

from streams.voices.base import Said, Talk
from streams.voices.openai.line import BYTES_PER_MS, ProviderLost
from streams.voices.openai.tools import Asked

__all__ = ["Cut", "Mouth"]

_FRAME: Final = 160
_ROUNDED_MS: Final = 200
_ON_ITS_WAY_S: Final = 1.0
_MOST_LETTERS: Final = 100_000
"""Of one item: an hour and a half of speech."""
_MOST_ASKED: Final = 100
"""Tools that wait for what is said before them."""
_LETTERS_PER_MS: Final = 0.018
"""A quick speaker. Transcripts come ahead of their sound; text must not count as heard before it is."""


@dataclass(slots=True)
class _Item:
    """One item that the model speaks: its sound so far, and its text as far as it was given with sound."""

    id: str
    line: int
    response: str
    ms: float = 0
    played_ms: float = 0
    done: bool = False
    text: str = ""
    given: int = 0
    tail: bytes = b""

    def take(self, ulaw: bytes) -> tuple[bytes, str]:
        """Sound to play now and what it says; the last frame stays back, to carry what text is left over."""
        sound = self.tail + ulaw
        self.ms += len(ulaw) / BYTES_PER_MS
        kept = min(len(sound), _FRAME)
        sound, self.tail = sound[:-kept], sound[-kept:]
        return sound, self._text(int((self.ms - kept / BYTES_PER_MS) * _LETTERS_PER_MS))

    def finish(self, *, whole: bool) -> tuple[bytes, str]:
        """The last sound, and all text that was not given yet; of an item that broke off what its sound can
        have said.
        """
        sound, self.tail, self.done = self.tail, b"", True
        return sound, self._text(len(self.text) if whole else int(self.ms * _LETTERS_PER_MS))

    def _text(self, most: int) -> str:
        """What may be given of the text, up to the end of a word."""
        end = len(self.text) if most >= len(self.text) else self.text.rfind(" ", self.given, most + 1) + 1
        given, self.given = self.text[self.given : end], max(self.given, end)
        return given


@dataclass(frozen=True, slots=True)
class _Sound:
    item: _Item
    ulaw: bytes
    text: str


@dataclass(frozen=True, slots=True)
class Cut:
    """An interruption: the text that was heard, how far each unfinished item was, what is not to be done."""

    made: bool = False
    text: str = ""
    items: tuple[tuple[int, str, int], ...] = ()  # line, item, ms that were heard of it
    asked: tuple[Asked, ...] = ()

    def __bool__(self) -> bool:
        return self.made


class Mouth:
    """The speaking side of one conversation.

    `said` is told each text that was heard whole, `act` what is to be done once all before it was heard, and
    `interrupted` what was heard when the talk itself says that the rest was discarded.
    """

    def __init__(
        self,
        call: Talk,
        pending_ms: int,
        *,
        said: Callable[[str], None],
        act: Callable[[Asked], Awaitable[None]],
        interrupted: Callable[[Said], Awaitable[None]],
    ) -> None:
        self._call = call
        self._most = pending_ms * BYTES_PER_MS
        self._said, self._act, self._interrupted = said, act, interrupted
        self._queue: deque[_Sound | Asked | None] = deque()  # None: all before it is to be heard out
        self._coming: dict[str, _Item] = {}  # items that are not complete
        self._open: dict[str, _Item] = {}  # given to the talk, not known to be heard
        self._dropped: deque[str] = deque(maxlen=50)  # responses that were interrupted
        self._pending = self._epoch = 0
        self._now: _Sound | Asked | None = None
        self._busy = False
        self._filled = asyncio.Event()
        self._was_cut = asyncio.Event()

    @property
    def quiet(self) -> bool:
        """Whether nothing waits, plays or is being done."""
        return not (self._queue or self._open or self._coming or self._busy)

    @property
    def unfinished(self) -> bool:
        """Whether the model was in the middle of an item."""
        return bool(self._coming)

    def letters(self, response: str, item: str, text: str, line: int) -> None:
        """More of what an item says. Raises ProviderLost when it is more than anybody says at once."""
        if response in self._dropped:
            return
        part = self._item(response, item, line)
        part.text += text
        if len(part.text) > _MOST_LETTERS:
            raise ProviderLost("flood")

    def sound(self, response: str, item: str, ulaw: bytes, line: int) -> None:
        """More of an item's sound. Raises ProviderLost when too much waits."""
        if response not in self._dropped:
            part = self._item(response, item, line)
            self._put(part, *part.take(ulaw))

    def end(self, item: str, *, whole: bool = True) -> None:
        """The item is complete, or broke off."""
        if (part := self._coming.pop(item, None)) is not None:
            self._put(part, *part.finish(whole=whole))
            self._add(None)

    def end_all(self, *, whole: bool) -> str:
        """Nothing more comes, as when a session is lost; the text that is still to be heard."""
        for item in list(self._coming):
            self.end(item, whole=whole)
        return "".join(part.text[: part.given] for part in self._unheard())

    def ask(self, asked: Asked, response: str) -> bool:
        """Do this once all that was said before it is heard; False when that was interrupted already."""
        if response in self._dropped:
            return False
        if sum(isinstance(one, Asked) for one in self._queue) >= _MOST_ASKED:
            raise ProviderLost("flood")
        self._add(asked)
        return True

    def cut(self, said: Said, *, running: str = "") -> Cut:
        """The caller heard this much and no more: the rest is forgotten, `running` included.

        False when nothing was being said.
        """
        parts = self._unheard()
        if said.whole and not self._queue and not self._coming:
            self._settle(said)
            return Cut()
        if not parts:
            return Cut()
        waiting = [self._now, *self._queue]
        self._epoch += 1
        self._was_cut.set()
        self._dropped.extend([running, *(part.response for part in parts)])
        for gone in (self._queue, self._coming, self._open):
            gone.clear()
        self._pending = 0
        asked = tuple(one for one in waiting if isinstance(one, Asked))
        return Cut(True, said.text, tuple(_shared(parts, said.ms)), asked)

    async def run(self) -> None:
        """Speak, until cancelled; what the talk raises passes."""
        while True:
            while not self._queue:
                self._filled.clear()
                await self._filled.wait()
            self._busy, self._now = True, self._queue.popleft()
            await self._do(self._now)
            self._busy = False

    async def _do(self, what: _Sound | Asked | None) -> None:
        epoch = self._epoch
        if isinstance(what, _Sound):
            await self._play(what, epoch)
            return
        await self._heard_out(epoch)
        self._now = None
        # Interrupted meanwhile, perhaps by "no, wait": then the model hears that it was not done.
        if what is not None and epoch == self._epoch:
            await self._act(what)

    async def _play(self, sound: _Sound, epoch: int) -> None:
        self._open[sound.item.id] = sound.item
        sound.item.played_ms += len(sound.ulaw) / BYTES_PER_MS
        await self._call.play(sound.ulaw, sound.text)
        await asyncio.sleep(0)  # whoever hears of an interruption comes before the next sound
        if epoch == self._epoch:
            self._pending -= len(sound.ulaw)
        else:  # it waited for room, and the interruption made some
            self._call.clear()

    async def _heard_out(self, epoch: int) -> None:
        if not self._open:
            return
        said = await self._call.heard_out()
        if epoch != self._epoch or not self._open:
            return
        if said.whole and said.ms + _ROUNDED_MS >= sum(item.played_ms for item in self._open.values()):
            self._settle(said)
        elif said.whole:
            await self._told_elsewhere(said)
        else:
            await self._interrupted(said)

    def _settle(self, said: Said) -> None:
        """All that was given to the talk is heard."""
        if self._open:
            self._open.clear()
            self._said(said.text)

    async def _told_elsewhere(self, said: Said) -> None:
        """An interruption has taken the answer: its event is on its way and says what was heard."""
        self._was_cut.clear()
        try:
            async with asyncio.timeout(_ON_ITS_WAY_S):
                await self._was_cut.wait()
        except TimeoutError:
            await self._interrupted(Said(said.text, said.ms, whole=False))

    def _item(self, response: str, item: str, line: int) -> _Item:
        return self._coming.setdefault(item, _Item(item, line, response))

    def _put(self, item: _Item, ulaw: bytes, text: str) -> None:
        if not ulaw and not text:
            return
        self._pending += len(ulaw)
        if self._pending > self._most:
            raise ProviderLost("flood")
        self._add(_Sound(item, ulaw, text))

    def _add(self, what: _Sound | Asked | None) -> None:
        self._queue.append(what)
        self._filled.set()

    def _unheard(self) -> list[_Item]:
        """Items of which the caller may not have heard all, in order."""
        waiting = [one.item for one in self._queue if isinstance(one, _Sound)]
        return list(
            {part.id: part for part in (*self._open.values(), *waiting, *self._coming.values())}.values()
        )


def _shared(parts: list[_Item], ms: float) -> Iterator[tuple[int, str, int]]:
    """What was heard, shared out over the items that were not heard to their end."""
    for part in parts:
        heard = min(ms, part.played_ms)
        ms -= heard
        if not part.done or heard < part.ms:
            yield part.line, part.id, int(heard)
