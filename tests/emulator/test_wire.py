"""The client socket before servers made of bare bytes."""

import asyncio
import base64
import contextlib
import hashlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager

import pytest

from emulator.media.frames import Assembler, FramingError, Message, masked, text_frames
from emulator.media.mask import by_number, mask
from emulator.media.wire import ConnectError, Wire

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def serving(talk: Talk) -> AsyncIterator[str]:
    """A server on a free port; yields its ws address."""
    server = await asyncio.start_server(then_close(talk), "127.0.0.1", 0)
    yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/media/one/"
    server.close()


def then_close(talk: Talk) -> Talk:
    """The talk, with the connection closed after it."""

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await talk(reader, writer)
        finally:
            writer.close()

    return connected


async def upgrade(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> list[str]:
    lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")[:-2]
    key = next(line for line in lines if line.startswith("Sec-WebSocket-Key: ")).split(": ")[1]
    accept = base64.b64encode(hashlib.sha1(key.encode() + GUID, usedforsecurity=False).digest()).decode()
    head = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    writer.write(f"{head}Sec-WebSocket-Accept: {accept}\r\n\r\n".encode())
    return lines


class Ear:
    """What the client's owner is told."""

    def __init__(self) -> None:
        self.messages: list[tuple[int, bytes]] = []
        self.gone: asyncio.Future[tuple[int | None, bool]] = asyncio.get_running_loop().create_future()

    def wire(self) -> Wire:
        return Wire(
            lambda opcode, data: self.messages.append((opcode, data)),
            lambda code, broken: self.gone.set_result((code, broken)),
        )


async def test_the_request_is_exactly_twilios() -> None:
    seen: list[str] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.extend(await upgrade(reader, writer))
        await reader.read()

    async with serving(talk) as url:
        wire = Ear().wire()
        await wire.connect(url, "c2lnbmF0dXJl")
        wire.abort()
    host = url.removeprefix("ws://").partition("/")[0]
    key = seen.pop(6)
    assert len(base64.b64decode(key.removeprefix("Sec-WebSocket-Key: "))) == 16
    assert seen == [
        "GET /media/one/ HTTP/1.1",
        f"Host: {host}",
        "User-Agent: Twilio.TmeWs/1.0",
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "X-Twilio-Signature: c2lnbmF0dXJl",
    ]


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 403 Forbidden\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: wrong\r\n\r\n",
        b"nonsense\r\n\r\n",
        b"x" * 20000,
        b"",
    ],
    ids=["403", "200", "wrong accept", "nonsense", "endless", "nothing"],
)
async def test_anything_but_an_upgrade_is_31920(answer: bytes) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)

    async with serving(talk) as url:
        with pytest.raises(ConnectError) as error:
            await Ear().wire().connect(url, None)
    assert error.value.code == 31920


async def test_tls_where_there_is_none_is_31910() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(10)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    async with serving(talk) as url:
        with pytest.raises(ConnectError) as error:
            await Ear().wire().connect(url.replace("ws:", "wss:"), None)
    assert error.value.code == 31910


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        (b"\x88\x02\x03\xe8", (1000, False)),
        (b"\x88\x00", (1005, False)),
        (b"", (None, False)),
        (b"\x09\x00\x00\x00", (None, True)),
        (b"\x81\x81abcdx", (None, True)),
    ],
    ids=["close 1000", "close without a code", "end of the connection", "a cut ping", "a masked frame"],
)
async def test_how_the_server_leaves_is_told_once(sent: bytes, told: tuple[int | None, bool]) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await upgrade(reader, writer)
        writer.write(sent)
        await writer.drain()

    async with serving(talk) as url:
        ear = Ear()
        await ear.wire().connect(url, None)
        assert await ear.gone == told


async def test_tls_that_breaks_off_is_31910() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(10)

    async with serving(talk) as url:
        with pytest.raises(ConnectError) as error:
            await Ear().wire().connect(url.replace("ws:", "wss:"), None)
    assert error.value.code == 31910


async def test_a_server_that_never_answers_is_31901(monkeypatch: pytest.MonkeyPatch) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    monkeypatch.setattr("emulator.media.wire.CONNECT_S", 0.1)
    async with serving(talk) as url:
        with pytest.raises(ConnectError) as error:
            await Ear().wire().connect(url, None)
    assert error.value.code == 31901


