"""What is known of a caller's wish (`Call.facts`), as people are shown it. Pure."""

from typing import Any

from calls.text import clean

__all__ = ["SHOWN", "plain"]

SHOWN = 30


def plain(facts: Any) -> dict[str, Any]:
    """Short plain values only, by short names; whatever stands in the row."""
    if not isinstance(facts, dict):
        return {}
    simple = [(key, value) for key, value in facts.items() if isinstance(value, str | int | float | bool)]
    return {
        clean(key, 40): clean(value, 200) if isinstance(value, str) else value
        for key, value in simple[:SHOWN]
    }
