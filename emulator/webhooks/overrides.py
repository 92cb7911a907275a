"""Connection overrides: how long a webhook may take and what is tried again, as its address says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from urllib.parse import parse_qsl, urldefrag

CONNECT_MS, READ_MS, TOTAL_MS = 5_000, 15_000, 15_000
LEAST_MS, MOST_CONNECT_MS, MOST_MS = 100, 10_000, 15_000
RETRIES, MOST_RETRIES = 1, 5
# So long a number is above every limit; Python refuses to read one of thousands of digits.
MAX_DIGITS = 10
POLICIES = frozenset({"ct", "rt", "4xx", "5xx", "all"})

Failure = Literal["", "ct", "rt", "4xx", "5xx", "other"]


@dataclass(frozen=True)
class Overrides:
    """`connect`, `read` (each packet of the answer) and `total` in ms; `edges` are taken in turn."""

    connect: int = CONNECT_MS
    read: int = READ_MS
    total: int = TOTAL_MS
    retries: int = RETRIES
    policy: frozenset[str] = frozenset({"ct"})
    edges: tuple[str, ...] = ()

    def retry(self, failure: Failure) -> bool:
        """Whether this failure is tried again."""
        return bool(failure) and (failure in self.policy or "all" in self.policy)

    def edge(self, attempt: int) -> str:
        """The edge from which an attempt goes out, counted from 0; "" where none is asked for."""
        return self.edges[attempt % len(self.edges)] if self.edges else ""


def overrides(url: str) -> Overrides:
    """Read the fragment, `#ct= rt= tt= rc= rp= e=`.

    What is out of range is held to Twilio's limits; what cannot be read is left at its default.
    """
    given = dict(parse_qsl(urldefrag(url).fragment))

    def number(name: str, default: int, least: int, most: int) -> int:
        text = given.get(name, "")
        if not text.isascii() or not text.isdigit():
            return default
        return max(least, min(int(text), most)) if len(text) < MAX_DIGITS else most

    return Overrides(
        connect=number("ct", CONNECT_MS, LEAST_MS, MOST_CONNECT_MS),
        read=number("rt", READ_MS, LEAST_MS, MOST_MS),
        total=number("tt", TOTAL_MS, LEAST_MS, MOST_MS),
        retries=number("rc", RETRIES, 0, MOST_RETRIES),
        policy=POLICIES & frozenset(given.get("rp", "").split(",")) or Overrides.policy,
        edges=tuple(edge for edge in given.get("e", "").split(",") if edge),
    )
