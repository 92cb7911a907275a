"""Supervisors in live calls: coach, join, leave, end, send on; and what agents are told of it."""

import json
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from calls.models import (
    Agent,
    Alert,
    AuditEvent,
    Call,
    Command,
    Destination,
    Leg,
    Listening,
    Moment,
    Offer,
    Supervision,
    Team,
    Waiting,
)
from calls.selectors import desk, phase
from calls.services import commands, handling, help
from tests import factories, people, twilio
from tests.calls import centre
from tests.calls import rest as twilio_rest
from tests.calls.centre import Centre

pytestmark = pytest.mark.django_db
NUMBER = "+31201234999"


@pytest.fixture
def twilios():
    with twilio_rest.rest(TWILIO_TIMEOUT_SECONDS=2.0) as scripted:
        yield Centre(scripted, now=timezone.now().replace(microsecond=0))


@pytest.fixture
def support():
    return centre.queue(name="Support", wrapup_seconds=30)


@pytest.fixture
def offer(twilios, support):
    """Jonas talks with a caller."""
    centre.agent(support, now=twilios.now, name="Jonas")
    call = centre.caller(support, now=twilios.now)
    twilios.settle()
    return twilios.answer(call)


@pytest.fixture
def mina(client: Client) -> Client:
    client.force_login(people.mina())
    return client


def do(client: Client, call: int, kind: str, **fields: Any) -> Any:
    body = {"id": str(uuid.uuid4()), "kind": kind, **fields}
    return client.post(f"/calls/{call}/do/", json.dumps(body), content_type="application/json")


def asked_for(twilios: Centre, part: str) -> list[dict[str, str]]:
    """The forms that Twilio was posted for conferences, with this field in them."""
    return [one.form for one in twilios.rest.posts() if part in one.form and "Conferences" in one.path]


def tell(twilios: Centre, row: Supervision, status: str, *, sequence: int = 1) -> None:
    """Twilio tells the status of the supervisor's leg."""
    row.refresh_from_db()
    fields = twilio.status_fields(status, sequence=sequence, CallSid=row.leg_sid, Timestamp=twilios._stamp())
    twilios.post(f"/twilio/legs/{row.label()}/", fields)


def come_in(twilios: Centre, client: Client, offer: Offer, kind: str) -> Supervision:
    assert do(client, offer.call_id, kind).json()["state"] == "done"
    row = Supervision.objects.get(state="ringing")
    tell(twilios, row, "in-progress")
    row.refresh_from_db()
    twilios.tell_room(row.conference.name, "participant-join", row.leg_sid, label=row.label(), sequence=7)
    return row


def test_a_coach_is_heard_by_the_agent_alone(twilios, offer, mina) -> None:
    answer = do(mina, offer.call_id, "call.coach")
    assert (answer.status_code, answer.json()["kind"], answer.json()["state"]) == (200, "call.coach", "done")
    [form] = asked_for(twilios, "Coaching")
    row = Supervision.objects.get()
    assert form["Coaching"] == "true"
    assert form["CallSidToCoach"] == offer.leg_sid
    assert form["To"] == f"client:supervisor_{people.mina().pk}"
    assert form["Label"] == f"supervisor-{row.pk}"
    assert (row.mode, row.state) == ("coach", "ringing")
    tell(twilios, row, "in-progress")
    row.refresh_from_db()
    assert (row.state, row.joined_at) == ("in", twilios.now)
    assert AuditEvent.objects.filter(what="call.coach", on=f"call {offer.call_id}").count() == 1


def test_who_joins_is_heard_by_everybody_and_answers_nothing(twilios, offer, mina) -> None:
    before = offer.call
    before.refresh_from_db()
    row = come_in(twilios, mina, offer, "call.join")
    [form] = [one for one in asked_for(twilios, "Label") if one["Label"] == row.label()]
    assert "Coaching" not in form
    after = type(before).objects.get(pk=before.pk)
    assert (after.agent_id, after.answered_at, after.state) == (
        before.agent_id,
        before.answered_at,
        before.state,
    )
    assert Leg.objects.get(sid=row.leg_sid).kind == "supervisor"


