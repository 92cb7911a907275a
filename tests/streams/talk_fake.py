"""A conversation for voices under test: the caller hears at once, or as much as the test lets them hear."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from calls.briefing import Allowed, Briefing
from streams.voices.base import Ended, Event, Frame, Interrupted, Key, NotAllowed, Said, Silence, Words

ROOM_MS = 10_000
OTHERS = "what flows ask and leave by is not for an AI agent"


@dataclass
class FakeTalk:
    """What a voice sees of a call, in the test's hands."""

    briefing: Briefing
    at_once: bool = True
    played: list[tuple[bytes, str]] = field(default_factory=list)
    done: list[tuple[str, str, str]] = field(default_factory=list)
    facts: list[tuple[str, str]] = field(default_factory=list)
    heard: list[str] = field(default_factory=list)
    cleared: int = 0

    def __post_init__(self) -> None:
        self._events: asyncio.Queue[Event] = asyncio.Queue()
        self._chunks: list[tuple[int, str]] = []  # since the last answer to what was heard
        self._heard_ms = 0
        self._cut = False
        self._changed = asyncio.Event()

    # -- the test's side ----------------------------------------------------------------------------

    def says(self, *payloads: bytes, at_ms: int = 0) -> None:
        """The caller makes these sounds, 20 ms each."""
        for place, payload in enumerate(payloads):
            self._events.put_nowait(Frame(payload, at_ms + 20 * place))

    def words(self, text: str, start_ms: int = 0) -> None:
        """The engine understood the caller."""
        self._events.put_nowait(Words(text, start_ms, start_ms + 500))

    def presses(self, keys: str) -> None:
        """The caller presses keys."""
        for key in keys:
            self._events.put_nowait(Key(key))

    def hears(self, ms: int) -> None:
        """The caller hears so much more."""
        self._heard_ms = min(self._heard_ms + ms, self._total_ms)
        self._tell()

    def interrupts(self) -> None:
        """The caller speaks while something is to be heard: it is discarded."""
        self._events.put_nowait(Interrupted(self.clear()))

    async def until(self, so: Callable[[], bool]) -> None:
        """Wait until something of this conversation is so."""
        async with asyncio.timeout(20):
            while not so():
                self._changed.clear()
                await self._changed.wait()

    @property
    def unheard_ms(self) -> int:
        """Queued and not heard."""
        return self._total_ms - self._heard_ms

    # -- the voice's side ---------------------------------------------------------------------------

    async def say(self, text: str, *, interruptible: bool = True) -> Said:
        raise AssertionError("an agent does not speak with our voice")

    async def play(self, ulaw: bytes, text: str = "") -> None:
        while self.unheard_ms >= ROOM_MS:
            self._changed.clear()
            await self._changed.wait()
        self.played.append((ulaw, text))
        self._chunks.append((len(ulaw) // 8, text))
        if self.at_once:
            self._heard_ms = self._total_ms
        self._tell()

    async def heard_out(self) -> Said:
        while self.unheard_ms:
            self._changed.clear()
            await self._changed.wait()
        return self._said()

    def clear(self) -> Said:
        self.cleared += bool(self.unheard_ms)
        self._cut = self._cut or bool(self.unheard_ms)
        return self._said()

    async def hear(self, *, timeout_s: float | None = None) -> Event | Silence:
        return await self._events.get()

    async def choose(self, text, options, *, keys=None) -> str:
        raise AssertionError(OTHERS)

    async def confirm(self, text: str) -> bool:
        raise AssertionError(OTHERS)

    async def digits(self, text: str, *, least: int = 1, most: int = 20) -> str:
        raise AssertionError(OTHERS)

    async def fact(self, name: str, value: str) -> None:
        self.facts.append((name, value))
        self._tell()

    async def do(self, action: str, *, reason: str = "", due: str = "") -> None:
        allowed = {one.name: one for one in self.briefing.actions}
        if action not in allowed:
            raise NotAllowed("There is no such action.")
        self.done.append((action, reason, due))
        self._tell()
        if allowed[action].kind != "callback":
            raise Ended

    async def verify(self, *, then: str, failed: str) -> None:
        raise AssertionError(OTHERS)

    async def at(self, place: str) -> None:
        raise AssertionError(OTHERS)

    async def end(self, text: str = "") -> None:
        raise Ended

    # -- inside -------------------------------------------------------------------------------------

    @property
    def _total_ms(self) -> int:
        return sum(ms for ms, _ in self._chunks)

    def _said(self) -> Said:
        """What was heard since this was asked last; a piece counts once it was heard whole."""
        end, text = 0, ""
        for ms, piece in self._chunks:
            end += ms
            text += piece if end <= self._heard_ms else ""
        said = Said(text, self._heard_ms, not self._cut)
        self._chunks, self._heard_ms, self._cut = [], 0, False
        self.heard.append(said.text)
        self._tell()
        return said

    def _tell(self) -> None:
        self._changed.set()


def briefing(**changed: object) -> Briefing:
    """Anna calls a pizzeria: one action that ends, one that does not."""
    plain: dict[str, object] = {
        "voice": 1,
        "name": "Pizza",
        "kind": "realtime",
        "text": "You take orders for pizza.",
        "actions": (
            Allowed("kitchen", "queue", "When an order is complete."),
            Allowed("ring_back", "callback", "When nobody is there."),
        ),
        "caller": "Anna Visser",
        "e164": "+31201234567",
        "facts": {"order": "A-17", "from": "020 123 4567"},
        "zone": "Europe/Amsterdam",
    }
    return Briefing(**{**plain, **changed})  # type: ignore[arg-type]
