"""Webhooks: requests for TwiML are waited for; callbacks go out one behind the other."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Mapping
from typing import Any

import aiohttp

from emulator import skew
from emulator.faults import Switchboard
from emulator.luck import Luck
from emulator.webhooks.overrides import overrides
from emulator.webhooks.request import Answer
from emulator.webhooks.sender import Hook, Owner, Sender
from emulator.webhooks.turns import Turns
from emulator.world import World

__all__ = ["Answer", "Courier", "overrides"]

MAX_MEDIA = 16 * 1024 * 1024
# How long a callback is kept back for another to overtake it.
OVERTAKE_S = 5.0
# Which events tell of the same resource, so that their order is kept: the first word of a callback's kind.
RESOURCES = {"participant": "conference", "announcement": "conference"}

Resource = tuple[str, str]

logger = logging.getLogger("contactcenter.emulator")


class Courier:
    """Sends webhooks, and runs what else goes on in the background.

    Callbacks of one kind of resource of a call keep their order; kinds do not wait for each other.
    """

    def __init__(self, world: World, faults: Switchboard, luck: Luck, http: aiohttp.ClientSession) -> None:
        self._clock = world.clock
        self._faults = faults
        self._luck = luck
        self._sender = Sender(world, faults, luck, http)
        self._turns = Turns()
        self._kept_back: dict[Resource, Hook] = {}
        self._tasks: set[asyncio.Task[Any]] = set()

    async def ask(self, call: Owner, kind: str, url: str, method: str, form: Mapping[str, str]) -> Answer:
        """Send one webhook and wait for its answer."""
        return await self._ask(Hook(call, kind, url, method, self._form(call, form), asked=True))

    async def fetch_media(self, call: Owner, url: str) -> tuple[int, str, bytes]:
        """GET a sound, signed, in at most 15 s: (HTTP status, content type, bytes).

        Status 0 when nothing usable came, and no bytes unless the status is 2xx; why is noted on the call.
        """
        answer = await self._ask(Hook(call, "media", url, "GET", {}, asked=True, size=MAX_MEDIA))
        if answer.error:
            call.note(answer.error, answer.detail, self._clock.now())
            return (answer.status if answer.error == 11200 else 0), "", b""
        return answer.status, answer.content_type, answer.raw

    def tell(self, call: Owner, kind: str, url: str, method: str, form: Mapping[str, str]) -> None:
        """Send one callback in the background."""
        if not url:
            return
        hook = Hook(call, kind, url, method, self._form(call, form))
        about, faults = _resource(hook), self._faults.of(call.sid)
        lost = self._luck.strikes(faults.lose_callbacks, "lose callback", *about)
        if lost or faults.drop_status_callbacks:
            self._sender.lose(hook)
            return
        earlier = self._kept_back.pop(about, None)
        swapped = self._luck.strikes(faults.swap_callbacks, "swap callback", *about)
        if swapped and earlier is None:
            self._kept_back[about] = hook
            self.spawn(self._release(about, hook))
            return
        for told in (hook, earlier):
            if told is not None:
                self.spawn(self._tell_in_turn(about, told))

    def spawn(self, work: Coroutine[Any, Any, Any]) -> None:
        """Run something in the background until it ends or the emulator does."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._is_over)

    def _is_over(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            logger.error("emulator.background.failed", exc_info=error)

    async def close(self) -> None:
        """Give up whatever is still under way."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def forget(self, call_sid: str) -> None:
        """Drop what is kept per call."""
        self._faults.forget(call_sid)

    async def _ask(self, hook: Hook) -> Answer:
        await self._wait(self._faults.of(hook.call.sid).delay_webhooks_ms)
        return await self._sender.send(hook)

    async def _tell_in_turn(self, about: Resource, hook: Hook) -> None:
        faults = self._faults.of(hook.call.sid)
        # Before the turn: one that is not late overtakes one that is.
        await self._wait(faults.delay_webhooks_ms + faults.delay_callbacks_ms)
        async with self._turns.turn(about):
            answer = await self._sender.send(hook)
        if answer.error:
            hook.call.note(answer.error, answer.detail, self._clock.now())

    async def _release(self, about: Resource, hook: Hook) -> None:
        """Send it after all when nothing has overtaken it."""
        await self._clock.sleep(OVERTAKE_S)
        if self._kept_back.get(about) is hook:
            del self._kept_back[about]
            await self._tell_in_turn(about, hook)

    async def _wait(self, ms: int) -> None:
        if ms:
            await self._clock.sleep(ms / 1000)

    def _form(self, call: Owner, form: Mapping[str, str]) -> dict[str, str]:
        """The fields as they are sent: lone surrogates cannot be, nor signed; the clock may be wrong."""
        clean = {name: value.encode(errors="replace").decode() for name, value in form.items()}
        offset = self._faults.of(call.sid).clock_offset_ms
        return skew.form(clean, offset) if offset else clean


def _resource(hook: Hook) -> Resource:
    """What the callback tells of: callbacks of the same keep their order."""
    word = hook.kind.partition("-")[0]
    kind = RESOURCES.get(word, word)
    return kind, hook.form.get("ConferenceSid", "") if kind == "conference" else hook.call.sid
