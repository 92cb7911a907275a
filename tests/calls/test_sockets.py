"""The browsers' sockets, through the whole application: who is let in, what is said, how it ends."""

import asyncio
import json
from typing import Any

import pytest
from channels.db import database_sync_to_async as in_db
from django.contrib.auth.models import Permission
from django.contrib.sessions.models import Session
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from calls.consumers.base import BURST, MESSAGE_BYTES, BrowserSocket, _parse
from calls.events import change, newest_id
from calls.hub import hub
from calls.models import Alert, Call, Command, Moment, Note, User
from streams.models import Gap
from tests import factories, people
from tests.calls.browsers import followers, line, tick

__all__ = ["followers"]

pytestmark = [
    pytest.mark.django_db(transaction=True, serialized_rollback=True),
    pytest.mark.usefixtures("followers"),
]


@in_db
def mina() -> User:
    return people.mina()


@in_db
def ringing(**fields: Any) -> Call:
    """A call that rings, with its event."""
    with change() as told:
        call = factories.call(state="ringing", **fields)
        told.emit(kind="call.started", noun="call", key=call.pk, call=call.pk)
    return call


@in_db
def said(call: Call, text: str) -> None:
    """A final line, with its event."""
    with change() as told:
        stream = factories.stream(factories.leg(call))
        message = factories.utterance(stream, text).as_message()
        told.emit(kind="utterance.final", noun="utterance", key=message["utterance"], call=call.pk)


class Disconnected(RuntimeError):
    """As the server says that the line closed while we sent."""


async def test_a_line_that_closes_while_we_send_is_no_fault_of_ours() -> None:
    async def receive() -> dict[str, Any]:
        return {"type": "websocket.connect"}

    async def send(message: dict[str, Any]) -> None:
        raise Disconnected("Attempt to send on a closed protocol")

    await BrowserSocket({}, receive, send).run()


async def test_the_wall_answers_hello_with_a_snapshot() -> None:
    call = await ringing()
    async with line("/ws/live/", await mina()) as wall:
        snapshot, beat = await wall.hello()
    assert snapshot["type"] == "snapshot"
    assert [one["call"] for one in snapshot["calls"]] == [call.pk]
    assert snapshot["last_id"] == beat["last_id"] == await in_db(newest_id)()
    assert snapshot["at"].endswith("Z")


async def test_an_event_follows_the_snapshot_and_names_it() -> None:
    async with line("/ws/live/", await mina()) as wall:
        snapshot, _ = await wall.hello()
        call = await ringing()
        event = (await wall.until("call"))[-1]
    assert (event["after"], event["id"]) == (snapshot["last_id"], snapshot["last_id"] + 1)
    assert (event["call"], event["state"]) == (call.pk, "ringing")


async def test_after_a_break_exactly_the_missed_events_come_in_order() -> None:
    await ringing()
    async with line("/ws/live/", await mina()) as wall:
        snapshot, _ = await wall.hello()
    first = await ringing()
    await said(first, "good morning")
    second = await ringing()
    async with line("/ws/live/", await mina()) as wall:
        *missed, beat = await wall.hello(snapshot["last_id"])
        third = await ringing()
        later = (await wall.until("call"))[-1]
    assert [(one["type"], one["call"]) for one in missed] == [
        ("call", first.pk),
        ("utterance", first.pk),
        ("call", second.pk),
    ]
    chain = [snapshot["last_id"], *(one["id"] for one in missed)]
    assert [one["after"] for one in missed] == chain[:-1]
    assert (later["call"], later["after"]) == (third.pk, beat["last_id"])


async def test_after_a_break_without_events_only_a_beat_comes() -> None:
    await ringing()
    newest = await in_db(newest_id)()
    async with line("/ws/live/", await mina()) as wall:
        assert [one["type"] for one in await wall.hello(newest)] == ["beat"]


