"""What is kept for a time only."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test import override_settings
from django.utils import timezone

from calls.models import Alert, Call, Command, Event, Moment, Reply, Ticket, Utterance
from calls.services import retention
from tests import factories, people

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


@pytest.fixture
def old():
    """A call of a hundred days ago, with words."""
    then = timezone.now() - 100 * DAY
    call = factories.call(state="ended", started_at=then, caller_name="VISSER C", contact=people.carla())
    leg = factories.leg(call, status="completed", started_at=then)
    ticket = factories.ticket(leg, parameters={"who": "Carla"}, spent_at=then, released_at=then)
    stream = factories.stream(leg, ticket=ticket, opened_at=then, closed_at=then, close_reason="stop")
    factories.utterance(stream)
    Utterance.objects.update(created_at=then)
    Command.objects.create(call=call, kind="stream.start", state="done", args={"name": "Carla"})
    Event.objects.create(id=1, at=then, kind="call.ended", noun="call", key=str(call.pk), call=call)
    Reply.objects.create(key="CA" + "1" * 32, body="<Response/>")
    Reply.objects.update(created_at=then)
    return call


@pytest.fixture
def new():
    call = factories.call()
    factories.utterance(factories.stream(factories.leg(call)))
    Reply.objects.create(key="CA" + "2" * 32, body="<Response/>")
    return call


def test_old_words_and_persons_go_and_the_calls_row_stays(old, new):
    assert retention.purge(now=timezone.now()) > 0
    assert Utterance.objects.get().call == new
    old.refresh_from_db()
    assert (old.caller, old.caller_name, old.contact) == ("", "", None)
    assert old.state == "ended"
    assert Event.objects.count() == 0
    assert Ticket.objects.get(leg__call=old).parameters == {}
    assert "Carla" not in str(Command.objects.values())
    assert Reply.objects.get().key == "CA" + "2" * 32
    assert Call.objects.get(pk=new.pk).caller == "+31612345678"


def alert(call, **fields):
    return Alert.objects.create(
        call=call, kind="words", name="Wants to cancel", key="MZ/inbound/1", quote="I am Carla, cancel it",
        utterance="MZ/inbound/1", **fields,
    )  # fmt: skip


def test_what_alerts_quote_goes_with_the_lines_and_the_alerts_stay(old, new):
    alert(old, at=old.started_at)
    fresh = alert(new)
    Moment.objects.create(call=old, at_ms=1, text="Carla is upset")
    retention.purge(now=timezone.now())
    assert "Carla" not in str(Alert.objects.filter(call=old).values())
    assert Alert.objects.get(call=old).name == "Wants to cancel"
    assert Alert.objects.get(pk=fresh.pk).quote == "I am Carla, cancel it"
    assert Moment.objects.count() == 0
    assert retention.purge(now=timezone.now()) == 0


def alert_plans(now):
    """How the database finds the alerts of a run, asked with its values bound, as the run asks."""
    asked = []

    def note(execute, sql, params, many, context):
        asked.append((sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        retention.purge(now=now)
    with connection.cursor() as cursor:
        for sql, params in asked:
            if sql.startswith("SELECT") and "calls_alert" in sql:
                cursor.execute(f"EXPLAIN QUERY PLAN {sql}", params)
                yield " / ".join(str(row[3]) for row in cursor.fetchall())


def test_a_run_reads_only_alerts_that_still_quote_something(old):
    alert(old, at=old.started_at)
    [plan] = alert_plans(timezone.now())
    assert "INDEX alert_quoting (at<?)" in plan
    assert "SCAN" not in plan


def test_a_second_run_finds_nothing(old, new):
    retention.purge(now=timezone.now())
    assert retention.purge(now=timezone.now()) == 0


@override_settings(UTTERANCE_KEEP_DAYS=200)
def test_the_days_are_a_setting(old):
    retention.purge(now=timezone.now())
    assert Utterance.objects.count() == 1


def test_a_run_is_bounded_and_the_next_goes_on(old, monkeypatch):
    stream = factories.stream(old.legs.get())
    for _ in range(5):
        factories.utterance(stream)
    Utterance.objects.update(created_at=timezone.now() - 100 * DAY)
    monkeypatch.setattr(retention, "_BATCH", 4)
    retention.purge(now=timezone.now())
    assert Utterance.objects.count() == 2
    retention.purge(now=timezone.now())
    assert Utterance.objects.count() == 0
