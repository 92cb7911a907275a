"""The admin of voices: flows that are refused by their line, what a voice may do, and a trial on text."""

import json

import pytest
from django.test import Client
from django.urls import reverse

from calls.admin.voice_form import EXAMPLE
from calls.models import Action, AuditEvent, Call, Callback, Event, Hours, Queue, Voice, VoiceTable
from calls.selectors import voice_faults
from calls.services import proof
from tests import factories, people

pytestmark = pytest.mark.django_db

SMALL = """\
steps:
  hello: {kind: say, text: Hello., go: bye}
  bye: {kind: end, text: Goodbye.}
"""
PERSON = "steps:\n  a: {kind: do, action: person, otherwise: b}\n  b: {kind: end, text: Goodbye.}\n"
ASKED = "ask for the code or date of birth, where no stream hears it; assumed: "
ORDERS = "order,status,expected\n4711,<b>on its way</b>,tomorrow\n"


@pytest.fixture
def ada() -> Client:
    client = Client()
    client.force_login(people.ada())
    return client


@pytest.fixture
def mina() -> Client:
    client = Client()
    client.force_login(people.mina())
    return client


def address(*args, do="changelist"):
    return reverse(f"admin:calls_voice_{do}", args=args)


def rows(prefix, given, initial=0):
    fields = {f"{prefix}-TOTAL_FORMS": len(given), f"{prefix}-INITIAL_FORMS": initial}
    for number, row in enumerate(given):
        fields |= {f"{prefix}-{number}-{name}": value for name, value in row.items()}
    return fields


def posted(text=SMALL, actions=(), tables=(), kept=(0, 0), **fields):
    return {
        "name": "Self-service", "kind": "flow", "text": text, "settings": "{}", "language": "en-GB",
        **rows("actions", actions, kept[0]), **rows("tables", tables, kept[1]), **fields,
    }  # fmt: skip


def errors(answer):
    assert answer.status_code == 200, "it was saved"
    return {name: list(texts) for name, texts in answer.context["adminform"].form.errors.items()}


@pytest.fixture
def queue():
    return Queue.objects.create(name="Support")


def test_a_voice_with_its_actions_and_tables_is_saved(ada, queue):
    actions = [
        {"name": "person", "kind": "queue", "queue": queue.pk, "phone": "+31201234567"},
        {"name": "call_back", "kind": "callback", "queue": queue.pk},
    ]
    text = EXAMPLE.read_text(encoding="utf-8").replace("\n", "\r\n")
    tables = [{"name": "orders", "text": "\ufeff" + ORDERS.replace("\n", "\r\n")}]
    answer = ada.post(address(do="add"), posted(text, actions, tables))
    assert answer.status_code == 302
    voice = Voice.objects.get()
    assert voice.text == EXAMPLE.read_text(encoding="utf-8")
    assert [(one.name, one.phone) for one in voice.actions.all()] == [("call_back", ""), ("person", "")]
    assert voice.tables.get().text == ORDERS


def test_a_new_voice_is_offered_the_example_with_what_it_needs(ada):
    page = ada.get(address(do="add"))
    form = page.context["adminform"].form
    assert form.initial["text"] == EXAMPLE.read_text(encoding="utf-8")
    offered = [
        [form.initial.get("name") for form in one.formset.forms]
        for one in page.context["inline_admin_formsets"]
    ]
    assert offered == [["person", "call_back", None], ["orders", None]]
    assert 'class="cc-code"' in page.content.decode()


def test_a_flow_is_refused_with_each_line_and_its_reason(ada):
    text = "\nsteps:\n  a: {kind: say, text: x, go: a}\n  b: {kind: sya}\n"
    assert errors(ada.post(address(do="add"), posted(text))) == {
        "text": ["Line 4: There is no kind “sya”. Did you mean “say”?"]
    }
    text = "\nsteps:\n  a: {kind: say, text: '<script>', go: a}\n"
    answer = ada.post(address(do="add"), posted(text))
    assert errors(answer) == {"text": ["Line 3: This goes round and never asks: a → a."]}
    assert b"<script>'" not in answer.content
    assert not Voice.objects.exists()


