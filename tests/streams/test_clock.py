"""One track's time: where frames belong, what is missing, late or doubled."""

import random
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streams.clock import DOUBLED, LATE, Clock, Hole, without

FRAME = 160


def play(clock: Clock, timestamps: list[int], sequence: int = 2) -> list[int]:
    return [clock.place(ms, FRAME, number) for number, ms in enumerate(timestamps, sequence)]


def holes(clock: Clock) -> list[tuple[int, int]]:
    clock.finish()
    return [(hole.at_ms, hole.ms) for hole in clock.take_settled()]


def test_frames_in_time_lie_end_to_end():
    clock = Clock()
    assert play(clock, [61, 81, 101, 121]) == [61, 81, 101, 121]
    assert (clock.end_ms, clock.lost_ms, holes(clock)) == (141, 0, [])


def test_jitter_under_a_frame_neither_tears_nor_overlaps():
    clock = Clock()
    assert play(clock, [61, 70, 110, 121, 160, 155]) == [61, 81, 101, 121, 141, 161]
    assert holes(clock) == []


@pytest.mark.parametrize("lost", [1, 2, 10, 500])
def test_missing_frames_leave_a_hole_of_their_length(lost: int):
    clock = Clock()
    after = 81 + 20 * lost
    assert play(clock, [61, after]) == [61, after]
    assert clock.lost_ms == 20 * lost
    assert holes(clock) == [(81, 20 * lost)]


def test_the_hole_is_known_with_the_frame_behind_it_and_not_later():
    clock = Clock()
    play(clock, [0, 60])
    assert clock.hole is not None
    assert (clock.hole.at_ms, clock.hole.ms) == (20, 40)
    clock.place(80, FRAME, 9)
    assert clock.hole is None


def test_silence_that_is_not_sent_is_a_hole_too():
    clock = Clock()
    assert play(clock, [0, 20, 5040, 5060])[-2:] == [5040, 5060]
    assert holes(clock) == [(40, 5000)]


def test_a_small_first_timestamp_is_no_loss_and_a_large_one_is():
    early, late = Clock(), Clock()
    early.place(499, FRAME, 2)
    late.place(3000, FRAME, 2)
    assert (holes(early), early.lost_ms) == ([], 0)
    assert (holes(late), late.lost_ms) == ([(0, 3000)], 3000)


def test_two_frames_in_the_wrong_order_are_both_kept_and_nothing_is_lost():
    clock = Clock()
    assert [clock.place(ms, FRAME, n) for ms, n in ((0, 2), (40, 4), (20, 3), (60, 5))] == [0, 40, 20, 60]
    assert (clock.lost_ms, holes(clock)) == (0, [])


def test_the_first_two_frames_in_the_wrong_order_are_both_kept():
    clock = Clock()
    assert [clock.place(ms, FRAME, n) for ms, n in ((81, 3), (61, 2), (101, 4))] == [81, 61, 101]
    assert (clock.lost_ms, holes(clock)) == (0, [])


def test_a_late_frame_within_200_ms_fills_its_part_of_the_hole():
    clock = Clock()
    play(clock, [0], 2)
    for number, ms in enumerate(range(80, 280, 20), 6):  # 20, 40 and 60 are missing
        clock.place(ms, FRAME, number)
    assert clock.end_ms == 280  # the hole ended 200 ms ago
    assert clock.place(40, FRAME, 4) == 40
    assert holes(clock) == [(20, 20), (60, 20)]


def test_a_frame_later_than_200_ms_is_late():
    clock = Clock()
    play(clock, [0], 2)
    for number, ms in enumerate(range(40, 280, 20), 4):
        clock.place(ms, FRAME, number)
    assert clock.place(20, FRAME, 3) == LATE
    assert holes(clock) == [(20, 20)]


def test_the_same_frame_again_is_doubled():
    clock = Clock()
    play(clock, [0, 20])
    assert clock.place(20, FRAME, 3) == DOUBLED
    assert clock.place(0, FRAME, 2) == DOUBLED
    assert clock.place(20, FRAME, 4) == DOUBLED  # with a number of its own as well
    assert clock.place(40, FRAME, 5) == 40
    assert holes(clock) == []


def test_a_late_frame_fills_its_hole_once():
    clock = Clock()
    play(clock, [0], 2)
    clock.place(40, FRAME, 4)
    assert [clock.place(20, FRAME, 3), clock.place(20, FRAME, 3)] == [20, DOUBLED]


def test_a_doubled_neighbour_does_not_fill_the_hole_beside_it():
    clock = Clock()
    clock.place(0, FRAME, 2)
    clock.place(25, FRAME, 3)  # jitter: written at 20
    clock.place(80, FRAME, 6)
    assert clock.place(25, FRAME, 3) == DOUBLED
    assert holes(clock) == [(40, 40)]


