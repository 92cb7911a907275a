"""Listens to the group `ticks` on the channel layer, and goes on when the layer was away."""

import asyncio
import json
import logging
from collections.abc import Callable
from typing import Any

from channels.layers import get_channel_layer

from calls.channels import TICKS
from calls.counters import count

__all__ = ["listen"]

REJOIN_SECONDS = 15.0  # a layer that forgot us hears of us again within this time
AWAY_SECONDS = 0.5
_log = logging.getLogger("contactcenter.hub")

Tick = Callable[[str, str, str], None]


async def listen(tell: Tick) -> None:
    """Call `tell(kind, source, text)` for every tick, until cancelled."""
    away = False
    while True:
        try:
            await _listen(tell)
        except Exception as error:  # whatever the layer raises, browsers keep their sockets
            count("hub.layer.lost")
            if not away:
                _log.warning("hub.layer.down", extra={"error": type(error).__name__})
            away = True
            await asyncio.sleep(AWAY_SECONDS)


async def _listen(tell: Tick) -> None:
    layer = get_channel_layer()
    assert layer is not None, "CHANNEL_LAYERS has no default"
    channel = await layer.new_channel()
    await layer.group_add(TICKS, channel)
    rejoin = asyncio.create_task(_rejoin(layer, channel))
    try:
        while True:
            _pass_on(await layer.receive(channel), tell)
            if rejoin.done():
                rejoin.result()
    finally:
        rejoin.cancel()
        await _leave(layer, channel)


async def _rejoin(layer: Any, channel: str) -> None:
    while True:
        await asyncio.sleep(REJOIN_SECONDS)
        try:
            await layer.group_add(TICKS, channel)
        except Exception:
            count("hub.layer.lost")


async def _leave(layer: Any, channel: str) -> None:
    try:
        async with asyncio.timeout(0.25):
            await layer.group_discard(TICKS, channel)
    except Exception:
        count("hub.layer.lost")


def _pass_on(message: dict[str, Any], tell: Tick) -> None:
    kind, text = message.get("kind"), message.get("text")
    if isinstance(kind, str) and isinstance(text, str) and text:
        tell(kind, str(message.get("source", "")), text)


def decoded(text: str) -> dict[str, Any]:
    """The tick's JSON object; an empty one if it is none."""
    try:
        value = json.loads(text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
