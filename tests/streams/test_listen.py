"""Listening to a call: sound from its journal's live end, who may hear it, what is bounded, how it ends."""

import json
import struct
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from channels.db import database_sync_to_async as in_db
from django.contrib.sessions.models import Session
from django.utils import timezone

from calls.consumers.base import BURST, MESSAGE_BYTES
from calls.consumers.browser import RESTART
from calls.events import change
from calls.hub import hub
from calls.models import AuditEvent, Call, CallState, Event, Listening, Team, Ticket, User
from calls.refusal import Refused
from calls.services import listening
from streams.consumers.listen import NOT_HERE, ListenConsumer
from streams.journal import INBOUND, OUTBOUND, SENT, Writer
from streams.listening import FLIGHT, HELD
from streams.models import Stream
from streams.selectors.heard import NO_STREAM, PAUSED, SECRET, heard
from tests import factories, people
from tests.calls.browsers import Line, followers, line
from tests.streams.journals import journal

__all__ = ["followers"]

pytestmark = [
    pytest.mark.django_db(transaction=True, serialized_rollback=True),
    pytest.mark.usefixtures("followers"),
]
FRAME = struct.Struct("<BBHd")
SECONDS = 10
OLD = bytes([1]) * 160


def sound(number: int) -> bytes:
    """A frame that is told from others."""
    return bytes([number % 200 + 2]) * 160


@pytest.fixture
def directory(settings: Any, tmp_path: Path) -> Path:
    settings.JOURNAL_DIR = tmp_path / "journal"
    found: Path = settings.JOURNAL_DIR
    return found


@pytest.fixture
def writers(directory: Path) -> Iterator[Callable[[str], Writer]]:
    """`writers(sid)`: the journal of a stream that has sounded for a second."""
    made: list[Writer] = []

    def of(sid: str) -> Writer:
        made.append(journal(directory, sid, sound=OLD))
        return made[-1]

    yield of
    for one in made:
        one.close()


@in_db
def user(make: Callable[[], User]) -> User:
    return make()


@in_db
def other_supervisor(name: str) -> User:
    return people.person(name, "Supervisor")


@in_db
def live_call(**fields: Any) -> Call:
    return factories.leg(factories.call(**fields)).call


@in_db
def opened(call: Call, **fields: Any) -> Stream:
    """A stream of the call opens, with its event."""
    with change() as told:
        one = factories.stream(call.legs.get(), **fields)
        told.emit(kind="stream.opened", noun="stream", key=one.sid, call=call.pk)
    return one


@in_db
def voice_ticket(call: Call) -> Ticket:
    """The permission for a voice's stream."""
    return factories.ticket(call.legs.get(), kind="voice", track="inbound_track", name="voice")


@in_db
def changed(call: Call, **fields: Any) -> None:
    """Something of the call changes, with its event."""
    with change() as told:
        Call.objects.filter(pk=call.pk).update(**fields)
        told.emit(kind="call.changed", noun="call", key=call.pk, call=call.pk)


@in_db
def ended(call: Call) -> None:
    with change() as told:
        Call.objects.filter(pk=call.pk).update(state=CallState.ENDED, ended_at=timezone.now())
        told.emit(kind="call.ended", noun="call", key=call.pk, call=call.pk)


@in_db
def rows() -> list[Listening]:
    return list(Listening.objects.select_related("by").order_by("id"))


@in_db
def kinds(noun: str) -> list[str]:
    return list(Event.objects.filter(noun=noun).order_by("id").values_list("kind", flat=True))


class Listener:
    """A browser that listens."""

    def __init__(self, opened: Line) -> None:
        self.line = opened
        self.frames: list[tuple[int, int, float, bytes]] = []  # track, seq, ms, sound
        self.texts: list[dict[str, Any]] = []

    async def word(self, kind: str) -> dict[str, Any]:
        """The next text of this type; sound before it is kept."""
        while True:
            await self._one()
            if self.texts and self.texts[-1]["type"] == kind:
                return self.texts.pop()

    async def sound(self, frames: int) -> list[tuple[int, int, float, bytes]]:
        """The next frames, so many."""
        while len(self.frames) < frames:
            await self._one()
        taken, self.frames = self.frames[:frames], self.frames[frames:]
        return taken

    async def ack(self, seq: int) -> None:
        await self.line.say(type="ack", seq=seq)

    async def _one(self) -> None:
        event = await self.line.communicator.receive_output(SECONDS)
        assert event["type"] == "websocket.send", event
        if event.get("text") is not None:
            self.texts.append(json.loads(event["text"]))
            return
        data = event["bytes"]
        for at in range(0, len(data), 172):
            version, track, seq, ms = FRAME.unpack_from(data, at)
            assert version == 1
            self.frames.append((track, seq, ms, data[at + 12 : at + 172]))


