"""Sound on its way to a listener: frames as bytes, what may wait; and the live end of a journal."""

import os
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.journal import INBOUND, OUTBOUND, JournalError, Writer
from streams.journal_reader import last_record
from streams.listening import FLIGHT, HELD, Sound, Window, cut, pack
from streams.record import HEADER_BYTES, MAGIC
from tests import factories
from tests.streams.journals import journal

QUIET = b"\xff" * 160


def frame(number: int, track: int = 0) -> Sound:
    return Sound(track, 20.0 * number, QUIET)


def sequences(message: bytes) -> list[int]:
    """The sequence numbers in a message."""
    return [struct.unpack_from("<H", message, at + 2)[0] for at in range(0, len(message), 172)]


def test_a_frame_is_twelve_bytes_and_its_sound() -> None:
    packed = pack(7, Sound(1, 1234.5, QUIET))
    assert packed[:12] == struct.pack("<BBHd", 1, 1, 7, 1234.5)
    assert packed[12:] == QUIET


def test_nothing_waits_that_may_go() -> None:
    window = Window()
    for number in range(FLIGHT):
        window.put(frame(number))
        lost, message = window.take()
        assert (lost, sequences(message)) == (0, [number])
    assert window.take() == (0, b"")


def test_the_two_tracks_go_in_order_of_time() -> None:
    window = Window()
    for number in range(3):
        window.put(frame(number))
    for number in range(3):
        window.put(frame(number, track=1))
    _, message = window.take()
    assert [message[at + 1] for at in range(0, len(message), 172)] == [0, 1] * 3


def test_one_track_that_waits_does_not_hold_the_other_up() -> None:
    window = Window()
    for number in range(FLIGHT + 5):
        window.put(frame(number))
    window.take()
    window.put(frame(99, track=1))
    _, message = window.take()
    assert [message[at + 1] for at in range(0, len(message), 172)] == [1]


@given(st.lists(st.one_of(st.sampled_from(["left", "right"]), st.integers(-5, 70_000)), max_size=400))
def test_whatever_the_browser_says_at_most_a_second_of_each_track_waits(steps: list[str | int]) -> None:
    window, put, sent, lost_ms = Window(), 0, 0, 0
    for step in steps:
        if isinstance(step, int):
            window.ack(step)
        else:
            window.put(frame(put, track=step == "right"))
            put += 1
        lost, message = window.take()
        sent, lost_ms = sent + len(sequences(message)), lost_ms + lost
        assert window.in_flight <= 2 * FLIGHT
        assert sum(map(len, window._held)) <= 2 * HELD


def test_an_ack_counts_across_the_end_of_the_numbers() -> None:
    window = Window()
    sent: list[int] = []
    for number in range(70_000):
        window.put(frame(number))
        sent += sequences(window.take()[1])
        if number % 10 == 9:
            assert window.ack(sent[-1])
    assert sent[65_535:65_537] == [65_535, 0]
    assert not window.ack(sent[-1])


def test_sound_of_any_length_is_cut_into_frames() -> None:
    pieces = list(cut(1, 100.0, bytes(400)))
    assert [(piece.ms, len(piece.ulaw)) for piece in pieces] == [(100.0, 160), (120.0, 160), (140.0, 160)]
    assert pieces[2].ulaw == bytes(80) + b"\xff" * 80
    assert list(cut(0, 0.0, b"")) == []


@pytest.fixture
def writer(tmp_path: Path) -> Writer:
    return journal(tmp_path, factories.sid("MZ"), frames=2000)


def test_the_live_end_is_behind_the_last_whole_record(writer: Writer) -> None:
    found = last_record(writer.path)
    assert found is not None
    assert (found.end, found.timestamp_ms) == (writer.offset, 1999 * 20)


@pytest.mark.parametrize("torn", [1, HEADER_BYTES, HEADER_BYTES + 100])
def test_a_record_that_is_being_written_is_not_the_last(writer: Writer, torn: int) -> None:
    before = writer.offset
    writer.append(INBOUND, 40_000, 4000, QUIET)
    os.truncate(writer.path, before + torn)
    found = last_record(writer.path)
    assert found is not None
    assert found.end == before


def test_sound_that_looks_like_records_is_not_taken_for_one(writer: Writer) -> None:
    for number in range(40):
        writer.append(OUTBOUND, 40_000 + 20 * number, 4000 + number, bytes([MAGIC, 1, 0, 0]) * 40)
    found = last_record(writer.path)
    assert found is not None
    assert found.end == writer.offset


def test_records_of_any_length_are_found(tmp_path: Path) -> None:
    writer = journal(tmp_path, factories.sid("MZ"), frames=10)
    for length in (0, 5000, 65_535):
        writer.append(INBOUND, 400, 9, bytes(length))
        found = last_record(writer.path)
        assert found is not None
        assert (found.end, len(found.payload)) == (writer.offset, length)
    writer.close()


def test_an_empty_file_has_no_end(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    assert last_record(tmp_path / "empty") is None
    with pytest.raises(FileNotFoundError):
        last_record(tmp_path / "none")
    with pytest.raises(JournalError):
        Writer.create(tmp_path, "empty", {})
