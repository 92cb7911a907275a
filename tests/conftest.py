"""What every test has: a mark by its folder, a limit in time, and a product without yesterday's state."""

import signal
from collections.abc import Iterator
from types import FrameType

import hypothesis
import pytest
from django.db import connection
from pytest_django import DjangoDbBlocker

pytest.register_assert_rewrite("tests.chromium", "tests.invariants", "tests.twilio", "tests.journeys.story")

from tests.processes import postgres, redis_server  # noqa: E402, F401  fixtures
from tests.product import cluster_site, site  # noqa: E402, F401  fixtures

# How long an example takes is the machine's affair, and no reason to fail.
hypothesis.settings.register_profile("ours", deadline=None)
hypothesis.settings.load_profile("ours")

LIMIT_SECONDS = 180
MARKS = {"cluster": "cluster", "browser": "browser", "journeys": "journey"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests of the folders that need real servers carry the folder's mark."""
    for item in items:
        folder = item.path.parent.name
        if folder in MARKS:
            item.add_marker(MARKS[folder])
        keep_what_migrations_wrote(item)


def keep_what_migrations_wrote(item: pytest.Item) -> None:
    """A test with transactions of its own ends by emptying the database; groups and counter come back."""
    wanted = item.get_closest_marker("django_db")
    fixtures = getattr(item, "fixturenames", [])
    if (wanted and wanted.kwargs.get("transaction")) or "transactional_db" in fixtures:
        again = {**(wanted.kwargs if wanted else {}), "transaction": True, "serialized_rollback": True}
        item.add_marker(pytest.mark.django_db(**again), append=False)
        fixtures.insert(0, "what_migrations_wrote")  # first to come is last to go: after the emptying


@pytest.fixture
def what_migrations_wrote(django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Puts back the rows of a fresh database, with their ids, when the test has ended."""
    yield
    with django_db_blocker.unblock():
        connection.creation.deserialize_db_from_string(connection._test_serialized_contents)  # type: ignore[attr-defined]


@pytest.fixture(autouse=True)
def no_figures_of_another_test() -> None:
    """What a process keeps for two seconds is nothing that the next test should see."""
    from calls.selectors import figures

    figures.forget()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """End a test that hangs, fixtures included, so that a run ends by itself and names the culprit."""

    def expire(number: int, frame: FrameType | None) -> None:
        pytest.fail(f"{item.nodeid} took more than {LIMIT_SECONDS} s")

    before = signal.signal(signal.SIGALRM, expire)
    signal.alarm(LIMIT_SECONDS)
    try:
        return (yield)
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
