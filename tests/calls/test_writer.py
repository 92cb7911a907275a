"""The writer: many jobs to a transaction, none lost while the database is away, none in another's way."""

import threading

import pytest
from django.db import IntegrityError, OperationalError

from calls import writer as module
from calls.events import change
from calls.models import Contact, Event
from calls.writer import Writer

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def writer():
    started = Writer()
    yield started
    started.stop()


@pytest.fixture
def quick(monkeypatch):
    """Try again at once."""
    monkeypatch.setattr(module, "_FIRST_WAIT", 0.001)
    monkeypatch.setattr(module, "_LONGEST_WAIT", 0.002)


def names():
    return list(Contact.objects.order_by("id").values_list("name", flat=True))


def job(name):
    def write(told):
        Contact.objects.create(name=name)
        told.emit(kind="contact.made", noun="contact", key=name)

    return write


def hold(writer):
    """A job that holds the thread until it is told to go on; what is put meanwhile waits."""
    begun, go = threading.Event(), threading.Event()

    def wait(_):
        begun.set()
        go.wait(20)

    writer.put(wait)
    begun.wait(20)
    return go


def test_jobs_are_written_in_order_with_their_events(writer):
    for name in ("a", "b", "c"):
        assert writer.put(job(name))
    assert writer.flush(10)
    assert names() == ["a", "b", "c"]
    assert list(Event.objects.values_list("key", flat=True)) == ["a", "b", "c"]


def test_what_waits_is_written_in_one_transaction(writer, monkeypatch):
    changes = []

    def counted():
        changes.append(1)
        return change()

    go = hold(writer)
    monkeypatch.setattr(module, "change", counted)
    for number in range(50):
        writer.put(job(str(number)))
    go.set()
    assert writer.flush(10)
    assert len(names()) == 50
    assert len(changes) == 1


def test_with_a_key_the_newest_wins(writer):
    go = hold(writer)
    for name in ("old", "older still", "newest"):
        writer.put(job(name), key="progress")
    writer.put(job("other"))
    go.set()
    assert writer.flush(10)
    assert names() == ["newest", "other"]


def test_a_job_at_fault_is_logged_and_the_others_are_written(writer, caplog):
    go = hold(writer)

    def bad(_):
        raise IntegrityError("mine")

    writer.put(job("before"))
    writer.put(bad)
    writer.put(lambda told: 1 / 0)
    writer.put(job("after"))
    go.set()
    assert writer.flush(10)
    assert names() == ["before", "after"]
    assert caplog.messages == ["writer.job.failed"] * 2


def test_while_the_database_is_away_jobs_wait_and_one_line_is_logged(writer, quick, caplog):
    left = [5]

    def flaky(told):
        if left[0]:
            left[0] -= 1
            raise OperationalError("away")
        job("kept")(told)

    writer.put(flaky)
    writer.put(job("next"))
    with caplog.at_level("INFO"):
        assert writer.flush(20)
    assert names() == ["kept", "next"]
    assert caplog.messages == ["writer.database.away", "writer.database.back"]


def test_a_newer_job_wins_over_a_failed_one_of_its_key(writer, quick):
    failed = threading.Event()
    go = threading.Event()

    def away(_):
        failed.set()
        go.wait(20)
        raise OperationalError("away")

    writer.put(away, key="progress")
    failed.wait(20)
    writer.put(job("newest"), key="progress")
    go.set()
    assert writer.flush(20)
    assert names() == ["newest"]


def test_the_queue_is_bounded(writer, monkeypatch, caplog):
    monkeypatch.setattr(module, "MAX_JOBS", 3)
    go = hold(writer)
    assert [writer.put(job(str(number))) for number in range(5)] == [True, True, True, False, False]
    assert "writer.full" in caplog.messages
    go.set()
    assert writer.flush(10)
    assert writer.put(job("again"))


def test_flush_gives_up_in_time(writer):
    go = hold(writer)
    writer.put(job("a"))
    assert not writer.flush(0.01)
    go.set()
    assert writer.flush(10)


def test_stop_writes_what_is_left_and_takes_no_more():
    writer = Writer()
    for number in range(20):
        writer.put(job(str(number)))
    assert writer.stop()
    assert len(names()) == 20
    assert not writer.put(job("late"))


def test_a_writer_without_jobs_starts_no_thread():
    before = threading.active_count()
    writer = Writer()
    assert writer.flush(1)
    assert writer.stop()
    assert threading.active_count() == before


def test_put_never_waits_for_the_thread(writer):
    go = hold(writer)
    threads = [threading.Thread(target=writer.put, args=(job(str(n)),)) for n in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
        assert not thread.is_alive()
    go.set()
    assert writer.flush(10)
    assert len(names()) == 20
