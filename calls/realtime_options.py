"""What an AI agent's voice may have set in admin (`Voice.settings`), read and refused by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any

__all__ = ["Options", "read"]

LONGEST_MINUTES = 58
"""OpenAI ends a session at 60; what is being said has two minutes to end."""

_TELLABLE = {"name", "facts"}


@dataclass(frozen=True)
class Options:
    """Settings of one voice; model and voice "" are those of the site.

    `silence_ms` of quiet end a caller's turn, `tell` names what the provider is told of the caller: "name",
    "facts". `greet` is whether it speaks first.
    """

    model: str = ""
    voice: str = ""
    session_minutes: float = 55
    silence_ms: int = 500
    max_output_tokens: int = 1024
    greet: bool = True
    tell: tuple[str, ...] = ()


def read(settings: Mapping[str, Any]) -> Options:
    """The options in a voice's settings. Raises ValueError with a sentence that names the setting."""
    known = {field.name for field in fields(Options)}
    if unknown := sorted(set(settings) - known):
        raise ValueError(
            f"{unknown[0][:40]} is no setting of an AI agent; there are {', '.join(sorted(known))}."
        )
    return Options(**{name: _READERS[name](name, value) for name, value in settings.items()})


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str) or len(value) > 100:
        raise ValueError(f"{name} is a text of at most 100 characters.")
    return value.strip()


def _between(least: float, most: float, kind: type) -> Callable[[str, Any], Any]:
    def number(name: str, value: Any) -> Any:
        if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
            raise ValueError(f"{name} is a number from {least} to {most}.")
        return kind(value)

    return number


def _yes_or_no(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"{name} is true or false.")
    return value


def _tell(name: str, value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(one, str) and one in _TELLABLE for one in value):
        raise ValueError(f'{name} is a list of "name" and "facts".')
    return tuple(value)


_READERS: Mapping[str, Callable[[str, Any], Any]] = {
    "model": _text,
    "voice": _text,
    "session_minutes": _between(1, LONGEST_MINUTES, float),
    "silence_ms": _between(200, 2_000, int),
    "max_output_tokens": _between(100, 4_096, int),
    "greet": _yes_or_no,
    "tell": _tell,
}
