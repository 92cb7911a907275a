"""What an agent does at the desk by POST, and whom a call can go on to: who may, what is theirs, in words."""

import json
import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.test import Client
from django.utils import timezone

from calls.models import (
    Agent,
    AuditEvent,
    Call,
    Callback,
    Command,
    Destination,
    Event,
    Matter,
    Note,
    Queue,
    User,
    Voicemail,
    WrapUp,
)
from calls.refusal import Refused
from calls.services import contacts, dialling, handling, help, notes, transfers
from calls.views import asked as asking
from calls.views import desk as view
from calls.views.acts import ACTS
from tests import factories, people
from tests.calls import desks

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody has done anything in this process yet."""
    monkeypatch.setattr(view, "_rate", asking.Rate(view.PER_SECOND, view.BURST))
    monkeypatch.setattr(view, "_done", asking.Memory())


@pytest.fixture
def jonas() -> Agent:
    """Jonas at his desk, Ready."""
    return desks.seated(people.agent_jonas(), phone_ok=True)


@pytest.fixture
def page(client: Client, jonas: Agent) -> Client:
    """Jonas's browser."""
    client.force_login(jonas.user)
    return client


def do(client: Client, kind: str, **fields: Any) -> Any:
    """One POST of JSON; the answer."""
    body = {"id": str(uuid.uuid4()), "do": kind, **fields}
    return client.post("/desk/do/", json.dumps(body), content_type="application/json")


def error(answer: Any) -> tuple[int, str]:
    """Status and code of a refusal, which says something to people."""
    told = answer.json()["error"]
    assert len(told["text"]) > 10
    return answer.status_code, told["code"]


