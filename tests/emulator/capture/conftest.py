"""Twilio's part is played by the emulator in virtual time; the recorder stands before a tiny product."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from twilio.rest import Client

from emulator.capture.command import main
from emulator.capture.lockstep import Lockstep
from emulator.capture.recorder import Plan, Recorder
from emulator.capture.reel import OVER
from emulator.capture.tape import Memory
from tests.emulator.conftest import ACCOUNT_SID, TOKEN, Box, emulator
from tests.emulator.product import Product, Socket

COLLEAGUE = "+31209876543"


class Stage(Box):
    """The emulator behind a recorder: `url` is its own address, `public` the one that it calls."""

    def __init__(self, box: Box, recorder: Recorder, store: Memory) -> None:
        super().__init__(box.server, box.exchange, box.clock, box.watch)
        self.recorder = recorder
        self.store = store
        self.public = recorder.url
        self.public_socket = recorder.url.replace("http", "ws", 1)
        self._time = Lockstep(box.clock, lambda: recorder.activity)

    def point(self, client: Client) -> None:
        """Let the number ask the product through the recorder."""
        client.incoming_phone_numbers.list()[0].update(
            voice_url=self.public + "/twilio/voice/",
            voice_fallback_url=self.public + "/twilio/fallback/",
            status_callback=self.public + "/twilio/call-status/",
        )

    async def by_rest(self, use: Callable[[Client], Any]) -> Any:
        """Use Twilio's library as the application does: through the recorder."""
        client = Client(ACCOUNT_SID, TOKEN)
        client.api.base_url = self.recorder.api_url
        return await asyncio.to_thread(use, client)

    async def advance(self, seconds: float) -> None:
        """Let time pass while everything said arrives."""
        await self._time.advance(seconds)

    async def film(self) -> list[bytes]:
        """End the recording; the lines of its file."""
        await self._time.quiet()
        await self.recorder.close(OVER)
        return self.store.lines


@asynccontextmanager
async def staged(product: Product) -> AsyncIterator[Stage]:
    """Everything between a caller and the product."""
    async with emulator("http://127.0.0.1:9") as box:
        store = Memory()
        recorder = Recorder(Plan(product.url, box.url, [TOKEN]), box.clock, store)
        await recorder.start()
        stage = Stage(box, recorder, store)
        await stage.twilio(stage.point)
        try:
            yield stage
        finally:
            await recorder.close("the test is over")


@pytest.fixture
async def stage(product: Product) -> AsyncIterator[Stage]:
    """Everything between a caller and the product."""
    async with staged(product) as made:
        yield made


def shelved(path: Path, lines: list[bytes]) -> Path:
    """Write a capture file."""
    path.write_bytes(b"".join(lines))
    return path


async def compare(*files: Path) -> int:
    """Run `compare` and return its exit code; what it says goes to standard output."""
    return await asyncio.to_thread(main, ["compare", *map(str, files)])


def sentences(output: str) -> list[str]:
    """The differences that `compare` named."""
    told = output.partition("\nOpen questions")[0]
    return [line.removeprefix("- ") for line in told.splitlines() if line.startswith("- ")]


def message(event: str, sid: str, **body: Any) -> dict[str, Any]:
    """What a server says on a bidirectional stream."""
    return {"event": event, "streamSid": sid, **({event: body} if body else {})}


async def whole_call(stage: Stage, product: Product) -> str:
    """A call with taps by TwiML and REST, a bot that talks, and a colleague who is dialled."""
    told = f"statusCallback='{stage.public}/streams/'"
    tap = f"<Stream name='tap' track='both_tracks' url='{stage.public_socket}/media/tap' {told}>"
    bot = f"<Stream url='{stage.public_socket}/media/bot/' {told}/>"
    product.answers["/twilio/voice/"] = (
        f"<Response><Start>{tap}<Parameter name='session' value='q8-alice'/></Stream></Start>"
        f"<Say>Hello</Say><Connect action='/after/'>{bot}</Connect></Response>"
    )
    product.answers["/after/"] = (
        f"<Response><Dial action='/dialled/'><Number statusCallback='{stage.public}/legs/' "
        f"statusCallbackEvent='initiated ringing answered completed'>{COLLEAGUE}</Number></Dial></Response>"
    )
    product.answers["/dialled/"] = "<Response><Hangup/></Response>"
    sid = await stage.place()
    await stage.advance(2)
    await talk_to_the_bot(stage, product, sid)
    await tap_by_rest(stage, sid)
    await bot_of(product).ws.close(code=1000)
    await stage.advance(3)
    await stage.by_rest(lambda c: c.calls(sid).fetch())
    await stage.post(f"/emulator/calls/{sid}/hangup/", {})
    await stage.advance(1)
    return sid


def bot_of(product: Product) -> Socket:
    """The socket of the bidirectional stream."""
    return next(socket for socket in product.sockets if socket.path == "/media/bot/")


async def talk_to_the_bot(stage: Stage, product: Product, sid: str) -> None:
    """Sound, marks, two keys and a clear."""
    bot = bot_of(product)
    stream = bot.messages[1]["streamSid"]
    sound = base64.b64encode(b"\x42" * 8000).decode()
    for name in ("greeting", "question"):
        await bot.say(message("media", stream, payload=sound))
        await bot.say(message("mark", stream, name=name))
    await stage.advance(1.5)
    await stage.post(f"/emulator/calls/{sid}/press/", {"digits": "5#"})
    await stage.advance(0.2)
    await bot.say(message("clear", stream))
    await stage.advance(0.3)


async def tap_by_rest(stage: Stage, sid: str) -> None:
    """A second tap for half a second."""
    stream = await stage.by_rest(
        lambda c: c.calls(sid).streams.create(
            url=f"{stage.public_socket}/media/rest/",
            name="second tap",
            status_callback=f"{stage.public}/streams/",
            parameter1_name="who",
            parameter1_value="Alice Jansen",
        )
    )
    await stage.advance(0.5)
    await stage.by_rest(lambda c: c.calls(sid).streams(stream.sid).update(status="stopped"))
