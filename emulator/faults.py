"""What shall go wrong, for all calls or for one. All off until switched on."""

from __future__ import annotations

import json
from dataclasses import dataclass, fields, replace
from typing import Any

CHANCES = frozenset({"lose_frames", "double_frames", "swap_frames"}) | {
    "lose_requests",
    "lose_callbacks",
    "swap_callbacks",
}
DAY_MS = 24 * 3600 * 1000
RANGES: dict[str, tuple[float, float]] = {
    **dict.fromkeys(CHANCES, (0, 1)),
    "burst_ms": (0, 10_000),
    "burst_every_ms": (20, DAY_MS),
    "clock_offset_ms": (-3650 * DAY_MS, 3650 * DAY_MS),
    "drop_times": (-1, 1_000_000),
    "fail_rest": (0, 599),
    "fail_rest_times": (-1, 1_000_000),
    "lose_rest_answer": (-1, 1_000_000),
    "hang_rest": (-1, 1_000_000),
}
WORDS = {"fault_tracks": ("both", "inbound", "outbound")}


class FaultError(ValueError):
    """An unknown switch or a value that it cannot take; the text says which."""


@dataclass
class Faults:
    """Every switch, off. Chances are from 0 to 1, `*_every` the n-th frame, `*_ms` milliseconds.

    Counts (`*_times`, `lose_rest_answer`, `hang_rest`) count down; -1 means until switched off.
    """

    # the connection
    drop_stream_after_ms: int = 0
    fin_stream_after_ms: int = 0
    sever_after_ms: int = 0
    drop_times: int = -1
    slow_reader: int = 0
    # the frames
    fault_tracks: str = "both"
    lose_frames: float = 0.0
    lose_every: int = 0
    lose_numbers: bool = False
    double_frames: float = 0.0
    double_every: int = 0
    swap_frames: float = 0.0
    swap_every: int = 0
    burst_ms: int = 0
    burst_every_ms: int = 1000
    suppress_silence: bool = False
    shared_chunks: bool = False
    # signatures
    wrong_signature: bool = False
    unsigned: bool = False
    slash_signature: bool = False
    replay_signature: bool = False
    # webhooks
    duplicate_webhooks: bool = False
    delay_webhooks_ms: int = 0
    lose_requests: float = 0.0
    delay_callbacks_ms: int = 0
    drop_status_callbacks: bool = False
    lose_callbacks: float = 0.0
    swap_callbacks: float = 0.0
    # the REST API
    fail_rest: int = 0
    fail_rest_times: int = -1
    delay_rest_ms: int = 0
    lose_rest_answer: int = 0
    hang_rest: int = 0
    # the clock
    clock_offset_ms: int = 0

    def as_dict(self) -> dict[str, Any]:
        """Every switch and its value."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


DEFAULTS = Faults()


def checked(name: str, value: Any) -> Any:
    """The value as the switch takes it. Raises FaultError."""
    known = DEFAULTS.as_dict()
    if name not in known:
        raise FaultError(f"unknown fault {name!r}; known: {', '.join(sorted(known))}")
    kind = type(known[name])
    if kind is float and type(value) is int:
        value = float(value)
    if type(value) is not kind:
        raise FaultError(f"{name} takes a {kind.__name__}")
    if name in WORDS and value not in WORDS[name]:
        raise FaultError(f"{name} takes one of {', '.join(WORDS[name])}")
    least, most = RANGES.get(name, (0, DAY_MS))
    if kind in {int, float} and not least <= value <= most:
        raise FaultError(f"{name} takes a number from {least} to {most}")
    if name == "fail_rest" and 0 < value < 400:
        raise FaultError("fail_rest takes an HTTP status from 400 to 599, or 0")
    return value


def read(text: str) -> tuple[str, Any]:
    """One switch of the command line, `name=value`. Raises FaultError."""
    name, equals, value = text.partition("=")
    if not equals:
        raise FaultError(f"{text!r} is not name=value")
    try:
        given = json.loads(value)
    except ValueError:
        given = value
    return name, checked(name, given)


class Switchboard(Faults):
    """The switches for all calls, and for single calls those that differ.

    `version` changes with every change, so that whoever keeps a copy knows when to look again.
    """

    def __init__(self) -> None:
        super().__init__()
        self.calls: dict[str, dict[str, Any]] = {}
        self.version = 0
        self._merged: dict[str, Faults] = {}

    def set(self, name: str, value: Any, call: str = "") -> None:
        """Set one switch, for all or for one call. Raises FaultError."""
        value = checked(name, value)
        if call:
            self.calls.setdefault(call, {})[name] = value
        else:
            setattr(self, name, value)
        self._changed()

    def of(self, call: str) -> Faults:
        """The switches as they stand for one call."""
        if call not in self.calls:
            return self
        if call not in self._merged:
            self._merged[call] = replace(DEFAULTS, **{**self.as_dict(), **self.calls[call]})
        return self._merged[call]

    def reset(self, call: str = "") -> None:
        """Switch everything off; for one call, so that it is as all others."""
        if call:
            self.calls.pop(call, None)
        else:
            self.calls.clear()
            for name, value in DEFAULTS.as_dict().items():
                setattr(self, name, value)
        self._changed()

    def forget(self, call: str) -> None:
        """Drop what is kept for a call."""
        if call in self.calls:
            self.reset(call)

    def count_down(self, name: str, call: str = "") -> bool:
        """Whether the count has one left; takes it."""
        own = self.calls.get(call, {})
        left: int = own.get(name, getattr(self, name))
        if left > 0:
            if name in own:
                own[name] = left - 1
            else:
                setattr(self, name, left - 1)
            self._merged.clear()
        return left != 0

    def take_rest_failure(self, call: str = "") -> int:
        """The HTTP status that the next REST request must fail with, or 0."""
        status = self.of(call).fail_rest
        return status if status and self.count_down("fail_rest_times", call) else 0

    def _changed(self) -> None:
        self.version += 1
        self._merged.clear()
