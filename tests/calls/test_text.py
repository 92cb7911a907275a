"""Foreign text: clean, on one line, of bounded length, and storable in every database."""

import sqlite3
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calls.text import clean, e164, is_withheld, known_caller


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("Carla Visser", "Carla Visser"),
        ("a\x00b", "ab"),
        ("one\r\ntwo\tthree", "one two three"),
        ("\x1b[31mred\x1b[0m", "[31mred [0m"),
        ("safe\u202egpj.exe", "safegpj.exe"),
        ("\ud83d\ude00", "\U0001f600"),
        ("lone \ud800 half", "lone \ufffd half"),
        ("  round  ", "round"),
        ("\u2066isolated\u2069", "isolated"),
        (None, "None"),
    ],
)
def test_what_is_kept_of_it(given, kept):
    assert clean(given, 100) == kept


@given(st.text(alphabet=st.characters(), max_size=200), st.integers(1, 40))
def test_whatever_comes_is_one_clean_line(text, limit):
    kept = clean(text, limit)
    assert len(kept) <= limit
    assert not any(unicodedata.category(char) in {"Cc", "Cs"} for char in kept)
    assert kept.encode("utf-8").decode("utf-8") == kept
    assert sqlite3.connect(":memory:").execute("select ?", [kept]).fetchone() == (kept,)


def test_64_kb_are_cut():
    assert clean("x" * 65_536, 120) == "x" * 120


@pytest.mark.parametrize("number", ["+31612345678", "+15550100", "+123456789012345"])
def test_a_number_in_e164(number):
    assert e164(number) == number


@pytest.mark.parametrize(
    "other",
    ["", "31612345678", "+0612345678", "+31 6 1234", "+31612345678\n", "client:agent_1", "+1234567890123456"],
)
def test_what_is_no_number_in_e164(other):
    assert e164(other) == ""


@pytest.mark.parametrize("caller", ["", "anonymous", "Anonymous", "RESTRICTED", "unknown", "+266696687"])
def test_a_withheld_caller_is_nobody(caller):
    assert is_withheld(caller)
    assert known_caller(caller) == ""


@pytest.mark.parametrize(
    ("caller", "kept"),
    [
        ("+31612345678", "+31612345678"),
        ("client:agent_jonas", "client:agent_jonas"),
        ("sip:desk@example.com", "sip:desk@example.com"),
        ("+3161\x002345678", "+31612345678"),
        ("\u202e" + "9" * 70_000, "9" * 255),
    ],
)
def test_other_callers_are_kept_as_they_are(caller, kept):
    assert known_caller(caller) == kept
