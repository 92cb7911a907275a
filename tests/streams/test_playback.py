"""What we believe the caller has heard: up to the last mark that came back, and never more."""

from hypothesis import given
from hypothesis import strategies as st

from emulator.media.playback import Playback as Judge
from streams.playback import OVERDUE_MS, Piece, Playback

HALF_SECOND = 4000


def a_playback(*names: str) -> Playback:
    """With these pieces of half a second sent at 0."""
    playback = Playback()
    for name in names:
        playback.sent(Piece(name, HALF_SECOND, name), 0)
    return playback


def names(pieces: list[Piece]) -> list[str]:
    return [piece.name for piece in pieces]


def test_what_was_sent_is_not_heard_before_its_mark_came_back() -> None:
    playback = a_playback("1", "2")
    assert playback.heard_bytes == 0
    assert names(playback.returned("1")) == ["1"]
    assert playback.heard_bytes == HALF_SECOND
    assert names(playback.waiting) == ["2"]


def test_a_later_mark_makes_up_for_one_that_was_lost() -> None:
    playback = a_playback("1", "2", "3")
    assert names(playback.returned("2")) == ["1", "2"]


def test_marks_that_come_back_behind_a_clear_count_as_discarded() -> None:
    playback = a_playback("1", "2", "3")
    playback.returned("1")
    assert names(playback.clear(600)) == ["2", "3"]
    assert playback.returned("2") == playback.returned("3") == []
    assert playback.heard_bytes == HALF_SECOND
    assert playback.unknown == 0


def test_what_is_sent_behind_a_clear_is_heard_as_ever() -> None:
    playback = a_playback("1")
    playback.clear(100)
    playback.sent(Piece("2", HALF_SECOND), 100)
    assert playback.returned("1") == []
    assert names(playback.returned("2")) == ["2"]


def test_a_second_clear_finds_nothing_to_discard() -> None:
    playback = a_playback("1")
    playback.clear(0)
    assert playback.clear(0) == []


def test_marks_that_are_not_ours_are_counted_and_change_nothing() -> None:
    playback = a_playback("1")
    assert playback.returned("somebody's") == []
    assert playback.unknown == 1
    assert names(playback.waiting) == ["1"]


def test_a_mark_that_comes_back_twice_is_heard_once() -> None:
    playback = a_playback("1")
    playback.returned("1")
    assert playback.returned("1") == []
    assert playback.heard_bytes == HALF_SECOND


def test_it_knows_how_much_is_still_to_be_played() -> None:
    playback = a_playback("1", "2")
    assert playback.ahead_ms(0) == 1000
    assert playback.ahead_ms(300) == 700
    assert playback.ahead_ms(2000) == 0
    playback.sent(Piece("3", 800), 2000)
    assert playback.ahead_ms(2000) == 100
    playback.clear(2050)
    assert playback.ahead_ms(2050) == 0


def test_marks_are_waited_for_three_seconds() -> None:
    playback = a_playback("1")
    assert not playback.is_overdue(500 + OVERDUE_MS)
    assert playback.is_overdue(501 + OVERDUE_MS)
    playback.returned("1")
    assert not playback.is_overdue(10_000)


act = st.one_of(st.integers(1, 5000), st.just("tick"), st.just("clear"))


@given(st.lists(act, max_size=80))
def test_what_twilio_played_is_what_we_believe_was_heard(acts: list[int | str]) -> None:
    """With no time between us and Twilio the two agree to the byte, piece by piece."""
    judge, ours, played, number = Judge(), Playback(), 0, 0
    sizes: dict[str, int] = {}
    for act in acts:
        if act == "tick":
            returned = judge.due()
            played += sum(sizes[name] for name in returned)
            judge.take()
        elif act == "clear":
            ours.clear(0)
            returned = judge.clear()
        else:
            number += 1
            name = str(number)
            sizes[name] = int(act)
            ours.sent(Piece(name, int(act)), 0)
            judge.put(b"\xff" * int(act))
            returned = judge.mark(name) or []
        for name in returned:
            ours.returned(name)
        assert ours.heard_bytes == played
