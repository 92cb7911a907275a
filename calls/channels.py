"""The two groups on the channel layer. Both may lose messages; nothing else of ours touches the layer.

`ticks` (media → web): {"type": "tick", "source", "kind": "levels"|"partials"|"health", "text"}, the text
encoded once per process and tick. `control` (web → media): {"type": "control", "stream", "do", "command"}.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any, Literal

from channels.layers import get_channel_layer

from calls.counters import count

__all__ = ["CONTROL", "TICKS", "control", "listen", "publish"]

TICKS = "ticks"
CONTROL = "control"
_LIMIT_SECONDS = 0.25
_REJOIN_SECONDS = 15.0  # a layer that forgot us hears of us again within this time
_AWAY_SECONDS = 0.5
_log = logging.getLogger("contactcenter.layer")
_down = False


async def publish(kind: Literal["levels", "partials", "health"], text: str, *, source: str) -> bool:
    """Send one pre-encoded text to every web process; gives up after 250 ms. True if it was sent."""
    return await _send(TICKS, {"type": "tick", "source": source, "kind": kind, "text": text})


async def control(stream: str, do: str, *, command: str = "") -> bool:
    """Hint the process that owns `stream`; the row says the same, so a lost hint is late, not lost."""
    return await _send(CONTROL, {"type": "control", "stream": stream, "do": do, "command": command})


async def listen(group: str) -> AsyncGenerator[dict[str, Any], None]:
    """Every message to the group, until the task is cancelled; a layer that was away is joined again."""
    away = False
    while True:
        try:
            async with aclosing(_member(group)) as messages:
                async for message in messages:
                    away = False
                    yield message
        except Exception as error:  # whatever the layer raises, its listeners live on
            count("layer.listen.lost")
            if not away:
                _log.warning("layer.listen.down", extra={"group": group, "error": type(error).__name__})
            away = True
            await asyncio.sleep(_AWAY_SECONDS)


async def _member(group: str) -> AsyncGenerator[dict[str, Any], None]:
    layer = get_channel_layer()
    assert layer is not None, "CHANNEL_LAYERS has no default"
    channel = await layer.new_channel()
    await layer.group_add(group, channel)
    rejoin = asyncio.create_task(_rejoin(layer, group, channel))
    try:
        while True:
            yield await layer.receive(channel)
    finally:
        rejoin.cancel()
        await _leave(layer, group, channel)


async def _rejoin(layer: Any, group: str, channel: str) -> None:
    while True:
        await asyncio.sleep(_REJOIN_SECONDS)
        try:
            await layer.group_add(group, channel)
        except Exception:  # the next time, then
            count("layer.listen.lost")


async def _leave(layer: Any, group: str, channel: str) -> None:
    try:
        async with asyncio.timeout(_LIMIT_SECONDS):
            await layer.group_discard(group, channel)
    except Exception:  # it forgets us by itself
        count("layer.listen.lost")


async def _send(group: str, message: dict[str, Any]) -> bool:
    global _down
    try:
        layer = get_channel_layer()
        assert layer is not None, "CHANNEL_LAYERS has no default"
        async with asyncio.timeout(_LIMIT_SECONDS):
            await layer.group_send(group, message)
    except Exception as error:  # whatever the layer raises, media goes on without it
        count("layer.lost")
        if not _down:
            _log.warning("layer.down", extra={"error": type(error).__name__})
        _down = True
        return False
    if _down:
        _log.info("layer.up")
    _down = False
    return True