def test_a_coach_joins_by_one_update_of_the_seat_and_goes_back(twilios, offer, mina) -> None:
    row = come_in(twilios, mina, offer, "call.coach")
    assert do(mina, offer.call_id, "call.join").json()["state"] == "done"
    row.refresh_from_db()
    assert (row.mode, row.coached_sid) == ("join", "")
    assert twilios.rest.posts()[-1].path.endswith(f"/Participants/{row.leg_sid}.json")
    assert twilios.rest.posts()[-1].form == {"Coaching": "false"}
    assert do(mina, offer.call_id, "call.coach").json()["state"] == "done"
    row.refresh_from_db()
    assert (row.mode, row.coached_sid) == ("coach", offer.leg_sid)
    assert Supervision.objects.count() == 1
    again = do(mina, offer.call_id, "call.coach")
    assert (again.status_code, again.json()["error"]["code"]) == (409, "already")


def test_two_supervisors_at_once_are_one_and_the_other_is_told_who(twilios, offer, mina) -> None:
    come_in(twilios, mina, offer, "call.coach")
    other = Client()
    other.force_login(people.ada())
    answer = do(other, offer.call_id, "call.join")
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "taken")
    assert "Mina" in answer.json()["error"]["text"]
    assert Supervision.objects.count() == 1


def test_who_is_in_one_call_does_not_enter_another(twilios, offer, mina, support) -> None:
    come_in(twilios, mina, offer, "call.coach")
    centre.agent(support, now=twilios.now)
    second = centre.caller(support, now=twilios.now)
    twilios.settle()
    twilios.answer(second)
    answer = do(mina, second.pk, "call.coach")
    assert answer.json()["error"]["code"] == "busy"


def test_before_anybody_has_answered_nobody_can_come_in(twilios, support, mina) -> None:
    call = centre.caller(support, now=twilios.now)
    answer = do(mina, call.pk, "call.coach")
    assert answer.json()["error"] == {
        "code": "not_answered",
        "text": "Nobody has answered yet. Try again when they talk.",
    }
    assert twilios.rest.posts() == []


def test_a_refusal_by_twilio_is_told_in_words_and_leaves_no_seat(twilios, offer, mina) -> None:
    path = f"/Conferences/{offer.conference.name}/Participants.json"
    twilios.rest.on("POST", path, *twilio_rest.error(400, 21210, "From is not verified"))
    answer = do(mina, offer.call_id, "call.coach").json()
    assert (answer["state"], answer["code"]) == ("failed", "21210")
    assert answer["text"]
    assert Supervision.objects.get().state == "ended"


def test_a_repeat_is_the_same_command(twilios, offer, mina) -> None:
    body = json.dumps({"id": str(uuid.uuid4()), "kind": "call.coach"})
    path = f"/calls/{offer.call_id}/do/"
    first = mina.post(path, body, content_type="application/json").json()
    second = mina.post(path, body, content_type="application/json").json()
    assert first["command"] == second["command"]
    assert len(asked_for(twilios, "Coaching")) == 1


def test_a_lost_answer_is_found_by_the_label(twilios, offer, mina) -> None:
    path = f"/Conferences/{offer.conference.name}/Participants.json"
    twilios.rest.on("POST", path, 0, {})
    assert do(mina, offer.call_id, "call.coach").json()["state"] == "unknown"
    row = Supervision.objects.get()
    sid = "CA" + "e" * 32
    twilios.rest.on(
        "GET",
        f"/Conferences/{offer.conference.name}/Participants/{row.label()}.json",
        200,
        {"call_sid": sid, "account_sid": twilio.ACCOUNT_SID},
    )
    twilios.later(12)

    commands.resolve_unknown(now=twilios.now)
    assert Command.objects.get(kind="call.coach").state == "done"
    fields = twilio.status_fields("in-progress", sequence=1, CallSid=sid, Timestamp=twilios._stamp())
    twilios.post(f"/twilio/legs/{row.label()}/", fields)
    row.refresh_from_db()
    assert (row.state, row.leg_sid) == ("in", sid)


def test_callbacks_in_any_order_and_twice_leave_the_same_rows(twilios, offer, mina) -> None:
    do(mina, offer.call_id, "call.coach")
    row = Supervision.objects.get()
    tell(twilios, row, "completed", sequence=3)
    for status, sequence in (("in-progress", 2), ("ringing", 1), ("completed", 3)):
        tell(twilios, row, status, sequence=sequence)
    row.refresh_from_db()
    assert row.state == "ended"


