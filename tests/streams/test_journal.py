"""The journal: what is written is read, whole and right, whatever happens to process and disk."""

import fcntl
import os
import resource
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from streams import journal
from streams.journal import JournalError, Reader, Record, Writer, recover
from tests.streams.wire import OTHER, SID

FRAME = bytes(range(160))
HEAD = {"call": "CA1", "tracks": ["inbound"]}


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "journal"


def read(path: Path) -> list[Record]:
    with Reader(path) as reader:
        return reader.read()


def written(directory: Path, frames: int, sid: str = SID) -> Path:
    """A journal of inbound frames whose process died."""
    writer = Writer.create(directory, sid, HEAD)
    for number in range(frames):
        writer.append(journal.INBOUND, 20 * number, 2 + number, FRAME)
    writer.close()
    return writer.path


def test_a_journal_is_private_named_by_its_stream_and_begins_with_its_head(directory: Path):
    writer = Writer.create(directory, SID, HEAD)
    assert writer.path == directory / f"{SID}.journal"
    assert stat.S_IMODE(writer.path.stat().st_mode) == 0o600
    assert [path.name for path in directory.iterdir()] == [f"{SID}.journal"]
    (head,) = read(writer.path)
    assert (head.kind, head.facts()) == (journal.HEAD, {"version": 1, "stream": SID, **HEAD})


def test_it_is_private_under_a_generous_umask_too(directory: Path):
    before = os.umask(0)
    try:
        writer = Writer.create(directory, SID, HEAD)
    finally:
        os.umask(before)
    assert stat.S_IMODE(writer.path.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "sid", ["", "MZ1", "../../etc/passwd", f"{SID}\n", f"CA{SID[2:]}", f"{SID}/x", "MZ" + "g" * 32]
)
def test_what_is_no_stream_sid_becomes_no_name(directory: Path, sid: str):
    with pytest.raises(JournalError) as caught:
        Writer.create(directory, sid, HEAD)
    assert caught.value.code == "sid"
    assert not directory.exists()


def test_a_stream_has_one_journal(directory: Path):
    Writer.create(directory, SID, HEAD)
    with pytest.raises(JournalError) as caught:
        Writer.create(directory, SID, HEAD)
    assert caught.value.code == "exists"
    assert len(list(directory.iterdir())) == 1


def test_the_bytes_of_a_record_are_the_documented_ones(directory: Path):
    writer = Writer.create(directory, SID, HEAD)
    at = writer.offset
    writer.append(journal.OUTBOUND, 0x01020304, 0x0A0B0C0D, b"\xff\xfe")
    data = writer.path.read_bytes()[at:]
    assert data == b"\xc7\x02\x02\x00\x04\x03\x02\x01\x0d\x0c\x0b\x0a" + data[12:16] + b"\xff\xfe"
    assert int.from_bytes(data[12:16], "little") == crc32_by_hand(data[:12] + b"\xff\xfe")


