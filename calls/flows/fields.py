"""Reading one mapping of a flow's file field by field; what is wrong is collected with its line."""

import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from typing import Final

from rapidfuzz import fuzz, process

from calls.flows.nodes import Items, Mapped, Scalar, Value

__all__ = ["NAME", "PLACE", "Fields", "Problems", "like"]

NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")
PLACE: Final = re.compile(r"\{([a-z][a-z0-9_]*)(?:\.([a-z][a-z0-9_]*))?\}")
"""What stands in a text for a fact, {order}, or for a cell of the row that was looked up, {orders.status}."""

MAX_SAID: Final = 500  # characters said in one go
MAX_PROBLEMS: Final = 50


def like(word: str, known: Iterable[str]) -> str:
    """A sentence that names what may have been meant, with a space before it, or nothing."""
    near = process.extractOne(word[:60], list(known), scorer=fuzz.ratio, score_cutoff=60)
    return f" Did you mean “{near[0]}”?" if near else ""


@dataclass(slots=True)
class Problems:
    """All that is wrong with a file: line and reason, at most MAX_PROBLEMS of them."""

    found: set[tuple[int, str]] = field(default_factory=set)

    def add(self, line: int, reason: str) -> None:
        """Note one."""
        if len(self.found) < MAX_PROBLEMS:
            self.found.add((line, reason))


class Fields:
    """The fields of one mapping. A field that is wrong or missing is told, and read as empty."""

    def __init__(self, value: Value | None, what: str, line: int, problems: Problems) -> None:
        self.what = what
        self.line = value.line if value else line
        self.problems = problems
        self._values: dict[str, Value] = {}
        self._read: set[str] = set()
        self._lines: dict[str, int] = {}
        self.texts: list[Scalar] = []  # said or written, with places to be filled
        self.targets: list[Scalar] = []
        if value is not None and not isinstance(value, Mapped):
            self.wrong(f"{what} must hold fields, each on a line of its own, such as “kind: say”.")
        for key, held in value.entries if isinstance(value, Mapped) else ():
            if key.text in self._values:
                problems.add(key.line, f"“{key.text}” stands here twice.")
            self._values[key.text] = held
            self._lines[key.text] = key.line

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def wrong(self, reason: str, at: str = "") -> None:
        """Tell that something is wrong, in the line of a field or of the whole."""
        self.problems.add(self._lines.get(at, self.line), reason)

    def done(self, refused: Callable[[str], str] = lambda name: "") -> None:
        """Tell of every field that nobody asked for."""
        for name in self._values:
            if name not in self._read:
                reason = refused(name) or f"{self.what} has no field “{name}”.{like(name, self._read)}"
                self.wrong(reason, name)

    def value(self, name: str) -> Value | None:
        """Whatever stands there."""
        self._read.add(name)
        return self._values.get(name)

    def word(self, name: str, default: str = "", *, needed: bool = False) -> str:
        """A text that is no list and no mapping."""
        value = self.value(name)
        if isinstance(value, Scalar) and value.text:
            return value.text
        if value is not None and not isinstance(value, Scalar):
            self.wrong(f"“{name}” must be a text. One that begins with {{ or [ needs quotes.", name)
        elif value is not None:
            self.wrong(f'“{name}” is empty. A sign such as # needs quotes: "#".', name)
        elif needed:
            self.wrong(f"{self.what} has no {name}.")
        return default

    def said(self, name: str, default: str = "", *, needed: bool = False) -> str:
        """A text to be said or written, which may hold {facts}."""
        text = " ".join(self.word(name, default, needed=needed).split())
        if len(text) > MAX_SAID:
            self.wrong(f"“{name}” has {len(text)} characters; at most {MAX_SAID} are said in one go.", name)
        if text:
            self.texts.append(Scalar(text, self._lines.get(name, self.line)))
        return text

    def target(self, name: str, *, needed: bool = True, default: str = "") -> str:
        """The name of a step."""
        where = self.word(name, default)
        if where:
            self.targets.append(Scalar(where, self._lines.get(name, self.line)))
        elif needed and name not in self:
            self.wrong(f"{self.what} leads nowhere: it has no “{name}”.")
        return where

    def name(self, field_name: str, what: str, *, needed: bool = False) -> str:
        """A name of our own making, such as a fact's."""
        name = self.word(field_name, needed=needed)
        if name and not NAME.fullmatch(name):
            self.wrong(f"“{name}” is no name of {what}: small letters, digits and _.", field_name)
            return ""
        return name

    def number(self, name: str, default: int, least: int, most: int) -> int:
        """A whole number within its limits."""
        text = self.word(name, str(default))
        if re.fullmatch(r"[0-9]{1,4}", text) and least <= int(text) <= most:
            return int(text)
        self.wrong(f"“{name}” is a number from {least} to {most}, not “{text[:20]}”.", name)
        return default

    def choice(self, name: str, options: Collection[str], default: str) -> str:
        """One of a few words."""
        text = self.word(name, default)
        if text in options:
            return text
        self.wrong(f"“{name}” is {' or '.join(options)}, not “{text[:40]}”.{like(text, options)}", name)
        return default

    def words(self, name: str) -> list[Scalar]:
        """A list of texts, or one alone."""
        value = self.value(name)
        items = value.items if isinstance(value, Items) else (value,) if value else ()
        found = [item for item in items if isinstance(item, Scalar) and item.text]
        if len(found) < len(items):
            self.wrong(f"“{name}” must be a text, or a list of texts in [brackets].", name)
        return found
