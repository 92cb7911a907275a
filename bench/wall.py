"""`bench wall`: 200 calls at ten ticks a second in Chromium: is any tick dropped, how late are they shown.

The product serves on the stage of the browser tests, whose side door makes rows and publishes ticks as a
media process does; the hub and the sockets are the real ones. A script in the page (wall_probe.js) notes when
each tick came and when the meters showed it.
"""

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Page, sync_playwright

from bench.machine import ROOT, cpu_seconds
from bench.product import environment, free_port

__all__ = ["figures"]

CALLS = 200
PERIOD_S = 0.1
SETTLE_S = 3.0
RINGS = 20  # calls that ring during the window
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
PROBE = Path(__file__).with_name("wall_probe.js")


def figures(args: argparse.Namespace) -> dict[str, Any]:
    """The figures of `bench wall`."""
    with _stage() as stage, sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        page = _wall(chromium.new_context(viewport={"width": 1440, "height": 900}).new_page(), stage)
        sids = stage.play("crowd", count=CALLS)
        page.wait_for_function(f"() => document.querySelectorAll('[data-call]').length === {CALLS}")
        ticker = Ticker(stage, sids, args.seconds)
        page.wait_for_timeout(1000 * SETTLE_S)
        page.evaluate("() => { for (const kept of ['long', 'rows']) window.probe[kept].length = 0; }")
        used, began = cpu_seconds(stage.pid), time.monotonic()
        ticker.start()
        while ticker.is_alive():
            page.wait_for_timeout(100)
        busy = (cpu_seconds(stage.pid) - used) / (time.monotonic() - began)
        page.wait_for_timeout(1000)
        seen = page.evaluate("() => window.probe")
        chromium.close()
    return _report(seen, ticker, busy)


def _report(seen: dict[str, Any], ticker: "Ticker", busy: float) -> dict[str, Any]:
    drawn = sorted(ms for _, ms in seen["drawn"])
    return {
        "calls": _figure(CALLS, "calls"),
        "ticks_sent": _figure(ticker.sent, "ticks"),
        "ticks_arrived": _figure(len(seen["came"]), "ticks"),
        "ticks_acked": _figure(seen["acks"], "ticks"),
        "ticks_drawn": _figure(len({n for n, _ in seen["drawn"]}), "ticks"),
        "level_arrived_p99_ms": _figure(_at(sorted(ms for _, ms in seen["came"]), 99), "ms"),
        "level_to_screen_p50_ms": _figure(_at(drawn, 50), "ms"),
        "level_to_screen_p99_ms": _figure(_at(drawn, 99), "ms"),
        "long_tasks": _figure(len(seen["long"]), "tasks over 50 ms"),
        "longest_task_ms": _figure(round(max(seen["long"], default=0)), "ms"),
        "rows_in": _figure(len(seen["rows"]), "rows"),
        "row_in_p99_ms": _figure(_at(sorted(seen["rows"]), 99), "ms"),
        "server_core_percent": _figure(round(100 * busy), "%"),
        "_late_p99_ms": _at(sorted(ticker.late), 99),
    }


def _figure(value: float, unit: str) -> dict[str, Any]:
    return {"value": value, "unit": unit, "peers": {}}


def _at(ordered: list[float], percent: int) -> float:
    """The percentile; 0 of nothing."""
    return round(ordered[min(len(ordered) - 1, len(ordered) * percent // 100)], 1) if ordered else 0.0


class Ticker(threading.Thread):
    """Publishes a tick each 100 ms, of all streams, and lets a call ring now and then."""

    def __init__(self, stage: "Stage", sids: list[str], seconds: float) -> None:
        super().__init__(daemon=True)
        self._stage, self._sids, self._count = stage, sids, round(seconds / PERIOD_S)
        self.sent = 0
        self.late: list[float] = []  # ms behind the absolute schedule

    def run(self) -> None:
        """Until all ticks are sent."""
        began = time.monotonic()
        rings = max(1, self._count // RINGS)
        for n in range(self._count):
            due = began + n * PERIOD_S
            time.sleep(max(0.0, due - time.monotonic()))
            self.late.append(1000 * (time.monotonic() - due))
            level = {"inbound": round(-60 + n % 590 / 10, 1), "outbound": -30.0}
            self._stage.play("tick", kind="levels", value=dict.fromkeys(self._sids, level))
            self.sent += 1
            if n % rings == rings // 2:
                self._stage.play("ring", caller=f"+3162{n:07}")


class Stage:
    """The product's process and its side door."""

    def __init__(self, port: int, pid: int) -> None:
        self.url, self.pid = f"http://127.0.0.1:{port}", pid

    def play(self, scene: str, **arguments: Any) -> Any:
        """Run one scene; its value."""
        body = json.dumps(arguments).encode()
        request = urllib.request.Request(f"{self.url}/stage/{scene}/", data=body, method="POST")  # noqa: S310
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
            return json.load(answer)


def _wall(page: Page, stage: Stage) -> Page:
    """Mina's wall, with the probe in it."""
    stage.play("clear")
    key = stage.play("session", username="mina")
    page.context.add_cookies([{"name": "sessionid", "value": key, "url": stage.url}])
    page.add_init_script(path=PROBE)
    page.goto(f"{stage.url}/live/")
    page.wait_for_selector('cc-connection[data-state="live"]')
    return page


@contextmanager
def _stage() -> Iterator[Stage]:
    """The stage on data of its own; thrown away at the end."""
    with tempfile.TemporaryDirectory(prefix="bench-wall-") as directory:
        port = free_port()
        env = environment(Path(directory), port) | {"DJANGO_SETTINGS_MODULE": "contactcenter.settings"}
        subprocess.run(
            [sys.executable, "manage.py", "migrate", "--verbosity", "0"], cwd=ROOT, env=env, check=True
        )
        command = [sys.executable, "-m", "tests.browser.stage", str(port)]
        none = subprocess.DEVNULL
        with subprocess.Popen(command, cwd=ROOT, env=env, stdout=none, stderr=none) as process:
            try:
                _wait(port)
                yield Stage(port, process.pid)
            finally:
                process.terminate()


def _wait(port: int) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5).close()
            return
        except OSError:
            time.sleep(0.2)
    raise SystemExit("The stage did not start.")
