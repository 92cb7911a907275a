"""Placeholders made real again for a replay: hosts become the recorder, SIDs those of the replayed call."""

from __future__ import annotations

import re
from collections.abc import Callable

from emulator.capture.placeholders import SID

ELSEWHERE = re.compile(r"\b(http|ws)s?://(?:x:x@)?host[0-9]+\.invalid(?::[0-9]+)?")


def led_to(text: str, netloc: str) -> str:
    """The text with every address of the capture's applications led to `netloc`, without TLS."""
    return ELSEWHERE.sub(lambda found: f"{found[1]}://{netloc}", text)


def with_sids(text: str, behind: Callable[[str], str | None]) -> str:
    """The text with the placeholders of SIDs replaced by what stands behind them, where that is known."""
    return SID.sub(lambda found: behind(found[0]) or found[0], text)
