"""Requests to the application: signed, limited, retried, and what happens when they fail."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from emulator.webhooks.courier import overrides
from tests.emulator.conftest import OFFICE, Box
from tests.emulator.product import Product
from tests.twilio import signature

WAIT = "<Response><Say>Hello</Say><Pause length='60'/></Response>"


Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def failing(status: int) -> web.Response:
    return web.Response(status=status, text="no")


@asynccontextmanager
async def answering(talk: Talk) -> AsyncIterator[str]:
    """A server of bare bytes; `talk` begins when the request was read. Yields its http address."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.readuntil(b"\r\n\r\n")
            await talk(reader, writer)
        finally:
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/voice/"
    server.close()


async def asked_at(box: Box, url: str, fallback: str = "") -> dict[str, Any]:
    """The log of a call whose voice address is `url`."""
    number = box.exchange.world.number(OFFICE)
    number.voice_url, number.voice_fallback_url = url, fallback
    sid = await box.place()
    await box.clock.advance(1)
    return await box.call(sid)


def voice(call: dict[str, Any]) -> list[dict[str, Any]]:
    """The requests for the call's TwiML, failed ones too."""
    return [hook for hook in call["webhooks"] if hook["kind"] == "voice"]


def codes(call: dict[str, Any]) -> list[int]:
    return [note["code"] for note in call["notifications"]]


async def test_every_field_is_signed_empty_ones_too(product: Product, box: Box) -> None:
    product.answers["/twilio/voice/"] = WAIT
    await box.place(caller_name="Åse & Søn", params={"FromCity": "", "StirVerstat": "TN-Validation-Passed-A"})
    await box.clock.advance(1)
    heard = product.asked("/twilio/voice/")[0]
    assert heard.form["CallerName"] == "Åse & Søn"
    assert heard.form["FromCity"] == ""
    assert heard.form["StirVerstat"] == "TN-Validation-Passed-A"
    assert heard.headers["X-Twilio-Signature"] == signature(f"{product.url}/twilio/voice/", heard.form)
    assert heard.headers["User-Agent"] == "TwilioProxy/1.1"
    assert heard.headers["I-Twilio-Idempotency-Token"]


@pytest.mark.parametrize(
    "caller",
    ["anonymous", "client:agent_7", "sip:x@example.com", "", "\x00\ud800\u202e", "x" * 65536],
    ids=["anonymous", "client", "sip", "empty", "odd characters", "64 kB"],
)
async def test_odd_callers_are_passed_on_as_they_are(product: Product, box: Box, caller: str) -> None:
    product.answers["/twilio/voice/"] = WAIT
    status, _ = await box.post("/emulator/calls/", {"from": caller, "to": OFFICE})
    assert status == 201
    await box.clock.advance(1)
    heard = product.asked("/twilio/voice/")[0]
    assert heard.form["From"] == caller.replace("\ud800", "?")
    assert heard.headers["X-Twilio-Signature"] == signature(f"{product.url}/twilio/voice/", heard.form)


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (failing(500), "11200"),
        (failing(404), "11200"),
        ("<Response", "12100"),
        ("", "12100"),
        ("<Answer/>", "12102"),
        (web.json_response({}), "12300"),
    ],
    ids=["500", "404", "not XML", "nothing", "no Response", "JSON"],
)
async def test_a_useless_answer_sends_the_call_to_the_fallback(
    product: Product, box: Box, answer: object, code: str
) -> None:
    product.answers |= {"/twilio/voice/": answer, "/twilio/fallback/": WAIT}
    sid = await box.place()
    await box.clock.advance(1)
    heard = product.asked("/twilio/fallback/")[0]
    assert heard.form["ErrorCode"] == code
    assert heard.form["ErrorUrl"] == f"{product.url}/twilio/voice/"
    assert heard.form["CallSid"] == sid
    assert heard.headers["X-Twilio-Signature"] == signature(f"{product.url}/twilio/fallback/", heard.form)
    assert (await box.call(sid))["status"] == "in-progress"


