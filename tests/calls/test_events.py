"""Events: numbered without holes in the order of commit, written with what they tell."""

import threading

import pytest
from django.db import connection

from calls.events import change, newest_id
from calls.models import Contact, Counter, Event

pytestmark = pytest.mark.django_db


def emit(told, key):
    told.emit(kind="call.changed", noun="call", key=key)


def test_ids_follow_each_other_across_changes():
    start = newest_id()
    for keys in (["a", "b"], [], ["c"]):
        with change() as told:
            for key in keys:
                emit(told, key)
    assert list(Event.objects.values_list("id", "key")) == [
        (start + 1, "a"),
        (start + 2, "b"),
        (start + 3, "c"),
    ]
    assert newest_id() == start + 3


def test_what_fails_leaves_neither_rows_nor_events_nor_holes():
    before = newest_id()

    def fails():
        with change() as told:
            Contact.objects.create(name="Nobody")
            emit(told, "lost")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fails()
    assert Contact.objects.count() == 0
    assert newest_id() == before
    with change() as told:
        emit(told, "kept")
    assert Event.objects.get().id == before + 1


def test_a_change_is_always_the_outermost():
    with pytest.raises(RuntimeError, match="outermost"), change(), change():
        pass
    with change() as told:
        emit(told, "still works")
    assert Event.objects.count() == 1


def test_events_carry_the_time_of_their_change():
    with change() as told:
        emit(told, "a")
    assert Event.objects.get().at == told.at


def test_the_counter_is_made_where_it_is_missing():
    Counter.objects.all().delete()
    with change() as told:
        emit(told, "first")
    assert newest_id() == 1


def test_without_events_the_counter_is_not_touched(django_assert_num_queries):
    with django_assert_num_queries(2), change():  # savepoint and release
        pass


@pytest.mark.django_db(transaction=True)
def test_many_writers_leave_no_hole_and_no_double():
    Counter.objects.get_or_create(pk=1)  # a migration made it; emptying the tables took it away
    failures = []

    def write(name):
        try:
            for number in range(20):
                with change() as told:
                    emit(told, f"{name}-{number}")
        except Exception as error:
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=write, args=(name,)) for name in "abcdef"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    ids = list(Event.objects.values_list("id", flat=True))
    assert ids == list(range(ids[0], ids[0] + 120))
    assert newest_id() == ids[-1]