async def test_the_wall_is_not_sent_what_only_the_page_of_a_call_shows() -> None:
    call = await ringing()
    stream = await in_db(factories.stream)(await in_db(factories.leg)(call))

    @in_db
    def much() -> None:
        hole = Gap.objects.create(stream=stream, track="inbound", at_ms=500, ms=240)
        rows = {
            "command": Command.objects.create(call=call, kind="stream.start").pk,
            "gap": hole.pk,
            "moment": Moment.objects.create(call=call, at_ms=1).pk,
            "note": Note.objects.create(call=call, text="Noted").pk,
            "alert": Alert.objects.create(call=call, key="1", kind="help", name="Help").pk,
        }
        with change() as told:
            for noun, key in rows.items():
                told.emit(kind=f"{noun}.changed", noun=noun, key=key, call=call.pk)

    user = await mina()
    start = await in_db(newest_id)()
    async with line("/ws/live/", user) as wall, line(f"/ws/calls/{call.pk}/", user) as page:
        shown, _ = await wall.hello()
        await page.hello()
        await much()
        (alert,) = await wall.until("alert")
        heard = await page.until("alert")
    assert (alert["after"], alert["id"]) == (shown["last_id"], shown["last_id"] + 5)
    assert [one["type"] for one in heard] == ["command", "gap", "moment", "note", "alert"]
    for path, kinds in [("/ws/live/", ["alert"]), (f"/ws/calls/{call.pk}/", [one["type"] for one in heard])]:
        async with line(path, user) as again:
            *missed, _ = await again.hello(start)
            assert [one["type"] for one in missed] == kinds
            assert [one["after"] for one in missed] == [start, *(one["id"] for one in missed)][:-1]


@pytest.mark.parametrize("last_id", [None, 0, 10**9])
async def test_who_cannot_be_told_what_they_missed_gets_a_snapshot(last_id: int | None) -> None:
    await ringing()
    async with line("/ws/live/", await mina()) as wall:
        assert [one["type"] for one in await wall.hello(last_id)] == ["snapshot", "beat"]


async def test_too_much_missed_is_a_snapshot() -> None:
    await ringing()
    start = await in_db(newest_id)()
    call = await ringing()

    @in_db
    def many() -> None:
        with change() as told:
            for _ in range(300):
                told.emit(kind="call.changed", noun="call", key=call.pk, call=call.pk)

    await many()
    async with line("/ws/live/", await mina()) as wall:
        assert [one["type"] for one in await wall.hello(start)] == ["snapshot", "beat"]


async def test_hello_again_begins_anew() -> None:
    await ringing()
    async with line("/ws/live/", await mina()) as wall:
        snapshot, _ = await wall.hello()
        call = await ringing()
        await wall.until("call")
        again = await wall.hello(snapshot["last_id"])
    assert [(one["type"], one.get("call")) for one in again] == [("call", call.pk), ("beat", None)]


async def test_the_page_of_a_call_hears_of_no_other() -> None:
    mine, other = await ringing(), await ringing()
    async with line(f"/ws/calls/{mine.pk}/", await mina()) as page:
        snapshot, _ = await page.hello()
        assert snapshot["call"]["call"] == mine.pk
        await said(other, "not for this page")
        await said(mine, "for this page")
        heard = await page.until("utterance")
    assert [one["text"] for one in heard if one["type"] == "utterance"] == ["for this page"]
    assert heard[-1]["after"] == snapshot["last_id"]
    assert heard[-1]["id"] == snapshot["last_id"] + 2


async def test_levels_pass_to_the_wall_untouched_and_are_cut_for_a_call() -> None:
    user = await mina()
    stream = await in_db(factories.stream)()
    levels = {
        "type": "levels",
        "at": "2026-11-20T12:00:00.000Z",
        "levels": {stream.sid: {"inbound": -20.0}, "MZother": {}},
    }
    async with line("/ws/live/", user) as wall, line(f"/ws/calls/{stream.leg.call_id}/", user) as page:
        await wall.hello()
        await page.hello()
        await tick("levels", levels)
        assert await wall.hear() == levels
        assert (await page.hear())["levels"] == {stream.sid: {"inbound": -20.0}}
        await tick("levels", {**levels, "levels": {"MZother": {}}})
        assert await page.hears_nothing()


async def test_after_two_unacknowledged_ticks_only_the_latest_comes() -> None:
    async with line("/ws/live/", await mina()) as wall:
        await wall.hello()
        heard = []
        for n in range(6):
            await tick("levels", {"type": "levels", "n": n})
            if n < 2:
                heard.append((await wall.hear())["n"])
        assert await wall.hears_nothing()
        await wall.say(type="ack")
        heard.append((await wall.hear())["n"])
        assert heard == [0, 1, 5]


