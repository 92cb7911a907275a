"""The desk's socket, through the whole application: one seat, true presence, the state after each event."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import Any

import pytest
from channels.db import database_sync_to_async as in_db
from django.db import DatabaseError
from django.utils import timezone

from calls.consumers import desk as consumer
from calls.consumers import desk_browser
from calls.consumers.base import BURST, BrowserSocket
from calls.consumers.desk import DeskConsumer
from calls.events import change, newest_id
from calls.hub import hub
from calls.models import Agent, Call, Contact, Note, Queue
from calls.selectors import desk
from calls.services import agents
from tests import factories, people
from tests.calls import desks
from tests.calls.browsers import Line, followers, line, tick
from tests.calls.desks import OTHER_TAB, TAB

__all__ = ["followers"]

pytestmark = [
    pytest.mark.django_db(transaction=True, serialized_rollback=True),
    pytest.mark.usefixtures("followers", "brisk"),
]
offered, ended = in_db(desks.offered), in_db(desks.ended)
said, waits = in_db(desks.said), in_db(desks.waits)


@pytest.fixture
def brisk(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """States follow their events at once."""
    monkeypatch.setattr(DeskConsumer, "debounce_seconds", 0.01)
    yield
    assert not DeskConsumer._seated


@in_db
def jonas() -> Agent:
    return people.agent_jonas()


@in_db
def again(agent: Agent) -> Agent:
    """The row as it is now."""
    return Agent.objects.get(pk=agent.pk)


def open_desk(agent: Agent) -> AbstractAsyncContextManager[Line]:
    """An open line of the agent's page."""
    return line("/ws/desk/", agent.user)


async def hello(page: Line, tab: str = TAB, *, take: bool = False, last_id: int | None = None) -> Any:
    """Greet; the state that answers, with its beat acknowledged."""
    await page.say(type="hello", last_id=last_id, desk=tab, take=take)
    *_, state, beat = await page.until("beat")
    assert (state["type"], beat["last_id"]) == ("desk", state["id"])
    await page.say(type="ack")
    return state


async def state_until(page: Line, enough: Callable[[Any], bool]) -> Any:
    """The first state that is as waited for; no link of the chain may be missing on the way."""
    while True:
        message = await page.hear()
        if message["type"] == "desk" and enough(message):
            return message


async def test_hello_is_answered_with_the_whole_desk() -> None:
    agent = await jonas()
    call = (await offered(agent)).call
    await said(call, "good morning")
    async with open_desk(agent) as page:
        state = await hello(page)
    assert state["me"]["name"] == "Jonas"
    assert (state["call"]["call"], state["offer"]["state"]) == (call.pk, "ringing")
    assert [one["text"] for one in state["lines"]] == ["good morning"]
    assert (state["id"], state["after"]) == (await in_db(newest_id)(), 0)
    assert state["at"].endswith("Z")


async def test_a_call_that_rings_is_shown_and_its_lines_follow() -> None:
    agent = await jonas()
    async with open_desk(agent) as page:
        first = await hello(page)
        offer = await offered(agent)
        state = await state_until(page, lambda one: one["offer"] is not None)
        assert (state["offer"]["offer"], state["lines"]) == (offer.pk, [])
        await said(offer.call, "hello")
        spoken = (await page.until("utterance"))[-1]
        await ended(offer, "missed")
        state = await state_until(page, lambda one: one["offer"] is None)
    assert spoken["text"] == "hello"
    assert state["lines"] == []
    assert first["call"] is None


async def test_every_message_with_an_id_names_the_one_before() -> None:
    """Lines are said while states change: the chain stays whole, and no line is lost."""
    agent = await jonas()
    async with open_desk(agent) as page:
        last = (await hello(page))["id"]
        offer = await offered(agent)
        heard: list[Any] = []
        for n in range(12):
            await said(offer.call, f"line {n}", start_ms=n * 100)
            if n % 3 == 0:
                await note(offer.call, people.MINA, f"note {n}")
        lines: set[str] = set()
        while len(lines) < 12:
            message = await page.hear()
            if "id" in message:
                heard.append(message)
                shown = message.get("lines", []) if message["type"] == "desk" else [message]
                lines |= {one["text"] for one in shown}
    for message in heard:
        assert message["after"] == last
        last = message["id"]