def test_the_line_that_is_refused_is_shown_as_text_and_short(ada):
    long = "x" * 100
    text = f"steps:\r\n  a: {{kind: <b>sya</b>}}\r\n  b: {{kind: {long}}}\r\n"
    answer = ada.post(address(do="add"), posted(text))
    assert [one.split(":")[0] for one in errors(answer)["text"]] == ["Line 2", "Line 3"]
    page = answer.content.decode()
    assert '<code class="cc-line">a: {kind: &lt;b&gt;sya&lt;/b&gt;}</code>' in page
    assert f'<code class="cc-line">b: {{kind: {"x" * 69}…</code>' in page
    assert 'id="id_text_error"' in page


def test_a_text_that_is_too_long_names_no_line(ada):
    answer = ada.post(address(do="add"), posted("x" * 100_001))
    assert "at most 100000 characters" in errors(answer)["text"][0]
    assert b"cc-line" not in answer.content


def test_a_flow_may_do_what_is_saved_with_it(ada, queue):
    person = {"name": "person", "kind": "queue", "queue": queue.pk}
    assert errors(ada.post(address(do="add"), posted(PERSON)))["text"] == [
        "Line 2: The voice has no action “person”."
    ]
    assert ada.post(address(do="add"), posted(PERSON, [person])).status_code == 302
    voice, kept = Voice.objects.get(), Action.objects.get()
    held = {"id": kept.pk, "voice": voice.pk, **person}
    change = address(voice.pk, do="change")
    assert ada.post(change, posted(PERSON, [held], kept=(1, 0))).status_code == 302
    gone = errors(ada.post(change, posted(PERSON, [{**held, "DELETE": "on"}], kept=(1, 0))))
    assert gone["text"] == ["Line 2: The voice has no action “person”."]
    renamed = errors(ada.post(change, posted(PERSON, [{**held, "name": "human"}], kept=(1, 0))))
    assert "has no action “person”" in renamed["text"][0]


@pytest.mark.parametrize(
    ("action", "reason"),
    [
        ({"name": "person", "kind": "queue"}, "Choose the queue"),
        ({"name": "person", "kind": "phone"}, "Give the telephone"),
        ({"name": "person", "kind": "phone", "phone": "12"}, "12"),
        ({"name": "Person!", "kind": "end"}, "Small letters"),
    ],
)
def test_an_action_says_where_it_leads(ada, action, reason):
    answer = ada.post(address(do="add"), posted(SMALL, [action]))
    assert answer.status_code == 200
    assert reason in answer.content.decode()
    assert not Voice.objects.exists()


def test_a_table_is_refused_with_its_line(ada):
    answer = ada.post(address(do="add"), posted(SMALL, (), [{"name": "orders", "text": "order\n1\n1\n"}]))
    assert "Line 3: “1” stands in line 2 already." in answer.content.decode()


def test_other_kinds_are_not_read_as_flows_and_a_site_has_its_own(ada, settings):
    assert ada.post(address(do="add"), posted("Be kind.", kind="realtime")).status_code == 302
    assert errors(ada.post(address(do="add"), posted("", name="Pizza", kind="pizza")))["kind"]
    settings.VOICES = {"pizza": "pizza.voice:Pizza"}
    assert ada.post(address(do="add"), posted("", name="Pizza", kind="pizza")).status_code == 302
    assert "pizza (own)" in ada.get(address()).content.decode()


def test_the_language_that_a_flow_names_is_the_voices(ada):
    assert ada.post(address(do="add"), posted("language: en-US\n" + SMALL)).status_code == 302
    assert Voice.objects.get().language == "en-US"


def test_settings_are_names_and_values(ada):
    assert errors(ada.post(address(do="add"), posted(settings="[1]")))["settings"]


def test_settings_of_an_ai_agent_are_such_as_it_has(ada):
    wrong = posted("Be kind.", kind="realtime", settings='{"session_minute": 5}')
    [told] = errors(ada.post(address(do="add"), wrong))["settings"]
    assert told.startswith("session_minute is no setting of an AI agent")
    right = posted("Be kind.", kind="realtime", settings='{"session_minutes": 5}')
    assert ada.post(address(do="add"), right).status_code == 302
    voice = Voice.objects.get()
    assert voice_faults.fault(voice) == ""
    voice.settings = {"greet": "yes"}
    assert voice_faults.fault(voice) == "its settings are refused: greet is true or false."


