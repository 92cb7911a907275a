"""Our rows against Twilio's REST: what was missed is set right by the same lattice."""

from datetime import timedelta

import pytest

from calls.models import Call, Leg
from calls.services import legs, reconcile
from tests import factories, people, twilio
from tests.calls import rest as twilio_rest
from tests.factories import NOON

pytestmark = pytest.mark.django_db

SID = twilio.CALL_SID
ENDED = {"status": "completed", "end_time": "Fri, 20 Nov 2026 12:03:00 +0000"}


def after(seconds):
    return NOON + timedelta(seconds=seconds)


@pytest.fixture
def rest():
    with twilio_rest.rest() as scripted:
        scripted.on("GET", "/Calls.json", 200, twilio_rest.page("calls", []))
        yield scripted


@pytest.fixture
def leg():
    call = factories.call(started_at=NOON, number=factories.number())
    return factories.leg(call, sid=SID, started_at=NOON, answered_at=NOON)


def at_twilio(rest, sid=SID, **fields):
    rest.on("GET", f"/Calls/{sid}.json", 200, twilio_rest.call_body(sid, **fields))


def test_a_missed_ending_is_found_and_set_right(rest, leg):
    at_twilio(rest, **ENDED)
    [difference] = reconcile.run(now=after(600))
    assert (difference.sid, difference.ours, difference.twilios, difference.fixed) == (
        SID,
        "in-progress",
        "completed",
        True,
    )
    call = Call.objects.get()
    assert (call.state, call.ended_at) == ("ended", after(180))
    assert reconcile.run(now=after(601)) == []


def test_a_check_changes_nothing(rest, leg):
    at_twilio(rest, **ENDED)
    [difference] = reconcile.run(now=after(600), check=True)
    assert not difference.fixed
    assert Call.objects.get().state == "live"


def test_what_agrees_is_no_difference(rest, leg):
    at_twilio(rest)
    assert reconcile.run(now=after(60)) == []


def test_twilio_being_behind_takes_nothing_back(rest, leg):
    at_twilio(rest, status="ringing")
    assert reconcile.run(now=after(60)) == []
    assert Leg.objects.get().status == "in-progress"


def test_a_leg_that_twilio_does_not_know_is_over_unless_it_is_new(rest, leg):
    assert reconcile.run(now=after(10)) == []
    [difference] = reconcile.run(now=after(60))
    assert difference.twilios == "completed"
    assert Call.objects.get().state == "ended"


def test_every_way_to_be_wrong_is_put_right(rest):
    endings = ["completed", "busy", "no-answer", "failed", "canceled"]
    for begun in ("queued", "initiated", "ringing", "in-progress"):
        for ending in endings:
            call = factories.call(started_at=NOON, state="ringing", number=None)
            leg = factories.leg(call, status=begun, started_at=NOON)
            at_twilio(rest, leg.sid, status=ending, end_time=ENDED["end_time"])
    assert len(reconcile.run(now=after(600))) == 20
    assert not Call.objects.live().exists()
    assert set(Call.objects.values_list("ended_at", flat=True)) == {after(180)}


def test_the_workers_share_asks_a_leg_once_in_ten_seconds(rest, leg):
    at_twilio(rest)
    for seconds in (60, 61, 65, 69):
        reconcile.sweep(now=after(seconds))
    assert len(rest.asked) == 1
    reconcile.sweep(now=after(70))
    assert len(rest.asked) == 2


def test_the_workers_share_is_bounded(rest):
    for _ in range(30):
        at_twilio(rest, factories.leg(factories.call(started_at=NOON), started_at=NOON).sid)
    reconcile.sweep(now=after(60))
    assert len(rest.asked) == 20
    reconcile.sweep(now=after(61))
    assert len(rest.asked) == 30


def test_while_twilio_is_away_the_worker_goes_on(rest, leg, caplog):
    rest.on("GET", f"/Calls/{SID}.json", *twilio_rest.error(500, 20500))
    assert reconcile.sweep(now=after(60)) == 0
    assert "reconcile.stopped" in caplog.messages


def test_an_ended_leg_is_compared_once_more(rest, leg):
    at_twilio(rest, **ENDED)
    legs.apply(sid=SID, status="completed", at=after(180), now=after(180))
    for seconds in (185, 200, 250):
        reconcile.sweep(now=after(seconds))
    assert len(rest.asked) == 1


# -- calls that others stream to us ----------------------------------------------------------------


@pytest.fixture
def adopted():
    number = factories.number()
    return legs.adopt(call_sid=SID, account_sid=twilio.ACCOUNT_SID, number=number, now=NOON)


def test_an_adopted_call_gets_its_caller_from_one_question(rest, adopted):
    people.carla()
    at_twilio(rest, caller_name="VISSER C")
    reconcile.sweep(now=after(1))
    call = Call.objects.get()
    assert (call.caller, call.caller_name, call.direction) == ("+31612345678", "VISSER C", "inbound")
    assert str(call.contact) == "Carla Visser"
    reconcile.sweep(now=after(5))
    assert len(rest.asked) == 1


def test_of_an_outbound_call_the_person_is_who_was_called(rest, adopted):
    at_twilio(rest, direction="outbound-api", to="+31687654321")
    assert reconcile.complete_by_fetch(adopted, now=after(1))
    call = Call.objects.get()
    assert (call.caller, call.direction) == ("+31687654321", "outbound")


def test_an_adopted_call_that_twilio_does_not_know_stays_unnamed(rest, adopted):
    assert not reconcile.complete_by_fetch(adopted, now=after(1))
    assert Call.objects.get().display_caller() == "Withheld"


# -- calls that came while the database was away ---------------------------------------------------


def live_elsewhere(rest, **fields):
    body = twilio_rest.call_body("CA" + "8" * 32, **fields)
    rest.on("GET", "/Calls.json", 200, twilio_rest.page("calls", [body]))
    rest.on("POST", f"/Calls/{body['sid']}/Streams.json", 201, twilio_rest.stream_body(factories.sid("MZ")))
    return body["sid"]


def test_a_live_call_without_a_row_is_taken_in_and_tapped(rest):
    factories.number(e164="+31201234567", webhook_state="right")
    sid = live_elsewhere(rest)
    [difference] = reconcile.run(now=after(60))
    assert (difference.sid, difference.what, difference.fixed) == (sid, "call", True)
    call = Call.objects.get()
    assert (call.state, call.caller) == ("live", "+31612345678")
    assert len(rest.posts()) == 1
    assert [found.what for found in reconcile.run(now=after(61))] in ([], ["status"])


@pytest.mark.parametrize(
    ("state", "fields"),
    [
        ("unknown", {}),
        ("differs", {}),
        ("right", {"to": "+31209999999"}),
        ("right", {"parent_call_sid": "CA" + "1" * 32}),
        ("right", {"start_time": "Fri, 20 Nov 2026 12:00:50 +0000"}),
    ],
)
def test_calls_that_are_not_ours_or_too_new_are_left_alone(rest, state, fields):
    factories.number(e164="+31201234567", webhook_state=state)
    live_elsewhere(rest, **fields)
    assert reconcile.run(now=after(60)) == []
    assert Call.objects.count() == 0
