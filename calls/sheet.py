"""A CSV file, as spreadsheets save it, read into lines of named cells. Nothing in it is ever run.

Bytes in, a Sheet out; whatever comes, nothing is raised: what cannot be read is told by line.
"""

import csv
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from calls.text import clean, from_csv_cell

__all__ = ["MAX_BYTES", "MAX_LINES", "Line", "Sheet", "read"]

MAX_BYTES = 5 * 1024 * 1024
MAX_LINES = 50_000
_DELIMITERS = ",;\t|"
_SPAN = 100  # lines that one quoted cell may go over; bounds the work on a mark that is never closed
_SEPARATOR = re.compile(r"sep=(.)\r?\n?", re.I)
_NOT_TEXT = {
    b"PK\x03\x04": "This is a workbook or an archive. Save the sheet as CSV UTF-8 and take that file.",
    b"\xd0\xcf\x11\xe0": "This is an old workbook. Save the sheet as CSV UTF-8 and take that file.",
    b"%PDF": "This is a PDF. Save the list as CSV UTF-8 and take that file.",
}
_TOO_MANY = "There are {cells} cells for {columns} columns. Put text with commas into quotation marks."
_QUOTES = "The quotation marks do not match: one is opened and not closed, or text follows a closed one."


@dataclass(frozen=True)
class Line:
    """One line of the table: it begins at line `number` of the file and ends at `upto`, both counted from 1.

    `cells` holds the known columns; `fault` says why the line cannot be read.
    """

    number: int
    upto: int
    cells: Mapping[str, str] = field(default_factory=dict)
    fault: str = ""


@dataclass(frozen=True)
class Sheet:
    """What a file holds. With a `fault` nothing of it can be used; `notices` are told in any case."""

    columns: tuple[str, ...] = ()
    lines: tuple[Line, ...] = ()
    empty: int = 0
    notices: tuple[str, ...] = ()
    fault: str = ""


class _Unusable(Exception):
    """The file as a whole cannot be used; the text says why."""


def read(data: bytes, columns: Mapping[str, frozenset[str]], *, needed: str) -> Sheet:
    """The table in these bytes. `columns` tells each column's name → all the ways it may be spelled in the
    first line (lower case, words joined by _); `needed` is the one that has to be there.
    """
    try:
        text, notices = _decoded(data)
        return _table(list(io.StringIO(text, newline="")), columns, needed, notices)
    except _Unusable as reason:
        return Sheet(fault=str(reason))


def _decoded(data: bytes) -> tuple[str, list[str]]:
    if len(data) > MAX_BYTES:
        raise _Unusable(f"The file is larger than {MAX_BYTES // 1024 // 1024} MB. Cut it into several.")
    for start, reason in _NOT_TEXT.items():
        if data.startswith(start):
            raise _Unusable(reason)
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return _without_nul(data.decode("utf-16", "replace")), []
    try:
        return _without_nul(data.decode("utf-8-sig")), []
    except UnicodeDecodeError:
        notice = (
            "The file is not UTF-8. It was read as Windows-1252: look at names with accents before going on."
        )
        return _without_nul(data.decode("cp1252", "replace")), [notice]


def _without_nul(text: str) -> str:
    return text.replace("\x00", "").lstrip("\ufeff")


def _table(lines: list[str], columns: Mapping[str, frozenset[str]], needed: str, notices: list[str]) -> Sheet:
    if not any(line.strip() for line in lines):
        raise _Unusable("The file is empty.")
    begin, delimiter = _beginning(lines, columns)
    records = _records(lines, begin, delimiter)
    number, _, header = next(records, (begin, begin, list[str]()))
    if isinstance(header, str):
        raise _Unusable(f"Line {number} should name the columns and cannot be read. {header}")
    names = _named(header, columns, needed)
    unknown = [clean(cell, 40) for cell, name in zip(header, names, strict=True) if not name and cell.strip()]
    if unknown:
        notices.append(f"Not used: the column{'s' if len(unknown) > 1 else ''} {', '.join(unknown[:20])}.")
    found, empty = _lines(records, names)
    if empty:
        notices.append(f"{empty:,} empty line{'s were' if empty > 1 else ' was'} left out.")
    return Sheet(tuple(name for name in names if name), tuple(found), empty, tuple(notices))


