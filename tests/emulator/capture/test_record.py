"""`record`: a program that stands before an application, places a call if told to, and ends by itself."""

import asyncio
import json
import os
import signal
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp.test_utils import unused_port
from twilio.rest import Client

from emulator.capture import entries
from emulator.capture.capturefile import CaptureFile
from emulator.capture.command import arguments as command_line
from emulator.capture.command import main
from emulator.capture.reel import load
from emulator.capture.watch import Limits, Watch, first_of
from emulator.clock import VirtualClock
from tests.emulator.capture.conftest import compare, sentences
from tests.emulator.conftest import ACCOUNT_SID, ALICE, OFFICE, TOKEN
from tests.emulator.product import Product
from tests.emulator.test_program import program

CREDENTIALS = {"TWILIO_ACCOUNT_SID": ACCOUNT_SID, "TWILIO_AUTH_TOKEN": TOKEN}
CALL = f"CA{1:032d}"


@asynccontextmanager
async def twilio(product: Product) -> AsyncIterator[str]:
    """The emulator as a program in real time; its URL."""
    async with program("--port", "0", "--target", product.url, "--seed", "1", **CREDENTIALS) as (line, _):
        yield line["url"]


@asynccontextmanager
async def recording(
    product: Product, api: str, out: Path, *more: str, port: int = 0, **environment: str
) -> AsyncIterator[tuple[dict[str, Any], Any]]:
    """`record` as a program, what its first line says, and the process."""
    addresses = ("--target", product.url, "--api", api, "--port", str(port), "--api-port", "0")
    begun = ("capture", "record", *addresses, "--out", str(out), "--linger", "0.5", *more)
    async with program(*begun, **environment) as (line, process):
        yield line, process


async def ended(process: Any) -> tuple[int, dict[str, Any]]:
    """The exit code and the last line."""
    out = (await process.stdout.read()).decode()
    return await process.wait(), json.loads(out.splitlines()[-1])


VOICE = (
    "<Response><Start><Stream url='{socket}/media/x/' track='both_tracks'/></Start>"
    "<Pause length='1'/></Response>"
)


async def test_it_places_the_one_call_and_ends_when_that_is_over(
    product: Product, tmp_path: Path, capsys
) -> None:
    port = unused_port()
    product.answers["/voice/"] = VOICE.format(socket=f"ws://127.0.0.1:{port}")
    wish = ("--place", "--to", ALICE, "--from", OFFICE, "--public-url", f"http://127.0.0.1:{port}/voice/")
    told = ("--status-callback", f"http://127.0.0.1:{port}/status/")
    async with (
        twilio(product) as api,
        recording(product, api, tmp_path, *wish, *told, port=port, **CREDENTIALS) as (line, process),
    ):
        assert (line["ready"], line["url"], line["target"]) == (True, f"http://127.0.0.1:{port}", product.url)
        code, last = await ended(process)
    assert (code, last["ended"], last["lost"]) == (0, "the call is over", 0)
    reel = load(Path(last["file"]))
    assert reel.whole
    assert reel.rest[0].request.path.endswith("/Calls.json")
    assert [m.json["event"] for m in reel.sockets[0].said("twilio")][:2] == ["connected", "start"]
    assert reel.sockets[0].handshake.signed is not None
    assert reel.sockets[0].handshake.signed.state == "valid"
    private = (ACCOUNT_SID, TOKEN, ALICE, OFFICE, "127.0.0.1", "/voice/")
    assert holds(last["file"], private) == []
    await compare(Path(last["file"]))
    found = sentences(capsys.readouterr().out)
    # On a busy machine frames come in bursts, in virtual time never.
    assert [difference for difference in found if "between arrivals" not in difference] == []


def holds(file: str, private: tuple[str, ...]) -> list[str]:
    """Those that are in the file."""
    text = Path(file).read_text()
    return [secret for secret in private if secret in text]


async def test_a_call_that_the_api_refuses_ends_it_with_a_reason(product: Product, tmp_path: Path) -> None:
    wish = ("--place", "--to", ALICE, "--from", OFFICE, "--public-url", "http://127.0.0.1:9/voice/")
    wrong = {**CREDENTIALS, "TWILIO_AUTH_TOKEN": "another-token"}
    async with (
        twilio(product) as api,
        recording(product, api, tmp_path, *wish, port=0, **wrong) as (_, process),
    ):
        code, last = await ended(process)
    assert (code, last["ended"]) == (1, "the API answered 401 with number 20003")


async def test_without_a_wish_it_waits_and_ctrl_c_ends_it(product: Product, tmp_path: Path) -> None:
    async with twilio(product) as api, recording(product, api, tmp_path) as (line, process):
        product.answers["/twilio/voice/"] = VOICE.format(socket=line["url"].replace("http", "ws", 1))
        await asyncio.to_thread(point, api, line["url"])
        await call(api)
        await product.until(lambda: product.sockets and len(product.sockets[0].of("media")) > 10)
        process.send_signal(signal.SIGINT)
        code, last = await ended(process)
    assert (code, last["ended"]) == (0, "stopped by the user")
    reel = load(Path(last["file"]))
    assert reel.opening.signatures == "not checked"
    assert reel.sockets[0].said("twilio", "media")