def test_a_supervisor_who_does_not_answer_is_rung_no_longer(twilios, offer, mina) -> None:
    do(mina, offer.call_id, "call.coach")
    row = Supervision.objects.get()
    tell(twilios, row, "ringing")
    twilios.later(40)  # the page asked at the machine's own time
    twilios.settle()
    row.refresh_from_db()
    assert row.state == "ended"
    assert [one.args["leg"] for one in twilios.asked("leg.end")] == [row.leg_sid]


def test_leaving_ends_the_own_leg_and_the_call_goes_on(twilios, offer, mina) -> None:
    row = come_in(twilios, mina, offer, "call.join")
    assert do(mina, offer.call_id, "call.leave").json()["state"] == "done"
    assert [one.args["leg"] for one in twilios.asked("leg.end")] == [row.leg_sid]
    tell(twilios, row, "completed", sequence=2)
    row.refresh_from_db()
    offer.call.refresh_from_db()
    assert (row.state, offer.call.state) == ("ended", "live")
    assert do(mina, offer.call_id, "call.leave").json()["error"]["code"] == "not_in_call"


def test_the_coach_of_an_agent_who_leaves_is_hung_up_and_the_caller_is_not_left_with_them(
    twilios, offer, mina
) -> None:
    row = come_in(twilios, mina, offer, "call.coach")
    Offer.objects.filter(pk=offer.pk).update(hung_up=True)
    twilios.hang_up(offer.leg_sid)
    twilios.tell_room(
        row.conference.name, "participant-leave", offer.leg_sid, label=offer.label(), sequence=8
    )
    twilios.settle()
    row.refresh_from_db()
    assert row.state == "ended"
    assert row.leg_sid in [one.args["leg"] for one in twilios.asked("leg.end")]
    twilios.later(6)
    twilios.settle()
    assert [one.args["leg"] for one in twilios.asked("call.end")] == [twilios.caller_leg(offer.call).sid]


def test_the_caller_goes_on_with_a_supervisor_who_has_joined_when_the_agent_leaves(
    twilios, offer, mina
) -> None:
    row = come_in(twilios, mina, offer, "call.join")
    Offer.objects.filter(pk=offer.pk).update(hung_up=True)
    twilios.hang_up(offer.leg_sid)
    twilios.tell_room(
        row.conference.name, "participant-leave", offer.leg_sid, label=offer.label(), sequence=8
    )
    twilios.later(6)
    twilios.settle()
    row.refresh_from_db()
    assert row.state == "in"
    assert twilios.asked("call.end") == []


def test_the_end_of_the_call_ends_the_supervision(twilios, offer, mina) -> None:
    row = come_in(twilios, mina, offer, "call.join")
    assert do(mina, offer.call_id, "call.end").json()["state"] == "done"
    assert [one.args["leg"] for one in twilios.asked("call.end")] == [twilios.caller_leg(offer.call).sid]
    twilios.hang_up(twilios.caller_leg(offer.call).sid)
    twilios.settle()
    row.refresh_from_db()
    offer.call.refresh_from_db()
    assert (row.state, offer.call.state) == ("ended", "ended")
    assert do(mina, offer.call_id, "call.end").json()["error"]["code"] == "call_ended"


def test_a_call_is_sent_on_to_a_queue_and_its_agent_wraps_up(twilios, offer, mina) -> None:
    billing = centre.queue(name="Billing")
    row = come_in(twilios, mina, offer, "call.coach")
    answer = do(
        mina, offer.call_id, "call.transfer", to={"kind": "queue", "key": str(billing.pk)}, reason="x"
    )
    assert (answer.json()["kind"], answer.json()["state"]) == ("call.redirect", "done")
    waiting = Waiting.objects.open().get()
    assert (waiting.call_id, waiting.queue, waiting.reason) == (offer.call_id, billing, "x")
    caller = twilios.caller_leg(offer.call).sid
    twilios.tell_room(row.conference.name, "participant-leave", caller, label="caller", sequence=8)
    twilios.hang_up(offer.leg_sid)
    twilios.later(3)
    twilios.settle()
    row.refresh_from_db()
    offer.refresh_from_db()
    assert (row.state, offer.state) == ("ended", "ended")
    assert offer.agent.wrapups.count() == 1


