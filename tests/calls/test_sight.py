"""What browsers of different teams are told: event by event, tick by tick, when calls and people move."""

import asyncio
import json
import random
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from channels.db import database_sync_to_async as in_db
from django.utils import timezone

from calls import hub as hub_module
from calls.access import EVERY, Scope
from calls.consumers import ticks
from calls.consumers.base import BrowserSocket
from calls.consumers.browser import Browser, Tick
from calls.consumers.places import ENDED_KEPT, Places
from calls.events import change, newest_id
from calls.hub import hub
from calls.models import Agent, Alert, Call, Listening, Queue, Team, User, Waiting
from calls.selectors import wall
from calls.selectors.feed import Told
from calls.services import agents
from streams.models import Stream
from tests import factories, people
from tests.calls import centre as at_desks
from tests.calls.browsers import Line, followers, line, tick

__all__ = ["followers"]

pytestmark = [
    pytest.mark.django_db(transaction=True, serialized_rollback=True),
    pytest.mark.usefixtures("followers"),
]


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A snapshot grows old soon."""
    monkeypatch.setattr(hub_module, "SNAPSHOT_SECONDS", 0.02)


@in_db
def teams() -> tuple[Team, Team]:
    """North, in which Mina is, and South, in which Olga is."""
    north, south = (Team.objects.create(name=name) for name in ("North", "South"))
    north.people.add(people.mina())
    south.people.add(people.person("olga", "Supervisor"))
    return north, south


@in_db
def person(username: str) -> User:
    """Mina, Olga or Ada."""
    return people.ada() if username == people.ADA else User.objects.get(username=username)


@in_db
def ringing(team: Team | None) -> Call:
    """A call of a team rings, with its event."""
    with change() as told:
        call = factories.call(state="ringing", team=team)
        told.emit(kind="call.started", noun="call", key=call.pk, call=call.pk)
    return call


@in_db
def opened(call: Call) -> Stream:
    """A stream of it opens."""
    with change() as told:
        stream = factories.stream(factories.leg(call))
        told.emit(kind="stream.opened", noun="stream", key=stream.sid, call=call.pk)
    return stream


@in_db
def said(stream: Stream, text: str) -> None:
    """A final line."""
    with change() as told:
        key = factories.utterance(stream, text).as_message()["utterance"]
        told.emit(kind="utterance.final", noun="utterance", key=key, call=stream.leg.call_id)


@in_db
def moved(call: Call, team: Team | None) -> None:
    """The call goes to another team, as when it enters one of its queues."""
    with change() as told:
        Call.objects.filter(pk=call.pk).update(team=team)
        told.emit(kind="call.changed", noun="call", key=call.pk, call=call.pk)


@in_db
def joins(user: User, *to: Team) -> None:
    """The person is in these teams, and in no other."""
    user.teams.set(to)


@asynccontextmanager
async def at_the_wall(username: str) -> AsyncIterator[Line]:
    """Their wall, greeted."""
    async with line("/ws/live/", await person(username)) as one:
        await one.hello()
        yield one


async def test_only_events_of_what_is_seen_are_sent_and_their_chain_holds() -> None:
    north, south = await teams()
    async with line("/ws/live/", await person("mina")) as mina, at_the_wall("olga") as olga:
        snapshot, _ = await mina.hello()
        theirs, ours, nobodys = await ringing(south), await ringing(north), await ringing(None)
        await said(await opened(theirs), "not for Mina")
        await said(await opened(ours), "for Mina")
        heard = await mina.until("utterance")
        others = await olga.until("utterance")
    assert [(one["type"], one["call"]) for one in heard] == [
        ("call", ours.pk),
        ("call", nobodys.pk),
        ("stream", ours.pk),
        ("utterance", ours.pk),
    ]
    chain = [snapshot["last_id"], *(one["id"] for one in heard)]
    assert [one["after"] for one in heard] == chain[:-1]
    assert {one["call"] for one in others} == {theirs.pk, nobodys.pk}


@pytest.mark.parametrize("kind", ["levels", "health"])
async def test_ticks_are_cut_to_what_is_seen(kind: str) -> None:
    north, south = await teams()
    ours, theirs = await opened(await ringing(north)), await opened(await ringing(south))
    name = {"levels": "levels", "health": "streams"}[kind]
    whole = {"type": kind, "at": "now", name: {ours.sid: {"n": 1}, theirs.sid: {"n": 2}, "MZnew": {"n": 3}}}
    async with at_the_wall("mina") as mina, at_the_wall("olga") as olga, at_the_wall("ada") as ada:
        await tick(kind, whole)
        assert await mina.hear() == {**whole, name: {ours.sid: {"n": 1}}}
        assert await olga.hear() == {**whole, name: {theirs.sid: {"n": 2}}}
        assert await ada.hear() == whole
        await tick(kind, {"type": kind, name: {theirs.sid: {"n": 4}}})
        assert await mina.hears_nothing()


async def test_partial_lines_are_cut_to_what_is_seen() -> None:
    north, south = await teams()
    ours, theirs = await opened(await ringing(north)), await opened(await ringing(south))
    lines = [
        {"type": "partial", "call": one.leg.call_id, "stream": one.sid, "track": "inbound", "text": "good"}
        for one in (ours, theirs)
    ]
    async with at_the_wall("mina") as mina, at_the_wall("ada") as ada:
        await tick("partials", {"type": "partials", "partials": lines})
        assert await mina.hear() == lines[0]
        assert await mina.hears_nothing()
        assert [await ada.hear(), await ada.hear()] == lines


async def test_a_new_stream_is_heard_as_soon_as_it_is_told_of() -> None:
    north, _ = await teams()
    async with at_the_wall("mina") as mina:
        stream = await opened(await ringing(north))
        await mina.until("stream")
        await tick("levels", {"type": "levels", "levels": {stream.sid: {}}})
        assert (await mina.hear())["levels"] == {stream.sid: {}}


async def test_a_call_that_leaves_the_team_is_gone_and_silent() -> None:
    north, south = await teams()
    call = await ringing(north)
    stream = await opened(call)
    async with line("/ws/live/", await person("mina")) as mina, at_the_wall("ada") as ada:
        snapshot, _ = await mina.hello()
        await moved(call, south)
        gone = await mina.hear()
        await said(stream, "said in the south")
        await ada.until("utterance")
        await tick("levels", {"type": "levels", "levels": {stream.sid: {}}})
        assert await mina.hears_nothing()
    last = snapshot["last_id"]
    assert {**gone, "at": ""} == {
        "id": last + 1,
        "after": last,
        "type": "call",
        "at": "",
        "event": "call.moved",
        "call": call.pk,
        "gone": True,
    }


async def test_what_waits_of_a_call_that_leaves_is_not_sent_any_more() -> None:
    north, south = await teams()
    call = await ringing(north)
    stream = await opened(call)
    browser = Browser(scope=Scope(frozenset({north.pk})))
    hub().join(browser)
    await hub().hello(browser, None)
    browser.outbox.take()
    partial = {"call": call.pk, "stream": stream.sid, "track": "inbound", "text": "good"}
    await tick("partials", {"type": "partials", "partials": [partial]})
    await tick("levels", {"type": "levels", "levels": {stream.sid: {}}})
    await tick("health", {"type": "health", "streams": {stream.sid: {}}})
    await moved(call, south)
    await followed()
    assert [json.loads(text)["type"] for text in browser.outbox.take()] == ["call"]
    hub().leave(browser)


async def test_a_call_that_comes_to_the_team_is_shown_whole() -> None:
    north, south = await teams()
    call = await ringing(south)
    stream = await opened(call)
    await said(stream, "said in the south")
    async with at_the_wall("mina") as mina:
        await moved(call, north)
        *_, snapshot = await mina.until("snapshot")
        assert [one["call"] for one in snapshot["calls"]] == [call.pk]
        assert [one["stream"] for one in snapshot["streams"]] == [stream.sid]
        assert [one["text"] for one in snapshot["utterances"]] == ["said in the south"]
        await mina.until("beat")
        await tick("levels", {"type": "levels", "levels": {stream.sid: {}}})
        assert (await mina.hear())["levels"] == {stream.sid: {}}
        await said(stream, "and in the north")
        line_ = (await mina.until("utterance"))[-1]
    assert line_["after"] == snapshot["last_id"]


async def test_a_call_that_enters_a_queue_of_the_team_just_goes_on() -> None:
    north, _ = await teams()
    async with at_the_wall("mina") as mina:
        call = await ringing(None)
        await moved(call, north)
        heard = [await mina.hear()]
        while heard[-1]["team"] != north.pk:
            heard.append(await mina.hear())
    assert {(one["type"], one["call"]) for one in heard} == {("call", call.pk)}


@in_db
def noted(call: Call) -> None:
    """Something happens in a call that no wall shows by itself."""
    with change() as told:
        told.emit(kind="voicemail.left", noun="voicemail", key=1, call=call.pk)
        told.emit(kind="note.saved", noun="note", key=1, call=call.pk)


@in_db
def moved_untold(call: Call, team: Team | None) -> None:
    """As another event of a call is seen that is told before that of its move."""
    Call.objects.filter(pk=call.pk).update(team=team)


async def test_whatever_tells_first_that_a_call_has_left_or_come_takes_it_away_or_brings_it() -> None:
    north, south = await teams()
    call = await ringing(north)
    async with at_the_wall("mina") as mina, at_the_wall("olga") as olga:
        await moved_untold(call, south)
        await noted(call)
        gone = await mina.hear()
        *_, shown = await olga.until("snapshot")
        await moved(call, south)
        assert await mina.hears_nothing()
    assert (gone["event"], gone["call"], gone["gone"]) == ("call.moved", call.pk, True)
    assert [one["call"] for one in shown["calls"]] == [call.pk]


@in_db
def agent_of(*to: Team) -> Agent:
    """An agent in these teams."""
    agent = at_desks.agent()
    agent.user.teams.set(to)
    return agent


@in_db
def away(agent: Agent) -> None:
    """The agent has chosen Away."""
    agents.set_status(agent=agent, status="away", reason="lunch", now=timezone.now())


async def test_an_agent_is_told_to_those_who_share_a_team_and_one_without_a_team_to_all() -> None:
    north, south = await teams()
    ours, theirs, boths = await agent_of(north), await agent_of(south), await agent_of(north, south)
    nobodys = await agent_of()
    async with line("/ws/live/", await person("mina")) as mina, at_the_wall("ada") as ada:
        snapshot, _ = await mina.hello()
        for agent in (theirs, ours, boths, nobodys):
            await away(agent)
        heard = [await mina.hear() for _ in range(3)]
        assert {(await ada.hear())["agent"] for _ in range(4)} == {
            ours.pk, theirs.pk, boths.pk, nobodys.pk,
        }  # fmt: skip
        assert await mina.hears_nothing()
    seen = [ours.pk, boths.pk, nobodys.pk]
    assert [(one["type"], one["agent"], one["reason"]) for one in heard] == [
        ("agent", pk, "lunch") for pk in seen
    ]
    assert [one["after"] for one in heard] == [snapshot["last_id"], *(one["id"] for one in heard)][:-1]
    assert {one["agent"] for one in snapshot["agents"]} == set(seen)


async def test_the_page_of_a_call_is_told_of_no_agent() -> None:
    await teams()
    call = await ringing(None)
    async with line(f"/ws/calls/{call.pk}/", await person("mina")) as page:
        await page.hello()
        await away(await agent_of())
        assert await page.hears_nothing()


async def test_what_waits_needs_attention_or_is_heard_is_told_to_those_who_see_its_call() -> None:
    north, south = await teams()

    @in_db
    def happen(call: Call) -> None:
        soon = timezone.now() + timedelta(minutes=1)
        by = User.objects.get(username="mina")
        with change() as told:
            rows = {
                "waiting": Waiting.objects.create(call=call),
                "alert": Alert.objects.create(call=call, key="help", kind="help", name="Help"),
                "listening": Listening.objects.create(call=call, by=by, seen_until=soon),
            }
            for noun, row in rows.items():
                told.emit(kind=f"{noun}.changed", noun=noun, key=row.pk, call=call.pk)

    ours, theirs = await ringing(north), await ringing(south)
    async with at_the_wall("mina") as mina, at_the_wall("olga") as olga:
        await happen(theirs)
        await happen(ours)
        kinds = ["waiting", "alert", "listening"]
        for one, call in [(mina, ours), (olga, theirs)]:
            assert [(told["type"], told["call"]) for told in await one.until("listening")] == [
                (kind, call.pk) for kind in kinds
            ]
        assert await mina.hears_nothing()
    found = await in_db(wall.snapshot)(now=timezone.now(), scope=Scope(frozenset({north.pk})))
    assert {one["call"] for kind in ("waiting", "alerts", "listenings") for one in found[kind]} == {ours.pk}


@pytest.mark.parametrize("noun", ["queue", "team"])
async def test_another_queue_or_team_shows_the_wall_anew_and_no_page_of_a_call(noun: str) -> None:
    await teams()
    call = await ringing(None)

    @in_db
    def changed() -> None:
        with change() as told:
            Queue.objects.create(name="Sales")
            told.emit(kind=f"{noun}.changed", noun=noun, key=1)

    ada = await person("ada")
    page_path = f"/ws/calls/{call.pk}/"
    async with at_the_wall("mina") as mina, at_the_wall("ada") as wall_, line(page_path, ada) as page:
        await page.hello()
        start = await in_db(newest_id)()
        await changed()
        for one in (mina, wall_):
            *_, shown = await one.until("snapshot")
            assert [queue["name"] for queue in shown["queues"]] == ["Sales"]
        assert await page.hears_nothing()
    async with line("/ws/live/", ada) as again:
        assert [one["type"] for one in await again.hello(start)] == ["snapshot", "beat"]


async def test_the_page_of_a_call_that_leaves_the_team_is_closed_with_4404() -> None:
    north, south = await teams()
    call = await ringing(north)
    async with line(f"/ws/calls/{call.pk}/", await person("mina")) as page:
        await page.hello()
        await moved(call, south)
        assert await page.closed() == 4404


async def test_another_teams_call_is_as_unknown_as_none() -> None:
    _, south = await teams()
    theirs = await ringing(south)
    for call in (theirs.pk, theirs.pk + 1000):
        async with line(f"/ws/calls/{call}/", await person("mina")) as page:
            assert await page.closed() == 4404
    async with line(f"/ws/calls/{theirs.pk}/", await person("ada")) as page:
        assert (await page.hello())[0]["call"]["call"] == theirs.pk


async def test_a_call_that_left_while_the_page_was_away_is_not_gone_on_with() -> None:
    north, south = await teams()
    call = await ringing(north)
    async with line(f"/ws/calls/{call.pk}/", await person("mina")) as page:
        await moved(call, south)
        await page.say(type="hello", last_id=await in_db(newest_id)())
        assert await page.closed() == 4404


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who is behind a socket is looked at often."""
    assert BrowserSocket.check_seconds <= 4
    monkeypatch.setattr(BrowserSocket, "check_seconds", 0.05)


