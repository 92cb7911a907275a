"""Signed but wrong, odd or foreign: the centre's webhooks keep each call to itself, and lose nobody."""

import uuid

import pytest
from django.core import serializers
from django.test import Client
from django.utils import timezone

from calls.models import Call, Conference, Destination, Event, Leg, Offer, Participant, Queue, Waiting
from calls.remedies import explain
from calls.services import handling, transfers
from tests import factories, twilio
from tests.calls import centre
from tests.calls import rest as twilio_rest
from tests.calls.centre import Centre
from tests.calls.line import Line, tags

pytestmark = [pytest.mark.django_db, pytest.mark.urls("contactcenter.urls")]

OUTSIDE = "+31201234999"
ODD = "Carla\x00\u202e gnp.exe\u2066\x1b[31m\r\nBcc: <b>"
LONG = "x" * 60_000  # near the 64 kB of a request
TURN = "0" * 32


@pytest.fixture
def twilios():
    with twilio_rest.rest(TWILIO_TIMEOUT_SECONDS=2.0) as scripted:
        yield Centre(scripted, now=timezone.now().replace(microsecond=0))


@pytest.fixture
def support():
    return centre.queue(name="Support")


@pytest.fixture
def ringing(twilios, support):
    """A caller who waits while Jonas is rung."""
    centre.agent(support, now=twilios.now, name="Jonas")
    return _rung(twilios, support)


@pytest.fixture
def other(twilios, support, ringing):
    """Another caller who waits while Amira is rung."""
    centre.agent(support, now=twilios.now, name="Amira")
    return _rung(twilios, support)


@pytest.fixture
def offer(twilios, ringing):
    """Jonas talks with the caller."""
    return twilios.answer(ringing)


def _rung(twilios, queue):
    call = centre.caller(queue, now=twilios.now)
    twilios.settle()
    return call


def room_of(call):
    return call.conferences.latest("round").name


def kept(call):
    """All rows of one call, as text."""
    rows = [
        *Call.objects.filter(pk=call.pk),
        *call.legs.order_by("pk"),
        *call.offers.order_by("pk"),
        *call.waits.order_by("pk"),
        *call.conferences.order_by("pk"),
        *Participant.objects.filter(conference__call=call).order_by("pk"),
    ]
    return serializers.serialize("json", rows)


def asking(twilios, offer, **more):
    return {"offer": offer, "by": offer.agent.user, "command_id": uuid.uuid4(), "now": twilios.now, **more}


# -- what belongs to another call ----------------------------------------------------------------------


def test_the_label_of_another_call_s_agent_joins_nothing(twilios, ringing, other, caplog):
    theirs, before = twilios.offer(other), kept(other)
    twilios.tell_room(room_of(ringing), "participant-join", factories.sid("CA"), label=theirs.label())
    assert Offer.objects.get(pk=theirs.pk).state == "ringing", "nobody has answered the other call"
    assert not Participant.objects.exists()
    assert kept(other) == before
    assert "twilio.seat.foreign" in caplog.messages


@pytest.mark.parametrize("label", ["person-{}", "outside-{}-0123abcd"])
def test_the_label_of_another_call_s_person_joins_nothing(twilios, ringing, other, label):
    before = kept(other)
    twilios.tell_room(room_of(ringing), "participant-join", factories.sid("CA"), label=label.format(other.pk))
    assert kept(other) == before
    assert not Participant.objects.exists()


def test_another_call_s_caller_in_this_call_s_room_changes_neither(twilios, ringing, other):
    sid = twilios.caller_leg(other).sid
    Leg.objects.filter(sid=sid).update(status="ringing")
    before = kept(other)
    twilios.tell_room(room_of(ringing), "participant-join", sid, label="caller")
    assert kept(other) == before
    assert not Participant.objects.exists()


def test_a_caller_s_leg_under_an_agent_s_label_answers_for_nobody(twilios, ringing, other):
    theirs = twilios.offer(other)
    for sid in (twilios.caller_leg(ringing).sid, twilios.caller_leg(other).sid):
        fields = twilio.status_fields("in-progress", sequence=5, CallSid=sid)
        twilios.post(f"/twilio/legs/{theirs.label()}/", fields)
        theirs.refresh_from_db()
        assert (theirs.state, theirs.leg_sid == sid) == ("ringing", False)
    assert Waiting.objects.open().count() == 2


