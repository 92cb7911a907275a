"""The house stands as drawn: imports go down, walls stand where they should, nothing is let in raw."""

import ast
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools.house import ROOT
from tools.imports import LAYER_NAMES, PURE, Import, circle, imports, layer, modules
from tools.names import PRODUCT, trees

LONGEST_MODULE = 350
MAY_IMPORT = {
    "calls": {"calls"},
    "streams": {"streams", "calls"},
    "contactcenter": {"contactcenter", "calls", "streams"},
    "emulator": {"emulator"},
    "bench": {"bench", "calls", "streams"},
}
EMULATOR_BORROWS = {"streams.protocol", "streams.audio"}
NOT_PURE = {
    "asyncio", "channels", "django", "os", "pathlib", "socket", "subprocess", "tempfile", "threading", "time"
}  # fmt: skip
SKIP_OR_SLEEP = re.compile(r"pytest\.(mark\.)?(skip|skipif|xfail|importorskip)|time\.sleep")
ROWS = {"all", "filter", "exclude", "get", "first", "exists", "count", "open", "values", "values_list"}
LOOKUP = re.compile(r"(^|__)streams(__|$)")
PAGES = ("*.html", "*.js")
RAW_IN_PAGES = (
    "innerHTML",
    "outerHTML",
    "insertAdjacentHTML",
    "document.write",
    "|safe",
    "| safe",
    "autoescape off",
)


@pytest.fixture(scope="module")
def ours() -> list[Import]:
    """The imports of the product's own modules."""
    return [one for one in imports() if one.target.partition(".")[0] in {*PRODUCT, "tests", "tools"}]


def test_rooms_import_only_rooms_below(ours: list[Import]) -> None:
    wrong = [
        str(one)
        for one in ours
        if app(one.target) not in MAY_IMPORT[app(one.source)]
        and not (app(one.source) == "emulator" and one.target in EMULATOR_BORROWS)
    ]
    assert not wrong


def test_imports_go_down_the_layers(ours: list[Import]) -> None:
    wrong = [
        f"{one}: {LAYER_NAMES[layer(one.source)]} → {LAYER_NAMES[layer(one.target)]}"
        for one in ours
        if app(one.source) in {"calls", "streams"} and layer(one.target) > layer(one.source)
    ]
    assert not wrong


def test_imports_make_no_circle(ours: list[Import]) -> None:
    edges: dict[str, set[str]] = defaultdict(set)
    for one in ours:
        if one.target != one.source:
            edges[one.source].add(one.target)
    assert circle(dict(edges)) == []


def test_pure_modules_know_no_framework_clock_or_file() -> None:
    wrong = [
        str(one)
        for one in imports()
        if app(one.source) in {"calls", "streams"}
        and layer(one.source) == PURE
        and one.target.partition(".")[0] in NOT_PURE
    ]
    assert not wrong


def test_the_measurements_start_the_product_as_processes() -> None:
    wrong = [
        str(one)
        for one in imports()
        if app(one.source) == "bench" and "peers" not in one.source and app(one.target) == "django"
    ]
    assert not wrong


@pytest.mark.parametrize(
    ("library", "homes"),
    [
        ("twilio.rest", ("calls.gateway",)),
        ("channels.layers", ("calls.channels", "calls.consumers.ticks", "streams.live", "contactcenter")),
    ],
    ids=["Twilio's REST", "the channel layer"],
)
def test_a_library_has_few_homes(library: str, homes: tuple[str, ...]) -> None:
    users = {one.source for one in imports() if one.target.startswith(library) and app(one.source) != "bench"}
    assert {user for user in users if not user.startswith(homes)} == set()


def test_only_selectors_name_the_relation_to_streams() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{line}"
        for path, tree in trees("calls")
        if path.parent.name not in {"selectors", "gateway"}
        for line in names_streams(tree)
    ]
    assert not wrong


def test_packages_say_nothing_but_the_models() -> None:
    wrong = [
        str(path.relative_to(ROOT))
        for path in modules().values()
        if path.name == "__init__.py" and path.read_text().strip() and path.parent.name != "models"
    ]
    assert not wrong


@pytest.mark.parametrize("module", ["emulator.app", "streams.ingest", "streams.engines.run"])
def test_what_must_be_light_loads_without_django(module: str) -> None:
    code = f"import {module}, sys; print([name for name in sys.modules if name.split('.')[0] == 'django'])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout.strip()) == (0, "[]"), done.stderr


def test_text_of_callers_never_becomes_markup() -> None:
    pages = [
        path
        for folder in ("templates", "static/js")
        for kind in PAGES
        for path in (ROOT / folder).rglob(kind)
    ]
    raw = [
        f"{path.relative_to(ROOT)}: {word}"
        for path in pages
        for word in RAW_IN_PAGES
        if word in path.read_text(encoding="utf-8")
    ]
    marked = [
        str(path.relative_to(ROOT)) for path, name in names_used() if name in {"mark_safe", "SafeString"}
    ]
    assert raw + marked == []


def test_pages_hold_no_inline_script_style_or_handler() -> None:
    inline = re.compile(
        r"<script(?![^>]*\bsrc=)(?![^>]*application/json)[^>]*>|<style|\son[a-z]+=|\sstyle=", re.I
    )
    wrong = [
        f"{path.relative_to(ROOT)}: {found.group(0)}"
        for path in (ROOT / "templates").rglob("*.html")
        for found in inline.finditer(path.read_text(encoding="utf-8"))
    ]
    assert not wrong


def test_only_signed_webhooks_go_without_csrf() -> None:
    users = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for path, name in names_used()
        if name == "csrf_exempt"
    }
    assert {user for user in users if not user.startswith(("calls.webhooks", "streams.webhooks"))} == set()


def test_a_module_can_be_read_in_one_sitting() -> None:
    long = {
        name: lines
        for name, path in modules().items()
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > LONGEST_MODULE
    }
    assert long == {}


def test_every_module_says_what_it_is() -> None:
    silent = [
        str(path.relative_to(ROOT))
        for folder in (*PRODUCT, "tools")
        for path, tree in trees(folder)
        if tree.body and not ast.get_docstring(tree)
    ]
    assert silent == []


def test_tests_neither_skip_nor_sleep() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{node.lineno} {ast.unparse(node)}"
        for path, tree in trees("tests")
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and SKIP_OR_SLEEP.fullmatch(ast.unparse(node))
    ]
    assert wrong == []


def app(module: str) -> str:
    """The room of a module."""
    return module.partition(".")[0]


def names_used() -> Iterator[tuple[Path, str]]:
    """Each name that the product's code uses, with its file."""
    for room in PRODUCT:
        for path, tree in trees(room):
            for node in ast.walk(tree):
                if isinstance(node, ast.Name):
                    yield path, node.id
                elif isinstance(node, ast.Attribute):
                    yield path, node.attr


def names_streams(tree: ast.AST) -> Iterator[int]:
    """Lines that ask the relation `.streams` for rows, or look up through it."""
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(value=ast.Attribute(attr="streams"), attr=verb, lineno=line) if verb in ROWS:
                yield line
            case ast.keyword(arg=str(name), lineno=line) if LOOKUP.search(name):
                yield line
            case ast.Constant(value=str(text), lineno=line) if "__streams" in text:
                yield line
