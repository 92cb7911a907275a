"""The worker: a table "every … do …" over the services of both apps. It writes rows and nothing else.

Doors write facts, the tick draws consequences: what must happen after a fact is found in the rows, so
nothing is forgotten when a process dies. A job that fails logs one line and is tried again at its next turn.
"""

import logging
import os
import signal
import socket
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from django.db import DatabaseError, close_old_connections, connection
from django.utils import timezone

from calls.services import alerts, commands, listening, reconcile, retention, routing, taps, tickets
from contactcenter.ending import Ending
from streams.models import Process
from streams.services import aftercall, recordings, recovery

__all__ = ["Worker", "table"]

_log = logging.getLogger("contactcenter.worker")
HEARTBEAT_SECONDS = 5.0
STOP_SECONDS = 6.0  # a question to Twilio takes at most 5
PREFIX = "worker-"
Lane = Literal["quick", "routing", "twilio", "slow"]


@dataclass
class Job:
    """One line of the table: do `run(now=…)` every so many seconds.

    Jobs of one lane run one after the other, each lane in a thread: what asks Twilio may wait for its answer
    as long as the limits allow, and neither a dead process's streams nor our own heartbeat wait with it; no
    caller waits for a tap that is being opened; what asks about many things is slow, and no tap waits for it.
    """

    name: str
    every: float
    run: Callable[..., Any]
    lane: Lane = "quick"
    due: float = 0.0
    failing: bool = False


def table() -> list[Job]:
    """The jobs of this release."""
    return [
        Job("routing.settle", 0.25, routing.Tick(), lane="routing"),
        Job("taps.reopen_lost", 0.25, taps.reopen_lost, lane="twilio"),
        Job("tickets.expire", 0.25, tickets.expire),
        Job("commands.resolve_unknown", 0.25, commands.resolve_unknown, lane="twilio"),
        Job("listening.close_dead", 2.0, listening.close_dead),
        Job("recovery.sweep", 1.0, recovery.sweep),
        Job("alerts.judge", 1.0, alerts.judge_calls),
        Job("aftercall.clean", 2.0, aftercall.clean, lane="slow"),
        Job("recordings.sweep", 60.0, recordings.sweep, lane="slow"),
        Job("reconcile.sweep", 10.0, reconcile.sweep, lane="slow"),
        Job("retention.purge", 60.0, retention.purge, lane="slow"),
        Job("aftercall.forget", 60.0, aftercall.forget, lane="slow"),
    ]


class Worker:
    """Runs the table until `stop`; `parent` is the process whose end is ours too."""

    def __init__(self, jobs: list[Job], *, parent: int | None = None) -> None:
        self._jobs = [*jobs, Job("heartbeat", HEARTBEAT_SECONDS, self._beat)]
        self._parent = parent
        self._ending = Ending()
        self._id = f"{PREFIX}{os.getpid()}-{uuid.uuid4().hex[:12]}"

    def stop(self) -> None:
        """End after the job that runs now."""
        self._ending.set()

    def run(self) -> None:
        """The loop; returns after `stop` or when the parent is gone."""
        signal.signal(signal.SIGTERM, lambda *_: self.stop())
        signal.signal(signal.SIGINT, lambda *_: self.stop())
        others: tuple[Lane, ...] = ("routing", "twilio", "slow")
        threads = [
            threading.Thread(target=self._rounds, args=(lane,), name=f"{lane} jobs", daemon=True)
            for lane in others
        ]
        for thread in threads:
            thread.start()
        self._rounds("quick")
        self.stop()
        for thread in threads:
            thread.join(STOP_SECONDS)
        Process.objects.filter(pk=self._id).delete()

    def _rounds(self, lane: Lane) -> None:
        while not self._ending.is_set() and not self._is_orphan():
            self._ending.wait(max(0.0, self.turn(time.monotonic(), lane)))
        connection.close()

    def turn(self, at: float, lane: Lane = "quick") -> float:
        """Run what is due of one lane at monotonic time `at`; seconds until the next."""
        jobs = [job for job in self._jobs if job.lane == lane]
        for job in jobs:
            if job.due <= at and not self._ending.is_set():
                self._guarded(job)
                on_time = job.due + job.every
                job.due = on_time if on_time > at else at + job.every  # what was missed is not made up for
        return min((job.due for job in jobs), default=at + 1) - time.monotonic()

    def _guarded(self, job: Job) -> None:
        try:
            job.run(now=timezone.now())
        except Exception as error:  # one failing job must not stop the others
            if not job.failing:
                _log.exception("worker.job.failed", extra={"job": job.name, "error": type(error).__name__})
            job.failing = True
            if isinstance(error, DatabaseError):
                close_old_connections()
        else:
            if job.failing:
                _log.info("worker.job.recovered", extra={"job": job.name})
            job.failing = False

    def _beat(self, *, now: datetime) -> None:
        """A row that says: a worker runs. /readyz looks for it."""
        host = socket.gethostname()[:120]
        Process.objects.update_or_create(
            pk=self._id, defaults={"host": host, "pid": os.getpid(), "seen_at": now}
        )
        Process.objects.filter(pk__startswith=PREFIX, seen_at__lt=now - timedelta(hours=1)).delete()

    def _is_orphan(self) -> bool:
        return self._parent is not None and os.getppid() != self._parent