async def test_when_the_fallback_fails_as_well_the_call_ends(product: Product, box: Box) -> None:
    product.answers |= {"/twilio/voice/": failing(500), "/twilio/fallback/": failing(500)}
    sid = await box.place()
    await box.clock.advance(8)
    call = await box.call(sid)
    assert [note["code"] for note in call["notifications"]] == [11200, 11200]
    assert (call["status"], call["reason"]) == ("completed", "no TwiML that can be read")


async def test_a_target_that_is_down_is_11205(product: Product, box: Box) -> None:
    number = box.exchange.world.number(OFFICE)
    number.voice_url, number.voice_fallback_url = "http://127.0.0.1:9/voice/", ""
    sid = await box.place()
    await box.clock.advance(1)
    call = await box.call(sid)
    assert [note["code"] for note in call["notifications"]] == [11205]
    # No connection is the one failure that is tried again by itself.
    assert call["webhooks"][0]["status"] == 0
    assert len([hook for hook in call["webhooks"] if hook["kind"] == "voice"]) == 2


async def test_the_fragment_says_what_is_tried_again_and_is_never_sent(product: Product, box: Box) -> None:
    product.answers["/voice/"] = [
        failing(500),
        failing(503),
        web.Response(text=WAIT, content_type="text/xml"),
    ]
    box.exchange.world.number(OFFICE).voice_url = f"{product.url}/voice/#rc=2&rp=5xx"
    sid = await box.place()
    await box.clock.advance(1)
    heard = product.asked("/voice/")
    assert [one.headers["X-Twilio-Signature"] for one in heard] == [
        signature(f"{product.url}/voice/", one.form) for one in heard
    ]
    assert len(heard) == 3
    assert len({one.headers["I-Twilio-Idempotency-Token"] for one in heard}) == 1
    assert (await box.call(sid))["status"] == "in-progress"


def test_overrides_out_of_range_are_held_to_twilios_limits() -> None:
    assert overrides("http://x/#rc=9&ct=99999&tt=99999&rp=all").retries == 5
    assert overrides("http://x/#rc=9&ct=99999&tt=99999").total == 15000
    assert overrides("http://x/#rc=many&rp=").retries == 1
    assert overrides(f"http://x/#ct={'9' * 5000}").connect == 10000
    assert overrides("http://x/").retry("ct")
    assert not overrides("http://x/").retry("5xx")
    assert overrides("http://x/#rp=all").retry("4xx")
    assert (overrides("http://x/").connect, overrides("http://x/#ct=1&rt=20000").connect) == (5000, 100)
    assert (overrides("http://x/").read, overrides("http://x/#ct=1&rt=20000").read) == (15000, 15000)
    assert overrides("http://x/#rp=5xx,sometimes").policy == {"5xx"}
    assert [overrides("http://x/#e=dublin,ashburn").edge(n) for n in range(3)] == [
        "dublin", "ashburn", "dublin"
    ]  # fmt: skip


async def test_a_target_that_accepts_nothing_is_tried_twice(product: Product, box: Box) -> None:
    product.answers["/twilio/fallback/"] = WAIT
    with closing(socket.socket()) as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        # A full queue: what comes now is neither accepted nor refused.
        waiting = [socket.create_connection(deaf.getsockname())]
        for _ in range(3):
            more = socket.socket()
            more.setblocking(False)
            more.connect_ex(deaf.getsockname())
            waiting.append(more)
        port = deaf.getsockname()[1]
        call = await asked_at(box, f"http://127.0.0.1:{port}/#ct=100", f"{product.url}/twilio/fallback/")
        for one in waiting:
            one.close()
    assert [(hook["error"], hook["attempt"]) for hook in voice(call)] == [(11205, 1), (11205, 2)]
    assert product.asked("/twilio/fallback/")[0].form["ErrorCode"] == "11205"


