"""`bench media`: what one message costs, how many calls are held, how late a level reaches a browser."""

import argparse
import json
import os
import secrets
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

from bench.machine import ROOT, pin
from bench.product import ACCOUNT, LOGIN, Product, free_port, product
from bench.screen import Screen, Seen

__all__ = ["SERVER_CORE", "figures", "measure"]

SERVER_CORE, GENERATOR_CORE = 0, 1
FIRST_GUESS = 120  # both-track calls of the first round; the next rounds aim at 85 % of the core
DAPHNE_CALLS = 50
LOUD_DBFS = -30.0
LATE_LIMIT_MS = 20.0
SETTLE_SECONDS = 3.0
ROUNDS = 6


def figures(args: argparse.Namespace) -> dict[str, Any]:
    """The figures of `bench media`; progress on standard error."""
    ours = _at_load("uvicorn", args.seconds)
    stock = _at_load("stock", args.seconds)
    daphne = _daphne(args.seconds)
    return {
        "cpu_us_per_message": {
            "value": ours["us"],
            "unit": "µs",
            "peers": {"channels_daphne": stock["us"]},
            "calls": {"ours": ours["calls"], "channels_daphne": stock["calls"]},
            "core_percent": {"ours": ours["core_percent"], "channels_daphne": stock["core_percent"]},
        },
        "both_track_calls_per_core": _figure(
            int(ours["calls"] * 90 / ours["core_percent"]),
            "calls",
            {"channels_daphne": int(stock["calls"] * 90 / stock["core_percent"])},
        ),
        "ratio_to_channels_daphne": _figure(round(stock["us"] / ours["us"], 1), "x"),
        "frames_lost": _figure(ours["lost"] + daphne["lost"], "frames"),
        "daphne_calls": _figure(DAPHNE_CALLS, "calls"),
        "media_to_screen_p50_ms": _figure(daphne["p50"], "ms"),
        "media_to_screen_p99_ms": _figure(daphne["p99"], "ms"),
        "daphne_cpu_us_per_message": _figure(daphne["us"], "µs"),
        "_late_p99_ms": max(ours["late"], stock["late"], daphne["late"]),
    }


def _figure(value: float, unit: str, peers: dict[str, float] | None = None) -> dict[str, Any]:
    return {"value": value, "unit": unit, "peers": peers or {}}


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _at_load(kind: str, seconds: float) -> dict[str, Any]:
    """Rounds with more calls until the server's core is 80 to 90 % busy; the round taken there."""
    calls = FIRST_GUESS if kind != "stock" else 30
    best: dict[str, Any] = {}
    for _ in range(ROUNDS):
        result = _round(kind, calls, seconds)
        _say(f"{kind}: {calls} calls, core {result['core_percent']} %, {result['us']} µs a message")
        if result["late"] > LATE_LIMIT_MS:
            _say(f"  thrown away: the generator was {result['late']} ms late; is the machine busy?")
            continue
        if not best or abs(result["core_percent"] - 85) < abs(best["core_percent"] - 85):
            best = result
        if 80 <= result["core_percent"] <= 90:
            break
        calls = max(5, min(1000, int(calls * 85 / max(5.0, result["core_percent"]))))
    if not best:
        raise SystemExit(f"No round of {kind} could be taken: the generator was late each time.")
    return best


def _round(kind: str, calls: int, seconds: float) -> dict[str, Any]:
    if kind == "stock":
        with _stock() as (port, pid):
            targets = [_bare_call() for _ in range(calls)]
            return measure(pid, port, targets, seconds, None)
    with product(kind, core=SERVER_CORE) as running:
        targets = [running.call(index) for index in range(calls)]
        return measure(running.pid, running.port, targets, seconds, running)


