"""Opening hours: whether they are open at a moment, when they open next and when they close.

All times are those of the wall clock in the hours' own zone, so that "open from nine" holds on both sides of
a change to summer time. A wall time that the change leaves out, or brings twice, is taken as the clock shows.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta

__all__ = ["MIDNIGHT", "Schedule", "Span", "is_open", "next_closing", "next_opening"]

MIDNIGHT = time(0)
_DAYS_AHEAD = 370  # a whole year of holidays ends the search


@dataclass(frozen=True)
class Span:
    """Open from `opens` to just before `closes`; 00:00 as `closes` stands for the end of the day."""

    opens: time
    closes: time

    def holds(self, at: time) -> bool:
        """Whether the wall clock's `at` lies within."""
        return self.opens <= at and (self.closes == MIDNIGHT or at < self.closes)


@dataclass(frozen=True)
class Schedule:
    """Spans by weekday (Monday is 0), and by date for days that are not as their weekday."""

    week: Mapping[int, tuple[Span, ...]] = field(default_factory=dict)
    days: Mapping[date, tuple[Span, ...]] = field(default_factory=dict)

    def on(self, day: date) -> tuple[Span, ...]:
        """The spans of a date: its own, else those of its weekday."""
        return self.days.get(day, self.week.get(day.weekday(), ()))


def is_open(schedule: Schedule, at: datetime) -> bool:
    """Whether it is open at `at`, an aware moment in the zone of the hours."""
    return any(span.holds(at.time()) for span in schedule.on(at.date()))


def next_opening(schedule: Schedule, at: datetime) -> datetime | None:
    """The first moment after `at` at which it opens, in the same zone; `at` itself while it is open.

    None if it does not open within a year.
    """
    return at if is_open(schedule, at) else _next(schedule, at, opens=True)


def next_closing(schedule: Schedule, at: datetime) -> datetime | None:
    """The first moment after `at` at which it is closed, in the same zone; `at` itself while it is closed.

    None if it does not close within a year.
    """
    return _next(schedule, at, opens=False) if is_open(schedule, at) else at


def _next(schedule: Schedule, at: datetime, *, opens: bool) -> datetime | None:
    """The first moment after `at` at which it is open, or closed."""
    after = at.astimezone(UTC)
    for ahead in range(_DAYS_AHEAD):
        day = at.date() + timedelta(days=ahead)
        spans = schedule.on(day)
        if opens and not spans:
            continue
        found = [moment for moment in _edges(spans, day, at) if moment.astimezone(UTC) > after]
        wanted = [moment for moment in found if is_open(schedule, moment) is opens]
        if wanted:
            return min(wanted, key=lambda moment: moment.astimezone(UTC))
    return None


def _edges(spans: tuple[Span, ...], day: date, at: datetime) -> Iterator[datetime]:
    """Moments of the day that may open or close: its beginning, those of the spans, a jump of the clock."""
    for edge in {MIDNIGHT, *(edge for span in spans for edge in (span.opens, span.closes))}:
        for fold in (0, 1):
            moment = datetime.combine(day, edge, tzinfo=at.tzinfo).replace(fold=fold)
            if _exists(moment):
                yield moment
    jump = _jump(day, at)
    if jump is not None and jump.date() == day:
        yield jump


def _exists(moment: datetime) -> bool:
    """Whether the clock ever shows it."""
    there = moment.astimezone(UTC).astimezone(moment.tzinfo)
    return there.replace(tzinfo=None) == moment.replace(tzinfo=None)


def _jump(day: date, at: datetime) -> datetime | None:
    """The first moment after the change of the clock on this day, to the second; None without a change."""
    low = datetime.combine(day, MIDNIGHT, tzinfo=at.tzinfo).astimezone(UTC) - timedelta(hours=3)
    high = low + timedelta(hours=30)
    before = low.astimezone(at.tzinfo).utcoffset()
    if high.astimezone(at.tzinfo).utcoffset() == before:
        return None
    while high - low > timedelta(seconds=1):
        middle = low + timedelta(seconds=int((high - low).total_seconds()) // 2)
        if middle.astimezone(at.tzinfo).utcoffset() == before:
            low = middle
        else:
            high = middle
    return high.astimezone(at.tzinfo)
