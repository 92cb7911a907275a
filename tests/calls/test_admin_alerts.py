"""The admin of alerts: rules that say what they need, tried before they ring; alerts of one's own teams."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from calls.models import Alert, AlertRule, AuditEvent, Event, Queue, Team
from calls.selectors import alerts as selector
from tests import factories, people

pytestmark = pytest.mark.django_db

RULE = {"name": "Wants to cancel", "kind": "words", "severity": "warning", "words": "cancel", "active": "on"}


@pytest.fixture
def mina() -> Client:
    client = Client()
    client.force_login(people.mina())
    return client


def address(model, *args, do="changelist"):
    return reverse(f"admin:calls_{model}_{do}", args=args)


def save(client, **fields):
    return client.post(address("alertrule", do="add"), {**RULE, **fields})


def errors(answer):
    return {name: " ".join(texts) for name, texts in answer.context["adminform"].form.errors.items()}


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"words": ""}, {"words": "Write at least one word or phrase, each on a line of its own."}),
        ({"words": "cancel\n…!"}, {"words": "“…!” has no word in it."}),
        ({"words": "a " * 13}, {"words": f"“{('a ' * 13).strip()}” is longer than 12 words."}),
        ({"words": "no\n" * 201}, {"words": "A rule has at most 200 phrases; these are 201."}),
        ({"kind": "silence"}, {"seconds": "Say after how many seconds of silence."}),
        ({"kind": "overtalk"}, {"seconds": "Say after how many seconds of talking at once."}),
        ({"kind": "length"}, {"seconds": "Say after how many seconds a call is long."}),
        ({"kind": "stream_lost"}, {"seconds": "Say after how many seconds without a stream."}),
        ({"kind": "level"}, {"dbfs": "Say above which level, such as −10."}),
    ],
)  # fmt: skip
def test_a_rule_says_what_its_kind_needs(mina, fields, wrong):
    assert errors(save(mina, **fields)) == wrong


def test_what_a_kind_does_not_look_at_is_left_empty(mina):
    assert save(mina, kind="silence", seconds="30", dbfs="-10", speaker="caller").status_code == 302
    rule = AlertRule.objects.get(name="Wants to cancel")
    assert (rule.words, rule.seconds, rule.dbfs, rule.speaker) == ("", 30, None, "")


def test_words_are_kept_a_line_each_and_rules_of_this_process_are_read_anew(
    mina, django_capture_on_commit_callbacks
):
    assert "Wants to cancel" not in {rule.name for rule in selector.rules().all}
    with django_capture_on_commit_callbacks(execute=True):
        assert (
            save(mina, words=" cancel \r\n\r\nspeak to  a manager\r\n", speaker="caller").status_code == 302
        )
    rule = AlertRule.objects.get(name="Wants to cancel")
    assert (rule.words, rule.speaker) == ("cancel\nspeak to  a manager", "caller")
    assert "Wants to cancel" in {rule.name for rule in selector.rules().all}


def test_the_list_shows_what_each_rule_waits_for(mina):
    AlertRule.objects.create(name="Shouts", kind="level", dbfs=-10)
    AlertRule.objects.create(name="Leaves", kind="words", words="cancel\nstop\nleave\nend")
    page = mina.get(address("alertrule")).content.decode()
    assert "−10 dBFS" in page
    assert "cancel, stop, leave …" in page
    assert "30 s" in page  # Long silence, of every new site


# -- teams ---------------------------------------------------------------------------------------------------


@pytest.fixture
def teams():
    """Mina's team, and another with a queue, a rule and an alert of its own."""
    north, south = Team.objects.create(name="North"), Team.objects.create(name="South")
    north.people.add(people.mina())
    queue = Queue.objects.create(name="Southern", team=south)
    theirs = AlertRule.objects.create(name="Southern rule", kind="words", words="cancel", queue=queue)
    for team, name in ((north, "northern"), (south, "southern")):
        call = factories.call(team=team, state="ended")
        Alert.objects.create(
            call=call, rule=theirs, key=name, kind="words", name=name, quote=f"a {name} quote"
        )
    return theirs


def test_rules_and_alerts_of_other_teams_are_not_seen(mina, teams):
    page = mina.get(address("alertrule")).content.decode()
    assert "Southern" not in page
    assert "Long silence" in page
    assert mina.get(address("alertrule", teams.pk, do="change")).status_code == 302
    assert "Southern" not in mina.get(address("alertrule", do="add")).content.decode()
    page = mina.get(address("alert")).content.decode()
    assert "northern" in page
    assert "southern" not in page


