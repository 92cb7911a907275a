"""Our rows of conferences against Twilio's REST: lost callbacks leave nobody where they are not."""

from datetime import timedelta

import pytest

from calls.events import newest_id
from calls.models import Call, Conference, Event, Leg, Participant
from calls.services import reconcile
from tests import factories, twilio
from tests.calls import centre
from tests.calls import rest as twilio_rest
from tests.factories import NOON

pytestmark = pytest.mark.django_db

CF = "CF" + "1" * 32


def after(seconds):
    return NOON + timedelta(seconds=seconds)


class Twilios:
    """The conferences as Twilio has them: name → status and members (CallSid → label, status)."""

    def __init__(self, rest):
        self.rest = rest
        self.rooms = {}
        rest.on("GET", "/Calls.json", 200, twilio_rest.page("calls", []))
        rest.rules.insert(0, self.answer)

    def has(self, name, status="in-progress", ended="Fri, 20 Nov 2026 12:03:00 +0000", **members):
        self.rooms[name] = (status, members, ended)

    def asked(self):
        return [one for one in self.rest.asked if one.path.startswith("/Conferences")]

    def answer(self, asked):
        if asked.path == "/Conferences.json":
            name, status = asked.query["FriendlyName"], asked.query["Status"]
            found = self.rooms.get(name)
            rows = [self.row(name, *found)] if found and found[0] == status else []
            return 200, twilio_rest.page("conferences", rows)
        if asked.path == f"/Conferences/{CF}/Participants.json" and asked.method == "GET":
            (_, members, _), *_ = self.rooms.values()
            rows = [self.member(*one) for one in members.values()]
            return 200, twilio_rest.page("participants", rows)
        if asked.path.startswith("/Calls/") and asked.method == "GET":
            return 200, twilio_rest.call_body(asked.path.split("/")[-1].removesuffix(".json"))
        return None

    def row(self, name, status, members, ended):
        return {
            "sid": CF,
            "account_sid": twilio.ACCOUNT_SID,
            "friendly_name": name,
            "status": status,
            "reason_conference_ended": "last-participant-left" if status == "completed" else None,
            "date_updated": ended,
        }

    def member(self, sid, label="", status="connected"):
        return {
            "call_sid": sid,
            "account_sid": twilio.ACCOUNT_SID,
            "conference_sid": CF,
            "label": label or None,
            "status": status,
        }


@pytest.fixture
def twilios():
    with twilio_rest.rest() as scripted:
        yield Twilios(scripted)


@pytest.fixture
def room():
    call = factories.call(started_at=NOON, number=factories.number())
    call.plan = {"step": "conference", "name": f"call-{call.pk}-1"}
    call.save()
    return Conference.objects.create(call=call, name=f"call-{call.pk}-1", round=1, created_at=NOON)


@pytest.fixture
def leg(room):
    return factories.leg(room.call, started_at=NOON, answered_at=NOON)


@pytest.fixture
def seat(room, leg):
    return Participant.objects.create(conference=room, leg=leg, label="caller", joined_at=after(1))


def told(found):
    return [(one.sid, one.what, one.ours, one.twilios, one.fixed) for one in found]


def test_what_agrees_is_no_difference(twilios, room, seat, leg):
    twilios.has(room.name, a=(leg.sid,))
    assert reconcile.run(now=after(60)) == []


def test_who_has_left_unheard_is_noted_and_told(twilios, room, seat, leg):
    twilios.has(room.name)
    before = newest_id()
    assert told(reconcile.run(now=after(60))) == [(leg.sid, "participant", "in the room", "not there", True)]
    seat.refresh_from_db()
    assert seat.left_at == after(60)
    assert [one.kind for one in Event.objects.filter(id__gt=before)] == ["participant.leave"]
    assert reconcile.run(now=after(61)) == []


def test_who_came_unheard_is_noted(twilios, room, leg):
    twilios.has(room.name, a=(leg.sid, "caller"))
    assert told(reconcile.run(now=after(60))) == [(leg.sid, "participant", "", "in the room", True)]
    assert Participant.objects.get(leg=leg).is_in()


def test_an_agent_who_answered_unheard_is_known_by_their_label(twilios, room):
    agent = centre.agent(now=NOON)
    offer = room.call.offers.create(agent=agent, conference=room, created_at=NOON, until=after(90))
    sid = factories.sid("CA")
    twilios.has(room.name, a=(sid, offer.label()))
    reconcile.run(now=after(60))
    offer.refresh_from_db()
    assert (offer.state, offer.leg_sid) == ("accepted", sid)
    assert Participant.objects.get(leg__sid=sid).is_in()


