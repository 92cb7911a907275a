"""The engine process: `python -m streams.engines.run --journal DIR`.

It knows a directory and nothing else: no database, no Django, no registration. Any number of them may run
beside each other; who holds the lock of a words file is that stream's engine. SIGTERM ends it, and what it
had not finished the next one hears again.
"""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import time
from pathlib import Path
from types import FrameType

from streams import journal, wordfile
from streams.engines import registry
from streams.engines.attached import Attached, Unwanted
from streams.engines.base import Engine, Options
from streams.engines.install import model_dir

__all__ = ["Runner", "main"]

log = logging.getLogger("contactcenter.speech")

LIST_S = 0.25
TAIL_S = 0.02
_MOST_FAILURES = 3
_LEFT_ALONE_S = 30.0


class Runner:
    """All streams of one journal directory that this process hears."""

    def __init__(self, directory: Path, engine: Engine) -> None:
        self._directory, self._engine = directory, engine
        self._attached: dict[Path, Attached] = {}
        self._unwanted: set[Path] = set()
        self._failures: dict[Path, int] = {}
        self._left_until: dict[Path, float] = {}
        self._listed = float("-inf")

    def turn(self, now: float) -> None:
        """Take free streams when it is time to look, and carry every stream on. `now`: monotonic s."""
        if now - self._listed >= LIST_S:
            self._listed = now
            self._look(now)
        for path, attached in list(self._attached.items()):
            self._carry(path, attached, now)

    @property
    def busy(self) -> bool:
        """Whether a stream is attached."""
        return bool(self._attached)

    def close(self) -> None:
        """Let go of every stream."""
        for attached in self._attached.values():
            attached.close()
        self._attached.clear()

    def _look(self, now: float) -> None:
        present = set(journal.listing(self._directory))
        self._unwanted &= present
        for path in self._attached.keys() - present:
            self._attached.pop(path).close()
        self._left_until = {path: until for path, until in self._left_until.items() if until > now}
        for path in present - self._attached.keys() - self._unwanted - self._left_until.keys():
            self._take(path, now)

    def _take(self, path: Path, now: float) -> None:
        try:
            self._attached[path] = Attached(path, self._engine, now)
        except Unwanted:
            self._unwanted.add(path)
        except wordfile.Taken:
            return
        except Exception as error:
            self._failed(path, error, now)
        else:
            log.info("speech.stream.attached", extra={"stream": path.stem})

    def _carry(self, path: Path, attached: Attached, now: float) -> None:
        try:
            attached.step(now)
        except Exception as error:
            self._failed(path, error, now)
        else:
            if not attached.finished:
                return
            log.info("speech.stream.done", extra={"stream": path.stem})
            self._unwanted.add(path)
        self._attached.pop(path).close()

    def _failed(self, path: Path, error: Exception, now: float) -> None:
        """One stream's trouble is not another's; after three attempts it is left alone for a while."""
        log.error("speech.stream.failed", exc_info=error, extra={"stream": path.stem})
        self._failures[path] = self._failures.get(path, 0) + 1
        if self._failures[path] >= _MOST_FAILURES:
            self._left_until[path] = now + _LEFT_ALONE_S


def _serve(runner: Runner, follow: int | None) -> None:
    """Turn until told to stop, or until the parent that was to be followed is gone."""
    told: list[int] = []

    def stop(number: int, frame: FrameType | None) -> None:
        told.append(number)

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    while not told and follow in (None, os.getppid()):
        began = time.monotonic()
        runner.turn(began)
        time.sleep(max(0.001, TAIL_S - (time.monotonic() - began)))


def _partial_ms(given: str) -> int:
    """Ms between partials: 0 for none, else 250 to 10,000."""
    if not given.isdecimal() or (int(given) and not 250 <= int(given) <= 10_000):
        raise ValueError(f"ENGINE_PARTIAL_MS must be 0 or 250 to 10000, not {given!r}")
    return int(given)


def _arguments(given: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="engine", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--journal", type=Path, required=True, help="directory of the journals")
    parser.add_argument("--models", type=Path, default=model_dir(), help="directory of the speech models")
    engine = os.environ.get("TRANSCRIBER") or "embedded"
    parser.add_argument("--engine", default=engine, help=f"one of {', '.join(sorted(registry.ENGINES))}")
    parser.add_argument("--partial-ms", default=os.environ.get("ENGINE_PARTIAL_MS") or "1000")
    parser.add_argument("--follow-parent", action="store_true", help="end when the parent process has ended")
    return parser.parse_args(given)


def main(given: list[str] | None = None) -> int:
    """Run until SIGTERM; 0, or 1 when the engine cannot be made, with the reason on stderr."""
    parent = os.getppid()
    arguments = _arguments(given)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)
    try:
        engine = registry.make(arguments.engine, Options(arguments.models, _partial_ms(arguments.partial_ms)))
    except (OSError, ValueError, ImportError) as error:
        print(f"engine: {error}", file=sys.stderr)
        return 1
    runner = Runner(arguments.journal, engine)
    log.info("speech.engine.ready", extra={"engine": arguments.engine})
    try:
        _serve(runner, parent if arguments.follow_parent else None)
    finally:
        runner.close()
        engine.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