def _daphne(seconds: float) -> dict[str, Any]:
    """Fifty calls on Daphne with a supervisor's browser socket: how late a level arrives there."""
    with product("daphne", core=SERVER_CORE) as running:
        targets = [running.call(index) for index in range(DAPHNE_CALLS)]
        with Screen(running.url, LOGIN, time.monotonic) as screen:
            result = measure(running.pid, running.port, targets, max(seconds, 20), running)
        delays = sorted(_delays(screen.seen, result["rises"]))
    if not delays:
        raise SystemExit("No level reached the browser socket.")
    result["p50"] = round(1000 * delays[len(delays) // 2], 1)
    result["p99"] = round(1000 * delays[int(len(delays) * 0.99)], 1)
    _say(f"daphne: {DAPHNE_CALLS} calls, core {result['core_percent']} %, level p99 {result['p99']} ms")
    return result


def measure(
    pid: int, port: int, targets: list[dict[str, str]], seconds: float, running: Product | None
) -> dict[str, Any]:
    """Stream every call for `seconds`, after a moment to settle, and say what the server spent on it."""
    told, lost = _generate(pid, port, targets, seconds, running)
    return {
        "calls": len(targets),
        "us": round(1e6 * told["cpu_s"] / told["messages"], 1),
        "core_percent": round(100 * told["cpu_s"] / told["wall_s"], 1),
        "lost": lost + told["refused"],
        "late": told["late_p99_ms"],
        "rises": told["rises"],
    }


def _generate(
    pid: int, port: int, targets: list[dict[str, str]], seconds: float, running: Product | None
) -> tuple[dict[str, Any], int]:
    plan = {"host": "127.0.0.1", "port": port, "pid": pid, "core": GENERATOR_CORE, "calls": targets}
    plan.update(seconds=seconds, settle=SETTLE_SECONDS)
    command = [sys.executable, "-m", "bench.generator"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, cwd=ROOT, text=True, **pipes) as process:  # type: ignore[call-overload]
        process.stdin.write(json.dumps(plan) + "\n")
        process.stdin.flush()
        if process.stdout.readline().strip() != "ready":
            raise SystemExit("The generator could not open its sockets.")
        told = json.loads(process.stdout.readline())
        lost = _lost(running, told["sent"]) if running else 0
        process.stdin.close()
    return told, lost


def _lost(running: Product, sent: dict[str, int]) -> int:
    """Frames sent and not in the rows, once every row is closed (20 s at most)."""
    database = running.data / "contactcenter.sqlite3"
    until = time.monotonic() + 20
    counted: dict[str, int] = {}
    while time.monotonic() < until:
        with closing(sqlite3.connect(database)) as reader:
            rows = reader.execute("select sid, frames, closed_at is not null from streams_stream").fetchall()
        counted = {sid: frames for sid, frames, _ in rows}
        if len(rows) == len(sent) and all(closed for _, _, closed in rows):
            break
        time.sleep(0.25)
    return sum(sent.values()) - sum(counted.get(sid, 0) for sid in sent)


@contextmanager
def _stock() -> Iterator[tuple[int, int]]:
    port = free_port()
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "daphne", "-p", str(port), "bench.peers.channels_daphne:application"],
            cwd=ROOT, stdout=output, stderr=subprocess.STDOUT, env={**os.environ, "PYTHONPATH": str(ROOT)},
        )  # fmt: skip
        try:
            _listening(port)
            pin(process.pid, SERVER_CORE)
            yield port, process.pid
        finally:
            process.terminate()
            process.wait(20)


def _listening(port: int) -> None:
    import socket

    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise SystemExit("The peer did not start.")


def _bare_call() -> dict[str, str]:
    sid = secrets.token_hex(16)
    return {"path": "/media/", "signature": "-", "account": ACCOUNT, "call": f"CA{sid}", "stream": f"MZ{sid}"}


def _delays(seen: list[Seen], rises: dict[str, list[float]]) -> Iterator[float]:
    """For each moment a caller got loud: seconds until this browser was told."""
    levels = [(at, message["levels"]) for at, message in seen if message["type"] == "levels"]
    for sid, moments in rises.items():
        for moment in moments:
            first = next((at for at, told in levels if at > moment and _loud(told, sid)), None)
            if first is not None and first - moment < 1:
                yield first - moment


def _loud(levels: dict[str, Any], sid: str) -> bool:
    level = levels.get(sid, {}).get("inbound")
    return level is not None and level > LOUD_DBFS
