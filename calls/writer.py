"""One thread per process that writes: many jobs to a transaction, none waited for by whoever puts them.

A job is a function of the change that is under way. It must be harmless when run twice: after a failure the
batch is run again. While the database is away jobs wait, at most MAX_JOBS of them, and are tried again at
growing intervals.
"""

import logging
import threading
import time
from collections.abc import Callable

from django.db import DataError, IntegrityError, ProgrammingError, close_old_connections, connection
from django.db import Error as DatabaseError

from calls.counters import count, gauge
from calls.events import Change, change

__all__ = ["MAX_JOBS", "Job", "Writer"]

Job = Callable[[Change], None]

MAX_JOBS = 20_000
MAX_BATCH = 500
_FIRST_WAIT = 0.1
_LONGEST_WAIT = 5.0
_OWN_FAULTS = (DataError, IntegrityError, ProgrammingError)  # the job's, not the database's
_log = logging.getLogger("contactcenter.writer")


class Writer:
    """Starts its thread with the first job. `put` never blocks and may be called from any thread or loop."""

    def __init__(self) -> None:
        self._jobs: dict[object, Job] = {}
        self._turn = threading.Condition()
        self._thread: threading.Thread | None = None
        self._writing = 0
        self._stopping = False
        self._away = False

    def put(self, job: Job, key: str | None = None) -> bool:
        """Have `job` run soon, after those before it. With a key the newest replaces one that still waits.

        False if the queue is full or the writer has stopped; that is counted and logged once.
        """
        with self._turn:
            if self._stopping or (len(self._jobs) >= MAX_JOBS and key not in self._jobs):
                self._drop()
                return False
            self._jobs[key if key is not None else object()] = job
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="writer", daemon=True)
                self._thread.start()
            self._turn.notify_all()
        return True

    def flush(self, timeout: float) -> bool:
        """Wait, at most `timeout` seconds, until nothing is left to write. True if so."""
        with self._turn:
            return self._turn.wait_for(lambda: not self._jobs and not self._writing, timeout)

    def stop(self, timeout: float = 5.0) -> bool:
        """Write what is left, take no more, end the thread. True if everything was written."""
        written = self.flush(timeout)
        with self._turn:
            self._stopping = True
            self._turn.notify_all()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(timeout)
        return written

    def _drop(self) -> None:
        count("writer.dropped")
        if not self._away:
            _log.error("writer.full", extra={"jobs": len(self._jobs)})

    def _run(self) -> None:
        wait = _FIRST_WAIT
        while batch := self._take():
            if self._write(list(batch.values())):
                wait = _FIRST_WAIT
                self._done()
                continue
            self._put_back(batch)
            if not self._pause(wait):
                break
            wait = min(wait * 2, _LONGEST_WAIT)
        connection.close()

    def _take(self) -> dict[object, Job]:
        """The next jobs in order; waits for one. Empty when the writer stops."""
        with self._turn:
            self._turn.wait_for(lambda: self._jobs or self._stopping)
            batch = {key: self._jobs.pop(key) for key in list(self._jobs)[:MAX_BATCH]}
            self._writing = len(batch)
            gauge("writer.waiting", len(self._jobs))
            return batch

    def _put_back(self, batch: dict[object, Job]) -> None:
        """Failed jobs go before newer ones; a newer one with the same key wins at the older one's place."""
        with self._turn:
            self._jobs = {**batch, **self._jobs}
            self._writing = 0

    def _done(self) -> None:
        with self._turn:
            self._writing = 0
            self._turn.notify_all()

    def _pause(self, seconds: float) -> bool:
        """Wait before the next attempt; False if the writer stops meanwhile."""
        with self._turn:
            self._turn.wait_for(lambda: self._stopping, seconds)
            return not self._stopping

    def _write(self, jobs: list[Job]) -> bool:
        """Run the jobs in one change, or one by one if one of them is at fault. False: try again later."""
        close_old_connections()
        begun = time.monotonic()
        try:
            with change() as told:
                for job in jobs:
                    job(told)
        except Exception as error:
            if _away(error):
                return self._database_away(error)
            return self._write_each(jobs)
        self._database_back()
        count("writer.seconds", time.monotonic() - begun)
        return True

    def _write_each(self, jobs: list[Job]) -> bool:
        for job in jobs:
            try:
                with change() as told:
                    job(told)
            except Exception as error:
                if _away(error):
                    return self._database_away(error)  # what is written already is harmless twice
                count("writer.failed")
                _log.exception("writer.job.failed", extra={"job": getattr(job, "__qualname__", "job")})
        self._database_back()
        return True

    def _database_away(self, error: BaseException) -> bool:
        count("writer.database.away")
        if not self._away:
            _log.error("writer.database.away", extra={"error": type(error).__name__})
        self._away = True
        connection.close()
        return False

    def _database_back(self) -> None:
        if self._away:
            _log.info("writer.database.back")
        self._away = False


def _away(error: BaseException) -> bool:
    return isinstance(error, DatabaseError) and not isinstance(error, _OWN_FAULTS)