def test_an_agent_s_leg_under_another_agent_s_label_answers_their_own_call_alone(twilios, ringing, other):
    mine, theirs = twilios.offer(ringing), twilios.offer(other)
    twilios.tell_leg(mine, "ringing")
    fields = twilio.status_fields("in-progress", sequence=5, CallSid=mine.leg_sid)
    twilios.post(f"/twilio/legs/{theirs.label()}/", fields)
    theirs.refresh_from_db()
    assert theirs.state == "ringing"
    assert Leg.objects.get(sid=mine.leg_sid).call == ringing


def test_a_second_leg_under_one_label_does_not_answer_in_the_first_s_place(twilios, ringing):
    offer, stranger = twilios.offer(ringing), factories.sid("CA")
    twilios.tell_leg(offer, "ringing")
    fields = twilio.status_fields("in-progress", sequence=5, CallSid=stranger)
    twilios.post(f"/twilio/legs/{offer.label()}/", fields)
    offer.refresh_from_db()
    assert (offer.state, offer.leg_sid == stranger) == ("ringing", False)
    twilios.settle()
    assert stranger in [one.args["leg"] for one in twilios.asked("leg.end")], "it is sent home"


@pytest.mark.parametrize(
    "name",
    [
        "lobby",
        "",
        "call-1",
        "call-{}-",
        "call-{}-x",
        "call-0{}-1",
        "call-{}-01",
        "call-{}-0",
        "CALL-{}-1",
        "call-{}-1 2",
        "call-٣-1",
        "call-{}-9999999999",
        "call-999999999999999999-1",
        "call-" + "9" * 600 + "-1",
    ],
)
def test_a_foreign_conference_has_no_room_here(twilios, ringing, name):
    before, rooms = kept(ringing), Conference.objects.count()
    sid = twilios.caller_leg(ringing).sid
    twilios.tell_room(name.format(ringing.pk), "participant-join", sid, label="caller")
    twilios.tell_room(name.format(ringing.pk), "conference-end")
    assert (kept(ringing), Conference.objects.count()) == (before, rooms)


def test_two_conferences_of_one_name_are_one_room(twilios, offer):
    """Twilio makes another when the first was over before the caller came."""
    name, seats = room_of(offer.call), Participant.objects.count()
    first = Conference.objects.get().sid
    again = twilios.room_fields(
        name, "participant-join", twilios.caller_leg(offer.call).sid, label="caller", sequence=1
    )
    twilios.post("/twilio/conference/", {**again, "ConferenceSid": "CF" + "b" * 32})
    assert (Conference.objects.get().sid, Participant.objects.count()) == (first, seats)


def test_one_conference_sid_under_two_names_keeps_the_calls_apart(twilios, ringing, other):
    for call in (ringing, other):
        fields = twilios.room_fields(room_of(call), "conference-start")
        twilios.post("/twilio/conference/", {**fields, "ConferenceSid": "CF" + "b" * 32})
    assert Conference.objects.exclude(started_at=None).count() == 2


# -- odd values ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "caller", ["", "anonymous", "+266696687", "+1", "+" + "9" * 20, "sip:x@y", ODD, LONG]
)
def test_whoever_calls_waits_is_answered_and_talks(twilios, support, caller):
    factories.number(e164="+31201234567", destination="queue", queue=support)
    line = Line(caller=caller)
    enqueued = line.ring(CallerName=ODD, StirVerstat=ODD, Something="new")
    line.wait(enqueued, SomethingElse=ODD)
    centre.agent(support, now=twilios.now, name="Jonas")
    twilios.settle()
    offer = twilios.answer(Call.objects.get())
    assert (offer.state, offer.call.state) == ("accepted", "live")
    text = kept(offer.call)
    assert not any(char in text for char in ("\u202e", "\u2066", "\\u0000"))
    assert len(text) < 20_000


