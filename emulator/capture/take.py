"""One recording from beginning to end: listen, perhaps place the call, wait for its end, close the file."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from emulator.capture.calling import PlacingError, UnendedError, Wish, place
from emulator.capture.capturefile import CaptureFile
from emulator.capture.recorder import Plan, Recorder
from emulator.capture.watch import Limits, Watch, first_of
from emulator.clock import RealClock


@dataclass(frozen=True)
class Settings:
    """What the command line and the environment say."""

    target: str
    api: str
    out: Path
    host: str = "127.0.0.1"
    port: int = 0
    api_port: int = 0
    public_url: str = ""
    tokens: Sequence[str] = ()
    wish: Wish | None = None
    limits: Limits = field(default_factory=Limits)


async def record(settings: Settings) -> int:
    """Record one call; returns the exit code. The first line printed is one JSON object."""
    try:
        shelf = CaptureFile(settings.out, datetime.now(UTC))
    except OSError as error:
        return _say(f"no file can be made in {settings.out}: {error.strerror or error}")
    clock = RealClock()
    recorder, watch = Recorder(_plan(settings), clock, shelf), Watch(clock)
    recorder.tape.listen(watch.hear)
    try:
        await recorder.start(settings.host, settings.port, settings.api_port)
    except OSError as error:
        await recorder.close("not begun")
        shelf.close()
        shelf.path.unlink()
        return _say(str(error))
    _print({"ready": True, "url": recorder.url, "api_url": recorder.api_url, "target": settings.target})
    why, well = await _until_over(settings, recorder, watch)
    await recorder.close(why)
    await asyncio.to_thread(shelf.close)
    if shelf.failed:
        return _say(f"{shelf.path} is not whole: {shelf.failed}")
    _print({"file": str(shelf.path), "ended": why, "lost": recorder.tape.lost})
    return 0 if well else 1


def _plan(settings: Settings) -> Plan:
    wish = settings.wish
    secrets = [wish.to, wish.from_, wish.account_sid] if wish else []
    return Plan(settings.target, settings.api, settings.tokens, settings.public_url, secrets)


async def _until_over(settings: Settings, recorder: Recorder, watch: Watch) -> tuple[str, bool]:
    """Wait for the end; returns why it came, and whether that was well."""
    stopped = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, stopped.set)
    if settings.wish is None:
        return await first_of(watch, settings.limits, stopped), True
    placing = asyncio.ensure_future(place(recorder.api_url, settings.wish))
    placing.add_done_callback(lambda done: stopped.set() if _failed(done) else None)
    why = await first_of(watch, settings.limits, stopped)
    placing.cancel()
    error = (await asyncio.gather(placing, return_exceptions=True))[0]
    return (_trouble(why, error), False) if isinstance(error, Exception) else (why, True)


def _trouble(why: str, error: Exception) -> str:
    if isinstance(error, UnendedError):
        return f"{why}; {error}"
    if isinstance(error, PlacingError):
        return str(error)
    return f"the call cannot be placed: {type(error).__name__}"


def _failed(done: asyncio.Future[str]) -> bool:
    return not done.cancelled() and done.exception() is not None


def _print(what: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


def _say(trouble: str) -> int:
    sys.stderr.write(f"emulator capture: {trouble}\n")
    return 1
