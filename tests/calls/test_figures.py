"""The figures above the wall: each wait counts once and in the right queue, each call once."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from calls.access import EVERY, NOTHING, Scope
from calls.models import Call, Queue, Team, Voice, Waiting
from calls.selectors import figures
from tests import factories, people
from tests.calls import centre
from tests.factories import NOON

pytestmark = pytest.mark.django_db


@pytest.fixture
def support() -> Queue:
    return centre.queue(name="Support", target_seconds=20)


def before(**time: float) -> datetime:
    """So long before noon."""
    return NOON - timedelta(**time)


def wait(
    queue: Queue | None,
    result: str = "",
    *,
    seconds: float = 10,
    left: datetime | None = None,
    call: Call | None = None,
    **fields: Any,
) -> Waiting:
    """A wait that ended a minute ago (or at `left`) after so many seconds; without a result it goes on."""
    end = (left or before(minutes=1)) if result else NOON
    fields.setdefault("entered_at", end - timedelta(seconds=seconds))
    return Waiting.objects.create(
        call=call or factories.call(started_at=fields["entered_at"]),
        queue=queue,
        result=result,
        left_at=end if result else None,
        **fields,
    )


def of(queue: Queue, **fields: Any) -> dict[str, Any]:
    """The queue's figures at noon."""
    found: dict[str, Any] = figures.figures(now=NOON, scope=EVERY)["queues"][str(queue.pk)]
    return found


def today(queue: Queue) -> tuple[int, int, int]:
    """Offered, answered, abandoned."""
    found = of(queue)["today"]
    return found["offered"], found["answered"], found["abandoned"]


def test_a_queue_where_nothing_happened_has_zeros(support: Queue) -> None:
    assert of(support) == {
        "last30": {"answered": 0, "in_target": 0, "abandoned": 0},
        "today": {"offered": 0, "answered": 0, "abandoned": 0, "longest_wait_s": 0},
    }


def test_the_service_level_is_of_waits_that_ended_in_the_last_half_hour(support: Queue) -> None:
    wait(support, "answered", seconds=19)
    wait(support, "answered", seconds=20)
    wait(support, "answered", seconds=21)
    wait(support, "abandoned", seconds=40)
    wait(support, "answered", seconds=5, left=before(minutes=29, seconds=59))
    wait(support, "answered", seconds=5, left=before(minutes=30))
    wait(support)
    assert of(support)["last30"] == {"answered": 4, "in_target": 3, "abandoned": 1}


def test_each_queue_has_its_own_target(support: Queue) -> None:
    slow = centre.queue(target_seconds=60)
    for queue in (support, slow):
        wait(queue, "answered", seconds=45)
    assert (of(support)["last30"]["in_target"], of(slow)["last30"]["in_target"]) == (0, 1)


def test_who_hangs_up_within_five_seconds_counts_in_no_queue(support: Queue) -> None:
    wait(support, "abandoned", seconds=5)
    assert today(support) == (0, 0, 0)
    wait(support, "abandoned", seconds=5.1)
    assert today(support) == (1, 0, 1)
    assert of(support)["last30"]["abandoned"] == 1


@pytest.mark.parametrize("result", ["voicemail", "callback", "failed", "overflow", ""])
def test_who_is_led_elsewhere_or_still_waits_was_offered(support: Queue, result: str) -> None:
    wait(support, result)
    assert today(support) == (1, 0, 0)
    assert of(support)["last30"] == {"answered": 0, "in_target": 0, "abandoned": 0}


@pytest.mark.parametrize("how", ["overflow", "moved"])
@pytest.mark.parametrize("result", ["answered", "abandoned", ""])
def test_a_call_that_went_on_to_another_queue_counts_there(support: Queue, how: str, result: str) -> None:
    sales = centre.queue(name="Sales", target_seconds=20)
    first = wait(support, how, seconds=600, left=before(seconds=90))
    wait(sales, result, left=before(seconds=60), call=first.call, entered_at=first.entered_at)
    assert today(support) == (0, 0, 0)
    assert today(sales) == (1, int(result == "answered"), int(result == "abandoned"))
    assert of(sales)["last30"]["in_target"] == 0, "its wait is that in both queues"
    assert of(sales)["today"]["longest_wait_s"] >= 600
    assert of(support)["today"]["longest_wait_s"] == 0


