"""The softphone's socket and its guard: foreign pages, nonsense, floods and pages that sleep."""

import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from emulator.phone import socket as phone_socket
from tests.emulator.conftest import Box
from tests.emulator.pages import FRAME, Page, application, open_account, token
from tests.emulator.product import Product


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def status(box: Box, http: aiohttp.ClientSession, **headers: str) -> int:
    """What the handshake is answered with."""
    try:
        page = await Page.open(box, http, **headers)
    except aiohttp.WSServerHandshakeError as refusal:
        return refusal.status
    await page.ws.close()
    return 101


@pytest.mark.parametrize(
    "origin", ["http://127.0.0.1:8000", "http://localhost", "https://[::1]:8443", "https://cc.example.com"]
)
async def test_pages_of_this_machine_and_of_the_target_may_come_in(
    box: Box, http: aiohttp.ClientSession, origin: str
) -> None:
    box.exchange.world.target = "https://cc.example.com"
    assert await status(box, http, Origin=origin) == 101


@pytest.mark.parametrize(
    "origin",
    ["https://evil.example", "null", "http://127.0.0.1.evil.example", "http://cc.example.com", "http://["],
)
async def test_pages_of_anywhere_else_may_not(box: Box, http: aiohttp.ClientSession, origin: str) -> None:
    box.exchange.world.target = "https://cc.example.com"
    assert await status(box, http, Origin=origin) == 403


async def test_too_many_phones_are_refused(
    box: Box, http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(phone_socket, "MAX_BROWSERS", 1)
    page = await Page.open(box, http)
    await page.say("ping")
    await page.told("pong")
    assert await status(box, http) == 503


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        '{"type": "dance"}',
        '{"type": "accept"}',
        '{"type": "digits", "call": "CA1", "digits": "12x"}',
        '{"type": "invite", "call": "TJ1", "params": {"a": 1}}',
        '{"a":' * 3000,
    ],
)
async def test_nonsense_is_answered_with_an_error(box: Box, http: aiohttp.ClientSession, text: str) -> None:
    page = await Page.open(box, http)
    await page.ws.send_str(text)
    assert (await page.told("error"))["error"]["code"] == 31100
    await page.say("ping")
    await page.told("pong")


async def test_sound_of_another_length_is_nonsense_too(box: Box, http: aiohttp.ClientSession) -> None:
    page = await Page.open(box, http)
    await page.speak(FRAME + b"1")
    assert (await page.told("error"))["error"]["code"] == 31100


async def test_too_much_nonsense_ends_the_connection(box: Box, http: aiohttp.ClientSession) -> None:
    page = await Page.open(box, http)
    for _ in range(phone_socket.MAX_NONSENSE):
        await page.ws.send_str("?")
    assert await page.closed() == phone_socket.BAD
    assert len(page.messages) == phone_socket.MAX_NONSENSE


async def test_a_flood_ends_the_connection(box: Box, http: aiohttp.ClientSession) -> None:
    page = await Page.open(box, http)
    for _ in range(phone_socket.BURST * 2):
        try:
            await page.say("ping")
        except ConnectionError:
            break
    assert await page.closed() == phone_socket.TOO_FAST
    assert page.messages[-1]["error"]["code"] == 31206


async def test_a_message_that_is_too_long_ends_the_connection(box: Box, http: aiohttp.ClientSession) -> None:
    page = await Page.open(box, http)
    await page.say("listen", token="x" * phone_socket.MAX_MESSAGE)
    assert await page.closed() == aiohttp.WSCloseCode.MESSAGE_TOO_BIG


@pytest.mark.parametrize(
    ("kind", "facts"),
    [("register", {}), ("invite", {"call": "TJ1"}), ("accept", {"call": "CA1"}), ("heard", {"frames": 1})],
)
async def test_before_the_token_nothing_is_done(
    box: Box, http: aiohttp.ClientSession, kind: str, facts: dict[str, Any]
) -> None:
    page = await Page.open(box, http)
    await page.say(kind, **facts)
    assert (await page.told("error"))["error"]["code"] == 31102


