"""Python's full collections are kept out of the way of sound."""

import asyncio
import gc
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

from emulator.clock import VirtualClock
from emulator.garbage import LONGEST_S, sweep


@pytest.fixture
def full_collections() -> Iterator[list[str]]:
    """One entry for each full collection that has been done."""
    seen: list[str] = []

    def look(phase: str, info: dict[str, Any]) -> None:
        if phase == "start" and info["generation"] == 2:
            seen.append(phase)

    gc.callbacks.append(look)
    yield seen
    gc.callbacks.remove(look)
    gc.unfreeze()


@asynccontextmanager
async def sweeping(flows: list[bool]) -> AsyncIterator[VirtualClock]:
    """A sweep that has begun; sound flows while `flows` holds something."""
    clock = VirtualClock(datetime(2026, 11, 25, tzinfo=UTC))
    task = asyncio.create_task(sweep(lambda: bool(flows), clock))
    await clock.advance(0)
    yield clock
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def make_rubbish() -> None:
    """More cycles than Python lets pass without a full collection of its own."""
    kept = [[number] for number in range(50_000)]
    for one in kept:
        one.append(one)  # type: ignore[arg-type]


async def test_sound_that_flows_is_not_held_up_by_a_full_collection(full_collections: list[str]) -> None:
    async with sweeping([True]) as clock:
        full_collections.clear()
        for _ in range(10):
            make_rubbish()
            await clock.advance(LONGEST_S / 20)
        assert full_collections == []


async def test_there_is_one_as_soon_as_sound_has_ended(full_collections: list[str]) -> None:
    flows = [True]
    async with sweeping(flows) as clock:
        full_collections.clear()
        await clock.advance(3)
        flows.clear()
        await clock.advance(1)
        assert len(full_collections) == 1
        await clock.advance(100)
        assert len(full_collections) == 1


async def test_sound_without_an_end_is_held_up_once_in_five_minutes(full_collections: list[str]) -> None:
    async with sweeping([True]) as clock:
        full_collections.clear()
        await clock.advance(3 * LONGEST_S)
        assert len(full_collections) == 3


async def test_python_collects_by_itself_again_after_the_end() -> None:
    before = gc.get_threshold()
    async with sweeping([]):
        assert gc.get_threshold() != before
    assert gc.get_threshold() == before
    gc.unfreeze()
