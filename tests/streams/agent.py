"""An AI agent in conversation: our voice, a provider on a loopback port, a caller in the test's hands."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any

from django.test import override_settings

from calls.briefing import Briefing
from streams.voices.openai.line import Limits
from streams.voices.realtime import RealtimeVoice
from tests.streams.openai_realtime import KEY, Provider, Session, provider
from tests.streams.talk_fake import FakeTalk, briefing

QUICK = Limits(tick_s=0.002, keys_s=0)


@dataclass
class Clock:
    """Seconds that pass when the test says so."""

    now: float = 1_000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Agent:
    """What a test holds."""

    provider: Provider
    talk: FakeTalk
    clock: Clock
    task: "asyncio.Task[None]"

    async def session(self, number: int = 1) -> Session:
        return await self.provider.session(number)

    async def passes(self, so: Callable[[], bool]) -> None:
        """Let time pass, 20 s at a time, until something is so."""
        async with asyncio.timeout(20):
            while not so():
                self.clock.now += 20
                await asyncio.sleep(0.01)

    async def ended(self) -> BaseException | None:
        """How the conversation came to its end."""
        await asyncio.wait({self.task}, timeout=20)
        assert self.task.done(), "it goes on"
        return self.task.exception()


@asynccontextmanager
async def agent(
    told: Briefing | None = None,
    *,
    limits: dict[str, Any] | None = None,
    at_once: bool = True,
    talk: FakeTalk | None = None,
    refuse: tuple[int, ...] = (),
    answers: bool = True,
    **settings: Any,
) -> AsyncIterator[Agent]:
    """An agent that talks; ends with the test at the latest."""
    async with provider() as server:
        server.refuse, server.answers = list(refuse), answers
        talk, clock = talk or FakeTalk(told or briefing(), at_once), Clock()
        voice = RealtimeVoice(replace(QUICK, **(limits or {})), clock)
        with override_settings(**{"OPENAI_API_KEY": KEY, "OPENAI_REALTIME_URL": server.url, **settings}):
            task = asyncio.create_task(voice.talk(talk))
            task.add_done_callback(lambda _: server.tell())
            try:
                yield Agent(server, talk, clock, task)
            finally:
                task.cancel()
                with suppress(BaseException):
                    await task