def crc32_by_hand(data: bytes) -> int:
    """CRC-32 bit by bit, from its definition."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0xEDB88320 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def test_every_kind_comes_back_as_it_was_written(directory: Path):
    writer = Writer.create(directory, SID, HEAD)
    writer.append(journal.INBOUND, 61, 2, FRAME)
    writer.append(journal.OUTBOUND, 61, 3, b"")
    writer.append(journal.SENT, 70, 0, b"\x00" * 65_535)
    writer.gap("inbound", 81, 40, "lost")
    writer.append(journal.KEY, 90, 4, b"*")
    writer.append(journal.MARK, 95, 5, "fin é".encode())
    writer.pause(100, True)
    writer.words(110, False)
    writer.finish("stop", {"frames": 2})
    records = read(writer.path)[1:]
    assert [record.kind for record in records] == [1, 2, 3, 4, 5, 6, 7, 9, 8]
    assert records[0][:4] == (journal.INBOUND, 61, 2, FRAME)
    assert records[3].facts() == {"track": "inbound", "ms": 40, "cause": "lost"}
    assert records[6].facts() == {"paused": True}
    assert (records[7].timestamp_ms, records[7].facts()) == (110, {"words": False})
    assert records[8].facts() == {"reason": "stop", "totals": {"frames": 2}}
    assert records[8].end == writer.path.stat().st_size


@pytest.mark.parametrize(
    ("timestamp", "sequence", "payload"),
    [(-1, 1, b""), (2**32, 1, b""), (0, -1, b""), (0, 2**32, b""), (0, 1, b"\xff" * 65_536)],
)
def test_what_does_not_fit_a_record_is_refused_and_leaves_no_trace(
    directory: Path, timestamp: int, sequence: int, payload: bytes
):
    writer = Writer.create(directory, SID, HEAD)
    with pytest.raises(JournalError) as caught:
        writer.append(journal.INBOUND, timestamp, sequence, payload)
    assert caught.value.code == "record"
    assert writer.path.stat().st_size == writer.offset


def test_a_head_that_does_not_fit_makes_no_journal(directory: Path):
    with pytest.raises(JournalError) as caught:
        Writer.create(directory, SID, {"hints": "x" * 70_000})
    assert caught.value.code == "head"
    assert list(directory.iterdir()) == []


# reading


def test_a_reader_goes_on_where_it_stopped_and_where_an_offset_says(directory: Path):
    writer = Writer.create(directory, SID, HEAD)
    reader = Reader(writer.path)
    assert len(reader.read()) == 1
    assert reader.read() == []
    writer.append(journal.INBOUND, 0, 2, FRAME)
    (first,) = reader.read()
    writer.append(journal.INBOUND, 20, 3, FRAME)
    with Reader(writer.path, first.end) as other:
        assert [record.timestamp_ms for record in other.read()] == [20]
    assert reader.offset == first.end


def test_a_long_journal_is_read_in_pieces(directory: Path):
    path = written(directory, 5000)
    count, calls = 0, 0
    with Reader(path) as reader:
        while records := reader.read(limit=100_000):
            count += len(records)
            calls += 1
    assert count == 5001
    assert calls > 5


def test_an_unfinished_record_waits_and_is_not_damage(directory: Path):
    path = written(directory, 2)
    whole = path.read_bytes()
    path.write_bytes(whole[:-1])
    with Reader(path) as reader:
        assert len(reader.read()) == 2
        assert (reader.read(), reader.damaged) == ([], False)
        path.write_bytes(whole)
        assert [record.timestamp_ms for record in reader.read()] == [20]


@pytest.mark.parametrize(
    "tail", [b"\0" * 16, b"\0" * 4096, b"\xc7" + b"\0" * 15, b"\xc8" * 40, b"\xc7\x01" * 40]
)
def test_a_tail_of_zeros_or_noise_is_no_record(directory: Path, tail: bytes):
    path = written(directory, 3)
    with path.open("ab") as file:
        file.write(tail)
    with Reader(path) as reader:
        assert len(reader.read()) == 4
        assert reader.read() == []


def test_a_flipped_bit_anywhere_in_a_record_is_seen(directory: Path):
    path = written(directory, 2)
    whole = path.read_bytes()
    start = len(whole) - 176
    for at in range(start, len(whole)):
        for bit in (0, 3, 7):
            broken = bytearray(whole)
            broken[at] ^= 1 << bit
            path.write_bytes(broken)
            assert [record.timestamp_ms for record in read(path)[1:]] == [0]


def test_what_is_read_while_it_is_written_is_never_wrong(directory: Path):
    count = 20_000
    writer = Writer.create(directory, SID, HEAD)

    def write() -> None:
        for number in range(count):
            writer.append(journal.INBOUND, 20 * number, number, FRAME[: number % 160])

    thread = threading.Thread(target=write)
    thread.start()
    seen = 0
    with Reader(writer.path) as reader:
        while seen < count:
            for record in reader.read():
                if record.kind == journal.INBOUND:
                    assert (record.sequence, record.payload) == (seen, FRAME[: seen % 160])
                    seen += 1
    thread.join()


def test_the_directory_is_the_registry(directory: Path):
    assert journal.listing(directory) == []
    one, two = written(directory, 0, OTHER), written(directory, 0)
    for name in ("MZshort.journal", f"{SID}.words", ".hidden.journal", f"x{SID}.journal"):
        (directory / name).touch()
    assert journal.listing(directory) == sorted([one, two])


# ownership


def test_who_writes_owns_and_who_closes_gives_up(directory: Path):
    writer = Writer.create(directory, SID, HEAD)
    assert journal.owned(writer.path)
    assert recover(writer.path) is None
    writer.close()
    writer.close()
    assert not journal.owned(writer.path)
    assert not journal.owned(directory / "gone.journal")


def test_nothing_is_written_to_a_closed_journal(directory: Path):
    writer = Writer.create(directory, SID, HEAD)
    writer.close()
    writer.sync()
    with pytest.raises(JournalError) as caught:
        writer.append(journal.INBOUND, 0, 2, FRAME)
    assert caught.value.code == "closed"


def test_a_killed_process_gives_up_its_journal_at_once_and_loses_nothing(directory: Path):
    code = (
        "import os, signal, sys, pathlib\n"
        "from streams.journal import INBOUND, Writer\n"
        f"writer = Writer.create(pathlib.Path(sys.argv[1]), {SID!r}, {{}})\n"
        "for number in range(500): writer.append(INBOUND, 20 * number, 2 + number, bytes(160))\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    killed = subprocess.run([sys.executable, "-c", code, str(directory)], timeout=60, check=False)
    assert killed.returncode == -9
    found = recover(directory / f"{SID}.journal")
    assert found is not None
    with found:
        assert (found.totals.frames, found.totals.bytes, found.cut_bytes) == (500, 80_000, 0)


# recovery


def test_recovery_ends_the_journal_and_holds_it(directory: Path):
    path = written(directory, 50)
    found = recover(path)
    assert found is not None
    assert (found.stream_sid, found.head["call"], found.reason) == (SID, "CA1", "lease")
    assert (found.totals.frames, found.totals.bytes, found.totals.last_ms) == (50, 8000, 1000)
    assert journal.owned(path)
    assert recover(path) is None
    found.close()
    end = read(path)[-1]
    assert (end.kind, end.timestamp_ms, end.facts()["reason"]) == (journal.END, 1000, "lease")


def test_a_second_recovery_finds_the_end_and_writes_none(directory: Path):
    writer = Writer.create(directory, SID, HEAD)
    writer.finish("stop", {})
    writer.close()
    size = writer.path.stat().st_size
    found = recover(writer.path, "other")
    assert found is not None
    with found:
        assert found.reason == "stop"
    assert writer.path.stat().st_size == size


def test_gaps_are_found_again_without_what_a_late_frame_filled(directory: Path):
    writer = Writer.create(directory, SID, HEAD)
    writer.append(journal.INBOUND, 0, 2, FRAME)
    writer.gap("inbound", 20, 60, "lost")
    writer.append(journal.INBOUND, 80, 6, FRAME)
    writer.append(journal.OUTBOUND, 40, 7, FRAME)
    writer.append(journal.INBOUND, 40, 4, FRAME)
    writer.gap("outbound", 60, 500, "paused")
    writer.close()
    found = recover(writer.path)
    assert found is not None
    with found:
        assert found.gaps == [
            ("inbound", 20, 20, "lost"),
            ("inbound", 60, 20, "lost"),
            ("outbound", 60, 500, "paused"),
        ]
        assert (found.totals.lost_ms, found.totals.last_ms) == (40, 100)


def test_cut_at_every_byte_of_the_last_4_kb_no_record_is_wrong(directory: Path):
    path = written(directory, 40)
    whole = path.read_bytes()
    records = read(path)
    for cut in range(len(whole) - 4096, len(whole)):
        path.write_bytes(whole[:cut])
        found = recover(path)
        assert found is not None
        found.close()
        good = [record for record in records if record.end <= cut]
        after = read(path)
        assert after[:-1] == good
        assert after[-1].kind == journal.END
        assert found.cut_bytes == cut - good[-1].end


def test_an_empty_or_headless_file_is_ended_too(directory: Path):
    directory.mkdir()
    for content in (b"", b"\0" * 100, b"garbage"):
        path = directory / f"{SID}.journal"
        path.write_bytes(content)
        found = recover(path)
        assert found is not None
        found.close()
        assert (found.head, found.totals.frames) == ({}, 0)
        assert [record.kind for record in read(path)] == [journal.END]


def test_what_is_gone_is_not_recovered(directory: Path):
    assert recover(directory / f"{SID}.journal") is None


# disk


def append(writer: Writer, frames: int) -> None:
    for number in range(frames):
        writer.append(journal.INBOUND, 20 * number, 2 + number, FRAME)


def test_a_disk_that_fills_up_leaves_whole_records(directory: Path):
    """A file size limit stands for the disk: a part is written first, then nothing."""
    writer = Writer.create(directory, SID, HEAD)
    limit = writer.offset + 10 * 176 + 50
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
    try:
        with pytest.raises(JournalError) as caught:
            append(writer, 20)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert caught.value.code == "write"
    assert len(read(writer.path)) == 11
    assert writer.path.stat().st_size == writer.offset
    writer.append(journal.INBOUND, 200, 12, FRAME)  # there is room again
    assert read(writer.path)[-1].timestamp_ms == 200


def test_short_writes_are_made_whole(directory: Path, monkeypatch: pytest.MonkeyPatch):
    writer = Writer.create(directory, SID, HEAD)
    real = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: real(fd, data[:7]))
    writer.append(journal.INBOUND, 61, 2, FRAME)
    monkeypatch.undo()
    assert read(writer.path)[1][:4] == (journal.INBOUND, 61, 2, FRAME)


def test_a_directory_that_cannot_be_made_is_refused_by_name(tmp_path: Path):
    (tmp_path / "journal").write_text("a file")
    with pytest.raises(JournalError) as caught:
        Writer.create(tmp_path / "journal", SID, HEAD)
    assert caught.value.code == "write"


def test_a_lock_is_on_the_file_itself(directory: Path):
    writer = Writer.create(directory, SID, HEAD)
    with writer.path.open("rb") as file, pytest.raises(BlockingIOError):
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