@pytest.mark.usefixtures("watched")
async def test_who_changes_teams_sees_the_other_calls_soon() -> None:
    north, south = await teams()
    ours, theirs = await ringing(north), await ringing(south)
    async with line("/ws/live/", await person("mina")) as mina:
        first, _ = await mina.hello()
        await joins(await person("mina"), south)
        *_, then = await mina.until("snapshot")
        await mina.until("beat")
        await moved(ours, None)
        *_, at_last = await mina.until("snapshot")
    assert [one["call"] for one in first["calls"]] == [ours.pk]
    assert [one["call"] for one in then["calls"]] == [theirs.pk]
    assert {one["call"] for one in at_last["calls"]} == {ours.pk, theirs.pk}
    assert first["scope"] != then["scope"]


@pytest.mark.usefixtures("watched")
async def test_who_leaves_the_team_loses_the_page_of_its_call_soon() -> None:
    north, _ = await teams()
    call = await ringing(north)
    async with line(f"/ws/calls/{call.pk}/", await person("mina")) as page:
        await page.hello()
        await joins(await person("mina"))
        assert await page.closed() == 4404


@pytest.mark.usefixtures("watched")
async def test_who_becomes_an_admin_sees_every_call_and_who_was_one_no_longer() -> None:
    _, south = await teams()
    theirs = await ringing(south)
    async with line("/ws/live/", await person("mina")) as mina:
        await mina.hello()
        await in_db(people.person)("mina", "Admin")
        *_, risen = await mina.until("snapshot")
        await in_db(lambda: User.objects.get(username="mina").groups.clear())()
        assert await mina.closed() == 4403
    assert [one["call"] for one in risen["calls"]] == [theirs.pk]


