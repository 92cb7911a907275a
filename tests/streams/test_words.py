"""Lines heard come back by file: partial ones to the next tick, final ones to rows in call time, once."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from django.utils import timezone

from calls.models import Call, Event, Ticket, Utterance
from streams import wordfile
from streams.journal import journal_path, owned
from streams.live.runtime import runtime
from streams.models import Stream
from streams.services import aftercall
from tests import factories, twilio
from tests.streams.journals import final, lines
from tests.streams.media import Socket, media_side, rows, written

pytestmark = pytest.mark.django_db(transaction=True)


@pytest_asyncio.fixture(autouse=True)
async def media(settings: Any, tmp_path: Path) -> AsyncIterator[None]:
    settings.JOURNAL_DIR = tmp_path / "journal"
    settings.TRANSCRIBER = "scripted"
    async with media_side():
        yield


@pytest.fixture
def ticket(transactional_db: None) -> Ticket:
    call = factories.call(started_at=timezone.now() - timedelta(seconds=100))
    return factories.ticket(factories.leg(call, sid=twilio.CALL_SID))


async def opened(ticket: Ticket) -> Socket:
    socket = Socket(f"/media/{ticket.nonce}/")
    assert await socket.connect()
    await socket.send(twilio.connected(), twilio.start(), *twilio.media_messages(5))
    await written()
    return socket


def the_journal(settings: Any) -> Path:
    return journal_path(settings.JOURNAL_DIR, twilio.STREAM_SID)


async def read_words() -> None:
    await runtime().words.poll()
    await written()


async def test_a_final_line_becomes_a_row_in_call_time_with_its_event(ticket: Ticket, settings: Any) -> None:
    socket = await opened(ticket)

    lines(the_journal(settings), "good morning")
    await read_words()

    line = await rows(Utterance.objects.get)
    offset = (await rows(Stream.objects.get)).call_offset_ms
    assert offset >= 100_000
    assert (line.text, line.speaker, line.track) == ("good morning", "caller", "inbound")
    assert (line.start_ms, line.end_ms) == (offset + 1000, offset + 1800)
    events = await rows(lambda: list(Event.objects.filter(noun="utterance").values_list("key", flat=True)))
    assert events == [f"{twilio.STREAM_SID}/inbound/1"]
    await socket.drop()


async def test_a_partial_line_goes_to_the_next_tick_and_to_no_row(
    ticket: Ticket, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[dict[str, Any]] = []
    monkeypatch.setattr(runtime().ticker, "partial", lambda **line: said.append(line))
    socket = await opened(ticket)
    with wordfile.Writer(wordfile.words_path(the_journal(settings))) as writer:
        writer.write({**final(1, "good mor\x00\u202e"), "kind": "partial"})
    await read_words()
    assert [(line["text"], line["utterance"]) for line in said] == [
        ("good mor", f"{twilio.STREAM_SID}/inbound/1")
    ]
    assert said[0]["call"] == ticket.leg.call_id
    assert not await rows(Utterance.objects.exists)
    await socket.drop()


async def test_lines_are_read_after_the_end_until_the_engine_is_done(ticket: Ticket, settings: Any) -> None:
    socket = await opened(ticket)
    await socket.send(twilio.stop(12))
    await socket.drop(1000)
    await read_words()
    assert (await rows(Stream.objects.get)).close_reason == "stop"
    assert owned(the_journal(settings)), "its words are still read"

    lines(the_journal(settings), "good morning", "goodbye", done=True)
    await read_words()
    await read_words()

    assert await rows(Utterance.objects.count) == 2
    assert not owned(the_journal(settings))
    assert len(runtime().table) == 0
    assert await rows(lambda: aftercall.clean(now=timezone.now())) == 1
    assert list(settings.JOURNAL_DIR.iterdir()) == []


async def test_an_engine_that_never_comes_is_waited_for_no_longer_than_the_sound_may_stay(
    ticket: Ticket, settings: Any
) -> None:
    socket = await opened(ticket)
    runtime().words._keep_seconds = 0
    await socket.send(twilio.stop(12))
    await socket.drop(1000)
    await written()
    await read_words()
    assert len(runtime().table) == 0
    assert not owned(the_journal(settings))


async def test_a_second_reading_of_the_same_lines_is_harmless(ticket: Ticket, settings: Any) -> None:
    socket = await opened(ticket)
    lines(the_journal(settings), "good morning")
    await read_words()
    live = runtime().table.get(twilio.STREAM_SID)
    assert live is not None
    assert live.lines is not None
    live.lines.offset = 0
    await read_words()
    assert await rows(Utterance.objects.count) == 1
    await socket.drop()


async def test_garbage_among_the_lines_loses_none_of_the_good_ones(ticket: Ticket, settings: Any) -> None:
    socket = await opened(ticket)
    path = wordfile.words_path(the_journal(settings))
    lines(the_journal(settings), "good morning")
    with path.open("ab") as file:
        file.write(
            b'not json\n{"kind":"final"}\n{"kind":"final","track":"inbound","number":9,"text":"half"}\n'
        )
    lines(the_journal(settings), "good morning", "goodbye")
    await read_words()
    assert sorted(await rows(lambda: list(Utterance.objects.values_list("text", flat=True)))) == [
        "good morning",
        "goodbye",
    ]
    await socket.drop()


@pytest.mark.parametrize("who", ["the site", "the call"])
async def test_where_nobody_writes_words_the_head_says_so_and_nothing_is_waited_for(
    who: str, ticket: Ticket, settings: Any
) -> None:
    if who == "the site":
        settings.TRANSCRIBER = "none"
    else:
        await rows(Call.objects.update, words_wanted=False)
    socket = await opened(ticket)
    live = runtime().table.get(twilio.STREAM_SID)
    assert live is not None
    assert live.lines is None
    await socket.send(twilio.stop(12))
    await socket.drop(1000)
    await written()
    assert len(runtime().table) == 0
    assert not owned(the_journal(settings))
