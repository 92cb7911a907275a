"""Opening hours by the clock on the wall, also where the clock is changed."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calls.hours import Schedule, Span, is_open, next_closing, next_opening

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
ZONES = [
    "Europe/Amsterdam",
    "America/New_York",
    "America/Sao_Paulo",
    "Australia/Lord_Howe",
    "UTC",
    "Asia/Kolkata",
]
OFFICE = Schedule({day: (Span(time(9), time(12)), Span(time(13), time(17, 30))) for day in range(5)})
STEP = timedelta(minutes=7)


def local(*parts, zone=AMSTERDAM, fold=0):
    moment = datetime.combine(date(*parts[:3]), time(*parts[3:]), tzinfo=zone)
    return moment.replace(fold=fold)


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ((2026, 11, 20, 9, 0), True),
        ((2026, 11, 20, 8, 59, 59), False),
        ((2026, 11, 20, 12, 0), False),
        ((2026, 11, 20, 13, 0), True),
        ((2026, 11, 20, 17, 29, 59), True),
        ((2026, 11, 20, 17, 30), False),
        ((2026, 11, 21, 10, 0), False),
    ],
)
def test_a_span_is_open_from_its_beginning_to_just_before_its_end(at, expected):
    assert is_open(OFFICE, local(*at)) is expected


def test_midnight_as_an_end_is_the_end_of_the_day():
    late = Schedule({4: (Span(time(18), time(0)),)})
    assert is_open(late, local(2026, 11, 20, 23, 59, 59))
    assert not is_open(late, local(2026, 11, 21, 0, 0))


def test_a_holiday_takes_the_place_of_its_weekday():
    schedule = Schedule(
        OFFICE.week, {date(2026, 11, 20): (), date(2026, 11, 21): (Span(time(10), time(11)),)}
    )
    assert not is_open(schedule, local(2026, 11, 20, 10, 0))
    assert is_open(schedule, local(2026, 11, 21, 10, 30))
    assert next_opening(schedule, local(2026, 11, 20, 8, 0)) == local(2026, 11, 21, 10, 0)


def test_after_friday_comes_monday():
    assert next_opening(OFFICE, local(2026, 11, 20, 17, 30)) == local(2026, 11, 23, 9, 0)


def test_who_never_opens_has_no_next_opening():
    assert next_opening(Schedule(), local(2026, 11, 20, 9, 0)) is None


def test_nine_is_nine_in_winter_and_in_summer():
    sunday = Schedule({6: (Span(time(9), time(10)),)})
    for day in ((2026, 3, 29), (2026, 10, 25)):
        opens = next_opening(sunday, local(*day, 0, 30))
        assert opens == local(*day, 9, 0)
        assert opens.utcoffset() == local(*day, 9, 0).utcoffset()


def test_an_opening_that_the_clock_leaves_out_is_when_it_has_jumped():
    schedule = Schedule({6: (Span(time(2, 30), time(5)),)})
    opens = next_opening(schedule, local(2026, 3, 29, 1, 0))
    assert opens is not None
    assert opens.astimezone(UTC) == datetime(2026, 3, 29, 1, 0, tzinfo=UTC)


def test_an_hour_that_comes_twice_is_open_twice():
    schedule = Schedule({6: (Span(time(2), time(2, 30)),)})
    between = local(2026, 10, 25, 2, 45)
    assert not is_open(schedule, between)
    opens = next_opening(schedule, between)
    assert opens is not None
    assert opens.astimezone(UTC) == datetime(2026, 10, 25, 1, 0, tzinfo=UTC)


@st.composite
def schedules(draw):
    quarter = st.integers(0, 95).map(lambda n: time(n // 4, 15 * (n % 4)))

    def span():
        opens, closes = draw(quarter), draw(quarter)
        return Span(min(opens, closes), max(opens, closes)) if opens != closes else Span(opens, time(0))

    week = {day: tuple(span() for _ in range(draw(st.integers(0, 2)))) for day in range(7)}
    return Schedule(week)


# Days around which clocks are changed in one zone or another, and one of none.
DAYS = st.sampled_from(
    [(2026, 3, 28), (2026, 10, 24), (2026, 3, 7), (2026, 10, 31), (2026, 4, 4), (2026, 7, 1), (2018, 11, 3)]
)


@given(schedules(), st.sampled_from(ZONES), DAYS, st.integers(0, 2 * 24 * 60))
def test_it_is_closed_until_the_next_opening_and_open_then(schedule, zone, day, minutes):
    at = (datetime.combine(date(*day), time(0), tzinfo=UTC) + timedelta(minutes=minutes)).astimezone(
        ZoneInfo(zone)
    )
    opens = next_opening(schedule, at)
    if opens is None:
        assert not any(schedule.week.values())
        return
    assert is_open(schedule, opens)
    assert opens.astimezone(UTC) >= at.astimezone(UTC)
    moment = at.astimezone(UTC)
    for _ in range(500):
        if moment >= opens.astimezone(UTC):
            break
        assert not is_open(schedule, moment.astimezone(ZoneInfo(zone))), moment
        moment += STEP


def test_a_span_that_goes_on_in_the_next_does_not_close_between_them():
    night = Schedule({4: (Span(time(9), time(12)), Span(time(12), time(0))), 5: (Span(time(0), time(2)),)})
    assert next_closing(night, local(2026, 11, 20, 10, 0)) == local(2026, 11, 21, 2, 0)
    assert next_closing(night, local(2026, 11, 21, 2, 0)) == local(2026, 11, 21, 2, 0)


def test_who_never_closes_has_no_next_closing_until_a_holiday():
    always = {day: (Span(time(0), time(0)),) for day in range(7)}
    assert next_closing(Schedule(always), local(2026, 11, 20, 9, 0)) is None
    with_feast = Schedule(always, {date(2027, 4, 27): ()})
    assert next_closing(with_feast, local(2026, 11, 20, 9, 0)) == local(2027, 4, 27, 0, 0)


@given(schedules(), st.sampled_from(ZONES), DAYS, st.integers(0, 2 * 24 * 60))
def test_it_is_open_until_the_next_closing_and_closed_then(schedule, zone, day, minutes):
    at = (datetime.combine(date(*day), time(0), tzinfo=UTC) + timedelta(minutes=minutes)).astimezone(
        ZoneInfo(zone)
    )
    closes = next_closing(schedule, at)
    assert closes is None or not is_open(schedule, closes)
    moment = at.astimezone(UTC)
    for _ in range(500):
        if closes is not None and moment >= closes.astimezone(UTC):
            break
        assert is_open(schedule, moment.astimezone(ZoneInfo(zone))), moment
        moment += STEP
