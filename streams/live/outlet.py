"""What we send on one media socket, in order, until its transport has written it."""

import asyncio
from collections import deque

__all__ = ["FULL", "Outlet"]

FULL = 50
"""Messages that wait for a slow transport; who sends sound holds back from there on."""


class Outlet:
    """Texts in, by whoever speaks; out, by the transport."""

    def __init__(self) -> None:
        self._texts: deque[str] = deque()
        self._some = asyncio.Event()

    @property
    def is_full(self) -> bool:
        """Whether the transport is behind."""
        return len(self._texts) >= FULL

    def put(self, text: str) -> None:
        """Send this after what waits."""
        self._texts.append(text)
        self._some.set()

    def drop(self) -> None:
        """What was not written yet is never sent."""
        self._texts.clear()
        self._some.clear()

    async def get(self) -> str:
        """The next one to write."""
        while not self._texts:
            self._some.clear()
            await self._some.wait()
        return self._texts.popleft()
