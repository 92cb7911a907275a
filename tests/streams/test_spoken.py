"""Words fail when nobody writes them down; silence and catching up are no failure."""

from calls.redaction import CARD, CODE, NUMBER
from streams.live.spoken import Spoken


def judged(
    spoken: Spoken, position_ms: int, *, claimed: bool = True, wanted: bool = True, now: float | None = None
) -> bool:
    """Whether words fail; sound comes in real time."""
    at = position_ms / 1000 if now is None else now
    spoken.judge(wanted=wanted, claimed=claimed, position_ms=position_ms, now=at)
    return spoken.failed


def test_a_stream_without_an_engine_has_failed_after_five_seconds_of_sound() -> None:
    spoken = Spoken()
    assert not judged(spoken, 5_000, claimed=False)
    assert judged(spoken, 5_020, claimed=False)
    assert spoken.health() == {"behind_ms": 5_020, "failed": True}


def test_an_engine_that_comes_late_makes_it_good_at_once_and_its_backlog_is_told() -> None:
    spoken = Spoken()
    assert judged(spoken, 60_000, claimed=False)
    assert not judged(spoken, 61_000)
    assert spoken.health() == {"behind_ms": 61_000}
    for second in range(1, 30):
        spoken.heard(1_000 * second, 61.0 + second)
        assert not judged(spoken, 61_000 + 1_000 * second)


def test_an_engine_that_comes_no_further_has_failed_after_ten_seconds() -> None:
    spoken = Spoken()
    judged(spoken, 1_000)
    spoken.heard(2_000, 2.0)
    assert not judged(spoken, 12_000)
    assert judged(spoken, 12_500)
    spoken.heard(12_000, 13.0)
    assert not judged(spoken, 13_000)
    assert spoken.health() == {"behind_ms": 0}


def test_who_still_writes_lines_is_late_and_has_not_failed() -> None:
    spoken = Spoken()
    judged(spoken, 1_000)
    spoken.heard(2_000, 2.0)
    spoken.wrote(12.0)
    assert not judged(spoken, 13_000)
    assert spoken.health() == {"behind_ms": 11_000}
    assert judged(spoken, 13_000, claimed=False)  # nobody does any more
    assert judged(spoken, 22_500, claimed=False)


def test_a_silent_caller_and_a_stream_that_brings_nothing_are_no_failure() -> None:
    spoken = Spoken()
    for second in range(0, 120, 2):
        spoken.heard(1_000 * second, second)
        assert not judged(spoken, 1_000 * second + 1_500)
    assert not judged(spoken, 119_500, now=500)


def test_without_words_wanted_nothing_fails_and_the_count_begins_anew_after_it() -> None:
    spoken = Spoken()
    assert judged(spoken, 20_000, claimed=False)
    assert not judged(spoken, 30_000, claimed=False, wanted=False)
    assert not judged(spoken, 34_000, claimed=False)
    assert judged(spoken, 35_500, claimed=False)


def test_how_late_the_last_line_came_is_told_while_the_engine_keeps_up() -> None:
    spoken = Spoken()
    spoken.heard(9_000, 9.7)
    spoken.final("inbound", 9_000, "good morning", 9_700)
    judged(spoken, 10_000)
    assert spoken.health() == {"behind_ms": 700}


def test_partial_lines_are_shown_without_what_must_not_be_seen() -> None:
    spoken = Spoken()
    assert spoken.shown("inbound", 0, "it's 4111") == "it's 4111"
    spoken.final("inbound", 2_000, "It's 4111 1111.", 2_100)
    assert spoken.shown("inbound", 3_000, "1") == NUMBER
    assert spoken.shown("outbound", 3_000, "1") == "1"
    assert spoken.shown("inbound", 3_000, "1111 1111") == CARD
    assert spoken.shown("inbound", 33_000, "1") == "1"


def test_a_code_that_the_other_side_asked_for_is_hidden_at_once() -> None:
    spoken = Spoken()
    spoken.final("outbound", 2_000, "And the security code?", 2_500)
    assert spoken.shown("inbound", 4_000, "it's one") == f"it's {CODE}"
    assert spoken.shown("inbound", 24_000, "room one") == "room one"
