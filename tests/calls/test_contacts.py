"""Contacts: found by number, written by many at once, told in words when something cannot be kept."""

import threading
from datetime import date

import pytest
from django.contrib.auth.hashers import check_password
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from calls import cards
from calls.models import Call, CallState, Contact, Event, Matter
from calls.refusal import Refused
from calls.services import contacts
from calls.text import csv_cell, from_csv_cell, paragraphs
from tests import factories, people

pytestmark = pytest.mark.django_db

NOW = factories.NOON


def save(contact=None, call=None, by=None, **fields):
    return contacts.save(
        contact_id=contact and contact.pk, call_id=call and call.pk, fields=fields, by=by, now=NOW
    )


def told(noun):
    return [(event.kind, event.key) for event in Event.objects.filter(noun=noun).order_by("id")]


# -- who calls ----------------------------------------------------------------------------------------------


def test_a_caller_is_found_by_number():
    carla = people.carla()
    assert contacts.match(people.CALLER) == carla


@pytest.mark.parametrize(
    "caller",
    [
        "",
        "anonymous",
        "Restricted",
        "client:agent_7",
        "sip:carla@example.com",
        "+266696687",
        "266696687",
        "+7378742833",
    ],
)
def test_a_caller_without_a_number_is_nobody(caller):
    Contact.objects.create(name="Nobody")
    Contact.objects.create(name="Placeholder", e164="+266696687")
    assert contacts.match(caller) is None


# -- text ---------------------------------------------------------------------------------------------------


def test_notes_keep_their_lines():
    assert paragraphs("one\r\ntwo\x00\x0b\u2028\n\n\nthree\u202e", 100) == "one\ntwo\n\nthree"


@given(st.text(max_size=80))
def test_a_defused_cell_is_no_formula_and_comes_back_whole(text):
    cell = csv_cell(text)
    assert cell[:1] not in set("=+-@\t\r") or cell[1:].isdigit()
    assert from_csv_cell(cell) == text


@pytest.mark.parametrize("text", ["=HYPERLINK(1)", "+31-20", "-1", "@SUM(1)", "\t=1", "'=1"])
def test_a_cell_that_a_spreadsheet_would_run_gets_an_apostrophe(text):
    assert csv_cell(text) == f"'{text}"


def test_other_cells_stay():
    assert [csv_cell(text) for text in ("'t Hooft", "+442079460100", "a=b")] == [
        "'t Hooft",
        "+442079460100",
        "a=b",
    ]


# -- a card -------------------------------------------------------------------------------------------------


def test_a_card_says_everything_that_is_wrong():
    kept, faults = cards.tidy(
        {
            "name": " ",
            "e164": "12",
            "tags": "x" * 201,
            "note": "n" * 4001,
            "code": "12",
            "born_on": "31.02.1980",
        },
        region="GB",
        today=date(2026, 11, 20),
    )
    assert kept == {}
    assert [fault.field for fault in faults] == ["name", "e164", "tags", "note", "code", "born_on"]


@pytest.mark.parametrize(
    ("written", "day"), [("1980-05-31", date(1980, 5, 31)), ("31.5.1980", date(1980, 5, 31)), ("", None)]
)
def test_a_date_of_birth(written, day):
    assert cards.tidy({"born_on": written}, region="", today=NOW.date()) == ({"born_on": day}, [])


@pytest.mark.parametrize("written", ["05/31/1980", "2030-01-01", "1850-01-01", "yesterday", "1980-13-01"])
def test_what_is_no_date_of_birth(written):
    assert cards.tidy({"born_on": written}, region="", today=NOW.date())[1]


@given(
    st.dictionaries(st.sampled_from([*contacts.FIELDS, "code", "born_on", "other"]), st.text(max_size=5000))
)
def test_a_card_never_raises_and_tells_of_each_field_once(fields):
    kept, faults = cards.tidy(fields, region="GB", today=NOW.date())
    assert sorted([*kept, *(fault.field for fault in faults)]) == sorted(set(fields) - {"other"})


