"""The judge of what a caller has heard."""

from emulator.playback import MAX_BUFFERED, Playback

FRAME = b"\x80" * 160


def test_nothing_waits_at_first() -> None:
    assert Playback().take() == (None, [])


def test_a_mark_with_nothing_before_it_comes_back_at_once() -> None:
    assert Playback().mark("now") == ["now"]


def test_a_mark_comes_back_with_the_last_byte_before_it() -> None:
    playback = Playback()
    playback.put(FRAME * 2)
    assert playback.mark("end") == []
    assert playback.take() == (FRAME, [])
    assert playback.take() == (FRAME, ["end"])


def test_marks_come_back_in_the_order_in_which_they_were_sent() -> None:
    playback = Playback()
    playback.put(FRAME)
    playback.mark("one")
    playback.mark("two")
    playback.put(FRAME)
    playback.mark("three")
    assert playback.take()[1] == ["one", "two"]
    assert playback.take()[1] == ["three"]


def test_a_short_rest_is_filled_with_silence_and_counted_as_it_is() -> None:
    playback = Playback()
    playback.put(b"\x80" * 100)
    assert playback.take() == (b"\x80" * 100 + b"\xff" * 60, [])
    assert playback.played == 100


def test_pieces_of_any_length_are_joined() -> None:
    playback = Playback()
    for size in (1, 159, 161, 159):
        playback.put(b"\x80" * size)
    assert [playback.take()[0] for _ in range(3)] == [FRAME] * 3
    assert playback.take() == (None, [])


def test_clear_returns_the_marks_that_wait_and_plays_nothing_more() -> None:
    playback = Playback()
    playback.put(FRAME * 10)
    playback.mark("one")
    playback.take()
    assert playback.clear() == ["one"]
    assert playback.take() == (None, [])
    assert playback.played == 160


def test_what_is_sent_after_clear_plays_normally() -> None:
    playback = Playback()
    playback.put(FRAME * 10)
    playback.clear()
    playback.put(FRAME)
    playback.mark("new")
    assert playback.take() == (FRAME, ["new"])


def test_more_than_ten_minutes_are_not_taken() -> None:
    playback = Playback()
    assert playback.put(b"\x80" * MAX_BUFFERED)
    assert not playback.put(b"\x80")
    assert playback.buffered == 600 * 8000
