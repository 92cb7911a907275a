"""Tables in which a voice looks things up: CSV, found by their first column. Pure."""

import csv
import io
import re
from collections.abc import Iterator, Mapping
from typing import Final

__all__ = ["MAX_COLUMNS", "MAX_ROWS", "MAX_TEXT", "TableError", "columns", "read"]

MAX_TEXT: Final = 1_000_000  # characters
MAX_ROWS: Final = 20_000
MAX_COLUMNS: Final = 20
_MAX_CELL: Final = 300  # characters, said in one breath
_HEADING: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")


class TableError(ValueError):
    """The table cannot be used: in which line (from 1), and why."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(f"Line {line}: {reason}")
        self.line = line
        self.reason = reason


def read(text: str) -> Mapping[str, Mapping[str, str]]:
    """Rows by their first column, each by its headings. Raises TableError."""
    lines = _lines(text)
    _, headings = next(lines, (1, []))
    _check_headings(headings)
    rows: dict[str, dict[str, str]] = {}
    seen: dict[str, int] = {}
    for line, cells in lines:
        if not any(cells):
            continue
        if len(rows) >= MAX_ROWS:
            raise TableError(line, f"A table has at most {MAX_ROWS} rows.")
        key = _key(line, cells, headings)
        if (before := seen.setdefault(key.casefold(), line)) != line:
            raise TableError(line, f"“{key}” stands in line {before} already.")
        rows[key] = dict(zip(headings, cells, strict=True))
    return rows


def columns(text: str) -> tuple[str, ...]:
    """The headings alone; () where there are none that can be used."""
    try:
        _, headings = next(_lines(text), (1, []))
        _check_headings(headings)
    except TableError:
        return ()
    return tuple(headings)


def _lines(text: str) -> Iterator[tuple[int, list[str]]]:
    """The line in which each row ends, and its cells without the spaces around them."""
    if len(text) > MAX_TEXT:
        raise TableError(1, f"A table has at most {MAX_TEXT} characters.")
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=None), strict=True)
    try:
        for cells in reader:
            yield reader.line_num, [cell.strip() for cell in cells]
    except csv.Error as wrong:
        raise TableError(reader.line_num, f"This is no CSV: {wrong}.") from None


def _check_headings(headings: list[str]) -> None:
    if not any(headings):
        raise TableError(1, "The first line must hold the headings, such as order,status,day.")
    if len(headings) > MAX_COLUMNS:
        raise TableError(1, f"A table has at most {MAX_COLUMNS} columns.")
    for heading in headings:
        if not _HEADING.fullmatch(heading):
            fit = re.sub(r"[^a-z0-9]+", "_", heading.lower()).strip("_")
            hint = f" Write {fit}." if _HEADING.fullmatch(fit) else ""
            raise TableError(1, f"“{heading}” is no heading: small letters, digits and _.{hint}")
        if headings.count(heading) > 1:
            raise TableError(1, f"Two columns are headed “{heading}”.")


def _key(line: int, cells: list[str], headings: list[str]) -> str:
    if len(cells) != len(headings):
        raise TableError(line, f"{len(cells)} cells; the headings are {len(headings)}.")
    if not cells[0]:
        raise TableError(line, f"The first cell, by which the row is found, is empty ({headings[0]}).")
    if long := next((cell for cell in cells if len(cell) > _MAX_CELL), ""):
        raise TableError(line, f"“{long[:20]}…” is longer than {_MAX_CELL} characters.")
    return cells[0]
