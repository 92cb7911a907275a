"""The caller's path, from the webhooks' door: hours, queues, choices, messages, rooms, a lost database."""

import itertools
from datetime import time, timedelta

import pytest
from django.db import OperationalError
from django.utils import timezone

from calls import path
from calls.events import change
from calls.models import (
    BlockedCaller,
    Call,
    Callback,
    Conference,
    Event,
    Holiday,
    Hours,
    Leg,
    OpeningTime,
    Queue,
    Reply,
    Team,
    Ticket,
    Voicemail,
    Waiting,
)  # fmt: skip
from calls.selectors import taps
from calls.services import legs, queues
from tests import factories, people, twilio
from tests.calls.line import Line, address, said, tags

pytestmark = [pytest.mark.django_db, pytest.mark.urls("contactcenter.urls")]

TO = "+31201234567"
RECORDING = "RE" + "4" * 32


@pytest.fixture
def queue():
    return Queue.objects.create(name="Support")


@pytest.fixture
def number(queue):
    return factories.number(e164=TO, destination="queue", queue=queue)


def hours(*, open_now):
    made = Hours.objects.create(name=f"Hours {Hours.objects.count()}", time_zone="Europe/Amsterdam")
    for day in range(7) if open_now else ():
        OpeningTime.objects.create(hours=made, weekday=day, opens=time(0), closes=time(0))
    return made


def changed(row, **fields):
    for name, value in fields.items():
        setattr(row, name, value)
    row.save()


def answered(call):
    with change() as told:
        queues.leave(told, call=call, result="answered", now=timezone.now())


def others_wait(queue, count, **fields):
    for _ in range(count):
        Waiting.objects.create(call=factories.call(), queue=queue, **fields)


# -- how a call begins ---------------------------------------------------------------------------------


def test_a_caller_is_greeted_told_tapped_and_waits(number, queue):
    changed(number, greeting="Welcome.", consent="This call is written down.", record=True, language="en-US")
    document = Line().ring()
    assert tags(document) == ["Say", "Say", "Start", "Enqueue"]
    assert said(document) == ["Welcome.", "This call is written down."]
    assert document.count('language="en-US"') == 2
    call, wait = Call.objects.get(), Waiting.objects.get()
    assert (wait.call, wait.queue, wait.priority, wait.left_at) == (call, queue, queue.priority, None)
    assert (call.plan, call.queue) == ({"step": "queue", "queue": queue.pk}, queue)
    assert (call.state, call.record_allowed, call.legs.get().status) == ("ringing", True, "in-progress")


def test_a_call_belongs_to_its_queues_team_or_else_to_its_numbers(number, queue):
    own, its = Team.objects.create(name="Numbers"), Team.objects.create(name="Queues")
    changed(number, team=own)
    Line().ring()
    assert Call.objects.get().team == own
    changed(queue, team=its)
    Line().ring()
    assert Call.objects.latest("pk").team == its


@pytest.mark.parametrize(
    ("caller", "entry", "blocked"),
    [
        ("+31612345678", "+31612345678", True),
        ("anonymous", "withheld", True),
        ("", "withheld", True),
        ("+266696687", "withheld", True),
        ("sip:Desk@example.com", "sip:desk@example.com", True),
        ("+31612345678", "withheld", False),
        ("+31612345678", "+31612345679", False),
        ("0031612345678", "0031612345678", False),
        ("+1", "+1", False),
        ("Mallory", "Mallory", False),
    ],
)
def test_a_blocked_caller_hears_one_sentence(number, caller, entry, blocked):
    BlockedCaller.objects.create(e164=entry)
    document = Line(caller=caller).ring()
    assert (tags(document) == ["Say", "Hangup"]) is blocked
    assert Waiting.objects.exists() is not blocked
    assert Ticket.objects.exists() is not blocked
    call = Call.objects.get()
    assert (call.tap_wanted, call.record_allowed) == (not blocked, False)