def test_a_voice_behind_a_number_is_not_deleted(ada):
    voice = Voice.objects.create(name="Self-service", text=SMALL)
    number = factories.number(destination="voice", voice=voice)
    assert ada.post(address(voice.pk, do="delete"), {"post": "yes"}).status_code == 403
    assert "Support" in ada.get(address()).content.decode()
    number.delete()
    assert ada.post(address(voice.pk, do="delete"), {"post": "yes"}).status_code == 302


def test_supervisors_see_voices_and_change_none(mina):
    voice = Voice.objects.create(name="Self-service", text=SMALL)
    VoiceTable.objects.create(voice=voice, name="orders", text=ORDERS)
    assert mina.get(address()).status_code == 200
    page = mina.get(address(voice.pk, do="change"))
    assert page.status_code == 200
    assert "4711" not in page.content.decode()
    assert "Try on text" not in page.content.decode()
    assert mina.post(address(voice.pk, do="change"), posted()).status_code == 403
    assert mina.get(address(do="add")).status_code == 403
    assert mina.get(address(voice.pk, do="try")).status_code == 403
    assert mina.get(address(do="try_new")).status_code == 403


def test_agents_see_none():
    client = Client()
    client.force_login(people.person("otto", "Agent", staff=True))
    assert client.get(address()).status_code == 403


# -- a trial on text -----------------------------------------------------------------------------------------


@pytest.fixture
def voice(queue):
    made = Voice.objects.create(
        name="Self-service", text=EXAMPLE.read_text(encoding="utf-8"), hours=Hours.objects.create(name="Week")
    )
    Action.objects.create(voice=made, name="person", kind="queue", queue=queue)
    Action.objects.create(voice=made, name="call_back", kind="callback", queue=queue)
    VoiceTable.objects.create(voice=made, name="orders", text=ORDERS)
    return made


def trial(client, where, *typed, text=None):
    """The page after each of these was typed into the one field."""
    page = client.get(where)
    assert page.status_code == 200
    for one in typed:
        form = page.context["form"]
        given = {"text": text or form.initial["text"], "before": form.initial["before"], "typed": one}
        page = client.post(where, given)
    return page


def lines(page):
    return [(line.step, line.who, line.text) for line in page.context["trial"].shown.lines]


def test_a_flow_is_tried_on_text(ada, voice):
    where = address(voice.pk, do="try")
    page = trial(ada, where, "order status", "4711", "yes", "ok", "no")
    told = lines(page)
    assert ("order", "caller", "4711") in told
    assert ("check", "would", ASKED + "it is right, for “ok” was typed") in told
    assert told[-1] == ("goodbye", "would", "hang up")
    body = page.content.decode()
    assert "Order 4 7 1 1 is &lt;b&gt;on its way&lt;/b&gt;. We expect it tomorrow." in body
    assert "topic: <strong>order status</strong>" in body
    assert "The flow has ended here." in body


def test_a_verification_that_fails_tells_what_was_assumed(ada, voice):
    where = address(voice.pk, do="try")
    asked = trial(ada, where, "order status", "4711", "yes")
    assert "it is assumed that there is one to compare with" in asked.content.decode()
    told = lines(trial(ada, where, "verify: failed", "order status", "4711", "yes", "1234"))
    assert ("check", "would", ASKED + "it is wrong, for something else than “ok” was typed") in told
    assert ("menu", "caller", "verify: failed") in told


def test_a_trial_does_nothing(ada, voice):
    page = trial(ada, address(voice.pk, do="try"), "1", "tomorrow", "yes", "noon", "yes", "a person")
    would = [text for _, who, text in lines(page) if who == "would"]
    assert [text.split(",")[0] for text in would] == ["do “call_back” (callback)", "do “person” (queue)"]
    assert not any(model.objects.exists() for model in (Call, Callback, Event, AuditEvent))
    voice.refresh_from_db()
    assert voice.text == EXAMPLE.read_text(encoding="utf-8")