@pytest.mark.parametrize("name", [ODD, LONG[:20_000], "", "\ud7ff\U0010ffff", "null", "{}", "' OR 1=1 --"])
def test_any_label_and_reason_is_taken_in(twilios, ringing, name):
    joined = twilios.room_fields(
        room_of(ringing), "participant-join", twilios.caller_leg(ringing).sid, label=name, sequence=1
    )
    for event in ("participant-join", "participant-hold", "conference-end", "participant-dance", "other"):
        fields = {**joined, "StatusCallbackEvent": event, "ReasonConferenceEnded": name, "Reason": "x"}
        twilios.post("/twilio/conference/", fields)
    seat = Participant.objects.get()
    assert (seat.held, len(seat.label) <= 128, "\x00" in seat.label) == (True, True, False)


@pytest.mark.parametrize(
    ("path", "wrong"),
    [
        ("conference/", {"SequenceNumber": "-1"}),
        ("conference/", {"SequenceNumber": "1e3"}),
        ("conference/", {"SequenceNumber": "9" * 30}),
        ("conference/", {"Muted": "yes"}),
        ("conference/", {"Hold": "1"}),
        ("conference/", {"ConferenceSid": "CF1"}),
        ("conference/", {"ConferenceSid": "CA" + "1" * 32}),
        ("conference/", {"CallSid": "client:jonas"}),
        ("conference/", {"StatusCallbackEvent": "Participant Join"}),
        ("conference/", {"AccountSid": "AC" + "b" * 32}),
        (f"next/{TURN}/", {"QueueResult": "Bridged!"}),
        (f"next/{TURN}/", {"DialCallStatus": "NO"}),
        (f"next/{TURN}/", {"RecordingSid": "RE-1"}),
        (f"next/{TURN}/", {"RecordingDuration": "ten"}),
        (f"queue/{TURN}/", {"QueueTime": "-5"}),
        (f"queue/{TURN}/", {"QueuePosition": "first"}),
        (f"gather/{TURN}/", {"Digits": "1; drop"}),
        (f"gather/{TURN}/", {"Digits": "1" * 65}),
        ("recording/", {"RecordingDuration": "3.5"}),
        ("recording/", {"RecordingStatus": "COMPLETED"}),
    ],
)
def test_a_value_of_another_type_is_refused_and_changes_nothing(twilios, ringing, path, wrong):
    before, events = kept(ringing), Event.objects.count()
    sid = twilios.caller_leg(ringing).sid
    fields = {
        **twilio.voice_fields(CallSid=sid),
        **twilios.room_fields(room_of(ringing), "participant-join", sid, label="caller", sequence=1),
        "RecordingSid": "RE" + "1" * 32,
        "RecordingStatus": "completed",
        **wrong,
    }
    assert twilio.signed_post(Client(), f"/twilio/{path}", fields).status_code == 403
    assert (kept(ringing), Event.objects.count()) == (before, events)


@pytest.mark.parametrize(
    "path",
    [
        "legs/offer-1/",
        "legs/person-1/",
        "legs/outside-1-0123abcd/",
        "legs/offer-999999999999999999/",
        f"next/{TURN}/",
        f"queue/{TURN}/",
        f"gather/{TURN}/",
        "hold/",
        "call-status/",
    ],
)
def test_word_of_a_call_that_nobody_knows_is_answered_and_makes_no_call(path):
    fields = twilio.status_fields("in-progress", CallSid=factories.sid("CA"), Something=ODD)
    assert twilio.signed_post(Client(), f"/twilio/{path}", fields).status_code in {200, 204}
    assert not Call.objects.exists()
    assert not Leg.objects.exists()


@pytest.mark.parametrize(
    "label", ["offer-", "offer-x", "offer-1-2", "caller", "offer-" + "9" * 19, "outside-1-XYZ", "offer-%00"]
)
def test_an_address_that_we_never_gave_is_not_there(label):
    fields = twilio.status_fields("in-progress")
    assert twilio.signed_post(Client(), f"/twilio/legs/{label}/", fields).status_code == 404


@pytest.mark.parametrize("digits", ["", "0", "*", "#", "ABCD", "1" * 64])
def test_odd_keys_leave_the_caller_waiting_or_with_a_message(support, digits):
    factories.number(e164="+31201234567", destination="queue", queue=support)
    line = Line()
    round_ = line.wait(line.ring())
    document = line.key(round_, Digits=digits, SpeechResult=ODD, Confidence="NaN")
    assert tags(document)[-1] in {"Redirect", "Leave"}
    assert Queue.objects.get().pk == Call.objects.get().queue_id


