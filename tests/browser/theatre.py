"""The stage as tests use it: a process of its own, played scene by scene; Twilio's REST API beside it."""

import json
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.calls.rest import Rest
from tests.processes import ROOT, Running, answers, clean_environment, free_port, running
from tests.twilio import ACCOUNT_SID


@dataclass
class Stage:
    """The product's pages on a real server, and a side door to what happens in them."""

    directory: Path
    rest: Rest
    port: int = field(default_factory=free_port)
    settings: dict[str, str] = field(default_factory=dict)
    _open: ExitStack = field(default_factory=ExitStack)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def environment(self) -> dict[str, str]:
        """What the process is told."""
        told = {
            "DATA_DIR": str(self.directory),
            "SECRET_KEY": "one for the stage, and long enough to be no subject of a warning",
            "PUBLIC_URL": self.url,
            "TWILIO_API_URL": self.rest.url,
            "TWILIO_ACCOUNT_SID": ACCOUNT_SID,
            "TWILIO_AUTH_TOKEN": "token of the stage",
            "TRANSCRIBER": "none",
            "DJANGO_SETTINGS_MODULE": "contactcenter.settings",
        }
        return clean_environment(**told, **self.settings)

    def prepare(self) -> None:
        """Make the database."""
        self.directory.mkdir(parents=True, exist_ok=True)
        migrate = [sys.executable, "manage.py", "migrate", "--noinput", "--verbosity", "0"]
        subprocess.run(migrate, cwd=ROOT, env=self.environment(), check=True, timeout=120)

    def start(self) -> Running:
        """Start serving; the database stays from one start to the next."""
        command = [sys.executable, "-m", "tests.browser.stage", str(self.port)]
        log = self.directory / "stage.log"
        address = f"{self.url}/healthz"
        return self._open.enter_context(
            running("stage", command, log=log, env=self.environment(), ready=lambda: answers(address))
        )

    def stop(self) -> None:
        """Stop serving, in order."""
        self._open.close()

    def play(self, scene: str, /, **arguments: Any) -> Any:
        """Run one function of tests/browser/scenes.py inside the process; its value."""
        body = json.dumps(arguments).encode()
        request = urllib.request.Request(f"{self.url}/stage/{scene}/", data=body, method="POST")
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def tick(self, kind: str, value: object) -> None:
        """Publish levels, partial lines or health as a media process does."""
        self.play("tick", kind=kind, value=value)

    def sound(self, levels: Mapping[str, Mapping[str, float | None]], heard: Callable[[], bool]) -> None:
        """Send the same levels again and again, as a tone does, until they are heard."""
        for _ in range(1000):
            self.tick("levels", levels)
            if heard():
                return
        raise AssertionError(f"never heard: {levels}")

    def live_call(self, **ring: Any) -> tuple[int, str]:
        """A call in progress with an open stream; its id and the StreamSid."""
        call = self.play("ring", seconds_ago=60, **ring)
        self.play("answer", call=call, seconds_ago=50)
        return call, self.play("stream", call=call, seconds_ago=50)
