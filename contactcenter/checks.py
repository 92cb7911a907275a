"""System checks of the project: several processes, known-bad versions, the Redis layer's time limit.

Faults of configuration are warnings in `check`, errors under `check --deploy` and when serving.
"""

from collections.abc import Callable, Sequence
from importlib.metadata import version
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, register

from calls.checks import Fault, as_errors, as_warnings

__all__ = ["in_check", "in_deploy"]

# Below these: CVE-2026-5766 (Django), CVE-2026-44545 and -44546 (Daphne).
_FLOORS = {"Django": (5, 2, 14), "daphne": (4, 2, 2)}


def several_processes() -> list[Fault]:
    """More than one serving process needs Redis: the in-memory layer ends at the process."""
    if settings.REDIS_URL or settings.WEB_CONCURRENCY <= 1:
        return []
    return [
        Fault(
            "cc.E003",
            "Several serving processes are asked for, but the channel layer is in memory.",
            "Set REDIS_URL (and DATABASE_URL for PostgreSQL), or unset WEB_CONCURRENCY.",
        )
    ]


def bad_versions() -> list[Fault]:
    """Versions with known holes in what we rely on."""
    return [
        Fault(
            "cc.E005",
            f"{name} {version(name)} has known security faults.",
            f"Install {name} {'.'.join(map(str, floor))} or later: pip install -r requirements.txt",
        )
        for name, floor in _FLOORS.items()
        if numbers(version(name)) < floor
    ]


def layer_time_limit() -> list[Fault]:
    """redis-py 8 sets a socket_timeout of 5 s unless told otherwise, which ends quiet subscriptions."""
    config = settings.CHANNEL_LAYERS.get("default", {}).get("CONFIG", {})
    hosts = config.get("hosts", []) if isinstance(config, dict) else []
    if all(isinstance(host, dict) and host.get("socket_timeout", 5) is None for host in hosts):
        return []
    return [
        Fault(
            "cc.E006",
            "The Redis channel layer has a socket_timeout: a quiet subscription would be cut.",
            'Give every host in CHANNEL_LAYERS "socket_timeout": None.',
        )
    ]


def numbers(text: str) -> tuple[int, ...]:
    """The leading numbers of a version: 5.2.19 → (5, 2, 19); a suffix such as rc1 ends them."""
    found = []
    for part in text.split("."):
        if not part.isdigit():
            break
        found.append(int(part))
    return tuple(found)


_CHECKS: Sequence[Callable[[], list[Fault]]] = (several_processes, bad_versions, layer_time_limit)


@register("cc")
def in_check(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """For `check` and every command: warnings."""
    return as_warnings(_CHECKS)


@register("cc", deploy=True)
def in_deploy(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """For `check --deploy` and serving: errors."""
    return as_errors(_CHECKS)