# -- saving -------------------------------------------------------------------------------------------------


def test_a_contact_made_on_a_call_gets_all_calls_of_its_number():
    number = factories.number(e164="+442079460100")
    now, before = (
        factories.call(caller="+447700900123", number=number, state=state) for state in ("live", "ended")
    )
    other = factories.call(caller="+447700900999", number=number)
    made = save(call=now, name="Carla Visser", e164="07700 900123", tags=["vip", "VIP", "roof"])
    assert (made.e164, made.tags) == ("+447700900123", "VIP, roof")
    assert set(made.calls.all()) == {now, before}
    assert Call.objects.get(pk=other.pk).contact is None
    assert told("contact") == [("contact.created", str(made.pk))]
    assert told("call") == [("call.changed", str(now.pk))]


def test_a_call_from_elsewhere_belongs_to_whom_it_was_written_for():
    carla = people.carla()
    withheld = [factories.call(caller="") for _ in range(2)]
    save(carla, withheld[0], note="Called from work")
    assert [Call.objects.get(pk=call.pk).contact for call in withheld] == [carla, None]


def test_the_call_changes_hands_and_others_keep_theirs():
    carla = people.carla()
    first, second = (factories.call(contact=carla) for _ in range(2))
    made = save(call=first, name="Carla's brother")
    assert Call.objects.get(pk=first.pk).contact == made
    assert Call.objects.get(pk=second.pk).contact == carla


def test_only_what_is_given_changes():
    carla = people.carla()
    save(carla, note="Has a dog\nand a cat", unknown="x", code="1234", created_at="never")
    carla.refresh_from_db()
    assert (carla.name, carla.e164, carla.note) == ("Carla Visser", people.CALLER, "Has a dog\nand a cat")
    assert carla.code == ""


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({}, "name"),
        ({"name": "\x00\u202e \n"}, "name"),
        ({"name": "x" * 65_536}, "name"),
        ({"name": "\x00" * 65_536 + "Carla"}, "name"),
        ({"name": "Carla", "e164": "somewhere"}, "e164"),
        ({"name": "Carla", "company": "c" * 121}, "company"),
        ({"name": "Carla", "tags": [f"t{n}" for n in range(21)]}, "tags"),
        ({"name": "Carla", "note": "n" * 4001}, "note"),
    ],
)
def test_what_cannot_be_kept_is_refused_by_field(fields, field):
    with pytest.raises(Refused) as refused:
        save(**fields)
    assert refused.value.code == field
    assert refused.value.text.endswith(".")
    assert not Contact.objects.exists()
    assert not Event.objects.exists()


@pytest.mark.parametrize(
    ("name", "kept"), [("Ann\x00a", "Anna"), ("safe\u202egpj", "safegpj"), ("=1+1", "=1+1"), ("<b>", "<b>")]
)
def test_a_name_is_kept_as_text(name, kept):
    assert save(name=name).name == kept


@pytest.mark.parametrize(
    ("person", "text"), [(people.mina, "Carla Visser"), (people.jonas, "another contact")]
)
def test_a_number_of_somebody_else_is_refused_and_named_to_who_may_see(person, text):
    people.carla()
    with pytest.raises(Refused, match=text) as refused:
        save(name="Carl", e164=people.CALLER, by=person())
    assert refused.value.code == "e164"
    assert Contact.objects.count() == 1


def test_a_deleted_contact_and_a_deleted_call_are_told():
    with pytest.raises(Refused, match="deleted"):
        contacts.save(contact_id=99, call_id=None, fields={"name": "A"}, by=None, now=NOW)
    with pytest.raises(Refused, match="not there"):
        contacts.save(contact_id=None, call_id=99, fields={"name": "A"}, by=None, now=NOW)