@in_db
def note(call: Call, username: str, text: str) -> None:
    """Somebody notes something on a call."""
    with change() as told:
        row, _ = Note.objects.update_or_create(call=call, by=people.person(username), defaults={"text": text})
        told.emit(kind="note.saved", noun="note", key=row.pk, call=call.pk)


async def test_the_transcript_comes_again_only_with_another_call() -> None:
    agent = await jonas()
    offer = await offered(agent)
    async with open_desk(agent) as page:
        await hello(page)
        await note(offer.call, people.MINA, "careful")
        state = await state_until(page, lambda one: bool(one["context"]["notes"]))
    assert "lines" not in state


@in_db
def change_contact(call: Call) -> None:
    with change() as told:
        Contact.objects.filter(calls=call).update(company="Visser BV")
        told.emit(kind="contact.changed", noun="contact", key=call.contact_id)


async def test_what_changes_about_the_caller_is_shown() -> None:
    agent = await jonas()
    offer = await offered(agent, await in_db(lambda: factories.call(contact=people.carla()))())
    async with open_desk(agent) as page:
        await hello(page)
        await change_contact(offer.call)
        state = await state_until(page, lambda one: one["context"]["contact"]["company"] != "")
    assert state["context"]["contact"]["company"] == "Visser BV"


async def test_a_caller_who_waits_in_my_queue_is_counted() -> None:
    agent = await jonas()
    queue = await in_db(desks.support)(agent)
    async with open_desk(agent) as page:
        await hello(page)
        await waits(queue)
        assert (await state_until(page, lambda one: one["depth"]["waiting"] == 1))["offer"] is None


async def test_what_concerns_others_is_not_told() -> None:
    agent, colleague = await jonas(), await in_db(desks.sanne)()
    async with open_desk(agent) as page:
        await hello(page)
        offer = await offered(colleague)
        await said(offer.call, "not for Jonas")
        await waits(await in_db(Queue.objects.create)(name="Sales"))
        partial = {"type": "partial", "call": offer.call_id, "stream": "MZ1", "track": "inbound"}
        await tick("partials", {"type": "partials", "partials": [partial]})
        await tick("levels", {"type": "levels", "levels": {}})
        assert await page.hears_nothing()


async def test_a_partial_line_of_the_current_call_comes_by_itself() -> None:
    agent = await jonas()
    offer = await offered(agent)
    async with open_desk(agent) as page:
        await hello(page)
        partial = {
            "type": "partial",
            "call": offer.call_id,
            "stream": "MZ1",
            "track": "inbound",
            "utterance": "MZ1/inbound/1",
            "text": "good",
        }
        other = {**partial, "call": offer.call_id + 1}
        await tick("partials", {"type": "partials", "partials": [other, partial]})
        assert await page.hear() == partial
        assert await page.hears_nothing()


async def test_after_a_break_the_desk_comes_whole_and_names_what_the_page_saw() -> None:
    agent = await jonas()
    offer = await offered(agent)
    async with open_desk(agent) as page:
        first = await hello(page)
    await said(offer.call, "meanwhile")
    async with open_desk(agent) as page:
        state = await hello(page, last_id=first["id"])
        await said(offer.call, "and now")
        spoken = (await page.until("utterance"))[-1]
    assert state["after"] == first["id"]
    assert [one["text"] for one in state["lines"]] == ["meanwhile"]
    assert (spoken["text"], spoken["after"]) == ("and now", state["id"])


async def test_hello_again_on_the_same_line_begins_anew() -> None:
    agent = await jonas()
    offer = await offered(agent)
    async with open_desk(agent) as page:
        first = await hello(page)
        await said(offer.call, "good morning")
        await page.until("utterance")
        state = await hello(page, last_id=first["id"])
    assert [one["text"] for one in state["lines"]] == ["good morning"]


# -- one seat ----------------------------------------------------------------------------------------
async def test_a_second_tab_is_told_that_the_desk_is_open() -> None:
    agent = await jonas()
    async with open_desk(agent) as page, open_desk(agent) as second:
        await hello(page)
        await second.say(type="hello", last_id=None, desk=OTHER_TAB, take=False)
        assert await second.closed() == 4409
        await page.say(type="hello", last_id=None, desk=TAB, take=False)
        assert (await page.until("beat"))[-1]["type"] == "beat"


