"""What a capture shows, as plain statements that two captures can be compared by."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

Value = str | tuple[str, ...] | None
"""Words; a sequence whose order matters; None: nothing to compare, equal to everything."""

Key = tuple[str, str]
"""Subject (who or what) and aspect (which property of it)."""


@dataclass(frozen=True)
class Statement:
    """One property. `group` is the heading that a difference in it is told under.

    A `loose` one is compared where both captures state it; a `fragile` one only where no tunnel stood before
    either, since tunnels rewrite it.
    """

    group: str
    value: Value
    loose: bool = False
    fragile: bool = False


@dataclass
class Facts:
    """Statements, and the subjects that were seen at all, with their headings.

    A subject that only one capture has is one difference, and its statements are none.
    """

    table: dict[Key, Statement] = field(default_factory=dict)
    subjects: dict[str, str] = field(default_factory=dict)
    tunnelled: bool = False

    def see(self, group: str, subject: str) -> None:
        """This subject exists."""
        self.subjects.setdefault(subject, group)

    def state(
        self,
        group: str,
        subject: str,
        aspect: str,
        value: Value,
        *,
        loose: bool = False,
        fragile: bool = False,
    ) -> None:
        """State a property of a subject."""
        self.table[subject, aspect] = Statement(group, value, loose, fragile)

    def known(self) -> set[str]:
        """Every subject that was seen, or that something is stated of."""
        return {*self.subjects, *(subject for subject, _ in self.table)}


def joined(values: Iterable[str]) -> str | None:
    """A set as words in a fixed order; None for an empty one."""
    return " or ".join(sorted(set(values))) or None


def told(values: Iterable[str]) -> str:
    """A set as words, "" for an empty one."""
    return joined(values) or ""
