"""The product as a process with data of its own; media addresses come by signed webhooks, as for Twilio."""

import base64
import hashlib
import hmac
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.machine import ROOT, pin

__all__ = ["LOGIN", "Product", "free_port", "product", "signature"]

ACCOUNT = "AC" + "b" * 32
TOKEN = "0123456789abcdef0123456789abcdef"  # noqa: S105  of no account
NUMBER = "+15550100"
PASSWORD = "a supervisor of the bench"  # noqa: S105  of a database that is thrown away
LOGIN = {"username": "supervisor", "password": PASSWORD}
SERVERS = {
    "uvicorn": [
        "-m", "uvicorn", "contactcenter.asgi:application", "--ws", "websockets-sansio", "--lifespan", "off",
        "--ws-per-message-deflate", "false", "--backlog", "4096", "--log-level", "warning", "--no-access-log",
        "--loop", "uvloop",
    ],
    "daphne": ["manage.py", "serve"],
}  # fmt: skip
_SEED = f"""
from calls.models import PhoneNumber, User
from django.contrib.auth.models import Group
PhoneNumber.objects.create(e164="{NUMBER}", label="Bench", destination="phone", forward_to="+15550199")
person = User.objects.create_user("supervisor", password="{PASSWORD}")
person.groups.add(Group.objects.get(name="Supervisor"))
"""


def free_port() -> int:
    """A port on loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def signature(url: str, fields: dict[str, str] | None = None) -> str:
    """X-Twilio-Signature of an address and its form fields."""
    text = url + "".join(name + value for name, value in sorted((fields or {}).items()))
    return base64.b64encode(hmac.new(TOKEN.encode(), text.encode(), hashlib.sha1).digest()).decode()


@dataclass
class Product:
    """A running product."""

    port: int
    pid: int
    data: Path
    log: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def call(self, index: int) -> dict[str, str]:
        """One call announced by a signed webhook: what the generator needs to open its media socket."""
        sid = f"CA{secrets.token_hex(16)}"
        fields = {
            "CallSid": sid, "AccountSid": ACCOUNT, "From": f"+1555{2000000 + index}", "To": NUMBER,
            "CallStatus": "ringing", "Direction": "inbound", "ApiVersion": "2010-04-01",
        }  # fmt: skip
        twiml = self.post("/twilio/voice/", fields)
        stream = ElementTree.fromstring(twiml).find("./Start/Stream")  # noqa: S314  our own product's TwiML
        if stream is None:
            raise SystemExit(f"The voice webhook answered without a stream: {twiml[:200]!r}")
        address = stream.attrib["url"]
        path = urllib.parse.urlsplit(address).path
        return {
            "path": path, "signature": signature(address), "account": ACCOUNT, "call": sid,
            "stream": f"MZ{secrets.token_hex(16)}",
        }  # fmt: skip

    def post(self, path: str, fields: dict[str, str]) -> bytes:
        """A webhook as Twilio sends it."""
        request = urllib.request.Request(  # noqa: S310  loopback
            self.url + path,
            data=urllib.parse.urlencode(fields).encode(),
            headers={"X-Twilio-Signature": signature(self.url + path, fields)},
        )
        with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310
            return bytes(answer.read())


def environment(data: Path, port: int) -> dict[str, str]:
    """The product's settings: its own data, no Redis, speech off, an account that is nobody's."""
    keep = {
        name: os.environ[name] for name in ("PATH", "HOME", "LANG", "SPEECH_MODEL_DIR") if name in os.environ
    }
    return {
        **keep,
        "ENV_FILE": os.devnull,
        "DATA_DIR": str(data),
        "PUBLIC_URL": f"http://127.0.0.1:{port}",
        "TWILIO_ACCOUNT_SID": ACCOUNT,
        "TWILIO_AUTH_TOKEN": TOKEN,
        "TWILIO_API_URL": "http://127.0.0.1:9",
        "TRANSCRIBER": "none",
        "LOG_FORMAT": "json",
    }


@contextmanager
def product(
    server: str, *, core: int | None = None, settings: dict[str, str] | None = None, seed: str = ""
) -> Iterator[Product]:
    """The product under one server, on data of its own; stopped and thrown away at the end.

    `settings` go before those of `environment`; `seed` is code that makes more rows.
    """
    port = free_port()
    data = Path(tempfile.mkdtemp(prefix="contactcenter-bench-"))
    env = {**environment(data, port), **(settings or {})}
    _manage(env, "migrate", "--verbosity", "0")
    _manage(env, "shell", "--verbosity", "0", "-c", _SEED + seed)
    log = data / "server.log"
    command = [sys.executable, *SERVERS[server], "--port", str(port)]
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=output, stderr=subprocess.STDOUT)
    try:
        _wait(port, process, log)
        if core is not None:
            pin(process.pid, core)
        yield Product(port=port, pid=process.pid, data=data, log=log)
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
        shutil.rmtree(data, ignore_errors=True)


def _manage(env: dict[str, str], *args: str) -> None:
    subprocess.run(
        [sys.executable, "manage.py", *args], cwd=ROOT, env=env, check=True, stdout=subprocess.DEVNULL
    )


def _wait(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        if process.poll() is not None:
            raise SystemExit(f"The server ended:\n{log.read_text(errors='replace')[-2000:]}")
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5).read()
        except urllib.error.HTTPError:
            return  # it answers
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise SystemExit("The server did not answer within 60 s.")
