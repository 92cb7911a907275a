"""Alerts are raised once, in the change of what raised them, never at its cost; one person acknowledges."""

from datetime import timedelta

import pytest
from django.db.models import prefetch_related_objects
from django.utils import timezone

from calls.events import change
from calls.models import Alert, AlertRule, Conference, Event, Participant, Queue, Utterance
from calls.refusal import Refused
from calls.rules import MAX_OPEN, PER_MINUTE, Finding, Loud, Rule, found_level
from calls.selectors import alerts as selector
from calls.services import alerts, transcript
from calls.services.transcript import Line
from tests import factories, people
from tests.factories import NOON

pytestmark = pytest.mark.django_db

STREAM = "MZ" + "2" * 32


@pytest.fixture(autouse=True)
def fresh_rules():
    """No rule of a fresh site, and none that another test has read."""
    AlertRule.objects.all().delete()
    selector.forget()
    yield
    selector.forget()


@pytest.fixture
def call():
    call = factories.call(started_at=NOON, answered_at=NOON, dials=True)
    factories.leg(call)
    return call


def rule(kind="words", **fields):
    fields.setdefault("name", f"A {kind} rule")
    made = AlertRule.objects.create(kind=kind, **fields)
    selector.forget()
    return made


def say(call, *texts, first=1, at=NOON, **more):
    lines = [
        Line(
            call_id=call.pk, stream_sid=STREAM, track="inbound", number=number,
            start_ms=1000 * number, end_ms=1000 * number + 900, text=text, **more,
        )
        for number, text in enumerate(texts, first)
    ]  # fmt: skip
    with change(at=at) as told:
        return transcript.add(lines=lines, into=told)


def kinds():
    return list(Event.objects.order_by("id").values_list("kind", flat=True))


# -- words ---------------------------------------------------------------------------------------------------


def test_a_word_that_is_said_is_an_alert_in_the_change_of_its_line(call):
    rule(words="cancel\nmanager", name="Wants to cancel", severity="critical")
    assert say(call, "good morning", "I want to cancel, get me the manager") == 2
    alert = Alert.objects.get()
    assert alert.as_message() == {
        "alert": alert.pk,
        "call": call.pk,
        "caller": "+31612345678",
        "agent": "",
        "queue_id": None,
        "team": None,
        "ended": False,
        "kind": "words",
        "name": "Wants to cancel",
        "severity": "critical",
        "raised_at": "2026-11-20T12:00:00.000Z",
        "at_ms": 2000,
        "quote": "I want to cancel, get me the manager",
        "utterance": f"{STREAM}/inbound/2",
        "acknowledged_at": None,
        "acknowledged_by": "",
    }
    assert kinds() == ["utterance.final", "utterance.final", "alert.raised"]
    event = Event.objects.get(kind="alert.raised")
    assert (event.noun, event.key, event.call_id) == ("alert", str(alert.pk), call.pk)
    assert "cancel" not in str(Event.objects.values())


def test_the_same_line_again_raises_nothing(call):
    rule(words="cancel")
    say(call, "cancel")
    Utterance.objects.all().delete()  # as if the line came back by another way
    say(call, "cancel")
    assert Alert.objects.count() == 1
    assert kinds().count("alert.raised") == 1


def test_lines_without_the_words_ask_nothing_more_of_the_database(call, django_assert_num_queries):
    say(call, "warm")
    with django_assert_num_queries(10) as without:
        say(call, *["good morning"] * 50, first=100)
    rule(words="cancel")
    selector.rules()
    with django_assert_num_queries(len(without.captured_queries)):
        say(call, *["good morning"] * 50, first=200)


def test_an_inactive_rule_and_one_of_another_queue_find_nothing(call):
    rule(words="cancel", active=False)
    rule(words="cancel", queue=Queue.objects.create(name="Sales"))
    say(call, "cancel")
    assert Alert.objects.count() == 0


def test_a_rule_of_the_calls_queue_finds(call):
    call.queue = Queue.objects.create(name="Sales")
    call.save()
    rule(words="cancel", queue=call.queue)
    say(call, "cancel")
    assert Alert.objects.count() == 1


def test_who_repeats_a_word_cannot_flood_the_list(call):
    rule(words="cancel")
    say(call, *["cancel"] * 200)
    assert Alert.objects.count() == PER_MINUTE
    say(call, *["cancel"] * 200, first=500, at=NOON + timedelta(seconds=59))
    assert Alert.objects.count() == PER_MINUTE
    for minute in range(1, 20):
        say(call, *["cancel"] * 20, first=1000 * minute, at=NOON + timedelta(minutes=2 * minute))
    assert Alert.objects.count() == MAX_OPEN
    assert Utterance.objects.count() == 400 + 19 * 20