@pytest.mark.parametrize(("how", "seen"), [("abort", "reset"), ("end", "end"), ("close", "close")])
async def test_the_server_sees_how_the_client_leaves(how: str, seen: str) -> None:
    left: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await upgrade(reader, writer)
        try:
            said = await reader.read(100)
        except ConnectionResetError:
            left.set_result("reset")
        else:
            left.set_result("close" if said[:2] == b"\x88\x82" else "end" if said == b"" else "more")

    async with serving(talk) as url:
        wire = Ear().wire()
        await wire.connect(url, None)
        if how == "abort":
            wire.abort()
        else:
            await (wire.end() if how == "end" else wire.close())
        assert await left == seen


@asynccontextmanager
async def deaf() -> AsyncIterator[tuple[str, asyncio.Event]]:
    """A server with small buffers that reads nothing behind the opening until the event is set."""
    listening = asyncio.Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await upgrade(reader, writer)
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        await listening.wait()
        writer.transport.resume_reading()  # type: ignore[attr-defined]
        await reader.read()

    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.bind(("127.0.0.1", 0))
    server = await asyncio.start_server(then_close(talk), sock=sock)
    yield f"ws://127.0.0.1:{sock.getsockname()[1]}/", listening
    listening.set()
    server.close()


async def test_a_server_that_does_not_read_holds_time_until_it_does() -> None:
    held, freed = [], asyncio.Event()

    @contextmanager
    def hold() -> Iterator[None]:
        held.append("held")
        yield
        freed.set()

    async with deaf() as (url, listening):
        wire = Wire(lambda opcode, data: None, lambda code, broken: None, hold)
        await wire.connect(url, None)
        while not wire.behind:
            wire.send([b"x" * 60_000])
        assert (held, freed.is_set()) == (["held"], False)
        listening.set()
        await freed.wait()
        assert not wire.behind
        wire.abort()


async def test_a_server_that_never_reads_does_not_hold_time_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("emulator.media.wire.HOLD_S", 0.05)
    freed = asyncio.Event()

    @contextmanager
    def hold() -> Iterator[None]:
        yield
        freed.set()

    async with deaf() as (url, _):
        wire = Wire(lambda opcode, data: None, lambda code, broken: None, hold)
        await wire.connect(url, None)
        while not wire.behind:
            wire.send([b"x" * 60_000])
        await freed.wait()
        assert wire.behind
        wire.abort()


async def test_a_ping_is_answered_and_text_is_heard_even_in_pieces() -> None:
    pong = asyncio.get_running_loop().create_future()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await upgrade(reader, writer)
        writer.write(b"\x01\x03abc\x89\x02hi\x80\x03def")
        pong.set_result(await reader.readexactly(8))

    async with serving(talk) as url:
        ear = Ear()
        await ear.wire().connect(url, None)
        frame = await pong
    assert frame[:2] == b"\x8a\x82"
    assert bytes(byte ^ key for byte, key in zip(frame[6:], frame[2:4], strict=True)) == b"hi"
    assert ear.messages == [(1, b"abcdef")]


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65535, 65536])
def test_a_masked_frame_of_any_length_can_be_unmasked(size: int) -> None:
    frame = masked(1, b"x" * size, 0x01020304)
    width = 0 if size < 126 else 2 if size < 65536 else 8
    assert frame[0] == 0x81
    assert frame[1] == 0x80 | (size if width == 0 else 126 if width == 2 else 127)
    key = frame[2 + width : 6 + width]
    assert key == b"\x04\x03\x02\x01"
    assert bytes(byte ^ key[at % 4] for at, byte in enumerate(frame[6 + width :])) == b"x" * size