# -- what Twilio refuses (the other acts of a desk: test_handling.py) -----------------------------------


def every_refusal(twilios, code):
    twilios.rest.rules.insert(0, lambda asked: twilio_rest.error(400, code))


def _asked_first(twilios, offer):
    """Jonas has put the caller on hold and talks with Amira about them."""
    amira = centre.agent(now=twilios.now, name="Amira")
    transfers.transfer(
        **asking(twilios, offer, kind="agent", key=str(amira.pk), first=True, reason="Knows the order")
    )
    consult = twilios.offer(offer.call)
    twilios.tell_leg(consult, "in-progress", sequence=2)
    room, label = room_of(offer.call), consult.label()
    twilios.tell_room(room, "participant-join", consult.leg_sid, label=label, sequence=6)
    return consult


@pytest.mark.parametrize("code", [21205, 21210, 21220])
@pytest.mark.parametrize("act", ["complete", "cancel", "resume", "unmute", "hang up"])
def test_refused_in_mid_consult_the_caller_sits_there_and_the_agent_is_told(
    twilios, offer, caplog, act, code
):
    consult = _asked_first(twilios, offer)
    every_refusal(twilios, code)
    acts = {
        "complete": lambda: transfers.complete(**asking(twilios, offer)),
        "cancel": lambda: transfers.cancel(**asking(twilios, offer)),
        "resume": lambda: handling.hold(**asking(twilios, offer, on=False)),
        "unmute": lambda: handling.mute(**asking(twilios, offer, on=False)),
        "hang up": lambda: handling.hang_up(**asking(twilios, offer)),
    }
    command = acts[act]()
    gone = act in {"complete", "hang up"} and code == 21220  # what is over need not be ended
    assert command.state == ("done" if gone else "failed")
    assert gone or (command.text, "command.failed" in caplog.messages) == (explain(code)[:300], True)
    offer.refresh_from_db()
    consult.refresh_from_db()
    assert (offer.state, consult.state, offer.call.state) == ("accepted", "accepted", "live")
    assert offer.hung_up == gone
    assert not Waiting.objects.open().exists()
    seat = Participant.objects.get(leg=twilios.caller_leg(offer.call))
    assert (seat.left_at, seat.held) == (None, True), "still on hold, as Twilio has them"


def test_a_colleague_who_could_not_be_sent_away_can_be_sent_away_again(twilios, offer):
    consult = _asked_first(twilios, offer)
    rules = list(twilios.rest.rules)
    every_refusal(twilios, 21205)
    transfers.cancel(**asking(twilios, offer))
    twilios.rest.rules[:] = rules
    assert transfers.cancel(**asking(twilios, offer)).state == "done"
    sent = [one.state for one in twilios.asked("leg.end") if one.args["leg"] == consult.leg_sid]
    assert sent == ["failed", "done"]


@pytest.mark.parametrize("code", [21205, 21220])
def test_a_caller_whom_twilio_will_not_fetch_is_fetched_again(twilios, ringing, caplog, code):
    every_refusal(twilios, code)
    twilios.tell_leg(twilios.offer(ringing), "in-progress")
    twilios.settle()
    (asked,) = twilios.asked("call.redirect")
    ringing.refresh_from_db()
    assert (asked.state, asked.text, ringing.ended_at) == ("failed", explain(code)[:300], None)
    assert "command.failed" in caplog.messages
    twilios.rest.rules.pop(0)
    twilios.later(6)
    twilios.settle()
    assert [one.state for one in twilios.asked("call.redirect")] == ["failed", "done"]


def test_refused_outside_numbers_leave_the_caller_with_the_agent(twilios, offer):
    Destination.objects.create(prefix="+31", label="Netherlands")
    path = f"/Conferences/{room_of(offer.call)}/Participants.json"
    twilios.rest.on("POST", path, *twilio_rest.error(400, 21211))
    command = transfers.transfer(**asking(twilios, offer, kind="number", key=OUTSIDE, first=True))
    assert (command.state, command.text) == ("failed", explain(21211)[:300])
    assert [one.state for one in twilios.asked("call.resume")] == ["done"]
    offer.refresh_from_db()
    assert (offer.state, Leg.objects.filter(kind="outside").count()) == ("accepted", 0)
