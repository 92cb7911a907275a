"""The lines heard: written by one engine, read by the stream's owner."""

import stat
from pathlib import Path

import pytest

from streams.wordfile import Line, Reader, Taken, Writer, words_path
from tests.streams.wire import SID


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return words_path(tmp_path / f"{SID}.journal")


def final(number: int, text: str = "hello") -> Line:
    return {
        "kind": "final",
        "track": "inbound",
        "number": number,
        "start_ms": 100,
        "end_ms": 900,
        "text": text,
        "confidence": 0.93,
        "words": [{"word": "hello", "start_ms": 100, "end_ms": 900}],
        "offset": 17_600,
    }


def test_it_lies_beside_the_journal_and_is_private(path: Path):
    Writer(path).close()
    assert path.name == f"{SID}.words"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_lines_come_back_as_they_were_written(path: Path):
    lines: list[Line] = [
        final(1),
        {"kind": "partial", "track": "outbound", "number": 1, "text": "güt\nen \u2028"},
    ]
    with Writer(path) as writer, Reader(path) as reader:
        for line in lines:
            writer.write(line)
        assert reader.read() == lines
        assert reader.read() == []
        writer.write({"kind": "done"})
        assert reader.read() == [{"kind": "done"}]


def test_a_file_still_to_come_is_waited_for(path: Path):
    reader = Reader(path)
    assert reader.read() == []
    with Writer(path) as writer:
        writer.write(final(1))
    assert reader.read() == [final(1)]


def test_a_reader_goes_on_at_its_offset(path: Path):
    with Writer(path) as writer:
        writer.write(final(1))
        with Reader(path) as first:
            first.read()
        writer.write(final(2))
    assert Reader(path, first.offset).read() == [final(2)]


def test_an_unfinished_line_is_not_read(path: Path):
    path.write_bytes(b'{"kind":"done"}\n{"kind":"fin')
    reader = Reader(path)
    assert reader.read() == [{"kind": "done"}]
    assert (reader.read(), reader.garbage) == ([], 0)


@pytest.mark.parametrize(
    "garbage",
    [
        b"",
        b"null",
        b"[]",
        b"\xff\xfe",
        b"{}",
        b'{"kind":"shout"}',
        b'{"kind":"final","number":"one"}',
        b'{"kind":"final","words":7}',
        b"[" * 100_000,
        b"{" + b'"a":' * 1000,
    ],
)
def test_what_is_no_line_is_counted_and_passed_over(path: Path, garbage: bytes):
    path.write_bytes(b'{"kind":"speech"}\n' + garbage + b'\n{"kind":"done"}\n')
    reader = Reader(path)
    assert [line["kind"] for line in reader.read()] == ["speech", "done"]
    assert reader.garbage == 1


def test_a_line_without_end_does_not_block_what_follows(path: Path):
    path.write_bytes(b"x" * 3_000_000 + b'\n{"kind":"done"}\n')
    reader = Reader(path)
    read = [line for _ in range(5) for line in reader.read()]
    assert read == [{"kind": "done"}]


def test_one_engine_at_a_time(path: Path):
    first = Writer(path)
    with pytest.raises(Taken):
        Writer(path)
    first.close()
    first.close()
    Writer(path).close()


def test_the_next_engine_cuts_what_a_killed_one_left_unfinished(path: Path):
    path.write_bytes(b'{"kind":"done"}\n' + b'{"kind":"final","text":"' + b"x" * 2_000_000)
    with Writer(path) as writer:
        writer.write(final(2))
    assert Reader(path).read() == [{"kind": "done"}, final(2)]


def test_a_file_that_is_one_unfinished_line_begins_anew(path: Path):
    path.write_bytes(b'{"kind":"fi')
    with Writer(path) as writer:
        writer.write(final(1))
    assert Reader(path).read() == [final(1)]


def test_a_line_longer_than_a_reader_takes_is_refused(path: Path):
    with Writer(path) as writer, pytest.raises(ValueError, match="bytes"):
        writer.write(final(1, "x" * (1 << 20)))
    assert path.read_bytes() == b""
