"""Who imports whom in the product, read from the source, and the layer that each module stands on."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tools.house import ROOT
from tools.names import PRODUCT

PURE, DATA, ADAPTER, USE_CASE, INTERFACE, ENTRY = range(6)
LAYER_NAMES = ("pure", "data", "adapter", "use case", "interface", "entry")

FOLDERS = {
    "models": DATA,
    "gateway": ADAPTER,
    "engines": ADAPTER,
    "voices": ADAPTER,
    "speech": ADAPTER,
    "services": USE_CASE,
    "selectors": USE_CASE,
    "webhooks": INTERFACE,
    "views": INTERFACE,
    "consumers": INTERFACE,
    "admin": INTERFACE,
    "live": INTERFACE,
    "management": ENTRY,
}
# At an app's root everything is pure but these.
ROOT_MODULES = {
    **dict.fromkeys(
        ("events", "channels", "writer", "spool", "audit", "access", "tokens", "counters"), ADAPTER
    ),
    **dict.fromkeys(("ingest", "journal", "journal_reader", "wordfile"), ADAPTER),
    **dict.fromkeys(("forms", "urls", "hub", "webhooks", "views", "admin"), INTERFACE),
    **dict.fromkeys(("apps", "checks"), ENTRY),
}


@dataclass(frozen=True)
class Import:
    """One import: `source` and `target` are dotted modules, `line` where it stands."""

    source: str
    target: str
    line: int

    def __str__(self) -> str:
        return f"{self.source}:{self.line} imports {self.target}"


def layer(module: str) -> int:
    """The layer of a module of calls or streams; contactcenter stands above both."""
    app, *rest = module.split(".")
    if app == "contactcenter" or not rest:
        return ENTRY if app == "contactcenter" else PURE
    if rest[0] in FOLDERS and (len(rest) > 1 or (ROOT / app / rest[0]).is_dir()):
        return FOLDERS[rest[0]]
    return ROOT_MODULES.get(rest[0], PURE)


def modules() -> dict[str, Path]:
    """Every module of the product → its file; migrations left out, packages by their own name."""
    found = {}
    for app in PRODUCT:
        for path in sorted((ROOT / app).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            if "migrations" not in parts:
                found[".".join(parts).removesuffix(".__init__")] = path
    return found


def imports() -> list[Import]:
    """Every import in the product, of the product's own modules and of others'."""
    known = modules()
    return [found for name, path in known.items() for found in of_module(name, path, known)]


def of_module(name: str, path: Path, known: dict[str, Path]) -> Iterator[Import]:
    """The imports of one file, inside functions too; what only type checkers read is left out."""
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    for node in run_time_nodes(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(name, alias.name, node.lineno)
        elif isinstance(node, ast.ImportFrom):
            base = absolute(node, package)
            for alias in node.names:
                full = f"{base}.{alias.name}"
                yield Import(name, full if full in known else base, node.lineno)


def run_time_nodes(tree: ast.AST) -> Iterator[ast.AST]:
    """Every node but those below `if TYPE_CHECKING:`."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            continue
        yield node
        yield from run_time_nodes(node)


def absolute(node: ast.ImportFrom, package: str) -> str:
    """The module of a `from … import`, relative ones resolved."""
    if not node.level:
        return node.module or ""
    parts = package.split(".")
    base = parts[: len(parts) - node.level + 1]
    return ".".join([*base, node.module] if node.module else base)


def circle(edges: dict[str, set[str]]) -> list[str]:
    """One circle of imports as the modules along it, or an empty list."""
    done: set[str] = set()
    for begin in edges:
        found = _walk(begin, edges, [], done)
        if found:
            return found
    return []


def _walk(module: str, edges: dict[str, set[str]], way: list[str], done: set[str]) -> list[str]:
    if module in way:
        return [*way[way.index(module) :], module]
    if module in done:
        return []
    for target in sorted(edges.get(module, ())):
        found = _walk(target, edges, [*way, module], done)
        if found:
            return found
    done.add(module)
    return []
