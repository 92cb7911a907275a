"""A flow's file as plain values that know their line: mappings, lists and the texts that were written.

YAML would make no of "no" and 90 of "1:30"; here a scalar stays its text. Pure; sizes are bounded before
anything is built, so that no text can take long or deep.
"""

import re
from dataclasses import dataclass
from typing import Any, Final

import yaml

__all__ = ["MAX_TEXT", "Items", "Mapped", "Scalar", "Value", "Wrong", "read"]

MAX_TEXT: Final = 60_000  # characters of a file
_MAX_NODES: Final = 6_000
_MAX_DEPTH: Final = 8
_LOADER: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_UNREADABLE: Final = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]|\ufeff")


class Wrong(ValueError):
    """What cannot be read, and in which line (from 1)."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(reason)
        self.line = line
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Scalar:
    """A text as it was written."""

    text: str
    line: int


@dataclass(frozen=True, slots=True)
class Mapped:
    """Keys and their values, in order; a key may stand there twice."""

    entries: tuple[tuple[Scalar, "Value"], ...]
    line: int


@dataclass(frozen=True, slots=True)
class Items:
    """A list."""

    items: tuple["Value", ...]
    line: int


Value = Scalar | Mapped | Items


def read(text: str) -> Value:
    """The file's one document. Raises Wrong."""
    if len(text) > MAX_TEXT:
        raise Wrong(1, f"A flow has at most {MAX_TEXT} characters.")
    if bad := _UNREADABLE.search(text):
        raise Wrong(_line_of(text, bad.start()), f"The character {bad.group()!r} cannot be read.")
    try:
        _check_size(text)
        node = yaml.compose(text, Loader=_LOADER)
    except yaml.MarkedYAMLError as wrong:
        raise _told(wrong) from None
    except yaml.YAMLError as wrong:
        raise Wrong(1, f"This is no YAML: {wrong}.") from None
    if node is None:
        raise Wrong(1, "The flow is empty.")
    return _value(node)


def _check_size(text: str) -> None:
    """Refuses what is too deep or too much, and what only programs write. The parser does not recurse."""
    depth = nodes = 0
    for event in yaml.parse(text, Loader=_LOADER):
        line = event.start_mark.line + 1 if event.start_mark else 1
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise Wrong(line, "Anchors and aliases (& and *) are not known here. Write it out, or quote it.")
        if getattr(event, "tag", None):
            raise Wrong(line, "Tags (!) are not known here. Put the text into quotes.")
        nodes += isinstance(event, yaml.NodeEvent)
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > _MAX_DEPTH:
            raise Wrong(line, f"This lies more than {_MAX_DEPTH} levels deep.")
        if nodes > _MAX_NODES:
            raise Wrong(line, "This is too much for one flow.")


def _value(node: yaml.Node) -> Value:
    line = node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        return Mapped(tuple((_key(key), _value(value)) for key, value in node.value), line)
    if isinstance(node, yaml.SequenceNode):
        return Items(tuple(_value(item) for item in node.value), line)
    return Scalar(str(node.value).strip(), line)


def _key(node: yaml.Node) -> Scalar:
    found = _value(node)
    if not isinstance(found, Scalar):
        raise Wrong(found.line, "A name must be a word, not a list or a mapping. Texts with {…} need quotes.")
    return found


def _told(wrong: yaml.MarkedYAMLError) -> Wrong:
    mark = wrong.problem_mark or wrong.context_mark
    problem = wrong.problem or "it cannot be read"
    hint = ""
    if "mapping values are not allowed" in problem:
        hint = " A text that holds a colon and a space needs quotes around it."
    return Wrong(mark.line + 1 if mark else 1, f"This is no YAML: {problem}.{hint}")


def _line_of(text: str, at: int) -> int:
    return text.count("\n", 0, at) + 1