class Services:
    """What services were asked for: each answers with a command that is done."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.refusal: Exception | None = None

    def stand_in(self, name: str) -> Any:
        """The service in its place."""

        def ask(**told: Any) -> Any:
            self.asked.append((name, told))
            if self.refusal:
                raise self.refusal
            if "command_id" not in told:
                return None
            call = told["offer"].call if "offer" in told else factories.call()
            return Command.objects.create(
                id=told["command_id"], call=call, kind="call.hold", by=told["by"], state="done"
            )

        return ask


@pytest.fixture
def services(monkeypatch: pytest.MonkeyPatch) -> Services:
    """The services that ask Twilio, or belong to other rooms."""
    one = Services()
    for module, names in [
        (handling, ["hang_up", "hold", "mute"]),
        (transfers, ["transfer", "complete", "cancel"]),
        (help, ["ask", "done"]),
        (dialling, ["call_back", "call_now", "dial"]),
        (contacts, ["save", "open_matter", "close_matter"]),
    ]:
        for name in names:
            monkeypatch.setattr(module, name, one.stand_in(name))
    return one


# -- status, phone, offers ---------------------------------------------------------------------------
def test_the_status_is_chosen_and_the_answer_is_the_desk(page: Client, jonas: Agent) -> None:
    answer = do(page, "status", status="away", reason="lunch").json()
    assert answer["command"] is None
    assert (answer["desk"]["me"]["state"], answer["desk"]["me"]["reason"]) == ("away", "lunch")
    assert "lines" not in answer["desk"]
    assert do(page, "status", status="ready").json()["desk"]["me"]["state"] == "ready"


def test_a_status_that_cannot_be_is_told_why(page: Client, jonas: Agent) -> None:
    desks.seated(jonas, phone_ok=False, status="away")
    assert error(do(page, "status", status="ready"))[0] == 409
    assert error(do(page, "status", status="asleep"))[0] == 409


def test_the_phone_is_chosen(page: Client) -> None:
    me = do(page, "phone", phone="telephone", ok=True).json()["desk"]["me"]
    assert (me["phone"], me["phone_ok"]) == ("telephone", True)


def test_a_call_that_rings_is_declined(page: Client, jonas: Agent) -> None:
    offer = desks.offered(jonas)
    desk = do(page, "decline", offer=offer.pk).json()["desk"]
    assert (desk["offer"], desk["me"]["state"], desk["missed"]) == (None, "away", True)


def test_a_callback_is_accepted_and_any_other_call_answered_by_phone(
    page: Client, jonas: Agent, services: Services
) -> None:
    offer = desks.offered(jonas, kind="callback")
    assert do(page, "accept", offer=offer.pk).json()["command"]["state"] == "done"
    desks.ended(offer)
    assert error(do(page, "accept", offer=desks.offered(jonas).pk)) == (409, "by_phone")
    assert [name for name, _ in services.asked] == ["call_back"]


# -- the call ----------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("kind", "fields", "service", "told"),
    [
        ("hangup", {}, "hang_up", {}),
        ("hold", {"on": True}, "hold", {"on": True}),
        ("hold", {"on": False}, "hold", {"on": False}),
        ("mute", {"on": True}, "mute", {"on": True}),
        (
            "transfer",
            {"to": {"kind": "queue", "key": "7"}, "first": False, "reason": "about money"},
            "transfer",
            {"kind": "queue", "key": "7", "first": False, "reason": "about money"},
        ),
        ("transfer.complete", {}, "complete", {}),
        ("transfer.cancel", {}, "cancel", {}),
    ],
)
def test_what_is_asked_of_a_call_is_a_command(
    page: Client,
    jonas: Agent,
    services: Services,
    kind: str,
    fields: dict[str, Any],
    service: str,
    told: dict[str, Any],
) -> None:
    offer = desks.offered(jonas, state="accepted")
    id_ = str(uuid.uuid4())
    answer = do(page, kind, id=id_, offer=offer.pk, **fields).json()
    assert (answer["command"]["command"], answer["command"]["call"]) == (id_, offer.call_id)
    assert answer["desk"]["call"]["call"] == offer.call_id
    ((name, asked),) = services.asked
    assert (name, asked["offer"].pk, asked["by"]) == (service, offer.pk, jonas.user)
    assert told.items() <= asked.items()


def test_help_is_asked_for_and_comes(page: Client, jonas: Agent, services: Services) -> None:
    offer = desks.offered(jonas, state="accepted")
    do(page, "help", offer=offer.pk, reason="They are angry")
    do(page, "help.done", offer=offer.pk)
    assert [(name, told["call"], told.get("reason")) for name, told in services.asked] == [
        ("ask", offer.call, "They are angry"),
        ("done", offer.call, None),
    ]


def test_what_a_service_refuses_is_told_in_its_words(page: Client, jonas: Agent, services: Services) -> None:
    offer = desks.offered(jonas, state="accepted")
    services.refusal = Refused("consulting", "A colleague is being called.")
    answer = do(page, "hangup", offer=offer.pk)
    assert (answer.status_code, answer.json()) == (
        409,
        {"error": {"code": "consulting", "text": "A colleague is being called."}},
    )
    services.refusal = Refused("name", "A contact needs a name.")
    assert error(do(page, "contact.save", contact=None, call=None, name="")) == (409, "name")


def test_a_number_is_dialled_from_one_of_ours(page: Client, jonas: Agent, services: Services) -> None:
    number = factories.number()
    do(page, "dial", to="+31 6 12345678", number=number.pk)
    ((name, told),) = services.asked
    assert (name, told["to"], told["number"], told["agent"]) == ("dial", "+31 6 12345678", number, jonas)
    do(page, "dial", to="+31 6 12345678", number=None)
    assert services.asked[1][1]["number"] is None  # the service chooses
    theirs = factories.number(team=desks.team("South"))
    assert error(do(page, "dial", to="+31612345678", number=theirs.pk)) == (404, "unknown_number")


def test_who_may_not_call_out_is_told(page: Client, jonas: Agent, services: Services) -> None:
    group = jonas.user.groups.get()
    group.permissions.remove(group.permissions.get(codename="dial_out"))
    answer = do(page, "dial", to="+31612345678", number=factories.number().pk)
    assert error(answer) == (403, "not_allowed")
    assert not services.asked


# -- notes -------------------------------------------------------------------------------------------
def test_a_note_is_saved_as_it_is_typed(page: Client, jonas: Agent) -> None:
    call = desks.offered(jonas, state="accepted").call
    for text in ("Boiler", "Boiler leaks\n\nsince Monday\x00\u202e"):
        assert do(page, "note", call=call.pk, text=text).json()["desk"]["context"]["note"]
    note = Note.objects.get()
    assert (note.text, note.by, note.call) == ("Boiler leaks\n\nsince Monday", jonas.user, call)
    assert Event.objects.filter(noun="note").count() == 2


def test_the_same_note_again_changes_nothing(page: Client, jonas: Agent) -> None:
    call = desks.offered(jonas, state="accepted").call
    for _ in range(3):
        do(page, "note", call=call.pk, text="Boiler")
    assert Event.objects.filter(noun="note").count() == 1


def test_a_note_that_is_too_long_is_not_cut_in_silence(page: Client, jonas: Agent) -> None:
    call = desks.offered(jonas, state="accepted").call
    assert error(do(page, "note", call=call.pk, text="x" * (notes.LONGEST + 1))) == (409, "too_long")
    assert not Note.objects.exists()
    assert do(page, "note", call=call.pk, text="x" * notes.LONGEST).status_code == 200


def test_each_person_has_a_note_of_their_own(page: Client, jonas: Agent) -> None:
    call = desks.offered(jonas, state="accepted").call
    Note.objects.create(call=call, by=people.mina(), text="Mina's")
    do(page, "note", call=call.pk, text="Jonas's")
    assert set(Note.objects.values_list("text", flat=True)) == {"Mina's", "Jonas's"}


def test_notes_can_be_written_on_calls_of_before(page: Client, jonas: Agent) -> None:
    offer = desks.offered(jonas, state="accepted")
    desks.ended(offer)
    assert do(page, "note", call=offer.call_id, text="Called back").status_code == 200


# -- wrap-up, callbacks, contacts, messages ----------------------------------------------------------
def wrapping_up(agent: Agent, *outcomes: str, caller: str = people.CALLER) -> WrapUp:
    """The agent's call has ended."""
    queue = desks.support(agent)
    desks.outcomes(queue, *outcomes)
    call = factories.call(state="ended", queue=queue, caller=caller, contact=people.carla())
    return WrapUp.objects.create(call=call, agent=agent, queue=queue, due_at=timezone.now())


