"""What a hostile or broken peer puts into a stream does not reach rows, files or other streams."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from django.utils import timezone

from calls.models import Ticket
from calls.services import tickets
from streams.journal import JournalError, Reader, Writer, journal_path, owned
from streams.live.runtime import runtime
from streams.models import Stream
from tests import factories, twilio
from tests.streams.media import Socket, media_side, rows, written

pytestmark = pytest.mark.django_db(transaction=True)


@pytest_asyncio.fixture(autouse=True)
async def media(settings: Any, tmp_path: Path) -> AsyncIterator[None]:
    settings.JOURNAL_DIR = tmp_path / "journal"
    async with media_side():
        yield


@pytest.fixture
def ticket(transactional_db: None) -> Ticket:
    return factories.ticket(factories.leg(sid=twilio.CALL_SID))


async def test_tracks_that_nobody_knows_are_kept_nowhere(ticket: Ticket, settings: Any) -> None:
    socket = Socket(f"/media/{ticket.nonce}/")
    assert await socket.connect()
    tracks = ("inbound", "\x00" * 100, "video" * 10_000)
    await socket.send(twilio.connected(), twilio.start(tracks=tracks), twilio.media(2, 1, 0))
    await written()

    stream = await rows(Stream.objects.get)
    assert stream.tracks == ["inbound"]
    with Reader(journal_path(settings.JOURNAL_DIR, twilio.STREAM_SID)) as reader:
        assert reader.read()[0].facts()["tracks"] == ["inbound"]
    await socket.drop(1000)


async def test_a_stream_whose_ingest_address_was_deleted_meanwhile_is_ended(
    transactional_db: None, settings: Any, caplog: pytest.LogCaptureFixture
) -> None:
    key = await rows(lambda: tickets.issue_key(number=factories.number(), by=None, now=timezone.now()))
    socket = Socket(f"/media/k/{key.key}/")
    assert await socket.connect()
    await rows(key.delete)

    await socket.send(twilio.connected(), twilio.start(), twilio.media(2, 1, 0))
    await runtime().table.settled()

    assert await socket.closed_with() == 4412
    assert len(runtime().table) == 0
    assert not owned(journal_path(settings.JOURNAL_DIR, twilio.STREAM_SID))
    assert "media.adopt.failed" in [record.getMessage() for record in caplog.records]


async def test_a_disk_that_fills_up_ends_no_call_and_is_told_once(
    ticket: Ticket, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*_: object) -> None:
        raise JournalError("write", "No space left on device")

    socket = Socket(f"/media/{ticket.nonce}/")
    assert await socket.connect()
    await socket.send(twilio.connected(), twilio.start(), twilio.media(2, 1, 0))
    monkeypatch.setattr(Writer, "append", full)
    await socket.send(twilio.media(3, 2, 20), twilio.media(4, 3, 40))
    await runtime().watch.look()
    await runtime().watch.look()
    await socket.send(twilio.stop(5))
    await socket.drop(1000)
    await written()

    stream = await rows(Stream.objects.get)
    assert (stream.frames, stream.close_reason) == (3, "stop")
    assert [record.getMessage() for record in caplog.records].count("journal.failed") == 1
