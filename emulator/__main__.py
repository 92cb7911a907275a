"""`python -m emulator --port P --target URL`: Twilio's side, alone."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import secrets
import signal
import sys
from pathlib import Path

from aiohttp import web

from emulator import faults, script_files
from emulator.account import Account
from emulator.app import application
from emulator.capture.command import main as capture
from emulator.clock import RealClock
from emulator.faults import FaultError
from emulator.scripts import ScriptError, Scripts
from emulator.sound import Library, SoundError
from emulator.speech import Voice
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
    app = application(
        account=account(given, seed),
        target=given.target,
        scripts=played,
        clock=RealClock(),
        seed=seed,
        numbers=given.number,
        voice=Voice.installed(),
        keep_audio=given.keep_audio,
        faults=faulty,
        addresses=Addresses(given.voice, given.fallback, given.status),
        host_names=given.host_name,
    )
    try:
        asyncio.run(serve(app, given, seed))
    except OSError as error:
        sys.stderr.write(f"emulator: {error}\n")
        return 1
    return 0


def people(given: argparse.Namespace) -> Scripts:
    """The scripts of the command line. Raises ScriptError, SoundError."""
    if given.scripts:
        return script_files.from_directory(
            given.scripts, Library(given.recordings or script_files.RECORDINGS)
        )
    return script_files.from_recordings(given.recordings) if given.recordings else script_files.shipped()


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="emulator", description="Twilio's side of the contract, locally.")
    parser.add_argument("--port", type=int, default=9010, help="0 takes a free one")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--target", required=True, help="the application's URL, e.g. http://127.0.0.1:8000")
    parser.add_argument("--recordings", type=Path, help="play these .wav files instead")
    parser.add_argument("--scripts", type=Path, help="people of your own: a directory of .toml and .py files")
    parser.add_argument("--number", action="append", default=[], help="a number of the account; repeatable")
    for name, what in (
        ("voice", "TwiML"),
        ("fallback", "TwiML when that fails"),
        ("status", "the end of calls"),
    ):
        usual = getattr(Addresses, name)
        parser.add_argument(f"--{name}", default=usual, help=f"where numbers ask for {what}; {usual}")
    parser.add_argument("--account-sid", default=os.environ.get("TWILIO_ACCOUNT_SID", ""))
    parser.add_argument("--auth-token", default=os.environ.get("TWILIO_AUTH_TOKEN", ""))
    parser.add_argument(
        "--fault", action="append", default=[], help="name=value, what goes wrong; repeatable"
    )
    parser.add_argument("--keep-audio", action="store_true", help="what was sent, at /emulator/streams/…")
    parser.add_argument(
        "--host-name", action="append", default=[], help="a name by which /emulator/ may be asked; repeatable"
    )
    parser.add_argument("--seed", type=int, help="makes ids and choices repeatable")
    return parser.parse_args()


def account(given: argparse.Namespace, seed: int) -> Account:
    """The account of the flags or environment; what is missing comes from the seed.

    Of several auth tokens the first signs, as Twilio's primary token does. There is always an API key:
    nothing else signs the access tokens of browsers.
    """
    source = random.Random(f"account {seed}")
    sid = given.account_sid or f"AC{source.getrandbits(128):032x}"
    token = given.auth_token.split(",")[0].strip() or f"{source.getrandbits(128):032x}"
    key, secret = os.environ.get("TWILIO_API_KEY", ""), os.environ.get("TWILIO_API_SECRET", "")
    if not (key and secret):
        key, secret = f"SK{source.getrandbits(128):032x}", f"{source.getrandbits(128):032x}"
    return Account(sid, token, {key: secret})


async def serve(app: web.Application, given: argparse.Namespace, seed: int) -> None:
    """Run the application until a signal comes."""
    ended = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, ended.set)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    site = web.TCPSite(runner, given.host, given.port)
    await site.start()
    own = account(given, seed)
    key, secret = next(iter(own.api_keys.items()))
    port = runner.addresses[0][1]
    line = {
        "ready": True,
        "url": f"http://{given.host}:{port}",
        "target": given.target,
        "account_sid": own.sid,
        "auth_token": own.auth_token,
        "api_key": key,
        "api_secret": secret,
        "seed": seed,
    }
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()
    await ended.wait()
    await runner.cleanup()


if __name__ == "__main__":
    sys.exit(main())
