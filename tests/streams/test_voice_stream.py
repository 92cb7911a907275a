"""A voice on its media socket, through the whole routing: what is heard and done is in the rows."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
import pytest_asyncio
from django.db import Error as DatabaseAway

from calls.models import Action, Call, Queue, Ticket, Turn, Utterance, Voice, Waiting
from calls.redaction import CARD, CODE
from calls.services import actions
from streams import wordfile
from streams.journal import SENT, Reader, journal_path
from streams.live import voicing
from streams.live.outlet import Outlet
from streams.live.runtime import runtime
from streams.models import Stream
from streams.voices.base import Talk
from tests import factories, twilio
from tests.streams.conversing import Speaker
from tests.streams.media import Socket, media_side, rows, settle, written

pytestmark = pytest.mark.django_db(transaction=True)


class Greeter:
    """Greets, asks, and hands over to a person, with what was said."""

    wants_frames: ClassVar[bool] = False
    wants_words: ClassVar[bool] = True

    async def talk(self, call: Talk) -> None:
        await call.say("Good morning.")
        heard: Any = await call.hear()
        await call.fact("wish", heard.text)
        await call.do("person", reason=heard.text)


class Broken:
    wants_frames: ClassVar[bool] = False
    wants_words: ClassVar[bool] = True

    async def talk(self, call: Talk) -> None:
        raise RuntimeError("a mistake")


class Keys(Greeter):
    """Notes a key, and is done."""

    async def talk(self, call: Talk) -> None:
        heard: Any = await call.hear()
        await call.fact("key", heard.digit)


class ReadsBack(Greeter):
    """Reads a card's number back, and asks for what stands behind it."""

    async def talk(self, call: Talk) -> None:
        await call.say("Your card is 4111 1111 1111 1111. And the security code?")
        await call.hear()


class Answers(Greeter):
    """Hears once, answers, and is done."""

    async def talk(self, call: Talk) -> None:
        await call.hear()
        await call.say("I see.")


class Patient(Greeter):
    """Greets, and hears on and on."""

    async def talk(self, call: Talk) -> None:
        await call.say("Good morning.")
        while True:
            await call.hear()


OURS = (Greeter, Broken, Keys, ReadsBack, Answers, Patient)
VOICES = {
    **{one.__name__.lower(): f"{__name__}:{one.__name__}" for one in OURS},
    "gone": "nowhere.at_all:Gone",
}


