"""Commands: asked once, and every outcome settled, known or not."""

import uuid
from datetime import timedelta

import pytest

from calls.models import Command, Event, Ticket
from calls.services import commands, taps, tickets
from tests import factories, people
from tests.calls import rest as twilio_rest
from tests.factories import NOON

pytestmark = pytest.mark.django_db


def after(seconds):
    return NOON + timedelta(seconds=seconds)


@pytest.fixture
def rest():
    with twilio_rest.rest(TWILIO_TIMEOUT_SECONDS=2.0) as scripted:
        yield scripted


@pytest.fixture
def leg():
    return factories.leg()


def start(leg, **more):
    asked = {"leg": leg, "by": None, "command_id": uuid.uuid4(), "now": NOON}
    return taps.start(**{**asked, **more})


def streams_path(leg):
    return f"/Calls/{leg.sid}/Streams.json"


def works(rest, leg):
    rest.on("POST", streams_path(leg), 201, twilio_rest.stream_body("MZ" + "7" * 32, leg.sid))


def test_an_intent_is_written_before_twilio_is_asked(leg, monkeypatch):
    seen = []

    def create(**_):
        seen.append(Command.objects.get().state)
        return "MZ" + "7" * 32

    monkeypatch.setattr("calls.gateway.streams.create", create)
    start(leg)
    assert seen == ["sent"]


def test_done(rest, leg):
    works(rest, leg)
    command = start(leg)
    assert (command.state, command.args["stream_sid"]) == ("done", "MZ" + "7" * 32)
    assert command.settled_at == NOON
    kinds = list(Event.objects.filter(noun="command").values_list("kind", flat=True))
    assert kinds == ["stream.start.pending", "stream.start.done"]


def test_the_same_id_again_is_the_same_command(rest, leg):
    works(rest, leg)
    id_ = uuid.uuid4()
    commands_ = [start(leg, command_id=id_) for _ in range(3)]
    assert {command.pk for command in commands_} == {id_}
    assert len(rest.posts()) == 1


def test_a_refusal_is_told_in_words_and_the_ticket_is_worth_nothing(rest, leg):
    command = start(leg)
    assert (command.state, command.code) == ("failed", "20404")
    assert "ended" in command.text
    assert Ticket.objects.get().released_at == NOON


def test_secrets_stay_out_of_the_command_and_its_events(rest, leg):
    works(rest, leg)
    start(leg)
    nonce = Ticket.objects.get().nonce
    assert nonce not in str(Command.objects.values())
    assert nonce not in str(list(Event.objects.values()))


def lost(rest, leg):
    rest.on("POST", streams_path(leg), 0, {})
    return start(leg)


def test_a_lost_answer_is_unknown_and_never_repeated(rest, leg):
    command = lost(rest, leg)
    assert command.state == "unknown"
    for seconds in range(1, 40):
        commands.resolve_unknown(now=after(seconds))
    assert len(rest.posts()) == 1


def test_the_nonce_that_arrives_settles_it_as_done(rest, leg):
    command = lost(rest, leg)
    assert commands.resolve_unknown(now=after(5)) == 0
    assert tickets.spend(nonce=Ticket.objects.get().nonce, now=after(6)) is not None
    assert commands.resolve_unknown(now=after(7)) == 1
    command.refresh_from_db()
    assert command.state == "done"


def test_a_nonce_that_does_not_arrive_is_revoked(rest, leg):
    command = lost(rest, leg)
    assert commands.resolve_unknown(now=after(29)) == 0
    assert commands.resolve_unknown(now=after(30)) == 1
    command.refresh_from_db()
    assert (command.state, command.code) == ("failed", "lost")
    assert tickets.spend(nonce=Ticket.objects.get().nonce, now=after(31)) is None


def test_a_nonce_that_arrives_at_the_last_moment_wins(rest, leg, monkeypatch):
    command = lost(rest, leg)
    ticket = Ticket.objects.get()
    revoke = tickets.revoke

    def spent_just_before(**more):
        tickets.spend(nonce=ticket.nonce, now=after(30))
        return revoke(**more)

    monkeypatch.setattr(tickets, "revoke", spent_just_before)
    assert commands.resolve_unknown(now=after(30)) == 1
    command.refresh_from_db()
    assert command.state == "done"


