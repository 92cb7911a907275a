"""`bench emulator`: how many two-track calls one emulator holds at real pace, and how fast four hours go by.

The emulator is a process alone on one core, the application before it (`bench.receiver`) one on the other: it
answers webhooks, counts messages and checks at the end that none is missing. A round in which something else
took the emulator's core, or in which a message was lost, is thrown away.
"""

import argparse
import json
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.machine import ROOT, TICK, cpu_seconds, pin

__all__ = ["figures"]

EMULATOR_CORE, RECEIVER_CORE = 0, 1
CALLS = 300
MOST_CALLS = 900  # sockets of one process
LATE_LIMIT_MS = 10.0
FOREIGN_LIMIT_PERCENT = 10.0
CALLS_A_SECOND = 60
SETTLE_SECONDS = 3.0
ROUNDS = 8
HOURS = 4
TALK = {
    "hangup_after": 3600,
    "caller": {"plays": [{"file": "reading_5min.wav"}]},
    "callee": {"plays": [{"file": "auto_repair_call.wav", "channel": "agent"}]},
}


@dataclass
class Pair:
    """The two processes of one round."""

    url: str
    emulator: subprocess.Popen[str]
    receiver: subprocess.Popen[str]

    def post(self, path: str, body: Any) -> Any:
        """POST JSON to the emulator."""
        data = json.dumps(body).encode()
        head = {"Content-Type": "application/json"}
        asked = urllib.request.Request(self.url + path, data, head)  # noqa: S310  our own process
        with urllib.request.urlopen(asked, timeout=30) as answer:  # noqa: S310
            return json.load(answer)

    def get(self, path: str) -> Any:
        """GET JSON from the emulator."""
        with urllib.request.urlopen(self.url + path, timeout=30) as answer:  # noqa: S310
            return json.load(answer)

    def received(self) -> dict[str, Any]:
        """What the receiver has counted so far."""
        assert self.receiver.stdin is not None
        self.receiver.stdin.write("\n")
        self.receiver.stdin.flush()
        return _line(self.receiver)

    def until(self, what: str, count: int, seconds: float) -> dict[str, Any]:
        """Wait until the receiver has counted so many."""
        end = time.monotonic() + seconds
        while (told := self.received())[what] < count:
            if time.monotonic() > end:
                raise TimeoutError(f"After {seconds} s there are {told[what]} of {count} sockets {what}.")
            time.sleep(0.1)
        return told


def figures(args: argparse.Namespace) -> dict[str, Any]:
    """The figures of `bench emulator`; progress on standard error."""
    first = _at(CALLS, args.seconds)
    held = _most(first, args.seconds)
    long = _four_hours()
    return {
        "both_track_calls": {**_figure(held["calls"], "calls"), "core_percent": held["core_percent"]},
        "late_p99_ms": {**_figure(first["late"], "ms"), "calls": CALLS, "most_ms": first["latest"]},
        "core_percent": {**_figure(first["core_percent"], "%"), "calls": CALLS, "foreign": first["foreign"]},
        "cpu_us_per_message": {**_figure(first["us"], "µs"), "calls": CALLS},
        "four_hour_call_s": {
            **_figure(long["took"], "s"),
            "cpu_s": long["cpu"],
            "messages": long["messages"],
        },
        "messages_lost": _figure(0, "messages"),
        "_late_p99_ms": first["late"],
    }


def _figure(value: float, unit: str) -> dict[str, Any]:
    return {"value": value, "unit": unit, "peers": {}}


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


# at real pace


def _most(first: dict[str, Any], seconds: float) -> dict[str, Any]:
    """The round with the most calls that were held punctually, known to a twelfth or better."""
    best: dict[str, Any] = {"calls": 0, "core_percent": 0.0}
    too_many, result = MOST_CALLS, first
    for _ in range(ROUNDS):
        calls = int(result["calls"])
        if result["late"] < LATE_LIMIT_MS:
            best = result
            # Straight to where the core would be full.
            calls = max(int(calls * 1.08), int(calls * min(1.5, 95 / result["core_percent"])))
        else:
            too_many = calls
        if calls >= too_many:
            calls = (int(best["calls"]) + too_many) // 2
        if calls - best["calls"] < max(10, 0.04 * calls):
            break
        result = _at(calls, seconds)
    return best