def test_a_block_ends_when_it_was_to(number):
    BlockedCaller.objects.create(e164="+31612345678", until=timezone.now() - timedelta(seconds=1))
    assert "Enqueue" in tags(Line().ring())


def test_when_closed_the_text_is_said_and_that_is_all(number):
    changed(number, hours=hours(open_now=False), closed_text="Come back tomorrow.", consent="Written down.")
    document = Line().ring()
    assert tags(document) == ["Say", "Hangup"]
    assert said(document) == ["Come back tomorrow."]
    assert (Call.objects.get().tap_wanted, Ticket.objects.count(), Waiting.objects.count()) == (False, 0, 0)


def test_when_closed_a_message_may_be_left_for_the_queue(number, queue):
    changed(
        number, hours=hours(open_now=False), closed="voicemail", closed_text="Closed.", consent="Recorded."
    )
    line = Line()
    document = line.ring()
    assert tags(document) == ["Say", "Start", "Say", "Say", "Record", "Say", "Hangup"]
    assert said(document)[:2] == ["Recorded.", "Closed."]
    assert Call.objects.get().queue == queue
    thanks = line.go(document, RecordingSid=RECORDING, RecordingDuration="7")
    assert said(thanks) == [path.THANKS]
    message = Voicemail.objects.get()
    assert (message.queue, message.seconds, message.ready) == (queue, 7, False)


def test_when_closed_a_telephone_may_be_dialled(number):
    changed(number, hours=hours(open_now=False), closed="phone", closed_to="+31201234000")
    line = Line()
    document = line.ring()
    assert tags(document) == ["Start", "Say", "Dial"]
    assert said(line.go(document, DialCallStatus="busy", DialCallSid=factories.sid("CA"))) == [path.NOBODY]


def test_while_open_nothing_is_said_of_hours(number):
    changed(number, hours=hours(open_now=True), closed_text="Closed.")
    assert tags(Line().ring()) == ["Start", "Enqueue"]


def test_our_own_closed_text_names_the_next_opening(number):
    made = hours(open_now=False)
    tomorrow = timezone.now() + timedelta(days=2)
    Holiday.objects.create(hours=made, day=tomorrow.date(), name="Fair", opens=time(9, 5), closes=time(10))
    changed(number, hours=made)
    [sentence] = said(Line().ring())
    assert sentence.startswith("Thank you for calling. We are closed now. We open again ")
    assert sentence.endswith(" at 9:05.")


@pytest.mark.parametrize("caller", ["", "anonymous", "+1", "client:x", "sip:x@y", "x" * 2000, "a\x00\u202eb"])
def test_odd_callers_wait_like_everybody_and_are_offered_no_callback(number, caller):
    line = Line(caller=caller)
    document = line.ring(CallerName="y" * 60_000, Something="new")
    round_ = line.wait(document)
    assert "press 1" in said(round_)[0]
    assert "press 2" not in said(round_)[0]
    assert tags(line.key(round_, Digits="2"))[-1] == "Redirect"
    assert Waiting.objects.open().count() == 1


# -- a full queue -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("overflow", "verb"), [("voicemail", "Record"), ("phone", "Dial"), ("end", "Hangup"), ("stay", "Enqueue")]
)
def test_one_caller_too_many_meets_the_overflow_at_once(number, queue, overflow, verb):
    changed(queue, max_waiting=2, overflow=overflow, overflow_to="+31201234000")
    others_wait(queue, 2)
    document = Line().ring()
    assert verb in tags(document)
    assert Waiting.objects.open().count() == (3 if overflow == "stay" else 2)
    assert Call.objects.get(number=number).queue == queue


def test_queues_overflow_into_each_other_and_never_for_ever(number, queue):
    other = Queue.objects.create(name="Other", max_waiting=1, overflow="queue", overflow_queue=queue)
    changed(queue, max_waiting=1, overflow="queue", overflow_queue=other)
    others_wait(queue, 1)
    Line().ring()
    assert Waiting.objects.open().filter(queue=other).count() == 1
    assert said(Line().ring()) == [path.NOBODY]


