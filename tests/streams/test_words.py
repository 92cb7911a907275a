"""Lines heard come back by file: partial ones to the next tick, final ones to rows in call time, once."""

import asyncio
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from django.utils import timezone

from calls import channels
from calls.models import Call, Event, Ticket, Utterance
from streams import wordfile
from streams.journal import HEAD, WORDS, Reader, journal_path, owned
from streams.live.runtime import runtime
from streams.live.stream import LiveStream
from streams.models import Stream
from streams.services import aftercall
from tests import factories, twilio
from tests.factories import NOON
from tests.streams.journals import LOUD, final, lines
from tests.streams.media import Socket, media_side, rows, settle, written
from tools.house import ROOT

pytestmark = pytest.mark.django_db(transaction=True)


@pytest_asyncio.fixture(autouse=True)
async def media(settings: Any, tmp_path: Path) -> AsyncIterator[None]:
    settings.JOURNAL_DIR = tmp_path / "journal"
    settings.TRANSCRIBER = "scripted"
    settings.MEDIA_MAX_FRAMES_PER_SECOND = 0
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


# What a person has stopped, and what fails.


def said(number: int, ms: int = 0) -> list[str]:
    """So many seconds of loud sound and half a second of quiet, from the stream's time `ms` on."""
    loud = twilio.media_messages(50 * number, payload=LOUD, first_sequence=1 + ms // 10, first_ms=ms)
    behind = ms + 1000 * number
    return [*loud, *twilio.media_messages(30, first_sequence=1 + behind // 10, first_ms=behind)]


@contextmanager
def engine(directory: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The engine as a process of its own, as a site runs it."""
    command = ["-m", "streams.engines.run", "--journal", str(directory), "--engine", "scripted"]
    process = subprocess.Popen([sys.executable, *command], cwd=ROOT)
    try:
        yield process
    finally:
        process.kill()
        process.wait(10)


async def come_true(happened: Callable[[], bool]) -> None:
    """Read words again and again until it is so."""
    for _ in range(6000):
        await read_words()
        if happened():
            return
        await asyncio.to_thread(threading.Event().wait, 0.01)
    raise AssertionError("it did not happen within a minute")


def health() -> dict[str, int]:
    """What the wall is told of the stream, judged now."""
    live = runtime().table.get(twilio.STREAM_SID)
    assert live is not None
    runtime().words.judge(live, asyncio.get_running_loop().time())
    return live.health()


async def test_of_the_time_without_words_nothing_is_written_down(ticket: Ticket, settings: Any) -> None:
    settings.JOURNAL_DIR.mkdir(parents=True)
    socket = await opened(ticket)
    live = runtime().table.get(twilio.STREAM_SID)
    assert live is not None
    with engine(settings.JOURNAL_DIR):
        await socket.send(*said(1, 100))
        await come_true(lambda: health()["behind_ms"] > 0)
        await rows(Stream.objects.update, words=False)
        await runtime().control.read_rows()
        await socket.send(*said(5, 1700))
        await rows(Stream.objects.update, words=True)
        await runtime().control.read_rows()
        await socket.send(*said(2, 7300), twilio.stop(2000))
        await socket.drop(1000)
        await come_true(lambda: live.words_final)
    await read_words()
    texts = await rows(lambda: list(Utterance.objects.order_by("number").values_list("text", "track")))
    assert texts == [("one", "inbound"), ("one", "outbound"), ("one two", "inbound"), ("one two", "outbound")]
    assert live.totals().lost_ms == 0


async def test_a_hint_stops_the_words_at_once_and_an_older_row_starts_them_no_more(
    ticket: Ticket, monkeypatch: pytest.MonkeyPatch
) -> None:
    socket = await opened(ticket)
    live, control = runtime().table.get(twilio.STREAM_SID), runtime().control
    assert live is not None
    assert live.ingest.words
    assert await channels.control(twilio.STREAM_SID, "words_off")
    await until_off(live)

    async def late(sids: list[str]) -> dict[str, list[str]]:
        live.ingest.write_down(True)
        await channels.control(sids[0], "words_off")
        await until_off(live)
        return {sids[0]: ["words_on"]}

    monkeypatch.setattr(control, "_database", lambda function: late)
    await control.read_rows()
    assert not live.ingest.words
    await socket.drop()


async def until_off(live: LiveStream) -> None:
    for _ in range(10_000):
        if not live.ingest.words:
            return
        await settle()
    raise AssertionError("the words were not stopped")


async def test_a_tap_that_is_opened_again_begins_without_words(ticket: Ticket, settings: Any) -> None:
    await rows(lambda: factories.stream(ticket.leg, words=False, closed_at=NOON, close_reason="dropped"))
    socket = await opened(ticket)
    live = runtime().table.get(twilio.STREAM_SID)
    assert live is not None
    assert not live.ingest.words
    with Reader(the_journal(settings)) as reader:
        assert [record.kind for record in reader.read()][:2] == [HEAD, WORDS]
    stored = await rows(lambda: Stream.objects.get(sid=twilio.STREAM_SID))
    assert not stored.words
    await runtime().control.read_rows()
    assert not live.ingest.words
    await socket.drop()


async def test_words_fail_when_their_engine_is_killed_and_come_back_with_the_next(
    ticket: Ticket, settings: Any
) -> None:
    settings.JOURNAL_DIR.mkdir(parents=True)
    socket = await opened(ticket)
    words_file = wordfile.words_path(the_journal(settings))
    with engine(settings.JOURNAL_DIR) as first:
        await come_true(lambda: owned(words_file))
        await socket.send(*said(4, 100))
        await come_true(lambda: health()["behind_ms"] < 4_000)
        assert "failed" not in health()
        first.kill()
        first.wait(10)
    await socket.send(*said(6, 4700))
    assert health()["failed"] is True
    assert health()["behind_ms"] > 5_000
    with engine(settings.JOURNAL_DIR):
        await come_true(lambda: "failed" not in health())
        await come_true(lambda: health()["behind_ms"] < 4_000)
    await socket.drop()


async def test_where_words_were_stopped_none_fail(ticket: Ticket) -> None:
    socket = await opened(ticket)
    await socket.send(*said(10, 100))
    assert health()["failed"] is True
    live = runtime().table.get(twilio.STREAM_SID)
    assert live is not None
    live.ingest.write_down(False)
    assert "failed" not in health()
    await socket.drop()


async def test_a_partial_line_shows_no_card_number(
    ticket: Ticket, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr(runtime().ticker, "partial", lambda **line: said.append(line["text"]))
    socket = await opened(ticket)
    with wordfile.Writer(wordfile.words_path(the_journal(settings))) as writer:
        for text in ("4111", "4111 1111", "4111 1111 1111 1111"):
            writer.write({**final(1, text), "kind": "partial"})
    await read_words()
    assert said == ["4111", "[hidden: number]", "[hidden: card number]"]
    await socket.drop()
