"""What may follow what on a media stream, and who is wrong."""

import pytest

from streams.happenings import Closed, Dropped, Frame, Gap, Greeted, Happening, Key, Marked, Opened
from streams.protocol import Clear, PlayBody, PlayMark, PlayMarkBody, PlayMedia, ProtocolError, decode
from streams.session import MAX_GAPS, SendNotAllowed, Session
from tests.streams import wire


def begun(*tracks: str, bidirectional: bool = False) -> Session:
    session = Session("bidirectional" if bidirectional else "unidirectional")
    session.receive(decode(wire.CONNECTED))
    session.receive(decode(wire.start(*tracks)))
    return session


def hear(session: Session, *texts: str) -> list[Happening]:
    return [happening for text in texts for happening in session.receive(decode(text))]


def refused(session: Session, text: str) -> str:
    with pytest.raises(ProtocolError) as caught:
        session.receive(decode(text))
    return caught.value.code


def test_a_whole_stream_from_connected_to_stop():
    session = Session()
    happened = hear(session, wire.CONNECTED, wire.start("inbound"), wire.media(2, 61), wire.stop(3))
    assert [type(one) for one in happened] == [Greeted, Opened, Frame, Closed]
    assert session.stream_sid == wire.SID
    assert session.tracks == ["inbound"]
    assert session.state == "stopped"


def test_both_tracks_have_times_of_their_own():
    happened = hear(
        begun(),
        wire.media(2, 61, "outbound", chunk=1),
        wire.media(3, 61, "inbound", chunk=1),
        wire.media(4, 81, "inbound", chunk=2),
    )
    assert happened == [
        Frame("outbound", 61, 2, b"\xff" * 160),
        Frame("inbound", 61, 3, b"\xff" * 160),
        Frame("inbound", 81, 4, b"\xff" * 160),
    ]


def test_a_start_without_connected_is_let_pass():
    assert [type(one) for one in hear(Session(), wire.start())] == [Opened]


@pytest.mark.parametrize(
    ("before", "text"),
    [
        ([], wire.media(2, 61)),
        ([wire.CONNECTED], wire.media(2, 61)),
        ([wire.CONNECTED], wire.stop(2)),
        ([wire.CONNECTED], wire.dtmf(2)),
        ([wire.CONNECTED], wire.CONNECTED),
        ([wire.CONNECTED, wire.start()], wire.start()),
        ([wire.CONNECTED, wire.start()], wire.start(sid=wire.OTHER)),
        ([wire.CONNECTED, wire.start()], wire.CONNECTED),
        ([wire.start(), wire.stop(2)], wire.media(3, 61)),
        ([wire.start(), wire.stop(2)], wire.stop(3)),
        ([wire.start(), wire.stop(2)], wire.start()),
    ],
)
def test_what_is_out_of_order_is_refused(before: list[str], text: str):
    session = Session()
    hear(session, *before)
    assert refused(session, text) == "order"
    assert session.counters.errors_by_code == {"order": 1}


def test_a_refused_message_changes_nothing():
    session = begun("inbound")
    hear(session, wire.media(2, 0))
    assert refused(session, wire.start(sid=wire.OTHER)) == "order"
    assert refused(session, wire.media(3, 20, sid=wire.OTHER)) == "wrong_stream"
    assert hear(session, wire.media(3, 20)) == [Frame("inbound", 20, 3, b"\xff" * 160)]
    assert (session.stream_sid, session.counters.sequence_gaps) == (wire.SID, 0)


@pytest.mark.parametrize(
    "text", [wire.media(2, 0, sid=wire.OTHER), wire.dtmf(2, sid=wire.OTHER), wire.stop(2, sid=wire.OTHER)]
)
def test_messages_of_another_stream_are_refused(text: str):
    session = begun(bidirectional=True)
    assert refused(session, text) == "wrong_stream"
    assert session.state == "streaming"


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        (f'"streamSid":"{wire.SID}","start"', f'"streamSid":"{wire.OTHER}","start"', "wrong_stream"),
        ('"encoding":"audio/x-mulaw"', '"encoding":"audio/l16"', "bad_format"),
        ('"sampleRate":8000', '"sampleRate":16000', "bad_format"),
        ('"channels":1', '"channels":2', "bad_format"),
        ('"tracks":["inbound","outbound"]', '"tracks":[]', "bad_field"),
        ('"tracks":["inbound","outbound"]', '"tracks":["both_tracks"]', "bad_field"),
    ],
)
def test_a_start_that_cannot_be_right_is_refused_and_may_be_said_again(old: str, new: str, code: str):
    session = Session()
    assert old in wire.start()
    assert refused(session, wire.start().replace(old, new)) == code
    assert session.start is None
    assert [type(one) for one in hear(session, wire.start())] == [Opened]


