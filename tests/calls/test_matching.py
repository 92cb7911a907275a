"""What was meant, from what speech recognition on a telephone makes of it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calls import matching

MENU = {
    "call": ["call me back", "callback", "ring me"],
    "order": ["order status", "my order"],
    "hours": ["opening hours", "open"],
    "person": ["a person", "an agent"],
}


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("Call me back.", "call"),
        ("um, could you call me back please?", "call"),
        ("call back", "call"),
        ("cull me back", "call"),
        ("Order status", "order"),
        ("order stay tus", "order"),
        ("other status", "order"),
        ("where is my order", "order"),
        ("opening ours", "hours"),
        ("opinion hours", "hours"),
        ("I want to speak to a person!", "person"),
        ("an age and", "person"),
        ("call me back about my order", "call"),  # the longer phrase
        ("my order or an agent", ""),  # it may be either
        ("the weather is nice", ""),
        ("yes", ""),
        ("", ""),
        ("…", ""),
    ],
)
def test_what_is_meant(said, meant):
    assert matching.best(said, MENU) == meant


def test_short_words_are_taken_as_they_are_said():
    assert matching.best("tea", {"tea": ["tea"], "ten": ["ten"]}) == "tea"
    assert matching.best("tee", {"tea": ["tea"], "ten": ["ten"]}) == ""


def test_word_by_word_means_word_by_word():
    assert matching.exact("a person please", MENU) == "person"
    assert matching.exact("a purse on please", MENU) == ""


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        ("Yes.", True), ("yeah that's right", True), ("correct", True), ("okay", True),
        ("no", False), ("no, that's not right", False), ("that isn't right", False), ("nope", False),
        ("perhaps", None), ("", None),
    ],
)  # fmt: skip
def test_yes_and_no(said, answer):
    assert matching.yes_or_no(said) is answer


@given(
    st.text(max_size=300), st.dictionaries(st.text(max_size=20), st.lists(st.text(max_size=40), max_size=5))
)
def test_nothing_that_is_said_breaks_it(said, options):
    assert matching.best(said, options) in {"", *options}
    matching.yes_or_no(said)
