"""The two groups on the channel layer. Both may lose messages; nothing else of ours touches the layer.

`ticks` (media → web): {"type": "tick", "source", "kind": "levels"|"partials"|"health", "text"}, the text
encoded once per process and tick. `control` (web → media): {"type": "control", "stream", "do", "command"}.
"""

import asyncio
import logging
from typing import Any, Literal

from channels.layers import get_channel_layer

from calls.counters import count

__all__ = ["CONTROL", "TICKS", "control", "publish"]

TICKS = "ticks"
CONTROL = "control"
_LIMIT_SECONDS = 0.25
_log = logging.getLogger("contactcenter.layer")
_down = False


async def publish(kind: Literal["levels", "partials", "health"], text: str, *, source: str) -> bool:
    """Send one pre-encoded text to every web process; gives up after 250 ms. True if it was sent."""
    return await _send(TICKS, {"type": "tick", "source": source, "kind": kind, "text": text})


async def control(stream: str, do: str, *, command: str = "") -> bool:
    """Hint the process that owns `stream`; the row says the same, so a lost hint is late, not lost."""
    return await _send(CONTROL, {"type": "control", "stream": stream, "do": do, "command": command})


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
