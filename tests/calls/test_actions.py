"""What a voice may do with a call, and what goes with the caller when it hands over."""

from contextlib import suppress
from datetime import timedelta

import pytest
from django.contrib.auth.hashers import make_password
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from calls import path
from calls.models import Action, Call, Callback, Event, Queue, Ticket, Voice, VoiceTable, Waiting
from calls.refusal import Refused
from calls.selectors import voices
from calls.selectors.agents import free
from calls.services import actions, routing
from tests import factories, people
from tests.calls import centre
from tests.factories import NOON

pytestmark = pytest.mark.django_db


@pytest.fixture
def queue():
    return Queue.objects.create(name="Support")


@pytest.fixture
def voice(queue):
    made = Voice.objects.create(name="Self-service", text="start:", settings={"speed": 1})
    for name, kind, more in (
        ("person", "queue", {"queue": queue}),
        ("night", "phone", {"phone": "+31201234999"}),
        ("message", "voicemail", {"queue": queue}),
        ("later", "callback", {"queue": queue, "description": "When they ask to be called back."}),
        ("bye", "end", {}),
    ):
        Action.objects.create(voice=made, name=name, kind=kind, **more)
    return made


@pytest.fixture
def call(voice):
    number = factories.number(destination="voice", voice=voice)
    made = factories.call(number=number, voice=voice, plan=path.to_voice(voice.pk), started_at=NOON)
    factories.ticket(factories.leg(made), kind="voice", name="voice")
    return made


def speaking(call):
    """Whose voice it is, and the ticket of the stream that it speaks on."""
    ticket = Ticket.objects.get(leg__call=call)
    return {"call_id": call.pk, "voice_id": call.voice_id, "ticket_id": ticket.pk, "now": NOON}


def do(call, name, **more):
    return actions.perform(**speaking(call), name=name, **more)


def code(refused):
    return refused.value.code


@pytest.mark.parametrize(
    ("name", "step", "ends"),
    [
        ("night", "phone", True),
        ("message", "voicemail", True),
        ("bye", "end", True),
        ("later", "voice", False),
    ],
)
def test_each_action_writes_what_comes_next(call, name, step, ends):
    done = do(call, name)
    call.refresh_from_db()
    assert (done.ends, call.plan["step"]) == (ends, step)
    assert done.text


def test_a_caller_goes_to_the_queue_with_reason_facts_and_verification(call, queue):
    Call.objects.update(verified="yes")
    actions.note_fact(call_id=call.pk, name="order", value="4711", now=NOON)
    done = do(call, "person", reason="Parcel is\nbroken\u202e " + "x" * 400)
    waiting, after = Waiting.objects.get(), Call.objects.get()
    assert (done.kind, waiting.queue, after.plan) == ("queue", queue, path.to_queue(queue.pk))
    assert waiting.reason.startswith("Parcel is broken x")
    assert len(waiting.reason) == 200
    assert (after.facts["order"], after.facts["reason"], after.verified) == ("4711", waiting.reason, "yes")
    assert {"call.fact", "call.handed_over"} <= {event.kind for event in Event.objects.filter(noun="call")}


@pytest.mark.parametrize(
    "name", ["+31209999999", "queue", "Person", "", "person; night", "night\x00", "x" * 9000]
)
def test_only_an_action_of_its_own_is_done_by_its_exact_name(call, name):
    other = Voice.objects.create(name="Other")
    Action.objects.create(voice=other, name="queue", kind="end")
    with pytest.raises(Refused) as refused:
        do(call, name)
    assert code(refused) == "unknown_action"
    assert Call.objects.get().plan == path.to_voice(call.voice_id)


@pytest.mark.parametrize("plan", [{"step": "conference", "name": "call-1-1"}, path.to_voice(10**6), {}])
def test_once_somebody_has_taken_over_nothing_is_changed(call, plan):
    Call.objects.update(plan=plan)
    asked = speaking(call)
    for act in (
        lambda: do(call, "person"),
        lambda: do(call, "later"),
        lambda: actions.keep_place(at="menu", **asked),
        lambda: actions.to_verify(then="a", failed="b", **asked),
        lambda: actions.goodbye(text="Bye.", **asked),
    ):
        with pytest.raises(Refused) as refused:
            act()
        assert code(refused) == "taken_over"
    assert Call.objects.get().plan == plan
    assert (Waiting.objects.count(), Callback.objects.count(), Event.objects.count()) == (0, 0, 0)