def _at(calls: int, seconds: float) -> dict[str, Any]:
    """One round that can be taken."""
    for _ in range(ROUNDS):
        try:
            result = _round(calls, seconds)
        except TimeoutError as error:
            _say(f"{calls} calls: {error}")
            return {"calls": calls, "late": float("inf"), "core_percent": 100.0}
        _say(
            f"{calls} calls: late p99 {result['late']} ms, core {result['core_percent']} %, "
            f"{result['us']} µs a message"
        )
        if result["foreign"] <= FOREIGN_LIMIT_PERCENT:
            return result
        _say(f"  thrown away: others took {result['foreign']} % of the core; is the machine busy?")
    raise SystemExit(f"No round of {calls} calls could be taken: the core was never free.")


def _round(calls: int, seconds: float) -> dict[str, Any]:
    with _pair() as pair:
        sids = [_place(pair, number) for number in range(calls)]
        pair.until("open", calls, 60)
        time.sleep(SETTLE_SECONDS)
        measured = _window(pair, seconds)
        for sid in sids:
            pair.post(f"/emulator/calls/{sid}/hangup/", {})
        told = pair.until("over", calls, 60)
        if told["wrong"]:
            raise SystemExit(f"{told['wrong']} of {calls} streams were not received whole.")
    return {"calls": calls, **measured}


def _place(pair: Pair, number: int) -> str:
    time.sleep(1 / CALLS_A_SECOND)
    body = {"from": f"+1555{number:07d}", "to": "+15550100100", "script": TALK}
    return str(pair.post("/emulator/calls/", body)["call_sid"])


def _window(pair: Pair, seconds: float) -> dict[str, Any]:
    """Stand by for so long: what the emulator spent, sent, and how late it was."""
    pid = pair.emulator.pid
    began, cpu, core, told = time.monotonic(), cpu_seconds(pid), _core_seconds(), pair.received()
    time.sleep(seconds)
    wall, spent = time.monotonic() - began, cpu_seconds(pid) - cpu
    busy, sent = _core_seconds() - core, pair.received()["messages"] - told["messages"]
    late = pair.get(f"/emulator/lateness/?seconds={round(seconds)}")
    return {
        "us": round(1e6 * spent / sent, 1),
        "core_percent": round(100 * spent / wall, 1),
        "foreign": round(max(0.0, 100 * (busy - spent) / wall), 1),
        "late": late["late_p99_ms"],
        "latest": late["late_max_ms"],
    }


def _core_seconds() -> float:
    """Seconds that the emulator's core has been busy with anything."""
    for line in Path("/proc/stat").read_text(encoding="ascii").splitlines():
        name, *times = line.split()
        if name == f"cpu{EMULATOR_CORE}":
            return (sum(map(int, times)) - int(times[3]) - int(times[4])) / TICK
    return 0.0


# in virtual time


def _four_hours() -> dict[str, Any]:
    """One call of four hours, as fast as the machine allows, every byte received and compared."""
    script = {**TALK, "hangup_after": HOURS * 3600}
    with _pair("--fast", verify=True) as pair:
        began = time.monotonic()
        body = {"from": "+15551234567", "to": "+15550100100", "script": script}
        sid = pair.post("/emulator/calls/", body)["call_sid"]
        told = pair.until("over", 1, 600)
        took, cpu = time.monotonic() - began, cpu_seconds(pair.emulator.pid)
        truth = pair.get(f"/emulator/log/?call={sid}")["calls"][0]["streams"][0]
    got = told["streams"][truth["stream_sid"]]
    if (got["sha256"], got["frames"], got["gaps"]) != (truth["sent_sha256"], truth["frames_sent"], 0):
        raise SystemExit("What was received of the long call is not what was sent.")
    _say(f"{HOURS} hours in {took:.1f} s, {got['messages']} messages")
    return {"took": round(took, 1), "cpu": round(cpu, 1), "messages": got["messages"]}


# processes


@contextmanager
def _pair(*flags: str, verify: bool = False) -> Iterator[Pair]:
    with _started("bench.receiver", *(["--verify"] if verify else [])) as receiver:
        pin(receiver.pid, RECEIVER_CORE)
        target = _line(receiver)["url"]
        with _started("emulator", "--port", "0", "--target", target, "--seed", "1", *flags) as emulator:
            url = _line(emulator)["url"]
            pin(emulator.pid, EMULATOR_CORE)
            yield Pair(url, emulator, receiver)


@contextmanager
def _started(module: str, *flags: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", module, *flags]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, cwd=ROOT, text=True, **pipes) as process:  # type: ignore[call-overload]
        try:
            yield process
        finally:
            process.terminate()
            process.communicate()


def _line(process: subprocess.Popen[str]) -> dict[str, Any]:
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise SystemExit("A process of the measurement ended early.")
    told: dict[str, Any] = json.loads(line)
    return told
