"""The README's pictures: the wall, a call and a desk of a running demo, in both themes.

python -m tools.pictures URL SUPERVISOR PASSWORD [AGENT PASSWORD]
"""

import sys
from typing import Literal

from playwright.sync_api import Page, ViewportSize, sync_playwright

from tools.house import ROOT

CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
]
RINGS_WITHIN_MS = 60_000
HELP_WITHIN_MS = 240_000  # the caller who is too much for their agent comes round again
SIZE = ViewportSize(width=1280, height=800)
READ_MS = 1500  # until meters and words stand


def main(url: str, username: str, password: str, agent: str = "", agents_password: str = "") -> None:
    """Sign in as a supervisor and take docs/images/{wall,call}-{light,dark}.png; as an agent, desk-….png."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        themes: tuple[Literal["light", "dark"], ...] = ("light", "dark")
        for theme in themes:
            page = browser.new_page(viewport=SIZE, color_scheme=theme)
            _sign_in(page, url, username, password)
            needs_help = page.locator("[data-pinned] [data-open]").first
            needs_help.wait_for(timeout=HELP_WITHIN_MS)
            _take(page, f"wall-{theme}")
            needs_help.click()
            page.wait_for_url("**/calls/*/")
            _take(page, f"call-{theme}")
        if agent:
            page = browser.new_page(viewport=SIZE, permissions=["microphone"])
            _sign_in(page, url, agent, agents_password, "**/desk/")
            _desk(page)
        browser.close()


def _desk(page: Page) -> None:
    """Check the phone, say Ready, and take the call that rings in both themes."""
    page.click("[data-status=ready]")
    page.click("#check [data-play]")
    page.click("#check [data-heard]")
    page.click("#check [data-go-ready]")
    page.wait_for_selector("dialog.ringing[open]", timeout=RINGS_WITHIN_MS)
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)
        _take(page, f"desk-{theme}")
    page.click("[data-decline]")


def _sign_in(page: Page, url: str, username: str, password: str, lands: str = "**/live/") -> None:
    page.goto(f"{url}/accounts/login/")
    page.fill("[name=username]", username)
    page.fill("[name=password]", password)
    page.keyboard.press("Enter")
    page.wait_for_url(lands)


def _take(page: Page, name: str) -> None:
    page.wait_for_timeout(READ_MS)
    page.screenshot(path=ROOT / "docs" / "images" / f"{name}.png")


if __name__ == "__main__":
    main(*sys.argv[1:6])
