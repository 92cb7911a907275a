"""Debian's Chromium by Playwright: `page` for a signed-out visitor, `sign_in` for a named person.

A page that writes an error to its console, or breaks the Content Security Policy, fails its test.
"""

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright

from tests.people import PASSWORD
from tests.processes import ROOT, needed

# Playwright's synchronous interface keeps an event loop in this thread; Django refuses queries beside one.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PICTURES = ROOT / "var" / "test" / "pictures"
# What a lost connection writes by itself, and a refusal of what was asked; tests cause these on purpose.
EXPECTED = re.compile(
    r"WebSocket connection to .* failed|net::ERR_(CONNECTION_REFUSED|INTERNET_DISCONNECTED)"
    r"|status of (409|503) .*/desk/(do|token)/$"
    r"|status of 409 .*/calls/[0-9]+/do/$"
    r"|status of 503 .*/live/token/$"
    r"|status of 401 .*/live/figures/$"
    r"|status of (404|502) .*/voicemails/[0-9]+/sound/$"
)

expect.set_options(timeout=15_000)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium, one for the whole run."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=needed("chromium"), args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A fresh visitor: no cookies, English, a wide window."""
    visitor = browser.new_context(viewport={"width": 1280, "height": 800}, locale="en-GB")
    yield visitor
    visitor.close()


@pytest.fixture
def page(context: BrowserContext, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A page of a fresh visitor; a picture of it is kept in var/test/pictures when the test ends."""
    one = context.new_page()
    faults = watch(one)
    yield one
    PICTURES.mkdir(parents=True, exist_ok=True)
    if not one.is_closed():
        one.screenshot(path=PICTURES / f"{re.sub(r'[^A-Za-z0-9]+', '-', request.node.name)}.png")
    assert faults == []


def watch(page: Page) -> list[str]:
    """A list that fills with the page's errors: uncaught ones, and those in its console."""
    faults: list[str] = []

    def heard(message: ConsoleMessage) -> None:
        told = f"{message.text} {message.location['url']}"
        if message.type == "error" and not EXPECTED.search(told):
            faults.append(told)

    page.on("console", heard)
    page.on("pageerror", lambda error: faults.append(str(error)))
    return faults


@pytest.fixture
def sign_in(page: Page) -> Callable[[str, str], Page]:
    """`sign_in(site.url, "mina")`: through the login page, as people do."""

    def through_the_page(url: str, username: str) -> Page:
        page.goto(f"{url}/accounts/login/")
        page.fill("input[name=username]", username)
        page.fill("input[name=password]", PASSWORD)
        page.press("input[name=password]", "Enter")
        expect(page).not_to_have_url(re.compile("/accounts/login/"))
        return page

    return through_the_page


def picture(page: Page, name: str, folder: Path = PICTURES) -> Path:
    """A picture of the whole page under a name of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.png"
    page.screenshot(path=path, full_page=True)
    return path
