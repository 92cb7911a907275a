"""Events under several writers: ids in the order of commit, without a hole, whatever the database."""

import subprocess
import sys
from pathlib import Path

from tests.processes import ROOT, Postgres
from tests.product import Site

WRITE = """
from calls.events import change
for _ in range(60):
    with change() as made:
        made.emit(kind="test.happened", noun="call", key=1)
        made.emit(kind="test.happened", noun="call", key=2)
"""


def test_six_writers_leave_no_hole_and_no_deadlock(tmp_path: Path, postgres: Postgres) -> None:
    site = Site(tmp_path, settings={"DATABASE_URL": postgres.database()})
    site.prepare()
    assert write(site, writers=6) == [0] * 6
    assert ids(site) == list(range(1, 6 * 120 + 1))


def test_four_writing_processes_share_sqlite(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.prepare()
    assert write(site, writers=4) == [0] * 4
    assert ids(site) == list(range(1, 4 * 120 + 1))


def write(site: Site, *, writers: int) -> list[int]:
    """Let processes write at the same time; their exit codes."""
    command = [sys.executable, "manage.py", "shell", "--no-imports", "-c", WRITE]
    running = [subprocess.Popen(command, cwd=ROOT, env=site.environment()) for _ in range(writers)]
    return [process.wait(120) for process in running]


def ids(site: Site) -> list[int]:
    """The ids of all events of the test."""
    found: list[int] = site.ask(
        "list(Event.objects.filter(kind='test.happened').order_by('id').values_list('id', flat=True))"
    )
    return found