@pytest.mark.usefixtures("watched")
async def test_the_first_team_takes_its_calls_from_the_others() -> None:
    call = await ringing(None)
    user = await in_db(people.mina)()
    async with line("/ws/live/", user) as mina:
        first, _ = await mina.hello()
        team = await in_db(Team.objects.create)(name="First")
        *_, then = await mina.until("snapshot")
        await mina.until("beat")
        await moved(call, team)
        gone = (await mina.until("call"))[-1]
    assert (first["scope"], then["scope"]) == ("every", "none")
    assert gone["gone"]


async def test_a_page_that_shows_another_scope_gets_a_snapshot() -> None:
    _, south = await teams()
    user = await person("mina")
    async with line("/ws/live/", user) as mina:
        snapshot, _ = await mina.hello()
    await joins(user, south)
    for path in ("/ws/live/", f"/ws/calls/{(await ringing(None)).pk}/"):
        async with line(path, user) as again:
            await again.say(type="hello", last_id=await in_db(newest_id)(), scope=snapshot["scope"])
            assert [one["type"] for one in await again.until("beat")] == ["snapshot", "beat"]


async def test_a_scope_that_is_no_text_is_a_bad_field() -> None:
    await teams()
    async with line("/ws/live/", await person("mina")) as mina:
        await mina.say(type="hello", last_id=None, scope=7)
        assert (await mina.hear())["code"] == "bad_field"


