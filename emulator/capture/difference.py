"""Where two captures differ, in words."""

from __future__ import annotations

from dataclasses import dataclass

from emulator.capture import restfacts, socketfacts, webfacts
from emulator.capture.facts import Facts, Key, Statement, Value
from emulator.capture.reel import Reel


@dataclass(frozen=True)
class Difference:
    """One sentence under one heading."""

    group: str
    sentence: str


def facts_of(reel: Reel) -> Facts:
    """All that a capture shows."""
    facts = Facts()
    webfacts.add(facts, reel)
    socketfacts.add(facts, reel)
    restfacts.add(facts, reel)
    return facts


class Comparison:
    """Compares two captures; `one` and `other` are what they are called in sentences."""

    def __init__(self, one: str, first: Facts, other: str, second: Facts) -> None:
        self._names = one, other
        self._facts = first, second
        self._known = first.known() & second.known()
        self._tunnelled = first.tunnelled or second.tunnelled

    def differences(self) -> list[Difference]:
        """Every difference, by heading."""
        first, second = self._facts
        found = [*self._subjects(first, second, 0), *self._subjects(second, first, 1)]
        for key in {**first.table, **second.table}:
            statement = first.table.get(key) or second.table[key]
            if key[0] in self._known and (sentence := self._compared(key, statement)):
                found.append(Difference(statement.group, sentence))
        return sorted(found, key=lambda difference: difference.group)

    def _subjects(self, facts: Facts, others: Facts, which: int) -> list[Difference]:
        return [
            Difference(group, f"only {self._names[which]} has: {subject}")
            for subject, group in facts.subjects.items()
            if subject not in others.subjects
        ]

    def _compared(self, key: Key, statement: Statement) -> str:
        if statement.fragile and self._tunnelled:
            return ""
        one, other = (facts.table.get(key) for facts in self._facts)
        if one is not None and other is not None:
            return self._values(key, one.value, other.value)
        if statement.loose:
            return ""
        return f"{key[0]}: only {self._names[one is None]} has {key[1]}"

    def _values(self, key: Key, first: Value, second: Value) -> str:
        if isinstance(first, tuple) and isinstance(second, tuple):
            # What only one has is a difference of its own, told elsewhere.
            common = set(first) & set(second)
            first = ", ".join(one for one in first if one in common)
            second = ", ".join(one for one in second if one in common)
        if first is None or second is None or first == second:
            return ""
        one, other = self._names
        return f"{key[0]}: {key[1]}: {first} ({one}), {second} ({other})"
