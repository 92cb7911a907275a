"""A conversation by script: what the caller does each time the voice listens, and all that the voice does."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from calls.briefing import Briefing
from streams.voices.base import Ended, Event, Interrupted, Key, NotAllowed, Said, Silence, Words

__all__ = ["ScriptedTalk", "interrupts", "keys"]

Act = Event | Silence | str


@dataclass(frozen=True)
class interrupts:
    """The caller says this into the next text that may be interrupted."""

    text: str


def keys(digits: str) -> list[Key]:
    """Keys pressed one after the other."""
    return [Key(digit) for digit in digits]


@dataclass
class ScriptedTalk:
    """What `streams.voices.base.Talk` promises, with a caller who follows a script: words (or a text), keys,
    `interrupts`. After it they say nothing, and hang up when they were asked `patience` times more.

    `told` lists in order what the voice did: ("say", text), ("fact", …), ("at", …), ("do", …), …
    """

    briefing: Briefing
    script: Sequence[Act | interrupts] = ()
    refused: Sequence[str] = ()  # actions, or "verify", that are not possible
    going_on: Sequence[str] = ("call_back",)  # actions after which the conversation goes on
    patience: int = 50
    told: list[tuple[Any, ...]] = field(default_factory=list)
    waits: list[float | None] = field(default_factory=list)  # for how long it listened, each time

    def __post_init__(self) -> None:
        self._coming = list(self.script)

    @property
    def said(self) -> list[str]:
        """Every text that was said, whole or not."""
        return [one[1] for one in self.told if one[0] in ("say", "end") and one[1]]

    def did(self, *kinds: str) -> list[tuple[Any, ...]]:
        """What was done of these kinds, in order."""
        return [one for one in self.told if one[0] in kinds]

    async def say(self, text: str, *, interruptible: bool = True) -> Said:
        self.told.append(("say", text))
        if interruptible and self._coming and isinstance(self._coming[0], interrupts):
            cut = Said(text.split()[0], 200, False)
            self._coming[0:1] = [Interrupted(cut), Words(self._coming[0].text)]
            return cut
        return Said(text, 60 * len(text), True)

    async def play(self, ulaw: bytes, text: str = "") -> None:
        self.told.append(("play", text))

    async def heard_out(self) -> Said:
        return Said("", 0, True)

    def clear(self) -> Said:
        return Said("", 0, True)

    async def hear(self, *, timeout_s: float | None = None) -> Event | Silence:
        self.waits.append(timeout_s)
        act = self._coming[0] if self._coming else None
        if act is not None and not isinstance(act, interrupts):
            del self._coming[0]
            return Words(act) if isinstance(act, str) else act
        self.patience -= 1
        if self.patience < 0:
            raise Ended
        return Silence()

    async def choose(
        self, text: str, options: Mapping[str, Sequence[str]], *, keys: Mapping[str, str] | None = None
    ) -> str:
        await self.say(text)
        heard = await self.hear()
        by_key = keys or {str(number): name for number, name in enumerate(options, 1)}
        if isinstance(heard, Key):
            return by_key.get(heard.digit, "")
        said = heard.text.lower() if isinstance(heard, Words) else ""
        return next((name for name, phrases in options.items() if said in phrases), "")

    async def confirm(self, text: str) -> bool:
        return await self.choose(text, {"yes": ["yes"], "no": ["no"]}) == "yes"

    async def digits(self, text: str, *, least: int = 1, most: int = 20) -> str:
        await self.say(text)
        found = ""
        while len(found) < most and isinstance(heard := await self.hear(), Key):
            found += heard.digit
        return found if len(found) >= least else ""

    async def fact(self, name: str, value: str) -> None:
        self.told.append(("fact", name, value))
        if "fact" in self.refused:
            raise NotAllowed("too many facts")

    async def do(self, action: str, *, reason: str = "", due: str = "") -> None:
        self.told.append(("do", action, reason, due))
        if action in self.refused:
            raise NotAllowed("not now")
        if action not in self.going_on:
            raise Ended

    async def verify(self, *, then: str, failed: str) -> None:
        self.told.append(("verify", then, failed))
        if "verify" in self.refused:
            raise NotAllowed("nothing to compare with")
        raise Ended

    async def at(self, place: str) -> None:
        self.told.append(("at", place))

    async def end(self, text: str = "") -> None:
        self.told.append(("end", text))
        raise Ended