async def test_a_supervisor_goes_on_from_what_the_hub_kept() -> None:
    north, south = await teams()
    leaving = await ringing(north)
    async with at_the_wall("olga"):
        async with line("/ws/live/", await person("mina")) as mina:
            snapshot, _ = await mina.hello()
        await ringing(south)
        ours = await ringing(north)
        await moved(leaving, south)
        await followed()
        async with line("/ws/live/", await person("mina")) as mina:
            await mina.say(type="hello", last_id=snapshot["last_id"], scope=snapshot["scope"])
            *missed, _ = await mina.until("beat")
    assert [(one["type"], one["call"], one.get("gone", False)) for one in missed] == [
        ("call", ours.pk, False),
        ("call", leaving.pk, True),
    ]
    assert [one["after"] for one in missed] == [snapshot["last_id"], missed[0]["id"]]


async def test_a_supervisor_who_missed_a_call_coming_gets_a_snapshot() -> None:
    north, south = await teams()
    coming = await ringing(south)
    async with at_the_wall("olga"):
        async with line("/ws/live/", await person("mina")) as mina:
            snapshot, _ = await mina.hello()
        await moved(coming, north)
        await followed()
        async with line("/ws/live/", await person("mina")) as mina:
            assert [one["type"] for one in await mina.hello(snapshot["last_id"])] == ["snapshot", "beat"]