def test_who_overflows_keeps_the_place_and_the_reason(number, queue):
    other = Queue.objects.create(name="Other")
    changed(queue, overflow="queue", overflow_queue=other)
    line = Line()
    line.ring()
    call, since = Call.objects.get(), Waiting.objects.get().entered_at
    with change() as told:
        assert queues.overflow(told, call=call, now=timezone.now()) == path.to_queue(other.pk)
    assert Waiting.objects.exclude(left_at=None).get().result == "overflow"
    assert (Waiting.objects.open().get().queue, Waiting.objects.open().get().entered_at) == (other, since)
    assert f">queue-{other.pk}</Enqueue>" in line.post("/twilio/next/" + "0" * 32 + "/")


# -- waiting ------------------------------------------------------------------------------------------


def test_the_place_is_said_when_it_is_another(number, queue):
    others_wait(queue, 2)
    line = Line()
    first = line.wait(line.ring())
    assert said(first)[0].startswith("You are number 3 in the queue.")
    second = line.wait(first)
    assert said(second) == []
    assert "<Play" in second
    with change() as told:
        queues.leave(
            told, call=Waiting.objects.open().order_by("pk")[0].call, result="answered", now=timezone.now()
        )
    third = line.wait(second)
    assert said(third)[0].startswith("You are number 2 in the queue.")
    assert said(line.wait(third, QueueTime="130"))[0].startswith("You are number 2"), (
        "who waits long hears it again"
    )


def test_higher_priorities_and_kept_places_come_before(number, queue):
    changed(queue, priority=1)
    others_wait(queue, 1, priority=2)
    others_wait(queue, 1, priority=0)
    long_ago = timezone.now() - timedelta(hours=1)
    Callback.objects.create(
        call=factories.call(),
        e164="+31600000000",
        queue=queue,
        priority=1,
        place_at=long_ago,
        due_at=long_ago,
    )
    Callback.objects.create(
        call=factories.call(),
        e164="+31600000001",
        queue=queue,
        priority=1,
        place_at=long_ago,
        due_at=timezone.now() + timedelta(days=1),
    )
    line = Line()
    assert said(line.wait(line.ring()))[0].startswith("You are number 3"), "tomorrow's is before nobody"


def test_what_a_queue_does_not_offer_is_neither_said_nor_done(number, queue):
    changed(queue, announce_position=False, offer_voicemail=False, offer_callback=False)
    line = Line()
    first = line.wait(line.ring())
    assert (said(first), tags(first)) == (["Please hold the line."], ["Say", "Play", "Redirect"])


def test_a_queues_own_music_is_played_also_on_hold(number, queue):
    changed(queue, music="https://sounds.example.com/x.mp3")
    line = Line()
    assert "https://sounds.example.com/x.mp3" in line.wait(line.ring())
    assert "https://sounds.example.com/x.mp3" in line.post("/twilio/hold/")


def test_our_music_is_served(client):
    document = Line().post("/twilio/hold/")
    assert tags(document) == ["Play"]
    assert f"{twilio.PUBLIC_URL}/static/sounds/hold.wav" in document


@pytest.mark.parametrize(
    "where", ["hold/", "recording/", "queue/" + "0" * 32 + "/", "gather/" + "0" * 32 + "/"]
)
def test_the_new_addresses_take_signed_posts_alone(client, where):
    assert client.get(f"/twilio/{where}").status_code == 405
    assert client.post(f"/twilio/{where}", "a=1", "application/x-www-form-urlencoded").status_code == 403


def test_rounds_write_nothing(number, queue):
    line = Line()
    first = line.wait(line.ring())
    before = (Reply.objects.count(), Event.objects.count())
    for _ in range(3):
        line.wait(first)
    assert (Reply.objects.count(), Event.objects.count()) == before


# -- choices ------------------------------------------------------------------------------------------


