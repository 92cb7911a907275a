"""Twilio's side, a small application and its desk, each at an origin of its own, in real time."""

import asyncio
import math
import struct
import threading
import wave
from base64 import b64decode
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import Future
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer
from twilio.jwt.access_token import AccessToken
from twilio.jwt.access_token.grants import VoiceGrant

from emulator.account import Account
from emulator.app import application
from emulator.clock import RealClock
from emulator.exchange import Exchange
from emulator.people.script_files import from_recordings
from emulator.phone.socket import PhoneSocket
from emulator.rest.envelope import EXCHANGE
from emulator.world import Application
from streams.audio import ulaw_to_pcm
from tests.emulator.product import Product, Socket
from tests.processes import until

ACCOUNT_SID = "AC" + "d" * 32
KEY, SECRET = "SK" + "e" * 32, "a secret of the key that is long enough for HS256"
APPLICATION = "AP" + "f" * 32
ALICE, OFFICE = "+31612345678", "+31201234567"
CALLER_HERTZ, MICROPHONE_HERTZ, PROMPT_HERTZ = 1000, 700, 500
PAGES = Path(__file__).parent / "phone"


class Switchboard:
    """All three, in a thread with a loop of its own; `do` runs something in that loop."""

    def __init__(self, recordings: Path) -> None:
        self.product = Product()
        self._recordings = recordings
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.emulator: TestServer
        self.desk: TestServer
        self.exchange: Exchange
        self.do(self._start)

    def do(self, work: Callable[[], Coroutine[Any, Any, Any]], seconds: float = 30) -> Any:
        """Run it there and wait for its value."""
        future: Future[Any] = asyncio.run_coroutine_threadsafe(work(), self._loop)
        return future.result(seconds)

    def until(self, condition: Callable[[], Any]) -> Any:
        """Wait until it holds; it is looked at whenever the product heard something."""
        return self.do(lambda: _until(self.product, condition))

    @property
    def emulator_url(self) -> str:
        return str(self.emulator.make_url("")).rstrip("/")

    def desk_url(self, identity: str = "agent_7", **other: Any) -> str:
        return str(self.desk.make_url("/desk/").with_query(token=token(identity, **other)))

    def wait(self, condition: Callable[[], Any]) -> None:
        """Wait for what a page does at the emulator, which the product does not hear."""
        until(lambda: bool(condition()), "the page did it")

    def clear(self) -> None:
        """No call, nobody anywhere, no fault."""

        async def reset() -> None:
            for leg in list(self.exchange.legs.values()):
                leg.hang_up()
            self.exchange.people.clear()
            self.exchange.faults.reset()

        self.do(reset)

    def desk_file(self, name: str) -> str:
        """The address of one of the recordings."""
        return str(self.desk.make_url(f"/sounds/{name}"))

    def hang_up(self, sid: str) -> None:
        """This leg's party hangs up."""

        async def down() -> None:
            self.exchange.legs[sid].hang_up()

        self.do(down)

    def break_lines(self) -> None:
        """Cut every softphone's connection, as a network does."""

        async def cut() -> None:
            for socket in list(self.exchange.softphones.open):
                assert isinstance(socket, PhoneSocket)
                socket.abort()

        self.do(cut)

    def call(self) -> str:
        """Alice calls the office; the CallSid."""

        async def place() -> str:
            return self.exchange.incoming(ALICE, OFFICE, script="caller").call.sid

        sid: str = self.do(place)
        return sid

    def close(self) -> None:
        self.do(self._stop)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    async def _start(self) -> None:
        await self.product.server.start_server()
        app = application(
            account=Account(ACCOUNT_SID, "token", {KEY: SECRET}),
            target=self.product.url,
            scripts=from_recordings(self._recordings / "caller"),
            clock=RealClock(),
            seed=7,
            numbers=[OFFICE],
        )
        self.emulator = TestServer(app)
        await self.emulator.start_server()
        self.exchange = app[EXCHANGE]
        now = datetime.now(UTC)
        voice = f"{self.product.url}/app/"
        self.exchange.world.applications[APPLICATION] = Application(
            APPLICATION, "desk", now, now, voice_url=voice
        )
        self.desk = TestServer(desk(self.emulator_url, self._recordings))
        await self.desk.start_server()

    async def _stop(self) -> None:
        for server in (self.emulator, self.desk, self.product.server):
            await server.close()


async def _until(product: Product, condition: Callable[[], Any]) -> Any:
    return await product.until(condition)


def desk(emulator: str, recordings: Path) -> web.Application:
    """The desk's page under a policy that allows the emulator's origin and no inline script or style."""
    socket = emulator.replace("http", "ws", 1)
    policy = (
        f"default-src 'none'; script-src 'self' {emulator}; worker-src {emulator}; "
        f"connect-src 'self' {emulator} {socket}; style-src 'self'"
    )

    def file(name: str, kind: str) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def serve(request: web.Request) -> web.Response:
            text = (PAGES / name).read_text(encoding="utf-8").replace("@EMULATOR@", emulator)
            return web.Response(text=text, content_type=kind, headers={"Content-Security-Policy": policy})

        return serve

    app = web.Application()
    app.router.add_get("/desk/", file("desk.html", "text/html"))
    app.router.add_get("/desk/desk.js", file("desk.js", "text/javascript"))
    app.router.add_get("/favicon.ico", _nothing)
    app.router.add_static("/sounds/", recordings)
    return app


async def _nothing(request: web.Request) -> web.Response:
    return web.Response(status=204)


def token(identity: str, **other: Any) -> str:
    """A browser's token."""
    made = AccessToken(ACCOUNT_SID, KEY, other.pop("secret", SECRET), identity=identity, **other)
    made.add_grant(VoiceGrant(outgoing_application_sid=APPLICATION, incoming_allow=True))
    return str(made.to_jwt())


def write_tone(path: Path, hertz: int, seconds: float, rate: int = 8000) -> None:
    """A sine of -6 dBFS in 16-bit PCM."""
    values = [round(16000 * math.sin(2 * math.pi * hertz * n / rate)) for n in range(round(seconds * rate))]
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate)
        out.writeframes(struct.pack(f"<{len(values)}h", *values))


def heard(socket: Socket, last: int) -> tuple[float, float]:
    """(Hz, dBFS) of the last so many media messages of a stream, by zero crossings and RMS."""
    ulaw = b"".join(b64decode(message["media"]["payload"]) for message in socket.of("media")[-last:])
    samples = struct.unpack(f"<{len(ulaw)}h", ulaw_to_pcm(ulaw))
    crossings = sum(before < 0 <= after for before, after in pairwise(samples))
    power = sum(sample * sample for sample in samples) / len(samples)
    return crossings / (len(samples) / 8000), 10 * math.log10(max(power, 1e-9) / 32768**2)