def test_what_a_voice_asked_for_before_its_stream_was_lost_is_not_done_to_the_one_that_came_back(call):
    before = speaking(call)
    Ticket.objects.update(released_at=NOON)
    factories.ticket(call.legs.get(), kind="voice", name="voice-2")
    Call.objects.update(plan=path.to_voice(call.voice_id, lost=1))
    with pytest.raises(Refused) as refused:
        actions.perform(**before, name="person")
    assert code(refused) == "taken_over"
    assert Call.objects.get().plan == path.to_voice(call.voice_id, lost=1)


def test_a_call_that_is_over_takes_no_action(call):
    Call.objects.update(state="ended", ended_at=NOON)
    with pytest.raises(Refused):
        do(call, "bye")


def test_a_call_back_is_a_promise_of_the_queue_and_the_conversation_goes_on(call, queue):
    do(call, "later", reason="Broken parcel", due="2026-11-21T09:00:00+01:00")
    row = Callback.objects.get()
    assert (row.e164, row.queue, row.agent, row.note) == (call.caller, queue, None, "Broken parcel")
    assert row.due_at.isoformat() == "2026-11-21T08:00:00+00:00"
    do(call, "later", due="2026-11-22T09:00:00Z")
    assert Callback.objects.get().due_at.day == 22, "asked again, the promise moves"


def test_who_calls_again_and_asks_again_is_called_back_once(call, voice, queue):
    do(call, "later", due="2026-11-21T09:00:00Z")
    Call.objects.update(state="ended", ended_at=NOON)
    again = factories.call(
        number=call.number,
        caller=call.caller,
        voice=voice,
        plan=path.to_voice(voice.pk),
        started_at=NOON,
    )
    factories.ticket(factories.leg(again), kind="voice", name="voice")
    do(again, "later", reason="Still broken", due="2026-11-22T09:00:00Z")
    row = Callback.objects.get()
    assert (row.call, row.due_at.day, row.note) == (again, 22, "Still broken")
    Callback.objects.update(agent=people.agent_jonas())
    do(again, "later", due="2026-11-22T09:00:00Z")
    assert Callback.objects.count() == 1, "the same call's own promise is whoever's it is"
    Callback.objects.update(call=call)
    do(again, "later", due="2026-11-22T09:00:00Z")
    assert Callback.objects.count() == 2, "what an agent promised stays theirs"


@pytest.mark.parametrize("due", ["tomorrow", "2030-01-01T00:00:00Z", "2020-01-01T00:00:00Z", "9" * 90])
def test_a_time_that_cannot_be_kept_is_refused(call, due):
    with pytest.raises(Refused) as refused:
        do(call, "later", due=due)
    assert code(refused) == "due_at"
    assert Callback.objects.count() == 0


def test_who_withholds_their_number_cannot_be_called_back(call):
    Call.objects.update(caller="anonymous")
    with pytest.raises(Refused) as refused:
        do(call, "later")
    assert code(refused) == "no_number"


def test_nobody_is_called_back_while_they_still_talk_with_the_voice(call, queue):
    amira = centre.agent(queue, now=NOON)
    assert free(now=NOON) == [amira]
    do(call, "later")
    routing.settle(now=NOON)
    assert not call.offers.exists()
    Call.objects.update(state="ended", ended_at=NOON)
    routing.settle(now=NOON + timedelta(seconds=1))
    assert call.offers.get().agent == amira


def test_facts_are_bounded_cleaned_and_told(call):
    for number in range(actions.FACTS):
        actions.note_fact(call_id=call.pk, name=f"fact {number}", value="\x00a\u202eb" + "x" * 500, now=NOON)
    with pytest.raises(Refused) as refused:
        actions.note_fact(call_id=call.pk, name="one more", value="1", now=NOON)
    assert code(refused) == "too_many_facts"
    actions.note_fact(call_id=call.pk, name="fact 3", value="again", now=NOON)
    facts = Call.objects.get().facts
    assert (len(facts), len(facts["fact 0"]), facts["fact 3"]) == (30, 200, "again")
    assert Event.objects.filter(kind="call.fact").count() == 31
    assert Event.objects.earliest("pk").facts == {}


@pytest.mark.parametrize("name", ["", " \x00", "reason"])
def test_a_fact_needs_a_name_of_its_own(call, name):
    with pytest.raises(Refused):
        actions.note_fact(call_id=call.pk, name=name, value="1", now=NOON)


