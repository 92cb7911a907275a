"""The measurements: `python -m bench NAME [--json]`. The last line of a run is one JSON object."""

import argparse
import json
import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any

from bench import machine

NAMES = {
    "ear": "mouth to a supervisor's ear, cost of fifty listeners",
    "emulator": "both-track calls that one emulator holds at real pace, four hours in virtual time",
    "media": "CPU per media message, both-track calls held, media to browser socket",
    "voice": "end of speech to answer, interruption to clear, what is ours with a provider, CPU per frame",
    "wall": "200 calls at ten ticks a second in Chromium: ticks drawn, level to screen, long tasks",
    "words": "word error rate, words on screen, words on noise",
}


def main(argv: list[str] | None = None) -> int:
    """Run one measurement and print its figures; 0 when it could be taken."""
    parser = argparse.ArgumentParser(prog="manage.py bench", description=_list())
    parser.add_argument("name", choices=sorted(NAMES))
    parser.add_argument("--json", action="store_true", help="print only the one JSON object")
    parser.add_argument("--seconds", type=float, default=10.0, help="length of each measured window")
    args = parser.parse_args(argv)
    measure: Callable[[argparse.Namespace], dict[str, Any]] = import_module(f"bench.{args.name}").figures
    figures = measure(args)
    late = figures.pop("_late_p99_ms", None)
    report = {
        "bench": args.name,
        "commit": machine.commit(),
        "versions": machine.versions(),
        "machine": machine.describe(),
        "late_p99_ms": late,
        "figures": figures,
    }
    if not args.json:
        _table(figures)
    print(json.dumps(report), flush=True)
    return 0


def _list() -> str:
    return "; ".join(f"{name}: {what}" for name, what in NAMES.items())


def _table(figures: dict[str, Any]) -> None:
    for name, figure in figures.items():
        peers = ", ".join(f"{peer} {value}" for peer, value in figure.get("peers", {}).items())
        print(f"{name:<34} {figure['value']!s:>10} {figure['unit']:<12} {peers}")


if __name__ == "__main__":
    sys.exit(main())
