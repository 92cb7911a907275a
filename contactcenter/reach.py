"""The doctor's view from outside: our own public address, by the ways that Twilio takes."""

import asyncio
import ssl
import time
from base64 import b64encode
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote, urlsplit

import aiohttp
from django.conf import settings
from twilio.request_validator import RequestValidator
from yarl import URL

from calls.gateway import credentials, probe
from calls.gateway.probe import LIMIT, OPEN_443, Wrong, pages
from calls.gateway.probe import get as _get
from contactcenter import echo

__all__ = [
    "Careful",
    "Several",
    "Wrong",
    "certificate",
    "clock",
    "media_socket",
    "pages",
    "rest_status",
    "webhook",
]

CLOCK_LIMIT = 30.0  # seconds; Twilio's own tokens tolerate 60
DAYS_LEFT = 14


class Careful(Wrong):
    """Calls work, but perhaps not as meant: told, and no failure."""


class Several(Wrong):
    """More than one thing, each with its remedy."""

    def __init__(self, faults: Sequence[Wrong]) -> None:
        super().__init__("; ".join(fault.text for fault in faults), " ".join(f.remedy for f in faults))
        self.faults = list(faults)


def certificate() -> str:
    """The certificate is trusted and lasts. Raises Wrong."""
    parts = urlsplit(settings.PUBLIC_URL)
    if parts.scheme != "https":
        return "none is needed on loopback"
    port = parts.port or 443
    try:
        pem = asyncio.run(_peer_certificate(parts.hostname or "", port))
    except ssl.SSLError as error:
        raise Wrong(
            f"the certificate is refused ({error.reason or error})",
            "Serve a certificate of a public authority with its whole chain; a self-signed one is refused.",
        ) from None
    except (OSError, TimeoutError) as error:
        raise Wrong(f"no TLS on port {port} ({error})", OPEN_443) from None
    days = int((ssl.cert_time_to_seconds(pem["notAfter"]) - time.time()) / 86_400)
    if days < DAYS_LEFT:
        raise Wrong(f"the certificate ends in {days} days", "Renew it.")
    return f"trusted, {days} days left"


async def _peer_certificate(host: str, port: int) -> dict[str, Any]:
    async with asyncio.timeout(LIMIT):
        _, writer = await asyncio.open_connection(host, port, ssl=ssl.create_default_context())
    found: dict[str, Any] = writer.get_extra_info("peercert")
    writer.close()
    with suppress(OSError, ssl.SSLError):
        await writer.wait_closed()
    return found


def webhook() -> str:
    """A webhook signed by the first token of each region is let in. Raises Wrong."""
    regions = credentials.tokens_by_region()
    for own in regions.values():
        said = probe.webhook(own[0])
    return said if len(regions) == 1 else f"{said}, of {', '.join(regions)} each"


def media_socket() -> str:
    """A WebSocket as Twilio opens it arrives with its path and signature whole. Raises Wrong."""
    proof = quote(echo.proof(), safe="")
    path = f"{echo.PATH}{proof}/"
    base = settings.PUBLIC_URL.replace("http", "ws", 1)
    parts = urlsplit(settings.PUBLIC_URL)
    if parts.scheme == "https" and parts.port not in {None, 443}:
        raise Wrong(
            f"PUBLIC_URL names port {parts.port}", "Use port 443: Twilio's media sockets take no other."
        )
    try:
        seen = asyncio.run(_shake_hands(base + path))
    except aiohttp.WSServerHandshakeError as error:
        raise Wrong(f"the upgrade is refused ({error.status})", _UPGRADE[error.status == 403]) from None
    except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
        raise Wrong(f"no WebSocket ({type(error).__name__})", _UPGRADE[False]) from None
    if seen["path"] != path:
        raise Wrong(
            f"the path arrives changed: {seen['path'][:60]}",
            "Let the proxy keep the path as it is, with its trailing slash and its escapes.",
        )
    if not seen["signature_valid"]:
        raise Wrong(
            "the signature arrives, but does not fit",
            "Give the server that answers there the same PUBLIC_URL and TWILIO_AUTH_TOKEN.",
        )
    return "the upgrade keeps path and signature"


_UPGRADE = {
    True: "Give the server that answers there this SECRET_KEY (or DATA_DIR), so that it knows its doctor.",
    False: "Let the proxy pass Upgrade and Connection (HTTP/1.1) below /media/, without login or redirect.",
}


async def _shake_hands(url: str) -> dict[str, Any]:
    signature = RequestValidator(settings.TWILIO_AUTH_TOKENS[0]).compute_signature(url, {})
    timeout = aiohttp.ClientTimeout(total=LIMIT)
    trace = aiohttp.TraceConfig()
    trace.on_request_redirect.append(_refuse_redirect)
    async with (
        aiohttp.ClientSession(timeout=timeout, trace_configs=[trace]) as http,
        asyncio.timeout(LIMIT),
        http.ws_connect(_raw(url), headers={"X-Twilio-Signature": signature}, max_msg_size=4096) as socket,
    ):
        seen: dict[str, Any] = await socket.receive_json()
        return seen


async def _refuse_redirect(session: Any, context: Any, params: Any) -> None:
    raise Wrong(f"the upgrade is redirected ({params.response.status})", _UPGRADE[False])


def _raw(url: str) -> Any:
    """The address exactly as it is signed; aiohttp would write its escapes anew."""
    return URL(url, encoded=True)


def rest_status(region: str, user: str, password: str) -> int:
    """How the region's REST answers this very login, also where another one does the work. Raises Wrong."""
    path = f"/2010-04-01/Accounts/{settings.TWILIO_ACCOUNT_SID}/IncomingPhoneNumbers.json?PageSize=1"
    proof = b64encode(f"{user}:{password}".encode()).decode()
    host = credentials.host(region)
    headers = {"Authorization": f"Basic {proof}", "Host": host}
    status, _, _ = _get((settings.TWILIO_API_URL or f"https://{host}") + path, headers=headers)
    return status


def _api() -> str:
    return settings.TWILIO_API_URL or "https://api.twilio.com"


def clock() -> str:
    """Our clock against Twilio's (the Date of any answer). Raises Wrong."""
    url = _api()
    _, _, date = _get(f"{url}/2010-04-01.json")
    try:
        told = parsedate_to_datetime(date)
    except (TypeError, ValueError):
        raise Wrong(
            f"{url} tells no time", "Check that this machine reaches Twilio, not a captive portal."
        ) from None
    apart = abs((datetime.now(UTC) - told).total_seconds())
    if apart > CLOCK_LIMIT:
        raise Wrong(f"the clock is {apart:.0f} s off", "Let the machine keep time by NTP (timedatectl).")
    return f"within {apart:.0f} s of Twilio's"
