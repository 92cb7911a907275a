"""`python -m emulator capture record|compare|questions`."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from emulator.capture import report
from emulator.capture.calling import Wish
from emulator.capture.difference import Comparison, facts_of
from emulator.capture.questions import settled, table
from emulator.capture.reel import Reel, ReelError, load
from emulator.capture.rerun import ReplayError, replay
from emulator.capture.take import Settings, record
from emulator.capture.watch import Limits

AGREE, DIFFER, UNREADABLE = 0, 1, 2
MOST_PORT = 65_535


def main(argv: list[str]) -> int:
    """Run one of the commands; returns the exit code."""
    given = arguments(argv)
    if given.command == "record":
        return _record(given)
    if given.command == "compare":
        return _compare(given.files)
    sys.stdout.write(table() + "\n")
    return 0


def arguments(argv: list[str]) -> argparse.Namespace:
    """The command line. Ends the program when it is wrong."""
    parser = argparse.ArgumentParser(prog="emulator capture", description="Against the real Twilio.")
    commands = parser.add_subparsers(dest="command", required=True)
    _record_arguments(commands.add_parser("record", help="stand before an application and write down a call"))
    compare = commands.add_parser("compare", help="say where captures, or a capture and the emulator, differ")
    compare.add_argument("files", nargs="+", type=Path, metavar="FILE", help="one or two captures")
    commands.add_parser("questions", help="print what Twilio's documentation leaves open, as Markdown")
    given = parser.parse_args(argv)
    if given.command == "compare" and len(given.files) > 2:
        compare.error("one or two files")
    if given.command == "record":
        _check_record(parser, given)
    return given


def _record_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--target", required=True, help="the application, e.g. http://127.0.0.1:8000")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=9020, help="where the tunnel leads; 0 takes a free one")
    parser.add_argument("--api-port", type=int, default=9021, help="where the application finds the REST API")
    parser.add_argument("--api", default="https://api.twilio.com", help="where that leads")
    parser.add_argument("--out", type=Path, default=Path("captures"), help="the directory for the file")
    parser.add_argument("--limit", type=float, default=900.0, help="seconds after which it ends in any case")
    parser.add_argument("--idle", type=float, default=60.0, help="seconds of silence that end it")
    parser.add_argument("--linger", type=float, default=5.0, help="seconds for late callbacks after the call")
    parser.add_argument("--public-url", default="", help="the address that Twilio asks for TwiML")
    parser.add_argument("--place", action="store_true", help="place the call; needs --to --from --public-url")
    parser.add_argument("--to", default="")
    parser.add_argument("--from", default="", dest="from_")
    parser.add_argument("--status-callback", default="", help="with --place: the address told of progress")


def _check_record(parser: argparse.ArgumentParser, given: argparse.Namespace) -> None:
    for name in ("target", "api"):
        if not getattr(given, name).startswith(("http://", "https://")):
            parser.error(f"--{name} must begin with http:// or https://")
        if wrong := _wrong(getattr(given, name)):
            parser.error(f"--{name} {wrong}")
    for name in ("port", "api_port"):
        if not 0 <= getattr(given, name) <= MOST_PORT:
            parser.error(f"--{name.replace('_', '-')} must be between 0 and {MOST_PORT}")
    if given.place and not (given.to and given.from_ and given.public_url):
        parser.error("--place needs --to, --from and --public-url")
    if given.place and not (os.environ.get("TWILIO_ACCOUNT_SID") and _tokens()):
        parser.error("--place needs TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN in the environment")


def _wrong(address: str) -> str:
    """What is wrong with an address that everything is forwarded to, "" for nothing."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return "is no address"
    try:
        missing = parts.port == 0
    except ValueError:
        missing = True
    if missing:
        return "has a port that does not exist"
    if not parts.hostname:
        return "has no host"
    more = parts.path.strip("/") or parts.query or parts.fragment or "@" in parts.netloc
    return "takes scheme, host and port only" if more else ""


def _record(given: argparse.Namespace) -> int:
    settings = Settings(
        target=given.target,
        host=given.host,
        port=given.port,
        api=given.api,
        api_port=given.api_port,
        out=given.out,
        public_url=given.public_url,
        tokens=_tokens(),
        wish=_wish(given) if given.place else None,
        limits=Limits(whole=given.limit, idle=given.idle, linger=given.linger),
    )
    return asyncio.run(record(settings))


def _wish(given: argparse.Namespace) -> Wish:
    sid, token = os.environ["TWILIO_ACCOUNT_SID"], _tokens()[0]
    return Wish(sid, token, given.to, given.from_, given.public_url, given.status_callback)


def _tokens() -> list[str]:
    given = os.environ.get("TWILIO_AUTH_TOKEN", "").split(",")
    return [token.strip() for token in given if token.strip()]


def _compare(files: list[Path]) -> int:
    try:
        reels = [load(file) for file in files]
        if len(reels) == 1:
            names = ["Twilio", "the emulator"]
            reels.append(asyncio.run(replay(reels[0])))
        else:
            names = [str(file) for file in files]
    except (ReelError, ReplayError) as error:
        sys.stderr.write(f"emulator capture: {error}\n")
        return UNREADABLE
    facts = [facts_of(reel) for reel in reels]
    found = Comparison(names[0], facts[0], names[1], facts[1]).differences()
    for line in (*report.written(names[0], names[1], found, facts), *_notes(names, reels)):
        sys.stdout.write(line + "\n")
    return DIFFER if found else AGREE


def _notes(names: list[str], reels: list[Reel]) -> Iterator[str]:
    own = [(name, reel) for name, reel in zip(names, reels, strict=True) if name != "the emulator"]
    for name, reel in own:
        yield from report.notes(name, reel)
    for name, reel in own:
        yield from report.settled(name, settled(reel))