def test_a_wrap_up_is_closed_with_its_outcome(page: Client, jonas: Agent) -> None:
    row = wrapping_up(jonas, "Solved")
    assert error(do(page, "wrapup.done", wrapup=row.pk, outcome="")) == (409, "outcome")
    assert do(page, "wrapup.done", wrapup=row.pk, outcome="Solved").json()["desk"]["wrapup"] is None
    row.refresh_from_db()
    assert row.outcome == "Solved"


@pytest.mark.parametrize(
    ("reason", "phone_ok", "state"),
    [("connection", True, "ready"), ("connection", False, "away"), ("Lunch", True, "away")],
)
def test_done_leads_back_to_ready_whom_a_lost_page_had_made_away(
    page: Client, jonas: Agent, reason: str, phone_ok: bool, state: str
) -> None:
    row = wrapping_up(jonas)
    Agent.objects.update(status="away", reason=reason, phone_ok=phone_ok)
    assert do(page, "wrapup.done", wrapup=row.pk).json()["desk"]["me"]["state"] == state


def test_a_wrap_up_promises_to_call_back_and_a_repeat_promises_nothing(page: Client, jonas: Agent) -> None:
    row = wrapping_up(jonas)
    due = (timezone.now() + timedelta(hours=2)).isoformat()
    for _ in range(2):
        answer = do(
            page, "wrapup.done", wrapup=row.pk, outcome="", callback={"due_at": due, "note": "after five"}
        )
        assert answer.status_code == 200
    callback = Callback.objects.get()
    assert (callback.e164, callback.agent, callback.call, callback.note) == (
        people.CALLER,
        jonas,
        row.call,
        "after five",
    )
    assert answer.json()["desk"]["callbacks"][0]["callback"] == callback.pk


def test_what_an_agent_promises_takes_the_place_of_what_was_promised_before(
    page: Client, jonas: Agent
) -> None:
    row = wrapping_up(jonas)
    now = timezone.now()
    asked = Callback.objects.create(
        call=row.call, e164=people.CALLER, queue=row.queue, priority=3, place_at=now, due_at=now
    )
    due = now + timedelta(days=1)
    do(page, "wrapup.done", wrapup=row.pk, callback={"due_at": due.isoformat(), "note": "tomorrow"})
    promised = Callback.objects.get()
    assert (promised.pk, promised.priority) == (asked.pk, 3)
    assert (promised.agent, promised.due_at, promised.note) == (jonas, due, "tomorrow")


