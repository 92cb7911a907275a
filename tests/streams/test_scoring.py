"""Word error rate: normalisation, counts, totals."""

import pytest

from streams.scoring import Score, align, normalise, score, total


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Hello, WORLD!", "hello world"),
        ("It's O.K.", "its o k"),
        ("forty-two", "forty two"),
        ("2:30 p.m.", "two thirty p m"),
        ("at 3:00 PM", "at three p m"),
        ("10 am", "ten a m"),
        ("I am 10", "i am ten"),
        ("10001", "one zero zero zero one"),
        ("415-555-0132", "four one five five five five zero one three two"),
        ("007", "zero zero seven"),
        ("in 1455", "in fourteen fifty five"),
        ("1,200 people", "one thousand two hundred people"),
        ("100%", "one hundred percent"),
        ("$12", "twelve dollars"),
        ("the 20th and the 3rd", "the twentieth and the third"),
        ("2.5", "two point five"),
        ("naïve café", "naïve café"),
        ("... ♪ …", ""),
        ("", ""),
    ],
)
def test_texts_are_brought_to_one_form(text: str, words: str) -> None:
    assert normalise(text) == words.split()


def test_the_same_words_make_no_error() -> None:
    assert score("two thirty p m", "2:30 P.M.") == Score(4, 0, 0, 0)


def test_each_kind_of_error_is_counted() -> None:
    assert score("a b c d e f", "a x c e f g h") == Score(words=6, substituted=1, deleted=1, inserted=2)


def test_the_rate_is_errors_over_words_said() -> None:
    counts = score("one two three four", "one two tree")
    assert (counts.errors, counts.rate) == (2, 0.5)


def test_words_where_nothing_was_said_are_errors_without_a_rate() -> None:
    counts = score("", "thank you")
    assert (counts.errors, counts.rate) == (2, None)


def test_long_texts_weigh_more_in_a_total() -> None:
    assert total([Score(90, 9, 0, 0), Score(10, 0, 0, 10)]).rate == pytest.approx(0.19)


def test_an_alignment_names_the_places_of_both() -> None:
    assert align(["a", "b", "c", "d"], ["a", "c", "d", "e"]) == [(0, 0), (1, None), (2, 1), (3, 2), (None, 3)]
