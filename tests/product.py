"""The whole product as real processes, with Twilio's side beside it: `site` small, `cluster_site` grown."""

import atexit
import json
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.front import Front
from tests.processes import (
    ACCOUNT_SID,
    AUTH_TOKEN,
    ROOT,
    Postgres,
    Redis,
    Refused,
    Running,
    answers,
    clean_environment,
    free_port,
    running,
)

MAKE_WORLD = (
    "from django.core.management import call_command; call_command('migrate', verbosity=0); "
    "from tests.world import make; make()"
)
_prepared: list[Path] = []  # the SQLite file of the first site, copied for the next ones


@dataclass
class Site:
    """One installation: its settings, its processes, and the emulator that plays Twilio for it.

    `url` is where browsers and Twilio find it. Start what a test needs: `migrate`, `serve`, `emulate`.
    """

    directory: Path
    port: int = field(default_factory=free_port)
    emulator_port: int = field(default_factory=free_port)
    settings: dict[str, str] = field(default_factory=dict)
    processes: dict[str, Running] = field(default_factory=dict)
    stack: ExitStack = field(default_factory=ExitStack)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def emulator_url(self) -> str:
        return f"http://127.0.0.1:{self.emulator_port}"

    def environment(self) -> dict[str, str]:
        """What every process of the installation is told."""
        told = {
            "DATA_DIR": str(self.directory / "data"),
            "SECRET_KEY": "one for all processes of a test, and long enough to be no subject of a warning",
            "PUBLIC_URL": self.url,
            "TWILIO_API_URL": self.emulator_url,
            "TWILIO_ACCOUNT_SID": ACCOUNT_SID,
            "TWILIO_AUTH_TOKEN": AUTH_TOKEN,
            "SPEECH_MODEL_DIR": str(ROOT / "var" / "models"),
            "TRANSCRIBER": "embedded",
        }
        return clean_environment(**{**told, **self.settings})

    def manage(self, *arguments: str) -> str:
        """Run a management command of the installation to its end; what it printed. Refused if it failed."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=120,
        )
        if done.returncode:
            raise Refused(
                f"manage.py {arguments[0]} ended with {done.returncode}\n{done.stdout}{done.stderr}"
            )
        return done.stdout

    def prepare(self) -> None:
        """Make the database with the named people and numbers of tests/world.py."""
        data = self.directory / "data"
        data.mkdir(parents=True, exist_ok=True)
        if "DATABASE_URL" in self.settings:
            self.run(MAKE_WORLD)
        elif _prepared:
            shutil.copy(_prepared[0], data)
        else:
            self.run(f"{MAKE_WORLD}; from django.db import connection; connection.close()")
            keep = Path(tempfile.mkdtemp(prefix="contactcenter-prepared-"))
            atexit.register(shutil.rmtree, keep, ignore_errors=True)
            _prepared.append(Path(shutil.copy(data / "contactcenter.sqlite3", keep)))

    def run(self, code: str) -> str:
        """Python inside the installation, its models at hand: to arrange and to ask what only rows know."""
        return self.manage("shell", "--no-imports", "-c", code)

    def ask(self, expression: str) -> Any:
        """The JSON-able value of an expression; the models of both apps are imported."""
        imports = "import json; from calls.models import *; from streams.models import *"
        return json.loads(
            self.run(f"{imports}; print(json.dumps({expression}, default=str))").splitlines()[-1]
        )

    def start(self, name: str, arguments: list[str], ready: Callable[[], bool]) -> Running:
        """Start one process of the installation; it ends with the site."""
        log = self.directory / f"{name}.log"
        one = self.stack.enter_context(
            running(name, [sys.executable, *arguments], log=log, env=self.environment(), ready=ready)
        )
        self.processes[name] = one
        return one

    def serve(self, *arguments: str, port: int | None = None, name: str = "serve") -> Running:
        """`manage.py serve`, ready when /healthz answers."""
        port = port or self.port
        address = f"http://127.0.0.1:{port}/healthz"
        return self.start(
            name, ["manage.py", "serve", "--port", str(port), *arguments], lambda: answers(address)
        )

    def emulate(self) -> Running:
        """Twilio's side, ready when its log answers."""
        told = ["--port", str(self.emulator_port), "--target", self.url]
        ready = f"{self.emulator_url}/emulator/log/"
        return self.start("emulator", ["-m", "emulator", *told], lambda: answers(ready))

    def call(self, *, to: str, caller: str = "+31612345678", script: str | None = None) -> str:
        """Let Twilio's side place a call; its CallSid."""
        wanted = {"from": caller, "to": to, **({"script": script} if script else {})}
        sid: str = self.emulator("/emulator/calls/", wanted)["call_sid"]
        return sid

    def truth(self) -> Any:
        """What Twilio's side saw and did."""
        return self.emulator("/emulator/log/")

    def emulator(self, path: str, body: object = None) -> Any:
        """One request to the emulator's console; its JSON answer."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            self.emulator_url + path, data=data, headers={"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    def close(self) -> None:
        """Stop everything: Twilio's side first, so that no live call holds up the end of a server."""
        if "emulator" in self.processes:
            self.processes["emulator"].stop()
        self.stack.close()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One serving process on SQLite and the in-memory layer, and Twilio's side; for a whole module."""
    one = Site(tmp_path_factory.mktemp("site"))
    try:
        one.prepare()
        one.emulate()
        one.serve()
        yield one
    finally:
        one.close()


@pytest.fixture
def cluster_site(tmp_path: Path, redis_server: Redis, postgres: Postgres) -> Iterator[Site]:
    """A web, a media and a worker process on PostgreSQL and Redis behind one address, and Twilio's side."""
    one = Site(tmp_path)
    one.settings = {"DATABASE_URL": postgres.database(), "REDIS_URL": redis_server.url}
    web, media = free_port(), free_port()
    try:
        one.stack.enter_context(Front(one.port, {"/media/": media}, otherwise=web))
        one.prepare()
        one.emulate()
        one.serve("--role", "web", port=web, name="web")
        one.serve("--role", "media", port=media, name="media")
        one.start("worker", ["manage.py", "worker"], lambda: True)
        one.start("engine", ["manage.py", "engine"], lambda: True)
        yield one
        dead = [process.name for process in one.processes.values() if not process.alive()]
        if dead:
            raise Refused(f"ended before the test did: {dead}")
    finally:
        one.close()