def test_who_is_still_being_rung_does_not_sit_there(twilios, room, leg):
    twilios.has(room.name, a=(leg.sid, "caller", "ringing"))
    assert reconcile.run(now=after(60)) == []
    assert not Participant.objects.exists()


def test_a_stranger_in_the_room_is_left_alone(twilios, room):
    twilios.has(room.name, a=(factories.sid("CA"), "somebody"))
    assert reconcile.run(now=after(60)) == []
    assert Leg.objects.count() == 0


def test_a_room_that_is_over_at_twilio_is_over_here_since_then_and_nobody_sits_in_it(
    twilios, room, seat, leg
):
    twilios.has(room.name, status="completed")
    found = told(reconcile.run(now=after(600)))
    assert (room.name, "conference", "going on", "over", True) in found
    room.refresh_from_db()
    seat.refresh_from_db()
    assert (room.ended_at, room.ended_reason, seat.left_at) == (
        after(180),
        "last-participant-left",
        after(180),
    )
    assert reconcile.run(now=after(601)) == []


def test_a_seat_in_a_room_whose_end_we_know_is_left(twilios, room, seat):
    Conference.objects.filter(pk=room.pk).update(ended_at=after(180))
    twilios.has(room.name, status="completed")
    reconcile.run(now=after(600))
    seat.refresh_from_db()
    assert seat.left_at == after(180)


def test_a_room_that_twilio_never_made_goes_on_while_somebody_is_to_come(twilios, room):
    assert reconcile.run(now=after(60)) == []
    Call.objects.filter(pk=room.call_id).update(plan={"step": "queue", "queue": 1})
    assert told(reconcile.run(now=after(70))) == [(room.name, "conference", "going on", "over", True)]


def test_a_room_or_a_seat_that_is_new_is_left_alone(twilios, room, leg):
    assert reconcile.run(now=after(29)) == []
    assert twilios.asked() == []
    Participant.objects.create(conference=room, leg=leg, joined_at=after(55))
    twilios.has(room.name)
    assert reconcile.run(now=after(60)) == []


def test_a_check_tells_and_changes_nothing(twilios, room, seat, leg):
    twilios.has(room.name, status="completed")
    found = reconcile.run(now=after(600), check=True)
    assert [(one.what, one.fixed) for one in found] == [("participant", False), ("conference", False)]
    room.refresh_from_db()
    seat.refresh_from_db()
    assert (room.ended_at, room.checked_at, seat.left_at) == (None, None, None)


def test_the_workers_share_asks_of_a_room_once_in_ten_seconds_and_of_twenty_at_most(twilios, room):
    twilios.has(room.name)
    for seconds in (60, 65, 69):
        reconcile.sweep(now=after(seconds))
    assert len(twilios.asked()) == 2  # the room, and who sits there
    for round_ in range(2, 32):
        name = f"call-{room.call_id}-{round_}"
        Conference.objects.create(call=room.call, name=name, round=round_, created_at=NOON)
    twilios.rest.asked.clear()
    reconcile.sweep(now=after(80))
    names = {one.query["FriendlyName"] for one in twilios.asked() if one.query.get("FriendlyName")}
    assert len(names) == 20
    reconcile.sweep(now=after(81))
    names |= {one.query["FriendlyName"] for one in twilios.asked() if one.query.get("FriendlyName")}
    assert len(names) == 31


def test_a_region_that_cannot_be_asked_holds_up_none_of_the_others(twilios, room, seat):
    other = factories.call(started_at=NOON, region="ie1")
    Conference.objects.create(call=other, name=f"call-{other.pk}-1", round=1, created_at=NOON)
    twilios.has(room.name)
    rules = twilios.rest.rules
    rules.insert(
        0,
        lambda one: twilio_rest.error(500, 20500) if f"call-{other.pk}-1" in one.query.values() else None,
    )
    reconcile.sweep(now=after(60))
    seat.refresh_from_db()
    assert seat.left_at == after(60)


def test_who_sits_there_under_another_call_s_label_has_not_answered_that_call(twilios, room):
    agent = centre.agent(now=NOON)
    theirs = factories.call(started_at=NOON)
    offer = theirs.offers.create(agent=agent, created_at=NOON, until=after(90))
    twilios.has(room.name, a=(factories.sid("CA"), offer.label()))
    reconcile.run(now=after(60))
    offer.refresh_from_db()
    assert (offer.state, theirs.legs.count(), Participant.objects.count()) == ("ringing", 0, 0)