@pytest_asyncio.fixture(autouse=True)
async def media(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    settings.JOURNAL_DIR = tmp_path / "journal"
    settings.VOICES = VOICES
    settings.TRANSCRIBER = "scripted"
    speaker = Speaker()
    monkeypatch.setattr(voicing, "_speaker", lambda: speaker)
    async with media_side():
        yield


def a_ticket(kind: str = "greeter", **fields: Any) -> Ticket:
    """For a call with a voice of this kind, which may hand over to the queue Support."""
    voice = Voice.objects.create(name=kind, kind=kind)
    queue = Queue.objects.create(name="Support")
    Action.objects.create(voice=voice, name="person", kind="queue", queue=queue)
    call = factories.call(
        voice=voice, plan={"step": "voice", "voice": voice.pk, "at": "", "lost": 0}, **fields
    )
    leg = factories.leg(call, sid=twilio.CALL_SID)
    return factories.ticket(leg, kind="voice", track="inbound_track", name="voice")


async def opened(ticket: Ticket) -> Socket:
    socket = Socket(f"/media/{ticket.nonce}/")
    assert await socket.connect()
    await socket.send(twilio.connected(), twilio.start(tracks=("inbound",)))
    return socket


async def hears(socket: Socket) -> list[dict[str, Any]]:
    """What we send until the first mark."""
    heard: list[dict[str, Any]] = []
    while not heard or heard[-1]["event"] != "mark":
        heard.append(json.loads(await socket.receive()))
    return heard


def speaks(ticket: Ticket, text: str, settings: Any) -> None:
    """As an engine that has heard this would write it down."""
    path = wordfile.words_path(journal_path(settings.JOURNAL_DIR, twilio.STREAM_SID))
    with wordfile.Writer(path) as words:
        words.write(
            {"kind": "final", "track": "inbound", "number": 1, "start_ms": 200, "end_ms": 900, "text": text}
        )


async def test_a_voice_speaks_hears_and_hands_over_with_all_that_was_said(settings: Any) -> None:
    ticket = await rows(a_ticket)
    socket = await opened(ticket)
    media, mark = await hears(socket)
    assert media["streamSid"] == mark["streamSid"] == twilio.STREAM_SID
    frames = twilio.media_messages(50, tracks=("inbound",))
    await socket.send(*frames, twilio.mark(mark["mark"]["name"], 52))
    speaks(ticket, "I would like a person", settings)
    assert await socket.closed_with() == 1000
    await written()

    stream = await rows(Stream.objects.get)
    assert stream.close_reason == "done"
    said = await rows(lambda: list(Utterance.objects.values_list("speaker", "track", "text").order_by("pk")))
    assert said == [("voice", "outbound", "Good morning."), ("caller", "inbound", "I would like a person")]
    call = await rows(Call.objects.get)
    assert call.facts == {"wish": "I would like a person", "reason": "I would like a person"}
    waiting = await rows(Waiting.objects.select_related("queue").get)
    assert (str(waiting.queue), waiting.reason) == ("Support", "I would like a person")
    with Reader(journal_path(settings.JOURNAL_DIR, twilio.STREAM_SID)) as journal:
        sent = b"".join(record.payload for record in journal.read() if record.kind == SENT)
    assert sent == b"\x55" * 4000


async def test_a_voice_that_breaks_closes_the_socket_and_leaves_the_plan_to_what_follows() -> None:
    socket = await opened(await rows(a_ticket, "broken"))
    assert await socket.closed_with() == 1000
    await written()
    assert (await rows(Stream.objects.get)).close_reason == "failed"
    assert (await rows(Call.objects.get)).plan["step"] == "voice"


async def test_a_voice_that_there_is_not_is_told_by_name_and_closes_the_socket(
    caplog: pytest.LogCaptureFixture,
) -> None:
    socket = await opened(await rows(a_ticket, "gone"))
    assert await socket.closed_with() == 1000
    assert "voice.unknown" in [record.getMessage() for record in caplog.records]


async def test_a_note_that_the_database_cannot_take_ends_no_conversation(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def away(**_: Any) -> None:
        raise DatabaseAway("gone")

    monkeypatch.setattr(actions, "note_fact", away)
    socket = await opened(await rows(a_ticket, "keys"))
    await socket.send(twilio.dtmf("7", 2))
    assert await socket.closed_with() == 1000
    await written()
    assert (await rows(Stream.objects.get)).close_reason == "done"
    assert (await rows(Call.objects.get)).facts == {}


async def test_a_database_that_does_not_answer_leaves_no_caller_in_silence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answers = threading.Event()
    monkeypatch.setattr(voicing, "OFFICE_SECONDS", 0.05)
    monkeypatch.setattr(actions, "note_fact", lambda **_: answers.wait(30))
    socket = await opened(await rows(a_ticket, "keys"))
    try:
        await socket.send(twilio.dtmf("7", 2))
        assert await socket.closed_with() == 1000, "the note was gone on without, the goodbye cannot be"
    finally:
        answers.set()
    await written()
    assert (await rows(Stream.objects.get)).close_reason == "failed"


async def test_a_key_is_heard() -> None:
    socket = await opened(await rows(a_ticket, "keys"))
    await socket.send(twilio.dtmf("7", 2))
    assert await socket.closed_with() == 1000
    await written()
    assert (await rows(Call.objects.get)).facts == {"key": "7"}


async def test_what_is_said_to_a_voice_is_heard_where_nobody_wants_it_written_down(settings: Any) -> None:
    ticket = await rows(a_ticket, words_wanted=False)
    socket = await opened(ticket)
    _, mark = await hears(socket)
    await socket.send(twilio.mark(mark["mark"]["name"], 2))
    speaks(ticket, "a person", settings)
    assert await socket.closed_with() == 1000
    await written()
    assert (await rows(Call.objects.get)).facts["wish"] == "a person"
    assert await rows(Utterance.objects.count) == 0


async def test_pages_never_see_a_card_number_that_a_voice_reads_back_nor_the_code_that_it_asks_for(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[str] = []
    socket = await opened(await rows(a_ticket, "readsback"))
    monkeypatch.setattr(runtime().ticker, "partial", lambda **line: shown.append(line["text"]))
    for number in range(2, 30):
        _, mark = await hears(socket)
        await socket.send(twilio.mark(mark["mark"]["name"], number))
        if shown and shown[-1].endswith("code?"):
            break
    with wordfile.Writer(wordfile.words_path(journal_path(settings.JOURNAL_DIR, twilio.STREAM_SID))) as words:
        words.write({
            "kind": "partial", "track": "inbound", "number": 1, "start_ms": 600, "end_ms": 900,
            "text": "it is 123",
        })  # fmt: skip
    await runtime().words.poll()
    assert shown[-1] == f"it is {CODE}"
    assert not any("1111 1111" in text for text in shown)
    assert f"Your card is {CARD}. And the security code?" in shown
    await socket.send(twilio.stop(40))
    await socket.drop(1000)


async def test_a_caller_who_only_listens_is_not_taken_for_lost() -> None:
    """A carrier may send nothing of silence: then marks and keys alone show life."""
    socket = await opened(await rows(a_ticket, "patient"))
    [*_, mark] = await hears(socket)
    [live] = runtime().table.open()
    now = asyncio.get_running_loop().time()
    runtime().watch.judge(live, now)
    for later, message in ((15, twilio.mark(mark["mark"]["name"], 2)), (30, twilio.dtmf("1", 3))):
        await socket.send(message)
        runtime().watch.judge(live, now + later)
    assert live.ended_at is None
    runtime().watch.judge(live, now + 60)
    assert await socket.closed_with() == 1000


async def test_who_hangs_up_ends_the_voice_and_its_stream() -> None:
    socket = await opened(await rows(a_ticket))
    await hears(socket)
    await socket.send(twilio.stop(2))
    await socket.drop(1000)
    await written()
    assert (await rows(Stream.objects.get)).close_reason == "stop"
    await settle()
    assert len(runtime().table.open()) == 0


async def test_a_transport_that_fails_ends_the_stream_so_that_the_caller_goes_on(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    take = Outlet.get

    async def get(outlet: Outlet) -> str:
        await take(outlet)
        raise RuntimeError("a mistake")

    monkeypatch.setattr(Outlet, "get", get)
    socket = await opened(await rows(a_ticket))
    assert await socket.closed_with() == 1000
    await written()
    assert (await rows(Stream.objects.get)).close_reason == "failed"
    assert [record.getMessage() for record in caplog.records].count("media.write.failed") == 1


async def test_how_quickly_it_answered_is_told_for_each_turn(settings: Any) -> None:
    ticket = await rows(a_ticket, "answers")
    socket = await opened(ticket)
    await socket.send(*twilio.media_messages(50, tracks=("inbound",)))
    speaks(ticket, "hello", settings)
    _, mark = await hears(socket)
    await socket.send(twilio.mark(mark["mark"]["name"], 52))
    assert await socket.closed_with() == 1000
    await written()
    turn = await rows(Turn.objects.get)
    assert (turn.number, turn.gap_ms) == (1, 100)