@asynccontextmanager
async def listener(call: Call, who: User | None, *, greeted: bool = True) -> AsyncIterator[Listener]:
    """Somebody who listens to a call."""
    async with line(f"/ws/calls/{call.pk}/audio/", who) as opened_line:
        if greeted:
            await opened_line.say(type="hello")
        yield Listener(opened_line)


def speak(writer: Writer, first: int, frames: int, *, tracks: tuple[int, ...] = (INBOUND, OUTBOUND)) -> None:
    """Both speak, frame by frame, from the frame with this number on."""
    for number in range(first, first + frames):
        for kind in tracks:
            writer.append(kind, 20 * number, 2 * number + kind, sound(number))


async def test_both_tracks_come_from_the_live_end_on(writers: Any) -> None:
    call = await live_call()
    stream = await opened(call)
    writer = writers(stream.sid)
    async with listener(call, await user(people.mina)) as mina:
        started = await mina.word("started")
        speak(writer, 50, 3)
        heard_frames = await mina.sound(6)
    assert (started["stream"], started["tracks"]) == (stream.sid, ["inbound", "outbound"])
    assert started["at"].endswith("Z")
    assert [(track, seq) for track, seq, _, _ in heard_frames] == [(n % 2, n) for n in range(6)]
    assert [ulaw for _, _, _, ulaw in heard_frames] == [sound(50 + n // 2) for n in range(6)]


async def test_the_ms_of_a_frame_is_when_it_was_spoken_so_that_tracks_and_gaps_fall_into_place(
    writers: Any,
) -> None:
    call = await live_call()
    stream = await opened(call)
    writer = writers(stream.sid)
    async with listener(call, await user(people.mina)) as mina:
        await mina.word("started")
        speak(writer, 50, 1)
        writer.gap("inbound", 1020, 400, "lost")
        speak(writer, 71, 1)
        frames = await mina.sound(4)
    first, second, third, fourth = (ms for _, _, ms, _ in frames)
    assert first == second
    assert third == fourth == first + 420
    assert abs(first - timezone.now().timestamp() * 1000) < 60_000


async def test_what_a_voice_says_is_the_other_side(writers: Any) -> None:
    call = await live_call()
    stream = await opened(call, ticket=await voice_ticket(call), tracks=["inbound"])
    writer = writers(stream.sid)
    async with listener(call, await user(people.mina)) as mina:
        started = await mina.word("started")
        speak(writer, 50, 2, tracks=(SENT, INBOUND))
        frames = await mina.sound(4)
    assert started["tracks"] == ["inbound", "outbound"]
    assert sorted((ms - frames[0][2], track) for track, _, ms, _ in frames) == [
        (0, 0),
        (0, 1),
        (20, 0),
        (20, 1),
    ]
    assert {ulaw for *_, ulaw in frames} == {sound(50), sound(51)}


async def test_frames_of_another_length_come_as_frames_of_160(writers: Any) -> None:
    call = await live_call()
    stream = await opened(call)
    writer = writers(stream.sid)
    async with listener(call, await user(people.mina)) as mina:
        await mina.word("started")
        writer.append(INBOUND, 1000, 200, sound(1) + sound(2)[:80])
        frames = await mina.sound(2)
    assert [ulaw for *_, ulaw in frames] == [sound(1), sound(2)[:80] + b"\xff" * 80]
    assert frames[1][2] == frames[0][2] + 20


async def test_without_a_stream_it_waits_and_begins_by_itself(writers: Any) -> None:
    call = await live_call()
    async with listener(call, await user(people.mina)) as mina:
        assert (await mina.word("waiting"))["text"] == NO_STREAM
        sid = factories.sid("MZ")
        writer = writers(sid)
        await opened(call, sid=sid)
        assert (await mina.word("started"))["stream"] == sid
        speak(writer, 50, 1)
        assert len(await mina.sound(2)) == 2


async def test_it_follows_to_the_stream_that_was_opened_again(writers: Any) -> None:
    call = await live_call()
    stream = await opened(call)
    writer = writers(stream.sid)
    async with listener(call, await user(people.mina)) as mina:
        await mina.word("started")
        writer.finish("dropped", {})
        assert "comes back" in (await mina.word("waiting"))["text"]
        sid = factories.sid("MZ")
        again = writers(sid)
        await opened(call, sid=sid, opened_at=timezone.now() + timedelta(seconds=1))
        assert (await mina.word("started"))["stream"] == sid
        speak(again, 50, 1)
        assert [ulaw for *_, ulaw in await mina.sound(2)] == [sound(50), sound(50)]


async def test_a_stream_whose_sound_is_not_here_is_waited_for(directory: Path) -> None:
    call = await live_call()
    await opened(call)
    async with listener(call, await user(people.mina)) as mina:
        assert (await mina.word("waiting"))["text"] == NOT_HERE


async def test_what_is_paused_is_not_heard(writers: Any) -> None:
    call = await live_call()
    stream = await opened(call)
    writer = writers(stream.sid)
    async with listener(call, await user(people.mina)) as mina:
        await mina.word("started")
        writer.pause(1000, True)
        speak(writer, 50, 3)  # no writer does; who reads passes it over all the same
        writer.pause(1060, False)
        speak(writer, 60, 1)
        assert [ulaw for *_, ulaw in await mina.sound(2)] == [sound(60)] * 2


async def test_a_stream_that_is_paused_says_so_until_it_goes_on(writers: Any) -> None:
    call = await live_call()
    stream = await opened(call, paused=True)
    writers(stream.sid)
    async with listener(call, await user(people.mina)) as mina:
        assert (await mina.word("waiting"))["text"] == PAUSED
        await in_db(Stream.objects.filter(pk=stream.pk).update)(paused=False)
        await changed(call)
        await mina.word("started")


def test_nothing_is_heard_while_the_caller_gives_a_code() -> None:
    call = factories.call(plan={"step": "verify"})
    factories.stream(factories.leg(call))
    assert heard(call_id=call.pk).why == SECRET
    assert heard(call_id=call.pk).sid == ""


async def test_a_slow_browser_loses_the_oldest_and_is_told_how_much(writers: Any) -> None:
    call = await live_call()
    stream = await opened(call)
    writer = writers(stream.sid)
    async with listener(call, await user(people.mina)) as mina:
        await mina.word("started")
        speak(writer, 50, FLIGHT)
        first = await mina.sound(2 * FLIGHT)
        speak(writer, 50 + FLIGHT, HELD + 10)
        assert await mina.line.hears_nothing()
        await mina.ack(first[-1][1])
        dropped = await mina.word("dropped")
        rest = await mina.sound(2 * HELD)
    assert dropped["ms"] == 10 * 20
    assert [ulaw for *_, ulaw in first] == [sound(50 + n // 2) for n in range(2 * FLIGHT)]
    assert [ulaw for *_, ulaw in rest] == [sound(50 + FLIGHT + 10 + n // 2) for n in range(2 * HELD)]


async def test_a_browser_that_acknowledges_loses_nothing(writers: Any) -> None:
    call = await live_call()
    stream = await opened(call)
    writer = writers(stream.sid)
    async with listener(call, await user(people.mina)) as mina:
        await mina.word("started")
        for block in range(20):
            speak(writer, 50 + 10 * block, 10)
            frames = await mina.sound(20)
            await mina.ack(frames[-1][1])
            assert [ulaw for *_, ulaw in frames[::2]] == [sound(50 + 10 * block + n) for n in range(10)]
    assert mina.texts == []


async def test_a_browser_that_acknowledges_nothing_is_closed(
    writers: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ListenConsumer, "silent_seconds", 0.2)
    call = await live_call()
    stream = await opened(call)
    writer = writers(stream.sid)
    async with listener(call, await user(people.mina)) as mina:
        await mina.word("started")
        speak(writer, 50, 1)
        assert await mina.line.closed() == 4408


async def test_who_says_no_hello_is_closed_and_listens_to_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ListenConsumer, "hello_seconds", 0.2)
    call = await live_call()
    async with listener(call, await user(people.mina), greeted=False) as mina:
        assert await mina.line.closed() == 4408
    assert await rows() == []


@pytest.mark.parametrize("text", [" ", "[]", "{", '{"type":"levels"}', '{"type":1}', "[" * 5000])
async def test_the_third_bad_message_closes(text: str, directory: Path) -> None:
    call = await live_call()
    async with listener(call, await user(people.mina)) as mina:
        for _ in range(3):
            await mina.line.communicator.send_to(text_data=text)
        assert await mina.line.closed() == 4400


@pytest.mark.parametrize("seq", [None, "1", 1.5, -1, 65536, 9, True, [], 10**30])
async def test_an_odd_ack_is_borne(seq: Any, writers: Any) -> None:
    call = await live_call()
    stream = await opened(call)
    writer = writers(stream.sid)
    async with listener(call, await user(people.mina)) as mina:
        await mina.word("started")
        await mina.ack(seq)
        speak(writer, 50, 1)
        assert len(await mina.sound(2)) == 2


async def test_too_much_and_too_large_close(directory: Path) -> None:
    call = await live_call()
    mina = await user(people.mina)
    async with listener(call, mina) as one:
        await one.line.communicator.send_to(text_data=" " * (MESSAGE_BYTES + 1))
        assert await one.line.closed() == 4413
    async with listener(call, mina) as one:
        for _ in range(int(BURST) + 10):
            await one.ack(3)
        assert await one.line.closed() == 4429


@pytest.mark.parametrize(("who", "code"), [(None, 4401), (people.jonas, 4403), (people.eve, 4403)])
async def test_who_may_not_listen_is_refused(who: Any, code: int) -> None:
    call = await live_call()
    async with listener(call, await user(who) if who else None) as one:
        assert await one.line.closed() == code
    assert await rows() == []


async def test_who_watches_but_may_not_listen_is_refused() -> None:
    call = await live_call()
    mina = await user(people.mina)
    group = await in_db(mina.groups.get)(name="Supervisor")
    permission = await in_db(group.permissions.get)(codename="listen_in")
    await in_db(group.permissions.remove)(permission)
    async with listener(call, mina) as one:
        assert await one.line.closed() == 4403


@in_db
def of_another_team(call: Call) -> None:
    """The call goes to a team that is not Mina's."""
    team, _ = Team.objects.get_or_create(name="Others")
    with change() as told:
        Call.objects.filter(pk=call.pk).update(team=team)
        told.emit(kind="call.changed", noun="call", key=call.pk, call=call.pk)


async def test_a_call_of_another_team_is_as_unknown_as_none() -> None:
    mina, call = await user(people.mina), await live_call()
    await of_another_team(call)
    for one in (call, Call(pk=999_999_999_999_999_999)):
        async with listener(one, mina) as page:
            assert await page.line.closed() == 4404
    assert await rows() == []


async def test_a_call_that_goes_to_another_team_is_heard_no_longer(writers: Any) -> None:
    mina, call = await user(people.mina), await live_call()
    await in_db(Team.objects.create)(name="Others")  # while there is no team, everybody sees every call
    stream = await opened(call)
    writers(stream.sid)
    async with listener(call, mina) as page:
        await page.word("started")
        await of_another_team(call)
        assert await page.line.closed() == 4404


@in_db
def signs_out(user: User) -> None:
    Session.objects.all().delete()


@in_db
def loses_role(user: User) -> None:
    user.groups.clear()


@in_db
def joins_no_team_of(user: User) -> None:
    """Silently, without an event: only the look every few seconds can find it."""
    team, _ = Team.objects.get_or_create(name="Others")
    Call.objects.update(team=team)


@pytest.mark.parametrize(
    ("happens", "code"), [(signs_out, 4401), (loses_role, 4403), (joins_no_team_of, 4404)]
)
async def test_who_may_no_longer_is_closed_within_seconds(
    happens: Any, code: int, writers: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ListenConsumer, "check_seconds", 0.1)
    mina, call = await user(people.mina), await live_call()
    stream = await opened(call)
    writers(stream.sid)
    async with listener(call, mina) as page:
        await page.word("started")
        await happens(mina)
        assert await page.line.closed() == code
    assert [row.ended_at is not None for row in await rows()] == [True]


async def test_a_restart_is_told(writers: Any) -> None:
    call = await live_call()
    stream = await opened(call)
    writers(stream.sid)
    async with listener(call, await user(people.mina)) as mina:
        await mina.word("started")
        hub().drain()
        assert await mina.line.closed() == RESTART


async def test_it_ends_with_the_call(writers: Any) -> None:
    call = await live_call()
    stream = await opened(call)
    writers(stream.sid)
    async with listener(call, await user(people.mina)) as mina:
        await mina.word("started")
        await ended(call)
        assert (await mina.word("ended"))["reason"] == "call_ended"
        assert await mina.line.closed() == 1000
    assert [row.ended_at is not None for row in await rows()] == [True]


async def test_a_call_that_is_over_has_no_sound() -> None:
    call = await live_call(state="ended")
    async with listener(call, await user(people.mina)) as mina:
        await mina.word("ended")
        assert await mina.line.closed() == 1000
    assert await rows() == []


async def test_a_listening_is_written_down_and_audited_with_its_length(writers: Any) -> None:
    call = await live_call()
    stream = await opened(call)
    writers(stream.sid)
    mina = await user(people.mina)
    async with listener(call, mina) as page:
        await page.word("started")
        (row,) = await rows()
        assert (row.call_id, row.by.pk, row.ended_at) == (call.pk, mina.pk, None)
        assert row.seen_until > timezone.now()
    (row,) = await rows()
    assert row.ended_at is not None
    assert await kinds("listening") == ["listening.began", "listening.ended"]
    audited = await in_db(lambda: list(AuditEvent.objects.order_by("id").values_list("who", "what", "on")))()
    length = round((row.ended_at - row.began_at).total_seconds())
    assert audited == [
        (mina.pk, "call.listened", f"call {call.pk}"),
        (mina.pk, "call.listened", f"call {call.pk}, {length} s"),
    ]


async def test_a_second_tab_of_the_same_person_takes_the_sound_over(writers: Any) -> None:
    call = await live_call()
    stream = await opened(call)
    writer = writers(stream.sid)
    mina = await user(people.mina)
    async with listener(call, mina) as first:
        await first.word("started")
        async with listener(call, mina) as second:
            await second.word("started")
            assert await first.line.closed() == 4409
            speak(writer, 50, 1)
            assert len(await second.sound(2)) == 2
            assert [row.ended_at is None for row in await rows()] == [False, True]


async def test_two_people_hear_a_call_and_a_third_is_told_who(writers: Any) -> None:
    call = await live_call()
    stream = await opened(call)
    writer = writers(stream.sid)
    mina, ada, tom = await user(people.mina), await user(people.ada), await other_supervisor("tom")
    async with listener(call, mina) as first, listener(call, ada) as second:
        await first.word("started")
        await second.word("started")
        async with listener(call, tom) as third:
            refusal = await third.word("error")
            assert await third.line.closed() == 4410
        speak(writer, 50, 1)
        assert [len(await one.sound(2)) for one in (first, second)] == [2, 2]
    assert refusal["code"] == "two_listen"
    assert refusal["text"].startswith("Mina and Ada listen to this call already.")
    async with listener(call, tom) as third:
        await third.word("started")


async def test_who_was_taken_for_dead_comes_again(writers: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ListenConsumer, "check_seconds", 0.1)
    call = await live_call()
    stream = await opened(call)
    writers(stream.sid)
    async with listener(call, await user(people.mina)) as mina:
        await mina.word("started")
        later = timezone.now() + timedelta(hours=1)
        assert await in_db(listening.close_dead)(now=later) == 1
        assert await mina.line.closed() == RESTART


def test_rows_of_a_dead_process_end_when_they_were_last_seen() -> None:
    call, mina, now = factories.call(), people.mina(), timezone.now()
    row = listening.begin(call_id=call.pk, by=mina, now=now)
    assert listening.close_dead(now=now + timedelta(seconds=10)) == 0
    assert listening.extend(listening_id=row.pk, now=now + timedelta(seconds=10))
    assert listening.close_dead(now=now + timedelta(seconds=25)) == 0
    assert listening.close_dead(now=now + timedelta(seconds=31)) == 1
    row.refresh_from_db()
    assert row.ended_at == now + timedelta(seconds=30)
    assert not listening.extend(listening_id=row.pk, now=now + timedelta(seconds=32))
    assert not listening.end(listening_id=row.pk, now=now + timedelta(seconds=32))
    assert not listening.is_replaced(listening_id=row.pk)
    assert AuditEvent.objects.order_by("-id").values_list("on", flat=True)[0] == f"call {call.pk}, 30 s"


def test_a_dead_listener_keeps_nobody_out() -> None:
    call, now = factories.call(), timezone.now()
    for name in ("ann", "bea"):
        listening.begin(call_id=call.pk, by=people.person(name, "Supervisor"), now=now)
    with pytest.raises(Refused) as refused:
        listening.begin(call_id=call.pk, by=people.mina(), now=now)
    assert refused.value.code == "two_listen"
    assert listening.begin(call_id=call.pk, by=people.mina(), now=now + timedelta(seconds=21)).pk
