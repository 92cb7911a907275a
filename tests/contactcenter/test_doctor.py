"""The doctor: one line a check, one remedy a fault; what it sees of a certificate, a proxy, a socket."""

import asyncio
import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509  # Daphne brings it: Twisted's TLS
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from django.test import override_settings

from contactcenter import echo, reach
from contactcenter.doctor import Check, examine, speech
from contactcenter.reach import Wrong
from tests import twilio
from tests.contactcenter.test_sockets import answer, handshake, is_refused


def well() -> str:
    return "as it should be"


def ill() -> str:
    raise Wrong("it is broken", "Mend it.")


def told(*checks: Check) -> tuple[int, list[str]]:
    lines: list[str] = []
    return examine(lines.append, checks), lines


def test_each_check_is_a_line_and_each_fault_has_its_remedy() -> None:
    count, lines = told(Check("one", well), Check("two", ill))
    assert count == 1
    assert lines == ["  ok     one: as it should be", "  WRONG  two: it is broken. Mend it."]


def test_what_rests_on_something_wrong_is_not_looked_at() -> None:
    count, lines = told(Check("one", ill), Check("two", well, needs=("one",)), Check("three", well, ("two",)))
    assert count == 3
    assert lines[1:] == ["  --     two: needs one first", "  --     three: needs two first"]


def test_missing_models_are_told_with_the_command(tmp_path: Path) -> None:
    with override_settings(TRANSCRIBER="embedded", SPEECH_MODEL_DIR=tmp_path):
        with pytest.raises(Wrong) as found:
            speech()
        assert "make setup" in found.value.remedy


@contextmanager
def served(status: int, *, tls: ssl.SSLContext | None = None, **headers: str) -> Iterator[str]:
    """A server that answers everything with a status; its address."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(b"hello\n")

        do_POST = do_GET

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    server = HTTPServer(("127.0.0.1", 0), Answer)
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize("status", [200, 301, 403, 404, 502])
def test_a_proxy_that_answers_by_itself_is_not_taken_for_us(status: int) -> None:
    with served(status, Location="https://elsewhere.example/") as url, override_settings(PUBLIC_URL=url):
        with pytest.raises(Wrong, match=f"answers {status}"):
            reach.pages()
        with pytest.raises(Wrong):
            reach.webhook()
        with pytest.raises(Wrong, match="upgrade is re") as found:
            reach.media_socket()
        assert "Upgrade" in found.value.remedy or "SECRET_KEY" in found.value.remedy


def test_a_self_signed_certificate_is_told(tmp_path: Path) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(self_signed(tmp_path / "both.pem"))
    with (
        served(200, tls=tls) as url,
        override_settings(PUBLIC_URL=url),
        pytest.raises(Wrong, match="the certificate is refused"),
    ):
        reach.certificate()


def self_signed(path: Path) -> Path:
    """A key and a certificate that no authority signed, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(now).not_valid_after(now + timedelta(days=30))
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(private + builder.sign(key, SHA256()).public_bytes(Encoding.PEM))
    return path


def test_a_port_where_nobody_speaks_tls_is_told() -> None:
    with (
        served(200) as url,
        override_settings(PUBLIC_URL=url.replace("http", "https")),
        pytest.raises(Wrong),
    ):
        reach.certificate()


def test_media_sockets_need_port_443() -> None:
    public = override_settings(PUBLIC_URL="https://calls.example.com:8443")
    with public, pytest.raises(Wrong, match="port 8443"):
        reach.media_socket()


@pytest.mark.parametrize(
    ("date", "said"),
    [("Fri, 20 Nov 2020 10:00:00 GMT", "the clock is"), ("yesterday", "tells no time")],
)
def test_a_wrong_clock_is_told(date: str, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reach, "_get", lambda url: (401, b"", date))
    with pytest.raises(Wrong, match=said):
        reach.clock()


def test_the_echo_says_what_arrived_to_a_doctor_of_this_installation() -> None:
    path = f"{echo.PATH}{echo.proof()}/"
    scope = handshake(path)
    signature = twilio.signature(f"wss://calls.example.com{path}")
    scope["headers"].append((b"x-twilio-signature", signature.encode()))
    accepted, message, closed = asyncio.run(answer(scope))
    assert accepted == {"type": "websocket.accept"}
    seen: dict[str, Any] = json.loads(message["text"])
    assert seen == {"path": path, "host": "calls.example.com", "signature_valid": True}
    assert closed["type"] == "websocket.close"


@pytest.mark.parametrize(
    "proof", ["", "x", "doctor:1xUPbX:hcD49qsQeUIVciP8itYXum45ep_hmbwPHhN-Vdo6v_4", "\x00"]
)
def test_the_echo_refuses_everyone_else(proof: str) -> None:
    assert is_refused(asyncio.run(answer(handshake(f"{echo.PATH}{proof}/"))))


def test_a_proof_lasts_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(echo, "VALID_SECONDS", -1)
    assert is_refused(asyncio.run(answer(handshake(f"{echo.PATH}{echo.proof()}/"))))
