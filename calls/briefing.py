"""What a voice knows before it says a word. Pure: `calls.selectors.voices` reads it from the rows."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from calls import hours

__all__ = ["Allowed", "Briefing"]


@dataclass(frozen=True)
class Allowed:
    """An action that the voice may take, by its name; where it leads is not the voice's to say."""

    name: str
    kind: str  # queue, phone, voicemail, callback or end
    description: str = ""


@dataclass(frozen=True)
class Briefing:
    """One call and one voice. `at` is where a voice that comes back goes on, "" at the beginning; `lost` how
    often it was lost before; `tables` hold rows by their first column, each row by its headings.
    """

    voice: int
    name: str
    kind: str
    text: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    language: str = "en-GB"
    actions: tuple[Allowed, ...] = ()
    tables: Mapping[str, Mapping[str, Mapping[str, str]]] = field(default_factory=dict)
    caller: str = ""  # the contact's name, if there is one
    e164: str = ""  # of the caller, if known
    facts: Mapping[str, str] = field(default_factory=dict)
    verified: str = ""  # as Call.Verified
    may_verify: bool = False  # there is something to compare a code or a date with
    at: str = ""
    lost: int = 0
    schedule: hours.Schedule | None = None
    zone: str = "UTC"

    def is_open(self, now: datetime) -> bool:
        """Whether it is within the opening hours; without any it always is."""
        local = now.astimezone(ZoneInfo(self.zone))
        return self.schedule is None or hours.is_open(self.schedule, local)
