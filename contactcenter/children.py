"""Child processes of a serving process: started, watched, restarted with back-off, and gone with it.

A child dies even when its parent is killed: `python -m contactcenter.children PID COMMAND` asks the kernel
for a signal at the parent's death (Linux) and then becomes COMMAND. That signal follows the thread that
started the child, so one thread that lives as long as the process starts them all.
"""

import ctypes
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["Children", "bound"]

_log = logging.getLogger("contactcenter.children")
ROOT = Path(__file__).resolve().parent.parent
FIRST_PAUSE = 0.5
LONGEST_PAUSE = 30.0
LOOK_EVERY = 0.1
STOP_LIMIT = 8.0
_PR_SET_PDEATHSIG = 1


def bound(command: Sequence[str]) -> list[str]:
    """The command as one that ends with the process that starts it."""
    return [sys.executable, "-m", "contactcenter.children", str(os.getpid()), *command]


@dataclass
class _Child:
    name: str
    command: list[str]
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    pause: float = FIRST_PAUSE
    due: float = field(default_factory=time.monotonic)


class Children:
    """`add` commands, `start` once, `stop` at the end. Their output goes where ours goes."""

    def __init__(self, env: dict[str, str] | None = None) -> None:
        self._env = env
        self._children: list[_Child] = []
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="children", daemon=True)

    def add(self, name: str, command: Sequence[str]) -> None:
        """One more child; `name` is for the log."""
        self._children.append(_Child(name, bound(command)))

    def start(self) -> None:
        """Begin to start and watch."""
        self._thread.start()

    def stop(self) -> None:
        """Ask all to end (SIGTERM), and end those that have not after 8 s. Returns when they are gone."""
        self._ending.set()
        if self._thread.is_alive():
            self._thread.join(STOP_LIMIT + 2)

    def _watch(self) -> None:
        while not self._ending.wait(LOOK_EVERY):
            for child in self._children:
                self._look(child)
        _end_all([child.process for child in self._children if child.process])

    def _look(self, child: _Child) -> None:
        now = time.monotonic()
        if child.process is None:
            if now >= child.due:
                child.process = subprocess.Popen(child.command, env=self._env, cwd=ROOT)
                child.started = now
        elif (code := child.process.poll()) is not None:
            self._plan_restart(child, code, now)

    def _plan_restart(self, child: _Child, code: int, now: float) -> None:
        if now - child.started > LONGEST_PAUSE:
            child.pause = FIRST_PAUSE
        _log.error("child.ended", extra={"child": child.name, "code": code, "restart_in": child.pause})
        child.process, child.due = None, now + child.pause
        child.pause = min(child.pause * 2, LONGEST_PAUSE)


def _end_all(processes: list[subprocess.Popen[bytes]]) -> None:
    for process in processes:
        process.terminate()
    limit = time.monotonic() + STOP_LIMIT
    for process in processes:
        try:
            process.wait(max(0.1, limit - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _become(parent: int, command: list[str]) -> None:
    """In the child: bind our life to the parent's, then run the command in our place."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != parent:  # it died before we asked
        sys.exit(1)
    os.execv(command[0], command)  # noqa: S606  no shell is wanted


if __name__ == "__main__":
    _become(int(sys.argv[1]), sys.argv[2:])
