"""The requests and handshakes that the emulator sends, as they arrive, judged by the official validator."""

import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from twilio.request_validator import RequestValidator

from calls.signature import handshake_valid, webhook_valid
from tests.emulator.conftest import ALICE, OFFICE, TOKEN, Box
from tests.emulator.product import Product
from tests.emulator.test_program import program

OFFICIAL = RequestValidator(TOKEN)
ODD = {"CallerName": "Åse & Søn 🦀", "FromCity": "", "SpeechResult": " two  words\r\n", "A+b=c%20": "d&e#f"}


@dataclass
class Seen:
    """One request as its bytes came: raw path with query, posted fields, signature."""

    method: str
    raw_path: str
    form: Any
    signature: str


class Witness(Product):
    """A product that also notes each request as it came, sockets too."""

    def __init__(self) -> None:
        self.seen: list[Seen] = []
        super().__init__()

    async def _request(self, request: web.Request) -> web.Response:
        await self._note(request)
        return await super()._request(request)

    async def _media(self, request: web.Request) -> web.StreamResponse:
        await self._note(request)
        return await super()._media(request)

    async def _note(self, request: web.Request) -> None:
        sent = request.headers.get("X-Twilio-Signature", "")
        self.seen.append(Seen(request.method, request.raw_path, await request.post(), sent))

    def on(self, path: str) -> list[Seen]:
        """The requests whose raw path begins so."""
        return [one for one in self.seen if one.raw_path.startswith(path)]


@pytest.fixture
async def product() -> AsyncIterator[Witness]:
    """The application that the emulator calls, with its eyes open."""
    witness = Witness()
    await witness.server.start_server()
    yield witness
    await witness.server.close()


def assert_all_signed(witness: Witness) -> None:
    """Twilio's validator and the product's own check take every request, none with another token."""
    for one in witness.seen:
        base = witness.socket_url if one.raw_path.startswith("/media/") else witness.url
        assert OFFICIAL.validate(base + one.raw_path, one.form, one.signature), one.raw_path
        assert not RequestValidator("other").validate(base + one.raw_path, one.form, one.signature)
        assert product_takes(witness.url, one), one.raw_path


def product_takes(url: str, one: Seen) -> bool:
    if one.raw_path.startswith("/media/"):
        return handshake_valid(public_url=url, raw_path=one.raw_path, signature=one.signature, tokens=[TOKEN])
    fields = {name: one.form.getall(name) for name in one.form}
    return webhook_valid(
        public_url=url, path=one.raw_path, fields=fields, signature=one.signature, tokens=[TOKEN]
    )


def tap(witness: Witness, path: str) -> str:
    url, callback = witness.socket_url + path, witness.url + "/streams/?a=1"
    return f"<Start><Stream url='{url}' statusCallback='{callback}'/></Start>"


async def test_every_request_of_a_call_is_signed_as_it_arrives(product: Witness, box: Box) -> None:
    voice = f"{product.url}/voice/%C3%A9tage%2f1?who=%20a+b&who=&x#rc=2&rp=5xx"
    await box.twilio(
        lambda client: client.incoming_phone_numbers.list(phone_number=OFFICE)[0].update(
            voice_url=voice, status_callback=f"{product.url}/status/?b=&a#rc=1"
        )
    )
    product.answers["/voice/étage/1"] = (
        f"<Response>{tap(product, '/media/%C3%A9tage/1/')}<Dial action='/dialled/?q=%20' method='GET'>"
        "<Number statusCallback='/child/' statusCallbackEvent='initiated ringing answered completed'>"
        "+31209999999</Number></Dial></Response>"
    )
    product.answers["/dialled/"] = "<Response><Redirect>/bye?x=1#rc=1</Redirect></Response>"
    sid = await box.place(caller_name="Åse & Søn 🦀", params=ODD)
    await box.clock.advance(5)
    await product.until(lambda: product.sockets and len(product.sockets[0].messages) > 1)
    child = (await box.children(sid))[0]["call_sid"]
    await box.post(f"/emulator/calls/{child}/hangup/", {})
    await product.until(lambda: product.on("/bye?x=1") and product.on("/status/?b=&a"))
    await product.until(lambda: len(product.on("/streams/?a=1")) == 2 and len(product.on("/child/")) == 4)
    asked = product.on("/voice/")
    assert [one.raw_path for one in asked] == ["/voice/%C3%A9tage%2f1?who=%20a+b&who=&x"]
    assert ODD.items() <= dict(asked[0].form).items()
    assert [one.method for one in product.on("/dialled/?q=%20&")] == ["GET"]
    assert len(product.on("/media/%C3%A9tage/1/")) == 1
    assert_all_signed(product)


@pytest.fixture
async def secure(tmp_path: Path) -> AsyncIterator[tuple[Witness, dict[str, str]]]:
    """The same over TLS, and the environment in which its certificate is trusted."""
    witness, certificate = Witness(), certify(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    await witness.server.start_server(ssl=context)
    yield witness, {"SSL_CERT_FILE": str(certificate)}
    await witness.server.close()


async def test_over_tls_the_port_is_signed_for_sockets_and_not_for_webhooks(
    secure: tuple[Witness, dict[str, str]],
) -> None:
    witness, environment = secure
    voice = f"<Response>{tap(witness, '/media/x/')}<Pause length='60'/></Response>"
    witness.answers["/twilio/voice/"] = voice
    environment["TWILIO_AUTH_TOKEN"] = TOKEN
    async with (
        program("--port", "0", "--target", witness.url, **environment) as (line, _),
        aiohttp.ClientSession() as http,
        http.post(f"{line['url']}/emulator/calls/", json={"from": ALICE, "to": OFFICE}),
    ):
        await witness.until(lambda: witness.sockets and witness.sockets[0].of("media"))
        told = await witness.until(lambda: witness.on("/streams/"))
    assert witness.url == f"https://127.0.0.1:{witness.server.port}"
    without_port = OFFICIAL.compute_signature("https://127.0.0.1/streams/?a=1", told[0].form)
    assert told[0].signature == without_port
    as_given = OFFICIAL.compute_signature(f"{witness.socket_url}/media/x/", {})
    assert witness.on("/media/")[0].signature == as_given
    assert_all_signed(witness)


def certify(directory: Path) -> Path:
    """A file with a key and a certificate for 127.0.0.1, signed by itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "application under test")])
    now = datetime.now(UTC)
    usage = dict.fromkeys(
        ["content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "crl_sign"], False
    )
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(
            x509.KeyUsage(
                digital_signature=True, key_cert_sign=True, encipher_only=False, decipher_only=False, **usage
            ),
            critical=True,
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), False)
        .sign(key, hashes.SHA256())
    )
    path = directory / "certificate.pem"
    pem = serialization.Encoding.PEM
    unlocked = serialization.NoEncryption()
    path.write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, unlocked) + certificate.public_bytes(pem)
    )
    return path