def test_another_call_and_another_rule_have_their_own_room(call):
    other = factories.call(started_at=NOON)
    rule(words="cancel")
    rule(words="cancel")
    say(call, *["cancel"] * 10)
    for number in range(10):
        transcript.add(lines=[Line(other.pk, "MZ" + "3" * 32, "inbound", number, 0, 1, "cancel")])
    assert (
        Alert.objects.filter(call=call).count() == Alert.objects.filter(call=other).count() == 2 * PER_MINUTE
    )


def test_what_was_acknowledged_makes_room(call):
    rule(words="cancel")
    say(call, *["cancel"] * 5)
    Alert.objects.update(acknowledged_at=NOON, acknowledged_by=people.mina())
    say(call, "cancel", first=50)
    assert Alert.objects.count() == PER_MINUTE + 1


def test_words_of_a_call_that_is_long_over_are_no_news(call):
    rule(words="cancel")
    call.state, call.ended_at = "ended", NOON + timedelta(minutes=1)
    call.save()
    say(call, "cancel", at=NOON + timedelta(minutes=2))
    assert Alert.objects.count() == 1
    say(call, "cancel", first=2, at=NOON + timedelta(hours=2))
    assert Alert.objects.count() == 1
    assert Utterance.objects.count() == 2


@pytest.mark.parametrize("broken", ["_make", "_in_words"])
def test_a_failing_rule_loses_no_line(call, monkeypatch, caplog, broken):
    rule(words="cancel")
    monkeypatch.setattr(alerts, broken, lambda *_: 1 / 0)
    assert say(call, "cancel", "and good bye") == 2
    assert Utterance.objects.count() == 2
    assert kinds() == ["utterance.final", "utterance.final"]
    assert "alerts.failed" in caplog.messages


def test_a_fault_of_the_database_half_way_takes_back_the_alerts_alone(call, monkeypatch):
    rule(words="cancel", name="One")
    real, made = alerts._row, []

    def second_fails(*given):
        made.append(given)
        if len(made) == 2:
            Alert.objects.create(call_id=call.pk, key=None)  # type: ignore[misc]  # refused by the database
        return real(*given)

    monkeypatch.setattr(alerts, "_row", second_fails)
    assert say(call, "cancel", "cancel") == 2
    assert (Utterance.objects.count(), Alert.objects.count()) == (2, 0)
    assert kinds() == ["utterance.final", "utterance.final"]


def test_a_rule_that_was_deleted_since_it_was_read_raises_nothing(call):
    gone = rule(words="cancel")
    selector.rules()
    AlertRule.objects.filter(pk=gone.pk).delete()
    assert say(call, "cancel") == 1
    assert Alert.objects.count() == 0


def test_rules_are_read_again_after_two_seconds(monkeypatch):
    now = 1000.0
    monkeypatch.setattr("calls.selectors.alerts.time.monotonic", lambda: now)
    assert selector.rules().all == ()
    AlertRule.objects.create(name="New", kind="words", words="cancel")
    assert selector.rules().all == ()
    now += selector.KEPT_SECONDS + 0.1
    assert [each.name for each in selector.rules().all] == ["New"]


# -- figures -------------------------------------------------------------------------------------------------


def loud(of):
    found = found_level(Rule(of.pk, "level", "Shouts", dbfs=-10), Loud("caller", -6.2, 12_300))
    assert found is not None
    return found


def hear(call, finding, at=NOON):
    with change(at=at) as told:
        return alerts.heard(told, call_id=call.pk, findings=[finding])


def test_a_figure_is_an_alert_with_its_figure_in_words(call):
    finding = loud(rule("level", dbfs=-10))
    assert hear(call, finding) == 1
    alert = Alert.objects.get()
    assert (alert.quote, alert.at_ms, alert.kind, alert.utterance) == (
        "Caller −6.2 dBFS",
        12_300,
        "level",
        "",
    )
    assert hear(call, finding) == 0


def test_nothing_is_raised_while_a_caller_gives_a_code_nor_after_the_call(call):
    finding = loud(rule("level", dbfs=-10))
    call.plan = {"step": "verify"}
    call.save()
    assert hear(call, finding) == 0
    call.plan, call.state, call.ended_at = {}, "ended", NOON
    call.save()
    assert hear(call, finding) == 0
    call.delete()
    assert hear(call, finding) == 0


