"""The relay: bytes go through as they came, both ways, whatever becomes of the recording."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emulator.capture import entries, relay
from emulator.capture.connection import End
from emulator.capture.hypertext import HypertextError, Reader
from emulator.capture.placeholders import Placeholders
from emulator.capture.recorder import Plan, Recorder
from emulator.capture.reel import Reel, read
from emulator.capture.scribe import Scribe
from emulator.capture.signatures import Signatures
from emulator.capture.tap import Tap
from emulator.capture.tape import Memory, Tape
from emulator.clock import RealClock, VirtualClock
from tests.emulator.capture.conftest import Stage, bot_of, whole_call
from tests.emulator.product import Product
from tests.twilio import signature

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Any]


class Wires:
    """One connection to a recorder, and what its target does with it."""

    def __init__(self, recorder: Recorder, store: Memory, stream: tuple[Any, Any]) -> None:
        self.recorder = recorder
        self.store = store
        self.reader: asyncio.StreamReader = stream[0]
        self.writer: asyncio.StreamWriter = stream[1]

    async def developed(self) -> Reel:
        await self.recorder.close("the test is over")
        return read(self.store.lines, "test")


@asynccontextmanager
async def wires(talk: Talk) -> AsyncIterator[Wires]:
    """A recorder before a target that talks so, and a connection to it."""
    ended: set[asyncio.Task[None]] = set()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        ended.add(asyncio.ensure_future(talk(reader, writer)))

    target = await asyncio.start_server(accept, "127.0.0.1", 0)
    store = Memory()
    plan = Plan(f"http://127.0.0.1:{target.sockets[0].getsockname()[1]}", "http://127.0.0.1:9")
    recorder = Recorder(plan, RealClock(), store)
    await recorder.start()
    made = Wires(
        recorder, store, await asyncio.open_connection("127.0.0.1", int(recorder.url.rpartition(":")[2]))
    )
    yield made
    made.writer.close()
    await recorder.close("the test is over")
    target.close()
    await asyncio.gather(*ended, return_exceptions=True)


ODD = (
    b"POST /a%20b/?x=%31&x=&y HTTP/1.1\r\nhOST: shop.example.com:8443\r\nX-Twice: one\r\nx-twice:two\r\n"
    b"Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n"
    b"Content-Type: application/x-www-form-urlencoded\r\n\r\n"
)
BODY = b'5;ext="1"\r\nCallS\r\n8\r\nid=CA1&x\r\n0\r\nTrailer: t\r\n\r\n'
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
ANSWER = b"HTTP/1.1 200 Fine\r\nset-cookie: a=b\r\nContent-Length: 11\r\n\r\n<Response/>"


async def test_every_byte_arrives_as_it_was_sent() -> None:
    came = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        came.append(await reader.readexactly(len(ODD)))
        writer.write(CONTINUE)
        came.append(await reader.readexactly(len(BODY)))
        writer.write(ANSWER)

    async with wires(talk) as wire:
        wire.writer.write(ODD)
        assert await wire.reader.readexactly(len(CONTINUE)) == CONTINUE
        wire.writer.write(BODY)
        assert await wire.reader.readexactly(len(ANSWER)) == ANSWER
        reel = await wire.developed()
    assert came == [ODD, BODY]
    asked = reel.webhooks[0]
    assert [name for name, _ in asked.request.headers][:3] == ["hOST", "header1", "header1"]
    assert asked.form["CallSid"] == "xx0"
    assert asked.answer is not None
    assert asked.answer.twiml == "<Response />"


async def test_requests_on_one_connection_are_paired_with_their_answers() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for status in (200, 204, 404):
            await reader.readuntil(b"\r\n\r\n")
            length = b"" if status == 204 else b"Content-Length: 2\r\n"
            head = f"HTTP/1.1 {status} x\r\n".encode() + length + b"\r\n"
            writer.write(head if status != 404 else head + b"no")

    async with wires(talk) as wire:
        for method in (b"HEAD", b"GET", b"GET"):  # the answer to HEAD has a length and no body
            wire.writer.write(method + b" /x HTTP/1.1\r\nHost: a\r\n\r\n")
            await wire.reader.readuntil(b"\r\n\r\n")
        reel = await wire.developed()
    assert [(a.request.method, a.answer and a.answer.status) for a in reel.webhooks] == [
        ("HEAD", 200),
        ("GET", 204),
        ("GET", 404),
    ]


UPGRADE = b"GET /media HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
GRANTED = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
PING, PONG = b"\x89\x02hi", b"\x8a\x82\x00\x00\x00\x00hi"


async def test_frames_go_through_untouched_pings_fragments_and_unknown_ones_too() -> None:
    key = b"\x01\x02\x03\x04"
    first = b"\x01\x83" + key + bytes(c ^ k for c, k in zip(b'{"a', key, strict=False))
    last = b"\x80\x84" + bytes(4) + b'":1}'
    unknown, close = b"\xc1\x81" + bytes(4) + b"z", b"\x88\x82" + bytes(4) + b"\x03\xe9"
    spoken = first + last + PONG + unknown + close
    came = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(GRANTED + PING)  # the first frame in one piece with the answer
        came.append(await reader.readexactly(len(spoken)))
        writer.write(b"\x88\x02\x03\xe9")
        writer.close()

    async with wires(talk) as wire:
        wire.writer.write(UPGRADE)
        assert await wire.reader.readexactly(len(GRANTED + PING)) == GRANTED + PING
        wire.writer.write(spoken)
        assert await wire.reader.read() == b"\x88\x02\x03\xe9"
        reel = await wire.developed()
    assert came == [spoken]
    socket = reel.sockets[0]
    assert [(m.sender, m.form) for m in socket.messages] == [
        ("application", "ping"),
        ("twilio", "text"),
        ("twilio", "pong"),
        ("twilio", "compressed text"),
    ]
    assert [(c.sender, c.code) for c in socket.closes] == [("twilio", 1001), ("application", 1001)]


async def test_a_reset_is_passed_on_as_a_reset() -> None:
    broke: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(GRANTED)
        try:
            broke.set_result(f"end {await reader.read()!r}")
        except ConnectionResetError:
            broke.set_result("reset")

    async with wires(talk) as wire:
        wire.writer.write(UPGRADE)
        await wire.reader.readexactly(len(GRANTED))
        End(wire.reader, wire.writer).reset()
        assert await broke == "reset"
        reel = await wire.developed()
    assert [(one.sender, one.how) for one in reel.sockets[0].gone] == [("twilio", "reset")]


async def test_half_a_connection_may_end_before_the_other() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert (await reader.read()).endswith(b"\r\n\r\n")  # until Twilio says that nothing more comes
        writer.write(b"HTTP/1.0 200 OK\r\n\r\n<Response/>")  # without a length: until the end
        writer.close()

    async with wires(talk) as wire:
        wire.writer.write(b"GET /x HTTP/1.0\r\nHost: a\r\n\r\n")
        wire.writer.write_eof()
        assert (await wire.reader.read()).endswith(b"<Response/>")
        reel = await wire.developed()
    assert reel.webhooks[0].answer is not None
    assert reel.webhooks[0].answer.bytes == 11


@pytest.mark.parametrize(
    "said", [b"\x16\x03\x01 this is TLS\r\n\r\n", b"GET / HTTP/1.1\r\nContent-Length: many\r\n\r\n"]
)
async def test_what_is_no_http_goes_through_and_is_noted(said: bytes) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write((await reader.readexactly(len(said)))[::-1])

    async with wires(talk) as wire:
        wire.writer.write(said)
        assert await wire.reader.readexactly(len(said)) == said[::-1]
        reel = await wire.developed()
    assert reel.webhooks == []
    assert "not recorded any further" in reel.troubles[0].text


async def test_one_connection_too_many_is_refused(monkeypatch) -> None:
    monkeypatch.setattr(relay, "MOST_CONNECTIONS", 1)

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.read(100))

    async with wires(talk) as wire:
        wire.writer.write(b"GET ")
        assert await wire.reader.readexactly(4) == b"GET "
        reader, writer = await asyncio.open_connection("127.0.0.1", int(wire.recorder.url.rpartition(":")[2]))
        assert await reader.read() == b""
        writer.close()
        reel = await wire.developed()
    assert [trouble.text for trouble in reel.troubles] == ["a connection too many was refused"]


TWILIO = ODD + BODY + b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n" + UPGRADE
FRAMES = b"\x81\x8f" + bytes(4) + b'{"event": "x1"}' + b"\x88\x82" + bytes(4) + b"\x03\xe8"
APPLICATION = (
    CONTINUE
    + ANSWER
    + (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n" + GRANTED + PING)
)


def heard(pieces: list[tuple[entries.Sender, bytes]]) -> list[bytes]:
    """The lines that a tap writes when it hears these pieces."""
    store, places = Memory(), Placeholders()
    clock = VirtualClock(datetime(2026, 1, 1, tzinfo=UTC))
    tap = Tap(Scribe(Tape(clock, store, places, checked=False), places, Signatures([])))
    for sender, piece in pieces:
        tap.heard(sender, piece)
    return store.lines


def cut(sender: entries.Sender, data: bytes, places: list[int]) -> list[tuple[entries.Sender, bytes]]:
    ends = [0, *sorted(place % len(data) for place in places), len(data)]
    return [(sender, data[a:b]) for a, b in pairwise(ends) if a < b]


CUTS = st.lists(st.integers(0, 10_000), max_size=12)


@given(CUTS, CUTS, CUTS)
def test_it_does_not_matter_in_which_pieces_bytes_come(
    one: list[int], two: list[int], three: list[int]
) -> None:
    whole = heard([("twilio", TWILIO), ("application", APPLICATION), ("twilio", FRAMES)])
    parts = [
        *cut("twilio", TWILIO, one),
        *cut("application", APPLICATION, two),
        *cut("twilio", FRAMES, three),
    ]
    assert heard(parts) == whole
    assert [read_line(line) for line in whole] == [
        entries.Opening, entries.Request, entries.Request, entries.Answer, entries.Answer, entries.Handshake,
        entries.Message, entries.Message, entries.Closed,
    ]  # fmt: skip


NO_HTTP = {
    f"one connection is not recorded any further: {why}"
    for why in (
        "no HTTP/1",
        "an endless head",
        "an endless line",
        "an answer without a status",
        "a length that is no number",
        "a chunk without a size",
        "too much came before an answer",
    )
}
"""What a tap says of bytes that it does not understand; anything else would be a fault of its own."""


@given(st.lists(st.tuples(st.sampled_from(["twilio", "application"]), st.binary(max_size=40)), max_size=8))
def test_whatever_bytes_come_a_tap_takes_them(pieces: list[tuple[Any, bytes]]) -> None:
    begun: list[tuple[Any, bytes]] = [("twilio", UPGRADE), ("application", GRANTED)]
    for story in (pieces, [*begun, *pieces]):
        reel = read(heard(story), "test")
        assert reel.opening.version == entries.VERSION
        assert {trouble.text for trouble in reel.troubles} <= NO_HTTP


class Copied(bytearray):
    """A buffer that counts the bytes that are copied out of it."""

    total = 0

    def __getitem__(self, which: Any) -> Any:
        found = super().__getitem__(which)
        self.total += len(found) if isinstance(which, slice) else 1
        return found


def test_a_body_in_many_small_chunks_holds_nobody_up() -> None:
    data = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 40_000
    reader = Reader(answers=False)
    reader._buffer = copied = Copied()
    reader.feed(data)
    # What waits behind a chunk is not touched while that is read.
    assert 0 < copied.total <= 2 * len(data)


@pytest.mark.parametrize("size", [b"-5", b"+5", b"0x5", b"5_0", b"", b" ", b"g", "٣".encode()])
def test_a_chunk_has_a_size_in_hexadecimal_digits(size: bytes) -> None:
    reader = Reader(answers=False)
    with pytest.raises(HypertextError, match="a chunk without a size"):
        reader.feed(b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + size + b";x\r\n")


@pytest.mark.parametrize("size", [b"a", b"0A", b"a ;x=1", b"a\t"])
def test_a_chunk_size_may_be_spelled_in_any_way_of_http(size: bytes) -> None:
    reader = Reader(answers=False)
    data = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + size + b"\r\n0123456789\r\n0\r\n\r\n"
    assert [whole.body for whole in reader.feed(data)] == [b"0123456789"]


@pytest.mark.parametrize("length", ["²", "9" * 5000, "-1"])
def test_a_length_is_a_number_that_can_be(length: str) -> None:
    with pytest.raises(HypertextError, match="a length that is no number"):
        Reader(answers=False).feed(f"POST / HTTP/1.1\r\nContent-Length: {length}\r\n\r\n".encode("latin-1"))


def read_line(line: bytes) -> type:
    return type(entries.read(line))


# With a whole call


async def test_the_product_sees_what_it_would_see_without_a_recorder(stage: Stage, product: Product) -> None:
    await whole_call(stage, product)
    heard = product.asked("/twilio/voice/")[0]
    assert heard.headers["Host"] == stage.public.removeprefix("http://")
    assert heard.headers["X-Twilio-Signature"] == signature(f"{stage.public}/twilio/voice/", heard.form)
    tap = next(socket for socket in product.sockets if socket.path == "/media/tap")
    assert [name for name, _ in tap.headers] == [
        "Host",
        "User-Agent",
        "Connection",
        "Upgrade",
        "Sec-WebSocket-Version",
        "Sec-WebSocket-Key",
        "X-Twilio-Signature",
    ]
    assert dict(tap.headers)["X-Twilio-Signature"] == signature(f"{stage.public_socket}/media/tap")
    assert tap.messages[1]["start"]["customParameters"] == {"session": "q8-alice"}
    assert tap.messages[-1]["event"] == "stop"
    assert [m["mark"]["name"] for m in bot_of(product).of("mark")] == ["greeting", "question"]


async def test_a_recording_that_fails_breaks_no_call(stage: Stage, product: Product, monkeypatch) -> None:
    def fail(*given: object, **named: object) -> None:
        raise RuntimeError("the recorder has a fault")

    for method in ("request", "answer", "handshake", "frame", "gone"):
        monkeypatch.setattr(Scribe, method, fail)
    sid = await whole_call(stage, product)
    assert (await stage.call(sid))["status"] == "completed"
    assert product.forms("/twilio/call-status/", CallStatus="completed")
    assert bot_of(product).messages[0]["event"] == "connected"
    reel = read(await stage.film(), "test")
    assert reel.webhooks == []
    assert {trouble.text for trouble in reel.troubles} == {
        "one connection is not recorded any further: RuntimeError"
    }


async def test_an_application_that_is_down_is_a_502_to_twilio(stage: Stage, product: Product) -> None:
    await product.server.close()
    sid = await stage.place()
    await stage.advance(1)
    call = await stage.call(sid)
    assert call["notifications"][0]["code"] == 11200
    reel = read(await stage.film(), "test")
    assert [asked.answer and asked.answer.status for asked in reel.webhooks][:2] == [502, 502]
    assert "the application cannot be reached: ConnectionRefusedError" in [t.text for t in reel.troubles]


async def test_a_socket_that_the_product_breaks_is_broken_for_twilio(stage: Stage, product: Product) -> None:
    product.answers["/twilio/voice/"] = (
        f"<Response><Start><Stream url='{stage.public_socket}/media/x/' "
        f"statusCallback='{stage.public}/streams/'/></Start><Pause length='30'/></Response>"
    )
    sid = await stage.place()
    await stage.advance(1)
    product.sockets[0].transport.abort()
    await product.until(lambda: product.forms("/streams/", StreamEvent="stream-error"))
    assert (await stage.call(sid))["streams"][0]["error"] == 31903
    reel = read(await stage.film(), "test")
    assert reel.sockets[0].gone[0].sender == "application"
    assert reel.sockets[0].closes == []


async def test_a_handshake_that_is_refused_is_written_down(stage: Stage, product: Product) -> None:
    product.refuse_sockets = True
    product.answers["/twilio/voice/"] = (
        f"<Response><Start><Stream url='{stage.public_socket}/media/x/'/></Start>"
        "<Pause length='3'/></Response>"
    )
    sid = await stage.place()
    await stage.advance(1)
    assert (await stage.call(sid))["streams"][0]["error"] == 31920
    reel = read(await stage.film(), "test")
    assert [socket.handshake.status for socket in reel.sockets] == [403]


def test_a_line_has_one_shape_for_writing_and_reading() -> None:
    line = entries.Closed(at=1.5, socket=3, sender="twilio", code=1000)
    assert entries.write(line) == b'{"kind":"close","at":1.5,"socket":3,"sender":"twilio","code":1000}\n'
    assert entries.read(entries.write(line)) == line
