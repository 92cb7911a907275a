"""The doctor: one line a check, one remedy a fault; what it sees of a certificate, a proxy, a socket."""

import asyncio
import base64
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

from calls.models import Hours, Queue
from contactcenter import doctor_numbers, echo, reach
from contactcenter.doctor import Check, examine, speech
from contactcenter.reach import Careful, Several, Wrong
from tests import factories, people, twilio
from tests.calls import rest as twilio_rest
from tests.calls.numbers import Twilio
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


def test_what_is_perhaps_not_meant_is_told_and_no_failure() -> None:
    def careful() -> str:
        raise Several([Careful("nobody answers", "Add somebody."), Careful("it is night", "Wait.")])

    def mixed() -> str:
        raise Several([Careful("nobody answers", "Add somebody."), Wrong("it is broken", "Mend it.")])

    assert told(Check("one", careful), Check("two", well, needs=("one",))) == (
        0,
        [
            "  note   one: nobody answers. Add somebody.",
            "  note   one: it is night. Wait.",
            "  ok     two: as it should be",
        ],
    )
    count, lines = told(Check("one", mixed))
    assert (count, lines[1]) == (1, "  WRONG  one: it is broken. Mend it.")


def asked_by(monkeypatch: pytest.MonkeyPatch, refused: str = "") -> list[tuple[str, str]]:
    """(host, login) of each question to REST, which refuses one password."""
    asked: list[tuple[str, str]] = []

    def get(url: str, headers: dict[str, str]) -> tuple[int, bytes, str]:
        login = base64.b64decode(headers["Authorization"].removeprefix("Basic ")).decode()
        asked.append((headers["Host"], login.partition(":")[2]))
        return 401 if refused and login.endswith(refused) else 200, b"", ""

    monkeypatch.setattr(reach, "_get", get)
    return asked


REGIONS = {
    "ie1": {"tokens": ["irish"], "key": "", "secret": ""},
    "au1": {"tokens": ["austral"], "key": "SKau", "secret": "key's secret"},
}


@override_settings(TWILIO_REGIONS=REGIONS)
def test_each_login_is_tried_at_its_own_region(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = asked_by(monkeypatch)
    assert doctor_numbers.tokens() == (
        "us1 2 of the account; ie1 1 of the account; au1 1 of the account, an API key"
    )
    assert asked == [
        ("api.twilio.com", "first-token"),
        ("api.twilio.com", "next-token"),
        ("api.dublin.ie1.twilio.com", "irish"),
        ("api.sydney.au1.twilio.com", "austral"),
        ("api.sydney.au1.twilio.com", "key's secret"),
    ]


@override_settings(TWILIO_REGIONS=REGIONS)
@pytest.mark.parametrize(
    ("refused", "said"),
    [
        ("next-token", "token 2 of TWILIO_AUTH_TOKEN is not"),
        ("irish", "token 1 of TWILIO_AUTH_TOKEN_IE1 is not"),
        ("key's secret", "TWILIO_API_KEY_AU1 is not"),
    ],
)
def test_a_login_of_another_region_is_named(refused: str, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked_by(monkeypatch, refused)
    with pytest.raises(Wrong, match=said) as found:
        doctor_numbers.tokens()
    assert refused not in found.value.text + found.value.remedy


@pytest.mark.django_db
def test_queues_without_agents_and_hours_without_times_are_noted() -> None:
    help_queue, hours = Queue.objects.create(name="Help"), Hours.objects.create(name="Never")
    factories.number(label="Front", destination="queue", queue=help_queue, hours=hours)
    factories.number(label="Bare", forward_to="")
    with pytest.raises(Several) as found:
        doctor_numbers.people()
    assert [fault.text for fault in found.value.faults] == [
        "Bare: nobody is chosen: callers hear an apology and are cut off",
        "the queue Help has no agents",
        "the opening hours Never have no times: always closed",
    ]
    assert all(isinstance(fault, Careful) for fault in found.value.faults)


@pytest.mark.django_db
def test_the_browser_phone_needs_an_api_key() -> None:
    assert doctor_numbers.phone() == "no agent answers in the browser"
    people.agent_jonas()
    with pytest.raises(Careful, match="no API key"):
        doctor_numbers.phone()
    with override_settings(TWILIO_API_KEY="SK1", TWILIO_API_SECRET="secret"):
        assert doctor_numbers.phone() == "an API key is there for it"


@pytest.mark.django_db
def test_every_number_that_is_wrong_has_a_line_of_its_own() -> None:
    for e164 in ("+31201234567", "+31201234568"):
        factories.number(e164=e164, label=e164)
    with twilio_rest.rest() as scripted:
        Twilio(scripted, voice_url="")
        with pytest.raises(Several) as found:
            doctor_numbers.numbers()
    first, second = (fault.text for fault in found.value.faults)
    assert first == "+31201234567 differs in voice_url"
    assert second.startswith(f"The account {twilio.ACCOUNT_SID} has no number +31201234568 in us1")


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