async def test_a_page_that_never_says_who_it_is_is_dropped(
    box: Box, http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(phone_socket, "IDENTIFY_S", 0.05)
    page = await Page.open(box, http)
    assert await page.closed() == 4401


async def test_calls_that_do_not_exist_are_over(box: Box, http: aiohttp.ClientSession) -> None:
    open_account(box)
    page = await Page.open(box, http)
    await page.say("listen", token=token(box))
    for kind in ("reject", "ignore", "hangup"):
        await page.say(kind, call="CA1")
    await page.say("digits", call="CA1", digits="1")
    await page.say("message", call="CA1", id="1")
    await page.say("accept", call="CA1")
    assert (await page.told("cancel"))["call"] == "CA1"
    assert [m["type"] for m in page.messages] == ["connected", "cancel"]


async def test_a_page_that_does_not_take_its_sound_is_dropped_and_its_call_waits_for_it(
    product: Product, box: Box, http: aiohttp.ClientSession
) -> None:
    open_account(box)
    application(box, product.url)
    product.answers["/app/"] = "<Response><Say>Good day</Say><Pause length='600'/></Response>"
    page = await Page.open(box, http)
    page.takes = False
    await page.say("listen", token=token(box))
    await page.say("invite", call="TJ1", params={})
    key = (await page.told("answer"))["reconnect"]
    sid = (await page.told("ringing"))["sid"]
    await box.clock.advance(11)
    assert await page.closed() == phone_socket.SLOW
    assert len(page.sound) <= phone_socket.MAX_AHEAD
    again = await Page.open(box, http)
    await again.say("listen", token=token(box), reconnect=key)
    assert (await again.told("resumed"))["call"] == sid


async def test_when_the_emulator_ends_it_says_so(box: Box, http: aiohttp.ClientSession) -> None:
    page = await Page.open(box, http)
    await page.say("ping")
    await page.told("pong")
    await box.server.close()
    assert await page.closed() == aiohttp.WSCloseCode.GOING_AWAY


# the doors


async def answer(
    http: aiohttp.ClientSession, method: str, url: str, **headers: str
) -> tuple[int, dict[str, str], str]:
    async with http.request(method, url, headers=headers) as got:
        return got.status, dict(got.headers), await got.text()


@pytest.mark.parametrize("host", ["evil.example:9010", "127.0.0.1.evil.example", "[::1", ""])
@pytest.mark.parametrize("path", ["/emulator/", "/emulator/log/", "/emulator/softphone/"])
async def test_a_name_that_is_not_this_machines_finds_nothing(
    box: Box, http: aiohttp.ClientSession, host: str, path: str
) -> None:
    status, _, text = await answer(http, "GET", f"{box.url}{path}", Host=host)
    assert (status, "host" in json.loads(text)["error"]) == (403, True)


@pytest.mark.parametrize("host", ["localhost:9010", "127.0.0.1", "[::1]:9010", "192.168.1.7:9010"])
async def test_this_machines_own_names_do(box: Box, http: aiohttp.ClientSession, host: str) -> None:
    assert (await answer(http, "GET", f"{box.url}/emulator/", Host=host))[0] == 200


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://localhost:1"])
@pytest.mark.parametrize("path", ["calls/", "faults/", "people/", "calls/CA1/hangup/"])
async def test_a_page_of_another_origin_changes_nothing(
    box: Box, http: aiohttp.ClientSession, origin: str, path: str
) -> None:
    status, _, text = await answer(http, "POST", f"{box.url}/emulator/{path}", Origin=origin)
    assert (status, json.loads(text)) == (403, {"error": "not from a page of another origin"})


async def test_the_script_and_its_worklet_may_be_loaded_by_any_page(
    box: Box, http: aiohttp.ClientSession
) -> None:
    for name in ("softphone.js", "softphone-worklet.js"):
        status, headers, text = await answer(
            http, "GET", f"{box.url}/emulator/{name}", Origin="https://cc.example.com"
        )
        assert (status, headers["Access-Control-Allow-Origin"]) == (200, "*")
        assert headers["Content-Type"].startswith("text/javascript")
        assert not any(line.startswith(("import ", "export ")) for line in text.splitlines())


# people


async def test_a_script_answers_where_it_was_put(product: Product, box: Box) -> None:
    product.answers["/twilio/voice/"] = (
        "<Response><Dial action='/after/'><Client>agent_7</Client></Dial></Response>"
    )
    status, answered = await box.post("/emulator/people/", {"to": "client:agent_7", "script": "busy"})
    assert (status, answered) == (200, {"people": {"client:agent_7": "busy"}})
    await box.place()
    await box.clock.advance(2)
    assert product.forms("/after/")[0]["DialCallStatus"] == "busy"
    await box.post("/emulator/people/", {"to": "client:agent_7", "script": None})
    assert await box.get("/emulator/people/") == {"people": {}}


@pytest.mark.parametrize(
    "body",
    [{"script": "busy"}, {"to": "", "script": "busy"}, {"to": "+1", "script": "nobody"}, {"to": 1}, []],
)
async def test_people_who_make_no_sense_are_refused(box: Box, body: Any) -> None:
    status, answered = await box.post("/emulator/people/", body)
    assert (status, list(answered)) == (400, ["error"])


async def test_no_script_answers_for_a_page_that_was_here(box: Box, http: aiohttp.ClientSession) -> None:
    open_account(box)
    page = await Page.open(box, http)
    await page.say("listen", token=token(box))
    await page.say("register")
    await page.told("registered")
    status, _ = await box.post("/emulator/people/", {"to": "client:agent_7", "script": "busy"})
    assert status == 409