@pytest.mark.parametrize("track", ["outbound", "inbound_track", "both", ""])
def test_a_track_that_was_not_announced_is_refused(track: str):
    session = begun("inbound")
    assert refused(session, wire.media(2, 61, track)) == "unknown_track"
    assert session.counters.frames == 0


def test_unknown_events_are_counted_and_passed_over():
    session = begun()
    assert hear(session, '{"event":"closed"}', '{"event":"transcript","x":1}') == []
    assert (session.counters.unknown_events, session.counters.errors) == (2, 0)


# keys and marks


def test_keys_and_marks_come_on_a_bidirectional_stream():
    session = begun("inbound", bidirectional=True)
    happened = hear(session, wire.media(2, 61), wire.dtmf(3, "#"), wire.mark(4, "turn-7/3"))
    assert happened[1:] == [Key("#", 81, 3), Marked("turn-7/3", 81, 4)]


@pytest.mark.parametrize("text", [wire.dtmf(2), wire.mark(2)])
def test_keys_and_marks_on_a_unidirectional_stream_are_counted_errors(text: str):
    session = begun()
    assert refused(session, text) == "unexpected"
    assert session.counters.errors_by_code == {"unexpected": 1}
    assert hear(session, wire.media(3, 61)) != []


# sending

SOUND = PlayMedia(streamSid=wire.SID, media=PlayBody(payload=b"\xff"))


def test_on_a_bidirectional_stream_we_may_send():
    session = begun("inbound", bidirectional=True)
    assert session.send(SOUND) == f'{{"event":"media","streamSid":"{wire.SID}","media":{{"payload":"/w=="}}}}'
    assert '"name":"a"' in session.send(PlayMark(streamSid=wire.SID, mark=PlayMarkBody(name="a")))
    assert session.send(Clear(streamSid=wire.SID)) == f'{{"event":"clear","streamSid":"{wire.SID}"}}'


def test_on_a_unidirectional_stream_we_may_never_send():
    with pytest.raises(SendNotAllowed, match="31924"):
        begun().send(SOUND)


def test_we_may_not_send_before_start_after_stop_or_to_another_stream():
    session = Session("bidirectional")
    with pytest.raises(SendNotAllowed, match="waiting"):
        session.send(SOUND)
    session = begun("inbound", bidirectional=True)
    with pytest.raises(SendNotAllowed, match="31951"):
        session.send(Clear(streamSid=wire.OTHER))
    hear(session, wire.stop(2))
    with pytest.raises(SendNotAllowed, match="stopped"):
        session.send(SOUND)


# figures


def test_frames_bytes_and_time_are_counted():
    session = begun()
    hear(session, wire.media(2, 0), wire.media(3, 0, "outbound", payload=b"\xff" * 80), wire.media(4, 20))
    counters = session.counters
    assert (counters.frames, counters.bytes, counters.last_ms, counters.lost_ms) == (3, 400, 40, 0)
    assert session.position_ms == 40


def test_a_message_without_sound_is_counted_and_moves_nothing():
    session = begun("inbound")
    assert hear(session, wire.media(2, 5000, payload=b"")) == []
    assert hear(session, wire.media(3, 61)) == [Frame("inbound", 61, 3, b"\xff" * 160)]
    assert (session.counters.empty, session.counters.frames) == (1, 1)


def test_gaps_in_the_sequence_are_counted_and_repaired_by_nothing():
    session = begun("inbound")
    hear(session, wire.media(2, 0), wire.media(5, 20), wire.media(4, 40), wire.media(6, 60), wire.stop(9))
    counters = session.counters
    assert (counters.sequence_gaps, counters.sequence_missing, counters.sequence_behind) == (2, 4, 1)
    assert counters.lost_ms == 0


