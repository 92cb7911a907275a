"""Decoding in threads: finals before what may become final before partials, and partials may be dropped."""

from __future__ import annotations

import heapq
import itertools
import logging
import threading
from collections.abc import Callable
from enum import IntEnum
from typing import Generic, TypeVar

__all__ = ["Job", "Pool", "Rank"]

log = logging.getLogger("contactcenter.speech")
Result = TypeVar("Result")


class Rank(IntEnum):
    """What goes first."""

    FINAL = 0
    EARLY = 1  # a final prepared while its silence is still being waited for
    PARTIAL = 2


class Job(Generic[Result]):
    """One piece of work. When `done` turns true `result` is there; None if it failed or was dropped."""

    def __init__(self, work: Callable[[Job[Result]], Result]) -> None:
        self._work = work
        self.result: Result | None = None
        self.failed = False
        self.taken = False
        self.dropped = False
        self.done = False

    @property
    def busy(self) -> bool:
        """Whether a thread is at it."""
        return self.taken and not self.done

    def run(self) -> None:
        """Do it; a failure is noted and goes no further."""
        try:
            if not self.dropped:
                self.result = self._work(self)
        except Exception:
            self.failed = True
            log.exception("speech.decode.failed")
        self.done = True


class Pool:
    """A queue by rank and a few threads; the recogniser lets go of Python's lock while it works."""

    def __init__(self, threads: int = 2) -> None:
        self._queue: list[tuple[int, int, Job[object]]] = []
        self._count = itertools.count()
        self._ready = threading.Condition()
        self._stopped = False
        self._threads = [threading.Thread(target=self._work, daemon=True) for _ in range(threads)]
        for thread in self._threads:
            thread.start()

    def put(self, job: Job[Result], rank: Rank) -> None:
        """Queue a job; putting it again with a better rank moves it forward."""
        with self._ready:
            heapq.heappush(self._queue, (rank, next(self._count), job))  # type: ignore[misc]
            self._ready.notify()

    @property
    def behind(self) -> bool:
        """Whether more finals wait than there are threads: lines are late already."""
        with self._ready:
            waiting = sum(1 for rank, _, job in self._queue if rank == Rank.FINAL and not job.taken)
        return waiting > len(self._threads)

    def stop(self) -> None:
        """Drop what waits, end what runs; returns when every thread has ended."""
        with self._ready:
            self._stopped = True
            self._queue.clear()
            self._ready.notify_all()
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        while (job := self._next()) is not None:
            job.run()

    def _next(self) -> Job[object] | None:
        with self._ready:
            while True:
                while not self._queue and not self._stopped:
                    self._ready.wait()
                if self._stopped:
                    return None
                job = heapq.heappop(self._queue)[2]
                if not job.taken:
                    job.taken = True
                    return job
