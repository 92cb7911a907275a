"""Requests to the target: signed, limited to 15 s, tried again by one rule, in order, written down."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

import aiohttp

from emulator.faults import Faults
from emulator.overrides import Overrides, overrides
from emulator.request import Answer, Limits, send
from emulator.sign import signature
from emulator.turns import Turns
from emulator.world import World, iso

__all__ = ["Answer", "Courier", "overrides"]

MAX_ANSWER = 256 * 1024
MAX_MEDIA = 16 * 1024 * 1024
# Which events tell of the same resource, so that their order is kept: the first word of a callback's kind.
RESOURCES = {"participant": "conference", "announcement": "conference"}


class Owner(Protocol):
    """What a webhook is about and where it is written down: a call or a conference."""

    sid: str
    region: str
    webhooks: list[dict[str, Any]]

    def note(self, code: int, message: str, now: datetime) -> None:
        """Write what Twilio's debugger would show."""
        ...


@dataclass(frozen=True)
class Hook:
    """One webhook: of which call, what for, where, with which fields."""

    call: Owner
    kind: str
    url: str
    method: str
    form: Mapping[str, str] = field(default_factory=dict)
    size: int = MAX_ANSWER


class Courier:
    """Sends webhooks. Requests for TwiML are awaited; callbacks go in the background.

    Callbacks of one kind of resource of a call keep their order; kinds do not wait for each other.
    """

    def __init__(self, world: World, faults: Faults, http: aiohttp.ClientSession) -> None:
        self._world = world
        self._faults = faults
        self._http = http
        self._turns = Turns()
        self._tasks: set[asyncio.Task[Any]] = set()
        # Of their own, so that how often a target fails does not change the ids of calls.
        self._tokens = random.Random(f"idempotency tokens {world.seed}")

    async def ask(self, call: Owner, kind: str, url: str, method: str, form: Mapping[str, str]) -> Answer:
        """Send one webhook and wait for its answer."""
        return await self._ask(Hook(call, kind, url, method, _clean(form)))

    async def fetch_media(self, call: Owner, url: str) -> tuple[int, str, bytes]:
        """GET a sound, signed, in at most 15 s: (HTTP status, content type, bytes).

        Status 0 when nothing usable came, and no bytes unless the status is 2xx; why is noted on the call.
        """
        answer = await self._ask(Hook(call, "media", url, "GET", size=MAX_MEDIA))
        if answer.error:
            call.note(answer.error, answer.detail, self._world.clock.now())
            return (answer.status if answer.error == 11200 else 0), "", b""
        return answer.status, answer.content_type, answer.raw

    def tell(self, call: Owner, kind: str, url: str, method: str, form: Mapping[str, str]) -> None:
        """Send one callback in the background."""
        if url and not self._faults.drop_status_callbacks:
            self.spawn(self._tell_in_turn(Hook(call, kind, url, method, _clean(form))))

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

    async def _tell_in_turn(self, hook: Hook) -> None:
        async with self._turns.turn(_resource(hook)):
            answer = await self._ask(hook)
        if answer.error:
            hook.call.note(answer.error, answer.detail, self._world.clock.now())

    async def _ask(self, hook: Hook) -> Answer:
        with self._world.clock.hold():
            if self._faults.delay_webhooks_ms:
                await asyncio.sleep(self._faults.delay_webhooks_ms / 1000)
            answer = await self._tried(hook)
            if self._faults.duplicate_webhooks:
                await self._tried(hook, replace(overrides(hook.url), retries=0))
            return answer

    async def _tried(self, hook: Hook, rules: Overrides | None = None) -> Answer:
        rules = rules or overrides(hook.url)
        loop = asyncio.get_running_loop()
        token = str(UUID(int=self._tokens.getrandbits(128), version=4))
        limits = Limits(rules, loop.time() + rules.total / 1000, hook.size)
        answer = Answer()
        for attempt in range(rules.retries + 1):
            answer = await self._once(hook, token, limits, attempt)
            if not rules.retry(answer.failure) or loop.time() >= limits.deadline:
                break
        return answer

    async def _once(self, hook: Hook, token: str, limits: Limits, attempt: int) -> Answer:
        loop = asyncio.get_running_loop()
        began, at = loop.time(), iso(self._world.clock.now())

        def headers(address: str, form: Mapping[str, str]) -> dict[str, str]:
            return self._headers(hook.call, address, form, token)

        answer = await send(self._http, hook.url, hook.method, hook.form, headers, limits)
        written = {
            "kind": hook.kind,
            "url": hook.url,
            "method": hook.method,
            "form": dict(hook.form),
            "status": answer.status,
            "error": answer.error,
            "took_ms": round((loop.time() - began) * 1000),
            "at": at,
            "attempt": attempt + 1,
        }
        if edge := limits.rules.edge(attempt):
            written["edge"] = edge
        hook.call.webhooks.append(written)
        return answer

    def _headers(self, call: Owner, url: str, form: Mapping[str, str], token: str) -> dict[str, str]:
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


def _resource(hook: Hook) -> tuple[str, str]:
    """What the callback tells of: callbacks of the same keep their order."""
    word = hook.kind.partition("-")[0]
    kind = RESOURCES.get(word, word)
    return kind, hook.form.get("ConferenceSid", "") if kind == "conference" else hook.call.sid


def _clean(form: Mapping[str, str]) -> dict[str, str]:
    # Lone surrogates cannot be sent in UTF-8, nor signed.
    return {name: value.encode(errors="replace").decode() for name, value in form.items()}