@pytest.mark.django_db(transaction=True)
def test_of_many_who_save_one_new_number_one_wins_and_the_others_are_told():
    got, ready = [], threading.Barrier(4)

    def one(name):
        ready.wait()
        try:
            got.append(save(name=name, e164=people.CALLER).name)
        except Refused as refusal:
            got.append(refusal.text)
        finally:
            connection.close()

    threads = [threading.Thread(target=one, args=(name,)) for name in ("Ann", "Ben", "Cas", "Dee")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (winner,) = Contact.objects.all()
    assert sorted(got) == sorted([winner.name, *["This number belongs to another contact."] * 3])


def test_a_refusal_is_one_log_line_without_words_or_numbers(caplog):
    people.carla()
    with caplog.at_level("INFO", "contactcenter.contacts"), pytest.raises(Refused):
        save(name="Carl", e164=people.CALLER)
    (line,) = caplog.records
    assert (line.getMessage(), line.field) == ("contact.refused", "e164")
    assert "Carl" not in str(vars(line))


def test_numbers_are_read_as_in_the_country_of_most_of_ours():
    assert contacts.default_region() == ""
    for e164 in ("+442079460100", "+442079460101", "+31201234567"):
        factories.number(e164=e164)
    assert contacts.default_region() == "GB"
    assert save(name="Ann", e164="020 7946 0999").e164 == "+442079460999"


# -- codes and matters --------------------------------------------------------------------------------------


def test_a_code_is_kept_as_a_hash_and_can_be_forgotten():
    carla = people.carla()
    contacts.set_code(contact=carla, code="12 34 56", now=NOW)
    kept = Contact.objects.get(pk=carla.pk).code
    assert "123456" not in kept
    assert check_password("123456", kept)
    contacts.set_code(contact=carla, code="", now=NOW)
    assert Contact.objects.get(pk=carla.pk).code == ""


@pytest.mark.parametrize("code", ["123", "1" * 13, "12a4", "١٢٣٤", "-1234"])
def test_what_is_no_code(code):
    with pytest.raises(Refused, match="4 to 12 digits"):
        contacts.set_code(contact=people.carla(), code=code, now=NOW)


def test_a_matter_is_opened_and_closed_once():
    carla, mina = people.carla(), people.mina()
    matter = contacts.open_matter(contact_id=carla.pk, text="Roof\nleaks", by=mina, now=NOW)
    assert (matter.text, matter.opened_by) == ("Roof leaks", mina)
    assert contacts.close_matter(matter_id=matter.pk, by=mina, now=NOW)
    assert not contacts.close_matter(matter_id=matter.pk, by=mina, now=NOW)
    assert not contacts.close_matter(matter_id=999, by=mina, now=NOW)
    assert told("contact") == [("matter.opened", str(carla.pk)), ("matter.closed", str(carla.pk))]


@pytest.mark.parametrize("text", ["", "\x00 ", "x" * 201, "x" * 65_536])
def test_a_matter_says_something_short(text):
    with pytest.raises(Refused, match="200 characters"):
        contacts.open_matter(contact_id=people.carla().pk, text=text, by=None, now=NOW)


def test_a_matter_that_is_open_is_not_opened_again_in_the_same_words():
    carla, call = people.carla(), factories.call()

    def opened(**more):
        return contacts.open_matter(contact_id=carla.pk, by=people.mina(), now=NOW, **more)

    roof = opened(text="Roof leaks")
    assert opened(text=" Roof leaks") == roof
    on_a_call = opened(text="Roof leaks", call_id=call.pk)
    assert opened(text="Roof leaks", call_id=call.pk) == on_a_call != roof
    contacts.close_matter(matter_id=roof.pk, by=None, now=NOW)
    assert opened(text="Roof leaks") != roof


def test_open_matters_are_bounded():
    carla = people.carla()
    Matter.objects.bulk_create(Matter(contact=carla, text="x") for _ in range(50))
    with pytest.raises(Refused, match="Close some"):
        contacts.open_matter(contact_id=carla.pk, text="one more", by=None, now=NOW)


def test_ended_calls_are_linked_in_silence():
    factories.call(state=CallState.ENDED)
    save(name="Carla", e164=people.CALLER)
    assert told("call") == []
    assert Call.objects.filter(contact__name="Carla").exists()