async def test_a_second_tab_takes_over_and_the_first_one_is_told() -> None:
    agent = await jonas()
    async with open_desk(agent) as page:
        await hello(page)
        async with open_desk(agent) as second:
            await hello(second, OTHER_TAB, take=True)
            assert await page.closed() == 4409
            row = await again(agent)
            assert (row.desk, row.is_present(timezone.now())) == (OTHER_TAB, True)


async def test_a_desk_whose_seat_was_taken_elsewhere_hears_it_with_its_beat() -> None:
    agent = await jonas()
    async with open_desk(agent) as page:
        await page.say(type="hello", last_id=None, desk=TAB, take=False)
        await page.until("beat")
        await in_db(Agent.objects.filter(pk=agent.pk).update)(desk=OTHER_TAB)
        await page.say(type="ack")
        assert await page.closed() == 4409


async def test_two_agents_sit_side_by_side() -> None:
    agent, colleague = await jonas(), await in_db(desks.sanne)()
    async with open_desk(agent) as page, open_desk(colleague) as beside:
        assert (await hello(page))["me"]["name"] == "Jonas"
        assert (await hello(beside, OTHER_TAB))["me"]["name"] == "Sanne"
        await offered(colleague)
        await state_until(beside, lambda one: one["offer"] is not None)
        assert await page.hears_nothing()


async def test_the_same_tab_comes_back_before_its_old_line_has_ended() -> None:
    agent = await jonas()
    async with open_desk(agent) as page:
        async with open_desk(agent) as old:
            await hello(old)
            await hello(page)
        row = await again(agent)
        assert row.present_until is not None
        assert row.present_until > timezone.now() + timedelta(seconds=15)  # the old line stood nobody up


