"""Children are restarted, stopped with their parent, and gone when it is killed."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from contactcenter import children as module
from contactcenter.children import Children
from tests.processes import ROOT, until

NOTE = "import os, sys; open(sys.argv[1], 'a').write(f'{os.getpid()}\\n'); "
WAIT = "import signal; signal.pause()"
PARENT = """
import sys, threading
from contactcenter.children import Children
own = Children()
own.add("child", sys.argv[1:])
own.start()
threading.Event().wait()
"""


def pids(notes: Path) -> list[int]:
    return [int(line) for line in notes.read_text().splitlines()] if notes.exists() else []


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    return tmp_path / "pids"


def test_a_child_that_ends_is_started_again_each_time_after_a_longer_pause(
    notes: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "LOOK_EVERY", 0.01)
    monkeypatch.setattr(module, "FIRST_PAUSE", 0.02)
    own = Children()
    own.add("short", [sys.executable, "-c", NOTE + "sys.exit(3)", str(notes)])
    own.start()
    until(lambda: len(pids(notes)) >= 3, "three starts")
    own.stop()
    ends = [record for record in caplog.records if record.getMessage() == "child.ended"]
    waits = [vars(record)["restart_in"] for record in ends]
    assert all(vars(record)["code"] == 3 for record in ends)
    assert waits == sorted(waits)
    assert waits[1] == 2 * waits[0]


def test_the_longest_pause_is_thirty_seconds() -> None:
    own = Children()
    child = module._Child("bad", ["x"])
    for _ in range(12):
        own._plan_restart(child, 1, now=child.started)
    assert child.pause == 30.0
    own._plan_restart(child, 1, now=child.started + 31)  # it had run well
    assert child.pause == 1.0


def test_children_end_with_stop(notes: Path) -> None:
    own = Children()
    own.add("long", [sys.executable, "-c", NOTE + WAIT, str(notes)])
    own.start()
    until(lambda: bool(pids(notes)), "the child runs")
    own.stop()
    assert not is_alive(pids(notes)[0])


def test_a_killed_parent_takes_its_children_with_it(notes: Path) -> None:
    command = [sys.executable, "-c", PARENT, sys.executable, "-c", NOTE + WAIT, str(notes)]
    with subprocess.Popen(command, cwd=ROOT) as parent:
        until(lambda: bool(pids(notes)), "the child runs")
        os.kill(parent.pid, signal.SIGKILL)
        parent.wait()
    until(lambda: not is_alive(pids(notes)[0]), "the child ends", seconds=10)