async def test_a_supervisor_whom_nobody_kept_the_events_for_gets_a_snapshot() -> None:
    await teams()
    async with line("/ws/live/", await person("mina")) as mina:
        snapshot, _ = await mina.hello()
    await ringing(None)
    async with line("/ws/live/", await person("mina")) as mina:
        assert [one["type"] for one in await mina.hello(snapshot["last_id"])] == ["snapshot", "beat"]


async def followed() -> None:
    """The hub has taken in all that happened, and nobody waits for a snapshot."""
    newest = await in_db(newest_id)()
    async with asyncio.timeout(10):
        while hub()._upto < newest or hub()._renewals:  # noqa: ASYNC110  the hub tells nobody
            await asyncio.sleep(0.005)


async def test_one_snapshot_serves_all_of_a_scope(monkeypatch: pytest.MonkeyPatch) -> None:
    north, south = await teams()
    coming = await ringing(south)
    scopes = [Scope(frozenset({north.pk})), Scope(frozenset({south.pk})), EVERY]
    browsers = [Browser(scope=scope) for scope in scopes for _ in range(5)]
    loaded: list[Scope] = []
    snapshot = wall.snapshot

    def counted(**told: Any) -> dict[str, Any]:
        loaded.append(told["scope"])
        return snapshot(**told)

    monkeypatch.setattr(wall, "snapshot", counted)
    monkeypatch.setattr(hub_module, "SNAPSHOT_SECONDS", 1.0)
    for browser in browsers:
        hub().join(browser)
    await asyncio.gather(*(hub().hello(browser, None) for browser in browsers))
    assert sorted(loaded, key=Scope.name) == sorted(scopes, key=Scope.name)
    hub()._snapshots.clear()  # a second later
    loaded.clear()
    await moved(coming, north)
    await followed()
    assert loaded == [scopes[0]]
    for browser in browsers:
        hub().leave(browser)