@pytest.mark.parametrize("size", [0, 1, 3, 4, 5, 384, 70_000])
def test_both_ways_to_mask_do_the_same(size: int) -> None:
    text = bytes(range(256)) * (size // 256 + 1)
    one, other = bytearray(text[:size]), bytearray(text[:size])
    mask(b"\x01\x80\xff\x00", one)
    by_number(b"\x01\x80\xff\x00", other)
    assert one == other == bytes(b ^ b"\x01\x80\xff\x00"[at % 4] for at, b in enumerate(text[:size]))


def test_media_messages_are_masked_with_random_keys() -> None:
    texts = [b"x" * 380, b"x" * 380, b"x" * 90, b"x" * 700]
    frames = text_frames(texts)
    keys, at = set(), 0
    for text in texts:
        head = 6 if len(text) < 126 else 8
        frame = frames[at : at + head + len(text)]
        at += len(frame)
        assert frame == masked(1, text, int.from_bytes(frame[head - 4 : head], "little"))
        keys.add(frame[head - 4 : head])
    assert (at, len(keys)) == (len(frames), 4)


def test_messages_come_out_whole_however_the_bytes_are_cut() -> None:
    stream = b"\x81\x05hello" + b"\x82\x7e\x01\x00" + b"y" * 256 + b"\x89\x00"
    assembler = Assembler()
    found = [message for byte in stream for message in assembler.feed(bytes([byte]))]
    assert found == [Message(1, b"hello"), Message(2, b"y" * 256), Message(9, b"")]


@pytest.mark.parametrize(
    "frame",
    [b"\xc1\x00", b"\x80\x00", b"\x83\x00", b"\x8b\x00", b"\x88\x7e\x00\x7e", b"\x81\x7f" + b"\x7f" * 8],
    ids=["reserved bit", "a loose end", "unknown opcode", "unknown control", "long control", "huge"],
)
def test_broken_framing_is_an_error(frame: bytes) -> None:
    with pytest.raises(FramingError):
        Assembler().feed(frame + b"\x00" * 126)


@pytest.mark.parametrize(
    "more",
    ["", "Upgrade: websocket\r\n", "Connection: Upgrade\r\n", "Upgrade: h2c\r\nConnection: Upgrade\r\n",
     "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Extensions: permessage-deflate\r\n",
     "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Protocol: audio\r\n"],
)  # fmt: skip
async def test_a_101_that_agrees_on_too_little_or_too_much_is_no_upgrade(more: str) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        key = next(line for line in lines if line.startswith("Sec-WebSocket-Key: ")).split(": ")[1]
        accept = base64.b64encode(hashlib.sha1(key.encode() + GUID, usedforsecurity=False).digest()).decode()
        head = f"HTTP/1.1 101 Switching Protocols\r\n{more}Sec-WebSocket-Accept: {accept}\r\n\r\n"
        writer.write(head.encode())
        await reader.read()

    async with serving(talk) as url:
        with pytest.raises(ConnectError) as error:
            await Ear().wire().connect(url, None)
    assert error.value.code == 31920


async def test_a_server_that_asks_without_end_and_reads_nothing_is_cut_off() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await upgrade(reader, writer)
        ping = b"\x89\x7d" + b"x" * 125
        with contextlib.suppress(ConnectionError):
            for _ in range(2000):
                writer.write(ping * 500)
                await writer.drain()

    ear = Ear()
    async with serving(talk) as url:
        await ear.wire().connect(url, None)
        assert await asyncio.wait_for(ear.gone, 20) == (None, False)


async def test_a_server_that_asks_for_marks_and_reads_nothing_is_cut_off() -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await upgrade(reader, writer)
        await asyncio.wait_for(ear.gone, 20)

    ear = Ear()
    async with serving(talk) as url:
        wire = ear.wire()
        await wire.connect(url, None)
        for _ in range(1000):
            wire.send([b"x" * 60_000])
        assert await asyncio.wait_for(ear.gone, 20) == (None, False)


async def test_a_slow_reader_that_is_slow_no_more_reads_at_once() -> None:
    messages: asyncio.Queue[bytes] = asyncio.Queue()
    mended = asyncio.Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await upgrade(reader, writer)
        writer.write(b"\x81\x7e\x0f\xa0" + b"x" * 4000)
        await mended.wait()
        writer.write(b"\x81\x01y")
        await reader.read()

    async with serving(talk) as url, asyncio.timeout(20):
        wire = Wire(lambda _, data: messages.put_nowait(data), lambda code, broken: None)
        wire.read_slowly(10)
        await wire.connect(url, None)
        assert len(await messages.get()) == 4000
        wire.read_slowly(0)
        mended.set()
        assert await messages.get() == b"y"
        wire.abort()