@pytest.mark.parametrize(
    ("caller", "after", "code"),
    [
        ("", timedelta(hours=1), "no_number"),
        ("client:jonas", timedelta(hours=1), "no_number"),
        ("+266696687", timedelta(hours=1), "no_number"),
        (people.CALLER, timedelta(days=-1), "due_at"),
        (people.CALLER, timedelta(days=91), "due_at"),
    ],
)
def test_a_promise_that_cannot_be_kept_leaves_the_wrap_up_open(
    page: Client, jonas: Agent, caller: str, after: timedelta, code: str
) -> None:
    row = wrapping_up(jonas, caller=caller)
    due = (timezone.now() + after).isoformat()
    assert error(do(page, "wrapup.done", wrapup=row.pk, callback={"due_at": due})) == (409, code)
    row.refresh_from_db()
    assert row.closed_at is None


def test_a_wrap_up_is_given_more_time_once_for_each_press(
    page: Client, jonas: Agent, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = wrapping_up(jonas)
    seen = do(page, "status", status="ready").json()["desk"]["wrapup"]["due_at"]
    pressed = {"id": str(uuid.uuid4()), "wrapup": row.pk, "due_at": seen}
    ends = set()
    for _ in range(3):
        ends.add(do(page, "wrapup.extend", **pressed).json()["desk"]["wrapup"]["due_at"])
        monkeypatch.setattr(view, "_done", asking.Memory())  # the answer was lost, another process is asked
    assert len(ends) == 1
    row.refresh_from_db()
    assert row.due_at > timezone.now() + timedelta(seconds=20)


def test_a_wrap_up_is_extended_from_the_end_that_was_shown(page: Client, jonas: Agent) -> None:
    row = wrapping_up(jonas)
    assert error(do(page, "wrapup.extend", wrapup=row.pk)) == (400, "bad_field")
    WrapUp.objects.filter(pk=row.pk).update(closed_at=timezone.now())
    assert error(do(page, "wrapup.extend", wrapup=row.pk, due_at=row.due_at.isoformat())) == (409, "closed")


def test_a_callback_is_taken_back_once(page: Client, jonas: Agent) -> None:
    now = timezone.now()
    row = Callback.objects.create(
        call=factories.call(), e164=people.CALLER, agent=jonas, place_at=now, due_at=now
    )
    assert do(page, "callback.cancel", callback=row.pk).json()["desk"]["callbacks"] == []
    row.refresh_from_db()
    assert (row.state, row.closed_at is not None) == ("cancelled", True)
    assert error(do(page, "callback.cancel", callback=row.pk)) == (404, "unknown_callback")


def test_a_promised_callback_of_the_list_is_called_now(
    page: Client, jonas: Agent, services: Services
) -> None:
    now = timezone.now()
    later = {"e164": people.CALLER, "place_at": now, "due_at": now + timedelta(days=1)}
    mine = Callback.objects.create(call=factories.call(), agent=jonas, **later)
    ours = Callback.objects.create(call=factories.call(), queue=desks.support(jonas), **later)
    for row in (mine, ours):
        assert do(page, "callback.call", callback=row.pk).json()["command"]["state"] == "done"
    assert [(name, told["callback"], told["agent"]) for name, told in services.asked] == [
        ("call_now", mine, jonas),
        ("call_now", ours, jonas),
    ]
    assert AuditEvent.objects.filter(what="desk.callback.call", on=f"callback {mine.pk}").exists()


def test_who_may_not_call_out_keeps_no_promise_by_hand(
    page: Client, jonas: Agent, services: Services
) -> None:
    group = Group.objects.get(name="Agent")
    group.permissions.remove(Permission.objects.get(codename="dial_out"))
    assert error(do(page, "callback.call", callback=1)) == (403, "not_allowed")
    assert not services.asked


def test_a_message_is_heard_once(page: Client, jonas: Agent) -> None:
    row = Voicemail.objects.create(
        call=factories.call(), queue=desks.support(jonas), recording_sid=factories.sid("RE")
    )
    for _ in range(2):
        assert do(page, "voicemail.heard", voicemail=row.pk).status_code == 200
    row.refresh_from_db()
    assert row.heard_by == jonas.user
    assert Event.objects.filter(noun="voicemail").count() == 1


def test_contacts_and_matters_of_a_call_are_written(page: Client, jonas: Agent, services: Services) -> None:
    call = desks.offered(jonas, factories.call(contact=people.carla()), state="accepted").call
    matter = Matter.objects.create(contact=people.carla(), text="Boiler")
    contact = people.carla().pk
    do(page, "contact.save", contact=contact, call=call.pk, name="Carla", tags="vip", colour="red")
    do(page, "contact.save", contact=None, call=call.pk, name="New")
    do(page, "matter.open", contact=contact, text="Part is ordered")
    do(page, "matter.close", matter=matter.pk)
    assert [name for name, _ in services.asked] == ["save", "save", "open_matter", "close_matter"]
    first, second, opened, closed = (told for _, told in services.asked)
    assert (first["contact_id"], first["call_id"]) == (contact, call.pk)
    assert first["fields"] == {"name": "Carla", "tags": "vip"}
    assert (second["contact_id"], second["fields"]) == (None, {"name": "New"})
    assert (opened["contact_id"], opened["text"]) == (contact, "Part is ordered")
    assert closed["matter_id"] == matter.pk


# -- who, and what is theirs -------------------------------------------------------------------------
def foreign(agent: Agent) -> dict[str, dict[str, Any]]:
    """For each kind of row, one that belongs to somebody else."""
    now = timezone.now()
    sanne = desks.sanne()
    offer = desks.offered(sanne, factories.call(contact=people.carla()), state="accepted")
    queue = Queue.objects.create(name="Sales")
    told = {"call": offer.call, "e164": people.CALLER, "place_at": now, "due_at": now}
    return {
        "offer": {"offer": offer.pk},
        "call": {"call": offer.call_id},
        "wrapup": {"wrapup": WrapUp.objects.create(call=offer.call, agent=sanne, due_at=now).pk},
        "callback": {"callback": Callback.objects.create(**told, agent=sanne).pk},
        "contact": {"contact": people.carla().pk},
        "matter": {"matter": Matter.objects.create(contact=people.carla(), text="x").pk},
        "voicemail": {
            "voicemail": Voicemail.objects.create(
                call=offer.call, queue=queue, recording_sid=factories.sid("RE")
            ).pk
        },
    }


USED: list[tuple[str, str, dict[str, Any]]] = [
    ("accept", "offer", {}),
    ("decline", "offer", {}),
    ("hangup", "offer", {}),
    ("hold", "offer", {"on": True}),
    ("mute", "offer", {"on": True}),
    ("transfer", "offer", {"to": {"kind": "agent", "key": "1"}, "first": True}),
    ("transfer.complete", "offer", {}),
    ("transfer.cancel", "offer", {}),
    ("help", "offer", {}),
    ("help.done", "offer", {}),
    ("note", "call", {"text": "x"}),
    ("wrapup.done", "wrapup", {"outcome": ""}),
    ("wrapup.extend", "wrapup", {}),
    ("callback.call", "callback", {}),
    ("callback.cancel", "callback", {}),
    ("contact.save", "contact", {"call": None, "name": "x"}),
    ("contact.save", "call", {"contact": None, "name": "x"}),
    ("matter.open", "contact", {"text": "x"}),
    ("matter.close", "matter", {}),
    ("voicemail.heard", "voicemail", {}),
]


@pytest.mark.parametrize(("kind", "noun", "fields"), USED)
def test_what_is_anothers_answers_like_what_does_not_exist(
    page: Client, jonas: Agent, services: Services, kind: str, noun: str, fields: dict[str, Any]
) -> None:
    row = foreign(jonas)[noun]
    missing = dict.fromkeys(row, 4711)
    theirs, none = do(page, kind, **{**fields, **row}), do(page, kind, **{**fields, **missing})
    assert error(theirs) == error(none) == (404, f"unknown_{noun}")
    assert theirs.content == none.content
    assert not services.asked
    assert not AuditEvent.objects.filter(what__startswith="desk.").exists()
    assert not Note.objects.exists()


def test_a_call_that_was_only_offered_in_vain_is_not_theirs(page: Client, jonas: Agent) -> None:
    offer = desks.offered(jonas)
    desks.ended(offer, "missed")
    assert error(do(page, "note", call=offer.call_id, text="x")) == (404, "unknown_call")


@pytest.mark.parametrize("who", [people.mina, people.eve, people.ada])
def test_who_has_no_desk_is_told(client: Client, who: Any) -> None:
    client.force_login(who())
    assert error(do(client, "status", status="ready")) == (403, "not_allowed")
    assert error(client.get("/desk/search/?q=x")) == (403, "not_allowed")


def test_who_may_use_a_desk_and_is_no_agent_is_told(client: Client) -> None:
    client.force_login(people.jonas())
    assert error(do(client, "status", status="ready")) == (403, "no_agent")


def test_the_signed_out_are_told_in_json(client: Client) -> None:
    assert error(do(client, "status", status="ready")) == (401, "signed_out")
    assert error(client.get("/desk/search/")) == (401, "signed_out")


def test_a_post_of_another_site_is_refused(jonas: Agent) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(jonas.user)
    assert do(strict, "status", status="away").status_code == 403
    jonas.refresh_from_db()
    assert jonas.status == "ready"


def test_a_get_does_nothing_and_a_post_finds_nothing(page: Client) -> None:
    assert page.get("/desk/do/").status_code == 405
    assert page.post("/desk/search/").status_code == 405


def test_what_is_done_is_audited(page: Client, jonas: Agent, services: Services) -> None:
    offer = desks.offered(jonas, state="accepted")
    do(page, "hold", offer=offer.pk, on=True)
    do(page, "status", status="away")
    do(page, "note", call=offer.call_id, text="each two seconds")
    rows = AuditEvent.objects.filter(what__startswith="desk.").order_by("id")
    assert list(rows.values_list("who__username", "what", "on")) == [
        ("jonas", "desk.hold", f"call {offer.call_id}"),
        ("jonas", "desk.status", f"agent {jonas.pk}"),
    ]


# -- repeats, limits, bad input ----------------------------------------------------------------------
def test_the_same_id_again_is_the_same_command(page: Client, jonas: Agent, services: Services) -> None:
    offer = desks.offered(jonas, state="accepted")
    id_ = str(uuid.uuid4())
    first, again = (do(page, "hold", id=id_, offer=offer.pk, on=True).json()["command"] for _ in range(2))
    assert first == again
    assert len(services.asked) == 1


def test_the_id_of_anothers_command_tells_nothing(page: Client, jonas: Agent, services: Services) -> None:
    id_ = uuid.uuid4()
    Command.objects.create(id=id_, call=factories.call(), kind="call.hold", by=people.mina())
    offer = desks.offered(jonas, state="accepted")
    assert error(do(page, "hold", id=str(id_), offer=offer.pk, on=True)) == (409, "id_in_use")


def test_too_many_actions_are_told(page: Client, jonas: Agent) -> None:
    call = desks.offered(jonas, state="accepted").call
    answers = [do(page, "note", call=call.pk, text="x") for _ in range(3)]
    assert {one.status_code for one in answers} == {200}
    view._rate.burst = 0
    view._rate._left.clear()
    assert error(do(page, "note", call=call.pk, text="y")) == (429, "rate")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("no json", "bad_json"),
        ("[]", "bad_json"),
        ("[" * 9000, "bad_json"),
        ('{"x": "' + "x" * 70_000 + '"}', "bad_json"),
        ('{"x": "' + "x" * 300_000 + '"}', "bad_json"),
        ("{}", "unknown_kind"),
        ('{"do": "explode", "id": "UUID"}', "unknown_kind"),
        ('{"do": ["status"], "id": "UUID"}', "unknown_kind"),
        ('{"do": "status", "status": "ready"}', "bad_id"),
        ('{"do": "status", "status": "ready", "id": "7"}', "bad_id"),
        ('{"do": "status", "status": "ready", "id": {"a": 1}}', "bad_id"),
        ('{"do": "status", "status": 7, "id": "UUID"}', "bad_field"),
        ('{"do": "status", "id": "UUID"}', "bad_field"),
        ('{"do": "phone", "phone": "browser", "ok": 1, "id": "UUID"}', "bad_field"),
        ('{"do": "hold", "offer": 1, "id": "UUID"}', "bad_field"),
        ('{"do": "hold", "offer": "1", "on": true, "id": "UUID"}', "bad_field"),
        ('{"do": "hold", "offer": true, "on": true, "id": "UUID"}', "bad_field"),
        ('{"do": "hold", "offer": 1e400, "on": true, "id": "UUID"}', "bad_field"),
        ('{"do": "hold", "offer": 9223372036854775808, "on": true, "id": "UUID"}', "bad_field"),
        ('{"do": "transfer", "offer": 1, "to": "Sanne", "first": true, "id": "UUID"}', "bad_field"),
        (
            '{"do": "transfer", "offer": 1, "to": {"kind": "x", "key": "1"}, "first": true, "id": "UUID"}',
            "bad_field",
        ),
        ('{"do": "note", "call": 1, "text": ["x"], "id": "UUID"}', "bad_field"),
        ('{"do": "help", "offer": 1, "reason": "' + "x" * 201 + '", "id": "UUID"}', "bad_field"),
    ],
)
def test_what_cannot_be_done_is_told(page: Client, services: Services, body: str, code: str) -> None:
    body = body.replace("UUID", str(uuid.uuid4()))
    answer = page.post("/desk/do/", body, content_type="application/json")
    assert error(answer) == (400, code)
    assert not services.asked


