"""What a number's own page tells of its queue and of its opening hours."""

from dataclasses import dataclass
from datetime import datetime, time
from zoneinfo import ZoneInfo

from calls.hours import Schedule, Span, is_open, next_closing, next_opening
from calls.models import Hours, Queue

__all__ = ["Opening", "agents_of", "opening", "schedule_of"]


@dataclass(frozen=True)
class Opening:
    """Whether it is open, and until when that lasts, in local time; None: not within a year."""

    is_open: bool
    until: datetime | None


def agents_of(queue: Queue) -> int:
    """How many agents the queue has. One query."""
    return queue.agents.count()


def schedule_of(hours: Hours) -> Schedule:
    """The week and the holidays of these hours. Two queries; none if they were read before."""
    week: dict[int, tuple[Span, ...]] = {}
    for one in hours.times.all():
        week[one.weekday] = (*week.get(one.weekday, ()), Span(one.opens, one.closes))
    return Schedule(week, {day.day: _spans(day.opens, day.closes) for day in hours.holidays.all()})


def opening(hours: Hours, *, now: datetime) -> Opening:
    """The state of these hours now. Two queries; none if their times and holidays were read before."""
    local = now.astimezone(ZoneInfo(hours.time_zone))
    week = schedule_of(hours)
    if is_open(week, local):
        return Opening(True, next_closing(week, local))
    return Opening(False, next_opening(week, local))


def _spans(opens: time | None, closes: time | None) -> tuple[Span, ...]:
    return (Span(opens, closes),) if opens is not None and closes is not None else ()
