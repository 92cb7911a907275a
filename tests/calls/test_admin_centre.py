"""The admin of the centre: contacts, their import, queues, hours, agents, teams; who may do what."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth.hashers import check_password
from django.contrib.sessions.models import Session
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from calls.admin.contacts import ContactForm
from calls.models import (
    Agent,
    AuditEvent,
    BlockedCaller,
    Call,
    Callback,
    Conference,
    Contact,
    Destination,
    Event,
    Holiday,
    Hours,
    Matter,
    Note,
    Offer,
    OpeningTime,
    Queue,
    Team,
    User,
    Voicemail,
    Waiting,
    WrapUp,
)
from tests import factories, people

pytestmark = pytest.mark.django_db

IMPORT = "/admin/calls/contact/import/"
SEEN_BY_ADA = [
    "contact", "queue", "hours", "team", "blockedcaller", "destination", "agent", "user",
    "waiting", "offer", "callback", "voicemail", "wrapup", "note", "conference",
]  # fmt: skip
SEEN_BY_MINA = set(SEEN_BY_ADA) - {"user", "wrapup", "note", "conference"}
ADDED_BY_MINA = {"contact", "blockedcaller"}


def signed_in(person) -> Client:
    client = Client()
    client.force_login(person)
    return client


@pytest.fixture
def ada() -> Client:
    return signed_in(people.ada())


@pytest.fixture
def mina() -> Client:
    return signed_in(people.mina())


def address(model, *args, do="changelist"):
    return reverse(f"admin:calls_{model}_{do}", args=args)


def rows(inlines):
    """The management fields of inline forms, and their rows: prefix → list of {field: value}."""
    fields: dict[str, object] = {}
    for prefix, given in inlines.items():
        fields |= {f"{prefix}-TOTAL_FORMS": len(given), f"{prefix}-INITIAL_FORMS": 0}
        fields |= {
            f"{prefix}-{at}-{name}": value for at, row in enumerate(given) for name, value in row.items()
        }
    return fields


def errors(answer):
    """Every error on the page, by field; of inlines too."""
    form = answer.context["adminform"].form
    found = {name: " ".join(texts) for name, texts in form.errors.items()}
    for formset in answer.context["inline_admin_formsets"]:
        found |= (
            {"inline": " ".join(formset.formset.non_form_errors())}
            if formset.formset.non_form_errors()
            else {}
        )
        for each in formset.formset.errors:
            found |= {name: " ".join(texts) for name, texts in each.items()}
    return found


# -- who may see and do what --------------------------------------------------------------------------------


@pytest.fixture
def centre():
    """One row of everything."""
    call, queue, agent = factories.call(), Queue.objects.create(name="Support"), people.agent_jonas()
    now = timezone.now()
    Waiting.objects.create(call=call, queue=queue)
    Offer.objects.create(call=call, agent=agent, until=now)
    Callback.objects.create(call=call, e164=people.CALLER, place_at=now, due_at=now)
    Voicemail.objects.create(call=call, recording_sid="RE1")
    WrapUp.objects.create(call=call, agent=agent, due_at=now)
    Note.objects.create(call=call, by=people.jonas(), text="long " * 40)
    Conference.objects.create(call=call, name="call-1-1", round=1)
    hours = Hours.objects.create(name="Office")
    Holiday.objects.create(hours=hours, day=now.date() + timedelta(days=9), name="Feast")
    for made in (Team, BlockedCaller, Destination):
        field = {Team: "name", BlockedCaller: "e164", Destination: "prefix"}[made]
        made.objects.create(**{field: "+31"})
    people.carla()


@pytest.mark.parametrize("model", SEEN_BY_ADA)
def test_ada_sees_every_list_and_row(ada, centre, model):
    listed = ada.get(address(model), {"q": "a"})
    assert listed.status_code == 200
    first = ada.get(address(model)).context["cl"].queryset.first()
    assert ada.get(address(model, first.pk, do="change")).status_code == 200


@pytest.mark.parametrize("model", SEEN_BY_ADA)
def test_mina_sees_what_supervisors_see(mina, centre, model):
    assert mina.get(address(model)).status_code == (200 if model in SEEN_BY_MINA else 403)
    assert mina.get(address(model, do="add")).status_code == (200 if model in ADDED_BY_MINA else 403)


@pytest.mark.parametrize("model", SEEN_BY_ADA)
def test_jonas_sees_nothing_of_the_admin(centre, model):
    client = signed_in(people.jonas())
    assert client.get(address(model)).status_code == 302
    User.objects.filter(username=people.JONAS).update(is_staff=True)
    assert client.get(address(model)).status_code == 403
    assert client.get(IMPORT).status_code == 403


@pytest.mark.parametrize(
    "model", ["waiting", "offer", "callback", "voicemail", "wrapup", "note", "conference"]
)
def test_what_happened_cannot_be_changed_by_hand(ada, centre, model):
    first = ada.get(address(model)).context["cl"].queryset.first()
    assert ada.post(address(model, first.pk, do="change"), {"reason": "x"}).status_code == 403
    assert ada.post(address(model, first.pk, do="delete"), {"post": "yes"}).status_code == 403
    assert ada.get(address(model, do="add")).status_code == 403


def test_mina_sees_the_queues_and_waiting_callers_of_her_teams(mina):
    hers, other = (Team.objects.create(name=name) for name in ("Hers", "Other"))
    hers.people.add(people.mina())
    for team in (hers, other, None):
        queue = Queue.objects.create(name=str(team), team=team)
        Waiting.objects.create(call=factories.call(team=team, queue=queue), queue=queue)
    for model in ("queue", "waiting"):
        seen = mina.get(address(model)).context["cl"].queryset
        assert {str(getattr(row, "queue", row).name) for row in seen} == {"Hers", "None"}
    assert mina.get(address("queue", Queue.objects.get(name="Other").pk, do="change")).status_code == 302


# -- contacts -----------------------------------------------------------------------------------------------

CARD = {"name": "Carla", "e164": "", "company": "", "tags": "", "note": "", "born_on": "", "new_code": ""}


def test_mina_writes_a_contact_down_and_its_calls_are_found(mina):
    factories.number(e164="+442079460100")
    call = factories.call(caller="+447700900123")
    card = {**CARD, "e164": "07700 900123", "tags": "a,A", "note": "one\r\ntwo"}
    mina.post(address("contact", do="add"), {**card, **rows({"matters": []})})
    made = Contact.objects.get()
    assert (made.e164, made.tags, made.note) == ("+447700900123", "A", "one\ntwo")
    assert Call.objects.get(pk=call.pk).contact == made
    assert [event.kind for event in Event.objects.order_by("id")] == ["contact.created", "call.changed"]
    page = mina.get(address("contact", made.pk, do="change")).content.decode()
    assert reverse("admin:calls_call_change", args=[call.pk]) in page


@pytest.mark.parametrize(
    ("card", "field", "text"),
    [
        ({"name": ""}, "name", "required"),
        ({"name": "x" * 65_536}, "name", "120"),
        ({"name": "a\x00b"}, "name", "Null"),
        ({"name": "\u202e"}, "name", "needs a name"),
        ({"e164": "somewhere"}, "e164", "with digits"),
        ({"e164": people.CALLER}, "e164", "belongs to Carla Visser"),
        ({"e164": "+266696687"}, "e164", "withholds"),
        ({"new_code": "12"}, "new_code", "4 to 12 digits"),
        ({"new_code": "1234", "forget_code": "on"}, "new_code", "not both"),
        ({"born_on": "2999-01-01"}, "born_on", "between 1900 and today"),
        ({"note": "n" * 5000}, "note", "4000"),
    ],
)
def test_what_a_card_cannot_hold_is_told_at_its_field(ada, card, field, text):
    people.carla()
    answer = ada.post(address("contact", do="add"), {**CARD, **card, **rows({"matters": []})})
    assert text in errors(answer)[field]
    assert Contact.objects.count() == 1


def test_a_number_taken_in_the_same_moment_is_told_with_the_form_still_filled(ada, monkeypatch):
    """The first look sees nothing yet, the constraint does; the second look tells."""
    check = ContactForm._check_number

    def blind(*_):
        monkeypatch.setattr(ContactForm, "_check_number", check)

    monkeypatch.setattr(ContactForm, "_check_number", blind)
    monkeypatch.setattr(Contact, "validate_constraints", lambda *_, **__: None)
    people.carla()
    card = {**CARD, "name": "Second", "e164": people.CALLER}
    answer = ada.post(address("contact", do="add"), {**card, **rows({"matters": []})})
    assert "belongs to Carla Visser" in errors(answer)["e164"]
    assert answer.context["adminform"].form["name"].value() == "Second"
    assert Contact.objects.count() == 1
    assert not Event.objects.exists()


def test_a_code_is_written_and_never_shown(ada):
    carla = people.carla()
    change = address("contact", carla.pk, do="change")
    given = {**CARD, "e164": people.CALLER, "new_code": "471100", **rows({"matters": []})}
    assert "not set" in ada.get(change).content.decode()
    assert ada.post(change, given).status_code == 302
    carla.refresh_from_db()
    assert check_password("471100", carla.code)
    page = ada.get(change).content.decode()
    assert "471100" not in page
    assert carla.code not in page
    assert AuditEvent.objects.get().what == "contact.code"
    ada.post(change, {**given, "new_code": ""})
    assert Contact.objects.get().code
    ada.post(change, {**given, "new_code": "", "forget_code": "on"})
    assert Contact.objects.get().code == ""


def test_a_matter_knows_who_opened_and_closed_it(ada):
    carla = people.carla()
    change = address("contact", carla.pk, do="change")
    card = {**CARD, "e164": people.CALLER}
    ada.post(change, {**card, **rows({"matters": [{"text": "Roof leaks"}]})})
    matter = Matter.objects.get()
    assert matter.opened_by == people.ada()
    closing = {"id": matter.pk, "contact": carla.pk, "text": "Roof leaks"}
    closing |= {"closed_at_0": "2026-11-20", "closed_at_1": "12:00"}
    ada.post(change, {**card, **rows({"matters": [closing]}), "matters-INITIAL_FORMS": 1})
    assert Matter.objects.get().closed_by == people.ada()


def test_contacts_are_searched_and_filtered(ada):
    people.carla()
    Contact.objects.create(name="Nobody", code="x")
    for asked, names in [
        ({"q": "visser"}, {"Carla Visser"}),
        ({"known": "code"}, {"Nobody"}),
        ({"known": "open"}, set()),
    ]:
        assert {one.name for one in ada.get(address("contact"), asked).context["cl"].queryset} == names


def test_a_deleted_contact_leaves_its_calls(ada):
    carla = people.carla()
    call = factories.call(contact=carla)
    ada.post(address("contact", carla.pk, do="delete"), {"post": "yes"})
    assert Call.objects.get(pk=call.pk).contact is None
    assert Event.objects.get().kind == "contact.deleted"


def test_ada_exports_contacts_that_no_spreadsheet_runs(ada, mina):
    carla = Contact.objects.create(name="=1+1", e164=people.CALLER, note="-2", code="secret")
    asked = {"action": "export", "_selected_action": [carla.pk]}
    answer = ada.post(address("contact"), asked)
    assert answer.content.decode("utf-8-sig").splitlines() == [
        "number".join(["name,", ",company,tags,note"]),
        "'=1+1,+31612345678,,,'-2",
    ]
    assert AuditEvent.objects.get().what == "contacts.export"
    assert "text/csv" not in mina.post(address("contact"), asked)["Content-Type"]


# -- the import ---------------------------------------------------------------------------------------------


def send(client, text, **fields):
    data = text if isinstance(text, bytes) else text.encode()
    file = SimpleUploadedFile("people.csv", data, "text/csv")
    return client.post(IMPORT, {"file": file, "known": "skip", "region": "GB", **fields})


def test_a_file_is_shown_first_and_imported_when_confirmed(ada):
    shown = send(ada, "name,number,note\n<b>Ann</b>,07700 900123,=1+1\n")
    page = shown.content.decode()
    assert "Import 1 contact" in page
    assert "&lt;b&gt;Ann&lt;/b&gt;" in page
    assert not Contact.objects.exists()
    done = ada.post(IMPORT, {"confirm": "yes", "digest": shown.context["draft"].digest()}, follow=True)
    assert "Imported: 1 new, 0 changed." in done.content.decode()
    assert Contact.objects.get().note == "=1+1"
    assert AuditEvent.objects.get().what == "contacts.import"
    assert Session.objects.count() == 1  # Ada's own: the file is gone


def test_wrong_lines_are_told_by_line_and_column_and_stop_the_import(ada):
    shown = send(ada, "name,number\nAnn,07700 900123\nBen,12\n")
    assert "<td>3</td><td>number</td>" in shown.content.decode()
    confirm = {"confirm": "yes", "digest": shown.context["draft"].digest()}
    assert "Nothing was imported" in ada.post(IMPORT, confirm, follow=True).content.decode()
    assert not Contact.objects.exists()
    ada.post(IMPORT, {**confirm, "skip_wrong": "on"})
    assert Contact.objects.get().name == "Ann"


def test_a_page_never_imports_another_file_than_it_showed(ada):
    first = send(ada, "name\nAnn\n").context["draft"].digest()
    send(ada, "name\nBen\n")
    assert (
        "another file came after it"
        in ada.post(IMPORT, {"confirm": "yes", "digest": first}, follow=True).content.decode()
    )
    assert not Contact.objects.exists()


def test_another_file_can_be_taken(ada):
    send(ada, "name\nAnn\n")
    assert ada.post(IMPORT, {"cancel": "yes"}).status_code == 302
    assert Session.objects.count() == 1


@pytest.mark.parametrize(
    ("data", "fields", "field", "text"),
    [
        (b"", {}, "file", "empty"),
        (b"PK\x03\x04", {}, "file", "CSV UTF-8"),
        (b"x" * (5 * 1024 * 1024 + 1), {}, "file", "5 MB"),
        (b"name\nAnn\n", {"region": "XX"}, "region", "two letters"),
        (b"name\nAnn\n", {"known": "what"}, "known", "valid choice"),
        (b"name,code\n" + b"".join(b"Ann %d,1234\n" % n for n in range(21)), {}, "file", "import_contacts"),
    ],
)
def test_a_file_that_cannot_be_used_is_told_at_its_field(ada, data, fields, field, text):
    answer = send(ada, data, **fields)
    assert text in " ".join(answer.context["form"].errors[field])


def test_mina_imports_nothing(mina):
    assert mina.get(IMPORT).status_code == 403
    assert send(mina, "name\nAnn\n").status_code == 403
    assert b"Import contacts" not in mina.get(address("contact")).content


# -- queues -------------------------------------------------------------------------------------------------

QUEUE = {
    "name": "Support", "team": "", "priority": 0, "target_percent": 80, "target_seconds": 20,
    "warn_seconds": 30, "bad_seconds": 90, "ring_seconds": 20, "wrapup_seconds": 30, "music": "",
    "max_waiting": 50, "overflow_seconds": 600, "overflow": "stay", "overflow_queue": "", "overflow_to": "",
}  # fmt: skip


def put_queue(client, queue=None, outcomes=(), **fields):
    to = address("queue", queue.pk, do="change") if queue else address("queue", do="add")
    return client.post(to, {**QUEUE, **fields, **rows({"outcomes": list(outcomes)})})


def test_ada_makes_a_queue_with_agents_and_outcomes(ada):
    factories.number(e164="+442079460100")
    agent = people.agent_jonas()
    outcomes = [{"label": "Solved", "order": 1, "active": "on"}, {"label": "Sold", "order": 2}]
    answer = put_queue(
        ada, agents=[agent.pk], outcomes=outcomes, overflow="phone", overflow_to="020 7946 0999"
    )
    assert answer.status_code == 302
    queue = Queue.objects.get()
    assert (list(queue.agents.all()), queue.overflow_to) == ([agent], "+442079460999")
    assert [(one.label, one.active) for one in queue.outcomes.all()] == [("Solved", True), ("Sold", False)]


def test_walls_hear_of_another_queue_and_of_who_answers_it(ada):
    put_queue(ada)
    queue = Queue.objects.get()
    put_queue(ada, queue, agents=[people.agent_jonas().pk])
    ada.post(address("queue", queue.pk, do="delete"), {"post": "yes"})
    found = Event.objects.filter(noun="queue", key=str(queue.pk)).order_by("id")
    assert [event.kind for event in found] == ["queue.changed", "queue.changed", "queue.deleted"]


def test_walls_hear_of_another_team_and_of_who_is_in_it(ada):
    ada.post(address("team", do="add"), {"name": "North"})
    team = Team.objects.get()
    ada.post(address("team", team.pk, do="change"), {"name": "North", "people": [people.jonas().pk]})
    ada.post(address("team", team.pk, do="delete"), {"post": "yes"})
    found = Event.objects.filter(noun="team", key=str(team.pk)).order_by("id")
    assert [event.kind for event in found] == ["team.changed", "team.changed", "team.deleted"]


@pytest.mark.parametrize(
    ("fields", "field", "text"),
    [
        ({"overflow": "queue"}, "overflow_queue", "Choose where callers go"),
        ({"overflow": "phone"}, "overflow_to", "Choose where callers go"),
        ({"overflow": "phone", "overflow_to": "020 7946"}, "overflow_to", "country code"),
        ({"warn_seconds": 90, "bad_seconds": 30}, "bad_seconds", "not shorter"),
        ({"ring_seconds": 61}, "ring_seconds", "60"),
        ({"music": "ftp://example.com/a.mp3"}, "music", "https://"),
        ({"name": ""}, "name", "required"),
    ],
)
def test_a_queue_that_leads_nowhere_is_refused_in_words(ada, fields, field, text):
    assert text in errors(put_queue(ada, **fields))[field]
    assert not Queue.objects.exists()


def test_an_outcome_stands_in_a_queue_once(ada):
    answer = put_queue(ada, outcomes=[{"label": "Solved", "order": 1}, {"label": "Solved", "order": 2}])
    assert answer.status_code == 200
    assert not Queue.objects.exists()


def test_an_overflow_never_goes_round(ada):
    sales = Queue.objects.create(name="Sales")
    support = Queue.objects.create(name="Support", overflow="queue", overflow_queue=sales)
    night = Queue.objects.create(name="Night", overflow="queue", overflow_queue=support)
    into = {"name": "Sales", "overflow": "queue"}
    for to, way in [
        (sales, "Sales → Sales"),
        (support, "Sales → Support → Sales"),
        (night, "Sales → Night → Support → Sales"),
    ]:
        answer = put_queue(ada, sales, **into, overflow_queue=to.pk)
        assert f"round in a circle: {way}." in errors(answer)["overflow_queue"]
    assert put_queue(ada, sales, name="Sales", overflow_queue=night.pk).status_code == 302  # it stays: no way


def test_a_queue_in_use_cannot_be_deleted(ada):
    queue = Queue.objects.create(name="Support")
    waiting = Waiting.objects.create(call=factories.call(), queue=queue)
    delete = address("queue", queue.pk, do="delete")
    assert ada.post(delete, {"post": "yes"}).status_code == 403
    assert "1 waiting caller" in ada.get(address("queue", queue.pk, do="change")).content.decode()
    Waiting.objects.filter(pk=waiting.pk).update(left_at=timezone.now(), result="answered")
    number = factories.number(queue=queue)
    assert ada.post(delete, {"post": "yes"}).status_code == 403
    number.delete()
    ada.post(delete, {"post": "yes"})
    assert not Queue.objects.exists()


# -- hours --------------------------------------------------------------------------------------------------


def put_hours(client, times=(), holidays=(), **fields):
    inlines = rows({"times": list(times), "holidays": list(holidays)})
    return client.post(
        address("hours", do="add"), {"name": "Office", "time_zone": "Europe/Amsterdam", **fields, **inlines}
    )


def span(opens, closes, weekday=0):
    return {"weekday": weekday, "opens": opens, "closes": closes}


def test_ada_writes_down_a_week_and_a_holiday(ada):
    times = [span("09:00", "12:30"), span("13:00", "00:00"), span("09:00", "17:00", 4)]
    assert put_hours(ada, times, [{"day": "2026-12-25", "name": "Christmas"}]).status_code == 302
    assert OpeningTime.objects.count() == 3
    assert Holiday.objects.get().opens is None
    assert "Monday 09:00–12:30" in ada.get(address("hours")).content.decode()


def test_the_list_says_what_is_open_now_and_when_it_opens_next(monkeypatch):
    monkeypatch.setattr("django.utils.timezone.now", lambda: factories.NOON)  # a Friday
    weeks = {"Always": [("00:00", "00:00")] * 7, "Office": [("09:00", "17:00")] * 5, "Never": []}
    for name, times in weeks.items():
        hours = Hours.objects.create(name=name, time_zone="Europe/Amsterdam")
        for day, (opens, closes) in enumerate(times):
            OpeningTime.objects.create(hours=hours, weekday=day, opens=opens, closes=closes)
    page = signed_in(people.ada()).get(address("hours")).content.decode()
    cells = re.findall(r'field-open_now"><img [^>]*alt="(\w+)"|field-next_opening">([^<]*)<', page)
    assert [flag or text for flag, text in cells] == [
        "True", "—", "False", "—", "True", "Monday 23 November, 09:00",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("times", "holidays", "fields", "text"),
    [
        ([span("12:00", "09:00")], [], {}, "closes later than it opens"),
        ([span("09:00", "12:00"), span("11:00", "13:00")], [], {}, "overlap"),
        ([span("09:00", "00:00"), span("11:00", "13:00")], [], {}, "overlap"),
        ([], [{"day": "2026-12-25", "name": "X", "opens": "09:00"}], {}, "both times"),
        ([], [{"day": "2026-12-25", "name": "X", "opens": "12:00", "closes": "09:00"}], {}, "closes later"),
        ([], [{"day": "2026-12-25", "name": "X"}, {"day": "2026-12-25", "name": "Y"}], {}, "duplicate"),
        ([], [], {"time_zone": "Mars/Olympus"}, "no time zone"),
    ],
)
def test_hours_that_cannot_be_are_told(ada, times, holidays, fields, text):
    answer = put_hours(ada, times, holidays, **fields)
    assert answer.status_code == 200
    assert text in str(errors(answer))
    assert not Hours.objects.exists()


def test_a_full_page_of_hours_can_be_saved(ada):
    """No more fields than Django takes in one post."""
    hours = Hours.objects.create(name="Office")
    OpeningTime.objects.bulk_create(
        OpeningTime(hours=hours, weekday=day, opens=f"{hour:02}:00", closes=f"{hour + 1:02}:00")
        for day in range(7)
        for hour in (8, 10, 12)
    )
    day = timezone.now().date()
    Holiday.objects.bulk_create(
        Holiday(hours=hours, day=day + timedelta(days=n), name=f"Day {n}") for n in range(25)
    )
    page = ada.get(address("hours", hours.pk, do="change"))
    fields = {"name": "Office", "time_zone": "UTC"}
    for inline in page.context["inline_admin_formsets"]:
        for form in [*inline.formset.forms, inline.formset.empty_form, inline.formset.management_form]:
            fields |= {form.add_prefix(name): _typed(form[name].value()) for name in form.fields}
    assert len(fields) < 400
    assert ada.post(address("hours", hours.pk, do="change"), fields).status_code == 302


def _typed(value):
    return "" if value is None else value


# -- blocked callers, destinations, teams -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("+44 7700 900123", "+447700900123"),
        ("Anonymous", "withheld"),
        ("+266696687", "withheld"),
        ("SIP:spam@example.com", "sip:spam@example.com"),
        ("client:agent_7", "client:agent_7"),
    ],
)
def test_mina_blocks_a_caller_as_calls_carry_them(mina, typed, kept):
    mina.post(address("blockedcaller", do="add"), {"e164": typed, "reason": "spam"})
    blocked = BlockedCaller.objects.get()
    assert (blocked.e164, blocked.created_by) == (kept, people.mina())


@pytest.mark.parametrize(
    ("fields", "field", "text"),
    [
        ({"e164": "somebody"}, "e164", "Or write client:…"),
        ({"e164": "sip:"}, "e164", "with digits"),
        ({"e164": "private"}, "e164", "blocked already"),
        ({"e164": "+31612345678", "until_0": "2020-01-01", "until_1": "12:00"}, "until", "has passed"),
    ],
)
def test_what_cannot_be_blocked_is_told(mina, fields, field, text):
    BlockedCaller.objects.create(e164="withheld")
    assert text in errors(mina.post(address("blockedcaller", do="add"), fields))[field]


@pytest.mark.parametrize(("typed", "kept"), [("+44 20", "+4420"), ("0031", "+31"), (" +1 (212) ", "+1212")])
def test_ada_allows_a_destination(ada, typed, kept):
    ada.post(address("destination", do="add"), {"prefix": typed, "label": "There", "allowed": "on"})
    assert Destination.objects.get().prefix == kept


@pytest.mark.parametrize("typed", ["31", "+", "+0", "+31x", "+1234567890123456"])
def test_what_is_no_destination_is_told(ada, typed):
    assert "prefix" in errors(ada.post(address("destination", do="add"), {"prefix": typed, "label": "There"}))


def test_ada_makes_a_team(ada):
    ada.post(address("team", do="add"), {"name": "North", "people": [people.mina().pk, people.jonas().pk]})
    assert Team.objects.get().people.count() == 2


# -- agents and users ---------------------------------------------------------------------------------------


def put_agent(client, agent, **fields):
    given = {
        "user": agent.user_id,
        "name": "Jonas",
        "identity": "agent_jonas",
        "phone": "browser",
        "e164": "",
    }
    return client.post(address("agent", agent.pk, do="change"), {**given, **fields})


def test_ada_gives_an_agent_queues_and_a_telephone(ada):
    agent, queue = people.agent_jonas(), Queue.objects.create(name="Support")
    assert (
        put_agent(ada, agent, queues=[queue.pk], phone="telephone", e164="+44 20 7946 0999").status_code
        == 302
    )
    agent.refresh_from_db()
    assert (agent.e164, list(agent.queues.all())) == ("+442079460999", [queue])
    assert Event.objects.get().kind == "agent.changed"


@pytest.mark.parametrize(
    ("fields", "field", "text"),
    [
        ({"identity": "agent jonas"}, "identity", "31105"),
        ({"identity": "supervisor_7"}, "identity", "supervisors"),
        ({"phone": "telephone"}, "e164", "needs one"),
        ({"e164": "+442079460999"}, "e164", "telephone of Amira"),
        ({"e164": "12"}, "e164", "12"),
    ],
)
def test_an_agent_that_twilio_would_not_reach_is_refused(ada, fields, field, text):
    Agent.objects.create(user=people.eve(), name="Amira", identity="amira", e164="+442079460999")
    assert text in errors(put_agent(ada, people.agent_jonas(), **fields))[field]


@pytest.mark.parametrize(
    ("fields", "offer", "wrapup", "state"),
    [
        ({"status": "ready"}, None, False, "Offline"),
        ({"status": "ready", "seen": True}, None, False, "Ready"),
        ({"status": "away", "reason": "lunch", "seen": True}, None, False, "Away (lunch)"),
        ({"status": "ready", "seen": True}, "ringing", False, "Ringing"),
        ({"status": "ready"}, "accepted", False, "On a call"),
        ({"status": "ready", "seen": True}, None, True, "Wrap-up"),
    ],
)
def test_the_list_of_agents_says_what_each_is_doing(ada, fields, offer, wrapup, state):
    agent, now = people.agent_jonas(), timezone.now()
    present = now + timedelta(seconds=20) if fields.pop("seen", False) else None
    Agent.objects.filter(pk=agent.pk).update(**fields, present_until=present)
    if offer:
        Offer.objects.create(call=factories.call(), agent=agent, state=offer, until=now)
    if wrapup:
        WrapUp.objects.create(call=factories.call(), agent=agent, due_at=now)
    assert f'<td class="field-state">{state}</td>' in ada.get(address("agent")).content.decode()


def test_a_longer_list_of_agents_asks_no_more(ada):
    def queries():
        with CaptureQueriesContext(connection) as asked:
            ada.get(address("agent"))
        return len(asked)

    people.agent_jonas()
    one = queries()
    for person in (people.mina(), people.eve()):
        agent = Agent.objects.create(user=person, name=person.username, identity=person.username)
        Offer.objects.create(call=factories.call(), agent=agent, state="ringing", until=timezone.now())
    assert queries() == one


def test_a_forced_sign_out_frees_the_desk_and_leaves_the_call(ada):
    agent = people.agent_jonas()
    present = timezone.now() + timedelta(seconds=20)
    Agent.objects.filter(pk=agent.pk).update(status="ready", present_until=present, desk="tab", phone_ok=True)
    offer = Offer.objects.create(call=factories.call(), agent=agent, state="accepted", until=present)
    theirs, other = signed_in(people.jonas()), signed_in(people.eve())
    asked = ada.get(address("agent", agent.pk, "sign-out", do="do"))
    assert b"A call that they are on goes on" in asked.content
    done = ada.post(address("agent", agent.pk, "sign-out", do="do"), follow=True)
    assert "1 session ended" in done.content.decode()
    agent.refresh_from_db()
    assert (agent.status, agent.present_until, agent.desk, agent.phone_ok) == ("offline", None, "", False)
    offer.refresh_from_db()
    assert offer.state == "accepted"
    assert "_auth_user_id" not in theirs.session
    assert "_auth_user_id" in other.session
    assert AuditEvent.objects.get().what == "admin.sign-out"
    assert Event.objects.get().kind == "agent.signed_out"


def test_mina_signs_nobody_out(mina):
    assert mina.post(address("agent", people.agent_jonas().pk, "sign-out", do="do")).status_code == 403


def test_an_agent_on_a_call_is_not_deleted(ada):
    agent = people.agent_jonas()
    Offer.objects.create(call=factories.call(), agent=agent, state="accepted", until=timezone.now())
    assert ada.post(address("agent", agent.pk, do="delete"), {"post": "yes"}).status_code == 403


def test_ada_makes_no_superuser_and_touches_none(ada):
    root = User.objects.create_superuser("root", password=people.PASSWORD)
    me = people.ada()
    given: dict[str, object] = {
        "username": "ada",
        "date_joined_0": "2026-01-01",
        "date_joined_1": "00:00",
        "is_active": "on",
        "is_staff": "on",
    }
    given |= {
        "is_superuser": "on",
        "user_permissions": ["1"],
        "groups": [group.pk for group in me.groups.all()],
    }
    assert ada.post(address("user", me.pk, do="change"), given).status_code == 302
    me.refresh_from_db()
    assert (me.is_superuser, me.user_permissions.count(), me.groups.count()) == (False, 0, 1)
    assert ada.post(address("user", root.pk, do="change"), given).status_code == 403
    assert ada.post(address("user", root.pk, do="delete"), {"post": "yes"}).status_code == 403
    password = {"password1": "another long one 1", "password2": "another long one 1"}
    assert ada.post(reverse("admin:auth_user_password_change", args=[root.pk]), password).status_code == 403