def test_the_list_of_alerts_shows_who_looks_after_them(mina, teams):
    assert "mina, " not in mina.get(address("alert")).content.decode()
    Alert.objects.update(acknowledged_by=people.mina(), acknowledged_at=timezone.now())
    assert "mina, " in mina.get(address("alert")).content.decode()


def test_alerts_are_only_read(mina, teams):
    alert = Alert.objects.get(name="northern")
    assert mina.get(address("alert", alert.pk, do="change")).status_code == 200
    assert mina.post(address("alert", alert.pk, do="change"), {"quote": "x"}).status_code == 403
    assert mina.get(address("alert", do="add")).status_code == 403


def test_agents_see_neither(teams):
    client = Client()
    client.force_login(people.person("otto", "Agent", staff=True))
    assert client.get(address("alertrule")).status_code == client.get(address("alert")).status_code == 403


# -- trying --------------------------------------------------------------------------------------------------


def ended_call(*texts, **fields):
    began = timezone.now() - timedelta(hours=1)
    call = factories.call(state="ended", started_at=began, answered_at=began, **fields)
    stream = factories.stream(
        factories.leg(call), opened_at=began, closed_at=call.ended_at, close_reason="stop",
        figures={"talk": {"inbound": {"loudest_dbfs": -3.0, "loudest_at_ms": 65_000}}},
    )  # fmt: skip
    for number, text in enumerate(texts):
        factories.utterance(stream, text, start_ms=60_000 * number)
    return call


def try_out(client, rule):
    page = address("alertrule", rule.pk, "try-rule", do="do")
    assert client.get(page).status_code == 200
    return client.post(page).content.decode()


def test_a_rule_is_tried_on_the_last_calls_that_the_person_may_see(mina, teams):
    call = ended_call("good morning", "<b>please</b> cancel it", "yes, cancel")
    ended_call("cancel", team=Team.objects.get(name="South"))
    factories.call()
    rule = AlertRule.objects.create(name="Cancels", kind="words", words="cancel")
    page = try_out(mina, rule)
    assert f'<a href="/calls/{call.pk}/">Call {call.pk}, +31612345678</a>' in page
    assert "On the last 2 ended calls it would have raised 2 alerts, on 1 call." in page
    assert "1:00 &lt;b&gt;please&lt;/b&gt; cancel it · 2:00 yes, cancel" in page
    assert "1 call could not be tried." in page  # without a line
    assert Alert.objects.filter(rule=rule).count() == 0
    assert not Event.objects.exists()
    assert AuditEvent.objects.get().what == "admin.try-rule"


def test_a_rule_of_a_queue_is_tried_on_its_calls(mina):
    queue = Queue.objects.create(name="Support")
    ended_call("cancel", queue=queue)
    ended_call("cancel")
    rule = AlertRule.objects.create(name="Cancels", kind="words", words="cancel", queue=queue)
    assert "On the last ended call it would have raised 1 alert, on 1 call." in try_out(mina, rule)


def test_kept_figures_are_tried_and_what_is_not_kept_is_said(mina):
    ended_call()
    factories.call(state="ended")
    page = try_out(mina, AlertRule.objects.create(name="Shouts", kind="level", dbfs=-10))
    assert "1:05 Caller −3.0 dBFS" in page
    assert "no levels of this call are kept" in page


def test_before_any_call_has_ended_it_says_so(mina):
    rule = AlertRule.objects.create(name="Cancels", kind="words", words="cancel")
    assert "No call that you may see has ended yet." in try_out(mina, rule)


def test_a_trial_takes_as_many_queries_for_twenty_calls_as_for_one(mina, django_assert_max_num_queries):
    for _ in range(25):
        ended_call("cancel", "no")
    rule = AlertRule.objects.create(name="Cancels", kind="words", words="cancel")
    with django_assert_max_num_queries(25):
        page = mina.post(address("alertrule", rule.pk, "try-rule", do="do")).content.decode()
    assert "On the last 20 ended calls it would have raised 20 alerts" in page


def test_who_may_not_read_what_is_said_may_not_try(teams):
    rule = AlertRule.objects.create(name="Cancels", kind="words", words="cancel")
    client = Client()
    client.force_login(people.person("otto", "Agent", staff=True))
    assert client.post(address("alertrule", rule.pk, "try-rule", do="do")).status_code in {403, 404}