def situation(call):
    return selector.situations([call.pk])[call.pk]


@pytest.mark.parametrize("step", ["queue", "agent", "voicemail", "end", "verify"])
def test_nobody_is_met_while_the_caller_waits_or_is_asked(call, step):
    call.plan = {"step": step}
    call.save()
    assert not situation(call).met


def test_two_have_met_once_the_call_is_answered_and_neither_before_nor_on_hold(call):
    assert situation(call).met
    room = Conference.objects.create(call=call, name="call-1-1", round=1)
    seat = Participant.objects.create(conference=room, leg=call.legs.get(), joined_at=NOON, held=True)
    assert not situation(call).met
    seat.left_at = NOON
    seat.save()
    assert situation(call).met
    call.state, call.answered_at = "ringing", None
    call.save()
    assert not situation(call).met
    assert situation(call).judged


# -- help ----------------------------------------------------------------------------------------------------


def ask(call, reason="I am lost", at=NOON):
    with change(at=at) as told:
        return alerts.help_asked(told, call=call, reason=reason, by=people.jonas(), at=at)


def test_help_is_an_alert_until_it_is_done(call):
    rule("help", severity="critical", name="Agent asks for help")
    assert ask(call, at=NOON + timedelta(seconds=40)) == 1
    alert = Alert.objects.get()
    assert (alert.quote, alert.at_ms, alert.severity) == ("I am lost", 40_000, "critical")
    assert Event.objects.get().by == people.jonas()
    with change(at=NOON + timedelta(seconds=60)) as told:
        assert alerts.help_done(told, call=call, by=people.mina(), at=NOON + timedelta(seconds=60)) == 1
    alert.refresh_from_db()
    assert (alert.acknowledged_by, alert.acknowledged_at) == (people.mina(), NOON + timedelta(seconds=60))
    assert kinds() == ["alert.raised", "alert.acknowledged"]


def test_help_that_is_done_leaves_other_alerts_open(call):
    rule(words="cancel")
    say(call, "cancel")
    with change() as told:
        assert alerts.help_done(told, call=call, by=people.mina(), at=NOON) == 0
    assert Alert.objects.open().count() == 1


def test_without_a_rule_for_help_nothing_is_raised(call):
    assert ask(call) == 0


# -- acknowledging -------------------------------------------------------------------------------------------


@pytest.fixture
def alert(call):
    rule(words="cancel")
    say(call, "cancel")
    return Alert.objects.get()


def test_the_first_to_acknowledge_stands_on_the_alert(alert):
    done = alerts.acknowledge(alert=alert, by=people.mina(), now=NOON)
    assert done.as_message()["acknowledged_by"] == "Mina"
    assert done.as_message()["acknowledged_at"] == "2026-11-20T12:00:00.000Z"
    event = Event.objects.get(kind="alert.acknowledged")
    assert (event.noun, event.key, event.by) == ("alert", str(alert.pk), people.mina())


def test_an_alert_tells_whose_call_it_is_also_when_that_has_ended(alert, call):
    message = alert.as_message()
    assert (message["caller"], message["ended"]) == (call.display_caller(), False)
    call.state, call.ended_at = "ended", NOON
    call.save()
    alert.refresh_from_db()
    assert alert.as_message()["ended"]


def test_the_second_is_told_who_was_first(alert):
    alerts.acknowledge(alert=alert, by=people.mina(), now=NOON)
    with pytest.raises(Refused) as refusal:
        alerts.acknowledge(alert=alert, by=people.ada(), now=NOON + timedelta(seconds=5))
    assert (refusal.value.code, refusal.value.text) == ("acknowledged", "Mina has acknowledged this already.")
    alert.refresh_from_db()
    assert (alert.acknowledged_by, alert.acknowledged_at) == (people.mina(), NOON)


def test_a_second_click_of_the_same_person_is_harmless(alert):
    for second in range(2):
        done = alerts.acknowledge(alert=alert, by=people.mina(), now=NOON + timedelta(seconds=second))
    assert done.acknowledged_at == NOON
    assert kinds().count("alert.acknowledged") == 1


def test_an_alert_that_is_gone_says_so(alert):
    Alert.objects.all().delete()
    with pytest.raises(Refused, match="not kept any more"):
        alerts.acknowledge(alert=alert, by=people.mina(), now=NOON)


# -- what time alone brings ----------------------------------------------------------------------------------


