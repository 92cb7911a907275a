"""Without Redis one process serves; the second is told so in words."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import override_settings

from contactcenter import lock

HOLD = """
import fcntl, sys
held = open(sys.argv[1], "a+")
fcntl.flock(held, fcntl.LOCK_EX)
held.truncate(0); held.write("4711"); held.flush()
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def _free(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    monkeypatch.setattr(lock, "_held", None)
    with override_settings(DATA_DIR=tmp_path):
        yield


@pytest.fixture
def other(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the lock."""
    command = [sys.executable, "-c", HOLD, str(tmp_path / "serve.lock")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_the_second_is_refused_and_told_what_to_do(other: subprocess.Popen[str]) -> None:
    assert lock.is_held_elsewhere()
    with pytest.raises(lock.Held, match=r"process 4711.*REDIS_URL"):
        lock.take()


def test_the_lock_is_free_again_when_its_holder_is_killed(other: subprocess.Popen[str]) -> None:
    other.kill()
    other.wait()
    assert not lock.is_held_elsewhere()
    lock.take()
    lock.take()


@pytest.mark.usefixtures("other")
def test_with_redis_several_may_serve() -> None:
    with override_settings(REDIS_URL="redis://localhost"):
        assert not lock.is_held_elsewhere()
        lock.take()