def test_what_a_dead_process_left_unsent_is_not_done_late(rest, leg):
    ticket = tickets.issue(leg=leg, origin="rest", now=NOON)
    command = Command.objects.create(call=leg.call, kind="stream.start", ticket=ticket, created_at=NOON)
    assert commands.resolve_unknown(now=after(14)) == 0
    assert commands.resolve_unknown(now=after(15)) == 1
    command.refresh_from_db()
    assert (command.state, command.code) == ("failed", "unsent")
    assert rest.asked == []


def test_what_a_dead_process_had_sent_is_unknown(rest, leg):
    ticket = tickets.issue(leg=leg, origin="rest", now=NOON)
    command = Command.objects.create(
        call=leg.call, kind="stream.start", ticket=ticket, created_at=NOON, state="sent", sent_at=NOON
    )
    tickets.spend(nonce=ticket.nonce, now=after(1))
    assert commands.resolve_unknown(now=after(10)) == 0
    assert commands.resolve_unknown(now=after(15)) == 1
    command.refresh_from_db()
    assert command.state == "done"


def test_two_processes_send_a_command_once(rest, leg):
    works(rest, leg)
    ticket = tickets.issue(leg=leg, origin="rest", now=NOON)
    command = Command.objects.create(call=leg.call, kind="stream.start", ticket=ticket)
    same = Command.objects.get(pk=command.pk)
    commands.send([command], now=NOON)
    commands.send([same], now=NOON)
    assert len(rest.posts()) == 1
    assert same.state == "done"


def test_a_stream_that_twilio_could_not_open_has_failed_and_gives_its_room_back(rest, leg):
    works(rest, leg)
    command = start(leg, name="assist")
    asked = {"call_sid": leg.sid, "name": "assist", "now": after(1)}
    assert commands.not_opened(**asked, text="Our media address refused the connection.")
    command.refresh_from_db()
    assert (command.state, command.text) == ("failed", "Our media address refused the connection.")
    assert tickets.live_on(leg) == []
    assert not commands.not_opened(**asked, text="again")


def test_a_stream_that_did_open_has_not_failed(rest, leg):
    works(rest, leg)
    start(leg, name="assist")
    tickets.spend(nonce=Ticket.objects.get().nonce, now=after(1))
    assert not commands.not_opened(call_sid=leg.sid, name="assist", text="late", now=after(2))
    assert Command.objects.get().state == "done"


# -- stops -----------------------------------------------------------------------------------------


@pytest.fixture
def stream(leg):
    return factories.stream(leg)


def stop_path(stream):
    return f"/Calls/{stream.leg.sid}/Streams/{stream.sid}.json"


def stop(stream, **more):
    asked = {
        "ticket": stream.ticket,
        "by": people.mina(),
        "command_id": uuid.uuid4(),
        "stream_sid": stream.sid,
        "now": NOON,
    }
    return taps.stop(**{**asked, **more})


def test_a_stop_whose_answer_was_lost_is_asked_again(rest, stream):
    rest.on("POST", stop_path(stream), 0, {})
    command = stop(stream)
    assert command.state == "unknown"
    rest.on("POST", stop_path(stream), 200, twilio_rest.stream_body(stream.sid, status="stopped"))
    assert commands.resolve_unknown(now=after(4)) == 0
    assert commands.resolve_unknown(now=after(5)) == 1
    command.refresh_from_db()
    assert command.state == "done"


def test_a_stop_of_what_is_gone_is_done(rest, stream):
    assert stop(stream).state == "done"


def test_a_stop_that_never_gets_an_answer_fails_in_the_end(rest, stream):
    rest.on("POST", stop_path(stream), 500, {"code": 20500, "message": "Oops", "status": 500})
    command = stop(stream)
    command.created_at = NOON
    command.save()
    for seconds in range(1, 60):
        commands.resolve_unknown(now=after(seconds))
    command.refresh_from_db()
    assert command.state == "failed"
    assert len(rest.posts()) <= 8
