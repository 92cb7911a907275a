"""Without Redis there is one serving process: a lock on a file in DATA_DIR, freed by the kernel."""

import fcntl
import os

from django.conf import settings

__all__ = ["Held", "is_held_elsewhere", "take"]

_held: int | None = None


class Held(Exception):
    """Another serving process holds the lock; the text says what to do."""


def take() -> None:
    """Hold the lock until the process ends; harmless twice, and nothing is locked where Redis is set.

    Raises Held. The file keeps the process id of its holder, for people.
    """
    global _held
    if settings.REDIS_URL or _held is not None:
        return
    descriptor = _open()
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip() or "unknown"
        os.close(descriptor)
        raise Held(
            f"Another serving process (process {holder}) already runs on {settings.DATA_DIR}. "
            "Stop it, or set REDIS_URL and DATABASE_URL to run several."
        ) from None
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, str(os.getpid()).encode("ascii"), 0)
    _held = descriptor


def is_held_elsewhere() -> bool:
    """Whether another process serves on this DATA_DIR. Asks without waiting and holds nothing."""
    if settings.REDIS_URL or _held is not None:
        return False
    descriptor = _open()
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    else:
        return False
    finally:
        os.close(descriptor)


def _open() -> int:
    settings.DATA_DIR.mkdir(parents=True, exist_ok=True)
    return os.open(settings.DATA_DIR / "serve.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