def test_a_voice_that_cannot_go_on_leads_to_its_queue_or_an_apology(call):
    asked = speaking(call)
    actions.give_up(**asked)
    assert Call.objects.get().plan == path.to_end(path.APOLOGY)
    queue = Queue.objects.create(name="Night shift")
    Voice.objects.update(queue=queue)
    Call.objects.update(plan=path.to_voice(call.voice_id))
    actions.give_up(**asked)
    assert Call.objects.get().plan == path.to_queue(queue.pk)
    with pytest.raises(Refused) as refused:
        actions.give_up(**asked)
    assert code(refused) == "taken_over"


def test_a_place_is_kept_and_a_goodbye_said(call):
    asked = speaking(call)
    actions.keep_place(at="menu", **asked)
    about = voices.briefing(call.pk)
    assert about is not None
    assert about.at == "menu"
    actions.goodbye(text="Bye.", **asked)
    assert Call.objects.get().plan == path.to_end("Bye.")
    assert voices.briefing(call.pk) is None


def test_a_code_is_asked_only_where_there_is_one_to_compare_with(call):
    asked = {**speaking(call), "then": "in", "failed": "out"}
    with pytest.raises(Refused) as refused:
        actions.to_verify(**asked)
    assert code(refused) == "nothing_to_compare"
    carla = people.carla()
    carla.code = make_password("1")
    carla.save()
    Call.objects.update(contact=carla)
    about = voices.briefing(call.pk)
    assert about is not None
    assert about.may_verify
    actions.to_verify(**asked)
    assert Call.objects.get().plan["then"] == {"voice": call.voice_id, "at": "in", "failed": "out"}
    assert Call.objects.get().plan["by"] == "code"


def test_a_voice_that_asks_again_and_again_helps_nobody_to_guess(call):
    carla = people.carla()
    carla.code = make_password("1")
    carla.save()
    Call.objects.update(contact=carla, wrong_answers=10, started_at=NOON - timedelta(hours=3))
    with pytest.raises(Refused) as refused:
        actions.to_verify(**speaking(call), then="in", failed="out")
    assert code(refused) == "too_many_wrong"


# -- the briefing -----------------------------------------------------------------------------------------


def test_a_briefing_holds_all_a_voice_may_know_in_a_fixed_number_of_queries(
    call, django_assert_max_num_queries
):
    VoiceTable.objects.create(
        voice=call.voice,
        name="orders",
        text="number,state\n4711,on its way\n4712,lost\n",
    )
    Call.objects.update(
        contact=people.carla(), facts={"order": "4711"}, plan=path.to_voice(call.voice_id, lost=1)
    )
    with django_assert_max_num_queries(5):
        told = voices.briefing(call.pk)
    assert told is not None
    assert told.tables["orders"] == {
        "4711": {"number": "4711", "state": "on its way"},
        "4712": {"number": "4712", "state": "lost"},
    }
    assert (told.name, told.kind, told.text, told.settings) == (
        "Self-service",
        "flow",
        "start:",
        {"speed": 1},
    )
    assert [one.name for one in told.actions] == ["bye", "later", "message", "night", "person"]
    assert told.actions[1].description
    assert not hasattr(told.actions[0], "phone"), "where an action leads is not told"
    assert (told.caller, told.e164, told.facts, told.lost) == (
        "Carla Visser",
        "+31612345678",
        {"order": "4711"},
        1,
    )
    assert told.is_open(NOON)


def test_there_is_no_briefing_for_who_is_not_to_speak(call):
    assert voices.briefing(10**6) is None
    Call.objects.update(plan=path.to_phone("+31201234999"))
    assert voices.briefing(call.pk) is None


@pytest.mark.parametrize("text", ["", "a", 'a,b\n"unclosed', "a\x00,b\n1\x00,2", "a,b\n1,2,3\n4", "\n\n1,2"])
def test_any_table_can_be_read(text):
    rows = voices.rows_of(text)
    assert all(isinstance(value, str) for row in rows.values() for value in row.values())


class Hostile(TestCase):
    """A voice that does what its caller says has no more than its list."""

    def setUp(self):
        self.voice = Voice.objects.create(name="Gullible")
        self.queue = Queue.objects.create(name="Support")
        Action.objects.create(voice=self.voice, name="person", kind="queue", queue=self.queue)

    @given(name=st.text(max_size=60), reason=st.text(max_size=300), due=st.text(max_size=60))
    def test_no_text_leads_anywhere_else(self, name, reason, due):
        call = factories.call(voice=self.voice, plan=path.to_voice(self.voice.pk), started_at=NOON)
        factories.ticket(factories.leg(call), kind="voice", name="voice")
        with suppress(Refused):
            do(call, name, reason=reason, due=due)
        call.refresh_from_db()
        assert call.plan in (path.to_voice(self.voice.pk), path.to_queue(self.queue.pk))