def test_a_call_that_waits_is_sent_on_and_nothing_is_lost_when_twilio_refuses(twilios, support, mina) -> None:
    call = centre.caller(support, now=twilios.now)
    Destination.objects.create(prefix="+31", label="Netherlands")
    sid = twilios.caller_leg(call).sid
    twilios.rest.on("POST", f"/Calls/{sid}.json", *twilio_rest.error(400, 21220, "Not in progress"))
    other = centre.queue(name="Billing")
    before = Waiting.objects.open().values().get()
    answer = do(mina, call.pk, "call.transfer", to={"kind": "queue", "key": str(other.pk)})
    assert answer.json()["state"] == "failed"
    assert Waiting.objects.open().values().get() == before
    twilios.rest.rules.pop(0)
    answer = do(mina, call.pk, "call.transfer", to={"kind": "number", "key": NUMBER})
    assert answer.json()["state"] == "done"
    assert Waiting.objects.get().result == "moved"


def test_a_number_that_is_not_allowed_is_refused_and_twilio_is_not_asked(twilios, offer, mina) -> None:
    asked = len(twilios.rest.posts())
    answer = do(mina, offer.call_id, "call.transfer", to={"kind": "number", "key": "+881612345678"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "not_allowed")
    assert len(twilios.rest.posts()) == asked


def test_agents_may_do_none_of_it_and_another_team_sees_no_call(twilios, offer) -> None:
    kinds = [
        "call.coach",
        "call.join",
        "call.leave",
        "call.end",
        "call.transfer",
        "moment",
        "note",
        "help.done",
    ]
    jonas = Client()
    jonas.force_login(people.jonas())
    for kind in kinds:
        assert do(jonas, offer.call_id, kind).status_code == 403
    offer.call.team = Team.objects.create(name="Others")
    offer.call.save()
    mina = Client()
    mina.force_login(people.mina())
    for kind in kinds:
        theirs, nobodys = do(mina, offer.call_id, kind), do(mina, 10**9, kind)
        assert (
            (theirs.status_code, theirs.content)
            == (nobodys.status_code, nobodys.content)
            == (404, theirs.content)
        )
    assert Supervision.objects.count() == 0


def test_a_moment_and_a_note_are_written_and_answered_as_browsers_get_them(twilios, offer, mina) -> None:
    moment = do(mina, offer.call_id, "moment", text="Offers a refund").json()
    assert (moment["type"], moment["text"], moment["by"]) == ("moment", "Offers a refund", "Mina")
    assert Moment.objects.get().pk == moment["moment"]
    note = do(mina, offer.call_id, "note", text="Ask Jonas about it.").json()
    assert (note["type"], note["text"], note["by"]) == ("note", "Ask Jonas about it.", "Mina")
    body = json.dumps({"id": str(uuid.uuid4()), "kind": "moment"})
    for _ in range(2):
        mina.post(f"/calls/{offer.call_id}/do/", body, content_type="application/json")
    assert Moment.objects.count() == 2, "a repeat marked twice"


def test_help_is_done_when_a_supervisor_says_so(twilios, offer, mina) -> None:
    type(offer.call).objects.filter(pk=offer.call_id).update(help="Please", help_at=twilios.now)
    assert do(mina, offer.call_id, "help.done").json()["help"] == ""


def test_the_desk_is_told_who_listens_and_who_coaches(twilios, offer, mina, settings) -> None:
    def watchers():
        return desk.state(offer.agent, now=twilios.now)["watchers"]

    assert watchers() is None
    Listening.objects.create(call=offer.call, by=people.ada(), seen_until=twilios.now + timedelta(seconds=9))
    assert watchers() == {"listeners": ["Ada"], "supervisor": None}
    come_in(twilios, mina, offer, "call.coach")
    assert watchers()["supervisor"] == {"name": "Mina", "mode": "coach", "state": "in"}
    settings.TELL_AGENTS_OF_LISTENERS = False
    assert watchers()["listeners"] == []
    twilios.later(10)
    settings.TELL_AGENTS_OF_LISTENERS = True
    assert watchers()["listeners"] == [], "a listener whose process died is still shown"


def test_whom_a_call_can_go_on_to_is_found_for_who_may_send_it(twilios, offer, mina) -> None:
    found = mina.get("/live/search/?q=support").json()
    assert [one["name"] for one in found["queues"]] == ["Support"]
    jonas = Client()
    jonas.force_login(people.jonas())
    assert jonas.get("/live/search/?q=support").status_code == 403
    assert Client().get("/live/search/?q=support").status_code == 401


def test_a_supervisors_page_becomes_a_phone_of_its_own_identity(mina, settings) -> None:
    settings.TWILIO_API_KEY, settings.TWILIO_API_SECRET = (
        "SK" + "e" * 32,
        "a secret of the key that is long enough for HS256",
    )
    answer = mina.post("/live/token/")
    assert (answer.status_code, answer.json()["identity"]) == (200, f"supervisor_{people.mina().pk}")
    jonas = Client()
    jonas.force_login(people.jonas())
    assert jonas.post("/live/token/").status_code == 403
    assert Client().post("/live/token/").status_code == 401


def test_an_alert_is_acknowledged_by_one_and_the_next_is_told_who(twilios, offer, mina) -> None:
    help.ask(call=offer.call, reason="Please come", by=people.jonas(), now=twilios.now)
    alert = Alert.objects.get()
    told = do(mina, offer.call_id, "alert.acknowledge", alert=alert.pk).json()
    assert (told["type"], told["acknowledged_by"], told["quote"]) == ("alert", "Mina", "Please come")
    ada = Client()
    ada.force_login(people.ada())
    late = do(ada, offer.call_id, "alert.acknowledge", alert=alert.pk)
    assert (late.status_code, late.json()["error"]["code"]) == (409, "acknowledged")
    assert "Mina" in late.json()["error"]["text"]
    assert do(ada, offer.call_id, "alert.acknowledge", alert=10**9).status_code == 404


def test_the_words_of_a_stream_are_stopped_and_started_again(twilios, offer, mina, settings) -> None:
    settings.TRANSCRIBER = "embedded"
    stream = factories.stream(twilios.caller_leg(offer.call))
    assert do(mina, offer.call_id, "words.stop", stream=stream.sid).json()["words"] is False
    assert do(mina, offer.call_id, "words.start", stream=stream.sid).json()["words"] is True
    assert do(mina, offer.call_id, "words.stop", stream="MZ" + "0" * 32).status_code == 409


def participant(row: Supervision) -> str:
    """Where Twilio keeps the supervisor's seat."""
    row.refresh_from_db()
    return f"/Conferences/{row.conference.name}/Participants/{row.leg_sid}.json"


def is_hung_up(twilios: Centre, row: Supervision) -> bool:
    """Whether the supervisor's part is over and their leg was asked to end."""
    row.refresh_from_db()
    return row.state == "ended" and row.leg_sid in [one.args["leg"] for one in twilios.asked("leg.end")]


def test_a_call_without_a_conference_takes_nobody_in_and_says_so(twilios, mina) -> None:
    call = factories.call(dials=True)
    factories.leg(call, answered_at=call.started_at)
    answer = do(mina, call.pk, "call.join")
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "no_conference")
    assert "not in a conference" in answer.json()["error"]["text"]
    ended = factories.call(state="ended")
    assert do(mina, ended.pk, "call.coach").json()["error"]["code"] == "call_ended"
    assert twilios.rest.posts() == []