def test_two_is_to_be_called_back_with_the_place_kept(number, queue):
    changed(queue, priority=3)
    line = Line()
    enqueued = line.ring()
    since = Waiting.objects.get().entered_at
    assert tags(line.key(line.wait(enqueued), Digits="2")) == ["Leave"]
    promised = Callback.objects.get()
    assert (promised.e164, promised.queue, promised.place_at, promised.priority) == (
        line.caller,
        queue,
        since,
        3,
    )
    assert Waiting.objects.get().result == "callback"
    assert said(line.out(enqueued, "leave")) == [path.CALLBACK_PROMISED]


def test_one_is_to_leave_a_message(number, queue):
    line = Line()
    enqueued = line.ring()
    assert tags(line.key(line.wait(enqueued), Digits="1")) == ["Leave"]
    asked = line.out(enqueued, "leave")
    assert tags(asked) == ["Say", "Record", "Say", "Hangup"]
    assert 'recordingStatusCallback="https://calls.example.com/twilio/recording/"' in asked
    assert Waiting.objects.get().result == "voicemail"


def test_another_key_says_again_what_there_is(number):
    line = Line()
    again = line.key(line.wait(line.ring()), Digits="7")
    assert said(again)[0].startswith("You are next.")
    assert Waiting.objects.open().exists()


def test_a_choice_that_comes_too_late_changes_nothing(number, queue):
    """The agent was quicker: the caller is on the way into the conference."""
    line = Line()
    round_ = line.wait(line.ring())
    call = Call.objects.get()
    answered(call)
    queues.write_plan(call, {"step": "conference", "name": "call-1-1"})
    assert tags(line.key(round_, Digits="2")) == ["Play", "Redirect"]
    assert Callback.objects.count() == 0
    assert tags(line.wait(round_)) == ["Play", "Redirect"]
    assert Call.objects.get().plan["step"] == "conference"


def test_whose_redirect_was_lost_leaves_the_queue_by_the_next_round(number):
    line = Line()
    round_ = line.wait(line.ring())
    call = Call.objects.get()
    with change() as told:
        queues.leave(told, call=call, result="overflow", now=timezone.now())
    queues.write_plan(call, path.to_phone("+31201234000"))
    assert tags(line.wait(round_)) == ["Leave"]


def test_who_waits_for_one_agent_may_leave_a_message_or_be_called_back_by_them(number):
    jonas = people.agent_jonas()
    changed(number, destination="agent", agent=jonas, queue=None)
    line = Line()
    line.key(line.wait(line.ring()), Digits="2")
    assert (Callback.objects.get().agent, Callback.objects.get().queue) == (jonas, None)


# -- how a wait ends ----------------------------------------------------------------------------------


def test_who_hangs_up_has_abandoned(number):
    line = Line()
    document = line.out(line.ring(), "hangup", CallStatus="completed")
    assert tags(document) == ["Hangup"]
    assert Waiting.objects.get().result == "abandoned"
    assert Call.objects.get().state == "ended"


def test_the_old_action_after_a_redirect_changes_nothing(number):
    line = Line()
    enqueued = line.ring()
    call = Call.objects.get()
    answered(call)
    queues.write_plan(call, {"step": "conference", "name": "call-1-1"})
    old, new = line.out(enqueued, "redirected"), line.post("/twilio/next/" + "a" * 32 + "/")
    assert ">call-1-1</Conference>" in old
    assert ">call-1-1</Conference>" in new
    assert Waiting.objects.get().result == "answered"


@pytest.mark.parametrize("result", ["queue-full", "error", "system-error", "something-new"])
def test_a_queue_that_twilio_cannot_hold_is_left_for_the_overflow(number, queue, result):
    changed(queue, overflow="voicemail")
    line = Line()
    assert "Record" in tags(line.out(line.ring(), result))
    changed(queue, overflow="stay")
    second = Line()
    assert said(second.out(second.ring(), result)) == [path.NOBODY]
    assert {wait.result for wait in Waiting.objects.all()} == {"overflow", "failed"}


