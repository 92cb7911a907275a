"""Virtual time."""

import asyncio
from datetime import UTC, datetime, timedelta

from emulator.clock import VirtualClock
from emulator.pacing import Pacer

START = datetime(2026, 11, 20, 10, 15, tzinfo=UTC)


async def test_it_moves_only_when_told_and_wakes_in_order() -> None:
    clock = VirtualClock(START)
    woken: list[float] = []

    async def sleeper(seconds: float) -> None:
        await clock.sleep(seconds)
        woken.append(clock.seconds())

    tasks = [asyncio.create_task(sleeper(seconds)) for seconds in (3.0, 1.0, 2.0)]
    await clock.advance(2.5)
    assert woken == [1.0, 2.0]
    assert clock.now() == START + timedelta(seconds=2.5)
    await clock.advance(1)
    assert woken == [1.0, 2.0, 3.0]
    await asyncio.gather(*tasks)


async def test_it_stands_still_while_something_outside_is_waited_for() -> None:
    clock = VirtualClock(START)
    answered: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    seen: list[float] = []

    async def asking() -> None:
        with clock.hold():
            await answered
            seen.append(clock.seconds())

    tasks = [asyncio.create_task(asking()), asyncio.create_task(clock.sleep(5))]
    moving = asyncio.create_task(clock.advance(10))
    for _ in range(100):
        await asyncio.sleep(0)
    assert clock.seconds() == 0.0
    answered.set_result(None)
    await moving
    await asyncio.gather(*tasks)
    assert (seen, clock.seconds()) == ([0.0], 10.0)


async def test_by_itself_it_jumps_from_one_sleeper_to_the_next() -> None:
    clock = VirtualClock(START)
    running = asyncio.create_task(clock.run())
    for _ in range(3):
        await clock.sleep(4 * 3600)
    assert clock.seconds() == 12 * 3600
    running.cancel()


async def test_no_tick_is_left_out() -> None:
    clock = VirtualClock(START)
    pacer = Pacer(clock)
    ticks: list[int] = []

    class Ear:
        def tick(self, number: int) -> None:
            ticks.append(number)

    ear = Ear()
    pacer.add(ear)
    running = asyncio.create_task(pacer.run())
    await clock.advance(1.0)
    assert ticks == list(range(1, 51))
    assert pacer.moment(50) == START + timedelta(seconds=1)
    pacer.remove(ear)
    await clock.advance(1.0)
    assert len(ticks) == 50
    running.cancel()
