"""The worker's table: what is due runs, and one failing job stops no other."""

import json
import logging
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from contactcenter.worker import PREFIX, Job, Worker, table
from streams.models import Process

pytestmark = pytest.mark.django_db


def test_a_twilio_that_does_not_answer_holds_up_only_who_asks_it() -> None:
    lanes = {job.name: job.lane for job in table()}
    assert lanes["taps.reopen_lost"] == lanes["commands.resolve_unknown"] == "twilio"
    assert lanes["recovery.sweep"] == lanes["tickets.expire"] == lanes["alerts.judge"] == "quick"
    assert lanes["reconcile.sweep"] == "slow"
    ran: list[str] = []
    worker = Worker(
        [
            Job("rows", 1.0, lambda now: ran.append("rows")),
            Job("tap", 1.0, lambda now: ran.append("tap"), lane="twilio"),
            Job("many", 1.0, lambda now: ran.append("many"), lane="slow"),
        ]
    )
    worker.turn(1000.0)
    assert ran == ["rows"]
    worker.turn(1000.0, "twilio")
    worker.turn(1000.0, "slow")
    assert ran == ["rows", "tap", "many"]


def test_every_job_of_the_table_runs_on_an_empty_site(caplog: pytest.LogCaptureFixture) -> None:
    worker = Worker(table())
    worker.turn(1000.0)
    worker.turn(1000.0, "twilio")
    worker.turn(1000.0, "slow")
    assert [record.getMessage() for record in caplog.records] == []


def test_jobs_run_when_they_are_due_and_are_told_the_time() -> None:
    ran: list[tuple[str, datetime]] = []
    jobs = [
        Job("quick", 0.25, lambda now: ran.append(("quick", now))),
        Job("slow", 5.0, lambda now: ran.append(("slow", now))),
    ]
    worker = Worker(jobs)
    for tenth in range(11):
        worker.turn(1000 + tenth / 10)
    assert [name for name, _ in ran].count("quick") == 5
    assert [name for name, _ in ran].count("slow") == 1
    assert all(now.tzinfo is UTC for _, now in ran)


def test_a_failing_job_logs_one_line_and_stops_no_other(caplog: pytest.LogCaptureFixture) -> None:
    ran: list[datetime] = []

    def fail(now: datetime) -> None:
        raise LookupError("it is gone")

    worker = Worker([Job("bad", 1.0, fail), Job("good", 1.0, lambda now: ran.append(now))])
    with caplog.at_level(logging.INFO, "contactcenter.worker"):
        for second in range(5):
            worker.turn(1000.0 + second)
    assert len(ran) == 5
    assert [record.getMessage() for record in caplog.records] == ["worker.job.failed"]


def test_a_job_that_works_again_says_so(caplog: pytest.LogCaptureFixture) -> None:
    answers: list[Any] = [OSError("away"), OSError("away"), None]

    def sometimes(now: datetime) -> None:
        if (answer := answers.pop(0)) is not None:
            raise answer

    worker = Worker([Job("sometimes", 1.0, sometimes)])
    with caplog.at_level(logging.INFO, "contactcenter.worker"):
        for second in range(3):
            worker.turn(1000.0 + second)
    assert [record.getMessage() for record in caplog.records] == ["worker.job.failed", "worker.job.recovered"]


def test_a_late_worker_does_not_run_a_job_many_times_to_catch_up() -> None:
    ran: list[datetime] = []
    worker = Worker([Job("quick", 0.25, lambda now: ran.append(now))])
    worker.turn(1000.0)
    worker.turn(1060.0)
    worker.turn(1060.1)
    assert len(ran) == 2


def test_a_running_worker_is_seen_by_readyz(client: Client) -> None:
    def parts() -> Any:
        return json.loads(client.get("/readyz").content)["parts"]

    assert parts()["worker"] == "no worker: manage.py worker"
    Worker([]).turn(1000.0)
    assert parts()["worker"] == "ok"
    Process.objects.filter(pk__startswith=PREFIX).update(seen_at=timezone.now() - timedelta(minutes=1))
    assert parts()["worker"] == "no worker: manage.py worker"


@pytest.mark.django_db(transaction=True)
def test_a_child_ends_when_its_parent_is_gone() -> None:
    Worker([], parent=1).run()
    assert not Process.objects.filter(pk__startswith=PREFIX).exists()
