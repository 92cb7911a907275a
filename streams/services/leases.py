"""The lease of a process that holds media sockets: renewed each 5 s; expired, its streams are lost."""

import os
import socket
from datetime import datetime, timedelta

from streams.models import Process

__all__ = ["EXPIRED_AFTER", "expired", "forget", "give_up", "here", "renew"]

EXPIRED_AFTER = timedelta(seconds=15)


def here() -> str:
    """This machine's name, as the rows have it: journals can be judged only where they lie."""
    return socket.gethostname()[:120]


def renew(*, process_id: str, now: datetime) -> None:
    """Say that the process lives."""
    Process.objects.update_or_create(
        pk=process_id, defaults={"host": here(), "pid": os.getpid(), "seen_at": now}
    )


def give_up(*, process_id: str) -> None:
    """The process ends in order: nothing of it is to be waited for."""
    Process.objects.filter(pk=process_id).delete()


def forget(*, now: datetime) -> None:
    """Drop the rows of processes that have not been seen for an hour."""
    Process.objects.filter(seen_at__lt=now - timedelta(hours=1)).delete()


def expired(*, process: Process | None, now: datetime) -> bool:
    """Whether nobody stands for the process any more; no process has no one."""
    return process is None or process.seen_at < now - EXPIRED_AFTER
