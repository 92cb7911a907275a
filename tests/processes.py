"""Real processes for tests: the product, Twilio's side, Redis and PostgreSQL, on loopback and free ports.

Each is started with its output in a file, waited for by asking it, and stopped by its own id.
A test that needs a server takes a fixture from here; nothing listens that a test did not start.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest

from tools.names import settings_names
from tools.packages import command as install_command
from tools.packages import program

ROOT = Path(__file__).resolve().parent.parent
ACCOUNT_SID = "AC" + "7" * 32
AUTH_TOKEN = "token of the account in tests"
START_SECONDS = 60
STOP_SECONDS = 40
_pause = threading.Event()  # never set: a short wait between two questions


class Refused(AssertionError):
    """A process ended, or did not become ready in time; its output is in the message."""


@dataclass
class Running:
    """One process that a test started."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path
    url: str = ""

    def output(self) -> str:
        """Everything it has written so far."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def alive(self) -> bool:
        """Whether it still runs."""
        return self.process.poll() is None

    def stop(self, by: signal.Signals = signal.SIGTERM) -> int:
        """Ask it to end, insist after STOP_SECONDS; its exit code."""
        if self.alive():
            self.process.send_signal(by)
        try:
            return self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            return self.process.wait()

    def kill(self) -> None:
        """End it at once with all that it started, as a crash of the machine would."""
        if self.alive():
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


def free_port() -> int:
    """A port on loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def until(ready: Callable[[], bool], what: str, *, seconds: float = START_SECONDS) -> None:
    """Ask until the answer is yes; Refused when the time is over. For what another process decides."""
    for _ in range(int(seconds / 0.05)):
        if ready():
            return
        _pause.wait(0.05)
    raise Refused(f"not within {seconds} s: {what}")


def answers(url: str) -> bool:
    """Whether an HTTP address answers, with whatever status below 500."""
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return bool(answer.status < 500)
    except urllib.error.HTTPError as refusal:
        return refusal.code < 500
    except OSError:
        return False


def listens(port: int) -> bool:
    """Whether something accepts connections on a loopback port."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def clean_environment(**more: str) -> dict[str, str]:
    """This environment without any setting of the product, and then `more`."""
    ours = set(settings_names())
    kept = {name: value for name, value in os.environ.items() if name.removesuffix("_FILE") not in ours}
    kept.pop("DJANGO_SETTINGS_MODULE", None)
    return {**kept, "ENV_FILE": os.devnull, "PYTHONUNBUFFERED": "1", "LOG_FORMAT": "console", **more}


@contextmanager
def running(
    name: str,
    command: list[str],
    *,
    log: Path,
    env: Mapping[str, str] | None = None,
    ready: Callable[[], bool],
    user: str | None = None,
) -> Iterator[Running]:
    """Start a process, wait until it is ready, give it to the test, stop it; its output when it fails."""
    switch = {"user": user, "group": user, "extra_groups": []} if user else {}
    with log.open("ab") as sink:
        process = subprocess.Popen(
            [*mortal(), *command],
            cwd=ROOT,
            env=dict(env or clean_environment()),
            stdout=sink,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            **switch,  # type: ignore[call-overload]
        )
    one = Running(name, process, log)
    try:
        until(lambda: not one.alive() or ready(), f"{name} is ready")
        if not one.alive():
            raise Refused(f"{name} ended with {process.returncode} before it was ready")
        yield one
    except BaseException:
        print(f"--- output of {name}\n{one.output()[-8000:]}", file=sys.stderr)
        raise
    finally:
        one.stop()


def mortal() -> list[str]:
    """What makes a command end with the test run, should that be killed before it can stop it (Linux)."""
    return ["setpriv", "--pdeathsig", "TERM", "--"] if shutil.which("setpriv") else []


def needed(package: str) -> str:
    """The path of a Debian package's program, or a failure that names the command to install it."""
    found = program(package)
    if found is None:
        raise Refused(f"{package} is not installed: {install_command([package])}")
    return found


@dataclass
class Redis:
    """A Redis server of our own; `stop` and `start` for what happens when it is away."""

    directory: Path
    port: int = field(default_factory=free_port)
    _running: ExitStack = field(default_factory=ExitStack)

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start it on its port, keeping nothing on disk."""
        options = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        command = [needed("redis-server"), *options, "--dir", str(self.directory)]
        log = self.directory / "redis.log"
        self._running = ExitStack()
        self._process = self._running.enter_context(
            running("redis-server", command, log=log, ready=lambda: listens(self.port))
        )

    def kill(self) -> None:
        """As a crash: at once."""
        self._process.kill()
        self._running.close()

    def stop(self) -> None:
        """Stop it if it runs."""
        self._running.close()


@dataclass
class Postgres:
    """A PostgreSQL server of our own in a directory of its own; never run as root."""

    directory: Path
    port: int
    count: int = 0

    def database(self) -> str:
        """A fresh empty database; its DATABASE_URL."""
        self.count += 1
        name = f"test_{os.getpid()}_{self.count}"
        with psycopg.connect(self._address("postgres"), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"')
        return self._address(name)

    def _address(self, name: str) -> str:
        return f"postgres://postgres@127.0.0.1:{self.port}/{name}"


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[Redis]:
    """A running Redis."""
    server = Redis(tmp_path)
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A running PostgreSQL, one for the whole run; take a `database()` from it."""
    binaries = Path(needed("postgresql")).parent
    owner = "postgres" if os.geteuid() == 0 else None
    directory = Path(tempfile.mkdtemp(prefix="contactcenter-postgres-"))
    if owner:
        shutil.chown(directory, owner, owner)
    data, port = directory / "data", free_port()
    make = [str(binaries / "initdb"), "-D", str(data), "-U", "postgres", "-A", "trust", "-E", "UTF8", "-N"]
    switch = {"user": owner, "group": owner, "extra_groups": []} if owner else {}
    subprocess.run(make, check=True, cwd=directory, capture_output=True, **switch)  # type: ignore[call-overload]
    options = ["-c", "fsync=off", "-c", "listen_addresses=127.0.0.1", "-c", f"port={port}"]
    command = [
        str(binaries / "postgres"),
        "-D",
        str(data),
        *options,
        "-c",
        f"unix_socket_directories={directory}",
    ]
    server = Postgres(directory, port)
    try:
        with running("postgres", command, log=directory / "log", ready=lambda: _accepts(server), user=owner):
            yield server
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _accepts(server: Postgres) -> bool:
    try:
        psycopg.connect(server._address("postgres"), connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True
