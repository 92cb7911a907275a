"""The machine a figure was taken on, and the CPU time of a process on it."""

import contextlib
import os
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

__all__ = ["ROOT", "TICK", "commit", "cpu_seconds", "describe", "pin", "versions"]

ROOT = Path(__file__).resolve().parent.parent
TICK = os.sysconf("SC_CLK_TCK")
_PACKAGES = ("Django", "channels", "daphne", "uvicorn", "websockets", "msgspec", "onnxruntime")


def cpu_seconds(pid: int) -> float:
    """User and system seconds that a process has used so far, its threads included."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def pin(pid: int, core: int) -> None:
    """Keep a process and the threads it has on one core, where there is more than one; 0 is this process."""
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        return
    for thread in Path(f"/proc/{pid or os.getpid()}/task").iterdir():
        with contextlib.suppress(ProcessLookupError):  # a thread that ended meanwhile
            os.sched_setaffinity(int(thread.name), {cores[core % len(cores)]})


def commit() -> str:
    """The commit measured, with + when the tree has changes."""
    run = subprocess.run(
        ["git", "describe", "--always", "--dirty=+"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return run.stdout.strip() or "unknown"


def versions() -> dict[str, str]:
    """Versions of what decides the figures."""
    found = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def describe() -> str:
    """Cores and processor in one line."""
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return f"{os.cpu_count()} cores, {line.partition(':')[2].strip()}"
    return f"{os.cpu_count()} cores, {platform.machine()}"
