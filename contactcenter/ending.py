"""A wish to end that a signal handler may tell.

`threading.Event` must not be set in a handler: the handler runs in the main thread, which may hold the
event's lock just then, and waits for itself for ever. A byte in a pipe needs no lock.
"""

import os
import select

__all__ = ["Ending"]


class Ending:
    """As threading.Event, without `clear`; `set` is safe in a signal handler and in any thread."""

    def __init__(self) -> None:
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._writer, False)
        self._is_set = False

    def set(self) -> None:
        """Tell it; a second time changes nothing."""
        if not self._is_set:
            self._is_set = True
            os.write(self._writer, b"!")  # never read: it wakes whoever waits, now and later

    def is_set(self) -> bool:
        """Whether it was told."""
        return self._is_set

    def wait(self, seconds: float) -> bool:
        """Return when it is told or after so many seconds; whether it was told."""
        if not self._is_set:
            select.select([self._reader], [], [], max(0.0, seconds))
        return self._is_set

    def __del__(self) -> None:
        os.close(self._reader)
        os.close(self._writer)
