"""The faults of the REST API: late, failing, carried out without an answer, with a wrong clock."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable

from aiohttp import web

from emulator import skew
from emulator.clock import Clock
from emulator.faults import Switchboard

# How long a request is left without an answer; then its connection is reset.
HANG_S = 60.0


async def through(
    request: web.Request,
    faults: Switchboard,
    clock: Clock,
    work: Callable[[], Awaitable[web.StreamResponse]],
    fail: Callable[[int], web.StreamResponse],
) -> web.StreamResponse:
    """Answer with what `work` does, or go wrong as is switched; `fail(status)` makes an error body."""
    call = request.match_info.get("call", "")
    if delay := faults.of(call).delay_rest_ms:
        # The client is a real program with real patience: telephone time waits.
        with clock.hold():
            await asyncio.sleep(delay / 1000)
    if status := faults.take_rest_failure(call):
        return fail(status)
    answer = await work()
    if faults.of(call).lose_rest_answer and faults.count_down("lose_rest_answer", call):
        await _hang_up(request)
    elif faults.of(call).hang_rest and faults.count_down("hang_rest", call):
        await _leave_waiting(request)
    elif offset := faults.of(call).clock_offset_ms:
        return _skewed(answer, offset)
    return answer


async def _leave_waiting(request: web.Request) -> None:
    await asyncio.sleep(HANG_S)
    await _hang_up(request)


async def _hang_up(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.abort()
    await asyncio.sleep(0)


def _skewed(answer: web.StreamResponse, ms: int) -> web.StreamResponse:
    if not isinstance(answer, web.Response) or answer.content_type != "application/json" or not answer.text:
        return answer
    answer.text = json.dumps(skew.body(json.loads(answer.text), ms))
    return answer
