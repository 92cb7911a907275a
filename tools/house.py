"""Where things are, which Python may run them, how progress is shown. tools/ needs no package installed."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

if not (3, 11) <= sys.version_info[:2] <= (3, 14):
    sys.exit(
        "This needs Python 3.11 to 3.14; {} is Python {}.{}. Another one: make PYTHON=python3.12 demo".format(
            sys.executable, *sys.version_info[:2]
        )
    )

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
VENV_PYTHON = VENV / "bin" / "python"
VAR = ROOT / "var"


def in_ci() -> bool:
    """Whether what could not run must fail."""
    return os.environ.get("CI", "").lower() in {"1", "true", "yes"}


def say(text: str) -> None:
    """One line of progress, at once even into a pipe, to standard error; standard output is for results."""
    print(text, file=sys.stderr, flush=True)


def tell(text: str) -> None:
    """One line of a result, to standard output."""
    print(text, flush=True)


@contextmanager
def timed(what: str) -> Iterator[None]:
    """Announce a piece of work and say how long it took; a failure passes through."""
    say(f"{what} …")
    begun = time.monotonic()
    yield
    say(f"{what}: ready in {time.monotonic() - begun:.1f} s")


def call(*command: str | Path, env: dict[str, str] | None = None) -> None:
    """Run a command in the repository; when it fails, end with its exit code and its name."""
    done = subprocess.run([str(part) for part in command], cwd=ROOT, env=env, stdout=sys.stderr)
    if done.returncode:
        say(f"failed ({done.returncode}): {' '.join(str(part) for part in command)}")
        sys.exit(done.returncode)
