"""The judge of what a caller has heard."""

from emulator.media.playback import MAX_BUFFERED, MAX_MARKS, Playback

FRAME = b"\x80" * 160


def tick(playback: Playback) -> tuple[bytes | None, list[str]]:
    """What is played for the next 20 ms, and the marks that came back at its beginning."""
    due = playback.due()
    return playback.take(), due


def test_nothing_waits_at_first() -> None:
    assert tick(Playback()) == (None, [])


def test_a_mark_with_nothing_before_it_comes_back_at_once() -> None:
    assert Playback().mark("now") == ["now"]


def test_a_mark_comes_back_when_the_last_byte_before_it_has_been_heard() -> None:
    playback = Playback()
    playback.put(FRAME * 2)
    assert playback.mark("end") == []
    assert tick(playback) == (FRAME, [])
    assert tick(playback) == (FRAME, [])
    assert tick(playback) == (None, ["end"])


def test_a_mark_sent_while_the_last_frame_sounds_waits_for_its_end() -> None:
    playback = Playback()
    playback.put(FRAME)
    tick(playback)
    assert playback.mark("end") == []
    assert tick(playback) == (None, ["end"])
    assert playback.mark("later") == ["later"]


def test_marks_come_back_in_the_order_in_which_they_were_sent() -> None:
    playback = Playback()
    playback.put(FRAME)
    playback.mark("one")
    playback.mark("two")
    playback.put(FRAME)
    playback.mark("three")
    assert [tick(playback)[1] for _ in range(3)] == [[], ["one", "two"], ["three"]]


def test_a_mark_within_a_frame_comes_back_after_it() -> None:
    playback = Playback()
    playback.put(b"\x80" * 100)
    playback.mark("early")
    playback.put(b"\x80" * 60)
    assert tick(playback) == (FRAME, [])
    assert tick(playback) == (None, ["early"])


def test_a_short_rest_is_filled_with_silence_and_counted_as_it_is() -> None:
    playback = Playback()
    playback.put(b"\x80" * 100)
    assert playback.take() == b"\x80" * 100 + b"\xff" * 60
    assert playback.played == 100


def test_pieces_of_any_length_are_joined() -> None:
    playback = Playback()
    for size in (1, 159, 161, 0, 159):
        playback.put(b"\x80" * size)
    assert [playback.take() for _ in range(4)] == [FRAME, FRAME, FRAME, None]


def test_clear_returns_the_marks_that_wait_and_plays_nothing_more() -> None:
    playback = Playback()
    playback.put(FRAME)
    playback.mark("one")
    playback.put(FRAME * 10)
    playback.mark("two")
    tick(playback)
    assert playback.clear() == ["one", "two"]
    assert tick(playback) == (None, [])
    assert playback.played == 160


def test_what_is_sent_after_clear_plays_normally() -> None:
    playback = Playback()
    playback.put(FRAME * 10)
    playback.take()
    playback.clear()
    playback.put(FRAME)
    playback.mark("new")
    assert [tick(playback), tick(playback)] == [(FRAME, []), (None, ["new"])]


def test_more_than_ten_minutes_are_not_taken() -> None:
    playback = Playback()
    assert playback.put(b"\x80" * MAX_BUFFERED)
    assert not playback.put(b"\x80")
    assert playback.buffered == 600 * 8000
    playback.take()
    assert playback.put(FRAME)


def test_more_marks_than_any_program_needs_are_lost() -> None:
    playback = Playback()
    playback.put(FRAME)
    assert all(playback.mark("again") == [] for _ in range(MAX_MARKS))
    assert playback.mark("one too many") is None
