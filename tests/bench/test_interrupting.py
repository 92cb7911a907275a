"""Where the bench takes speech to begin."""

from bench import interrupting

LOUD, QUIET = b"\x10\x90" * 80, b"\xff" * 160


def test_what_is_loud_after_a_pause_begins_to_speak() -> None:
    sound = QUIET * 50 + LOUD * 10 + QUIET * 10 + LOUD * 10 + QUIET * 30 + LOUD
    assert interrupting._onsets(sound) == [1000, 1000 + 20 * 60]