def test_hours_that_never_open_are_told(ada, voice):
    page = trial(ada, address(voice.pk, do="try"), "3")
    assert ("closed_now", "voice", "We are closed now, and open at a later date.") in lines(page)


def test_what_is_not_saved_is_tried_too(ada, voice):
    changed = voice.text.replace("Welcome to", "Hello at")
    page = trial(ada, address(voice.pk, do="try"), "3", text=changed)
    assert lines(page)[0][2].startswith("Hello at")
    wrong = trial(ada, address(voice.pk, do="try"), "3", text="steps:\n  a: {kind: <b>}\n")
    assert "Line 2: There is no kind “&lt;b&gt;”." in wrong.content.decode()
    assert '<code class="cc-line">a: {kind: &lt;b&gt;}</code>' in wrong.content.decode()


def test_a_flow_of_no_voice_is_tried(ada):
    page = trial(ada, address(do="try_new"), "call me back", "today", "yes", "noon", "yes", "")
    assert any("do “call_back” (callback)" in text for _, _, text in lines(page))
    assert 'href="/admin/calls/voice/try/"' in ada.get(address(do="add")).content.decode()


def test_it_begins_again_and_what_was_lost_is_told(ada, voice):
    where = address(voice.pk, do="try")
    again = ada.post(where, {"text": voice.text, "before": '["1"]', "typed": "x", "again": "1"})
    assert [who for _, who, _ in lines(again)] == ["voice", "voice"]
    for before in ("{", "[1]", "[" * 3000, '{"a": 1}'):
        page = ada.post(where, {"text": voice.text, "before": before, "typed": "x"})
        assert "Begin again" in page.content.decode()
    assert ada.post(where, {"text": ""}).status_code == 200


def test_a_trial_is_bounded(ada, voice):
    full = json.dumps(["perhaps"] * 500)
    page = ada.post(address(voice.pk, do="try"), {"text": SMALL, "before": full, "typed": "x" * 150})
    assert page.status_code == 200
    assert len(page.context["trial"].shown.lines) < 10


def test_only_flows_are_tried(ada):
    echo = Voice.objects.create(name="Echo", kind="echo")
    assert ada.get(address(echo.pk, do="try")).status_code == 302
    assert "Try on text" not in ada.get(address(echo.pk, do="change")).content.decode()
    assert ada.get(address(999, do="try")).status_code == 404


# -- behind a number -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "state", "text"),
    [
        ({"text": SMALL}, "note", "the voice Self-service; when it is lost, callers hear an apology"),
        ({"text": SMALL, "queued": True}, "right", "callers go to the queue Support"),
        ({"text": PERSON}, "wrong", "its flow is refused, line 2: The voice has no action “person”."),
        ({"kind": "echo", "queued": True}, "right", "the voice Self-service"),
        ({"kind": "pizza"}, "wrong", "there is no voice of the kind pizza"),
    ],
)
def test_what_is_behind_a_number(queue, fields, state, text):
    made = Voice.objects.create(
        name="Self-service", queue=queue if fields.pop("queued", False) else None, **fields
    )
    found = proof.destination(factories.number(destination="voice", voice=made))
    assert (found.state, text in found.text) == (state, True), found


def test_a_number_without_its_voice_leads_to_nobody():
    assert proof.destination(factories.number(destination="voice")).state == "wrong"


def test_a_number_is_given_its_voice(ada):
    number = factories.number()
    where = reverse("admin:calls_phonenumber_change", args=[number.pk])
    given = {
        "e164": number.e164, "label": "Self-service", "language": "en-GB", "region": "us1",
        "destination": "voice",
        "closed": "end", "stream": "on", "ingest_keys-TOTAL_FORMS": 0, "ingest_keys-INITIAL_FORMS": 0,
    }  # fmt: skip
    answer = ada.post(where, given)
    assert list(answer.context["adminform"].form.errors["voice"]) == ["Choose the voice that answers."]
    made = Voice.objects.create(name="Self-service", text=SMALL)
    assert ada.post(where, {**given, "voice": made.pk}).status_code == 302
    number.refresh_from_db()
    assert number.voice == made
