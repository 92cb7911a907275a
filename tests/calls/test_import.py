"""Contacts from a file: every line is reported once, nothing is written that was not shown, nothing runs."""

import csv
import io
import threading

import pytest
from django.contrib.auth.hashers import check_password
from django.core.management import CommandError, call_command
from django.db import connection
from hypothesis import example, given
from hypothesis import strategies as st

from calls import sheet
from calls.models import AuditEvent, Call, Contact
from calls.refusal import Refused
from calls.services import import_drafts, importing
from calls.services.import_drafts import Draft
from calls.text import from_csv_cell
from tests import factories, people

TODAY = factories.NOON.date()
HEAD = "name,number,company,tags,note,code,born_on\n"
LINE = st.text(st.sampled_from('a1+,;"=\n\r\t\x00é \u202e'), max_size=40)
CELL = st.text(st.one_of(st.characters(categories=["L", "N", "P", "S"]), st.sampled_from(" \n")), max_size=20)
FILE = st.one_of(
    st.binary(max_size=300),
    st.lists(LINE, max_size=12).map(lambda lines: "\n".join(["name,number,note", *lines]).encode()),
)


def read(text):
    data = text if isinstance(text, bytes) else text.encode()
    return sheet.read(data, importing.COLUMNS, needed="name")


def plan(text, update=False, region=""):
    return importing.plan(data=text.encode(), update=update, region=region, today=TODAY)


def apply(text, update=False, region="", skip_wrong=False, by=None):
    return importing.apply(
        data=text.encode(), update=update, region=region, skip_wrong=skip_wrong, by=by, now=factories.NOON
    )


def does(judged):
    return [(step.line, step.does) for step in judged.steps]


def faults(judged):
    return [(step.line, fault.field) for step in judged.steps for fault in step.faults]


# -- reading ------------------------------------------------------------------------------------------------


@given(FILE)
@example(b"")
@example(b'name\n"')
@example(b'name\na","\na","\na","\n')
@example(b"\xff\xfen\x00a\x00")
@example("name\n\u2028\x85\n".encode())
def test_a_file_never_breaks_the_reader_and_each_line_is_told_once(data):
    found = read(data)
    if found.fault:
        assert not found.lines
        return
    spans = [number for line in found.lines for number in range(line.number, line.upto + 1)]
    assert len(spans) == len(set(spans))
    text = data.decode("utf-8-sig", "ignore") if not data.startswith((b"\xff\xfe", b"\xfe\xff")) else ""
    if data.startswith(b"name,number,note\n"):
        assert len(spans) + found.empty == len(list(io.StringIO(text.replace("\0", ""), newline=""))) - 1


@given(st.lists(st.lists(CELL, min_size=3, max_size=3), max_size=8))
def test_what_a_spreadsheet_saves_is_read_back(rows):
    out = io.StringIO(newline="")
    csv.writer(out).writerows([["name", "company", "note"], *rows])
    kept = [[from_csv_cell(cell.strip()) for cell in row] for row in rows]
    lines = read(out.getvalue()).lines
    assert [list(line.cells.values()) for line in lines] == [row for row in kept if any(row)]


@pytest.mark.parametrize(
    "data",
    [
        "Name;Number;Note\nCarla;+31612345678;Café\n".encode(),
        "\ufeffNOTE\tName\tNUMBER\r\nCafé\tCarla\t+31612345678\r\n".encode(),
        "sep=|\nname|note|phone\nCarla|Café|+31612345678\n".encode(),
        'name,note,"Phone Number"\rCarla,Café,+31612345678\r'.encode(),
        "name\tnumber\tnote\nCarla\t+31612345678\tCafé\n".encode("utf-16"),
        "name;number;note\nCarla;+31612345678;Café\n".encode("cp1252"),
    ],
    ids=["semicolons", "BOM and tabs", "sep", "old line ends", "UTF-16", "Windows-1252"],
)
def test_files_as_spreadsheets_save_them(data):
    (line,) = read(data).lines
    assert dict(line.cells) == {"name": "Carla", "number": "+31612345678", "note": "Café"}


def test_windows_1252_is_told():
    assert "Windows-1252" in read("name\nCafé\n".encode("cp1252")).notices[0]


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "empty"),
        (b"\n\n", "empty"),
        (b"PK\x03\x04rest", "CSV UTF-8"),
        (b"number\n+31612345678\n", "no column “name”"),
        (b"name,Name\na,b\n", "twice"),
        (b'"name\nCarla\n', "cannot be read"),
        (b"name\n" + b"a\n" * 50_001, "50,000 lines"),
        (b"x" * (5 * 1024 * 1024 + 1), "larger than 5 MB"),
    ],
)
def test_a_file_that_cannot_be_used_says_why(data, why):
    assert why in read(data).fault