def test_a_wait_that_was_moved_in_its_place_counts_where_it_is(support: Queue) -> None:
    row = wait(support)
    sales = centre.queue()
    Waiting.objects.filter(pk=row.pk).update(queue=sales)
    assert (today(support), today(sales)) == ((0, 0, 0), (1, 0, 0))


def test_an_agent_who_sends_a_caller_on_makes_a_second_wait(support: Queue) -> None:
    sales = centre.queue()
    first = wait(support, "answered", left=before(minutes=10))
    wait(sales, "answered", call=first.call)
    assert (today(support), today(sales)) == ((1, 1, 0), (1, 1, 0))


def test_who_comes_back_to_a_queue_where_they_were_answered_is_not_counted_again(support: Queue) -> None:
    first = wait(support, "answered", left=before(minutes=10))
    wait(support, "abandoned", call=first.call, agent=people.agent_jonas(), priority=10)
    assert today(support) == (1, 1, 0)
    assert of(support)["last30"] == {"answered": 1, "in_target": 1, "abandoned": 0}


def test_a_wait_for_one_agent_is_no_queues(support: Queue) -> None:
    wait(None, "answered", agent=people.agent_jonas())
    assert today(support) == (0, 0, 0)


def test_the_longest_wait_is_of_those_that_ended_and_those_that_go_on(support: Queue) -> None:
    wait(support, "answered", seconds=75)
    assert of(support)["today"]["longest_wait_s"] == 75
    wait(support, seconds=200.9)
    assert of(support)["today"]["longest_wait_s"] == 200


def test_the_day_begins_at_midnight_where_the_site_is(support: Queue) -> None:
    with timezone.override("America/New_York"):
        assert figures.midnight(NOON) == datetime(2026, 11, 20, 5, 0, tzinfo=UTC)
        wait(support, "answered", left=datetime(2026, 11, 20, 4, 59, tzinfo=UTC))
        wait(support, "answered", left=datetime(2026, 11, 20, 5, 0, tzinfo=UTC))
        assert today(support) == (1, 1, 0)
    with timezone.override("UTC"):
        assert today(support) == (2, 2, 0)


def calls_today(scope: Scope = EVERY) -> dict[str, int]:
    """The calls' own figures at noon."""
    found: dict[str, int] = figures.figures(now=NOON, scope=scope)["calls"]["today"]
    return found


def test_each_call_counts_once_however_often_it_waited(support: Queue) -> None:
    first = wait(support, "overflow")
    wait(centre.queue(), "answered", call=first.call, entered_at=first.entered_at)
    Call.objects.update(answered_at=NOON)
    assert calls_today() == {"volume": 1, "answered": 1, "missed": 0}


def test_calls_of_today_are_those_of_people_who_called_us_today() -> None:
    factories.call(started_at=before(hours=1), answered_at=before(hours=1))
    factories.call(started_at=before(hours=1), state="ended", outcome="missed")
    factories.call(started_at=before(hours=1), state="ended", outcome="failed")
    factories.call(started_at=before(hours=1), state="ringing")
    factories.call(started_at=before(hours=13), answered_at=before(hours=13))
    factories.call(started_at=before(hours=1), answered_at=before(hours=1), direction="outbound")
    assert calls_today() == {"volume": 4, "answered": 1, "missed": 1}