def test_a_conference_that_is_over_ends_politely_and_one_that_was_left_goes_on(number):
    line = Line()
    line.ring()
    call = Call.objects.get()
    queues.write_plan(call, {"step": "conference", "name": "call-1-1"})
    room = line.post("/twilio/next/" + "b" * 32 + "/")
    queues.write_plan(call, path.to_phone("+31201234000"))
    assert tags(line.go(room, DialCallStatus="answered")) == ["Dial"]
    queues.write_plan(call, {"step": "conference", "name": "call-1-2"})
    second = line.post("/twilio/next/" + "c" * 32 + "/")
    assert said(line.go(second, DialCallStatus="answered")) == [path.GOODBYE]


def test_nobody_is_sent_back_into_a_room_that_has_ended(number):
    line = Line()
    line.ring()
    call = Call.objects.get()
    queues.write_plan(call, {"step": "conference", "name": "call-1-1"})
    Conference.objects.create(call=call, name="call-1-1", round=1, ended_at=timezone.now())
    assert said(line.post("/twilio/next/" + "d" * 32 + "/")) == [path.GOODBYE]


# -- messages -----------------------------------------------------------------------------------------


def recording(line, **fields):
    told = {"AccountSid": twilio.ACCOUNT_SID, "CallSid": line.sid, "RecordingSid": RECORDING, **fields}
    return twilio.signed_post(line.client, "/twilio/recording/", told).status_code


def voicemail(number):
    changed(number, hours=hours(open_now=False), closed="voicemail")
    line = Line()
    return line, line.ring()


ORDERS = list(itertools.permutations(["action", "completed", "absent"]))


@pytest.mark.parametrize("order", [*ORDERS, ("completed", "completed", "action", "action")])
def test_a_message_is_one_row_whatever_comes_first(number, order):
    line, document = voicemail(number)
    for what in order:
        if what == "action":
            line.go(document, RecordingSid=RECORDING, RecordingDuration="6")
        else:
            assert recording(line, RecordingStatus=what, RecordingDuration="6") == 204
    assert list(Voicemail.objects.values_list("recording_sid", "seconds", "ready")) == [(RECORDING, 6, True)]


def test_a_message_that_holds_nothing_leaves_no_row(number):
    line, document = voicemail(number)
    assert said(line.go(document, RecordingSid=RECORDING, RecordingDuration="0")) == [path.NOTHING_HEARD]
    assert recording(line, RecordingStatus="absent") == 204
    assert recording(line, RecordingStatus="completed", RecordingDuration="0") == 204
    assert Voicemail.objects.count() == 0


def test_a_recording_of_a_call_of_nobody_is_taken_and_logged(caplog):
    assert recording(Line(), RecordingStatus="completed", RecordingDuration="6") == 204
    assert "twilio.recording.ignored" in caplog.messages


# -- repeats and orders -------------------------------------------------------------------------------


def rows():
    return (
        list(Waiting.objects.values_list("result", flat=True)),
        list(Callback.objects.values_list("e164", "state")),
        list(Call.objects.values_list("state", "plan")),
        Leg.objects.count(),
    )


def test_each_request_repeated_gives_the_same_answer_and_rows(number):
    line = Line()
    enqueued = line.ring()
    assert line.ring() == enqueued
    round_ = line.wait(enqueued)
    chosen = line.key(round_, Digits="2")
    left = line.out(enqueued, "leave")
    before = rows()
    assert line.ring() == enqueued
    assert line.key(round_, Digits="1") == chosen, "the first answer to a turn is the answer"
    assert line.out(enqueued, "leave") == left
    line.wait(enqueued)
    assert rows() == before


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_the_end_of_a_wait_told_in_any_order_gives_the_same_rows(number, order):
    line = Line()
    enqueued = line.ring()
    told = [
        lambda: line.out(enqueued, "hangup", CallStatus="completed"),
        lambda: line.wait(enqueued, CallStatus="completed"),
        lambda: twilio.signed_post(
            line.client, "/twilio/call-status/", twilio.status_fields("completed", CallSid=line.sid)
        ),
    ]
    for index in order:
        told[index]()
    assert rows()[0] == ["abandoned"]
    assert Call.objects.get().state == "ended"


