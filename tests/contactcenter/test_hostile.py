"""Strangers and broken peers at the real server: refused in order, and nobody else notices."""

import re
import secrets
import socket
from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import urlencode, urlsplit
from urllib.request import Request, urlopen

import pytest

from tests import twilio
from tests.processes import ACCOUNT_SID, AUTH_TOKEN, until
from tests.product import Site
from tests.twilio import TwilioSocket
from tests.world import SUPPORT

OPENING = (
    "GET /ws/live/ HTTP/1.1\r\nHost: {host}\r\nOrigin: {origin}\r\n"
    "Upgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
HEAD = "POST /twilio/voice/ HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/x-www-form-urlencoded\r\n"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A small site without Twilio's side: this module plays it, and worse ones."""
    one = Site(tmp_path_factory.mktemp("hostile"), settings={"TRANSCRIBER": "none"})
    try:
        one.prepare()
        one.serve()
        yield one
    finally:
        one.close()


def ring(site: Site, **more: str) -> tuple[str, str]:
    """A call comes in by its signed webhook; its CallSid and the address of its media socket."""
    sid = f"CA{secrets.token_hex(16)}"
    fields = twilio.voice_fields(**{"AccountSid": ACCOUNT_SID, "CallSid": sid, "To": SUPPORT, **more})
    url = f"{site.url}/twilio/voice/"
    signed = {"X-Twilio-Signature": twilio.signature(url, fields, token=AUTH_TOKEN)}
    with urlopen(Request(url, urlencode(fields).encode(), signed), timeout=10) as answer:
        found = re.search(r'"(ws://[^"]+/media/[0-9a-f]{32}/)"', answer.read().decode())
    assert found, "no stream in the answer"
    return sid, found[1]


def streaming(url: str, call: str) -> tuple[TwilioSocket, str]:
    """A media socket that has sent `start`; it and its StreamSid."""
    stream = f"MZ{secrets.token_hex(16)}"
    twilios = TwilioSocket(url, token=AUTH_TOKEN)
    twilios.send(twilio.connected(), twilio.start(stream=stream, call=call, account=ACCOUNT_SID))
    return twilios, stream


def answer_to(site: Site, head: str, *body: bytes) -> bytes:
    """What the server answers to a request of raw bytes, until it closes."""
    address = urlsplit(site.url)
    with socket.create_connection((address.hostname, address.port), timeout=10) as line:
        line.sendall((HEAD.format(host=address.netloc) + head).encode())
        try:
            for part in body:
                line.sendall(part)
        except (BrokenPipeError, ConnectionResetError):
            pass  # it has closed, and the answer may be lost with what it did not read
        try:
            return line.recv(65536)
        except ConnectionResetError:
            return b""


def test_a_body_that_is_announced_too_large_is_refused_before_it_comes(site: Site) -> None:
    before = site.processes["serve"].output().count("http.too_large")
    answer = answer_to(site, "Content-Length: 4000000000\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert site.processes["serve"].output().count("http.too_large") == before + 1


def posted(site: Site, path: str, cookie: str, length: int) -> bytes:
    """The first words of the answer to a POST whose body has this length, or nothing if it was cut off."""
    address = urlsplit(site.url)
    head = f"POST {path} HTTP/1.1\r\nHost: {address.netloc}\r\nConnection: close\r\n{cookie}"
    line = socket.create_connection((address.hostname, address.port), timeout=10)
    with line, suppress(BrokenPipeError, ConnectionResetError):
        line.sendall(f"{head}Content-Length: {length}\r\n\r\n".encode() + b"a" * min(length, 1_000_000))
        return line.recv(65536)[:12]
    return b""


def test_only_who_brings_a_session_may_send_a_file_and_only_to_the_import(site: Site) -> None:
    page, session, vast = "/admin/calls/contact/import/", "Cookie: sessionid=none\r\n", 4_000_000_000
    refused = (b"HTTP/1.1 413", b"")
    assert posted(site, page, session, 1_000_000) == b"HTTP/1.1 403"  # read, and without its token
    assert posted(site, page, "", 1_000_000) in refused
    assert posted(site, "/admin/", session, 1_000_000) in refused
    assert posted(site, page, session, vast) in refused


def test_a_body_without_an_end_is_not_read_to_its_end(site: Site) -> None:
    chunk = b"10000\r\n" + b"a" * 0x10000 + b"\r\n"
    before = site.processes["serve"].output().count("http.too_large")
    answer = answer_to(site, "Transfer-Encoding: chunked\r\n\r\n", *[chunk] * 9)
    assert answer[:13] in (b"HTTP/1.1 413 ", b"")
    until(
        lambda: site.processes["serve"].output().count("http.too_large") == before + 1,
        "the refusal is told once",
    )


@pytest.mark.parametrize(("size", "code"), [(65_537, 4413), (131_072, 4413), (2_000_000, 1009)])
def test_a_message_over_the_limit_closes_its_stream_with_a_code(site: Site, size: int, code: int) -> None:
    call, url = ring(site)
    twilios, stream = streaming(url, call)
    with twilios:
        twilios.send(twilio.media(2, 1, 0, stream=stream), "x" * size)
        assert twilios.closed_with() == code
    closed = f"list(Stream.objects.filter(sid='{stream}').values_list('frames', 'close_reason'))"
    until(lambda: site.ask(closed) in ([[1, "refused"]], [[1, "dropped"]]), "its row is closed")


def test_text_that_is_no_utf8_closes_with_a_code(site: Site) -> None:
    call, url = ring(site)
    twilios, _ = streaming(url, call)
    with twilios:
        twilios.connection.send(b"\xff\xfe", text=True)
        assert twilios.closed_with() == 1007


def test_what_nobody_reads_does_not_pile_up(site: Site) -> None:
    """A browser socket without a login is closed; what its peer pours into it all the same is not kept."""
    address = urlsplit(site.url)
    frame = b"\x81\xfe" + (60_000).to_bytes(2, "big") + bytes(4) + b"x" * 60_000
    with socket.create_connection((address.hostname, address.port), timeout=10) as line:
        line.sendall(OPENING.format(host=address.netloc, origin=site.url).encode())
        assert line.recv(4096).startswith(b"HTTP/1.1 101 ")
        with suppress(BrokenPipeError, ConnectionResetError):
            for _ in range(2000):
                line.sendall(frame)
    until(lambda: "ws.overrun" in site.processes["serve"].output(), "it is dropped")


def test_no_stranger_makes_the_server_fail(site: Site) -> None:
    assert "Traceback" not in site.processes["serve"].output()


def test_nobody_else_on_the_machine_may_read_what_was_said(site: Site) -> None:
    files = list((site.directory / "data").glob("contactcenter.sqlite3*"))
    assert len(files) >= 1
    assert [file.name for file in files if file.stat().st_mode & 0o077] == []
