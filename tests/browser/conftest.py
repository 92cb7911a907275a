"""Chromium for the tests of this folder, and a stage that stands for the run and is cleared for each test."""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import BrowserContext, Page

from tests.browser.callplay import mina_there  # noqa: F401  fixture
from tests.browser.desks import board, desk, recordings, talker  # noqa: F401  fixtures
from tests.browser.theatre import Stage
from tests.browser.wallplay import played  # noqa: F401  fixture
from tests.calls.rest import rest
from tests.chromium import browser, context, page, sign_in  # noqa: F401  fixtures


@pytest.fixture(scope="session")
def theatre(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """One serving process for the whole run."""
    with rest() as twilio:
        one = Stage(tmp_path_factory.mktemp("stage"), twilio)
        one.prepare()
        one.start()
        yield one
        one.stop()


@pytest.fixture
def stage(theatre: Stage) -> Stage:
    """The stage with its people and its number, and no call."""
    theatre.rest.rules.clear()
    theatre.rest.asked.clear()
    theatre.play("clear")
    return theatre


@pytest.fixture
def arrive(stage: Stage, context: BrowserContext, page: Page) -> Callable[..., Page]:  # noqa: F811
    """`arrive("mina", "/calls/")`: a named person's page, already signed in."""

    def at(username: str, path: str = "/live/") -> Page:
        key = stage.play("session", username=username)
        context.add_cookies([{"name": "sessionid", "value": key, "url": stage.url}])
        page.goto(f"{stage.url}{path}")
        return page

    return at


@pytest.fixture
def mina(arrive: Callable[..., Page]) -> Page:
    """Mina at the wall."""
    return arrive("mina")
