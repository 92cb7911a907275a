"""Days and times as callers say and key them, and as a voice says them back."""

from datetime import UTC, date, datetime, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calls import days
from calls.hours import Schedule, Span

TODAY = date(2026, 11, 26)  # a Thursday


@pytest.mark.parametrize(
    ("said", "day"),
    [
        ("Today.", "2026-11-26"),
        ("tomorrow", "2026-11-27"),
        ("the day after tomorrow", "2026-11-28"),
        ("on Friday please", "2026-11-27"),
        ("next Monday", "2026-11-30"),
        ("Thursday", "2026-12-03"),
        ("the third of May", "2027-05-03"),
        ("December 1st", "2026-12-01"),
        ("friday the fourth of december", "2026-12-04"),
        ("3 May 2027", "2027-05-03"),
        ("29 February", "2028-02-29"),
        ("tomorrow at two thirty", "2026-11-27"),
    ],
)
def test_a_day_ahead(said, day):
    assert days.as_day(said, TODAY) == date.fromisoformat(day)


@pytest.mark.parametrize(
    ("said", "day"), [("yesterday", "2026-11-25"), ("Monday", "2026-11-23"), ("3 May", "2026-05-03")]
)
def test_a_day_in_the_past(said, day):
    assert days.as_day(said, TODAY, past=True) == date.fromisoformat(day)


@pytest.mark.parametrize("said", ["", "two people", "half an hour", "31 February", "may", "9" * 500])
def test_what_is_no_day_is_none(said):
    assert days.as_day(said, TODAY) is None


@pytest.mark.parametrize(
    ("said", "at"),
    [
        ("two thirty p m", "14:30"),
        ("Two thirty p M.", "14:30"),  # as the embedded engine writes it
        ("2:30 p.m.", "14:30"),
        ("2.30 PM", "14:30"),
        ("at 10 in the morning", "10:00"),
        ("ten o'clock", "10:00"),
        ("three oh clock", "15:00"),
        ("half past two", "14:30"),
        ("quarter to three", "14:45"),
        ("twenty past nine", "09:20"),
        ("ten to four", "15:50"),
        ("ten oh five", "10:05"),
        ("nine hundred", "09:00"),
        ("fourteen thirty", "14:30"),
        ("one four three zero", "14:30"),
        ("1430", "14:30"),
        ("noon", "12:00"),
        ("midnight", "00:00"),
        ("12 a m", "00:00"),
        ("eight in the evening", "20:00"),
        ("eight", "08:00"),
        ("four", "16:00"),
        ("7 am", "07:00"),
    ],
)
def test_a_time(said, at):
    assert days.as_time(said) == time.fromisoformat(at)


@pytest.mark.parametrize("said", ["", "tomorrow", "ninety nine", "past", "to", "half past", "12345"])
def test_what_is_no_time_is_none(said):
    assert days.as_time(said) is None


def test_keys():
    assert days.keyed_day("0305", TODAY) == date(2027, 5, 3)
    assert days.keyed_day("03051980", TODAY) == date(1980, 5, 3)
    assert days.keyed_day("9999", TODAY) is None
    assert days.keyed_time("1430") == time(14, 30)
    assert days.keyed_time("930") == time(9, 30)
    assert days.keyed_time("2460") is None


def test_they_are_said_back():
    assert [days.say_day(date(2026, 11, day), TODAY) for day in (26, 27, 30)] == [
        "today",
        "tomorrow",
        "Monday 30 November",
    ]
    assert days.say_day(date(2028, 2, 29), TODAY) == "Tuesday 29 February 2028"
    assert [days.say_time(time(*at)) for at in ((9,), (14, 30), (12,), (0,), (0, 5))] == [
        "9 AM", "2:30 PM", "noon", "midnight", "12:05 AM",
    ]  # fmt: skip


def test_when_it_opens_next():
    week = Schedule({0: (Span(time(9), time(17)),), 4: (Span(time(9), time(17)),)})
    opens = [
        days.say_opening(week, datetime(2026, 11, day, hour, tzinfo=UTC))
        for day, hour in ((27, 8), (27, 10), (26, 10), (28, 10))
    ]
    assert opens == ["today at 9 AM", "now", "tomorrow at 9 AM", "on Monday 30 November at 9 AM"]
    assert days.say_opening(None, datetime(2026, 11, 27, tzinfo=UTC)) == "now"
    assert days.say_opening(Schedule(), datetime(2026, 11, 27, tzinfo=UTC)) == "at a later date"


@given(st.dates(date(2026, 11, 26), date(2026, 12, 31)))
def test_what_is_said_back_is_understood_again(day):
    assert days.as_day(days.say_day(day, TODAY), TODAY) == day


@given(st.times().map(lambda at: at.replace(second=0, microsecond=0)))
def test_so_is_every_time(at):
    assert days.as_time(days.say_time(at)) == at


WORDS = [
    "two",
    "thirty",
    "past",
    "to",
    "half",
    "quarter",
    "p m",
    "may",
    "next",
    "monday",
    "oh",
    "12",
    ":",
    "-",
]


@given(st.one_of(st.text(max_size=200), st.lists(st.sampled_from(WORDS)).map(" ".join)), st.dates())
def test_nothing_that_is_said_breaks_it(said, today):
    days.as_time(said)
    days.as_day(said, today)
    days.as_day(said, today, past=True)
