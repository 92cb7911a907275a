"""Follows the event counter in a thread of its own: one bare query each 50 ms while browsers are there."""

import logging
import threading
from collections.abc import Callable

from django.db import DatabaseError, InterfaceError, connection
from django.utils import timezone

from calls.counters import count
from calls.events import newest_id
from calls.selectors import feed, teams

__all__ = ["Follower"]

POLL_SECONDS = 0.05
AWAY_SECONDS = 1.0  # between two tries while the database is away
BATCH = 500
_log = logging.getLogger("contactcenter.hub")


class Follower:
    """Gives every new batch of events to `tell`, in order; survives the database going away.

    `started` is told the id from which it follows and where calls are then, `tell` each batch; both are
    called in the thread.
    """

    def __init__(
        self, *, started: Callable[[int, teams.Placed], None], tell: Callable[[feed.Batch], None]
    ) -> None:
        self._started = started
        self._tell = tell
        self._stop = threading.Event()
        self._last: int | None = None
        self._away = False
        self._thread = threading.Thread(target=self._run, name="follower", daemon=True)

    def start(self) -> None:
        """Begin at the newest event there is."""
        self._thread.start()

    def stop(self) -> None:
        """End within one poll; does not wait."""
        self._stop.set()

    def join(self, seconds: float = 2.0) -> None:
        """Wait for the end of the thread and of its database connection."""
        self._thread.join(seconds)

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                self._stop.wait(POLL_SECONDS if self._look() else AWAY_SECONDS)
        finally:
            connection.close()

    def _look(self) -> bool:
        try:
            self._follow()
        except (DatabaseError, InterfaceError) as error:
            self._lost(error)
            return False
        if self._away:
            _log.info("hub.database.up")
        self._away = False
        return True

    def _follow(self) -> None:
        newest = newest_id()
        if self._last is None or newest < self._last:  # the start, or a database put back from a copy
            placed = teams.placed(now=timezone.now())
            self._last = newest
            self._started(newest, placed)
        while self._last < newest and not self._stop.is_set():
            batch = feed.after(self._last, limit=BATCH)
            self._last = max(batch.upto, self._last + 1)
            self._tell(batch)

    def _lost(self, error: Exception) -> None:
        count("hub.database.lost")
        if not self._away:
            _log.warning("hub.database.down", extra={"error": type(error).__name__})
        self._away = True
        connection.close()
