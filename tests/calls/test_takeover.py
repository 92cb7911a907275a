"""A supervisor takes a caller over from the voice that speaks with them."""

import pytest
from django.test import Client
from django.utils import timezone

from calls import path
from calls.models import AuditEvent, Call, Command, Event, Queue, Supervision, Ticket, Voice, Waiting
from calls.refusal import Refused
from calls.services import actions
from tests import factories, people, twilio
from tests.calls import rest as twilio_rest
from tests.calls.centre import Centre
from tests.calls.line import tags
from tests.calls.test_supervision import asked_for, do, tell

pytestmark = [pytest.mark.django_db, pytest.mark.urls("contactcenter.urls")]


@pytest.fixture
def twilios():
    with twilio_rest.rest(TWILIO_TIMEOUT_SECONDS=2.0) as scripted:
        yield Centre(scripted, now=timezone.now().replace(microsecond=0))


@pytest.fixture
def voice():
    return Voice.objects.create(name="Self-service")


@pytest.fixture
def call(twilios, voice):
    """Carla talks with the voice."""
    number = factories.number(destination="voice", voice=voice)
    made = factories.call(
        number=number,
        voice=voice,
        plan=path.to_voice(voice.pk, at="menu"),
        started_at=twilios.now,
        answered_at=twilios.now,
    )
    leg = factories.leg(made, started_at=twilios.now, answered_at=twilios.now)
    factories.ticket(leg, kind="voice", name="voice", spent_at=twilios.now)
    return made


@pytest.fixture
def mina(client: Client) -> Client:
    client.force_login(people.mina())
    return client


def speaking(call):
    """Whose voice it is, on which stream."""
    ticket = Ticket.objects.get(kind="voice")
    return {"call_id": call.pk, "voice_id": call.voice_id, "ticket_id": ticket.pk}


def answered(twilios, mina, call):
    """Mina has asked to take over, and her phone has answered."""
    assert do(mina, call.pk, "call.takeover").json()["state"] == "done"
    row = Supervision.objects.get()
    tell(twilios, row, "in-progress")
    row.refresh_from_db()
    return row


def next_turn(twilios, call):
    """Twilio follows the redirect."""
    [command] = twilios.asked("call.redirect")
    fields = twilio.voice_fields(CallSid=twilios.caller_leg(call).sid, CallStatus="in-progress")
    return twilio.signed_post(Client(), f"/twilio/next/{command.args['turn']}/", fields).content.decode()


def test_the_supervisor_is_rung_into_a_room_of_their_own_and_the_voice_goes_on(twilios, call, mina) -> None:
    answer = do(mina, call.pk, "call.takeover").json()
    assert (answer["kind"], answer["state"]) == ("call.takeover", "done")
    row = Supervision.objects.get()
    [form] = asked_for(twilios, "Label")
    assert (form["Label"], form["To"]) == (row.label(), f"client:supervisor_{people.mina().pk}")
    assert "Coaching" not in form
    assert (row.conference.name, row.mode, row.state) == (f"call-{call.pk}-1", "join", "ringing")
    twilios.settle()
    call.refresh_from_db()
    assert path.speaks(call.plan)
    assert twilios.asked("call.redirect") == []
    assert AuditEvent.objects.filter(what="call.takeover", on=f"call {call.pk}").count() == 1


def test_once_they_are_there_the_caller_is_fetched_out_of_the_voice(twilios, call, mina) -> None:
    row = answered(twilios, mina, call)
    twilios.settle()
    call.refresh_from_db()
    assert call.plan == {"step": "conference", "name": row.conference.name}
    assert Event.objects.filter(kind="call.taken_over", by=people.mina().pk).count() == 1
    assert tags(next_turn(twilios, call)) == ["Start", "Dial"], "the number's tap begins"
    assert Ticket.objects.get(kind="voice").released_at is not None
    with pytest.raises(Refused) as refused:
        actions.goodbye(**speaking(call), now=twilios.now)
    assert refused.value.code == "taken_over"


def test_in_the_room_they_talk_until_one_of_them_leaves(twilios, call, mina) -> None:
    row = together(twilios, mina, call)
    name, caller = row.conference.name, twilios.caller_leg(call).sid
    row.refresh_from_db()
    assert (row.state, len(twilios.asked("call.redirect")), twilios.asked("call.end")) == ("in", 1, [])
    twilios.tell_room(name, "participant-leave", caller, label="caller", sequence=3)
    twilios.later(3)
    twilios.settle()
    row.refresh_from_db()
    assert row.state == "ended"