@pytest.mark.parametrize(
    ("fragment", "attempts"),
    [("#rt=100", 1), ("#rt=100&rp=rt", 2), ("#rt=100&rp=ct,rt&rc=3", 4), ("#tt=100&rp=all&rc=5", 1)],
    ids=["read", "read, tried again", "read, three times", "total"],
)
async def test_a_target_that_does_not_answer_in_time_is_given_up(
    box: Box, fragment: str, attempts: int
) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with answering(talk) as url:
        call = await asked_at(box, url + fragment)
    assert [hook["error"] for hook in voice(call)] == [11205] * attempts
    assert (call["ended"], codes(call)) == (None, [11205])  # the caller is being told


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (b"nonsense\r\n\r\n", 11206),
        (b"", 11205),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\n<Response>", 11206),
        (b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n", 11200),
        (b"HTTP/1.1 302 Found\r\nLocation: ftp://x/\r\nContent-Length: 0\r\n\r\n", 11100),
        (b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\n\r\n" + b" " * 300_000, 11750),
    ],
    ids=["nonsense", "nothing", "cut short", "a redirect to nowhere", "to no web address", "too much"],
)
async def test_a_target_that_speaks_nonsense_has_twilios_number(box: Box, said: bytes, code: int) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(said)
        await writer.drain()

    async with answering(talk) as url:
        call = await asked_at(box, url)
    assert codes(call) == [code]


@pytest.mark.parametrize(
    ("url", "code", "said"),
    [
        ("http://no-such-host.invalid/voice/", 11210, "no such host: no-such-host.invalid"),
        ("http://[", 11100, "Invalid URL format: 'http://['"),
    ],
)
async def test_an_address_that_leads_nowhere_is_told_in_words(
    box: Box, url: str, code: int, said: str
) -> None:
    note = (await asked_at(box, url))["notifications"][0]
    assert (note["code"], said in note["message"]) == (code, True), note


async def test_an_address_that_redirects_to_itself_is_11215(product: Product, box: Box) -> None:
    product.answers["/round/"] = [web.Response(status=302, headers={"Location": "/round/"}) for _ in range(9)]
    assert codes(await asked_at(box, f"{product.url}/round/")) == [11215]
    assert len(product.asked("/round/")) == 6


