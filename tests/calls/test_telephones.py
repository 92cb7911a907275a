"""Telephone numbers as people type them, and what a number tells by itself."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calls.telephones import region_of, telephone


def sentence_or(act):
    try:
        return act()
    except ValueError as wrong:
        return str(wrong)


@pytest.mark.parametrize(
    ("typed", "region", "number"),
    [
        ("+44 20 7946 0100", "", "+442079460100"),
        ("020 7946 0100", "GB", "+442079460100"),
        ("(020) 7946-0100", "GB", "+442079460100"),
        ("0044 20 7946 0100", "GB", "+442079460100"),
        ("0044 20 7946 0100", "", "+442079460100"),
        ("442079460100", "GB", "+442079460100"),
        ("06-12345678", "NL", "+31612345678"),
        ("+15550100", "", "+15550100"),
        ("+31 (0)20 123-4567", "", "+31201234567"),
        (" 0031.20.123.4567 ", "", "+31201234567"),
    ],
)
def test_a_typed_number_becomes_e164(typed, region, number):
    assert telephone(typed, region) == number


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("020 7946 0100", "no country code"),
        ("4.47701E+11", "spreadsheet has shortened"),
        ("anonymous", "withholds"),
        ("+266696687", "withholds"),
        ("020 FLOWERS", "with digits"),
        ("+44 20 7946 0100 ext 5", "with digits"),
        ("+44", "+31 20 123 4567"),
        ("+4420794601001234567", "too short or too long"),
        ("=1+1", "with digits"),
        ("+999", "no country code"),
        ("+" * 64_000, "with digits"),
        ("+31 20\x00", "too short"),
        ("client:agent", "with digits"),
    ],
)
def test_what_is_no_number_is_told_in_words(typed, why):
    with pytest.raises(ValueError, match=why.replace("+", r"\+")):
        telephone(typed)


@given(st.text(max_size=60), st.sampled_from(["", "GB", "US", "NL", "XX"]))
def test_any_text_is_a_number_or_a_sentence(text, region):
    got = sentence_or(lambda: telephone(text, region))
    assert got.startswith("+") or got.endswith(".")


def test_the_country_of_a_number():
    assert [region_of(each) for each in ("+442079460100", "+31612345678", "+15550100", "client:x", "")] == [
        "GB", "NL", "US", "", "",
    ]  # fmt: skip
