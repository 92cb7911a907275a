"""The names that documents must tell, read from the source itself: settings, commands, system checks."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from tools.house import ROOT

PRODUCT = ("contactcenter", "calls", "streams", "emulator", "bench")
READERS = {"secret", "secrets_list"}
REGIONS = ("IE1", "AU1")
# Read before or beside the settings: where the file of settings is, and what a demo or a test may point at.
BESIDE = {"ENV_FILE"}


def settings_names() -> dict[str, Path]:
    """Each environment variable that the product reads → the file that reads it."""
    found = dict.fromkeys(BESIDE, ROOT / "contactcenter" / "env.py")
    for path, tree in trees("contactcenter"):
        for name in read_names(tree):
            found.setdefault(name, path)
    return found


def read_names(tree: ast.AST) -> Iterator[str]:
    """Names given to env.…("NAME"), secret("NAME"), secrets_list("NAME"), f-strings once per region."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and node.args and reads_environment(node.func):
            yield from spelled(node.args[0])


def reads_environment(function: ast.expr) -> bool:
    """Whether a call reads the environment by our typed readers."""
    if isinstance(function, ast.Attribute):
        return (
            isinstance(function.value, ast.Name)
            and function.value.id == "env"
            and function.attr != "read_env"
        )
    return isinstance(function, ast.Name) and function.id in READERS


def spelled(argument: ast.expr) -> Iterator[str]:
    """The name a reader was given; one that ends in the region is spelled for each."""
    if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
        yield argument.value
    if isinstance(argument, ast.JoinedStr) and isinstance(argument.values[0], ast.Constant):
        stem = str(argument.values[0].value)
        yield from (stem + region for region in REGIONS)


def commands() -> list[str]:
    """The management commands of the product's apps."""
    return sorted(
        path.stem
        for app in PRODUCT
        for path in (ROOT / app / "management" / "commands").glob("*.py")
        if not path.stem.startswith("_")
    )


def check_ids() -> list[str]:
    """Ids of system checks, such as contactcenter.E001, wherever a string of the product holds one."""
    return sorted({text for text in strings() if is_check_id(text)})


def is_check_id(text: str) -> bool:
    """An app or cc, a dot, E or W, three digits."""
    area, _, number = text.partition(".")
    return area in {*PRODUCT, "cc"} and len(number) == 4 and number[0] in "EWI" and number[1:].isdigit()


def strings() -> Iterator[str]:
    """Every string constant in the product."""
    for app in PRODUCT:
        for _, tree in trees(app):
            for node in ast.walk(tree):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    yield node.value


def trees(folder: str) -> Iterator[tuple[Path, ast.Module]]:
    """Each Python file below a folder with its syntax tree, migrations left out."""
    for path in sorted((ROOT / folder).rglob("*.py")):
        if "migrations" not in path.parts:
            yield path, ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def message_types() -> list[str]:
    """What a site sends to browsers: types that are spelled out, and the nouns of events."""
    found = set()
    for app in ("calls", "streams"):
        for path, tree in trees(app):
            for node in ast.walk(tree):
                if isinstance(node, ast.Dict) and speaks(path):
                    found |= set(types_in(node))
                elif isinstance(node, ast.keyword) and node.arg == "noun":
                    found |= set(constants(node.value))
    return sorted(name for name in found if name.isalpha())


def speaks(path: Path) -> bool:
    """Whether a file makes messages for browsers: sockets, hub, what is read for them, media process."""
    return path.parent.name in {"consumers", "selectors", "live"} or path.stem in {"hub", "outbox", "levels"}


def types_in(node: ast.Dict) -> Iterator[str]:
    """The plain value of "type" in a dict, if it has one."""
    for key, value in zip(node.keys, node.values, strict=True):
        if isinstance(key, ast.Constant) and key.value == "type":
            yield from constants(value)


def constants(node: ast.expr) -> Iterator[str]:
    """The string, if the expression is one."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