def test_a_change_of_mode_whose_answer_was_lost_is_read_and_not_asked_again(twilios, offer, mina) -> None:
    row = come_in(twilios, mina, offer, "call.coach")
    path = participant(row)
    twilios.rest.on("POST", path, 0, {})
    assert do(mina, offer.call_id, "call.join").json()["state"] == "unknown"
    row.refresh_from_db()
    assert row.mode == "coach", "nobody has told yet that it was done"
    there = {"call_sid": row.leg_sid, "account_sid": twilio.ACCOUNT_SID, "coaching": False}
    twilios.rest.on("GET", path, 200, {**there, "call_sid_to_coach": None})
    asked = len([one for one in twilios.rest.posts() if one.path == path])
    twilios.later(12)
    commands.resolve_unknown(now=twilios.now)
    twilios.settle()
    row.refresh_from_db()
    assert (row.mode, row.state) == ("join", "in")
    assert len([one for one in twilios.rest.posts() if one.path == path]) == asked


def test_a_change_of_mode_that_twilio_refuses_changes_nothing(twilios, offer, mina) -> None:
    row = come_in(twilios, mina, offer, "call.coach")
    twilios.rest.on("POST", participant(row), *twilio_rest.error(400, 16028, "Not there"))
    answer = do(mina, offer.call_id, "call.join").json()
    assert (answer["state"], answer["code"]) == ("failed", "16028")
    row.refresh_from_db()
    assert (row.mode, row.state, row.coached_sid) == ("coach", "in", offer.leg_sid)