@pytest.mark.parametrize("kind", ["next", "gather", "queue"])
def test_the_fallback_answers_for_the_step_that_failed(number, kind):
    line = Line()
    enqueued = line.ring()
    round_ = line.wait(enqueued)
    failed = address(enqueued if kind == "next" else round_, kind)
    document = line.post(
        "/twilio/fallback/", ErrorCode="11200", ErrorUrl=twilio.PUBLIC_URL + failed, QueueResult="redirected"
    )
    assert ("Enqueue" in tags(document)) is (kind == "next")
    assert Waiting.objects.count() == 1


# -- without a database -------------------------------------------------------------------------------


class Away:
    """The database goes away when this is called, and comes back by `back`."""

    def __init__(self, monkeypatch):
        self.back = monkeypatch.undo
        self._set = monkeypatch.setattr

    def __call__(self):
        for name in ("replayed", "_leg"):
            self._set(f"calls.services.answer.{name}", self._refuse)

    def _refuse(self, *_, **__):
        raise OperationalError("the database is away")


@pytest.fixture
def away(monkeypatch):
    return Away(monkeypatch)


def test_a_caller_let_in_without_a_database_gets_their_rows_when_it_is_back(number, queue, away):
    changed(number, consent="This is written down.")
    Line().ring()
    away()
    line = Line()
    document = line.ring()
    assert tags(document) == ["Say", "Enqueue"]
    round_ = line.wait(document)
    assert tags(round_) == ["Play", "Redirect"]
    assert tags(line.wait(round_)) == ["Play", "Redirect"]
    away.back()
    assert not Leg.objects.filter(sid=line.sid).exists()
    assert said(line.wait(round_))[0].startswith("You are number 2")
    call = Leg.objects.get(sid=line.sid).call
    assert Waiting.objects.open().get(call=call).queue == queue
    assert [ticket.leg.sid for ticket in taps.lost(now=timezone.now())] == [line.sid], (
        "the tick opens the tap"
    )
    line.wait(round_)
    assert Waiting.objects.filter(call=call).count() == 1


def test_a_caller_whom_the_worker_found_first_gets_the_rest_of_the_rows(number, queue, away):
    Line().ring()
    away()
    line = Line()
    document = line.ring()
    away.back()
    leg = legs.adopt(call_sid=line.sid, account_sid="", number=number, now=timezone.now())
    factories.ticket(leg)
    line.wait(document)
    call = Leg.objects.get(sid=line.sid).call
    assert (call.caller, Waiting.objects.open().get(call=call).queue) == (line.caller, queue)
    assert Ticket.objects.filter(leg=leg).count() == 1


def test_nobody_hears_music_for_ever_without_a_database(number, away):
    away()
    assert said(Line().post("/twilio/queue/" + "0" * 32 + "/", QueueTime="1000")) == [path.APOLOGY]


def test_between_two_steps_the_caller_holds_on_for_a_minute_and_then_hears_an_apology(number, away):
    line = Line()
    enqueued = line.ring()
    away()
    document, rounds = line.out(enqueued, "redirected"), 0
    while tags(document) == ["Pause", "Redirect"]:
        document, rounds = line.go(document), rounds + 1
    assert (rounds, said(document)) == (20, [path.APOLOGY])


def test_who_held_on_meets_the_plan_when_the_database_is_back(number, away):
    line = Line()
    enqueued = line.ring()
    away()
    holding = line.out(enqueued, "redirected")
    away.back()
    assert tags(line.go(holding)) == ["Enqueue"]


def test_choices_and_hold_need_no_database(number, away):
    line = Line()
    round_ = line.wait(line.ring())
    away()
    assert tags(line.key(round_, Digits="1")) == ["Play", "Redirect"]
    assert recording(line, RecordingStatus="completed", RecordingDuration="3") == 204