@pytest.mark.parametrize(
    ("chunks", "numbering"),
    [
        ([1, 1, 2, 2, 3, 3], "track"),
        ([1, 2, 3, 4, 5, 6], "shared"),
    ],
)
def test_both_numberings_of_chunks_are_recognised(chunks: list[int], numbering: str):
    session = begun()
    for number, chunk in enumerate(chunks):
        track = ("outbound", "inbound")[number % 2]
        hear(session, wire.media(2 + number, 20 * (number // 2), track, chunk=chunk))
    assert session.numbering == numbering
    assert session.counters.chunk_breaks == 0


def test_a_chunk_that_is_missing_is_a_break_in_either_numbering():
    session = begun("inbound")
    for number, chunk in enumerate([1, 2, 5, 6]):
        hear(session, wire.media(2 + number, 20 * number, chunk=chunk))
    assert session.numbering == ""
    assert session.counters.chunk_breaks == 1


# time


def test_missing_sound_is_a_gap_before_the_frame_and_told_once_it_is_final():
    session = begun("inbound")
    happened = hear(session, wire.media(2, 0), wire.media(5, 60))
    assert happened[1:] == [Gap("inbound", 20, 40), Frame("inbound", 60, 5, b"\xff" * 160)]
    assert session.take_gaps() == []
    for number in range(12):
        hear(session, wire.media(6 + number, 80 + 20 * number))
    assert session.take_gaps() == [Gap("inbound", 20, 40)]
    assert session.take_gaps() == []
    assert session.counters.lost_ms == 40


def test_at_the_end_every_gap_is_final():
    session = begun("inbound")
    hear(session, wire.media(2, 0), wire.media(3, 60), wire.stop(4))
    assert session.take_gaps() == [Gap("inbound", 20, 40)]
    dropped = begun("inbound")
    hear(dropped, wire.media(2, 0), wire.media(3, 60))
    dropped.finish()
    assert dropped.take_gaps() == [Gap("inbound", 20, 40)]


def test_late_and_doubled_sound_is_dropped_by_name():
    session = begun("inbound")
    texts = [wire.media(2 + n, 20 * n) for n in range(20) if n != 3]
    hear(session, *texts)
    assert hear(session, wire.media(5, 60)) == [Dropped("inbound", "late")]
    assert hear(session, wire.media(12, 200)) == [Dropped("inbound", "doubled")]
    assert (session.counters.late, session.counters.doubled, session.counters.frames) == (1, 1, 19)


def test_gaps_are_told_one_by_one_only_up_to_a_limit():
    session = begun("inbound")
    told = 0
    for number in range(MAX_GAPS + 500):
        hear(session, wire.media(2 + number, 40 * number))
        told += len(session.take_gaps())
    assert told == MAX_GAPS
    assert session.counters.lost_ms == 20 * (MAX_GAPS + 499)


def test_what_is_paused_is_a_gap_of_each_track():
    session = begun()
    hear(session, wire.media(2, 0), wire.media(3, 0, "outbound"))
    session.pause()
    hear(session, wire.media(4, 20), wire.media(5, 40))
    assert session.resume() == [Gap("inbound", 20, 40, "paused")]
    assert session.take_gaps() == [Gap("inbound", 20, 40, "paused")]


# a long call


def test_four_hours_of_one_track_in_the_streams_own_time():
    """720,000 frames, 115,200,000 bytes, every one in its place."""
    session = begun("inbound")
    message = decode(wire.media(2, 0))
    body = message.media  # type: ignore[union-attr]
    for number in range(720_000):
        message.sequenceNumber = 2 + number  # type: ignore[union-attr]
        body.chunk = 1 + number
        body.timestamp = 20 * number
        (frame,) = session.receive(message)
        assert frame.at_ms == 20 * number  # type: ignore[union-attr]
    counters = session.counters
    assert (counters.frames, counters.bytes) == (720_000, 115_200_000)
    assert (counters.lost_ms, counters.last_ms, counters.errors) == (0, 4 * 3_600_000, 0)
    assert (counters.sequence_gaps, counters.chunk_breaks, session.take_gaps()) == (0, 0, [])