@pytest.mark.parametrize("due", ["tomorrow", "2026-11-20", "2026-11-20T14:00", 7, None, "9" * 400])
def test_a_time_that_is_none_is_told(page: Client, jonas: Agent, due: Any) -> None:
    row = wrapping_up(jonas)
    assert error(do(page, "wrapup.done", wrapup=row.pk, callback={"due_at": due})) == (400, "bad_field")


def test_text_of_callers_is_data_in_ascii(page: Client, jonas: Agent) -> None:
    call = factories.call(caller="</script><b>\u2028é")
    desks.offered(jonas, call)
    answer = do(page, "status", status="away")
    assert answer["Content-Type"] == "application/json"
    assert answer.content.isascii()
    assert answer.json()["desk"]["context"]["caller"]["shown"] == call.caller
    assert "no-store" in answer["Cache-Control"]


def test_every_kind_has_its_test_of_whose_it_is() -> None:
    nobodys = {"status", "phone", "dial"}
    assert {kind for kind, _, _ in USED} | nobodys == set(ACTS)


# -- whom a call can go on to ------------------------------------------------------------------------
def found(client: Client, typed: str = "") -> dict[str, Any]:
    """The answer to a search."""
    answer: dict[str, Any] = client.get("/desk/search/", {"q": typed}).json()
    return answer


