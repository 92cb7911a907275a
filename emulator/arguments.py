"""The command line and the environment: what the emulator serves, and whose account it plays."""

from __future__ import annotations

import argparse
import os
import random
from pathlib import Path
from urllib.parse import urlsplit

from emulator.account import EDGES, HOME, Account, Credentials
from emulator.world import Addresses

MAX_PORT = 65_535


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="emulator", description="Twilio's side of the contract, locally.")
    parser.add_argument("--port", type=port, default=9010, help="0 takes a free one")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument(
        "--region",
        type=region,
        action="append",
        default=[],
        metavar="NAME=PORT",
        help="another region at a port of its own, e.g. ie1=9011; repeatable",
    )
    parser.add_argument(
        "--target", type=web, required=True, help="the application's URL, e.g. http://127.0.0.1:8000"
    )
    parser.add_argument("--recordings", type=Path, help="play these .wav files instead")
    parser.add_argument("--scripts", type=Path, help="people of your own: a directory of .toml and .py files")
    parser.add_argument("--number", action="append", default=[], help="a number of the account; repeatable")
    for name, what in (
        ("voice", "TwiML"),
        ("fallback", "TwiML when that fails"),
        ("status", "the end of calls"),
    ):
        usual = getattr(Addresses, name)
        parser.add_argument(
            f"--{name}", type=place, default=usual, help=f"where numbers ask for {what}; {usual}"
        )
    parser.add_argument("--account-sid", default=os.environ.get("TWILIO_ACCOUNT_SID", ""))
    parser.add_argument("--auth-token", default=os.environ.get("TWILIO_AUTH_TOKEN", ""))
    parser.add_argument("--fast", action="store_true", help="telephone time runs as fast as the machine does")
    parser.add_argument(
        "--fault", action="append", default=[], help="name=value, what goes wrong; repeatable"
    )
    parser.add_argument("--keep-audio", action="store_true", help="what was sent, at /emulator/streams/…")
    parser.add_argument(
        "--host-name", action="append", default=[], help="a name by which /emulator/ may be asked; repeatable"
    )
    parser.add_argument("--seed", type=int, help="makes ids and choices repeatable")
    return parser.parse_args()


def port(text: str) -> int:
    """A port, 0 for a free one. Raises ArgumentTypeError."""
    if not text.isascii() or not text.isdigit() or int(text) > MAX_PORT:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port: 0 to {MAX_PORT}")
    return int(text)


def web(text: str) -> str:
    """A web address. Raises ArgumentTypeError."""
    try:
        parts = urlsplit(text)
        good = parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        good = False
    if not good:
        raise argparse.ArgumentTypeError(f"{text!r} is no web address such as http://127.0.0.1:8000")
    return text


def place(text: str) -> str:
    """A path of the target, a whole address, or nothing. Raises ArgumentTypeError."""
    if not text or text.startswith("/"):
        return text
    if ":" not in text:
        raise argparse.ArgumentTypeError(f"{text!r} is no path that begins with /, and no web address")
    return web(text)


def region(text: str) -> tuple[str, int]:
    """`ie1=9011` as region and port. Raises ArgumentTypeError."""
    name, equals, number = text.partition("=")
    if name not in EDGES or name == HOME:
        others = " or ".join(sorted(set(EDGES) - {HOME}))
        raise argparse.ArgumentTypeError(f"{name!r} is not {others}")
    if not equals:
        raise argparse.ArgumentTypeError(f"{text!r} has no port: {name}=9011, or {name}=0 for a free one")
    return name, port(number)


def account(given: argparse.Namespace, seed: int) -> Account:
    """The account of the flags or environment; what is missing comes from the seed.

    Of several auth tokens the first signs, as Twilio's primary token does. There is always an API key:
    nothing else signs the access tokens of browsers.
    """
    source = random.Random(f"account {seed}")
    sid = given.account_sid or f"AC{source.getrandbits(128):032x}"
    home = _credentials("", given.auth_token, source)
    elsewhere = {
        name: _credentials(f"_{name.upper()}", "", random.Random(f"account {seed} {name}"))
        for name in EDGES
        if name != HOME
    }
    return Account(sid, home.auth_token, home.api_keys, elsewhere)


def _credentials(suffix: str, tokens: str, source: random.Random) -> Credentials:
    """One region's: `tokens` if there are any, else of the environment, else drawn."""
    tokens = tokens or os.environ.get(f"TWILIO_AUTH_TOKEN{suffix}", "")
    drawn = [f"{source.getrandbits(128):032x}" for _ in range(3)]
    key = os.environ.get(f"TWILIO_API_KEY{suffix}", "")
    secret = os.environ.get(f"TWILIO_API_SECRET{suffix}", "")
    if not (key and secret):
        key, secret = f"SK{drawn[1]}", drawn[2]
    return Credentials(tokens.split(",")[0].strip() or drawn[0], {key: secret})
