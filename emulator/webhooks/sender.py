"""One webhook from its making to its answer: signed, tried again by one rule, written down."""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

import aiohttp

from emulator.faults import Switchboard
from emulator.luck import Luck
from emulator.webhooks.overrides import Overrides, overrides
from emulator.webhooks.request import Answer, Limits, send
from emulator.webhooks.sign import signature
from emulator.world import World, iso

MAX_ANSWER = 256 * 1024


class Owner(Protocol):
    """What a webhook is about and where it is written down: a call or a conference."""

    sid: str
    region: str
    webhooks: deque[dict[str, Any]]

    def note(self, code: int, message: str, now: datetime) -> None:
        """Write what Twilio's debugger would show."""
        ...


@dataclass(frozen=True)
class Hook:
    """One webhook: of what, what for, where, with which fields; the longest answer in bytes.

    `asked` says that somebody waits for the answer: it is no callback.
    """

    call: Owner
    kind: str
    url: str
    method: str
    form: Mapping[str, str]
    asked: bool = False
    size: int = MAX_ANSWER


class Sender:
    """Sends webhooks one by one and knows what was sent before."""

    def __init__(self, world: World, faults: Switchboard, luck: Luck, http: aiohttp.ClientSession) -> None:
        self._world = world
        self._faults = faults
        self._luck = luck
        self._http = http
        self._earlier = ""
        # Of their own, so that how often a target fails does not change the ids of calls.
        self._tokens = random.Random(f"idempotency tokens {world.seed}")

    async def send(self, hook: Hook) -> Answer:
        """Send it, twice where that is switched on; the first answer counts. Time stands still meanwhile."""
        with self._world.clock.hold():
            answer = await self._tried(hook, overrides(hook.url))
            if self._faults.of(hook.call.sid).duplicate_webhooks:
                await self._tried(hook, replace(overrides(hook.url), retries=0))
            return answer

    def lose(self, hook: Hook, attempt: int = 0) -> Answer:
        """Write down a webhook that never arrives."""
        answer = Answer()
        if hook.asked:
            answer = Answer(error=11205, detail=f"lost by a fault on the way to {hook.url}", failure="ct")
        facts: dict[str, Any] = {"attempt": attempt + 1, "signature": "none", "fault": "lost"}
        self._write(hook, answer, self._world.clock.now(), **facts)
        return answer

    async def _tried(self, hook: Hook, rules: Overrides) -> Answer:
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
        chance = self._faults.of(hook.call.sid).lose_requests
        if hook.asked and self._luck.strikes(chance, "lose request", hook.call.sid):
            return self.lose(hook, attempt)
        began, at = asyncio.get_running_loop().time(), self._world.clock.now()
        said, rights = "", list[str]()

        def headers(address: str, form: Mapping[str, str]) -> dict[str, str]:
            nonlocal said
            rights.append(signature(self._token(hook), address, form))
            signed, said = self._sign(hook, address, form, rights[-1])
            return _headers(signed, token, hook.method)

        answer = await send(self._http, hook.url, hook.method, hook.form, headers, limits)
        # That of the first hop: of the address that was asked for, whatever it redirected to.
        self._earlier = rights[0] if rights else self._earlier
        facts: dict[str, Any] = {"attempt": attempt + 1, "signature": said}
        if edge := limits.rules.edge(attempt):
            facts["edge"] = edge
        took = round((asyncio.get_running_loop().time() - began) * 1000)
        self._write(hook, answer, at, took, **facts)
        return answer

    def _sign(self, hook: Hook, url: str, form: Mapping[str, str], right: str) -> tuple[str, str]:
        """The header's value, "" for none, and what is the matter with it."""
        faults = self._faults.of(hook.call.sid)
        if faults.unsigned:
            return "", "none"
        if faults.wrong_signature:
            return signature("wrong", url, form), "wrong"
        if faults.replay_signature and self._earlier:
            return self._earlier, "replayed"
        return right, "right"

    def _token(self, hook: Hook) -> str:
        return self._world.account.token(hook.call.region)

    def _write(self, hook: Hook, answer: Answer, at: datetime, took_ms: int = 0, **facts: Any) -> None:
        written = {
            "kind": hook.kind,
            "url": hook.url,
            "method": hook.method,
            "form": dict(hook.form),
            "status": answer.status,
            "error": answer.error,
            "took_ms": took_ms,
            "at": iso(at),
        }
        hook.call.webhooks.append(written | facts)


def _headers(signed: str, token: str, method: str) -> dict[str, str]:
    headers = {"Accept": "*/*", "User-Agent": "TwilioProxy/1.1", "I-Twilio-Idempotency-Token": token}
    if method == "POST":
        headers["Content-Type"] = "application/x-www-form-urlencoded; charset=UTF-8"
    if signed:
        headers["X-Twilio-Signature"] = signed
    return headers
