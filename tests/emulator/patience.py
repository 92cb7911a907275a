"""Waiting in real time for what must come: a test whose hope is vain fails, and says what it hoped for."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from typing import Any

PATIENCE_S = 20.0


async def until(condition: Callable[[], Any], changed: asyncio.Event, heard: Callable[[], Any]) -> Any:
    """What the condition gives as soon as that is something; it is looked at again at each `changed`.

    Raises AssertionError after PATIENCE_S, with the condition's source and what was `heard` instead.
    """
    try:
        async with asyncio.timeout(PATIENCE_S):
            while not (found := condition()):
                changed.clear()
                await changed.wait()
            return found
    except TimeoutError:
        raise AssertionError(f"waited in vain for {_source(condition)}; heard: {heard()}") from None


def _source(condition: Callable[[], Any]) -> str:
    try:
        return " ".join(inspect.getsource(condition).split())
    except (OSError, TypeError):
        return repr(condition)