async def test_a_partial_line_comes_by_itself_and_never_after_its_final_one() -> None:
    call = await ringing()
    async with line(f"/ws/calls/{call.pk}/", await mina()) as page:
        await page.hello()
        partial = {
            "type": "partial",
            "call": call.pk,
            "stream": "MZ1",
            "track": "inbound",
            "utterance": "MZ1/inbound/1",
            "text": "good",
        }
        await tick("partials", {"type": "partials", "partials": [partial, {**partial, "call": call.pk + 1}]})
        assert await page.hear() == partial
        assert await page.hears_nothing()


async def test_a_signed_out_browser_is_closed_with_4401() -> None:
    async with line("/ws/live/") as wall:
        assert await wall.closed() == 4401


async def test_a_session_that_is_nobodys_is_closed_with_4401() -> None:
    async with line("/ws/live/", cookie="sessionid=" + "x" * 32) as wall:
        assert await wall.closed() == 4401


@pytest.mark.parametrize("who", [people.jonas, people.eve])
@pytest.mark.parametrize("path", ["/ws/live/", "/ws/calls/1/"])
async def test_who_may_not_watch_is_closed_with_4403(who: Any, path: str) -> None:
    async with line(path, await in_db(who)()) as wall:
        assert await wall.closed() == 4403


@pytest.mark.parametrize("call", ["1", "999999999999999999"])
async def test_a_call_that_does_not_exist_is_closed_with_4404(call: str) -> None:
    async with line(f"/ws/calls/{call}/", await mina()) as page:
        assert await page.closed() == 4404


@in_db
def log_out(user: User) -> None:
    Session.objects.all().delete()


@in_db
def another_password(user: User) -> None:
    user.set_password("quite another password")
    user.save()


@in_db
def disabled(user: User) -> None:
    User.objects.filter(pk=user.pk).update(is_active=False)


@in_db
def expired(user: User) -> None:
    Session.objects.update(expire_date=timezone.now())


@in_db
def role_removed(user: User) -> None:
    user.groups.clear()


async def path_of(page: str) -> str:
    """The socket of the wall, or of a call that rings."""
    return "/ws/live/" if page == "wall" else f"/ws/calls/{(await ringing()).pk}/"


EACH_PAGE = pytest.mark.parametrize("page", ["wall", "call"])


@EACH_PAGE
@pytest.mark.parametrize(
    ("what", "code"),
    [(log_out, 4401), (another_password, 4401), (disabled, 4401), (expired, 4401), (role_removed, 4403)],
)
async def test_who_loses_the_right_to_watch_is_closed_soon(
    page: str, what: Any, code: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert BrowserSocket.check_seconds <= 4
    monkeypatch.setattr(BrowserSocket, "check_seconds", 0.05)
    user = await mina()
    async with line(await path_of(page), user) as one:
        await one.hello()
        await what(user)
        assert await one.closed() == code


@in_db
def intervenes_no_longer(user: User) -> None:
    """They may only watch from now on."""
    user.user_permissions.add(Permission.objects.get(codename="view_wall"))
    user.groups.clear()


@EACH_PAGE
async def test_who_may_do_less_than_before_is_told_so(page: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BrowserSocket, "check_seconds", 0.05)
    user = await mina()
    async with line(await path_of(page), user) as one:
        snapshot, _ = await one.hello()
        await intervenes_no_longer(user)
        *_, then = await one.until("snapshot")
    everything = {"listen": True, "intervene": True, "control_streams": True}
    assert snapshot["me"] == {"user": user.pk, "name": "Mina", "may": everything}
    assert then["me"]["may"] == dict.fromkeys(everything, False)


async def test_two_people_of_one_scope_are_each_told_who_they_are() -> None:
    ada = await in_db(people.ada)()
    async with line("/ws/live/", await mina()) as one, line("/ws/live/", ada) as other:
        assert (await one.hello())[0]["me"]["name"] == "Mina"
        assert (await other.hello())[0]["me"]["name"] == "Ada"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("no json", "bad_json"),
        ("[1, 2]", "bad_json"),
        ("[" * 5000, "bad_json"),
        ('{"type": "command"}', "unknown_type"),
        ("{}", "unknown_type"),
        ('{"type": ["hello"]}', "unknown_type"),
        ('{"type": "hello", "last_id": "7"}', "bad_field"),
        ('{"type": "hello", "last_id": true}', "bad_field"),
        ('{"type": "hello", "last_id": -1}', "bad_field"),
        ('{"type": "hello", "last_id": 1e400}', "bad_field"),
        ('{"type": "hello", "last_id": 9223372036854775808}', "bad_field"),
    ],
)
@EACH_PAGE
async def test_a_bad_message_gets_an_error_and_the_third_closes(page: str, text: str, code: str) -> None:
    async with line(await path_of(page), await mina()) as wall:
        for _ in range(3):
            await wall.communicator.send_to(text_data=text)
            error = await wall.hear()
            assert (error["type"], error["code"]) == ("error", code)
            assert error["text"]
        assert await wall.closed() == 4400