def test_unused_columns_and_empty_lines_are_told():
    assert read("name,Fax,\nCarla,1,\n,,\n\n").notices == (
        "Not used: the column Fax.",
        "2 empty lines were left out.",
    )


def test_a_quotation_mark_that_is_not_closed_spoils_its_own_line_only():
    found = read('name,note\nAnn,"open\nBen,b\nCas,c\n')
    assert [(line.number, bool(line.fault)) for line in found.lines] == [(2, True), (3, False), (4, False)]


def test_a_cell_of_several_lines_is_one_line_of_the_table():
    found = read('name,note\nAnn,"one\ntwo"\nBen,b\n')
    assert [(line.number, line.upto) for line in found.lines] == [(2, 3), (4, 4)]


def test_too_many_cells_are_told():
    assert "4 cells for 2 columns" in read("name,note\nAnn,a,b,c\n").lines[0].fault


# -- the dry run --------------------------------------------------------------------------------------------


@pytest.mark.django_db
@given(FILE)
def test_the_dry_run_reports_every_line_once(data):
    judged = importing.plan(data=data, update=True, region="GB", today=TODAY)
    lines = [step.line for step in judged.steps]
    assert lines == sorted(set(lines)) == [line.number for line in read(data).lines]
    assert {step.does for step in judged.steps} <= {"new", "change", "same", "skip", "wrong"}
    assert all(bool(step.faults) == (step.does == "wrong") for step in judged.steps)


@pytest.mark.django_db
def test_the_dry_run_tells_and_writes_nothing():
    people.carla()
    Contact.objects.create(name="Dee")
    text = (
        HEAD
        + "Carla Visser,+31612345678,,,,,\n"
        + "Carla,+31 6 12345678,,,,,\n"
        + "Ann,07700 900123,Acme,,,,\n"
        + ",12,,,,1,yesterday\n"
        + "Dee,,,,,,\n"
    )
    judged = plan(text, region="GB")
    assert does(judged) == [(2, "skip"), (3, "wrong"), (4, "new"), (5, "wrong"), (6, "skip")]
    assert faults(judged) == [(3, "number"), (5, "number"), (5, "code"), (5, "born_on"), (5, "name")]
    assert [step.does for step in plan(text, update=True, region="GB").steps][::4] == ["same", "same"]
    assert list(importing.sentences(judged, limit=1)) == [
        "Line 3, number: Line 2 has the same number.",
        "… and 1 more lines.",
    ]
    assert Contact.objects.count() == 2


@pytest.mark.django_db
def test_a_number_without_country_is_wrong_where_no_country_is_given():
    assert faults(plan("name,number\nAnn,020 7946 0100\n")) == [(2, "number")]


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["x" * 65_536, "\u202e\u2066", '"' + "a\n" * 200 + '"'])
def test_names_that_cannot_be_kept_are_wrong(name):
    assert "wrong" in [step.does for step in plan(f"name,note\n{name},n\n").steps]


# -- the import ---------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_an_import_makes_contacts_and_gives_them_their_calls():
    call = factories.call(caller="+447700900123")
    done = apply(HEAD + 'Ann,07700 900123,Acme,"a,b","one\ntwo",4711,1980-05-31\nBen,,,,,,\n', region="GB")
    ann = Contact.objects.get(name="Ann")
    assert (done.created, done.changed, done.late) == (2, 0, [])
    assert (ann.e164, ann.company, ann.tags, ann.note) == ("+447700900123", "Acme", "a, b", "one\ntwo")
    assert str(ann.born_on) == "1980-05-31"
    assert check_password("4711", ann.code)
    assert Call.objects.get(pk=call.pk).contact == ann


@pytest.mark.django_db
def test_the_same_file_again_changes_nothing():
    text = HEAD + "Ann,+447700900123,,,,,\nBen,,,,,,\n"
    apply(text)
    assert does(plan(text, update=True)) == [(2, "same"), (3, "same")]
    again = apply(text)
    assert (again.created, again.changed, Contact.objects.count()) == (0, 0, 2)


@pytest.mark.django_db
def test_an_update_changes_what_the_file_says_and_leaves_the_rest():
    people.carla()
    Contact.objects.update(company="Visser BV", note="old")
    done = apply("name,number,company,note\nCarla V,+31612345678,,new\n", update=True)
    carla = Contact.objects.get()
    assert (done.changed, carla.name, carla.company, carla.note) == (1, "Carla V", "Visser BV", "new")


