"""What the demo runs on: a directory and ports of its own, two processes, and their orderly end."""

import fcntl
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from contactcenter.children import ROOT, bound
from contactcenter.ending import Ending

__all__ = ["Failed", "Stage", "ask", "make"]

MARK = ".contactcenter-demo"
DEFAULT_PORT = 8000
START_LIMIT = 60.0
SHORT_LIFE = 5.0  # seconds: who ends sooner would only end again
# What a program needs from its surroundings; every setting of the product is our own.
KEPT = (
    "VOICES",
    "PATH",
    "HOME",
    "LANG",
    "LC_ALL",
    "TMPDIR",
    "TERM",
    "VIRTUAL_ENV",
    "LD_LIBRARY_PATH",
    "SPEECH_MODEL_DIR",
)


class Failed(Exception):
    """The demo cannot go on; the text says why and what to do."""


@dataclass
class _Kept:
    """A process that is started again when it ends: how, when it is there, since when it has been."""

    command: list[str]
    url: str
    since: float


@dataclass
class Stage:
    """What runs: two processes, their addresses, and the end that was asked for."""

    directory: Path
    url: str
    emulator_url: str
    env: dict[str, str]
    is_json: bool
    ending: Ending = field(default_factory=Ending)
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    kept: dict[str, _Kept] = field(default_factory=dict)

    def say(self, text: str) -> None:
        """One line for people; on standard error where standard output is for programs."""
        print(text, file=sys.stderr if self.is_json else sys.stdout, flush=True)

    def start(self, name: str, command: list[str]) -> None:
        """Start a process that ends with us; its output goes to a file of its name."""
        with (self.directory / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                bound([sys.executable, *command]),
                cwd=ROOT,
                env=self.env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,  # Ctrl-C is for us: we end the others in order
            )

    def keep(self, name: str, command: list[str], url: str) -> None:
        """From now on start this process again when it ends, unless it ends as soon as it begins."""
        self.kept[name] = _Kept(command, url, time.monotonic())

    def check(self) -> None:
        """Start again what is kept; raise Failed when another process has ended by itself."""
        for name, process in list(self.processes.items()):
            if process.poll() is None or self.ending.is_set():
                continue
            kept = self.kept.get(name)
            if kept is None or time.monotonic() - kept.since < SHORT_LIFE:
                raise Failed(f"{name} ended ({process.returncode}). Its last lines:\n{self.tail(name)}")
            self._revive(name, kept, process.returncode)

    def _revive(self, name: str, kept: _Kept, code: int) -> None:
        kept.since = time.monotonic()
        self.start(name, kept.command)
        self.say(f"{name} ended ({code}); started again as process {self.processes[name].pid}.")
        self.wait_for(name, kept.url)

    def tail(self, name: str) -> str:
        """The last lines of a process's output."""
        text = (self.directory / f"{name}.log").read_text(encoding="utf-8", errors="replace")
        return "\n".join(text.splitlines()[-12:])

    def wait_for(self, name: str, url: str) -> None:
        """Wait until an address answers 200. Raises Failed when its process ends or takes too long."""
        limit = time.monotonic() + START_LIMIT
        while not _answers(url):
            self.check()
            if self.ending.wait(0.05):
                raise Failed("Stopped before it was ready.")
            if time.monotonic() > limit:
                raise Failed(f"{name} did not answer within {START_LIMIT:.0f} s:\n{self.tail(name)}")

    def stop(self) -> None:
        """End all processes, last started first."""
        for process in reversed(self.processes.values()):
            if process.poll() is None:
                process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def ask(url: str, body: dict[str, Any] | None = None) -> Any:
    """One request to the emulator's console; its JSON answer. Raises OSError."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, headers={"Content-Type": "application/json"})  # noqa: S310
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310  our own loopback address
        return json.load(answer)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:  # noqa: S310  our own loopback address
            return bool(answer.status == 200)
    except (OSError, ValueError):
        return False


def make(*, directory: Path, port: int | None, transcriber: str, is_json: bool) -> Stage:
    """An empty directory, addresses, settings. Raises Failed, as when the port asked for is taken."""
    wanted, port = port, _port(port)
    directory = _own_directory(directory.resolve())
    url, emulator_url = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{_free_port()}"
    ours = {
        "ENV_FILE": os.devnull,
        "DJANGO_SETTINGS_MODULE": "contactcenter.settings",
        "PYTHONUNBUFFERED": "1",
        "DATA_DIR": str(directory),
        "SECRET_KEY": secrets.token_urlsafe(50),
        "PUBLIC_URL": url,
        "TWILIO_API_URL": emulator_url,
        "TWILIO_ACCOUNT_SID": f"AC{secrets.token_hex(16)}",
        "TWILIO_AUTH_TOKEN": secrets.token_hex(16),
        "TWILIO_API_KEY": f"SK{secrets.token_hex(16)}",
        "TWILIO_API_SECRET": secrets.token_hex(16),
        "SOFTPHONE_URL": f"{emulator_url}/emulator/softphone.js",
        "TRANSCRIBER": transcriber,
        "LOG_FORMAT": "console",
    }
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    stage = Stage(directory, url, emulator_url, {**kept, **ours}, is_json)
    if wanted is None and port != DEFAULT_PORT:
        stage.say(f"Port {DEFAULT_PORT} is in use; taking {port}.")
    return stage


def _own_directory(directory: Path) -> Path:
    """The demo's directory, emptied of its previous run and locked. Raises Failed."""
    if directory.exists() and any(directory.iterdir()) and not (directory / MARK).exists():
        raise Failed(f"{directory} holds something that no demo made; name another by --directory.")
    directory.mkdir(parents=True, exist_ok=True)
    lock = os.open(directory / MARK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise Failed(f"A demo already runs in {directory}; end it, or name another by --directory.") from None
    for found in directory.iterdir():  # the lock stays open, and so held, until we end
        if found.name != MARK:
            shutil.rmtree(found) if found.is_dir() and not found.is_symlink() else found.unlink()
    return directory


def _port(wanted: int | None) -> int:
    if wanted is not None:
        if wanted and not _is_free(wanted):
            raise Failed(f"Port {wanted} is in use. Name another by --port, or none to take a free one.")
        return wanted or _free_port()
    return next((port for port in range(DEFAULT_PORT, DEFAULT_PORT + 50) if _is_free(port)), _free_port())


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