# -- presence ----------------------------------------------------------------------------------------
@pytest.fixture
def beats(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Each time that a beat was answered and counted."""
    counted: list[Any] = []
    alive = agents.beat

    def remembered(**told: Any) -> bool:
        counted.append(told)
        return alive(**told)

    monkeypatch.setattr(agents, "beat", remembered)
    return counted


async def test_only_the_answer_to_a_beat_keeps_the_agent_present(beats: list[Any]) -> None:
    agent = await jonas()
    async with open_desk(agent) as page:
        await hello(page)
        for _ in range(5):
            await page.say(type="ack")  # to no beat
        await page.say(type="hello", last_id=None, desk=TAB, take=False)
        await page.until("beat")
    assert [(one["agent_id"], one["desk"]) for one in beats] == [(agent.pk, TAB)]
    assert (await again(agent)).present_until is not None


async def test_each_answered_beat_keeps_the_agent_present(
    monkeypatch: pytest.MonkeyPatch, beats: list[Any]
) -> None:
    monkeypatch.setattr(DeskConsumer, "beat_seconds", 0.02)
    monkeypatch.setattr(consumer, "BEATS_UNANSWERED", 10**6)  # however slow this machine is
    agent = await jonas()
    async with open_desk(agent) as page:
        await page.say(type="hello", last_id=None, desk=TAB, take=False)
        await page.until("desk")
        for _ in range(8):
            await page.until("beat")
            await page.say(type="ack")
        await page.say(type="hello", last_id=None, desk=TAB, take=False)
        await page.until("desk")  # what was said before it was heard
    assert len(beats) >= 8
    assert {(one["agent_id"], one["desk"]) for one in beats} == {(agent.pk, TAB)}


async def test_a_closed_laptop_extends_nothing_and_its_line_ends(
    monkeypatch: pytest.MonkeyPatch, beats: list[Any]
) -> None:
    assert DeskConsumer.beat_seconds * (consumer.BEATS_UNANSWERED + 2) <= 25
    monkeypatch.setattr(DeskConsumer, "beat_seconds", 0.02)
    agent = await jonas()
    async with open_desk(agent) as page:
        await page.say(type="hello", last_id=None, desk=TAB, take=False)
        assert await page.closed() == 4408
    assert beats == []


async def test_the_desk_is_left_when_its_page_is(monkeypatch: pytest.MonkeyPatch) -> None:
    left: list[Any] = []
    monkeypatch.setattr(agents, "stand_up", lambda **told: left.append((told["agent_id"], told["desk"])))
    agent = await jonas()
    async with open_desk(agent) as page:
        await hello(page)
    assert left == [(agent.pk, TAB)]


async def test_a_restart_leaves_the_agent_seated(monkeypatch: pytest.MonkeyPatch) -> None:
    left: list[Any] = []
    monkeypatch.setattr(agents, "stand_up", lambda **told: left.append(told))
    agent = await jonas()
    async with open_desk(agent) as page:
        await hello(page)
        hub().drain()
        assert await page.closed() == 4012
    assert left == []


# -- who ---------------------------------------------------------------------------------------------
async def test_a_signed_out_desk_is_closed_with_4401() -> None:
    async with line("/ws/desk/") as page:
        assert await page.closed() == 4401


@pytest.mark.parametrize("who", [people.mina, people.eve, people.jonas])
async def test_who_has_no_desk_is_closed_with_4403(who: Any) -> None:
    """Mina supervises, Eve may nothing, and Jonas is no agent yet."""
    async with line("/ws/desk/", await in_db(who)()) as page:
        assert await page.closed() == 4403


@in_db
def role_removed(agent: Agent) -> None:
    agent.user.groups.clear()


@in_db
def no_agent_any_more(agent: Agent) -> None:
    with change() as told:
        told.emit(kind="agent.changed", noun="agent", key=agent.pk)
        Agent.objects.filter(pk=agent.pk).delete()


@pytest.mark.parametrize("what", [role_removed, no_agent_any_more])
async def test_who_loses_the_desk_is_closed_soon(
    what: Callable[[Agent], Awaitable[None]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(BrowserSocket, "check_seconds", 0.05)
    agent = await jonas()
    async with open_desk(agent) as page:
        await hello(page)
        await what(agent)
        assert await page.closed() == 4403


# -- what is wrong -----------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({}, "bad_desk"),
        ({"desk": "7"}, "bad_desk"),
        ({"desk": TAB + "\n"}, "bad_desk"),
        ({"desk": [TAB]}, "bad_desk"),
        ({"desk": TAB, "take": "yes"}, "bad_desk"),
        ({"desk": TAB, "take": None}, "bad_desk"),
        ({"desk": TAB, "last_id": -1}, "bad_field"),
        ({"desk": TAB, "last_id": "7"}, "bad_field"),
    ],
)
async def test_a_hello_that_is_wrong_seats_nobody(fields: dict[str, Any], code: str) -> None:
    agent = await jonas()
    async with open_desk(agent) as page:
        for _ in range(3):
            await page.say(type="hello", **fields)
            error = await page.hear()
            assert (error["type"], error["code"]) == ("error", code)
        assert await page.closed() == 4400
    assert (await again(agent)).desk == ""


async def test_too_many_messages_close_with_4429() -> None:
    async with open_desk(await jonas()) as page:
        await hello(page)
        for _ in range(int(BURST) + 20):
            await page.say(type="ack")
        assert await page.closed() == 4429


async def test_a_page_that_never_takes_its_states_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk_browser, "STATES_UNPROVED", 3)
    agent = await jonas()
    offer = await offered(agent)
    async with open_desk(agent) as page:
        await page.say(type="hello", last_id=None, desk=TAB, take=False)
        await page.until("beat")
        for n in range(4):
            await note(offer.call, people.MINA, f"note {n}")
            if n < 2:
                await page.until("desk")
        assert await page.closed() == 4408


async def test_a_database_that_goes_away_costs_no_seat(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(consumer, "AWAY_SECONDS", 0.01)
    agent = await jonas()
    async with open_desk(agent) as page:
        await hello(page)
        away, look = iter([True, True]), desk.look

        def sometimes(**told: Any) -> Any:
            if next(away, False):
                raise DatabaseError
            return look(**told)

        monkeypatch.setattr(desk, "look", sometimes)
        await offered(agent)
        assert await state_until(page, lambda one: one["offer"] is not None)


async def test_a_burst_of_events_is_looked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(DeskConsumer, "debounce_seconds", 0.2)
    agent = await jonas()
    offer = await offered(agent)
    async with open_desk(agent) as page:
        await hello(page)
        await asyncio.gather(*(note(offer.call, people.MINA, f"note {n}") for n in range(6)))
        looks: list[Any] = []
        look = desk.look

        def counted(**told: Any) -> Any:
            looks.append(told)
            return look(**told)

        monkeypatch.setattr(desk, "look", counted)
        await page.until("desk")
        assert await page.hears_nothing()
    assert len(looks) <= 2