@pytest.mark.django_db
def test_one_wrong_line_stops_all_unless_it_may_be_left_out():
    text = "name,number\nAnn,+447700900123\nBen,12\n"
    with pytest.raises(Refused, match="Nothing was imported"):
        apply(text)
    assert not Contact.objects.exists()
    assert apply(text, skip_wrong=True).created == 1


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["=HYPERLINK(1)", "@SUM(A1)", "-2+3", "<script>", "+1"])
def test_a_cell_that_looks_like_a_formula_is_text(name):
    apply(f"name\n{name}\n")
    assert Contact.objects.get().name == name


@pytest.mark.django_db
def test_long_files_are_written_in_portions_and_whole():
    text = "name,number\n" + "".join(f"Ann {n},+4477009{n:05}\n" for n in range(600))
    assert apply(text).created == 600
    assert Contact.objects.count() == 600


@pytest.mark.django_db(transaction=True)
def test_two_imports_of_one_file_at_once_make_each_contact_once():
    text = "name,number\n" + "".join(f"Ann {n},+4477009{n:05}\n" for n in range(40))
    got, ready = [], threading.Barrier(2)

    def one():
        ready.wait()
        try:
            done = apply(text)
            got.append((done.created, len(done.late)))
        finally:
            connection.close()

    threads = [threading.Thread(target=one) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Contact.objects.count() == 40
    assert sum(created for created, _ in got) == 40


@pytest.mark.django_db
def test_a_number_that_came_in_between_spoils_its_own_line_only(monkeypatch):
    """The constraint finds what the look before could not."""
    people.carla()
    monkeypatch.setattr(importing, "_known", lambda steps: {})
    done = apply("name,number\nAnn,+447700900123\nCarl,+31612345678\n")
    assert done.created == 1
    assert [step.line for step in done.late] == [3]


# -- between dry run and import -----------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_draft_is_its_owners_alone_and_goes():
    draft = Draft("people.csv", b"name\n\xff\x00", update=True, region="GB")
    key = import_drafts.keep(draft, by=1)
    assert import_drafts.take(key, by=1) == draft
    assert import_drafts.take(key, by=2) is None
    assert Draft("x", draft.data, update=False, region="GB").digest() != draft.digest()
    import_drafts.drop(key)
    assert import_drafts.take(key, by=1) is None
    assert import_drafts.take("", by=1) is None


# -- the command --------------------------------------------------------------------------------------------


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "people.csv"
    path.write_text("name,number\nAnn,020 7946 0999\nBen,+447700900123\n")
    return path


def run(*args):
    out, err = io.StringIO(), io.StringIO()
    code = 0
    try:
        call_command("import_contacts", *map(str, args), stdout=out, stderr=err)
    except SystemExit as end:
        code = int(end.code or 0)
    return code, out.getvalue(), err.getvalue()


@pytest.mark.django_db
def test_the_command_tells_first_and_what_to_do_next(file):
    code, out, err = run(file)
    assert code == 1
    assert "Line 2, number: 020 7946 0999 has no country code." in err
    assert "Mend the lines above, or add --skip-wrong" in out
    code, out, err = run(file, "--region", "gb")
    assert (code, err) == (0, "")
    assert "2 new" in out
    assert "Add --apply to import." in out
    assert not Contact.objects.exists()


@pytest.mark.django_db
def test_the_command_imports_and_is_audited(file):
    code, out, _ = run(file, "--region", "GB", "--apply")
    assert (code, Contact.objects.count()) == (0, 2)
    assert "Imported: 2 new, 0 changed." in out
    assert AuditEvent.objects.get().what == "contacts.import"
    code, out, _ = run(file, "--region", "GB", "--apply")
    assert (code, Contact.objects.count()) == (0, 2)


@pytest.mark.django_db
def test_the_command_leaves_wrong_lines_out_when_told_and_still_says_so(file):
    code, out, _ = run(file, "--apply", "--skip-wrong")
    assert (code, Contact.objects.get().name) == (1, "Ben")
    assert "1 new" in out


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("args", "why"), [(["missing.csv"], "cannot be read"), (["--region", "XX"], "no country")]
)
def test_the_command_refuses_in_words(file, args, why):
    with pytest.raises(CommandError, match=why):
        run(*(args if args[0] == "missing.csv" else [file, *args]))


@pytest.mark.django_db
def test_the_command_refuses_a_file_that_is_no_csv(tmp_path):
    path = tmp_path / "people.xlsx"
    path.write_bytes(b"PK\x03\x04")
    with pytest.raises(CommandError, match="workbook"):
        run(path)