def test_a_senders_clock_that_begins_anew_goes_on_where_it_was():
    clock = Clock()
    play(clock, list(range(0, 2000, 20)))
    placed = play(clock, [0, 20, 40, 60, 80], sequence=200)
    assert placed[2:] == [2040, 2060, 2080]
    assert all(place < 0 for place in placed[:2])
    assert clock.restarts == 1
    assert holes(clock) == [(2000, 40)]


def test_late_frames_do_not_pass_for_a_new_beginning():
    clock = Clock()
    play(clock, list(range(0, 2000, 20)))
    for number in range(10):
        assert clock.place(1000, FRAME, 200 + 2 * number) < 0
        assert clock.place(2000 + 20 * number, FRAME, 201 + 2 * number) == 2000 + 20 * number
    assert clock.restarts == 0


@pytest.mark.parametrize("size", [1, 7, 80, 161, 333, 4000])
def test_payloads_of_any_length_add_up(size: int):
    clock = Clock()
    for number in range(1000):
        assert clock.place(number * size // 8, size, number) == number * size // 8
    assert (clock.end_ms, clock.lost_ms) == (1000 * size // 8, 0)


def test_a_jump_beyond_all_time_is_dropped():
    clock = Clock()
    play(clock, [0, 20])
    assert clock.place(2**31 - 1, FRAME, 9) == LATE
    assert clock.place(40, FRAME, 10) == 40
    assert clock.lost_ms == 0


@pytest.mark.parametrize("wild", [(60_000, 2**40), (101, 2**40), (60_000, 5)])
def test_one_wild_frame_costs_no_more_than_the_frames_that_prove_the_clock(wild: tuple[int, int]):
    clock = Clock()
    play(clock, [61, 81])
    clock.place(wild[0], FRAME, wild[1])
    placed = play(clock, [101 + 20 * number for number in range(100)], sequence=6)
    assert sum(at >= 0 for at in placed) >= 97


def test_slow_drift_shows_as_a_hole_of_a_frame_and_no_more():
    fast, slow = Clock(), Clock()
    for number in range(5000):
        fast.place(number * 2001 // 100, FRAME, number)
        slow.place(number * 1999 // 100, FRAME, number)
    assert fast.end_ms == pytest.approx(5000 * 20.01, abs=20)
    assert slow.end_ms == pytest.approx(5000 * 19.99, abs=21)


def test_what_sound_leaves_of_holes():
    left = without([Hole(0, 10), Hole(20, 30), Hole(40, 50)], 5, 45)
    assert [(hole.start, hole.end) for hole in left] == [(0, 5), (45, 50)]


@settings(max_examples=300)
@given(st.data())
def test_frames_moved_within_the_window_are_all_kept_in_their_places(data: st.DataObject):
    """Up to seven places too late each (140 ms), from the second frame on."""
    count = data.draw(st.integers(2, 60))
    delays = data.draw(st.lists(st.integers(0, 6), min_size=count, max_size=count))
    order = sorted(range(count), key=lambda number: (number + delays[number], number))
    clock = Clock()
    placed = {number: clock.place(61 + 20 * number, FRAME, 2 + number) for number in order}
    assert placed == {number: 61 + 20 * number for number in range(count)}
    assert (clock.lost_ms, holes(clock)) == (0, [])


@settings(max_examples=300)
@given(
    st.lists(
        st.tuples(st.integers(0, 200), st.integers(1, 400), st.integers(0, 60), st.integers(-9, 9)),
        min_size=1,
        max_size=120,
    )
)
def test_whatever_comes_no_position_is_negative_and_none_is_written_twice(
    frames: list[tuple[int, int, int, int]],
):
    clock = Clock()
    written: list[tuple[int, int]] = []
    for step, tenths, sequence, jitter in frames:
        size = 8 * tenths
        at = clock.place(max(0, step * 20 + jitter), size, sequence)
        assert at >= 0 or at in (LATE, DOUBLED)
        if at >= 0:
            written.append((at, at + tenths))
    assert_account_balances(clock, written)


def test_any_shuffle_of_a_call_balances_what_is_written_and_what_is_missing():
    for seed in range(50):
        chance = random.Random(seed)
        order = [n for n in range(400) for _ in range(chance.choice((0, 1, 1, 1, 1, 2)))]
        order.sort(key=lambda n: n + chance.choice((0, 0, 0, 0, 5, 30)))
        clock, written = Clock(), []
        for number in order:
            at = clock.place(20 * number, FRAME, 2 + number)
            if at >= 0:
                written.append((at, at + 20))
        assert_account_balances(clock, written)


def assert_account_balances(clock: Clock, written: list[tuple[int, int]]) -> None:
    """Written and missing time together are the track from its first sound to its end, each ms once."""
    written.sort()
    for (_, end), (start, _) in pairwise(written):
        assert end <= start
    missing = holes(clock)
    spans = sorted(written + [(at, at + ms) for at, ms in missing])
    for (_, end), (start, _) in pairwise(spans):
        assert end == start
    assert spans[-1][1] == clock.end_ms
    assert sum(ms for _, ms in missing) == clock.lost_ms