def after(seconds):
    return NOON + timedelta(seconds=seconds)


def test_a_call_that_lasts_too_long_is_told_once(call):
    rule("length", seconds=600)
    assert alerts.judge_calls(now=after(599)) == 0
    assert alerts.judge_calls(now=after(601)) == 1
    assert alerts.judge_calls(now=after(900)) == 0
    alert = Alert.objects.get()
    assert (alert.quote, alert.at_ms) == ("The call has lasted 10 min", 600_000)


def test_an_ended_call_is_never_too_long(call):
    rule("length", seconds=600)
    call.state, call.ended_at = "ended", after(30)
    call.save()
    assert alerts.judge_calls(now=after(7200)) == 0


def test_a_call_without_its_stream_is_told_from_the_answer_on(call):
    rule("stream_lost", seconds=15)
    call.answered_at = after(100)
    call.save()
    assert alerts.judge_calls(now=after(114)) == 0
    assert alerts.judge_calls(now=after(116)) == 1
    alert = Alert.objects.get()
    assert (alert.quote, alert.at_ms) == ("No stream for 16 s", 100_000)
    assert alerts.judge_calls(now=after(117)) == 0


def stream(call, *, closed=None, reason="dropped", **fields):
    closing = {"closed_at": closed, "close_reason": reason} if closed else {}
    return factories.stream(call.legs.get(), opened_at=NOON, **closing, **fields)


def test_a_stream_that_was_lost_counts_from_its_end_and_each_loss_is_its_own(call):
    rule("stream_lost", seconds=15)
    stream(call, closed=after(100))
    assert alerts.judge_calls(now=after(114)) == 0
    assert alerts.judge_calls(now=after(116)) == 1
    stream(call, closed=after(200))
    assert alerts.judge_calls(now=after(214)) == 0
    assert alerts.judge_calls(now=after(216)) == 1
    assert list(Alert.objects.order_by("pk").values_list("at_ms", flat=True)) == [100_000, 200_000]


@pytest.mark.parametrize(
    "fields", [{"tap_wanted": False}, {"plan": {"step": "verify"}}, {"state": "ringing", "answered_at": None}]
)
def test_no_stream_is_missed_that_is_not_wanted_yet_or_any_more(call, fields):
    rule("stream_lost", seconds=15)
    for name, value in fields.items():
        setattr(call, name, value)
    call.save()
    assert alerts.judge_calls(now=after(600)) == 0


def test_an_open_stream_is_not_lost(call):
    rule("stream_lost", seconds=15)
    stream(call, closed=after(10))
    stream(call)
    assert alerts.judge_calls(now=after(600)) == 0


@pytest.mark.parametrize(("reason", "origin"), [("call_ended", "twiml"), ("stop", "ingest")])
def test_a_stream_that_ended_on_purpose_is_not_lost(call, reason, origin):
    rule("stream_lost", seconds=15)
    ticket = factories.ticket(call.legs.get(), origin=origin, spent_at=NOON)
    factories.stream(ticket=ticket, opened_at=NOON, closed_at=after(10), close_reason=reason)
    assert alerts.judge_calls(now=after(600)) == 0


def test_a_stream_that_opens_during_the_look_is_not_lost(call, monkeypatch):
    rule("stream_lost", seconds=15)
    stream(call, closed=after(10))

    def opens_meanwhile(*asked):
        stream(call)
        prefetch_related_objects(*asked)

    monkeypatch.setattr("calls.selectors.alerts.prefetch_related_objects", opens_meanwhile)
    assert alerts.judge_calls(now=after(600)) == 0


def test_a_look_at_many_calls_takes_few_queries(django_assert_max_num_queries):
    rule("length", seconds=60)
    rule("length", seconds=90)
    rule("stream_lost", seconds=15)
    for _ in range(30):
        factories.leg(factories.call(started_at=NOON, answered_at=NOON))
    assert alerts.judge_calls(now=after(120)) == 90
    with django_assert_max_num_queries(7):
        assert alerts.judge_calls(now=after(121)) == 0


def test_two_workers_raise_an_alert_once(call):
    """Both have looked before one of them writes."""
    of = rule("length", seconds=60)
    finding = Finding(Rule(of.pk, "length", "Long"), "length", 60_000, "The call has lasted 1 min")
    for _ in range(2):
        with change(at=timezone.now()) as told:
            alerts._tell(told, [row for row, made in [alerts._row(call.pk, finding, NOON)] if made])
    assert Alert.objects.count() == 1
    assert kinds() == ["alert.raised"]
