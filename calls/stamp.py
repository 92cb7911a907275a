"""Times as browsers get them."""

from datetime import UTC, datetime

__all__ = ["iso"]


def iso(moment: datetime) -> str:
    """ISO 8601 UTC with milliseconds."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
