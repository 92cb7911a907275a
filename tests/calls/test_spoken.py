"""Codes and dates as callers say and key them."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calls import spoken

WORDS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
MONTHS = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
          "November", "December"]  # fmt: skip
ORDINALS = [
    "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth", "eleventh",
    "twelfth", "thirteenth", "fourteenth", "fifteenth", "sixteenth", "seventeenth", "eighteenth",
    "nineteenth", "twentieth", "twenty-first", "twenty-second", "twenty-third", "twenty-fourth",
    "twenty-fifth", "twenty-sixth", "twenty-seventh", "twenty-eighth", "twenty-ninth", "thirtieth",
    "thirty-first",
]  # fmt: skip
TEENS = [
    "ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen",
    "nineteen",
]  # fmt: skip
ALL = [*WORDS, *MONTHS, *ORDINALS, "hundred", "thousand", "double", "oh", "and"]
DATES = st.dates(date(1900, 1, 1), date(2029, 12, 31))
DIGITS = st.text("0123456789", min_size=1, max_size=12)


@pytest.mark.parametrize(
    ("said", "digits"),
    [
        ("four two one", "421"),
        ("Four, two, one.", "421"),
        ("one double two", "122"),
        ("triple seven oh", "7770"),
        ("my code is 4 2 1", "421"),
        ("forty two eleven", "4211"),
        ("4711", "4711"),
        ("double 5 one", "551"),
        ("I do not know", ""),
        ("", ""),
        ("\x00\u202e", ""),
    ],
)
def test_digits_that_are_said(said, digits):
    assert spoken.as_digits(said) == digits


@given(DIGITS)
def test_every_code_is_understood_digit_by_digit(code):
    assert spoken.as_digits(" ".join(WORDS[int(digit)] for digit in code)) == code
    assert spoken.as_digits(" ".join(code)) == code
    assert spoken.as_digits(code) == code


@given(st.integers(0, 9), st.integers(0, 9))
def test_double_is_twice(one, other):
    assert spoken.as_digits(f"{WORDS[one]} double {WORDS[other]}") == f"{one}{other}{other}"


def year_in_words(year):
    century, rest = divmod(year, 100)
    spelled = small(rest)
    if year == 2000 or (century == 20 and rest < 10):
        return "two thousand" + (f" and {spelled}" if rest else "")
    if rest == 0:
        return f"{small(century)} hundred"
    return f"{small(century)} {'oh ' if rest < 10 else ''}{spelled}"


def small(number):
    tens = ["", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
    if number < 10:
        return WORDS[number]
    if number < 20:
        return TEENS[number - 10]
    return tens[number // 10] + (f" {WORDS[number % 10]}" if number % 10 else "")


@given(DATES)
def test_every_day_is_understood_in_the_ways_people_say_it(day):
    month, ordinal = MONTHS[day.month - 1], ORDINALS[day.day - 1]
    for said in (
        f"{day.day} {month} {day.year}",
        f"the {ordinal} of {month} {year_in_words(day.year)}",
        f"{month} {ordinal}, {year_in_words(day.year)}",
        f"{month[:3].lower()} {day.day} {day.year}",
        f"{day.day}/{day.month}/{day.year}",
        day.isoformat(),
        f"{day:%d%m%Y}",
        " ".join(f"{day:%d%m%Y}"),
        " ".join(WORDS[int(digit)] for digit in f"{day:%d%m%Y}"),
    ):
        assert spoken.as_date(said) == day, said
    assert spoken.keyed_date(f"{day:%d%m%Y}#") == day


@pytest.mark.parametrize(
    "said",
    ["", "may", "31 February 1980", "3 May 80", "yesterday", "99999999", "3 May", "the 5th", "9" * 5000],
)
def test_what_is_no_day_is_none(said):
    assert spoken.as_date(said) is None


@given(st.text(max_size=300))
def test_nothing_that_is_said_breaks_it(said):
    spoken.as_date(said)
    assert all(digit in "0123456789" for digit in spoken.as_digits(said))


@given(
    st.lists(
        st.sampled_from([*WORDS, *MONTHS, *ORDINALS, "hundred", "thousand", "double", "oh", "and"]),
        max_size=40,
    )
)
def test_no_row_of_words_breaks_it(words):
    spoken.as_date(" ".join(words))
    spoken.as_digits(" ".join(words))
