"""JSON over HTTP, from and to programs on this machine."""

import json
import urllib.request
from typing import Any

__all__ = ["get", "post"]


def get(url: str) -> Any:
    """What an address answers."""
    with urllib.request.urlopen(url, timeout=20) as answer:  # noqa: S310  loopback
        return json.loads(answer.read())


def post(url: str, body: dict[str, Any]) -> Any:
    """What it answers when it was told this."""
    data = json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, headers={"Content-Type": "application/json"})  # noqa: S310
    with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310  loopback
        return json.loads(answer.read())
