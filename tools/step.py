"""One step of the checks: run it within its limit, show what it says, count what it found."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from tools.house import ROOT, VAR, tell


@dataclass(frozen=True)
class Step:
    """A command with its limit in seconds and the Debian packages it needs; `counts`: it is a pytest run."""

    name: str
    command: tuple[str, ...]
    limit: int
    needs: tuple[str, ...] = ()
    counts: bool = False


@dataclass
class Outcome:
    """What came of a step: ok, FAILED or NOT RUN; a check counts as one, a pytest run as its tests."""

    name: str
    word: str
    seconds: float = 0.0
    note: str = ""
    passed: int = 0
    failed: int = 0
    skipped: int = 0


def run(step: Step, env: dict[str, str], absent: Sequence[str]) -> Outcome:
    """Run one step, or say why not."""
    lacking = [name for name in step.needs if name in absent]
    if lacking:
        tell(f"NOT RUN {step.name}: {', '.join(lacking)} missing")
        return Outcome(step.name, "NOT RUN", note=f"{', '.join(lacking)} missing")
    report = VAR / "test" / f"{step.name}.xml"
    report.unlink(missing_ok=True)
    command = [*step.command, f"--junitxml={report}"] if step.counts else list(step.command)
    shown = " ".join(Path(part).name if "/bin/" in part else part for part in step.command)
    tell(f"\n=== {step.name}: {shown}")
    begun = time.monotonic()
    code, late = execute(command, env, step)
    outcome = judge(step, code, report)
    outcome.seconds = time.monotonic() - begun
    if late:
        outcome.note = f"ended after its limit of {step.limit} s. {outcome.note}"
    tell(f"=== {step.name}: {outcome.word}, {outcome.seconds:.1f} s {outcome.note}")
    return outcome


def execute(command: list[str], env: dict[str, str], step: Step) -> tuple[int, bool]:
    """The exit code, and whether the limit ended it and the process group that was started for it."""
    late = threading.Event()
    with subprocess.Popen(command, cwd=ROOT, env=env, start_new_session=True) as process:

        def end() -> None:
            late.set()
            os.killpg(process.pid, signal.SIGKILL)

        timer = threading.Timer(step.limit, end)
        timer.start()
        try:
            process.wait()
        except KeyboardInterrupt:
            os.killpg(process.pid, signal.SIGKILL)
            raise
        finally:
            timer.cancel()
    return process.returncode, late.is_set()


def judge(step: Step, code: int, report: Path) -> Outcome:
    """What the exit code and a pytest report mean together; a run without tests has failed."""
    if not step.counts:
        return Outcome(step.name, "FAILED" if code else "ok", passed=int(not code), failed=int(bool(code)))
    found = tests(report)
    broken = found["failures"] + found["errors"]
    passed = found["tests"] - broken - found["skipped"]
    failed = max(broken, int(bool(code) or not found["tests"]))
    note = f"{passed} passed, {failed} failed" + (f", {found['skipped']} skipped" if found["skipped"] else "")
    return Outcome(step.name, "FAILED" if failed else "ok", 0.0, note, passed, failed, found["skipped"])


def tests(report: Path) -> dict[str, int]:
    """The counts of a pytest report; zeros when the run did not live to write it."""
    names = ("tests", "failures", "errors", "skipped")
    if not report.exists():
        return dict.fromkeys(names, 0)
    suites = ElementTree.parse(report).getroot().iter("testsuite")  # noqa: S314  written by our own pytest
    counts = dict.fromkeys(names, 0)
    for suite in suites:
        for name in names:
            counts[name] += int(suite.get(name, 0))
    return counts
