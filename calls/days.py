"""Days and times of day as callers say or key them, and as a voice says them back. Pure; English.

"tomorrow", "on Friday", "the third of May", "0305" · "two thirty p m", "half past two", "noon", "1430". A day
without a year is the next one, or the last if it lies in the past; an hour from one to seven without more is
in the afternoon. What cannot be read is None, and what was read is best said back.
"""

import re
from datetime import date, datetime, time, timedelta
from typing import Final

from calls import hours
from calls.digits import runs
from calls.spoken import as_date, keyed_date

__all__ = ["as_day", "as_time", "keyed_day", "keyed_time", "say_day", "say_moment", "say_opening", "say_time"]

_MOST: Final = 300  # characters looked at
_WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MONTH: Final = re.compile(
    r"\b(jan|feb|mar|apr|may|jun|jul|aug|sept?|oct|nov|dec|january|february|march|april|june|july|august"
    r"|september|october|november|december)\b"
)
_AFTERNOON: Final = re.compile(r"\b(p\s*\.?\s*m|afternoon|evening|tonight|night)\b")
_MORNING: Final = re.compile(r"\b(a\s*\.?\s*m|morning)\b")
_CLOCK: Final = re.compile(r"\b(?:o|oh)['’ ]?\s*clock\b")
_PAST: Final = re.compile(r"(.*?)\b(past|after|to|before)\b(.*)")
_WEEK: Final = 7
_YEAR_SAID: Final = timedelta(days=300)
_LAST_OF_AFTERNOON: Final = 7  # an hour up to here, and nothing said with it, is in the afternoon


def as_day(text: str, today: date, *, past: bool = False) -> date | None:
    """The day that was said, seen from `today`."""
    text = text[:_MOST].lower()
    dated = _dated(text, today, past)
    return dated if dated and _MONTH.search(text) else _relative(text, today, past) or dated


def keyed_day(keys: str, today: date, *, past: bool = False) -> date | None:
    """The day keyed as DDMM or DDMMYYYY."""
    if len(keys) != 4:
        return keyed_date(keys)
    found = [day for year in _years(today, past) if (day := keyed_date(f"{keys}{year:04}"))]
    return _wanted(found, today, past)


def as_time(text: str) -> time | None:
    """The time of day that was said."""
    text = _CLOCK.sub(" ", text[:_MOST].lower())
    if re.search(r"\b(noon|midday)\b", text) and "after" not in text:
        return time(12)
    if "midnight" in text:
        return time(0)
    found = _PAST.match(text)
    before = _before_or_past(*found.groups()) if found else None
    told = before or next((clock for run in runs(text) if (clock := _clock(run.groups()))), None)
    return _half_of_day(text, *told) if told else None


def keyed_time(keys: str) -> time | None:
    """The time keyed as HMM or HHMM, of 24 hours."""
    if not 3 <= len(keys) <= 4 or not keys.isdecimal():
        return None
    return _time(int(keys[:-2]), int(keys[-2:]))


def say_day(day: date, today: date) -> str:
    """The day as it is said: today, tomorrow, Friday 27 November; the year if it is far."""
    if day == today:
        return "today"
    if day == today + timedelta(days=1):
        return "tomorrow"
    year = f" {day.year}" if abs(day - today) > _YEAR_SAID else ""
    return f"{day:%A} {day.day} {day:%B}{year}"


def say_time(at: time) -> str:
    """The time as it is said: 9 AM, 2:30 PM, noon."""
    if (at.hour, at.minute) in ((12, 0), (0, 0)):
        return "noon" if at.hour else "midnight"
    minutes = f":{at.minute:02}" if at.minute else ""
    return f"{at.hour % 12 or 12}{minutes} {'AM' if at.hour < 12 else 'PM'}"


def say_moment(at: datetime, now: datetime) -> str:
    """Both, so that it ends a sentence: "today at 2 PM", "on Monday 30 November at 9 AM"."""
    day = say_day(at.date(), now.date())
    return f"{'' if day in ('today', 'tomorrow') else 'on '}{day} at {say_time(at.time())}"


def say_opening(schedule: hours.Schedule | None, now: datetime) -> str:
    """When these hours are open next; `now` is in their zone. Without hours it always is."""
    if schedule is None or hours.is_open(schedule, now):
        return "now"
    opens = hours.next_opening(schedule, now)
    return say_moment(opens, now) if opens else "at a later date"


def _dated(text: str, today: date, past: bool) -> date | None:
    """A day and a month, with a year or without."""
    if whole := as_date(text):
        return whole
    found = [day for year in _years(today, past) if (day := as_date(f"{text} {year:04}"))]
    return _wanted(found, today, past)


def _years(today: date, past: bool) -> range:
    """Those in which a day without a year may lie; 29 February needs some more than one."""
    first, last = (today.year - 8, today.year) if past else (today.year, today.year + 8)
    return range(max(first, 1), min(last, 9999) + 1)


def _wanted(found: list[date], today: date, past: bool) -> date | None:
    fit = [day for day in found if (day <= today if past else day >= today)]
    return (fit[-1] if past else fit[0]) if fit else None


def _relative(text: str, today: date, past: bool) -> date | None:
    for words, days in (("day after tomorrow", 2), ("tomorrow", 1), ("yesterday", -1), ("today", 0)):
        if words in text:
            return _ahead(today, days)
    for number, name in enumerate(_WEEKDAYS):
        if name in text:
            ahead = (number - today.weekday() - 1) % _WEEK + 1
            return _ahead(today, ahead - (_WEEK if past and ahead < _WEEK else 2 * _WEEK if past else 0))
    return None


def _ahead(today: date, days: int) -> date | None:
    try:
        return today + timedelta(days=days)
    except OverflowError:
        return None


def _before_or_past(left: str, word: str, right: str) -> tuple[int, int] | None:
    """Half past two, quarter to three, ten past four: hour and minute."""
    of_hour = next((clock for run in runs(right) if (clock := _clock(run.groups()))), None)
    minutes = 30 if "half" in left else 15 if "quarter" in left else _last_number(left)
    if of_hour is None or of_hour[1] or not 0 < minutes < 60:
        return None
    if word in ("past", "after"):
        return of_hour[0], minutes
    return (of_hour[0] - 1) % 24, 60 - minutes


def _last_number(text: str) -> int:
    found = runs(text)
    return int(found[-1].groups()[-1][:4]) if found else 0


def _clock(groups: list[str]) -> tuple[int, int] | None:
    """Hour and minute of digits as they were grouped: 1430, 2 30, ten oh five, nine hundred."""
    if all(len(group) == 1 for group in groups) and len(groups) > 2:
        groups = ["".join(groups)]  # digit by digit
    if len(groups) > 1 and len(groups[0]) <= 2 and len(rest := "".join(groups[1:3])) == 2:
        hour, minute = int(groups[0]), int(rest)
    elif len(groups) == 1 and len(groups[0]) <= 2:
        hour, minute = int(groups[0]), 0
    else:
        keyed = keyed_time("".join(groups))
        hour, minute = (keyed.hour, keyed.minute) if keyed else (24, 0)
    return (hour, minute) if hour < 24 and minute < 60 else None


def _half_of_day(text: str, hour: int, minute: int) -> time | None:
    if _MORNING.search(text):
        return _time(0 if hour == 12 else hour, minute)
    late = _AFTERNOON.search(text) or 1 <= hour <= _LAST_OF_AFTERNOON
    return _time(hour + 12 if late and hour < 12 and hour else hour, minute)


def _time(hour: int, minute: int) -> time | None:
    return time(hour, minute) if hour < 24 and minute < 60 else None
