"""Which sockets are let in before any consumer is asked."""

from typing import Any

import pytest
from django.test import override_settings

from calls.counters import REGISTRY
from contactcenter import sockets
from contactcenter.draining import draining

PUBLIC = "https://calls.example.com"
FOREIGN = [
    "",
    "null",
    "http://calls.example.com",
    "https://calls.example.com:8443",
    "https://calls.example.com:99999",
    "https://calls.example.com:-1",
    "https://calls.example.com:443x",
    "https://calls.example.com/",
    "https://calls.example.com/live/",
    "https://calls.example.com.evil.example",
    "https://evil.example",
    "https://evil.example/https://calls.example.com",
    "https://calls.example.com@evil.example",
    "https://user@calls.example.com",
    "https://calls.example.com#x",
    "https://calls.example.com?x",
    "https://calls.example.com\t",
    "https://calls.exa\tmple.com",
    " https://calls.example.com",
    "wss://calls.example.com",
    "file://",
    "javascript:alert(1)",
    "https://[::1",
    "https://[calls.example.com]",
    "https://\xffcalls.example.com",
    "https://calls.example.com\x00",
    "https://CALLS.EXAMPLE.COM.",
    "http://localhost:8000",
    "http://127.0.0.1:8001",
    "x" * 70_000,
]


def handshake(path: str, *, origin: str | None = None, host: str = "calls.example.com") -> dict[str, Any]:
    headers = [(b"host", host.encode())]
    if origin is not None:
        headers.append((b"origin", origin.encode("latin-1")))
    return {
        "type": "websocket",
        "path": path,
        "raw_path": path.encode("utf-8", "replace"),
        "query_string": b"",
        "headers": headers,
        "subprotocols": [],
    }


async def answer(scope: dict[str, Any], application: Any = sockets.application) -> list[dict[str, Any]]:
    """What the application sends to a handshake."""
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "websocket.connect"}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await application(scope, receive, send)
    return sent


def is_refused(sent: list[dict[str, Any]]) -> bool:
    """Closed before accept: every ASGI server answers that with HTTP 403."""
    return [message["type"] for message in sent] == ["websocket.close"]


def denials(event: str) -> float:
    return REGISTRY.get_sample_value("cc_denied_total", {"event": event}) or 0.0


@pytest.mark.parametrize("origin", FOREIGN)
@pytest.mark.parametrize("path", ["/ws/live/", "/ws/calls/1/", "/ws/nothing/"])
async def test_a_page_of_another_site_opens_no_browser_socket(path: str, origin: str) -> None:
    before = denials("ws.origin.denied")
    assert is_refused(await answer(handshake(path, origin=origin)))
    assert denials("ws.origin.denied") == before + 1


async def test_no_origin_or_two_open_no_browser_socket() -> None:
    twice = handshake("/ws/live/", origin=PUBLIC)
    twice["headers"].append((b"origin", PUBLIC.encode()))
    assert is_refused(await answer(handshake("/ws/live/")))
    assert is_refused(await answer(twice))


def test_a_page_of_the_public_address_may_open_a_socket_whatever_the_host_says() -> None:
    for host in ("calls.example.com", "127.0.0.1:8000", "anything"):
        assert sockets.may_open([(b"host", host.encode()), (b"origin", PUBLIC.encode())])


@pytest.mark.parametrize("public", ["https://calls.example.com:8443", "http://127.0.0.1:8000"])
def test_the_port_of_the_public_address_counts(public: str) -> None:
    with override_settings(PUBLIC_URL=public):
        assert sockets.may_open([(b"host", b"x"), (b"origin", public.encode())])
        assert not sockets.may_open([(b"host", b"x"), (b"origin", public.rpartition(":")[0].encode())])


@pytest.mark.parametrize(
    ("origin", "host", "open_"),
    [
        ("http://localhost:8000", "localhost:8000", True),
        ("http://127.0.0.1:8000", "127.0.0.1:8000", True),
        ("http://[::1]:8000", "[::1]:8000", True),
        ("http://localhost", "localhost", True),
        ("https://localhost:8000", "localhost:8000", False),
        ("http://localhost:3000", "localhost:8000", False),
        ("http://127.0.0.1:8000", "localhost:8000", False),
        ("http://evil.example", "evil.example", False),
        ("http://localhost.evil.example:8000", "localhost.evil.example:8000", False),
    ],
)
def test_on_its_own_machine_a_page_may_open_a_socket_to_the_address_it_came_from(
    origin: str, host: str, open_: bool
) -> None:
    headers = [(b"host", host.encode()), (b"origin", origin.encode())]
    assert sockets.may_open(headers) is open_


@pytest.mark.parametrize(
    "path",
    ["/", "/nothing", "/ws", "/media/", "/media/short/", f"/media/{'0' * 31}g/", "/media/k/", "/\x00", "/é"],
)
async def test_an_unknown_path_is_refused_before_accept(path: str) -> None:
    event = "media.handshake.denied" if path.startswith("/media/") else "ws.path.unknown"
    before = denials(event)
    assert is_refused(await answer(handshake(path, origin=PUBLIC)))
    assert denials(event) == before + 1


async def test_an_unknown_browser_path_is_refused_to_our_own_pages_too() -> None:
    for path in ("/ws/", "/ws/calls/abc/", "/ws/calls/1", f"/ws/calls/{'9' * 19}/"):
        assert is_refused(await answer(handshake(path, origin=PUBLIC)))


async def test_a_draining_server_opens_no_socket() -> None:
    draining.set()
    try:
        assert is_refused(await answer(handshake(f"/media/{'0' * 32}/")))
    finally:
        draining.clear()


async def test_a_fault_before_accept_is_a_refusal() -> None:
    async def faulty(scope: Any, receive: Any, send: Any) -> None:
        raise RuntimeError("the database is away")

    assert is_refused(await answer(handshake("/ws/live/"), sockets.Guarded(faulty)))


async def test_a_fault_after_accept_is_the_servers_to_end() -> None:
    async def faulty(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "websocket.accept"})
        raise RuntimeError("later")

    with pytest.raises(RuntimeError, match="later"):
        await answer(handshake("/ws/live/"), sockets.Guarded(faulty))
