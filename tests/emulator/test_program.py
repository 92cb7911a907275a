"""`python -m emulator`: a program of its own."""

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from tests.emulator.conftest import ACCOUNT_SID, ALICE, OFFICE, TOKEN, Box
from tests.emulator.product import Product


@asynccontextmanager
async def program(*arguments: str, **environment: str) -> AsyncIterator[tuple[dict[str, Any], Any]]:
    """The program and what its first line says; ended by SIGTERM."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "emulator", *arguments, stdout=asyncio.subprocess.PIPE, env=environment
    )
    assert process.stdout is not None
    try:
        yield json.loads(await process.stdout.readline()), process
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
        await process.wait()


async def test_it_says_where_it_is_places_a_call_in_real_time_and_ends_cleanly(product: Product) -> None:
    product.answers["/twilio/voice/"] = (
        f"<Response><Start><Stream url='{product.socket_url}/media/x/' track='both_tracks'/></Start>"
        "<Pause length='60'/></Response>"
    )
    environment = {"TWILIO_ACCOUNT_SID": ACCOUNT_SID, "TWILIO_AUTH_TOKEN": f"{TOKEN}, next-token"}
    async with (
        program("--port", "0", "--target", product.url, "--seed", "1", **environment) as (line, process),
        aiohttp.ClientSession() as http,
    ):
        assert (line["ready"], line["account_sid"], line["auth_token"]) == (True, ACCOUNT_SID, TOKEN)
        async with http.post(f"{line['url']}/emulator/calls/", json={"from": ALICE, "to": OFFICE}) as answer:
            assert answer.status == 201
        await product.until(lambda: product.sockets and len(product.sockets[0].of("media")) >= 20)
        async with http.get(f"{line['url']}/emulator/") as answer:
            health = await answer.json()
        assert (health["ok"], health["calls_live"], health["streams_live"]) == (True, 1, 1)
        process.send_signal(signal.SIGTERM)
        assert await process.wait() == 0


async def test_the_same_seed_gives_the_same_ids(product: Product) -> None:
    sids = []
    for _ in range(2):
        async with (
            program("--port", "0", "--target", product.url, "--seed", "5") as (line, _),
            aiohttp.ClientSession() as http,
        ):
            body = {"from": ALICE, "to": OFFICE}
            async with http.post(f"{line['url']}/emulator/calls/", json=body) as answer:
                sids.append((line["account_sid"], line["auth_token"], (await answer.json())["call_sid"]))
    assert sids[0] == sids[1]


async def test_a_directory_without_recordings_ends_it_with_a_reason(product: Product, tmp_path) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "emulator",
        "--target",
        product.url,
        "--recordings",
        str(tmp_path),
        stderr=asyncio.subprocess.PIPE,
    )
    _, said = await process.communicate()
    assert process.returncode == 1
    assert said.decode().startswith("emulator: no recordings to play")


async def test_faults_are_switched_on_from_the_beginning(product: Product) -> None:
    async with (
        program(
            "--port", "0", "--target", product.url, "--fault", "lose_every=10", "--fault", "unsigned=true"
        ) as (
            line,
            _,
        ),
        aiohttp.ClientSession() as http,
        http.get(f"{line['url']}/emulator/faults/") as answer,
    ):
        shown = await answer.json()
    assert (shown["lose_every"], shown["unsigned"], shown["lose_frames"]) == (10, True, 0.0)


async def test_a_fault_that_does_not_exist_ends_it_with_a_reason(product: Product) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "emulator",
        "--target",
        product.url,
        "--fault",
        "explode=1",
        stderr=asyncio.subprocess.PIPE,
    )
    _, said = await process.communicate()
    assert process.returncode == 1
    assert said.decode().startswith("emulator: unknown fault 'explode'")


async def test_another_applications_addresses_are_given_on_the_command_line(product: Product) -> None:
    flags = ("--voice", "/answer", "--fallback", "", "--status", "https://status.example.com/x")
    async with (
        program("--port", "0", "--target", product.url, *flags) as (line, _),
        aiohttp.ClientSession() as http,
    ):
        await http.post(f"{line['url']}/emulator/calls/", json={"from": ALICE, "to": OFFICE})
        await product.until(lambda: product.asked("/answer"))
        headers = {"Authorization": aiohttp.encode_basic_auth(line["account_sid"], line["auth_token"])}
        numbers = f"{line['url']}/2010-04-01/Accounts/{line['account_sid']}/IncomingPhoneNumbers.json"
        async with http.get(numbers, headers=headers) as answer:
            number = (await answer.json())["incoming_phone_numbers"][-1]
    assert number["voice_url"] == f"{product.url}/answer"
    assert number["voice_fallback_url"] == ""
    assert number["status_callback"] == "https://status.example.com/x"


async def test_people_of_ones_own_answer(product: Product, tmp_path) -> None:
    (tmp_path / "brief.toml").write_text("title = 'Hangs up'\n[caller]\ndoes = [{ hang_up = true }]")
    async with (
        program("--port", "0", "--target", product.url, "--scripts", str(tmp_path)) as (line, _),
        aiohttp.ClientSession() as http,
        http.get(f"{line['url']}/emulator/scripts/") as answer,
    ):
        assert [script["name"] for script in (await answer.json())["scripts"]] == ["brief"]


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--port", "99999"], "'99999' is not a port"),
        (["--target", "127.0.0.1:8000"], "no web address such as http://127.0.0.1:8000"),
        (["--target", "ftp://x"], "no web address"),
        (["--voice", "http://["], "no web address"),
        (["--voice", "ivr"], "'ivr' is no path that begins with /"),
        (["--region", "ie1"], "has no port"),
        (["--region", "mars=1"], "is not"),
        (["--scripts", "/nowhere"], "no .toml or .py script in /nowhere"),
    ],
)
async def test_wrong_usage_ends_it_with_a_sentence(product: Product, flags: list[str], said: str) -> None:
    given = [*([] if "--target" in flags else ["--target", product.url]), *flags]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "emulator", *given, stderr=asyncio.subprocess.PIPE
    )
    _, error = await process.communicate()
    assert process.returncode in {1, 2}
    assert said in error.decode()
    assert "Traceback" not in error.decode()


async def test_a_port_in_use_names_the_way_out(product: Product) -> None:
    async with program("--port", "0", "--target", product.url) as (line, _):
        port = line["url"].rpartition(":")[2]
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "emulator", "--target", product.url, "--port", port,
            stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        _, error = await process.communicate()
    assert (process.returncode, "take another --port" in error.decode()) == (1, True)


async def test_a_target_that_is_down_is_said_on_the_terminal(product: Product) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "emulator", "--target", "http://127.0.0.1:9", "--port", "0",
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stderr is not None
    line = json.loads(await process.stdout.readline())
    async with aiohttp.ClientSession() as http:
        await http.post(f"{line['url']}/emulator/calls/", json={"from": ALICE, "to": OFFICE})
    said = (await process.stderr.readline()).decode()
    process.terminate()
    await process.wait()
    assert "no connection to 127.0.0.1:9 (Connection refused); is it running?" in said


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"from": "+1", "to": "+2", "scrpit": "x"}, "unknown: scrpit"),
        ({"to": "+2"}, "from is missing"),
        ({"from": "+1", "to": " "}, "to is missing"),
    ],
)
async def test_a_call_that_is_asked_for_wrongly_is_refused(box: Box, body: dict[str, str], said: str) -> None:
    status, answer = await box.post("/emulator/calls/", body)
    assert (status, said in answer["error"]) == (400, True)


async def test_the_log_of_an_unknown_call_is_not_found(box: Box) -> None:
    assert "no such call" in (await box.get("/emulator/log/?call=CA0"))["error"]
