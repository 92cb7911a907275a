"""A media socket from handshake to last row, through the whole routing; messages by hand."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from calls.models import Event, Ticket
from streams.models import Stream
from tests import factories, twilio
from tests.streams.media import Socket, media_side, rows, written

pytestmark = pytest.mark.django_db(transaction=True)


@pytest_asyncio.fixture(autouse=True)
async def media(settings, tmp_path: Path) -> AsyncIterator[None]:
    settings.JOURNAL_DIR = tmp_path / "journal"
    async with media_side():
        yield


@pytest.fixture
def ticket(transactional_db) -> Ticket:
    return factories.ticket(factories.leg(sid=twilio.CALL_SID))


async def test_a_stream_of_ours_is_let_in_kept_and_closed(ticket: Ticket, settings) -> None:
    socket = Socket(f"/media/{ticket.nonce}/")

    assert await socket.connect()
    await socket.send(twilio.connected(), twilio.start(parameters={"desk": "7"}))
    await socket.send(*twilio.media_messages(50), twilio.stop(102))
    await socket.drop(1000)
    await written()

    stream = await rows(Stream.objects.get)
    assert stream.sid == twilio.STREAM_SID
    assert stream.close_reason == "stop"
    assert (stream.frames, stream.bytes, stream.lost_ms) == (100, 16000, 0)
    assert stream.parameters == {"desk": "7"}
    kinds = await rows(lambda: list(Event.objects.values_list("kind", flat=True)))
    assert kinds == ["stream.opened", "stream.closed"]
