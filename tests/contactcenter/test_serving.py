"""`manage.py serve` as a process: it refuses what would leave a door open, and goes down in order."""

import contextlib
import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.contactcenter.test_children import is_alive
from tests.processes import (
    ACCOUNT_SID,
    AUTH_TOKEN,
    ROOT,
    Running,
    answers,
    clean_environment,
    free_port,
    running,
    until,
)

RIGHT = {
    "SECRET_KEY": "one for these tests alone, and long enough to be no subject of a warning",
    "PUBLIC_URL": "https://calls.example.com",
    "TWILIO_ACCOUNT_SID": ACCOUNT_SID,
    "TWILIO_AUTH_TOKEN": AUTH_TOKEN,
    "TRANSCRIBER": "none",
}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with a migrated database."""
    directory = tmp_path_factory.mktemp("serving")
    env = clean_environment(**RIGHT, DATA_DIR=str(directory))
    command = [sys.executable, "manage.py", "migrate", "--noinput", "--verbosity", "0"]
    subprocess.run(command, cwd=ROOT, env=env, check=True, timeout=120)
    return directory


def refused(data: Path, *arguments: str, **settings: str) -> str:
    """Start it with these settings; it must end by itself with an error, and what it said."""
    env = clean_environment(**{**RIGHT, "DATA_DIR": str(data), **settings})
    command = [sys.executable, "manage.py", "serve", "--port", str(free_port()), *arguments]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    return done.stderr


@contextmanager
def serving(data: Path) -> Iterator[Running]:
    """A serving process with its worker, ready."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    env = clean_environment(**RIGHT, DATA_DIR=str(data))
    command = [sys.executable, "manage.py", "serve", "--port", str(port)]
    ready = f"{url}/readyz"
    with running("serve", command, log=data / "log", env=env, ready=lambda: is_ready(ready)) as one:
        one.url = url
        yield one


@pytest.fixture(scope="module")
def server(data: Path) -> Iterator[Running]:
    """One for those who only look."""
    with serving(data) as one:
        yield one


@pytest.fixture
def other_data(data: Path, tmp_path: Path) -> Path:
    """A second directory, its database migrated as well, which nobody serves."""
    return Path(
        shutil.copytree(data, tmp_path / "data", ignore=shutil.ignore_patterns("log", "*-wal", "*-shm"))
    )


@pytest.fixture
def own_server(other_data: Path) -> Iterator[Running]:
    """One to be stopped."""
    with serving(other_data) as one:
        yield one


def is_ready(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.HTTPError, OSError):
        return False


def children(pid: int) -> list[int]:
    """The process ids of a process's children."""
    listed = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(child) for one in listed for child in one.read_text().split()]


@pytest.mark.parametrize(
    ("settings", "id_"),
    [
        ({"TWILIO_AUTH_TOKEN": ""}, "cc.E001"),
        ({"PUBLIC_URL": ""}, "cc.E002"),
        ({"WEB_CONCURRENCY": "2"}, "cc.E003"),
        ({"PUBLIC_URL": "http://calls.example.com"}, "cc.E004"),
        ({"TWILIO_ACCOUNT_SID": ""}, "cc.E007"),
    ],
)
def test_it_does_not_start_on_a_fault_of_configuration(
    data: Path, settings: dict[str, str], id_: str
) -> None:
    assert id_ in refused(data, **settings)


@pytest.mark.parametrize("role", ["web", "media"])
def test_one_role_of_several_needs_redis(data: Path, role: str) -> None:
    assert "set REDIS_URL" in refused(data, "--role", role)


def test_a_database_that_is_not_up_to_date_is_told_with_the_command(tmp_path: Path) -> None:
    assert "manage.py migrate" in refused(tmp_path)


def test_a_port_in_use_is_told(other_data: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert f"Port {port} on 127.0.0.1 is in use" in refused(other_data, "--port", str(port))


def test_a_second_one_without_redis_is_told_who_serves(data: Path, server: Running) -> None:
    assert f"process {server.process.pid}" in refused(data)


def test_the_stop_signal_ends_it_with_its_children_and_exit_code_0(own_server: Running) -> None:
    until(lambda: len(children(own_server.process.pid)) == 1, "the worker runs")
    worker = children(own_server.process.pid)[0]
    assert own_server.stop() == 0
    assert not is_alive(worker)
    assert "Traceback" not in own_server.output()


def test_ctrl_c_ends_it_too(own_server: Running) -> None:
    assert own_server.stop(by=signal.SIGINT) == 0


def test_requests_that_come_all_the_while_do_not_hold_its_end(own_server: Running) -> None:
    with ThreadPoolExecutor(4) as visitors:
        told = [visitors.submit(ask_until_it_is_gone, own_server) for _ in range(4)]
        until(lambda: own_server.output().count("/accounts/") >= 4, "they are at it")
        assert own_server.stop() == 0
    statuses = {status for one in told for status in one.result()}
    assert 200 in statuses
    assert statuses <= {200, 503}
    assert "Traceback" not in own_server.output()


def ask_until_it_is_gone(server: Running) -> list[int]:
    """The statuses of a page asked for again and again over one line, until nothing listens any more."""
    statuses = []
    line = http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=30)
    with contextlib.closing(line), contextlib.suppress(OSError, http.client.HTTPException):
        while True:
            line.request("GET", "/accounts/login/")
            with line.getresponse() as answer:
                answer.read()
            statuses.append(answer.status)
    return statuses


def test_a_killed_server_leaves_no_worker(own_server: Running) -> None:
    until(lambda: len(children(own_server.process.pid)) == 1, "the worker runs")
    worker = children(own_server.process.pid)[0]
    os.kill(own_server.process.pid, signal.SIGKILL)
    own_server.process.wait()
    until(lambda: not is_alive(worker), "the worker ends", seconds=10)


def test_it_prints_where_it_serves_and_what_to_do_next(server: Running) -> None:
    assert server.url in server.output()
    assert "manage.py doctor" in server.output()


def test_media_addresses_are_masked_in_the_log(server: Running) -> None:
    nonce = "0123456789abcdef" * 2
    answers(f"{server.url}/media/{nonce}/?x=secret")
    until(lambda: "/media/***" in server.output(), "the access log")
    assert nonce not in server.output()
    assert "secret" not in server.output()
