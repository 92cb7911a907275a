"""`--fast`: the same calls as fast as the machine allows, and every byte of them."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from emulator.clock import VirtualClock
from emulator.people.scripts import Scripts
from tests.emulator.conftest import ALICE, OFFICE, emulator
from tests.emulator.product import Product
from tests.emulator.test_program import program
from tests.emulator.test_webhooks import answering

HOUR = 3600


def talk(hours: float) -> dict[str, Any]:
    """A call of so many hours in which both speak again and again, now and then at once."""
    seconds = round(hours * HOUR)

    def plays(channel: str) -> list[dict[str, Any]]:
        often, seldom = range(0, seconds, 300), range(100, seconds, 700)
        return [{"file": "conversation.wav", "channel": channel, "at": at} for at in often] + [
            {"file": "auto_repair_call.wav", "channel": channel, "at": at} for at in seldom
        ]

    return {
        "hangup_after": seconds,
        "caller": {"plays": plays("caller")},
        "callee": {"plays": plays("agent")},
    }


class Receiver:
    """An application in another process that looks at every byte of every stream."""

    def __init__(self, process: asyncio.subprocess.Process, url: str) -> None:
        self._process = process
        self.url = url

    async def until_over(self, streams: int) -> dict[str, Any]:
        """What it has received, once so many streams are over."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        while True:
            self._process.stdin.write(b"\n")
            told: dict[str, Any] = json.loads(await self._process.stdout.readline())
            if told["over"] >= streams:
                return told


@asynccontextmanager
async def receiver() -> AsyncIterator[Receiver]:
    pipe = asyncio.subprocess.PIPE
    command = (sys.executable, "-m", "bench.receiver", "--verify")
    process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, limit=1 << 24)
    assert process.stdout is not None
    yield Receiver(process, json.loads(await process.stdout.readline())["url"])
    process.terminate()
    await process.communicate()


async def called(emulator_url: str, script: dict[str, Any]) -> str:
    """Alice calls the office."""
    body = {"from": ALICE, "to": OFFICE, "script": script}
    async with (
        aiohttp.ClientSession() as http,
        http.post(f"{emulator_url}/emulator/calls/", json=body) as answer,
    ):
        return str((await answer.json())["call_sid"])


async def truth(emulator_url: str, sid: str) -> dict[str, Any]:
    """The call in the truth log."""
    url = f"{emulator_url}/emulator/log/?call={sid}"
    async with aiohttp.ClientSession() as http, http.get(url) as answer:
        calls = (await answer.json())["calls"]
    return next(call for call in calls if call["call_sid"] == sid)


async def test_a_call_of_four_hours_is_received_whole_and_byte_for_byte() -> None:
    async with (
        receiver() as application,
        program("--port", "0", "--fast", "--seed", "3", "--target", application.url) as (line, process),
    ):
        sid = await called(line["url"], talk(hours=4))
        received = await application.until_over(1)
        call = await truth(line["url"], sid)
        process.terminate()
        said = json.loads((await process.stdout.readline()).decode())
    (stream,) = call["streams"]
    got = received["streams"][stream["stream_sid"]]
    assert (got["sha256"], got["frames"]) == (stream["sent_sha256"], stream["frames_sent"])
    assert (got["gaps"], received["wrong"], stream["frames_discarded"]) == (0, 0, 0)
    frames = stream["frames_sent"]["inbound"]
    assert frames == stream["frames_sent"]["outbound"] > 4 * HOUR * 50
    assert stream["last_ms"] - stream["first_ms"] == (frames - 1) * 20
    assert (call["status"], call["reason"]) == ("completed", "hung up by the party")
    assert said["frames"] == 2 * frames


async def test_in_a_hurry_the_same_is_sent_as_step_by_step(scripts: Scripts) -> None:
    sent = []
    for hurry in (False, True):
        async with receiver() as application, emulator(application.url, scripts) as box:
            sid = await called(box.url, talk(hours=0.1))
            if hurry:
                running = asyncio.create_task(box.clock.run(hurry=True))
                await application.until_over(1)
                running.cancel()
            else:
                await box.clock.advance(0.2 * HOUR)
                await application.until_over(1)
            (stream,) = (await box.call(sid))["streams"]
            sent.append(
                {key: stream[key] for key in ("sent_sha256", "frames_sent", "first_ms", "last_ms", "played")}
            )
    assert sent[0] == sent[1]


async def test_a_bot_hears_its_marks_in_time_though_time_hurries(product: Product, scripts: Scripts) -> None:
    async with emulator(product.url, scripts) as box:
        url = f"{product.socket_url}/media/bot/"
        product.answers["/twilio/voice/"] = f"<Response><Connect><Stream url='{url}'/></Connect></Response>"
        sid = await box.place("listener")
        await box.clock.advance(1)
        bot = await product.until(lambda: product.sockets and product.sockets[0])
        await product.until(lambda: len(bot.messages) > 1)
        stream = bot.messages[1]["streamSid"]
        for name in ("one", "two"):
            await bot.say({"event": "media", "streamSid": stream, "media": {"payload": "/v7+" * 2000}})
            await bot.say({"event": "mark", "streamSid": stream, "mark": {"name": name}})
        running = asyncio.create_task(box.clock.run(hurry=True))
        await product.until(lambda: len(bot.of("mark")) == 2)
        running.cancel()
        commands = (await box.call(sid))["streams"][0]["commands"]
    returned = [(one["name"], one["played_ms"]) for one in commands if one["event"] == "mark-returned"]
    assert returned == [("one", 760), ("two", 1500)]


async def test_a_webhook_under_way_holds_time_that_hurries(product: Product, scripts: Scripts) -> None:
    asked, answered = asyncio.Event(), asyncio.Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.set()
        await answered.wait()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: 11\r\n\r\n<Response/>")
        await writer.drain()

    async with answering(talk) as url, emulator(product.url, scripts) as box:
        box.exchange.world.number(OFFICE).voice_url = url
        sid = await box.place("listener")
        running = asyncio.create_task(box.clock.run(hurry=True))
        await asked.wait()
        for _ in range(3):
            log = await box.get("/emulator/log/")
            assert log["at"] == "2026-11-20T10:15:00.000Z"
        answered.set()
        while (await box.call(sid))["status"] != "completed":
            pass
        running.cancel()


@pytest.mark.parametrize("hurry", [False, True])
async def test_an_end_that_is_hours_away_is_reached_at_once(
    product: Product, scripts: Scripts, hurry: bool
) -> None:
    async with emulator(product.url, scripts) as box:
        product.answers["/twilio/voice/"] = "<Response><Say>Wait</Say><Pause length='14000'/></Response>"
        sid = await box.place("listener")
        assert isinstance(box.clock, VirtualClock)
        running = asyncio.create_task(box.clock.run(hurry=hurry))
        while (await box.call(sid))["status"] != "completed":
            pass
        running.cancel()
        # No sound flowed: no tick of 20 ms was waited for.
        assert box.exchange.pacer.lateness.ticks == 0
        assert box.clock.seconds() > 14_000
