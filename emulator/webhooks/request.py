"""One request to the target, redirects included: sent within its limits, read, and judged as Twilio would."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import quote_plus, urldefrag, urlencode, urljoin

import aiohttp
from yarl import URL

from emulator.webhooks.overrides import Failure, Overrides

MAX_REDIRECTS = 5
REDIRECTS = frozenset({301, 302, 303, 307, 308})

# What went wrong -> Twilio's error, and the kind of failure that a retry policy names. The first that fits.
FAILURES: tuple[tuple[type[Exception], int, Failure], ...] = (
    (aiohttp.ConnectionTimeoutError, 11205, "ct"),
    (aiohttp.ServerTimeoutError, 11205, "rt"),
    (TimeoutError, 11205, "other"),
    (aiohttp.ClientConnectorDNSError, 11210, "ct"),
    (aiohttp.ClientConnectorCertificateError, 11237, "ct"),
    (aiohttp.ClientSSLError, 11220, "ct"),
    (aiohttp.ClientConnectorError, 11205, "ct"),
    (aiohttp.InvalidURL, 11100, "other"),
    (aiohttp.NonHttpUrlClientError, 11100, "other"),
    (aiohttp.ClientResponseError, 11206, "other"),
    (aiohttp.ClientPayloadError, 11206, "rt"),
    (aiohttp.ClientError, 11205, "rt"),
    (OSError, 11205, "rt"),
    (ValueError, 11100, "other"),
)

Headers = Callable[[str, Mapping[str, str]], dict[str, str]]


@dataclass(frozen=True)
class Answer:
    """What came back. `error` is Twilio's code if it was no use: 11200 status, 11205 no connection …"""

    status: int = 0
    body: str = ""
    content_type: str = ""
    url: str = ""
    error: int = 0
    detail: str = ""
    failure: Failure = ""
    raw: bytes = b""


@dataclass(frozen=True)
class Limits:
    """`rules` of the address, the loop's time at which all must be over, and the longest answer in bytes."""

    rules: Overrides
    deadline: float
    size: int


async def send(
    http: aiohttp.ClientSession,
    url: str,
    method: str,
    form: Mapping[str, str],
    headers: Headers,
    limits: Limits,
) -> Answer:
    """Send and read. `headers(address, form)` are those of one hop; whatever happens is an Answer."""
    try:
        async with asyncio.timeout_at(limits.deadline):
            return await _follow(http, url, method, form, headers, limits)
    except tuple(kind for kind, _, _ in FAILURES) as error:
        return _failed(error, url)


async def _follow(
    http: aiohttp.ClientSession,
    url: str,
    method: str,
    form: Mapping[str, str],
    headers: Headers,
    limits: Limits,
) -> Answer:
    timeout = aiohttp.ClientTimeout(
        total=None, sock_connect=limits.rules.connect / 1000, sock_read=limits.rules.read / 1000
    )
    for _ in range(MAX_REDIRECTS + 1):
        address, body = _address(url, method, form)
        async with http.request(
            method,
            URL(address, encoded=True),
            data=body,
            headers=headers(address, form if method == "POST" else {}),
            allow_redirects=False,
            timeout=timeout,
        ) as response:
            onward = response.headers.get("Location", "")
            if response.status not in REDIRECTS or not onward:
                return await _read(response, address, limits.size)
            # Redirects are followed as GET and lose the posted fields (Twilio's request documentation).
            url, method, form = urljoin(address, onward), "GET", {}
    return Answer(error=11215, detail=f"too many redirects, the last to {url}", failure="other")


def _address(url: str, method: str, form: Mapping[str, str]) -> tuple[str, bytes | None]:
    address = urldefrag(url).url
    if method == "POST":
        return address, urlencode(form).encode()
    if not form:
        return address, None
    joint = "&" if "?" in address else "?"
    return address + joint + urlencode(form, quote_via=quote_plus), None


async def _read(response: aiohttp.ClientResponse, url: str, size: int) -> Answer:
    raw = bytearray()
    async for piece in response.content.iter_any():
        raw += piece
        if len(raw) > size:
            detail = f"more than {size} bytes from {url}"
            return Answer(status=response.status, url=url, error=11750, detail=detail, failure="other")
    status = response.status
    ok = 200 <= status < 300
    failure: Failure = "" if ok else "5xx" if status >= 500 else "4xx" if status >= 400 else "other"
    return Answer(
        status=status,
        body=raw.decode(errors="replace"),
        content_type=response.content_type,
        url=url,
        error=0 if ok else 11200,
        detail="" if ok else f"HTTP {status} from {url}",
        failure=failure,
        raw=bytes(raw),
    )


def _failed(error: Exception, url: str) -> Answer:
    code, failure = next((code, failure) for kind, code, failure in FAILURES if isinstance(error, kind))
    address = url.partition("#")[0]
    if code == 11100:
        return Answer(error=code, detail=f"Invalid URL format: {address[:200]!r}", failure=failure)
    return Answer(error=code, detail=f"{_why(error)} For {address}", failure=failure)


def _why(error: Exception) -> str:
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return f"no such host: {error.host}."
    if isinstance(error, aiohttp.ClientConnectorError) and error.os_error.errno:
        because = os.strerror(error.os_error.errno)
        return f"no connection to {error.host}:{error.port} ({because}); is it running?"
    return f"{type(error).__name__}: {error}".removesuffix(": ") + "."
