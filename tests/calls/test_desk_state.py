"""What a desk shows: its agent, its one call with the caller's context, and nothing of anybody else's."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from calls.models import (
    Agent,
    Callback,
    Command,
    Conference,
    Matter,
    Note,
    Offer,
    Participant,
    Queue,
    Utterance,
    Voice,
    Voicemail,
    WrapUp,
)
from calls.selectors import desk
from calls.selectors.feed import encode
from tests import factories, people
from tests.calls import desks

pytestmark = pytest.mark.django_db
NOW = factories.NOON


@pytest.fixture
def jonas() -> Agent:
    """Jonas at his desk, Ready."""
    return desks.seated(people.agent_jonas())


def shown(agent: Agent, **told: Any) -> dict[str, Any]:
    """The state of the desk now, as it goes over the line."""
    found: dict[str, Any] = json.loads(encode(desk.state(agent, now=timezone.now(), **told)))
    return found


def test_an_idle_desk_shows_its_agent_and_no_call(jonas: Agent) -> None:
    state = shown(jonas)
    assert state["me"] == {
        "agent": jonas.pk,
        "name": "Jonas",
        "identity": "agent_jonas",
        "state": "ready",
        "status": "ready",
        "reason": "",
        "since": None,
        "phone": "browser",
        "telephone": "+31201234999",
        "phone_ok": False,
    }
    assert [state[name] for name in ("offer", "call", "context", "wrapup")] == [None] * 4
    assert [state[name] for name in ("lines", "callbacks", "commands")] == [[]] * 3
    assert state["depth"] == {"waiting": 0, "longest_since": None}
    assert state["today"] == {"answered": 0, "missed": 0, "talk_s": 0, "wrapup_s": 0}
    assert not state["missed"]


def test_a_desk_that_shows_no_life_is_offline(jonas: Agent) -> None:
    desks.seated(jonas, present_until=timezone.now() - timedelta(seconds=1))
    assert shown(jonas)["me"]["state"] == "offline"


@pytest.mark.parametrize("reason", ["missed", "declined"])
def test_away_for_a_missed_call_offers_the_way_back(jonas: Agent, reason: str) -> None:
    state = shown(desks.seated(jonas, status="away", reason=reason))
    assert (state["me"]["state"], state["missed"]) == ("away", True)
    assert not shown(desks.seated(jonas, status="away", reason="lunch"))["missed"]


def test_the_caller_is_known_before_the_answer(jonas: Agent) -> None:
    queue = desks.support(jonas, wrapup_seconds=45)
    desks.outcomes(queue, "Solved", "Sold")
    carla = people.carla()
    yesterday = timezone.now() - timedelta(days=1)
    Matter.objects.create(contact=carla, text="Boiler, part is ordered")
    Matter.objects.create(contact=carla, text="Paid", closed_at=timezone.now())
    before = factories.call(
        contact=carla,
        state="ended",
        outcome="answered",
        agent=desks.sanne(),
        queue=queue,
        started_at=yesterday,
        answered_at=yesterday,
    )
    Note.objects.create(call=before, by=people.mina(), text="Asked for\na new boiler")
    Voicemail.objects.create(call=before, recording_sid=factories.sid("RE"))
    call = factories.call(contact=carla, queue=queue, verified="yes", facts={"order": "A-17", "raw": ["x"]})
    waiting = desks.waits(queue, call, since=timezone.now() - timedelta(seconds=30))
    Callback.objects.create(
        call=before, e164=people.CALLER, queue=queue, place_at=NOW, due_at=NOW, note="after five"
    )
    desks.said(call, "it is about my boiler", start_ms=2000)
    offer = desks.offered(jonas, call, waiting=waiting)
    state = shown(jonas)
    assert (state["me"]["state"], state["offer"]["offer"], state["offer"]["state"]) == (
        "ringing",
        offer.pk,
        "ringing",
    )
    assert (state["call"]["call"], state["call"]["caller"]) == (call.pk, "Carla Visser")
    context = state["context"]
    assert (context["contact"]["name"], context["contact"]["contact"]) == ("Carla Visser", carla.pk)
    assert context["caller"] | {"local_time": "", "time_zone": ""} == {
        "number": people.CALLER,
        "shown": "+31 6 12345678",
        "place": "Netherlands",
        "local_time": "",
        "time_zone": "",
        "withheld": False,
    }
    assert context["caller"]["time_zone"] == "Europe/Amsterdam"
    assert context["queue"]["waited_s"] >= 30
    assert context["queue"] | {"waited_s": 0} == {
        "name": "Support",
        "waited_s": 0,
        "outcomes": ["Solved", "Sold"],
        "wrapup_s": 45,
    }
    assert (context["verified"], context["entered"]) == ("yes", {"order": "A-17"})
    assert context["said"] == [{"text": "it is about my boiler", "at_ms": 2000, "speaker": "caller"}]
    assert [(one["agent"], one["seconds"], one["note"]) for one in context["calls"]] == [
        ("Sanne", 120, "Asked for a new boiler")
    ]
    assert context["calls"][0]["outcome"] == "Answered"
    assert [one["note"] for one in context["callbacks"]] == ["after five"]
    assert context["voicemails"] == 1
    assert [one["text"] for one in context["matters"]] == ["Boiler, part is ordered"]
    assert [one["text"] for one in state["lines"]] == ["it is about my boiler"]
    assert state["depth"]["waiting"] == 1


@pytest.mark.parametrize(
    ("caller", "shown_as", "withheld"),
    [
        ("", "Withheld", True),
        ("anonymous", "Withheld", True),
        ("+266696687", "Withheld", True),
        ("client:jonas", "client:jonas", False),
        ("sip:carla@example.com", "sip:carla@example.com", False),
        ("<script>alert(1)</script>", "<script>alert(1)</script>", False),
        ("\u202e+31", "\u202e+31", False),
        ("+999123456789", "+999123456789", False),
    ],
)
def test_odd_callers_have_a_context_too(jonas: Agent, caller: str, shown_as: str, withheld: bool) -> None:
    for _ in range(2):
        factories.call(caller=caller, state="ended")
    desks.offered(jonas, factories.call(caller=caller))
    context = shown(jonas)["context"]
    assert (context["caller"]["shown"], context["caller"]["withheld"]) == (shown_as, withheld)
    assert context["contact"] is None
    assert len(context["calls"]) == (0 if withheld else 2)  # strangers who withhold theirs are not one person


def test_of_many_calls_the_last_five_are_shown_newest_first(jonas: Agent) -> None:
    days = [
        factories.call(state="ended", started_at=timezone.now() - timedelta(days=day)).pk for day in range(8)
    ]
    desks.offered(jonas)
    assert [one["call"] for one in shown(jonas)["context"]["calls"]] == days[:5]


def test_what_was_said_to_the_first_agent_is_not_what_was_said_before(jonas: Agent) -> None:
    began = timezone.now() - timedelta(seconds=60)
    call = factories.call(started_at=began)
    for at in range(25):
        desks.said(call, f"line {at}", start_ms=at * 1000)
    desks.said(call, "hello, this is Jonas", start_ms=41_000)
    desks.said(call, "good that you are there", start_ms=45_000)
    desks.offered(jonas, call, state="accepted", accepted_at=began + timedelta(seconds=40))
    state = shown(jonas)
    assert [one["text"] for one in state["context"]["said"]] == [f"line {at}" for at in range(5, 25)]
    assert len(state["lines"]) == 27


def test_of_a_long_call_the_last_lines_come(jonas: Agent) -> None:
    call = factories.call()
    stream = factories.stream(factories.leg(call))
    for at in range(205):
        factories.utterance(stream, f"line {at}", start_ms=at * 1000)
    desks.offered(jonas, call, state="accepted")
    lines = [one["text"] for one in shown(jonas)["lines"]]
    assert (len(lines), lines[0], lines[-1]) == (200, "line 5", "line 204")
    assert "lines" not in shown(jonas, lines=False)


def test_notes_are_mine_and_those_of_others(jonas: Agent) -> None:
    offer = desks.offered(jonas, state="accepted")
    Note.objects.create(call=offer.call, by=jonas.user, text="my own")
    Note.objects.create(call=offer.call, by=people.mina(), text="careful")
    Note.objects.create(call=offer.call, by=people.ada(), text="")
    context = shown(jonas)["context"]
    assert context["note"] == "my own"
    assert [(one["by"], one["text"]) for one in context["notes"]] == [("Mina", "careful")]


def test_hold_and_mute_are_as_twilio_told(jonas: Agent) -> None:
    offer = desks.offered(jonas, state="accepted")
    room = Conference.objects.create(call=offer.call, name=f"call-{offer.call_id}-1", round=1)
    caller = factories.leg(offer.call)
    agent = factories.leg(offer.call, kind="agent")
    here = timezone.now()
    Participant.objects.create(conference=room, leg=caller, label="caller", joined_at=here, held=True)
    Participant.objects.create(conference=room, leg=agent, label=offer.label(), joined_at=here, muted=True)
    state = shown(jonas)["offer"]
    assert (state["held"], state["muted"]) == (True, True)
    Participant.objects.update(held=False, muted=False)
    state = shown(jonas)["offer"]
    assert (state["held"], state["muted"]) == (False, False)


@pytest.mark.parametrize(
    ("state", "consult"),
    [
        ("ringing", "ringing"),
        ("accepted", "talking"),
        ("declined", "declined"),
        ("missed", "missed"),
        ("withdrawn", None),
        ("ended", None),
    ],
)
def test_a_colleague_who_is_asked_first_is_shown(jonas: Agent, state: str, consult: str | None) -> None:
    offer = desks.offered(jonas, state="accepted")
    over = {} if state in {"ringing", "accepted"} else {"ended_at": timezone.now()}
    desks.offered(desks.sanne(), offer.call, kind="consult", state=state, **over)
    found = shown(jonas)["offer"]["consult"]
    assert found == (None if consult is None else {"who": "Sanne", "state": consult})


@pytest.mark.parametrize(
    ("status", "consult"),
    [
        ("queued", "ringing"),
        ("in-progress", "talking"),
        ("busy", "declined"),
        ("no-answer", "missed"),
        ("failed", "failed"),
        ("completed", None),
    ],
)
def test_an_outside_number_that_is_asked_first_is_shown(
    jonas: Agent, status: str, consult: str | None
) -> None:
    offer = desks.offered(jonas, state="accepted")
    factories.leg(offer.call, kind="outside", status=status)
    found = shown(jonas)["offer"]["consult"]
    assert found == (None if consult is None else {"who": "Outside number", "state": consult})


@pytest.mark.parametrize(("status", "progress"), [("queued", "initiated"), ("ringing", "ringing")])
def test_a_call_out_shows_how_far_it_has_come(jonas: Agent, status: str, progress: str) -> None:
    offer = desks.offered(jonas, factories.call(direction="outbound"), kind="dial", state="accepted")
    assert shown(jonas)["call"]["progress"] == ""
    factories.leg(offer.call, kind="person", status=status)
    assert shown(jonas)["call"]["progress"] == progress


def test_wrapping_up_keeps_the_call_on_the_desk(jonas: Agent) -> None:
    queue = desks.support(jonas)
    desks.outcomes(queue, "Solved")
    call = factories.call(state="ended", queue=queue, contact=people.carla())
    row = WrapUp.objects.create(call=call, agent=jonas, queue=queue, due_at=NOW)
    state = shown(jonas)
    assert state["me"]["state"] == "wrapup"
    assert state["offer"] is None
    assert state["call"]["call"] == call.pk
    assert state["context"]["contact"]["name"] == "Carla Visser"
    assert state["wrapup"] | {"opened_at": ""} == {
        "wrapup": row.pk,
        "call": call.pk,
        "opened_at": "",
        "due_at": "2026-11-20T12:00:00.000Z",
        "outcomes": ["Solved"],
        "outcome_required": True,
        "caller": "Carla Visser",
    }


def test_only_what_failed_or_may_have_is_told_of_commands(jonas: Agent) -> None:
    offer = desks.offered(jonas, state="accepted")
    for kind, state in [
        ("call.hold", "failed"),
        ("call.resume", "unknown"),
        ("leg.mute", "done"),
        ("stream.start", "failed"),
    ]:
        Command.objects.create(call=offer.call, kind=kind, state=state, text="In words.")
    assert {one["kind"] for one in shown(jonas)["commands"]} == {"call.hold", "call.resume"}


def test_the_day_is_counted_in_calls_and_seconds(jonas: Agent) -> None:
    now = timezone.localtime(NOW).replace(hour=12)
    for kind, state, seconds in [
        ("queue", "ended", 60),
        ("direct", "ended", 30),
        ("resume", "ended", 15),
        ("queue", "missed", 0),
        ("queue", "declined", 0),
    ]:
        spoken = {"accepted_at": now} if seconds else {}
        Offer.objects.create(
            call=factories.call(),
            agent=jonas,
            kind=kind,
            state=state,
            created_at=now,
            until=now,
            ended_at=now + timedelta(seconds=seconds),
            **spoken,
        )
    desks.ended(desks.offered(jonas, created_at=now - timedelta(days=1)), "missed")
    WrapUp.objects.create(
        call=factories.call(),
        agent=jonas,
        opened_at=now,
        due_at=now,
        closed_at=now + timedelta(seconds=20),
    )
    assert desk.state(jonas, now=now)["today"] == {"answered": 2, "missed": 1, "talk_s": 105, "wrapup_s": 20}


def test_callbacks_are_mine_and_those_of_my_queues_that_are_nobodys(jonas: Agent) -> None:
    queue, call = desks.support(jonas), factories.call(contact=people.carla())
    theirs = {"call": call, "e164": people.CALLER, "place_at": NOW}
    sanne = desks.sanne()
    other = Queue.objects.create(name="Sales")
    rows = [
        Callback.objects.create(**theirs, agent=jonas, due_at=NOW + timedelta(hours=2), note="mine"),
        Callback.objects.create(**theirs, queue=queue, due_at=NOW, note="anybody's"),
    ]
    Callback.objects.create(**theirs, queue=queue, agent=sanne, due_at=NOW)
    Callback.objects.create(**theirs, queue=other, due_at=NOW)
    Callback.objects.create(**theirs, queue=queue, due_at=NOW, state="done")
    found = shown(jonas)["callbacks"]
    assert [one["callback"] for one in found] == [rows[1].pk, rows[0].pk]
    assert found[0] == {
        "callback": rows[1].pk,
        "who": "Carla Visser",
        "e164": people.CALLER,
        "due_at": "2026-11-20T12:00:00.000Z",
        "note": "anybody's",
        "queue": "Support",
    }


def test_the_depth_counts_who_waits_for_me_and_for_my_queues(jonas: Agent) -> None:
    queue = desks.support(jonas)
    first = desks.waits(queue, since=timezone.now() - timedelta(minutes=3))
    desks.waits(queue)
    desks.waits(Queue.objects.create(name="Sales"))
    kept = desks.waits(queue)
    kept.agent = desks.sanne()
    kept.save()
    depth = shown(jonas)["depth"]
    assert depth["waiting"] == 2
    assert depth["longest_since"][:19] == first.entered_at.isoformat()[:19]


def test_who_may_call_out_sees_from_which_numbers(jonas: Agent) -> None:
    mine, theirs = (desks.team(name) for name in ("North", "South"))
    mine.people.add(jonas.user)
    numbers = [factories.number(label="A"), factories.number(label="B", team=mine)]
    factories.number(label="C", team=theirs)
    dial = shown(jonas)["dial"]
    assert dial["allowed"]
    assert [one["number"] for one in dial["numbers"]] == [row.pk for row in numbers]
    jonas.user.groups.clear()
    again = desk.agent_of(jonas.user_id)
    assert again
    assert shown(again)["dial"] == {"allowed": False, "numbers": []}


def _alone(jonas: Agent) -> None:
    call = factories.call(contact=people.carla(), queue=desks.support(jonas))
    desks.offered(jonas, call, state="accepted")


def _crowded(jonas: Agent) -> None:
    for name in ("Sales", "Second", "Third"):
        Queue.objects.create(name=name).agents.add(jonas)
    queue = desks.support(jonas)
    desks.outcomes(queue, "a", "b", "c")
    call = factories.call(contact=people.carla(), queue=queue)
    for at in range(7):
        old = factories.call(contact=people.carla(), state="ended", queue=queue, agent=jonas)
        Note.objects.create(call=old, by=people.mina(), text="x")
        Matter.objects.create(contact=people.carla(), text="x")
        Callback.objects.create(call=old, e164=people.CALLER, queue=queue, place_at=NOW, due_at=NOW)
        Command.objects.create(call=call, kind="call.hold", state="failed")
        desks.waits(queue)
        desks.said(call, "x", start_ms=at * 100)
        desks.ended(desks.offered(desks.sanne(), call, kind="consult"), "missed")
        factories.number(label=f"N{at}")
    desks.offered(jonas, call, state="accepted")


@pytest.mark.parametrize("world", [_alone, _crowded])
def test_a_desk_takes_a_fixed_number_of_queries(jonas: Agent, world: Callable[[Agent], None]) -> None:
    world(jonas)
    with CaptureQueriesContext(connection) as asked:
        desk.look(agent_id=jonas.pk, now=timezone.now(), known_call=None)
    assert len(asked) == 31


def test_what_a_caller_had_before_is_found_by_index(jonas: Agent) -> None:
    """However many calls there are: none of these tables is read from one end to the other."""
    desks.offered(jonas, call=factories.call(contact=people.carla()), state="accepted")
    with CaptureQueriesContext(connection) as asked:
        shown(jonas)
    plans = dict.fromkeys(("call_by_caller", "callback_by_number", "voicemail_unheard"), "")
    for sql in [one["sql"] for one in asked if one["sql"].startswith("SELECT")]:
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN QUERY PLAN {sql}".replace("%", "%%"))
            steps = " / ".join(str(row[-1]) for row in cursor.fetchall())
        plans |= {index: steps for index in plans if index in steps}
    assert [(index, steps) for index, steps in plans.items() if not steps or "SCAN calls_call" in steps] == []


def test_what_a_voice_learnt_is_there_before_the_answer(jonas: Agent) -> None:
    voice = Voice.objects.create(name="Self-service")
    facts = {"order": "4711", "reason": "Parcel is broken"}
    call = factories.call(voice=voice, facts=facts, verified="yes")
    desks.said(call, "it is broken", start_ms=4000)
    Utterance.objects.create(
        call=call,
        stream_sid="MZ" + "7" * 32,
        track="outbound",
        number=1,
        speaker="voice",
        start_ms=1000,
        end_ms=2000,
        text="How can I help?",
    )
    desks.offered(jonas, call, reason="Parcel is broken")
    state = shown(jonas)
    context = state["context"]
    assert [(one["speaker"], one["text"]) for one in context["said"]] == [
        ("voice", "How can I help?"),
        ("caller", "it is broken"),
    ]
    assert (context["voice"], context["verified"]) == ("Self-service", "yes")
    assert context["entered"] == {"order": "4711"}, "the reason is told once"
    assert state["offer"]["reason"] == "Parcel is broken"
    assert state["call"]["voice"] == "", "nobody but the agent speaks with them now"
