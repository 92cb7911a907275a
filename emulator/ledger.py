"""What the truth log keeps of REST requests: what was asked, what of it was ignored, what was answered."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from emulator.world import iso

KEEP = 2000
MAX_FIELDS = 250
MAX_TEXT = 500
SECRET = frozenset({"SipAuthPassword"})


@dataclass
class Entry:
    """One request: its fields as they came, long ones cut; `ignored` are names that the resource has not."""

    method: str
    path: str
    at: datetime
    region: str = ""
    fields: dict[str, list[str]] = field(default_factory=dict)
    ignored: list[str] = field(default_factory=list)
    status: int | None = None
    code: int | None = None

    def note(self, pairs: Iterable[tuple[str, str]], known: Collection[str]) -> None:
        """Write down the fields."""
        for name, value in pairs:
            if name not in self.fields and len(self.fields) == MAX_FIELDS:
                break
            shown = "***" if name in SECRET else value[:MAX_TEXT]
            self.fields.setdefault(name[:MAX_TEXT], []).append(shown)
        self.ignored = [name for name in self.fields if name not in known]

    def as_dict(self) -> dict[str, Any]:
        """As the log shows it."""
        return {
            "method": self.method,
            "path": self.path,
            "region": self.region,
            "fields": self.fields,
            "ignored": self.ignored,
            "status": self.status,
            "code": self.code,
            "at": iso(self.at),
        }


class Ledger:
    """The last requests, oldest first."""

    def __init__(self) -> None:
        self.entries: deque[Entry] = deque(maxlen=KEEP)

    def open(self, method: str, path: str, at: datetime) -> Entry:
        """Begin an entry; the rest is filled in as it becomes known."""
        entry = Entry(method, path[:MAX_TEXT], at)
        self.entries.append(entry)
        return entry
