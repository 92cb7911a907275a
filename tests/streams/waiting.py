"""Waiting for what happens in other threads and processes, without guessing how long it takes."""

import threading
from collections.abc import Callable


def until(happened: Callable[[], bool], limit_s: float = 60) -> None:
    """Ask until it is so; fails after the limit."""
    pause = threading.Event()
    for _ in range(int(limit_s / 0.01)):
        if happened():
            return
        pause.wait(0.01)
    raise AssertionError(f"it did not happen within {limit_s:.0f} s")
