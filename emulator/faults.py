"""What shall go wrong. All off until switched on by `POST /emulator/faults/`."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any


class FaultError(ValueError):
    """An unknown switch or a value of the wrong type; the text says which."""


@dataclass
class Faults:
    """The switches that stay on. `times` counts down; -1 means until switched off."""

    duplicate_webhooks: bool = False
    wrong_signature: bool = False
    unsigned: bool = False
    slash_signature: bool = False
    delay_webhooks_ms: int = 0
    delay_rest_ms: int = 0
    drop_status_callbacks: bool = False
    fail_rest: int = 0
    fail_rest_times: int = -1
    lose_rest_answer: int = 0
    shared_chunks: bool = False

    def set(self, name: str, value: Any) -> None:
        """Set one switch. Raises FaultError."""
        known = {field.name: type(getattr(self, field.name)) for field in fields(self)}
        if name not in known:
            raise FaultError(f"unknown fault {name!r}; known: {', '.join(sorted(known))}")
        if type(value) is not known[name]:
            raise FaultError(f"{name} takes a {known[name].__name__}")
        setattr(self, name, value)

    def take_rest_failure(self) -> int:
        """The HTTP status that the next REST request must fail with, or 0."""
        if not self.fail_rest or self.fail_rest_times == 0:
            return 0
        if self.fail_rest_times > 0:
            self.fail_rest_times -= 1
        return self.fail_rest

    def take_lost_answer(self) -> bool:
        """Whether the next REST request is carried out and its answer lost."""
        if self.lose_rest_answer <= 0:
            return False
        self.lose_rest_answer -= 1
        return True

    def as_dict(self) -> dict[str, Any]:
        """Every switch and its value."""
        return {field.name: getattr(self, field.name) for field in fields(self)}
