"""The recording proxy as a whole: the relay for Twilio, the door to the REST API, and one tape."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from aiohttp import web

from emulator.capture import api
from emulator.capture.placeholders import Placeholders
from emulator.capture.relay import Relay
from emulator.capture.scribe import Scribe
from emulator.capture.signatures import Signatures
from emulator.capture.tap import Tap
from emulator.capture.tape import Store, Tape
from emulator.clock import Clock


@dataclass(frozen=True)
class Plan:
    """What is recorded: where the application is, where the API, and what must never be in the file.

    `again`: it is a replay of a capture, which holds no secrets any more.
    """

    target: str
    api: str
    tokens: Sequence[str] = ()
    public_url: str = ""
    secrets: Sequence[str] = ()
    again: bool = False


class Recorder:
    """`url` is where Twilio's tunnel leads, `api_url` where the application finds the REST API."""

    def __init__(self, plan: Plan, clock: Clock, store: Store) -> None:
        self.places = Placeholders(again=plan.again)
        for secret in (*plan.tokens, *plan.secrets):
            self.places.keep_out(secret)
        signatures = Signatures(plan.tokens, plan.public_url)
        self.tape = Tape(clock, store, self.places, checked=signatures.checks)
        self._scribe = scribe = Scribe(self.tape, self.places, signatures)
        self._relay = Relay(plan.target, lambda: Tap(scribe), self.tape.trouble)
        self._api = web.AppRunner(api.application(plan.api, scribe), access_log=None, shutdown_timeout=1.0)
        self.url = self.api_url = ""

    @property
    def activity(self) -> int:
        """Grows with everything that goes through."""
        return self._scribe.pieces + self.tape.count

    async def start(self, host: str = "127.0.0.1", port: int = 0, api_port: int = 0) -> None:
        """Listen; the API only on this machine. Raises OSError when a port is taken."""
        self.url = f"http://{host}:{await self._relay.start(host, port)}"
        await self._api.setup()
        await web.TCPSite(self._api, "127.0.0.1", api_port).start()
        self.api_url = f"http://127.0.0.1:{self._api.addresses[0][1]}"

    async def close(self, why: str) -> None:
        """Write the end and let go of every connection."""
        self.tape.end(why)
        await self._relay.close()
        await self._api.cleanup()