async def test_ctrl_c_ends_a_call_that_it_placed(product: Product, tmp_path: Path) -> None:
    port = unused_port()
    product.answers["/voice/"] = "<Response><Pause length='60'/></Response>"
    wish = ("--place", "--to", ALICE, "--from", OFFICE, "--public-url", f"http://127.0.0.1:{port}/voice/")
    async with twilio(product) as api:
        async with recording(product, api, tmp_path, *wish, port=port, **CREDENTIALS) as (_, process):
            await product.until(lambda: product.asked("/voice/"))
            process.send_signal(signal.SIGINT)
            code, last = await ended(process)
        async with aiohttp.ClientSession() as http, http.get(f"{api}/emulator/") as answer:
            live = (await answer.json())["calls_live"]
    assert (code, last["ended"], live) == (0, "stopped by the user", 0)


async def test_it_ends_by_itself_when_a_call_that_came_in_is_over(product: Product, tmp_path: Path) -> None:
    async with twilio(product) as api, recording(product, api, tmp_path, "--idle", "30") as (line, process):
        product.answers["/twilio/voice/"] = "<Response><Hangup/></Response>"
        await asyncio.to_thread(point, api, line["url"])
        await call(api)
        code, last = await ended(process)
    assert (code, last["ended"]) == (0, "the call is over")


def point(api: str, url: str) -> None:
    """Let the number ask the product through the recorder."""
    client = Client(ACCOUNT_SID, TOKEN)
    client.api.base_url = api
    number = client.incoming_phone_numbers.list()[0]
    number.update(voice_url=url + "/twilio/voice/", status_callback=url + "/twilio/call-status/")


async def call(api: str) -> None:
    """Alice calls the account's number."""
    async with (
        aiohttp.ClientSession() as http,
        http.post(f"{api}/emulator/calls/", json={"from": ALICE, "to": "+15550100100"}) as answer,
    ):
        assert answer.status == 201


# What the command line refuses


WRONG = (
    "http://127.0.0.1:99999",
    "http://127.0.0.1:0",
    "http://127.0.0.1:x",
    "http://[",
    "http://",
    "http://127.0.0.1:8000/app",
    "http://127.0.0.1:8000/?a=1",
    "http://127.0.0.1:8000#a",
    "http://me:secret@127.0.0.1:8000",
)


@pytest.mark.parametrize(
    ("arguments", "environment"),
    [
        ([], {}),
        (["record"], {}),
        (["record", "--target", "127.0.0.1:8000"], {}),
        (["record", "--target", "http://x", "--place"], CREDENTIALS),
        (
            ["record", "--target", "http://x", "--place", "--to", "+1", "--from", "+2", "--public-url", "y"],
            {},
        ),
        *((["record", "--target", target], {}) for target in WRONG),
        *((["record", "--target", "http://x", "--api", api], {}) for api in WRONG),
        *((["record", "--target", "http://x", "--port", port], {}) for port in ("70000", "-1", "x")),
        (["record", "--target", "http://x", "--api-port", "65536"], {}),
        (["compare"], {}),
        (["compare", "a", "b", "c"], {}),
        (["rewind"], {}),
    ],
)
def test_a_wrong_command_line_is_refused(
    monkeypatch, tmp_path, capsys, arguments: list[str], environment: Any
) -> None:
    for name in CREDENTIALS:
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ending:
        main(arguments)
    assert list(tmp_path.iterdir()) == []
    assert ending.value.code == 2
    assert "usage: emulator capture" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (("--target", "http://127.0.0.1:99999"), "--target has a port that does not exist"),
        (("--target", "http://127.0.0.1:8000/app"), "--target takes scheme, host and port only"),
        (("--target", "http://"), "--target has no host"),
        (("--target", "http://x", "--port", "70000"), "--port must be between 0 and 65535"),
    ],
)
def test_what_is_wrong_with_an_address_is_told(capsys, given: tuple[str, ...], told: str) -> None:
    with pytest.raises(SystemExit):
        main(["record", *given])
    assert told in capsys.readouterr().err


@pytest.mark.parametrize("target", ["http://localhost", "https://[::1]:8443", "http://127.0.0.1:65535/"])
def test_an_address_without_a_path_is_taken(target: str) -> None:
    assert command_line(["record", "--target", target, "--port", "0", "--api-port", "65535"]).target == target


def test_a_port_in_use_and_a_place_that_is_no_directory_are_told(tmp_path: Path, capsys) -> None:
    (tmp_path / "file").write_text("x")
    begun = ["record", "--target", "http://127.0.0.1:9", "--api-port", "0"]
    assert main([*begun, "--out", str(tmp_path / "file")]) == 1
    assert "no file can be made" in capsys.readouterr().err
    assert main([*begun, "--out", str(tmp_path / "out"), "--host", "203.0.113.77"]) == 1
    assert capsys.readouterr().err.startswith("emulator capture: ")
    assert list((tmp_path / "out").iterdir()) == []


