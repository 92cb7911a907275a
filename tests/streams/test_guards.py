"""What recognisers make up and leave out."""

import pytest

from streams.engines import guards


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("I see I see I see I see", "I see"),
        ("so it is and that is and that is and that is", "so it is and that is"),
        ("go on. Go on, go on", "go on."),
        ("no no no", "no no no"),
        ("four one five five five five zero", "four one five five five five zero"),
        ("one five five five five", "one five five five five"),
        ("the the the the the the the", "the"),
        ("nothing twice", "nothing twice"),
        ("", ""),
    ],
)
def test_a_phrase_that_goes_in_circles_is_kept_once(said: str, kept: str) -> None:
    words = said.split()
    assert " ".join(words[: guards.unrepeated(words)]) == kept


@pytest.mark.parametrize("text", ["", "...", "♪♪", "[Music]", "(laughs)", "— —"])
def test_signs_without_words_are_made_up(text: str) -> None:
    assert guards.made_up(text, voiced_ms=900, certainty=-0.01)


def test_hollow_phrases_are_made_up_when_there_was_hardly_any_voice_or_trust() -> None:
    assert guards.made_up("Thank you for watching.", voiced_ms=300, certainty=-0.1)
    assert guards.made_up("Thank you.", voiced_ms=900, certainty=-0.9)
    assert not guards.made_up("Thank you.", voiced_ms=700, certainty=-0.3)


def test_short_answers_stay() -> None:
    assert not guards.made_up("No.", voiced_ms=200, certainty=-0.4)


def test_a_long_voice_with_few_words_was_left_too_early() -> None:
    assert guards.too_few(words=2, voiced_ms=4000)
    assert not guards.too_few(words=10, voiced_ms=5900)
    assert not guards.too_few(words=1, voiced_ms=1500)


def test_of_two_hearings_the_surer_is_better_unless_nobody_speaks_so() -> None:
    assert guards.plausible(5, 2000, -0.1) > guards.plausible(5, 2000, -0.3)
    assert guards.plausible(1, 5000, -0.1) < guards.plausible(9, 5000, -0.6)


def test_lines_are_tidy() -> None:
    assert guards.tidy(" Two  thirty\n p M..") == "Two thirty p M."
    assert guards.tidy("well,, then...") == "well, then..."


def test_confidence_lies_between_nothing_and_one() -> None:
    assert guards.confidence(0.0) == 1.0
    assert 0 < guards.confidence(-3.0) < 0.1
