"""What a number's own page tells of its queue and of its opening hours."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from calls.models import Hours, Queue

__all__ = ["Opening", "agents_of", "opening"]

_DAYS_AHEAD: Final = 60
Spans = list[tuple[time, time]]


@dataclass(frozen=True)
class Opening:
    """Whether it is open, and until when that lasts, in local time; None: nothing changes for long."""

    is_open: bool
    until: datetime | None


def agents_of(queue: Queue) -> int:
    """How many agents the queue has. One query."""
    return queue.agents.count()


def opening(hours: Hours, *, now: datetime) -> Opening:
    """The state of these hours now. Two queries."""
    zone = ZoneInfo(hours.time_zone)
    local = now.astimezone(zone)
    coming = [span for span in _spans(hours, local.date(), zone) if span[1] > local]
    if not coming:
        return Opening(False, None)
    start, end = coming[0]
    if start > local:
        return Opening(False, start)
    for following, later in coming[1:]:
        if following > end:
            return Opening(True, end)
        end = max(end, later)
    return Opening(True, None if len(coming) > 1 else end)


def _spans(hours: Hours, today: date, zone: ZoneInfo) -> Iterator[tuple[datetime, datetime]]:
    """The open spans from yesterday on, in order."""
    week: dict[int, Spans] = {}
    for one in hours.times.order_by("opens"):
        week.setdefault(one.weekday, []).append((one.opens, one.closes))
    holidays = {one.day: _holiday(one.opens, one.closes) for one in hours.holidays.all()}
    for ahead in range(-1, _DAYS_AHEAD):
        day = today + timedelta(days=ahead)
        for opens, closes in holidays.get(day, week.get(day.weekday(), [])):
            last = day + timedelta(days=closes == time(0))
            yield datetime.combine(day, opens, zone), datetime.combine(last, closes, zone)


def _holiday(opens: time | None, closes: time | None) -> Spans:
    return [(opens, closes)] if opens is not None and closes is not None else []
