"""The program: Twilio's side, alone, until a signal comes."""

from __future__ import annotations

import argparse
import asyncio
import errno
import json
import secrets
import signal
import sys
from datetime import UTC, datetime

from aiohttp import web

from emulator import faults, garbage, regions
from emulator.account import HOME
from emulator.app import application
from emulator.arguments import account, arguments
from emulator.audio.sound import Library, SoundError
from emulator.audio.speech import Voice
from emulator.capture.command import main as capture
from emulator.clock import Clock, RealClock, VirtualClock
from emulator.faults import FaultError
from emulator.people import script_files
from emulator.people.scripts import ScriptError, Scripts
from emulator.rest.envelope import EXCHANGE
from emulator.world import Addresses


def main() -> int:
    """Serve until SIGINT or SIGTERM. The first line printed is one JSON object with everything needed."""
    if sys.argv[1:2] == ["capture"]:
        return capture(sys.argv[2:])
    given = arguments()
    seed = secrets.randbits(32) if given.seed is None else given.seed
    try:
        played = people(given)
        faulty = dict(faults.read(text) for text in given.fault)
    except (ScriptError, SoundError, FaultError) as error:
        sys.stderr.write(f"emulator: {error}\n")
        return 1
    clock = VirtualClock(datetime.now(UTC)) if given.fast else RealClock()
    app = application(
        account=account(given, seed),
        target=given.target,
        scripts=played,
        clock=clock,
        seed=seed,
        numbers=given.number,
        voice=Voice.installed(),
        keep_audio=given.keep_audio,
        faults=faulty,
        addresses=Addresses(given.voice, given.fallback, given.status),
        host_names=given.host_name,
    )
    try:
        asyncio.run(serve(app, given, seed, clock))
    except OSError as error:
        hint = "; take another --port, or 0 for a free one" if error.errno == errno.EADDRINUSE else ""
        sys.stderr.write(f"emulator: {error.strerror or error}{hint}\n")
        return 1
    return 0


def people(given: argparse.Namespace) -> Scripts:
    """The scripts of the command line. Raises ScriptError, SoundError."""
    if given.scripts:
        return script_files.from_directory(
            given.scripts, Library(given.recordings or script_files.RECORDINGS)
        )
    return script_files.from_recordings(given.recordings) if given.recordings else script_files.shipped()


async def serve(app: web.Application, given: argparse.Namespace, seed: int, clock: Clock) -> None:
    """Run the application until a signal comes. The last line printed is one JSON object: how it went."""
    ended = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, ended.set)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    urls = await regions.listen(app, runner, given.host, {HOME: given.port, **dict(given.region)})
    app[EXCHANGE].urls = urls
    own = account(given, seed)
    key, secret = next(iter(own.api_keys.items()))
    line = {
        "ready": True,
        "url": urls[HOME],
        "target": given.target,
        "account_sid": own.sid,
        "auth_token": own.auth_token,
        "api_key": key,
        "api_secret": secret,
        "seed": seed,
        "regions": regions.described(own, urls),
    }
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()
    exchange = app[EXCHANGE]
    if isinstance(clock, VirtualClock):
        running = asyncio.create_task(clock.run(hurry=True))
    else:
        running = asyncio.create_task(garbage.sweep(lambda: exchange.pacer.busy > 0, clock))
    await ended.wait()
    running.cancel()
    report = exchange.tally.report(exchange.legs.values(), exchange.pacer.lateness)
    sys.stdout.write(json.dumps(report) + "\n")
    await runner.cleanup()
