"""Times as Twilio's library gives them."""

from datetime import UTC, datetime
from typing import Any

__all__ = ["moment"]


def moment(value: Any) -> datetime | None:
    """The library gives aware times, or the text as it was when it cannot read it; then None."""
    if not isinstance(value, datetime):
        return None
    return value if value.tzinfo else value.replace(tzinfo=UTC)
