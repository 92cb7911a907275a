"""Waiting for the first of several things."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any


async def first(*things: Coroutine[Any, Any, Any]) -> set[int]:
    """Run all until one is done, then cancel the others; the places of those that were done.

    An exception of one that was done is raised.
    """
    tasks = [asyncio.ensure_future(thing) for thing in things]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        done = {place for place, task in enumerate(tasks) if task.done()}
        for place in done:
            tasks[place].result()
        return done
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