async def test_an_answer_in_pieces_is_read_to_its_end(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    arrived = asyncio.Event()
    feed = aiohttp.StreamReader.feed_data

    def fed(reader: aiohttp.StreamReader, data: bytes, *more: Any) -> None:
        feed(reader, data, *more)
        if data.startswith(b"<Response>"):
            arrived.set()

    monkeypatch.setattr(aiohttp.StreamReader, "feed_data", fed)

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: 10034\r\n\r\n<Response>")
        await writer.drain()
        await arrived.wait()
        writer.write(b" " * 10_000 + b"<Hangup/></Response>"[:24])
        writer.write(b"    ")
        await writer.drain()

    async with answering(talk) as url:
        call = await asked_at(box, url)
    assert (codes(call), call["reason"]) == ([], "<Hangup>")


async def test_each_attempt_goes_out_from_the_next_edge(product: Product, box: Box) -> None:
    product.answers["/voice/"] = [failing(500), failing(500), failing(500)]
    call = await asked_at(box, f"{product.url}/voice/#e=ashburn,dublin&rp=5xx&rc=2")
    assert [hook["edge"] for hook in voice(call)] == ["ashburn", "dublin", "ashburn"]


async def test_callbacks_of_one_kind_keep_their_order_and_kinds_do_not_wait_for_each_other(
    product: Product, box: Box
) -> None:
    release = asyncio.Event()
    asked: asyncio.Queue[bytes] = asyncio.Queue()

    async def slow(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.put_nowait(await reader.readexactly(1))
        await release.wait()
        writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        await writer.drain()

    call = box.exchange.world.new_call("+1", "+2", "inbound")
    tell = box.exchange.courier.tell
    async with answering(slow) as url:
        tell(call, "status-ringing", url, "POST", {"a": ""})
        tell(call, "status-answered", url, "POST", {"b": ""})
        tell(call, "stream-started", f"{product.url}/streams/", "POST", {"StreamEvent": "stream-started"})
        await product.until(lambda: product.forms("/streams/"))
        assert (await asked.get(), asked.qsize()) == (b"a", 0)
        release.set()
        assert await asked.get() == b"b"


async def test_a_sound_is_fetched_signed_and_as_it_is(product: Product, box: Box) -> None:
    sound = bytes(range(256)) * 4000
    product.answers["/music.wav"] = web.Response(body=sound, content_type="audio/wav")
    call = box.exchange.world.new_call("+1", "+2", "inbound")
    url = f"{product.url}/music.wav"
    assert await box.exchange.courier.fetch_media(call, f"{url}#rc=1") == (200, "audio/wav", sound)
    heard = product.asked("/music.wav")[0]
    assert (heard.method, heard.query, heard.form) == ("GET", "", {})
    assert heard.headers["X-Twilio-Signature"] == signature(url)


async def test_a_sound_that_does_not_come_is_noted_and_is_no_sound(product: Product, box: Box) -> None:
    product.answers["/none.wav"] = failing(404)
    call = box.exchange.world.new_call("+1", "+2", "inbound")
    assert await box.exchange.courier.fetch_media(call, f"{product.url}/none.wav") == (404, "", b"")
    assert await box.exchange.courier.fetch_media(call, "http://127.0.0.1:9/") == (0, "", b"")
    assert [note["code"] for note in call.notifications] == [11200, 11205]


async def test_a_redirect_is_followed_as_get_without_the_fields(product: Product, box: Box) -> None:
    product.answers |= {
        "/twilio/voice/": web.Response(status=302, headers={"Location": "/elsewhere/?a=1"}),
        "/elsewhere/": WAIT,
    }
    await box.place()
    await box.clock.advance(1)
    heard = product.asked("/elsewhere/")[0]
    assert (heard.method, heard.query, heard.form) == ("GET", "a=1", {})
    assert heard.headers["X-Twilio-Signature"] == signature(f"{product.url}/elsewhere/?a=1")


async def test_get_carries_the_fields_in_the_signed_query(product: Product, box: Box) -> None:
    product.answers["/voice/"] = WAIT
    number = box.exchange.world.number(OFFICE)
    number.voice_url, number.voice_method = f"{product.url}/voice/?a=1", "GET"
    sid = await box.place()
    await box.clock.advance(1)
    heard = product.asked("/voice/")[0]
    assert heard.query.startswith("a=1&")
    assert f"CallSid={sid}" in heard.query
    assert heard.headers["X-Twilio-Signature"] == signature(f"{product.url}/voice/?{heard.query}")


async def test_a_verb_that_is_not_known_is_noted_and_passed_over(product: Product, box: Box) -> None:
    product.answers["/twilio/voice/"] = "<Response><Sing/><Redirect>next/</Redirect></Response>"
    sid = await box.place()
    await box.clock.advance(1)
    assert product.asked("/twilio/voice/next/")
    assert (await box.call(sid))["notifications"][0]["code"] == 12200


async def test_start_as_the_last_verb_hangs_up(product: Product, box: Box) -> None:
    url = f"{product.socket_url}/media/x/"
    product.answers["/twilio/voice/"] = f"<Response><Start><Stream url='{url}'/></Start></Response>"
    sid = await box.place()
    await box.clock.advance(1)
    assert (await box.call(sid))["reason"] == "end of TwiML"


async def test_reject_refuses_before_the_call_is_answered(product: Product, box: Box) -> None:
    product.answers["/twilio/voice/"] = "<Response><Reject reason='busy'/></Response>"
    sid = await box.place()
    await box.clock.advance(1)
    call = await box.call(sid)
    assert (call["status"], call["started"]) == ("busy", None)
