"""A media socket from handshake to last row, through the whole routing; messages by hand."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from django.utils import timezone

from calls.channels import TICKS, listen
from calls.models import Call, Event, IngestKey, Leg, Ticket
from calls.services import tickets
from streams.journal import Reader, journal_path
from streams.live import socket as media_socket
from streams.live.runtime import runtime
from streams.models import Gap, Process, Stream
from streams.services import streams
from tests import factories, twilio
from tests.invariants import assert_events_whole, only_its_owner_may_read
from tests.streams.media import Socket, media_side, rows, settle, written

pytestmark = pytest.mark.django_db(transaction=True)
OTHER_STREAM = "MZ" + "3" * 32


@pytest_asyncio.fixture(autouse=True)
async def media(settings: Any, tmp_path: Path) -> AsyncIterator[None]:
    settings.JOURNAL_DIR = tmp_path / "journal"
    async with media_side():
        yield


@pytest.fixture
def ticket(transactional_db: None) -> Ticket:
    return factories.ticket(factories.leg(sid=twilio.CALL_SID))


async def opened(ticket: Ticket, *messages: str) -> Socket:
    """A socket of this ticket that has sent connected, start and `messages`."""
    socket = Socket(f"/media/{ticket.nonce}/")
    assert await socket.connect()
    await socket.send(twilio.connected(), twilio.start(), *messages)
    return socket


async def the_stream() -> Stream:
    await written()
    return await rows(Stream.objects.select_related("ticket").get)


def refusals(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [r.getMessage() for r in caplog.records if r.name == "contactcenter.media" and r.levelno >= 30]


async def test_a_stream_of_ours_is_let_in_kept_and_closed(ticket: Ticket) -> None:
    socket = Socket(f"/media/{ticket.nonce}/")

    assert await socket.connect()
    await socket.send(twilio.connected(), twilio.start(parameters={"desk": "7"}))
    await socket.send(*twilio.media_messages(50), twilio.stop(102))
    await socket.drop(1000)

    stream = await the_stream()
    assert stream.sid == twilio.STREAM_SID
    assert stream.close_reason == "stop"
    assert (stream.frames, stream.bytes, stream.lost_ms, stream.last_ms) == (100, 16000, 0, 1000)
    assert stream.parameters == {"desk": "7"}
    assert stream.tracks == ["inbound", "outbound"]
    assert stream.ticket.released_at is not None
    kinds = await rows(lambda: list(Event.objects.values_list("kind", flat=True)))
    assert kinds == ["stream.opened", "stream.closed"]
    await rows(assert_events_whole)


async def test_every_frame_is_in_the_journal_before_its_row_is_written(
    ticket: Ticket, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runtime().writer, "put", lambda *_, **__: True)  # a database that never answers
    sound = bytes(range(160))

    await opened(ticket, twilio.media(2, 1, 0, sound), twilio.media(3, 1, 0, sound, track="outbound"))

    with Reader(journal_path(settings.JOURNAL_DIR, twilio.STREAM_SID)) as reader:
        head, first, second = reader.read()
    assert head.facts()["stream"] == twilio.STREAM_SID
    assert (first.payload, second.payload) == (sound, sound)
    only_its_owner_may_read(settings.JOURNAL_DIR)


async def test_the_row_names_the_process_that_holds_the_socket(ticket: Ticket) -> None:
    socket = await opened(ticket)
    stream = await the_stream()
    assert stream.process_id == runtime().id
    process = await rows(Process.objects.get)
    assert process.pk == runtime().id
    await socket.drop()


async def test_missing_time_is_a_gap_with_its_event(ticket: Ticket) -> None:
    frames = [twilio.media(2 + n, 1 + n, at) for n, at in enumerate([0, 20, 340, 360])]

    socket = await opened(ticket, *frames, twilio.stop(6))
    await socket.drop(1000)

    stream = await the_stream()
    assert stream.lost_ms == 300
    gap = await rows(Gap.objects.get)
    assert (gap.track, gap.at_ms, gap.ms, gap.cause) == ("inbound", 40, 300, "lost")
    nouns = await rows(lambda: list(Event.objects.filter(noun="gap").values_list("key", flat=True)))
    assert nouns == [str(gap.pk)]


async def test_a_socket_that_drops_without_stop_is_a_lost_stream(ticket: Ticket) -> None:
    socket = await opened(ticket, *twilio.media_messages(10))
    await socket.drop(1006)

    stream = await the_stream()
    assert stream.close_reason == "dropped"
    assert stream.frames == 20
    assert stream.ticket.released_at is not None


async def test_a_socket_closed_by_our_own_restart_is_told_so(ticket: Ticket) -> None:
    socket = await opened(ticket)
    await socket.drop(1012)
    assert (await the_stream()).close_reason == "drained"


async def test_a_socket_that_ends_before_start_gives_its_ticket_back(ticket: Ticket) -> None:
    socket = Socket(f"/media/{ticket.nonce}/")
    assert await socket.connect()
    await socket.send(twilio.connected())
    await socket.drop()
    await written()
    await rows(ticket.refresh_from_db)
    assert ticket.released_at is not None


async def test_without_start_within_its_time_the_socket_is_closed(
    ticket: Ticket, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(media_socket, "START_SECONDS", 0.0)
    socket = Socket(f"/media/{ticket.nonce}/")
    assert await socket.connect()
    assert await socket.closed_with() == 4412
    assert refusals(caplog) == ["media.start.timeout"]


async def test_media_before_start_ends_the_socket(ticket: Ticket, caplog: pytest.LogCaptureFixture) -> None:
    socket = Socket(f"/media/{ticket.nonce}/")
    assert await socket.connect()
    await socket.send(twilio.connected(), twilio.media(1, 1, 0))
    assert await socket.closed_with() == 4412
    assert refusals(caplog) == ["media.start.order"]


async def test_a_second_start_ends_the_socket_and_keeps_what_came(
    ticket: Ticket, caplog: pytest.LogCaptureFixture
) -> None:
    socket = await opened(ticket, *twilio.media_messages(5), twilio.start())
    assert await socket.closed_with() == 4412
    assert refusals(caplog) == ["media.start.duplicate"]
    stream = await the_stream()
    assert (stream.close_reason, stream.frames) == ("refused", 10)


async def test_a_second_socket_for_a_live_stream_is_refused_and_the_first_goes_on(
    ticket: Ticket, caplog: pytest.LogCaptureFixture
) -> None:
    first = await opened(ticket, *twilio.media_messages(5))
    again = await rows(lambda: factories.ticket(ticket.leg))

    second = await opened(again)

    assert await second.closed_with() == 4409
    assert refusals(caplog) == ["media.start.duplicate"]
    await first.send(*twilio.media_messages(5, first_sequence=12, first_ms=100), twilio.stop(22))
    await first.drop(1000)
    stream = await the_stream()
    assert (stream.close_reason, stream.frames) == ("stop", 20)
    await rows(again.refresh_from_db)
    assert again.released_at is not None


async def test_a_few_bad_messages_are_counted_and_the_good_ones_beside_them_kept(
    ticket: Ticket, caplog: pytest.LogCaptureFixture
) -> None:
    bad = [
        "{",
        "[]",
        '{"event": 7}',
        "\ud800",
        '{"event":"media"}',
        twilio.media(3, 1, 0, stream=OTHER_STREAM),
        '{"event":"media","sequenceNumber":"4","streamSid":"' + twilio.STREAM_SID + '","media":'
        '{"track":"inbound","chunk":"1","timestamp":"-5","payload":"!!"}}',
    ]
    socket = await opened(ticket)
    for number, message in enumerate(bad):
        await socket.send(message, twilio.media(2 + number, 1 + number, 20 * number))
    await socket.send_bytes(b"\x00\x01")
    await socket.send(twilio.stop(11))
    await socket.drop(1000)

    stream = await the_stream()
    assert (stream.frames, stream.errors, stream.close_reason) == (len(bad), len(bad) + 1, "stop")
    assert set(refusals(caplog)) == {"media.message.bad"}
    assert len(refusals(caplog)) < len(bad), "one line for each kind"


async def test_unknown_events_tracks_and_keys_end_nothing(ticket: Ticket) -> None:
    socket = await opened(
        ticket,
        '{"event":"weather","sequenceNumber":"2","streamSid":"' + twilio.STREAM_SID + '"}',
        twilio.media(3, 1, 0, track="sideband"),
        twilio.dtmf("5", 4),
        twilio.media(5, 1, 0),
        twilio.stop(6),
    )
    await socket.drop(1000)
    stream = await the_stream()
    assert (stream.frames, stream.close_reason) == (1, "stop")


async def test_a_flood_of_bad_messages_ends_the_socket(
    ticket: Ticket, caplog: pytest.LogCaptureFixture
) -> None:
    socket = await opened(ticket, *["{"] * 20)
    assert await socket.closed_with() == 4400
    assert refusals(caplog)[-1] == "media.flood"
    assert (await the_stream()).close_reason == "refused"


async def test_a_flood_of_frames_ends_the_socket(
    ticket: Ticket, caplog: pytest.LogCaptureFixture, settings: Any
) -> None:
    settings.MEDIA_MAX_FRAMES_PER_SECOND = 60
    socket = await opened(ticket, *twilio.media_messages(400))
    assert await socket.closed_with() == 4429
    assert refusals(caplog)[-1] == "media.rate"


async def test_in_virtual_time_there_is_no_limit_of_rate(ticket: Ticket, settings: Any) -> None:
    settings.MEDIA_MAX_FRAMES_PER_SECOND = 0
    socket = await opened(ticket, *twilio.media_messages(1500), twilio.stop(3002))
    await socket.drop(1000)
    stream = await the_stream()
    assert (stream.frames, stream.bytes) == (3000, 480_000)


async def test_a_message_over_64_kib_ends_the_socket(
    ticket: Ticket, caplog: pytest.LogCaptureFixture
) -> None:
    socket = await opened(ticket, json.dumps({"event": "media", "padding": "x" * 65_536}))
    assert await socket.closed_with() == 4413
    assert refusals(caplog) == ["media.too_large"]


async def test_parameters_are_kept_clean_and_bounded(ticket: Ticket) -> None:
    odd = {"name\x00": "a\u202eb", "long": "x" * 60_000}
    odd |= {f"more-{n}": str(n) for n in range(500)}
    socket = Socket(f"/media/{ticket.nonce}/")
    assert await socket.connect()
    start = json.loads(twilio.start())
    start["start"]["customParameters"] = {**odd, "long": "x" * 30_000}
    await socket.send(twilio.connected(), json.dumps(start), twilio.stop(2))
    await socket.drop(1000)

    stream = await the_stream()
    assert stream.parameters["name"] == "ab"
    assert len(stream.parameters["long"]) == 500
    assert len(stream.parameters) == 100


async def test_a_start_that_cannot_be_read_is_denied_at_once(
    ticket: Ticket, caplog: pytest.LogCaptureFixture
) -> None:
    socket = Socket(f"/media/{ticket.nonce}/")
    assert await socket.connect()
    await socket.send(twilio.connected(), twilio.start(parameters={"name": "\ud800"}))
    assert await socket.closed_with() == 4412
    assert refusals(caplog) == ["media.start.denied"]


async def test_a_stream_over_an_ingest_address_makes_its_call_and_counts_against_the_limits(
    transactional_db: None,
) -> None:
    key = await rows(
        lambda: tickets.issue_key(number=factories.number(label="Studio"), by=None, now=timezone.now())
    )
    socket = Socket(f"/media/k/{key.key}/")
    assert await socket.connect()
    await socket.send(twilio.connected(), twilio.start(tracks=("inbound",)), twilio.media(2, 1, 0))
    await adopted()
    await socket.send(twilio.stop(3))
    await socket.drop(1000)

    stream = await the_stream()
    leg = await rows(Leg.objects.select_related("call__number").get)
    assert leg.call.number is not None
    assert (leg.sid, leg.call.number.label) == (twilio.CALL_SID, "Studio")
    assert stream.frames == 1
    assert (stream.ticket.origin, stream.ticket.track) == ("ingest", "inbound_track")
    assert stream.ticket.spent_at is not None
    assert stream.ticket.released_at is not None
    assert (await rows(IngestKey.objects.get)).used_at is not None


async def test_a_short_stream_over_an_ingest_address_is_closed_all_the_same(transactional_db: None) -> None:
    key = await rows(lambda: tickets.issue_key(number=factories.number(), by=None, now=timezone.now()))
    socket = Socket(f"/media/k/{key.key}/")
    assert await socket.connect()
    await socket.send(twilio.connected(), twilio.start(tracks=("inbound",)), twilio.stop(2))
    await socket.drop(1000)
    await adopted()
    assert (await the_stream()).close_reason == "stop"


async def adopted() -> None:
    """Wait until what was adopted in a thread is known to the loop."""
    await runtime().table.settled()
    await written()


async def test_the_call_time_of_a_stream_is_its_distance_from_the_calls_start(ticket: Ticket) -> None:
    started = timezone.now() - timedelta(seconds=30)
    await rows(Call.objects.update, started_at=started)
    socket = await opened(ticket)
    await socket.drop()
    stream = await the_stream()
    assert 30_000 <= stream.call_offset_ms < 40_000
    assert stream.call_ms(500) == stream.call_offset_ms + 500


async def test_a_disk_that_fails_does_not_end_the_stream(
    ticket: Ticket, settings: Any, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    settings.JOURNAL_DIR = tmp_path / "file" / "journal"
    socket = await opened(ticket, *twilio.media_messages(5), twilio.stop(12))
    await socket.drop(1000)
    stream = await the_stream()
    assert (stream.frames, stream.close_reason) == (10, "stop")


async def test_after_stop_it_is_for_twilio_to_close(ticket: Ticket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(media_socket, "CLOSE_SECONDS", 0.0)
    socket = await opened(ticket, twilio.stop(2))
    assert await socket.closed_with() == 1000  # it did not, so we do
    assert (await the_stream()).close_reason == "stop"


async def test_going_down_closes_every_stream_as_drained(ticket: Ticket) -> None:
    socket = await opened(ticket, *twilio.media_messages(5))
    side = await written()
    await side.stop()
    assert await socket.closed_with() == 4012
    stream = await rows(Stream.objects.get)
    assert (stream.close_reason, stream.frames) == ("drained", 10)
    assert await rows(Process.objects.count) == 0
    await settle()


async def test_the_sid_of_a_stream_that_is_over_is_good_for_no_other(
    ticket: Ticket, caplog: pytest.LogCaptureFixture, settings: Any
) -> None:
    first = await opened(ticket, *twilio.media_messages(5), twilio.stop(12))
    await first.drop(1000)
    await written()
    journal_path(settings.JOURNAL_DIR, twilio.STREAM_SID).unlink()
    again = await rows(lambda: factories.ticket(ticket.leg))

    second = await opened(again, *twilio.media_messages(50))
    await written()

    assert await second.closed_with() == 4409
    stream = await the_stream()
    assert (stream.frames, stream.close_reason, stream.ticket_id) == (10, "stop", ticket.pk)
    await rows(again.refresh_from_db)
    assert again.released_at is not None


async def test_the_levels_of_a_stream_reach_the_channel_layer_until_it_ends(ticket: Ticket) -> None:
    ticks = listen(TICKS)
    hearing = asyncio.ensure_future(anext(ticks))
    await settle()
    socket = await opened(ticket, *twilio.media_messages(5, payload=b"\x80\x00" * 80))
    await runtime().ticker.tick()

    message = await asyncio.wait_for(hearing, 5)
    assert (message["kind"], message["source"]) == ("levels", runtime().id)
    levels = json.loads(message["text"])["levels"]
    assert levels[twilio.STREAM_SID] == {"inbound": -0.2, "outbound": -0.2}  # full scale of mu-law

    await socket.send(twilio.stop(12))
    assert runtime().levels.drain() is None
    await socket.drop(1000)
    await ticks.aclose()


async def test_a_closed_row_closes_its_socket_with_the_next_look_at_the_rows(ticket: Ticket) -> None:
    socket = await opened(ticket)
    await written()
    now = timezone.now()
    await rows(lambda: streams.close(sid=twilio.STREAM_SID, reason="dropped", now=now))
    await runtime().control.read_rows()
    assert await socket.closed_with() == 1000
    assert (await the_stream()).close_reason == "dropped"


async def test_a_leg_that_ended_ends_its_streams(ticket: Ticket) -> None:
    socket = await opened(ticket)
    await written()
    await rows(Leg.objects.update, ended_at=timezone.now() - timedelta(seconds=4))
    await runtime().control.read_rows()
    assert await socket.closed_with() == 1000
    assert (await the_stream()).close_reason == "call_ended"


async def test_while_a_stream_is_paused_nothing_is_kept_and_the_time_is_a_gap(
    ticket: Ticket, settings: Any
) -> None:
    socket = await opened(ticket, *twilio.media_messages(5, payload=b"\x00" * 160))
    await written()
    await rows(Stream.objects.update, paused=True)
    await runtime().control.read_rows()
    await socket.send(*twilio.media_messages(5, payload=b"Zz" * 80, first_sequence=12, first_ms=100))
    await rows(Stream.objects.update, paused=False)
    await runtime().control.read_rows()
    await socket.send(*twilio.media_messages(5, first_sequence=22, first_ms=200), twilio.stop(32))
    await socket.drop(1000)

    await the_stream()
    kept = journal_path(settings.JOURNAL_DIR, twilio.STREAM_SID).read_bytes()
    assert b"ZzZz" not in kept
    gaps = await rows(lambda: list(Gap.objects.order_by("track").values_list("at_ms", "ms", "cause")))
    assert gaps == [(100, 100, "paused")] * 2


async def test_a_stream_that_brings_nothing_is_lost_after_twenty_seconds(
    ticket: Ticket, caplog: pytest.LogCaptureFixture
) -> None:
    socket = await opened(ticket, *twilio.media_messages(5))
    watch, live = runtime().watch, runtime().table.get(twilio.STREAM_SID)
    assert live is not None
    watch.judge(live, live.begun_at + 1)
    watch.judge(live, live.begun_at + 20)
    assert live.ended_at is None
    await socket.send(*twilio.media_messages(1, first_sequence=12, first_ms=100))
    watch.judge(live, live.begun_at + 22)
    watch.judge(live, live.begun_at + 41)
    assert live.ended_at is None
    watch.judge(live, live.begun_at + 42)
    assert await socket.closed_with() == 1000
    assert (await the_stream()).close_reason == "silent"