async def test_a_binary_message_is_a_bad_one() -> None:
    async with line("/ws/live/", await mina()) as wall:
        await wall.communicator.send_to(bytes_data=b"\x00")
        assert (await wall.hear())["code"] == "bad_json"


async def test_too_large_a_message_closes_with_4413() -> None:
    async with line("/ws/live/", await mina()) as wall:
        await wall.communicator.send_to(
            text_data='{"type": "hello", "x": "' + "é" * (MESSAGE_BYTES // 2) + '"}'
        )
        assert await wall.closed() == 4413


async def test_too_many_messages_close_with_4429() -> None:
    async with line("/ws/live/", await mina()) as wall:
        await wall.hello()
        for _ in range(int(BURST) + 20):
            await wall.say(type="ack")
        assert await wall.closed() == 4429


async def test_acknowledging_what_came_is_never_too_much() -> None:
    async with line("/ws/live/", await mina()) as wall:
        await wall.hello()
        for n in range(int(BURST) * 2):
            await tick("levels", {"type": "levels", "n": n})
            assert (await wall.hear())["n"] == n
            await wall.say(type="ack")
        await wall.say(type="hello", last_id=None)
        assert (await wall.until("beat"))[-1]["type"] == "beat"


async def test_who_never_greets_is_closed_with_4408(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BrowserSocket, "hello_seconds", 0.05)
    async with line("/ws/live/", await mina()) as wall:
        assert await wall.closed() == 4408


async def test_a_quiet_line_beats(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(BrowserSocket, "beat_seconds", 0.05)
    async with line("/ws/live/", await mina()) as wall:
        await wall.hello()
        beat = await wall.hear()
        assert (beat["type"], beat["last_id"]) == ("beat", await in_db(newest_id)())


@EACH_PAGE
async def test_a_browser_that_takes_nothing_is_closed_with_4408(page: str) -> None:
    stream = await in_db(factories.stream)()
    call = stream.leg.call
    async with line("/ws/live/" if page == "wall" else f"/ws/calls/{call.pk}/", await mina()) as wall:
        await wall.hello()
        # never acknowledged: nothing after it is proved
        await tick("levels", {"type": "levels", "levels": {stream.sid: {}}})

        @in_db
        def busy() -> None:
            for n in range(300):
                with change() as told:
                    stream_line = f"MZ{n}/inbound/1"
                    told.emit(kind="utterance.final", noun="utterance", key=stream_line, call=call.pk)

        await busy()
        assert await wall.closed() == 4408


@EACH_PAGE
async def test_a_restart_closes_every_browser_with_4012(page: str) -> None:
    async with line(await path_of(page), await mina()) as wall:
        await wall.hello()
        hub().drain()
        assert await wall.closed() == 4012


async def test_nothing_is_followed_when_the_last_browser_has_gone() -> None:
    async with line("/ws/live/", await mina()) as wall:
        await wall.hello()
        assert hub()._follower is not None
    await asyncio.sleep(0)
    assert hub()._follower is None
    assert hub()._listener is None


async def test_the_snapshot_and_the_events_after_it_give_the_present_state() -> None:
    async with line("/ws/live/", await mina()) as wall:
        snapshot, _ = await wall.hello()
        known = {one["call"]: one for one in snapshot["calls"]}
        calls = [await ringing() for _ in range(5)]
        while len(known) < 5:
            event = await wall.hear()
            known[event["call"]] = event
    async with line("/ws/live/", await mina()) as wall:
        fresh, _ = await wall.hello()
    assert {one["call"] for one in fresh["calls"]} == {call.pk for call in calls} == set(known)
    for one in fresh["calls"]:
        assert one.items() <= known[one["call"]].items()


@given(
    st.one_of(
        st.none(), st.text(), st.recursive(st.none() | st.floats() | st.text(), st.lists).map(json.dumps)
    )
)
def test_nothing_that_a_browser_sends_raises(text: str | None) -> None:
    assert _parse(text) is None or isinstance(_parse(text), dict)