def test_a_leg_that_shows_itself_when_nobody_waits_for_it_any_more_is_ended(twilios, offer, mina) -> None:
    path = f"/Conferences/{offer.conference.name}/Participants.json"
    twilios.rest.on("POST", path, 0, {})
    assert do(mina, offer.call_id, "call.join").json()["state"] == "unknown"
    row = Supervision.objects.get()
    twilios.later(40)
    twilios.settle()
    row.refresh_from_db()
    assert (row.state, row.leg_sid) == ("ended", "")
    late = "CA" + "e" * 32
    fields = twilio.status_fields("in-progress", sequence=1, CallSid=late, Timestamp=twilios._stamp())
    twilios.post(f"/twilio/legs/{row.label()}/", fields)
    twilios.settle()
    assert [one.args["leg"] for one in twilios.asked("leg.end")] == [late]


def test_the_coach_goes_when_the_seat_of_the_agent_is_told_to_be_empty(twilios, offer, mina) -> None:
    row = come_in(twilios, mina, offer, "call.coach")
    twilios.tell_room(
        row.conference.name, "participant-leave", offer.leg_sid, label=offer.label(), sequence=8
    )
    twilios.settle()
    assert is_hung_up(twilios, row)


def test_an_agent_who_hangs_up_leaves_the_caller_with_who_has_joined(twilios, offer, mina) -> None:
    come_in(twilios, mina, offer, "call.join")
    handling.hang_up(offer=offer, by=offer.agent.user, command_id=uuid.uuid4(), now=twilios.now)
    assert [one.args["leg"] for one in twilios.asked("leg.end")] == [offer.leg_sid]
    assert twilios.asked("call.end") == []


def test_an_agent_who_hangs_up_beside_a_coach_ends_the_call(twilios, offer, mina) -> None:
    come_in(twilios, mina, offer, "call.coach")
    handling.hang_up(offer=offer, by=offer.agent.user, command_id=uuid.uuid4(), now=twilios.now)
    assert [one.args["leg"] for one in twilios.asked("call.end")] == [twilios.caller_leg(offer.call).sid]


def lose_page(twilios: Centre, offer: Offer) -> None:
    """The page of the agent is gone in mid-call, and with it their leg."""
    Agent.objects.filter(pk=offer.agent_id).update(phone_ok=False)
    twilios.hang_up(offer.leg_sid)
    assert offer.conference is not None
    room = offer.conference.name
    twilios.tell_room(room, "participant-leave", offer.leg_sid, label=offer.label(), sequence=8)
    twilios.later(2)
    twilios.settle()


def told_of(call: Call) -> dict[str, Any]:
    """The call as supervisors are told of it."""
    return phase.message(phase.shown(Call.objects.filter(pk=call.pk)).get())


def test_who_talks_with_a_supervisor_hears_no_hold_when_the_agents_page_is_lost(
    twilios, offer, mina, support
) -> None:
    come_in(twilios, mina, offer, "call.join")
    lose_page(twilios, offer)
    assert twilios.asked("call.hold") == []
    assert told_of(offer.call)["phase"] == "talking"
    centre.agent(support, now=twilios.now, name="Amira")
    Agent.objects.filter(pk=offer.agent_id).update(phone_ok=True)
    twilios.settle()
    again = twilios.offer(offer.call)
    assert (again.agent, again.kind, again.conference) == (offer.agent, "resume", offer.conference)
    twilios.tell_leg(again, "in-progress")
    twilios.settle()
    assert (twilios.asked("call.resume"), Waiting.objects.open().count()) == ([], 0)


