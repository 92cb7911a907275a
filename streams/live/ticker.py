"""What goes to the web processes and may be lost: levels and partial lines each 100 ms, health each second.

Each kind is encoded once per process and tick. When the layer is slow or away, a tick is skipped and the
next one carries newer values; nothing queues up.
"""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from calls.channels import publish
from streams.audio import Level
from streams.levels import Levels

__all__ = ["PARTIALS_KEPT", "TICK_SECONDS", "Ticker"]

TICK_SECONDS = 0.1
HEALTH_TICKS = 10
PARTIALS_KEPT = 1000  # streams × tracks that can speak at once; beyond, the oldest goes

Health = Callable[[], dict[str, dict[str, Any]]]
Hear = Callable[[dict[str, dict[str, Level | None]]], None]


class Ticker:
    """Gathers between ticks; the latest partial line of a track replaces the one before."""

    def __init__(self, *, levels: Levels, source: str, health: Health, hear: Hear | None = None) -> None:
        """`hear` is given the levels of each tick, by stream and track, as they are told."""
        self._levels = levels
        self._source = source
        self._health = health
        self._hear = hear
        self._partials: dict[tuple[str, str], dict[str, Any]] = {}
        self._ticks = 0

    def partial(self, *, call: int, stream: str, track: str, utterance: str, text: str) -> None:
        """Take a partial line for the next tick."""
        key = stream, track
        if len(self._partials) >= PARTIALS_KEPT and key not in self._partials:
            self._partials.pop(next(iter(self._partials)))
        self._partials[key] = {
            "call": call,
            "stream": stream,
            "track": track,
            "utterance": utterance,
            "text": text,
        }

    def forget(self, stream: str, track: str) -> None:
        """A final line came: what was partial of this track is old."""
        self._partials.pop((stream, track), None)

    async def tick(self) -> None:
        """Send what came since the last tick. Never raises for the layer; waits 250 ms for each kind."""
        self._ticks += 1
        levels = self._levels.drain(_now())
        if levels and self._hear is not None:
            self._hear(self._levels.latest)
        if levels:
            await publish("levels", levels, source=self._source)
        if self._partials:
            await publish("partials", self._drain_partials(), source=self._source)
        if self._ticks % HEALTH_TICKS == 0:
            await self._tell_health()

    def _drain_partials(self) -> str:
        at = _now()
        lines = [{"type": "partial", "at": at, **line} for line in self._partials.values()]
        self._partials.clear()
        return _json({"type": "partials", "at": at, "partials": lines})

    async def _tell_health(self) -> None:
        streams = self._health()
        if streams:
            text = _json({"type": "health", "at": _now(), "streams": streams})
            await publish("health", text, source=self._source)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _json(message: dict[str, Any]) -> str:
    return json.dumps(message, separators=(",", ":"), ensure_ascii=False)
