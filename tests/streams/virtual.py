"""A loop whose time is ours: what would be waited for is there at once, in its order."""

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

__all__ = ["run"]

T = TypeVar("T")

LONGEST = 3600.0
"""Virtual seconds after which a run that does not end has hung."""


class _Selector(selectors.SelectSelector):
    """Waits by moving the time on; sockets of the loop itself are looked at in passing."""

    now = 0.0

    def select(self, timeout: float | None = None) -> list[Any]:
        ready = super().select(0)
        if not ready:
            if timeout is None or self.now > LONGEST:
                raise RuntimeError("nothing will ever happen any more")
            self.now += timeout
        return ready


def run(main: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run it in virtual time. Raises RuntimeError when it waits for what never comes."""
    selector = _Selector()
    loop = asyncio.SelectorEventLoop(selector)
    loop.time = lambda: selector.now  # type: ignore[method-assign]
    try:
        return loop.run_until_complete(main())
    finally:
        loop.close()