def test_colleagues_are_found_free_ones_first(page: Client, jonas: Agent) -> None:
    sanne = desks.sanne()
    free = Agent.objects.create(user=people.person("zoe", "Agent"), name="Zoë", identity="agent_zoe")
    desks.seated(free, desks.OTHER_TAB)
    assert found(page)["agents"] == [
        {"key": str(free.pk), "name": "Zoë", "state": "ready"},
        {"key": str(sanne.pk), "name": "Sanne", "state": "offline"},
    ]
    assert [one["name"] for one in found(page, "sann")["agents"]] == ["Sanne"]


def test_queues_are_found_with_who_waits(page: Client, jonas: Agent) -> None:
    queue = desks.support(jonas)
    desks.waits(queue)
    desks.waits(queue)
    Queue.objects.create(name="Sales")
    assert found(page, "sup")["queues"] == [{"key": str(queue.pk), "name": "Support", "waiting": 2}]


def test_a_number_is_read_as_people_write_it(page: Client) -> None:
    factories.number(e164="+31201234567")
    Destination.objects.create(prefix="+31", label="Netherlands")
    Destination.objects.create(prefix="+3161", label="Not these", allowed=False)
    assert found(page, "020 765 4321")["number"] == {
        "key": "+31207654321",
        "shown": "+31 20 765 4321",
        "allowed": True,
        "text": "",
    }
    for refused in ("+31 6 12345678", "+44 20 7946 0000", "+31 900 123456"):
        number = found(page, refused)["number"]
        assert not number["allowed"]
        assert number["text"]


@pytest.mark.parametrize("typed", ["", "sanne", "12", "\x00", "%", "<b>", "x" * 5000, "+", "+999999999999"])
def test_what_is_no_number_finds_none(page: Client, typed: str) -> None:
    assert found(page, typed)["number"] is None
    assert isinstance(found(page, typed)["agents"], list)


def test_a_search_takes_as_many_queries_for_many(
    page: Client, jonas: Agent, django_assert_max_num_queries: Any
) -> None:
    for n in range(12):
        user = User.objects.create(username=f"agent{n}")
        Agent.objects.create(user=user, name=f"Agent {n}", identity=f"agent_{n}")
        desks.waits(Queue.objects.create(name=f"Queue {n}"), Call.objects.create(caller="+31612345678"))
    with django_assert_max_num_queries(16):
        answer = found(page)
    assert (len(answer["agents"]), len(answer["queues"])) == (8, 8)