def _beginning(lines: list[str], columns: Mapping[str, frozenset[str]]) -> tuple[int, str]:
    """Where the column names stand, and what stands between them: what makes most of them known."""
    at = next(at for at, line in enumerate(lines) if line.strip())
    told = _SEPARATOR.fullmatch(lines[at])
    if told and told[1] not in "\"'\r\n ":
        return at + 1, told[1]
    return at, max(_DELIMITERS, key=lambda mark: _known(lines, at, mark, columns))


def _known(lines: list[str], at: int, mark: str, columns: Mapping[str, frozenset[str]]) -> tuple[int, int]:
    _, _, header = next(_records(lines, at, mark), (0, 0, ""))
    if isinstance(header, str):
        return 0, 0
    return sum(1 for cell in header if _column(cell, columns)), len(header)


def _column(cell: str, columns: Mapping[str, frozenset[str]]) -> str:
    spelled = "_".join(re.split(r"[\s_\-]+", clean(cell, 60).casefold()))
    return next((name for name, spellings in columns.items() if spelled in spellings), "")


def _named(header: list[str], columns: Mapping[str, frozenset[str]], needed: str) -> list[str]:
    names = [_column(cell, columns) for cell in header]
    if needed not in names:
        known = ", ".join(columns)
        raise _Unusable(f"There is no column “{needed}”. The first line has to name the columns: {known}.")
    twice = next((name for name in names if name and names.count(name) > 1), None)
    if twice:
        raise _Unusable(f"The column “{twice}” is there twice. Take one out.")
    return names


def _lines(records: Iterator[tuple[int, int, list[str] | str]], names: list[str]) -> tuple[list[Line], int]:
    found: list[Line] = []
    empty = 0
    for number, upto, record in records:
        if isinstance(record, str):
            found.append(Line(number, upto, fault=record))
        elif any(cell.strip() for cell in record):
            found.append(_line(number, upto, record, names))
        else:
            empty += upto - number + 1
        if len(found) > MAX_LINES:
            raise _Unusable(f"The file has more than {MAX_LINES:,} lines. Cut it into several.")
    return found, empty


def _line(number: int, upto: int, record: list[str], names: list[str]) -> Line:
    if any(cell.strip() for cell in record[len(names) :]):
        return Line(number, upto, fault=_TOO_MANY.format(cells=len(record), columns=len(names)))
    cells = {name: from_csv_cell(cell.strip()) for name, cell in zip(names, record, strict=False) if name}
    return Line(number, upto, cells)


def _records(lines: list[str], begin: int, delimiter: str) -> Iterator[tuple[int, int, list[str] | str]]:
    """Each record with the first and last of its lines; a record that cannot be read is its first line and
    why, and reading goes on with the next line. So each line is in exactly one record.
    """
    at = begin
    while at < len(lines):
        source = _Source(lines, at)
        reader = csv.reader(source, delimiter=delimiter, strict=True)
        while at < len(lines):
            source.until = at + _SPAN
            try:
                record = next(reader)
            except StopIteration:
                return
            except csv.Error:
                yield at + 1, at + 1, _QUOTES
                at += 1
                break
            yield at + 1, source.at, record
            at = source.at


class _Source:
    """Lines one after another, but none at or after `until`."""

    def __init__(self, lines: list[str], at: int) -> None:
        self.lines, self.at, self.until = lines, at, at

    def __iter__(self) -> "_Source":
        return self

    def __next__(self) -> str:
        if self.at >= len(self.lines):
            raise StopIteration
        if self.at >= self.until:
            raise csv.Error("a cell over too many lines")
        self.at += 1
        return self.lines[self.at - 1]
