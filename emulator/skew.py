"""Dates as a clock that is wrong would write them: RFC 2822 and ISO 8601, in forms and in JSON."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any

FIELDS = frozenset({"Timestamp", "RecordingStartTime"})


def form(fields: Mapping[str, str], ms: int) -> dict[str, str]:
    """The form of a webhook with its dates `ms` later."""
    return {name: later(value, ms) if name in FIELDS else value for name, value in fields.items()}


def body(value: Any, ms: int) -> Any:
    """JSON of the REST API with its dates (`date_*`, `*_time`) `ms` later."""
    if isinstance(value, dict):
        return {key: _field(key, item, ms) for key, item in value.items()}
    return [body(item, ms) for item in value] if isinstance(value, list) else value


def _field(key: str, value: Any, ms: int) -> Any:
    if isinstance(value, str) and (key.startswith("date_") or key.endswith("_time")):
        return later(value, ms)
    return body(value, ms)


def later(text: str, ms: int) -> str:
    """The date `ms` later, written the same way; what is no date stays as it is."""
    by = timedelta(milliseconds=ms)
    try:
        if text[:3].isalpha():
            return format_datetime(parsedate_to_datetime(text) + by)
        if "T" in text:
            moment = datetime.fromisoformat(text) + by
            exact = "milliseconds" if "." in text else "seconds"
            return moment.isoformat(timespec=exact).replace("+00:00", "Z")
    except (ValueError, OverflowError):
        pass
    return text
