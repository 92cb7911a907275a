"""Virtual time."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from emulator.clock import RealClock, VirtualClock
from emulator.lateness import Lateness
from emulator.pacing import Pacer
from tests.emulator.patience import PATIENCE_S

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


async def test_who_was_woken_is_at_rest_before_time_goes_on() -> None:
    clock = VirtualClock(START)
    seen: list[float] = []

    async def through(tasks: int) -> None:
        """A result that has to go through many tasks before it arrives."""
        if tasks:
            await asyncio.create_task(through(tasks - 1))
        else:
            await clock.sleep(1)

    async def patient() -> None:
        await through(40)
        seen.append(clock.seconds())

    tasks = [asyncio.create_task(patient()), asyncio.create_task(clock.sleep(1.001))]
    await clock.advance(5)
    assert seen == [1.0]
    await asyncio.gather(*tasks)


async def test_a_loop_that_never_rests_does_not_stop_time() -> None:
    clock = VirtualClock(START)

    async def restless() -> None:
        while clock.seconds() < 2:  # noqa: ASYNC110  this is what is tested
            await asyncio.sleep(0)

    task = asyncio.create_task(restless())
    await clock.advance(3)
    assert clock.seconds() == 3.0
    async with asyncio.timeout(PATIENCE_S):
        await task
    assert task.done()


async def test_who_waits_for_the_same_moment_is_woken_in_the_order_of_coming() -> None:
    clock = VirtualClock(START)
    woken: list[str] = []

    async def sleeper(name: str, moment: float) -> None:
        await clock.sleep_until(moment)
        woken.append(name)

    names = ["first", "second", "third", "fourth"]
    tasks = [asyncio.create_task(sleeper(name, 1.0)) for name in names]
    tasks.append(asyncio.create_task(sleeper("before", 0.5)))
    await clock.advance(1)
    assert woken == ["before", *names]
    await asyncio.gather(*tasks)


async def test_time_does_not_go_to_where_nobody_waits_any_more() -> None:
    clock = VirtualClock(START)
    gone = asyncio.create_task(clock.sleep(60))
    stays = asyncio.create_task(clock.sleep(3))
    running = asyncio.create_task(clock.run())
    gone.cancel()
    await stays
    await asyncio.gather(gone, return_exceptions=True)
    assert clock.seconds() == 3.0
    running.cancel()


async def test_moments_that_are_sums_of_seconds_meet() -> None:
    clock = VirtualClock(START)
    for _ in range(303):
        await clock.advance(0.02)
    assert clock.seconds() == 6.06
    due = asyncio.create_task(clock.sleep_until(0.02 * 303 + 1e-9))
    await clock.advance(0)
    assert due.done()


async def test_time_is_skipped_only_in_a_hurry_and_when_nothing_can_come_between() -> None:
    clock = VirtualClock(START)
    assert not clock.skip_to(1)
    running = asyncio.create_task(clock.run(hurry=True))
    skipped: list[bool] = []

    async def skipper() -> None:
        await clock.sleep(1)
        skipped.append(clock.skip_to(2))
        with clock.hold():
            skipped.append(clock.skip_to(3))
        other = asyncio.create_task(clock.sleep(1))
        skipped.append(clock.skip_to(3))
        await asyncio.sleep(0)
        skipped.append(clock.skip_to(3))
        await other

    await skipper()
    # Free; held; somebody is about to run; somebody waits for just then.
    assert skipped == [True, False, False, False]
    assert clock.seconds() == 3.0
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


async def test_ticks_pass_uncounted_while_nobody_has_work() -> None:
    clock = VirtualClock(START)
    pacer = Pacer(clock)
    running = asyncio.create_task(pacer.run())
    await clock.advance(3600.01)
    assert (pacer.number, pacer.lateness.ticks) == (180_000, 0)
    ticks: list[int] = []

    class Ear:
        def tick(self, number: int) -> None:
            ticks.append(number)

    pacer.add(Ear())
    await clock.advance(0.05)
    assert ticks == [180_001, 180_002, 180_003]
    running.cancel()


class Wall(RealClock):
    """A clock that a test sets, for pacing as on a machine that is slow."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def seconds(self) -> float:
        return self.now_s

    async def sleep_until(self, moment: float) -> None:
        await asyncio.sleep(0)
        self.now_s = max(self.now_s, moment)


async def test_lateness_counts_until_the_last_write_and_a_late_loop_catches_up() -> None:
    clock = Wall()
    pacer = Pacer(clock)
    ticks: list[int] = []

    class Slow:
        def __init__(self, slowest: float) -> None:
            self.slowest = slowest

        def tick(self, number: int) -> None:
            ticks.append(number)
            clock.now_s += self.slowest if number == 2 else 0.001

    # All but the first two have a moment of their own, two milliseconds after each other.
    for slowest in (0.05, *[0.001] * clock.phases):
        pacer.add(Slow(slowest))
    running = asyncio.create_task(pacer.run())
    while ticks[-1:] < [9]:  # noqa: ASYNC110  the pacer has no event for it
        await asyncio.sleep(0)
    running.cancel()
    assert [number for number in ticks if number < 9] == [
        number for number in range(1, 9) for _ in range(clock.phases + 1)
    ]
    late = pacer.lateness
    # Each waited for itself alone, except those behind the 50 ms.
    assert (late.percentile(0.0), late.percentile(1.0)) == (2.0, 51.0)
    assert late.of_all(0.99) == 51.1


async def test_in_real_time_each_has_a_moment_of_its_own_and_its_sound_is_as_much_later() -> None:
    pacer = Pacer(RealClock())

    class Ear:
        def tick(self, number: int) -> None: ...

    phases = [pacer.add(Ear()) for _ in range(11)]
    assert phases == [pytest.approx(0.002 * number) for number in [*range(10), 0]]
    assert pacer.moment(50, phases[5]) - pacer.moment(50) == timedelta(milliseconds=10)
    assert [Pacer(VirtualClock(START)).add(Ear()) for _ in range(2)] == [0.0, 0.0]


def test_of_very_many_ticks_the_last_are_known_exactly_and_all_in_steps() -> None:
    late = Lateness()
    assert (late.percentile(0.99), late.of_all(0.99)) == (0.0, 0.0)
    for number in range(10_000):
        late.add(9.95 if number < 5_000 else 1.25)
    assert (late.percentile(0.99), late.of_all(0.99), late.of_all(0.25)) == (1.25, 10.0, 1.3)
    late.add(60_000)
    assert late.of_all(1.0) == 2000.1