# When it ends


def webhook(status: str, call: str = CALL) -> entries.Request:
    form = [("CallSid", "SID", call), ("CallStatus", "text", status)]
    return entries.Request(at=0, number=1, door="webhook", method="POST", path="/s1", headers=[], form=form)


def opened(socket: int) -> entries.Handshake:
    return entries.Handshake(at=0, socket=socket, path="/s2", headers=[], status=101, answered=0)


LIMITS = Limits(whole=100, idle=20, linger=5)


@pytest.mark.parametrize(
    ("heard", "why", "after"),
    [
        ([], "the time was up", 100),
        ([webhook("ringing")], "nothing was said any more", 20),
        ([webhook("ringing"), opened(2)], "the time was up", 100),
        ([webhook("ringing"), webhook("completed")], "the call is over", 5),
        ([webhook("ringing"), webhook("completed", f"CA{2:032d}")], "nothing was said any more", 20),
        ([webhook("ringing"), opened(2), webhook("busy")], "the call is over, a socket is not", 25),
        (
            [opened(2), webhook("failed"), entries.Gone(at=0, socket=2, sender="twilio", how="end")],
            "the call is over",
            5,
        ),
    ],
)
async def test_a_recording_ends_with_its_call_or_after_a_while(
    heard: list[Any], why: str, after: float
) -> None:
    ended, seconds = await watched(heard)
    assert ended == why
    assert after <= seconds < after + 1


async def watched(heard: list[Any]) -> tuple[str, float]:
    """Why a recording of this ends, and after how many seconds."""
    clock = VirtualClock(datetime(2026, 1, 1, tzinfo=UTC))
    watch = Watch(clock)
    for line in heard:
        watch.hear(line)
    running = asyncio.ensure_future(clock.run())
    why = await first_of(watch, LIMITS, asyncio.Event())
    running.cancel()
    return why, clock.seconds()


def looked_up(number: int, status: str, created: int = 200, path: str = "/Calls.json") -> list[entries.Line]:
    common: dict[str, Any] = {"at": 0, "number": number, "door": "rest", "headers": []}
    body = {"sid": CALL, "status": status, "subresource_uris": {"streams": "/"}}
    method = "POST" if created == 201 else "GET"
    return [
        entries.Request(method=method, path=f"/2010-04-01/Accounts/AC{path}", **common),
        entries.Answer(status=created, json=body, **common),
    ]


@pytest.mark.parametrize(
    ("heard", "why"),
    [
        (looked_up(1, "completed"), "the time was up"),
        (looked_up(1, "completed", path=f"/Calls/{CALL}.json"), "the time was up"),
        (looked_up(1, "queued", 201), "nothing was said any more"),
        ([*looked_up(1, "queued", 201), *looked_up(2, "completed")], "the call is over"),
        ([*looked_up(1, "completed"), webhook("ringing", f"CA{2:032d}")], "nothing was said any more"),
        ([webhook("ringing"), *looked_up(1, "completed")], "the call is over"),
    ],
)
async def test_looking_up_an_older_call_is_no_beginning(heard: list[entries.Line], why: str) -> None:
    assert (await watched(heard))[0] == why


# The file


def test_two_captures_in_one_second_have_two_files(tmp_path: Path) -> None:
    moment = datetime(2026, 11, 20, 10, 15, 2, tzinfo=UTC)
    shelves = [CaptureFile(tmp_path / "new", moment) for _ in range(2)]
    for number, shelf in enumerate(shelves):
        assert shelf.put(b"%d\n" % number)
        shelf.close()
    assert [shelf.path.name for shelf in shelves] == [
        "capture-20261120-101502.jsonl",
        "capture-20261120-101502-2.jsonl",
    ]
    assert [shelf.path.read_bytes() for shelf in shelves] == [b"0\n", b"1\n"]


@pytest.mark.parametrize("device", ["/dev/full"])
def test_a_full_disk_is_told_at_the_end_and_holds_nobody_up(tmp_path: Path, monkeypatch, device: str) -> None:
    opened = Path.open
    monkeypatch.setattr(Path, "open", lambda path, mode: opened(Path(device), "wb"))
    shelf = CaptureFile(tmp_path, datetime(2026, 1, 1, tzinfo=UTC))
    for _ in range(100):
        shelf.put(b"x" * 1000)
    shelf.close()
    assert shelf.failed == os.strerror(28)
    assert not shelf.put(b"more")


def test_a_disk_that_is_full_at_the_last_moment_does_not_hold_up_the_end(tmp_path: Path, monkeypatch) -> None:
    opened = Path.open
    monkeypatch.setattr(Path, "open", lambda path, mode: opened(Path("/dev/full"), "wb"))
    for _ in range(50):  # whether the last flush is the one that fails is a race between two threads
        shelf = CaptureFile(tmp_path, datetime(2026, 1, 1, tzinfo=UTC))
        shelf.put(b"one short line\n")
        closing = threading.Thread(target=shelf.close, daemon=True)
        closing.start()
        closing.join(10)
        assert not closing.is_alive()
        assert shelf.failed == os.strerror(28)