def test_a_supervisor_who_has_joined_keeps_the_caller_when_the_agent_does_not_return(
    twilios, offer, mina, support
) -> None:
    support.overflow, support.overflow_seconds = "voicemail", 10
    support.save()
    row = come_in(twilios, mina, offer, "call.join")
    before = twilios.asked("call.redirect")
    lose_page(twilios, offer)
    centre.agent(support, now=twilios.now, name="Amira")
    for _ in range(5):
        twilios.later(10)
        twilios.settle()
    assert (offer.call.offers.count(), twilios.asked("call.redirect")) == (1, before)
    assert Waiting.objects.order_by("-id")[0].result == "answered"
    twilios.later(600)
    twilios.settle()
    row.refresh_from_db()
    assert (row.state, twilios.asked("call.hold"), twilios.asked("call.end")) == ("in", [], [])


def test_a_supervisor_who_leaves_while_the_agent_is_awaited_leaves_the_caller_on_hold(
    twilios, offer, mina
) -> None:
    row = come_in(twilios, mina, offer, "call.join")
    lose_page(twilios, offer)
    tell(twilios, row, "completed", sequence=2)
    twilios.settle()
    [hold] = twilios.asked("call.hold")
    assert hold.args["leg"] == twilios.caller_leg(offer.call).sid
    assert told_of(offer.call)["phase"] == "queued"


def test_a_supervisor_who_comes_in_takes_the_caller_of_a_lost_page_back_from_hold(
    twilios, offer, mina
) -> None:
    lose_page(twilios, offer)
    [hold] = twilios.asked("call.hold")
    come_in(twilios, mina, offer, "call.join")
    twilios.settle()
    [resume] = twilios.asked("call.resume")
    assert resume.args["leg"] == hold.args["leg"]


def test_the_caller_of_a_lost_page_hears_hold_beside_a_coach(twilios, offer, mina) -> None:
    come_in(twilios, mina, offer, "call.coach")
    lose_page(twilios, offer)
    assert len(twilios.asked("call.hold")) == 1


def test_who_may_supervise_no_longer_is_hung_up(twilios, offer, mina) -> None:
    row = come_in(twilios, mina, offer, "call.join")
    people.mina().groups.clear()
    twilios.settle()
    assert is_hung_up(twilios, row)


def test_who_sees_the_call_no_longer_is_hung_up(twilios, offer, mina) -> None:
    row = come_in(twilios, mina, offer, "call.join")
    type(offer.call).objects.filter(pk=offer.call_id).update(team=Team.objects.create(name="Others"))
    twilios.settle()
    assert is_hung_up(twilios, row)


def test_of_the_same_command_twice_at_once_the_second_gets_the_first(
    twilios, offer, mina, monkeypatch
) -> None:
    body = json.dumps({"id": str(uuid.uuid4()), "kind": "call.join"})
    path = f"/calls/{offer.call_id}/do/"
    first = mina.post(path, body, content_type="application/json").json()
    looks = iter([None, None])  # as it was before the first was written down
    known = commands.known
    monkeypatch.setattr(commands, "known", lambda command_id: next(looks, known(command_id)))
    second = mina.post(path, body, content_type="application/json")
    assert (second.status_code, second.json()["command"]) == (200, first["command"])
    assert Supervision.objects.count() == 1


def test_only_agents_and_queues_of_the_own_teams_are_found_and_given_calls(
    twilios, offer, mina, support
) -> None:
    others = Team.objects.create(name="Others")
    theirs = centre.queue(name="Support of others", team=others)
    amira = centre.agent(theirs, now=twilios.now, name="Amira")
    others.people.add(amira.user)
    found = mina.get("/live/search/?q=Support").json()
    assert [one["name"] for one in found["queues"]] == ["Support"]
    assert mina.get("/live/search/?q=Amira").json()["agents"] == []
    asked = len(twilios.rest.posts())
    for to in ({"kind": "queue", "key": str(theirs.pk)}, {"kind": "agent", "key": str(amira.pk)}):
        answer = do(mina, offer.call_id, "call.transfer", to=to)
        assert (answer.status_code, answer.json()["error"]["code"]) == (409, "target")
    assert len(twilios.rest.posts()) == asked