async def test_who_changes_teams_while_hello_is_answered_gets_what_the_new_ones_see(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    north, south = await teams()
    await ringing(north)
    theirs = await ringing(south)
    asked, may_answer = threading.Event(), threading.Event()
    snapshot = wall.snapshot

    def slow(**told: Any) -> dict[str, Any]:
        body = snapshot(**told)
        asked.set()
        may_answer.wait(10)
        return body

    monkeypatch.setattr(wall, "snapshot", slow)
    browser = Browser(scope=Scope(frozenset({north.pk})))
    hub().join(browser)
    greeted = asyncio.create_task(hub().hello(browser, None))
    await asyncio.to_thread(asked.wait, 10)
    browser.scope = Scope(frozenset({south.pk}))
    may_answer.set()
    await greeted
    shown, _ = (json.loads(text) for text in browser.outbox.take())
    assert [one["call"] for one in shown["calls"]] == [theirs.pk]
    hub().leave(browser)


async def test_a_renewal_that_fails_closes_the_socket_so_that_the_page_comes_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    north, _ = await teams()
    browser = Browser(scope=Scope(frozenset({north.pk})))
    hub().join(browser)
    await hub().hello(browser, None)

    def broken(**told: Any) -> dict[str, Any]:
        raise RuntimeError

    monkeypatch.setattr(wall, "snapshot", broken)
    hub()._snapshots.clear()
    hub().renew(browser)
    await followed()
    assert browser.code == 4012
    hub().leave(browser)


async def test_who_leaves_while_a_snapshot_is_made_leaves_nothing_behind() -> None:
    north, _ = await teams()
    browser = Browser(scope=Scope(frozenset({north.pk})))
    hub().join(browser)
    hub().renew(browser)
    hub().leave(browser)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert hub()._renewals == {}


# -- where calls are, and what a tick is cut to ------------------------------------------------------
def event(noun: str, key: object, *, call: int, team: int | None, ended: bool = False) -> Told:
    """One event as the feed tells it."""
    return Told(1, noun, str(key), call, "{}", team=team, was=team, ended=ended)


def test_a_tick_is_cut_once_for_each_scope(monkeypatch: pytest.MonkeyPatch) -> None:
    places = Places()
    for n in range(4):
        places.follow(event("stream", f"MZ{n}", call=n, team=n % 2))
    decoded: list[str] = []

    def decode(text: str) -> dict[str, Any]:
        decoded.append(text)
        return ticks.decoded(text)

    text = json.dumps({"type": "levels", "levels": {f"MZ{n}": {} for n in range(4)}})
    one = Tick("levels", "media", text, decode, places)
    first, second = one.levels_for(Scope(frozenset({1}))), one.levels_for(Scope(frozenset({1})))
    assert first is second
    assert json.loads(first)["levels"] == {"MZ1": {}, "MZ3": {}}
    assert one.levels_for(Scope(frozenset({2}))) == ""
    assert one.levels_for(EVERY) is text
    assert one.levels_for(Scope(frozenset({0, 1}))) is text
    assert decoded == [text]


@pytest.mark.parametrize("text", ["no json", "[1]", "7", '{"levels": [1]}', '{"levels": 7}', ""])
def test_what_is_not_understood_passes_to_nobody_who_sees_some_teams_only(text: str) -> None:
    for kind in ("levels", "health"):
        one = Tick(
            kind,
            "media",
            text.replace("levels", "streams" if kind == "health" else "levels"),
            ticks.decoded,
            Places(),
        )
        assert one.levels_for(Scope(frozenset({1}))) == ""
        assert one.lines_for(Scope(frozenset({1}))) == []


def test_a_call_whose_row_is_gone_is_told_to_those_who_saw_it() -> None:
    places = Places()
    places.follow(event("call", 1, call=1, team=3))
    told = places.follow(event("call", 1, call=1, team=-1, ended=True))
    assert (told.was, told.team) == (3, 3)


def test_ended_calls_are_forgotten_in_time() -> None:
    places = Places()
    for call in range(ENDED_KEPT + 50):
        places.follow(event("call", call, call=call, team=1))
        places.follow(event("stream", f"MZ{call}", call=call, team=1))
        if call:
            places.follow(event("call", call, call=call, team=1, ended=True))
    seen = places.streams(Scope(frozenset({1})))
    assert len(seen) == ENDED_KEPT + 1
    assert {"MZ0", f"MZ{ENDED_KEPT + 49}"} <= seen
    assert "MZ1" not in seen


# -- whatever happens --------------------------------------------------------------------------------
class Watcher:
    """A browser of the hub that keeps what a page would know, as static/js/state.js does."""

    def __init__(self, scope: Scope) -> None:
        self.browser = Browser(scope=scope)
        self.last_id: int | None = None
        self.calls: dict[int, dict[str, Any]] = {}
        self.streams: dict[str, dict[str, Any]] = {}
        self.lines: dict[int, dict[str, Any]] = {}
        self.levels: set[str] = set()
        self.met: set[int] = set()  # calls of which anything but their going was told
        self.read: set[str] = set()  # words

    def take(self) -> None:
        """Read what waits, and acknowledge it."""
        for text in self.browser.outbox.take():
            self._apply(json.loads(text))
        while self.browser.outbox.ack():
            pass

    def _apply(self, message: dict[str, Any]) -> None:
        if message["type"] == "snapshot":
            self._begin(message)
        elif "id" in message:
            assert message["after"] == self.last_id
            self.last_id = message["id"]
            self._learn(message["type"], message)
        elif message["type"] == "levels":
            self.levels = set(message["levels"])

    def _begin(self, snapshot: dict[str, Any]) -> None:
        self.last_id = snapshot["last_id"]
        for known in (self.calls, self.streams, self.lines):
            known.clear()
        for noun in ("call", "stream", "utterance"):
            for one in snapshot[f"{noun}s"]:
                self._learn(noun, one)

    def _learn(self, noun: str, one: dict[str, Any]) -> None:
        call = one["call"]
        if one.get("gone"):
            self.calls.pop(call, None)
            self.lines.pop(call, None)
            self.streams = {sid: stream for sid, stream in self.streams.items() if stream["call"] != call}
            return
        self.met.add(call)
        if noun == "call":
            self.calls[call] = one
        elif noun == "stream":
            self.streams[one["stream"]] = one
        elif noun == "utterance":
            self.read.add(one["text"])
            self.lines[call] = one

    def knows(self) -> dict[str, Any]:
        """What is on the screen."""
        return {
            "calls": {call: (one["state"], one["team"]) for call, one in self.calls.items()},
            "streams": {sid: one["state"] for sid, one in self.streams.items()},
            "lines": {call: one["text"] for call, one in self.lines.items()},
        }


class Centre:
    """Teams, calls and people to whom things happen; it keeps what each watcher might ever have seen."""

    def __init__(self, chance: random.Random, teams: list[Team]) -> None:
        self.chance = chance
        self.teams = teams
        self.calls: list[Call] = []
        self.words: dict[int, list[str]] = {}
        self.watchers: list[Watcher] = []
        self.might: dict[Watcher, tuple[set[int], set[str]]] = {}

    def somewhere(self) -> Team | None:
        """A team, or none."""
        return self.chance.choice([None, *self.teams])

    def scope(self) -> Scope:
        """Somebody's teams."""
        some = self.chance.sample(self.teams, self.chance.randrange(len(self.teams)))
        return EVERY if self.chance.random() < 0.15 else Scope(frozenset(team.pk for team in some))

    @in_db
    def note(self) -> None:
        """What each may see now, they may have been told."""
        for watcher, (calls, words) in self.might.items():
            seen = set(watcher.browser.scope.of(Call.objects.all()).values_list("pk", flat=True))
            calls |= seen
            words |= {text for call in seen for text in self.words.get(call, ())}

    async def arrive(self) -> None:
        """Somebody opens the wall."""
        watcher = Watcher(self.scope())
        self.watchers.append(watcher)
        self.might[watcher] = (set(), set())
        hub().join(watcher.browser)
        await hub().hello(watcher.browser, None)

    async def ring(self) -> None:
        call = await ringing(self.somewhere())
        self.calls.append(call)
        await opened(call)

    async def speak(self) -> None:
        call = self.chance.choice(self.calls)
        stream = await in_db(
            lambda: Stream.objects.select_related("leg__call").filter(leg__call=call).first()
        )()
        assert stream is not None
        text = f"line {len(self.words.setdefault(call.pk, []))} of {call.pk}"
        self.words[call.pk].append(text)
        await said_at(stream, text, len(self.words[call.pk]))

    async def move(self) -> None:
        await moved(self.chance.choice(self.calls), self.somewhere())

    async def end(self) -> None:
        await ended(self.chance.choice(self.calls))

    async def promote(self) -> None:
        """The re-check of a socket finds other teams behind it."""
        watcher = self.chance.choice(self.watchers)
        watcher.browser.scope = self.scope()
        hub().renew(watcher.browser)

    async def come_back(self) -> None:
        """A line breaks, and the page goes on from the last event that it saw."""
        watcher = self.chance.choice(self.watchers)
        watcher.take()
        hub().leave(watcher.browser)
        known = None if watcher.browser.stale or not watcher.browser.ready else watcher.last_id
        watcher.browser = Browser(scope=watcher.browser.scope)
        hub().join(watcher.browser)
        await hub().hello(watcher.browser, known)

    async def sound(self) -> None:
        """A tick of every stream that there is."""
        sids = await in_db(lambda: list(Stream.objects.values_list("sid", flat=True)))()
        await tick("levels", {"type": "levels", "levels": {sid: {} for sid in sids}})


@in_db
def said_at(stream: Stream, text: str, number: int) -> None:
    """A line that comes after those before it."""
    with change() as told:
        line_ = factories.utterance(stream, text, start_ms=number * 2000)
        told.emit(
            kind="utterance.final",
            noun="utterance",
            key=line_.as_message()["utterance"],
            call=stream.leg.call_id,
        )


@in_db
def ended(call: Call) -> None:
    """The call is over."""
    with change() as told:
        Call.objects.filter(pk=call.pk).update(state="ended", ended_at=timezone.now())
        told.emit(kind="call.ended", noun="call", key=call.pk, call=call.pk)


@in_db
def fresh(scope: Scope) -> dict[str, Any]:
    """What a new page of that scope shows."""
    one = Watcher(scope)
    one._begin(wall.snapshot(now=timezone.now(), scope=scope))
    return one.knows()


@in_db
def made(count: int) -> list[Team]:
    """Some teams."""
    return [Team.objects.create(name=f"Team {n}") for n in range(count)]


@pytest.mark.parametrize("seed", range(8))
async def test_whatever_happens_each_sees_what_a_fresh_look_shows_and_never_more(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wall, "ENDED_SHOWN_SECONDS", 600)
    centre = Centre(random.Random(seed), await made(3))
    keeper = Browser(scope=EVERY)
    hub().join(keeper)
    await centre.ring()
    for _ in range(4):
        await centre.arrive()
    doings: list[Callable[[], Any]] = [
        centre.ring, centre.speak, centre.speak, centre.move, centre.move, centre.end, centre.promote,
        centre.come_back, centre.sound, followed,
    ]  # fmt: skip
    for _ in range(60):
        await centre.note()
        await centre.chance.choice(doings)()
        await centre.note()
        for watcher in centre.watchers:
            watcher.take()
    await followed()
    for watcher in centre.watchers:
        watcher.take()
        watcher.levels.clear()
    await centre.sound()
    for watcher in centre.watchers:
        watcher.take()
        shown = await fresh(watcher.browser.scope)
        assert watcher.knows() == shown
        assert watcher.levels == set(shown["streams"])
        calls, words = centre.might[watcher]
        assert watcher.met <= calls
        assert watcher.read <= words
        hub().leave(watcher.browser)
    hub().leave(keeper)
