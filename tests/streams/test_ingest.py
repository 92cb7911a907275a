"""The whole work for one message: decode, session, journal, level, and what is borne."""

import json
from pathlib import Path

import pytest

from streams import journal
from streams.happenings import Frame, Key
from streams.ingest import Ingest, Limits, Seen
from streams.journal import Reader, Writer
from streams.levels import Levels
from streams.protocol import MAX_MESSAGE_BYTES
from streams.session import Direction, Session
from tests.streams import wire


class Time:
    """A clock that a test moves."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def writer(tmp_path: Path) -> Writer:
    return Writer.create(tmp_path, wire.SID, {})


def begun(writer: Writer | None = None, direction: Direction = "unidirectional", **more: object) -> Ingest:
    ingest = Ingest(Session(direction), **more)  # type: ignore[arg-type]
    assert ingest.feed(wire.CONNECTED) is Seen.CONNECTED
    assert ingest.feed(wire.start()) is Seen.START
    ingest.attach(writer)
    return ingest


def kept(writer: Writer) -> list[tuple[int, int, int, bytes]]:
    """The records behind the head."""
    with Reader(writer.path) as reader:
        return [record[:4] for record in reader.read()[1:]]


def test_a_frame_is_journalled_and_loud(writer: Writer):
    levels = Levels()
    ingest = begun(writer, levels=levels)
    assert ingest.feed(wire.media(2, 61, payload=b"\x80" * 160)) is Seen.MEDIA
    assert ingest.feed(wire.media(3, 61, "outbound", payload=b"\xff" * 160)) is Seen.MEDIA
    assert kept(writer) == [
        (journal.INBOUND, 61, 2, b"\x80" * 160),
        (journal.OUTBOUND, 61, 3, b"\xff" * 160),
    ]
    shown = json.loads(levels.drain("now") or "")["levels"][wire.SID]
    assert shown == {"inbound": pytest.approx(-0.2, abs=0.1), "outbound": -96.0}
    assert (ingest.counters.frames, ingest.counters.bytes) == (2, 320)


def test_start_is_there_to_be_read_before_a_journal_is_attached():
    ingest = begun()
    assert ingest.start is not None
    assert ingest.start.start.callSid == wire.CALL
    assert ingest.feed(wire.media(2, 61)) is Seen.MEDIA  # without a journal nothing is kept
    assert ingest.happened == [Frame("inbound", 61, 2, b"\xff" * 160)]


def test_bytes_are_taken_like_text(writer: Writer):
    ingest = begun(writer)
    assert ingest.feed(wire.media(2, 61).encode()) is Seen.MEDIA
    assert len(kept(writer)) == 1


def test_a_gap_stands_before_the_frame_behind_it(writer: Writer):
    ingest = begun(writer)
    ingest.feed(wire.media(2, 0))
    ingest.feed(wire.media(5, 60))
    kinds = [(kind, at) for kind, at, _, _ in kept(writer)]
    assert kinds == [(journal.INBOUND, 0), (journal.GAP, 20), (journal.INBOUND, 60)]
    assert json.loads(kept(writer)[1][3]) == {"track": "inbound", "ms": 40, "cause": "lost"}


def test_a_late_frame_is_kept_behind_with_its_own_time_and_a_doubled_one_is_not(writer: Writer):
    ingest = begun(writer)
    for text in (wire.media(2, 0), wire.media(4, 40), wire.media(3, 20), wire.media(4, 40)):
        assert ingest.feed(text) is Seen.MEDIA
    sound = [(at, sequence) for kind, at, sequence, _ in kept(writer) if kind == journal.INBOUND]
    assert sound == [(0, 2), (40, 4), (20, 3)]
    assert (ingest.counters.doubled, ingest.counters.lost_ms) == (1, 0)


def test_a_key_is_told_but_kept_masked(writer: Writer):
    ingest = begun(writer, "bidirectional")
    assert ingest.feed(wire.dtmf(2, "7")) is Seen.KEY
    assert ingest.happened == [Key("7", 0, 2)]
    assert kept(writer) == [(journal.KEY, 0, 2, b"*")]


def test_a_mark_is_kept_by_name(writer: Writer):
    ingest = begun(writer, "bidirectional")
    assert ingest.feed(wire.mark(2, "turn-7/3 é")) is Seen.MARK
    assert kept(writer) == [(journal.MARK, 0, 2, "turn-7/3 é".encode())]
    assert ingest.feed(wire.mark(3, "x" * 60_000)) is Seen.MARK
    assert len(kept(writer)[1][3]) <= 400


def test_stop_ends_it(writer: Writer):
    ingest = begun(writer)
    assert ingest.feed(wire.stop(2)) is Seen.STOP
    assert ingest.feed(wire.media(3, 61)) is Seen.CLOSE
    assert ingest.error is not None
    assert ingest.error.code == "order"


# what is wrong


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("not json", "malformed"),
        (b"\xff\xfe", "malformed"),
        (wire.media(2, 61).replace('"timestamp":"61"', '"timestamp":"soon"'), "bad_field"),
        (wire.media(2, 61, sid=wire.OTHER), "wrong_stream"),
        (wire.media(2, 61, "third"), "unknown_track"),
        (wire.dtmf(2), "unexpected"),
        (wire.mark(2), "unexpected"),
    ],
)
def test_a_bad_message_is_named_and_counted_and_the_good_one_beside_it_is_kept(
    writer: Writer, text: str | bytes, code: str
):
    ingest = begun(writer)
    assert ingest.feed(text) is Seen.BAD
    assert ingest.error is not None
    assert ingest.error.code == code
    assert ingest.counters.errors_by_code == {code: 1}
    assert ingest.feed(wire.media(3, 61)) is Seen.MEDIA
    assert len(kept(writer)) == 1


def test_a_binary_message_is_a_bad_one():
    ingest = begun()
    assert ingest.feed_binary(b"\0\1") is Seen.BAD
    assert ingest.counters.errors_by_code == {"binary": 1}


@pytest.mark.parametrize(
    ("before", "text", "code"),
    [
        ([], wire.media(2, 61), "order"),
        ([wire.start()], wire.start(), "order"),
        ([], wire.start().replace("audio/x-mulaw", "audio/l16"), "bad_format"),
        ([], "x" * (MAX_MESSAGE_BYTES + 1), "too_large"),
        ([wire.start()], "x" * (MAX_MESSAGE_BYTES + 1), "too_large"),
    ],
)
def test_some_errors_close_the_socket(before: list[str], text: str, code: str):
    ingest = Ingest(Session())
    for earlier in before:
        ingest.feed(earlier)
    assert ingest.feed(text) is Seen.CLOSE
    assert ingest.error is not None
    assert ingest.error.code == code


def test_an_unknown_event_is_passed_over():
    ingest = begun()
    assert ingest.feed('{"event":"weather","sun":true}') is Seen.PASSED
    assert ingest.counters.unknown_events == 1


def test_twenty_bad_messages_are_a_flood():
    ingest = begun()
    seen = [ingest.feed("{") for _ in range(20)]
    assert seen == [Seen.BAD] * 19 + [Seen.CLOSE]
    assert ingest.error is not None
    assert ingest.error.code == "flood"


def test_new_events_and_tracks_of_twilio_are_no_flood():
    ingest = begun(limits=Limits(per_second=0))
    for number in range(5000):
        assert ingest.feed(wire.media(2 + number, 0, "third")) is Seen.BAD
        assert ingest.feed('{"event":"weather"}') is Seen.PASSED
    assert ingest.counters.errors_by_code == {"unknown_track": 5000}


def fed(ingest: Ingest, time: Time, per_second: float, seconds: float) -> int:
    """How many messages at this rate were taken before the socket was to be closed."""
    for number in range(int(per_second * seconds)):
        time.now += 1 / per_second
        if ingest.feed('{"event":"weather"}') is Seen.CLOSE:
            assert ingest.error is not None
            assert ingest.error.code == "flood"
            return number
    return int(per_second * seconds)


def test_more_messages_a_second_than_the_limit_are_a_flood():
    time = Time()
    ingest = begun(clock=time)
    assert 800 <= fed(ingest, time, 100_000, 1) < 1000


def test_what_a_call_sends_is_none_and_neither_is_a_backlog_after_a_stall():
    time = Time()
    ingest = begun(clock=time)
    assert fed(ingest, time, 100, 60) == 6000
    time.now += 20
    assert fed(ingest, time, 50_000, 0.04) == 2000
    assert fed(ingest, time, 100, 10) == 1000


def test_in_virtual_time_there_is_no_limit():
    time = Time()
    ingest = begun(clock=time, limits=Limits(per_second=0))
    assert fed(ingest, time, 1_000_000, 0.01) == 10_000


# pause


def test_paused_sound_goes_nowhere_and_leaves_a_gap(writer: Writer):
    levels = Levels()
    ingest = begun(writer, levels=levels)
    ingest.feed(wire.media(2, 0))
    ingest.pause()
    ingest.pause()
    levels.drain("now")
    ingest.feed(wire.media(3, 20, payload=b"\x80" * 160))
    ingest.feed(wire.media(4, 40, payload=b"\x80" * 160))
    assert json.loads(levels.drain("now") or "")["levels"][wire.SID]["inbound"] is None
    ingest.resume()
    ingest.resume()
    ingest.feed(wire.media(5, 60))
    records = kept(writer)
    assert [(kind, at) for kind, at, _, _ in records] == [
        (journal.INBOUND, 0),
        (journal.PAUSE, 20),
        (journal.GAP, 20),
        (journal.PAUSE, 60),
        (journal.INBOUND, 60),
    ]
    assert json.loads(records[2][3]) == {"track": "inbound", "ms": 40, "cause": "paused"}
    assert b"\x80" not in writer.path.read_bytes()[100:]


# words


def test_without_words_sound_and_levels_go_on(writer: Writer):
    levels = Levels()
    ingest = begun(writer, levels=levels)
    ingest.feed(wire.media(2, 0))
    ingest.write_down(False)
    ingest.write_down(False)
    levels.drain("now")
    ingest.feed(wire.media(3, 20, payload=b"\x80" * 160))
    assert json.loads(levels.drain("now") or "")["levels"][wire.SID]["inbound"] is not None
    ingest.write_down(True)
    records = kept(writer)
    assert [(kind, at) for kind, at, _, _ in records] == [
        (journal.INBOUND, 0),
        (journal.WORDS, 20),
        (journal.INBOUND, 20),
        (journal.WORDS, 40),
    ]
    assert [json.loads(records[at][3])["words"] for at in (1, 3)] == [False, True]


def test_a_spare_journal_begins_without_words_when_they_were_stopped(tmp_path: Path):
    spare = Writer.create(tmp_path, wire.OTHER, {})
    ingest = begun(Full(-1, Path("gone"), 0), spare=lambda: spare)
    ingest.words = False
    ingest.feed(wire.media(2, 0))
    assert [kind for kind, _, _, _ in kept(spare)] == [journal.WORDS, journal.INBOUND]


# disk


class Full(Writer):
    """A journal whose disk is full."""

    def append(self, kind: int, timestamp_ms: int, sequence: int, payload: bytes) -> None:
        raise journal.JournalError("write", "No space left on device")


def test_a_full_disk_does_not_end_the_stream(writer: Writer):
    ingest = begun(Full(-1, Path("gone"), 0))
    assert ingest.feed(wire.media(2, 0)) is Seen.MEDIA
    assert ingest.feed(wire.media(5, 60)) is Seen.MEDIA
    assert (ingest.degraded, ingest.journal, ingest.counters.frames) == (True, None, 2)


@pytest.mark.parametrize("text", [wire.media(2, 0), wire.dtmf(2)])
def test_the_record_that_did_not_fit_goes_to_the_spare_journal(writer: Writer, text: str):
    ingest = begun(Full(-1, Path("gone"), 0), "bidirectional", spare=lambda: writer)
    ingest.feed(text)
    assert ingest.journal is writer
    assert [sequence for _, _, sequence, _ in kept(writer)] == [2]
