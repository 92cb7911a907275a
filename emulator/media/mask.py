"""The exclusive or of a message with its mask key, the dearest part of sending: in C where that is found."""

from __future__ import annotations

from collections.abc import Callable

Mask = Callable[[bytes, bytearray], None]


def by_number(key: bytes, data: bytearray) -> None:
    """Mask `data` in place with the four bytes of `key`: over a number as long as the message."""
    size = len(data)
    stretched = int.from_bytes((key * (size // 4 + 1))[:size], "little")
    data[:] = (int.from_bytes(data, "little") ^ stretched).to_bytes(size, "little")


def found() -> Mask:
    """aiohttp's, which is its own affair and may move; then the number does it, at seven times the cost."""
    try:
        from aiohttp._websocket.helpers import websocket_mask
    except ImportError:
        return by_number
    return websocket_mask


mask = found()