@pytest.mark.parametrize(
    ("result", "agent", "answered"),
    [
        (None, False, 1),
        ("answered", True, 1),
        ("abandoned", True, 1),
        ("abandoned", False, 0),
        ("voicemail", False, 0),
        ("", False, 0),
        ("overflow", False, 1),
    ],
)
def test_who_waits_after_a_voice_is_answered_by_an_agent_or_not_at_all(
    support: Queue, result: str | None, agent: bool, answered: int
) -> None:
    spoke = {"started_at": before(minutes=9), "answered_at": before(minutes=9)}
    by = people.agent_jonas() if agent else None
    call = factories.call(voice=Voice.objects.create(name="Self-service"), agent=by, **spoke)
    if result is not None:
        wait(support, result, call=call)
    assert calls_today() == {"volume": 1, "answered": answered, "missed": 0}


def test_figures_are_of_what_is_seen() -> None:
    north, south = (Team.objects.create(name=name) for name in ("North", "South"))
    ours, theirs, nobodys = centre.queue(team=north), centre.queue(team=south), centre.queue()
    for team in (north, south, None):
        factories.call(started_at=before(hours=1), team=team)
    found = figures.figures(now=NOON, scope=Scope(frozenset({north.pk})))
    assert set(found["queues"]) == {str(ours.pk), str(nobodys.pk)}
    assert found["calls"]["today"]["volume"] == 2
    assert str(theirs.pk) in figures.figures(now=NOON, scope=EVERY)["queues"]
    assert figures.figures(now=NOON, scope=NOTHING)["queues"] == {}


@pytest.mark.parametrize("count", [0, 1, 50])
def test_figures_take_as_many_queries_for_fifty_waits_as_for_none(
    count: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    centre.queue()
    for _ in range(count):
        wait(centre.queue(), "answered")
    with django_assert_num_queries(4):
        figures.figures(now=NOON, scope=EVERY)


def plan_of(asked: CaptureQueriesContext) -> str:
    """How the database finds what these queries ask."""
    found = []
    with connection.cursor() as cursor:
        for query in asked.captured_queries:
            cursor.execute(f"EXPLAIN QUERY PLAN {query['sql']}")
            found += [str(row[3]) for row in cursor.fetchall()]
    return "\n".join(found)


def test_figures_never_read_all_that_ever_waited_or_called(support: Queue) -> None:
    wait(support, "answered")
    with CaptureQueriesContext(connection) as asked:
        figures.figures(now=NOON, scope=EVERY)
    plan = plan_of(asked)
    assert not re.search(r"SCAN calls_(waiting|call)\b", plan), plan
    assert not re.search(r"calls_waiting_queue_id", plan), plan


def test_figures_are_read_once_in_two_seconds_for_each_scope(
    support: Queue, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    first = figures.lately(now=NOON, scope=EVERY)
    wait(support, "answered")
    with django_assert_num_queries(0):
        assert figures.lately(now=NOON + timedelta(seconds=1.9), scope=EVERY) is first
    with django_assert_num_queries(2):  # the waits were read for everybody
        figures.lately(now=NOON + timedelta(seconds=1.9), scope=Scope(frozenset()))
    later = figures.lately(now=NOON + timedelta(seconds=2), scope=EVERY)
    assert later["queues"][str(support.pk)]["today"]["answered"] == 1
    assert later["at"] == "2026-11-20T12:00:02.000Z"


def test_a_page_asks_for_them(support: Queue) -> None:
    client = Client()
    client.force_login(people.mina())
    answer = client.get("/live/figures/")
    assert answer.status_code == 200
    assert set(answer.json()) == {"at", "queues", "calls"}
    assert set(answer.json()["queues"]) == {str(support.pk)}
    assert "no-cache" in answer["Cache-Control"]


def test_who_may_not_watch_is_told_so_in_words() -> None:
    client = Client()
    gone = client.get("/live/figures/")
    assert (gone.status_code, gone.json()["error"]["code"]) == (401, "signed_out")
    client.force_login(people.jonas())
    refused = client.get("/live/figures/")
    assert (refused.status_code, refused.json()["error"]["code"]) == (403, "not_allowed")
    assert client.post("/live/figures/").status_code == 405
