"""Events as browsers get them: every noun in its present state, in a fixed number of queries."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from calls.access import EVERY, Scope
from calls.consumers.browser import OF_A_CALL
from calls.events import change, newest_id
from calls.models import (
    Agent,
    Alert,
    Call,
    Callback,
    CallState,
    Command,
    Conference,
    Contact,
    Event,
    Listening,
    Matter,
    Moment,
    Note,
    Offer,
    Participant,
    Queue,
    Supervision,
    Team,
    User,
    Utterance,
    Voicemail,
    Waiting,
    WrapUp,
)
from calls.selectors import call as one_call
from calls.selectors import feed, history, wall
from calls.selectors.touched import topic
from streams.models import Gap
from tests import factories, people
from tests.calls import centre

pytestmark = pytest.mark.django_db


NOUNS = [
    "call", "stream", "utterance", "gap", "command",
    "alert", "waiting", "listening", "supervision", "moment", "note",
]  # fmt: skip


def told(call: Call, noun: str, key: object, kind: str = "changed") -> None:
    """One event."""
    with change() as c:
        c.emit(kind=f"{noun}.{kind}", noun=noun, key=key, call=call.pk)


def bodies(batch: feed.Batch) -> list[dict[str, Any]]:
    """The messages as JSON objects."""
    return [json.loads(message.body) for message in batch.messages]


def a_whole_call(**fields: Any) -> Call:
    """A live call with all that can belong to one, and an event of each."""
    jonas, queue = people.agent_jonas(), Queue.objects.get_or_create(name="Support")[0]
    call = factories.call(number=factories.number(), agent=jonas, queue=queue, **fields)
    stream = factories.stream(factories.leg(call))
    line = factories.utterance(stream, "my boiler is leaking")
    gap = Gap.objects.create(stream=stream, track="inbound", at_ms=500, ms=240)
    command = Command.objects.create(call=call, kind="stream.start", args={"name": "second"})
    room = Conference.objects.create(call=call, name=f"call-{call.pk}-1", round=1)
    by = User.objects.create(username=f"supervisor{call.pk}")  # who is in one call is in no other
    soon = timezone.now() + timedelta(minutes=1)
    rows = {
        "alert": Alert.objects.create(call=call, key="help", kind="help", name="Help", severity="critical"),
        "waiting": Waiting.objects.create(call=call, queue=queue),
        "listening": Listening.objects.create(call=call, by=by, seen_until=soon),
        "supervision": Supervision.objects.create(
            call=call, by=by, mode="coach", conference=room, until=soon
        ),
        "moment": Moment.objects.create(call=call, by=by, at_ms=700),
        "note": Note.objects.create(call=call, by=by, text="Calls again tomorrow."),
    }
    keys = {
        "call": call.pk,
        "stream": stream.sid,
        "utterance": line.as_message()["utterance"],
        "gap": gap.pk,
        "command": command.pk,
        **{noun: row.pk for noun, row in rows.items()},
    }
    with change() as c:
        for noun, key in keys.items():
            c.emit(kind=f"{noun}.changed", noun=noun, key=key, call=call.pk)
    return call


def test_each_noun_comes_with_type_time_key_and_state() -> None:
    start = newest_id()
    call = a_whole_call()
    batch = feed.after(start, limit=50)
    assert [(one["type"], one["call"]) for one in bodies(batch)] == [(noun, call.pk) for noun in NOUNS]
    assert [message.id for message in batch.messages] == [start + n for n in range(1, len(NOUNS) + 1)]
    assert batch.upto == newest_id()
    assert batch.whole
    first, stream, line, gap, command, *_ = bodies(batch)
    assert first["agent"] == "Jonas"
    assert stream["stream"].startswith("MZ")
    assert line["text"] == "my boiler is leaking"
    assert line["utterance"] == f"{stream['stream']}/inbound/{line['utterance'].split('/')[2]}"
    assert (gap["ms"], gap["track"]) == (240, "inbound")
    assert (command["kind"], command["stream"]) == ("stream.start", "second")
    assert all(
        one["at"].endswith("Z") and len(one["at"]) == 24 for one in (first, stream, line, gap, command)
    )


def test_a_noun_that_changed_often_comes_once_as_it_is_now() -> None:
    call = factories.call()
    start = newest_id()
    for kind in ("started", "changed", "ended"):
        told(call, "call", call.pk, kind)
    Call.objects.filter(pk=call.pk).update(state=CallState.ENDED, ended_at=timezone.now())
    batch = feed.after(start, limit=50)
    assert [
        (message.id, one["state"]) for message, one in zip(batch.messages, bodies(batch), strict=True)
    ] == [(start + 3, "ended")]


def test_what_is_gone_says_so() -> None:
    start = newest_id()
    call = factories.call()
    told(call, "utterance", "MZ1/inbound/1")
    assert bodies(feed.after(start, limit=50))[0] | {"at": ""} == {
        "type": "utterance",
        "at": "",
        "event": "utterance.changed",
        "utterance": "MZ1/inbound/1",
        "call": call.pk,
        "gone": True,
    }


def test_an_unknown_noun_or_an_odd_key_breaks_nothing() -> None:
    start = newest_id()
    call = factories.call()
    told(call, "weather", "rain")
    told(call, "offer", "no number")
    told(call, "call", "not a number")
    told(call, "gap", "9" * 30)
    told(call, "command", "no uuid")
    weather, offer, *shown = feed.after(start, limit=50).messages
    assert (weather.body, offer.body) == ("", "")  # nothing that a page shows by itself
    assert all(json.loads(message.body)["gone"] for message in shown)


def test_an_event_names_whom_it_concerns() -> None:
    start = newest_id()
    jonas, call = people.agent_jonas(), factories.call(contact=people.carla())
    queue = Queue.objects.create(name="Support")
    now = factories.NOON
    rows: dict[str, Any] = {
        "offer": Offer.objects.create(call=call, agent=jonas, until=now),
        "waiting": Waiting.objects.create(call=call, queue=queue),
        "wrapup": WrapUp.objects.create(call=call, agent=jonas, due_at=now),
        "callback": Callback.objects.create(
            call=call, e164=people.CALLER, queue=queue, place_at=now, due_at=now
        ),
        "voicemail": Voicemail.objects.create(call=call, queue=queue, recording_sid=factories.sid("RE")),
        "matter": Matter.objects.create(contact=people.carla(), text="Boiler"),
        "agent": jonas,
    }
    for noun, row in rows.items():
        told(call, noun, row.pk)
    told(call, "utterance", "MZ1/inbound/1")
    batch = feed.after(start, limit=50)
    found = {message.noun: message.topics for message in batch.messages}
    mine, on, there, who = (
        topic("agent", jonas.pk),
        topic("call", call.pk),
        topic("queue", queue.pk),
        topic("contact", call.contact_id),
    )
    assert found == {
        "call": {mine, on},  # what the wrap-up changed
        "waiting": {there, on},
        "callback": {there, who, on},
        "voicemail": {there, who, on},
        "matter": {who, on},
        "agent": {mine, on},
        "utterance": frozenset(),
    }


def test_whom_events_concern_takes_as_many_queries_for_one_as_for_many(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    jonas = people.agent_jonas()
    start = newest_id()
    for _ in range(5):
        call = factories.call()
        offer = Offer.objects.create(
            call=call, agent=jonas, until=factories.NOON, state="ended", ended_at=factories.NOON
        )
        told(call, "offer", offer.pk)
    with django_assert_num_queries(8):
        feed.after(start, limit=50)


def test_an_offer_is_told_as_its_agent_who_comes_once(django_assert_num_queries: Any) -> None:
    start = newest_id()
    jonas, call, other = people.agent_jonas(), factories.call(), factories.call()
    offer = Offer.objects.create(call=call, agent=jonas, until=factories.NOON)
    told(other, "agent", jonas.pk, "phone")
    told(call, "offer", offer.pk, "ringing")
    with django_assert_num_queries(8):
        (message,) = feed.after(start, limit=50).messages
    body = json.loads(message.body)
    assert (message.id, message.noun, message.call, message.teams) == (start + 2, "agent", None, frozenset())
    assert message.topics == {topic("agent", jonas.pk), topic("call", call.pk), topic("call", other.pk)}
    assert (body["type"], body["event"], body["agent"], body["name"]) == (
        "agent", "offer.ringing", jonas.pk, "Jonas",
    )  # fmt: skip
    assert (body["state"], body["call"]) == ("ringing", call.pk)


def test_an_agent_is_told_with_queues_and_teams_and_what_is_true_of_them() -> None:
    start = newest_id()
    now, support = timezone.now(), Queue.objects.create(name="Support")
    jonas = people.agent_jonas()
    Agent.objects.filter(pk=jonas.pk).update(
        status="away", reason="lunch", since=now, present_until=now + timedelta(minutes=1)
    )
    support.agents.add(jonas)
    north = Team.objects.create(name="North")
    north.people.add(jonas.user)
    with change() as c:
        c.emit(kind="agent.away", noun="agent", key=jonas.pk)
    (message,) = feed.after(start, limit=50).messages
    body = json.loads(message.body)
    assert message.teams == frozenset({north.pk})
    assert {
        name: body[name] for name in ("agent", "state", "reason", "since", "queues", "teams", "call")
    } == {
        "agent": jonas.pk,
        "state": "away",
        "reason": "lunch",
        "since": feed.iso(now),
        "queues": [support.pk],
        "teams": [north.pk],
        "call": None,
    }


def test_a_seat_and_a_wrap_up_are_told_as_their_call() -> None:
    start = newest_id()
    call = factories.call()
    room = Conference.objects.create(call=call, name=f"call-{call.pk}-1", round=1)
    seat = Participant.objects.create(
        conference=room, leg=factories.leg(call), joined_at=factories.NOON, held=True
    )
    told(call, "participant", seat.pk, "hold")
    (held,) = bodies(feed.after(start, limit=50))
    assert (held["type"], held["event"], held["call"], held["phase"]) == (
        "call", "participant.hold", call.pk, "hold",
    )  # fmt: skip
    WrapUp.objects.create(call=call, agent=people.agent_jonas(), due_at=factories.NOON)
    Call.objects.filter(pk=call.pk).update(state="ended", ended_at=timezone.now())
    told(call, "wrapup", 1, "opened")
    (written,) = bodies(feed.after(start, limit=50))
    assert (written["event"], written["call"], written["phase"]) == ("wrapup.opened", call.pk, "wrapup")


def test_who_waits_and_what_is_noted_come_with_all_that_pages_show() -> None:
    start = newest_id()
    mina, call, queue = people.mina(), factories.call(), Queue.objects.create(name="Support")
    wait = Waiting.objects.create(call=call, queue=queue, priority=3, reason="a refund")
    note = Note.objects.create(call=call, by=mina, text="Calls again tomorrow.")
    told(call, "waiting", wait.pk)
    told(call, "note", note.pk)
    waits, noted = bodies(feed.after(start, limit=50))
    assert waits.items() >= {
        "waiting": wait.pk, "call": call.pk, "queue": queue.pk, "queue_name": "Support", "agent": "",
        "priority": 3, "reason": "a refund", "left_at": None, "result": "",
    }.items()  # fmt: skip
    assert noted.items() >= {"note": note.pk, "call": call.pk, "by": "Mina", "user": mina.pk}.items()
    assert noted["text"] == "Calls again tomorrow."


def test_the_key_of_what_is_gone_is_of_the_kind_that_it_was() -> None:
    start = newest_id()
    call = factories.call()
    for noun in ("alert", "moment", "gap"):
        told(call, noun, 7)
    with change() as c:
        c.emit(kind="agent.deleted", noun="agent", key=7)
    found = bodies(feed.after(start, limit=50))
    assert [(one["type"], one[one["type"]], one["gone"]) for one in found] == [
        (noun, 7, True) for noun in ("alert", "moment", "gap", "agent")
    ]
    assert "call" not in found[-1]


def test_more_events_than_asked_for_are_not_whole() -> None:
    start = newest_id()
    call = factories.call()
    for _ in range(4):
        told(call, "call", call.pk)
    assert not feed.after(start, limit=3).whole
    assert feed.after(start, limit=4).whole


def test_events_that_were_tidied_away_are_missed() -> None:
    call = factories.call()
    start = newest_id()
    told(call, "call", call.pk)
    told(call, "call", call.pk)
    call.events.order_by("id").first().delete()  # type: ignore[union-attr]
    assert not feed.after(start, limit=50).whole


def test_events_are_not_whole_either_when_all_that_was_missed_is_gone() -> None:
    start = newest_id()
    call = factories.call()
    told(call, "call", call.pk)
    Event.objects.all().delete()
    assert not feed.after(start, limit=50).whole
    assert feed.after(newest_id(), limit=50).whole


def test_odd_characters_cannot_break_a_message() -> None:
    start = newest_id()
    call = factories.call(
        caller_name="</script>\u2028\u202e\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16")
    )
    told(call, "call", call.pk)
    text = feed.after(start, limit=5).messages[0].body
    assert text.isascii()
    assert json.loads(text)["caller"] == call.caller_name


@pytest.mark.parametrize("count", [1, 50])
def test_the_feed_asks_as_often_for_fifty_calls_as_for_one(
    count: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    start = newest_id()
    for _ in range(count):
        a_whole_call()
    with django_assert_num_queries(19):
        assert len(feed.after(start, limit=1000).messages) == len(NOUNS) * count


@pytest.mark.parametrize("count", [0, 1, 50])
def test_the_wall_asks_as_often_for_fifty_calls_as_for_none(
    count: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    people.agent_jonas()
    for _ in range(count):
        a_whole_call()
        centre.agent(Queue.objects.get(name="Support"))
    with django_assert_num_queries(24 if count else 20):  # what no call and no queue has is not asked for
        found = wall.snapshot(now=timezone.now(), scope=EVERY)
    for plural in ("calls", "streams", "utterances", "waiting", "alerts", "listenings", "supervisions"):
        assert len(found[plural]) == count
    assert len(found["agents"]) == count + 1


@pytest.mark.parametrize("count", [1, 50])
def test_a_call_asks_as_often_with_fifty_lines_as_with_one(
    count: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    stream = factories.stream()
    for n in range(count):
        factories.utterance(stream)
        by = User.objects.create(username=f"supervisor{n}")
        Moment.objects.create(call=stream.leg.call, by=by, at_ms=n)
        Note.objects.create(call=stream.leg.call, by=by, text="Noted")
        factories.call()
    with django_assert_num_queries(16):
        snapshot = one_call.snapshot(stream.leg.call_id, EVERY)
    assert snapshot is not None
    assert len(snapshot["utterances"]) == len(snapshot["moments"]) == len(snapshot["notes"]) == count
    assert len(snapshot["history"]["calls"]) == min(count, 5)


@pytest.mark.parametrize("count", [1, 50])
def test_the_list_asks_as_often_for_fifty_calls_as_for_one(
    count: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(count):
        a_whole_call()
    with django_assert_num_queries(2):
        found = history.search(history.Wanted(words="boiler"), page=1, scope=EVERY)
        assert [call.display_caller() and call.quote for call in found.calls] == [
            "my boiler is leaking"
        ] * count


def test_the_wall_has_live_calls_and_those_just_ended_oldest_first() -> None:
    now = timezone.now()
    long = factories.call(started_at=now - timedelta(hours=1))
    new = factories.call(state=CallState.RINGING, started_at=now)
    just = factories.call(
        state="ended", started_at=now - timedelta(minutes=9), ended_at=now - timedelta(seconds=9)
    )
    factories.call(state="ended", started_at=now - timedelta(minutes=8), ended_at=now - timedelta(seconds=11))
    assert [call["call"] for call in wall.snapshot(now=now, scope=EVERY)["calls"]] == [
        long.pk,
        just.pk,
        new.pk,
    ]


def test_the_wall_has_the_last_line_of_each_call() -> None:
    stream = factories.stream()
    factories.utterance(stream, "second", start_ms=9000)
    factories.utterance(stream, "first", start_ms=1000)
    assert [line["text"] for line in wall.snapshot(now=timezone.now(), scope=EVERY)["utterances"]] == [
        "second"
    ]


def test_the_snapshot_says_the_same_as_the_events() -> None:
    start = newest_id()
    call = a_whole_call()
    snapshot = one_call.snapshot(call.pk, EVERY)
    assert snapshot is not None
    for one in bodies(feed.after(start, limit=50)):
        expected = {name: value for name, value in one.items() if name not in {"type", "at", "event"}}
        plural = {"waiting": "waiting"}.get(one["type"], one["type"] + "s")
        assert expected in snapshot[plural]


def test_the_wall_says_the_same_as_the_events() -> None:
    start = newest_id()
    a_whole_call()
    told(factories.call(), "agent", people.agent_jonas().pk)
    snapshot = wall.snapshot(now=timezone.now(), scope=EVERY)
    for one in bodies(feed.after(start, limit=50)):
        expected = {name: value for name, value in one.items() if name not in {"type", "at", "event"}}
        plural = {"waiting": "waiting"}.get(one["type"], one["type"] + "s")
        assert one["type"] in OF_A_CALL or expected in snapshot[plural]


def test_calls_are_found_by_day_line_agent_state_caller_and_words() -> None:
    now = timezone.now()
    jonas, support = people.agent_jonas(), factories.number(label="Support")
    stream = factories.stream(factories.leg(factories.call(agent=jonas, number=support, started_at=now)))
    factories.utterance(stream, "There is WATER everywhere")
    mine = stream.leg.call_id
    old = factories.call(
        state="ended", outcome="missed", caller="+441632960123", started_at=now - timedelta(days=3)
    ).pk

    def found(**wanted: Any) -> list[int]:
        return [call.pk for call in history.search(history.Wanted(**wanted), page=1, scope=EVERY).calls]

    assert found() == [mine, old]
    assert found(words="water") == [mine]
    assert found(agent=jonas.pk) == found(number=support.pk) == found(state="live") == [mine]
    assert found(state="missed") == found(state="ended") == found(caller="441632 960") == [old]
    assert found(since=now - timedelta(days=1)) == [mine]
    assert found(until=now - timedelta(days=3)) == [old]


def test_a_caller_is_found_by_the_name_we_know() -> None:
    call = factories.call(contact=people.carla())
    factories.call(caller_name="SOMEBODY ELSE")
    found = history.search(history.Wanted(caller="visser"), page=1, scope=EVERY).calls
    assert [one.pk for one in found] == [call.pk]


def test_the_list_has_pages() -> None:
    for _ in range(history.PAGE + 1):
        factories.call()
    first, second = (history.search(history.Wanted(), page=page, scope=EVERY) for page in (1, 2))
    assert (len(first.calls), first.has_more) == (history.PAGE, True)
    assert (len(second.calls), second.has_more) == (1, False)


def test_a_long_line_is_quoted_around_the_words() -> None:
    stream = factories.stream()
    factories.utterance(stream, "well " * 60 + "the needle is here" + " and on" * 60)
    quote = history.search(history.Wanted(words="needle"), page=1, scope=EVERY).calls[0].quote
    assert "the needle is here" in quote
    assert quote.startswith("…")
    assert quote.endswith("…")
    assert len(quote) < 170


def test_wild_cards_in_the_words_are_only_characters() -> None:
    stream = factories.stream()
    factories.utterance(stream, "one hundred percent")
    assert history.search(history.Wanted(words="%"), page=1, scope=EVERY).calls == []
    assert Utterance.objects.count() == 1


def test_a_stream_is_found_by_its_sid_and_by_its_name() -> None:
    stream = factories.stream()
    call = stream.leg.call_id
    assert one_call.ticket_of(call, stream.sid) == stream.ticket
    assert one_call.ticket_of(call, stream.ticket.name) == stream.ticket
    assert one_call.ticket_of(call, "other") is None
    assert one_call.ticket_of(factories.call().pk, stream.sid) is None


def test_the_page_of_a_call_shows_the_callers_last_calls_and_who_they_are() -> None:
    north, south = (Team.objects.create(name=name) for name in ("North", "South"))
    carla, now = people.carla(), timezone.now()
    Contact.objects.filter(pk=carla.pk).update(company="Visser BV", tags="gold, boiler", note="Ring twice")
    call = factories.call(contact=carla, team=north)
    earlier = [
        factories.call(
            state="ended", contact=carla, started_at=now - timedelta(days=day), outcome="missed", team=team
        )
        for day, team in [(1, north), (2, None), (3, south)]
    ]
    spoken = factories.call(
        state="ended",
        caller=call.caller,
        number=factories.number(label="Repairs"),
        agent=people.agent_jonas(),
        started_at=now - timedelta(days=9),
        answered_at=now - timedelta(days=9),
        ended_at=now - timedelta(days=9) + timedelta(seconds=61.5),
    )
    WrapUp.objects.create(
        call=spoken, agent=people.agent_jonas(), due_at=now, closed_at=now, outcome="Repaired"
    )
    found = one_call.snapshot(call.pk, Scope(frozenset({north.pk})))
    assert found is not None
    past, who = found["history"]["calls"], found["history"]["contact"]
    assert [one["call"] for one in past] == [earlier[0].pk, earlier[1].pk, spoken.pk]
    assert past[-1] | {"started_at": ""} == {
        "call": spoken.pk, "started_at": "", "outcome": "Repaired", "agent": "Jonas", "label": "Repairs",
        "queue": "", "seconds": 61,
    }  # fmt: skip
    assert who == {
        "name": "Carla Visser", "company": "Visser BV", "tags": ["gold", "boiler"], "note": "Ring twice",
    }  # fmt: skip


def test_a_stranger_who_withholds_their_number_has_no_history() -> None:
    factories.call(caller="anonymous")
    found = one_call.snapshot(factories.call(caller="anonymous").pk, EVERY)
    assert found is not None
    assert found["history"] == {"calls": [], "contact": None}


def test_the_wall_keeps_open_alerts_and_those_of_the_last_ten_minutes_newest_first() -> None:
    now, call = timezone.now(), factories.call(state="ended")

    def alert(minutes: int, *, done: bool) -> int:
        return Alert.objects.create(
            call=call, key=str(minutes), kind="words", name="Cancel", severity="warning",
            at=now - timedelta(minutes=minutes), acknowledged_at=now if done else None,
        ).pk  # fmt: skip

    new, old, _ = alert(9, done=True), alert(600, done=False), alert(11, done=True)
    assert [one["alert"] for one in wall.snapshot(now=now, scope=EVERY)["alerts"]] == [new, old]


def test_the_wall_has_only_who_listens_now_and_who_is_in_a_call_now() -> None:
    now, room = timezone.now(), Conference.objects.create(call=factories.call(), name="call-1-1", round=1)
    on: dict[str, Any] = {"call": room.call}
    there = Listening.objects.create(by=people.mina(), seen_until=now + timedelta(seconds=5), **on)
    Listening.objects.create(by=people.ada(), seen_until=now - timedelta(seconds=5), **on)
    Listening.objects.create(by=people.eve(), seen_until=now + timedelta(seconds=5), ended_at=now, **on)
    on |= {"conference": room, "until": now, "mode": "join"}
    Supervision.objects.create(by=people.ada(), state="ended", ended_at=now, **on)
    live = Supervision.objects.create(by=people.mina(), state="in", joined_at=now, **on)
    found = wall.snapshot(now=now, scope=EVERY)
    assert [one["listening"] for one in found["listenings"]] == [there.pk]
    assert [one["supervision"] for one in found["supervisions"]] == [live.pk]
    page = one_call.snapshot(room.call.pk, EVERY, now=now)
    assert page is not None
    assert [one["state"] for one in page["supervisions"]] == ["in", "ended"]  # its timeline tells of both


def test_the_wall_names_the_queues_and_teams_that_are_seen() -> None:
    north, south = (Team.objects.create(name=name) for name in ("North", "South"))
    for name, team in [("Support", north), ("Sales", south), ("Front", None)]:
        Queue.objects.create(name=name, team=team)
    found = wall.snapshot(now=timezone.now(), scope=Scope(frozenset({north.pk})))
    assert [(one["name"], one["team"]) for one in found["queues"]] == [("Front", None), ("Support", north.pk)]
    assert found["teams"] == [{"team": north.pk, "name": "North"}]
    assert set(found["queues"][0]) == {
        "queue", "name", "team", "warn_seconds", "bad_seconds", "target_seconds", "target_percent",
    }  # fmt: skip
    assert set(found["figures"]["queues"]) == {str(one["queue"]) for one in found["queues"]}
