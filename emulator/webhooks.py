"""Requests to the target: signed, limited to 15 s, retried as the address's fragment says, written down."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import parse_qsl, quote_plus, urldefrag, urlencode, urljoin

import aiohttp
from yarl import URL

from emulator.faults import Faults
from emulator.sign import signature
from emulator.world import Call, World, iso

TOTAL_MS = 15_000
CONNECT_MS = 5_000
MAX_ANSWER = 256 * 1024
MAX_REDIRECTS = 5

Failure = Literal["", "ct", "rt", "4xx", "5xx"]


@dataclass(frozen=True)
class Overrides:
    """Connection overrides of a webhook address (`#rc=2&rp=5xx`): milliseconds, retries, what to retry."""

    connect: int = CONNECT_MS
    total: int = TOTAL_MS
    retries: int = 1
    policy: frozenset[str] = frozenset({"ct"})

    def retry(self, failure: Failure) -> bool:
        """Whether this failure is tried again."""
        return bool(failure) and (failure in self.policy or "all" in self.policy)


def overrides(url: str) -> Overrides:
    """Read the fragment; what is unknown or out of range is left at its default."""
    given = dict(parse_qsl(urldefrag(url).fragment))

    def number(name: str, default: int, top: int) -> int:
        text = given.get(name, "")
        return min(int(text), top) if text.isdigit() else default

    policy = frozenset(given["rp"].split(",")) if given.get("rp") else frozenset({"ct"})
    return Overrides(
        connect=number("ct", CONNECT_MS, 10_000),
        total=min(number("tt", TOTAL_MS, TOTAL_MS), TOTAL_MS),
        retries=number("rc", 1, 5),
        policy=policy,
    )


@dataclass(frozen=True)
class Answer:
    """What came back. `error` is Twilio's code if it was no use: 11200 status, 11205 no connection."""

    status: int = 0
    body: str = ""
    content_type: str = ""
    url: str = ""
    error: int = 0
    detail: str = ""
    failure: Failure = ""


class Courier:
    """Sends webhooks. Requests for TwiML are awaited; callbacks go in the background, in order per call."""

    def __init__(self, world: World, faults: Faults, http: aiohttp.ClientSession) -> None:
        self._world = world
        self._faults = faults
        self._http = http
        self._turn: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._tasks: set[asyncio.Task[Any]] = set()

    async def ask(self, call: Call, kind: str, url: str, method: str, form: dict[str, str]) -> Answer:
        """Send one webhook and wait for its answer."""
        with self._world.clock.hold():
            if self._faults.delay_webhooks_ms:
                await asyncio.sleep(self._faults.delay_webhooks_ms / 1000)
            answer = await self._tried(call, kind, url, method, form)
            if self._faults.duplicate_webhooks:
                await self._once(call, kind, url, method, form, self._world.sid("IT"))
            return answer

    def tell(self, call: Call, kind: str, url: str, method: str, form: dict[str, str]) -> None:
        """Send one callback in the background."""
        if url and not self._faults.drop_status_callbacks:
            self.spawn(self._tell_in_turn(call, kind, url, method, form))

    def spawn(self, work: Coroutine[Any, Any, Any]) -> None:
        """Run something in the background until it ends or the emulator does."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Give up whatever is still under way."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def forget(self, call_sid: str) -> None:
        """Drop what is kept per call."""
        self._turn.pop(call_sid, None)

    async def _tell_in_turn(self, call: Call, kind: str, url: str, method: str, form: dict[str, str]) -> None:
        async with self._turn[call.sid]:
            answer = await self.ask(call, kind, url, method, form)
        if answer.error:
            call.note(answer.error, answer.detail, self._world.clock.now())

    async def _tried(self, call: Call, kind: str, url: str, method: str, form: dict[str, str]) -> Answer:
        rules, token = overrides(url), self._world.sid("IT")
        deadline = asyncio.get_running_loop().time() + rules.total / 1000
        answer = Answer()
        for _ in range(rules.retries + 1):
            answer = await self._once(call, kind, url, method, form, token, deadline, rules.connect)
            if not rules.retry(answer.failure) or asyncio.get_running_loop().time() >= deadline:
                break
        return answer

    async def _once(
        self,
        call: Call,
        kind: str,
        url: str,
        method: str,
        form: dict[str, str],
        token: str,
        deadline: float | None = None,
        connect_ms: int = CONNECT_MS,
    ) -> Answer:
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            async with asyncio.timeout_at(deadline or began + TOTAL_MS / 1000):
                answer = await self._request(call, url, method, _clean(form), token, connect_ms / 1000)
        except aiohttp.ServerTimeoutError as error:
            answer = Answer(error=11205, detail=f"{type(error).__name__} at {url}", failure="ct")
        except TimeoutError:
            answer = Answer(error=11205, detail=f"no answer in 15 s from {url}", failure="rt")
        except (aiohttp.ClientError, ValueError, OSError) as error:
            answer = Answer(error=11205, detail=f"{type(error).__name__}: {error}", failure="ct")
        call.webhooks.append(
            {
                "kind": kind,
                "url": url,
                "method": method,
                "form": dict(form),
                "status": answer.status,
                "error": answer.error,
                "took_ms": round((loop.time() - began) * 1000),
                "at": iso(self._world.clock.now()),
            }
        )
        return answer

    async def _request(
        self, call: Call, url: str, method: str, form: dict[str, str], token: str, connect_s: float
    ) -> Answer:
        for _ in range(MAX_REDIRECTS + 1):
            address, body = _address(url, method, form)
            headers = self._headers(call, address, form if method == "POST" else {}, token)
            async with self._http.request(
                method,
                URL(address, encoded=True),
                data=body,
                headers=headers,
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=connect_s),
            ) as response:
                if response.status not in {301, 302, 303, 307, 308}:
                    return await _read(response, address)
                # Redirects are followed as GET and lose the posted fields (Twilio's request documentation).
                url, method, form = urljoin(address, response.headers.get("Location", "")), "GET", {}
        return Answer(error=11205, detail=f"too many redirects from {url}", failure="4xx")

    def _headers(self, call: Call, url: str, form: dict[str, str], token: str) -> dict[str, str]:
        headers = {
            "Accept": "*/*",
            "User-Agent": "TwilioProxy/1.1",
            "Content-Type": "application/x-www-form-urlencoded; charset=UTF-8",
            "I-Twilio-Idempotency-Token": token,
        }
        secret = "wrong" if self._faults.wrong_signature else self._world.account.token(call.region)
        if not self._faults.unsigned:
            headers["X-Twilio-Signature"] = signature(secret, url, form)
        return headers


def _clean(form: dict[str, str]) -> dict[str, str]:
    # Lone surrogates cannot be sent in UTF-8, nor signed.
    return {name: value.encode(errors="replace").decode() for name, value in form.items()}


def _address(url: str, method: str, form: dict[str, str]) -> tuple[str, bytes | None]:
    address = urldefrag(url).url
    if method == "POST":
        return address, urlencode(form).encode()
    if not form:
        return address, None
    joint = "&" if "?" in address else "?"
    return address + joint + urlencode(form, quote_via=quote_plus), None


async def _read(response: aiohttp.ClientResponse, url: str) -> Answer:
    raw = await response.content.read(MAX_ANSWER)
    status = response.status
    ok = 200 <= status < 300
    failure: Failure = "" if ok else "5xx" if status >= 500 else "4xx"
    return Answer(
        status=status,
        body=raw.decode(errors="replace"),
        content_type=response.content_type,
        url=url,
        error=0 if ok else 11200,
        detail="" if ok else f"HTTP {status} from {url}",
        failure=failure,
    )