def together(twilios, mina, call):
    """Mina and the caller talk in the room."""
    row = answered(twilios, mina, call)
    twilios.settle()
    name, caller = row.conference.name, twilios.caller_leg(call).sid
    twilios.tell_room(name, "participant-join", row.leg_sid, label=row.label(), sequence=1)
    twilios.tell_room(name, "participant-join", caller, label="caller", sequence=2)
    twilios.later(10)
    twilios.settle()
    return row


def gone(twilios, row):
    """Twilio tells that the supervisor's leg is over."""
    twilios.tell_room(row.conference.name, "participant-leave", row.leg_sid, label=row.label(), sequence=3)
    tell(twilios, row, "completed")
    twilios.later(3)
    twilios.settle()


@pytest.mark.parametrize("queue", ["Support", ""])
def test_who_loses_the_supervisor_goes_to_the_queue_of_the_voice_or_hears_an_apology(
    twilios, call, mina, queue
) -> None:
    there = Queue.objects.create(name=queue) if queue else None
    Voice.objects.update(queue=there)
    row = together(twilios, mina, call)
    gone(twilios, row)
    call.refresh_from_db()
    assert twilios.asked("call.end") == []
    assert len(twilios.asked("call.redirect")) == 2
    assert call.plan == (path.to_queue(there.pk) if there else path.to_end(path.APOLOGY))
    assert Waiting.objects.filter(queue=there).exists() is bool(queue)


def test_a_supervisor_who_leaves_ends_the_call(twilios, call, mina) -> None:
    row = together(twilios, mina, call)
    assert do(mina, call.pk, "call.leave").json()["state"] == "done"
    gone(twilios, row)
    assert len(twilios.asked("call.end")) == 1
    assert len(twilios.asked("call.redirect")) == 1


def test_who_does_not_answer_changes_nothing(twilios, call, mina) -> None:
    do(mina, call.pk, "call.takeover")
    tell(twilios, Supervision.objects.get(), "ringing")
    twilios.later(40)
    twilios.settle()
    call.refresh_from_db()
    assert Supervision.objects.get().state == "ended"
    assert call.plan == path.to_voice(call.voice_id, at="menu")
    assert twilios.asked("call.redirect") == []


def test_a_redirect_that_twilio_refuses_leaves_the_caller_to_the_voice(twilios, call, mina) -> None:
    leg = twilios.caller_leg(call)
    twilios.rest.on("POST", f"/Calls/{leg.sid}.json", *twilio_rest.error(400, 21220, "Not in progress"))
    answered(twilios, mina, call)
    twilios.settle()
    call.refresh_from_db()
    assert call.plan == path.to_voice(call.voice_id, at="menu")
    actions.keep_place(**speaking(call), at="end", now=twilios.now)


def test_a_redirect_without_effect_is_asked_again(twilios, call, mina) -> None:
    answered(twilios, mina, call)
    twilios.settle()
    twilios.later(3)
    twilios.settle()
    assert len(twilios.asked("call.redirect")) == 1
    twilios.later(3)
    twilios.settle()
    assert len(twilios.asked("call.redirect")) == 2


def test_a_caller_who_goes_to_the_queue_meanwhile_is_left_in_peace(twilios, call, mina) -> None:
    do(mina, call.pk, "call.takeover")
    Call.objects.update(plan=path.to_queue(1))
    row = Supervision.objects.get()
    tell(twilios, row, "in-progress")
    twilios.settle()
    row.refresh_from_db()
    assert row.state == "ended", "nobody is left to talk with"
    assert twilios.asked("call.redirect") == []
    twilios.settle()
    assert [one.args["leg"] for one in twilios.asked("leg.end")] == [row.leg_sid]


@pytest.mark.parametrize("plan", [path.to_queue(1), path.to_verify(), {}])
def test_without_a_voice_there_is_nothing_to_take_over(twilios, call, mina, plan) -> None:
    Call.objects.update(plan=plan)
    answer = do(mina, call.pk, "call.takeover")
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "no_voice")
    assert (Supervision.objects.count(), Command.objects.count(), twilios.rest.posts()) == (0, 0, [])


def test_agents_take_nothing_over(twilios, call, client) -> None:
    client.force_login(people.jonas())
    assert do(client, call.pk, "call.takeover").status_code in {403, 404}
    assert Supervision.objects.count() == 0
