"""The application's way to Twilio's REST API: requests go on as they came, and are written down.

The Authorization header goes on and is not written down. What cannot be written down goes on all the same.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable, Sequence

import aiohttp
from aiohttp import web
from yarl import URL

from emulator.capture.hypertext import MOST_BODY, Head, Whole
from emulator.capture.scribe import Scribe

logger = logging.getLogger("contactcenter.emulator")

TOTAL_S = 60.0
MOST_REQUEST = 1 << 20
HOPS = frozenset({"host", "connection", "keep-alive", "transfer-encoding", "content-length", "upgrade"})
AUTO = ("User-Agent", "Accept", "Accept-Encoding", "Content-Type")
DOWN = b'{"code": 20500, "message": "The API could not be reached", "status": 502}'
SCRIBE: web.AppKey[Scribe] = web.AppKey("scribe", Scribe)
HTTP: web.AppKey[aiohttp.ClientSession] = web.AppKey("http", aiohttp.ClientSession)
BASE: web.AppKey[str] = web.AppKey("base", str)

RawHeaders = Sequence[tuple[bytes, bytes]]


def application(api: str, scribe: Scribe) -> web.Application:
    """Forwards every request to `api`, an address without path such as https://api.twilio.com."""
    app = web.Application(client_max_size=MOST_REQUEST)
    app[SCRIBE], app[BASE] = scribe, api.rstrip("/")
    app.router.add_route("*", "/{path:.*}", forward)
    app.cleanup_ctx.append(_session)
    return app


async def _session(app: web.Application) -> AsyncIterator[None]:
    timeout = aiohttp.ClientTimeout(total=TOTAL_S)
    async with aiohttp.ClientSession(
        cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False, timeout=timeout
    ) as http:
        app[HTTP] = http
        yield


async def forward(request: web.Request) -> web.StreamResponse:
    """One request and its answer; 502 with a body like Twilio's when the API cannot be reached."""
    scribe, body = request.app[SCRIBE], await request.read()
    number = scribe.number()
    head = Head((request.method, request.raw_path, "HTTP/1.1"), _plain(request.raw_headers))
    _write(lambda: scribe.request(number, "rest", Whole(head, body, len(body)), scribe.tape.now()))
    answer = web.StreamResponse()
    try:
        whole = await _exchange(request, body, answer)
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        scribe.tape.trouble(f"the API did not answer: {type(error).__name__}")
        if answer.prepared:
            raise  # half an answer cannot be taken back
        return web.Response(status=502, body=DOWN, content_type="application/json")
    _write(lambda: scribe.answer(number, "rest", whole, scribe.tape.now()))
    return answer


async def _exchange(request: web.Request, body: bytes, answer: web.StreamResponse) -> Whole:
    """Ask the API and pass its answer back as it comes; returns what of it is kept."""
    async with request.app[HTTP].request(
        request.method,
        URL(request.app[BASE] + request.raw_path, encoded=True),
        data=body or None,
        headers=_passed(request.raw_headers),
        skip_auto_headers=AUTO,
        allow_redirects=False,
    ) as response:
        answer.set_status(response.status, response.reason)
        for name, value in _passed(response.raw_headers):
            answer.headers.add(name, value)
        if response.headers.get("Content-Length", "").isdigit():
            answer.content_length = int(response.headers["Content-Length"])
        await answer.prepare(request)
        kept, size = bytearray(), 0
        async for piece in response.content.iter_any():
            await answer.write(piece)
            size += len(piece)
            kept += piece[: max(0, MOST_BODY - len(kept))]
        await answer.write_eof()
        head = Head(("HTTP/1.1", str(response.status), ""), _plain(response.raw_headers))
        return Whole(head, bytes(kept), size)


def _plain(headers: RawHeaders) -> list[tuple[str, str]]:
    return [(name.decode("latin-1"), value.decode("latin-1")) for name, value in headers]


def _passed(headers: RawHeaders) -> list[tuple[str, str]]:
    return [(name, value) for name, value in _plain(headers) if name.lower() not in HOPS]


def _write(step: Callable[[], None]) -> None:
    try:
        step()
    except Exception:
        logger.exception("emulator.capture.rest")
