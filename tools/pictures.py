"""The README's pictures: the wall and a call of a running demo, in both themes.

python -m tools.pictures URL USERNAME PASSWORD
"""

import sys
from typing import Literal

from playwright.sync_api import Page, ViewportSize, sync_playwright

from tools.house import ROOT

CHROMIUM = "/usr/bin/chromium"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"]
SIZE = ViewportSize(width=1280, height=720)
READ_MS = 1500  # until meters and words stand


def main(url: str, username: str, password: str) -> None:
    """Sign in as a supervisor and take docs/images/{wall,call}-{light,dark}.png."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        themes: tuple[Literal["light", "dark"], ...] = ("light", "dark")
        for theme in themes:
            page = browser.new_page(viewport=SIZE, color_scheme=theme)
            _sign_in(page, url, username, password)
            _take(page, f"wall-{theme}")
            page.get_by_role("row").filter(has_text="Support").get_by_role("link").last.click()
            page.wait_for_url("**/calls/*/")
            _take(page, f"call-{theme}")
        browser.close()


def _sign_in(page: Page, url: str, username: str, password: str) -> None:
    page.goto(f"{url}/accounts/login/")
    page.fill("[name=username]", username)
    page.fill("[name=password]", password)
    page.keyboard.press("Enter")
    page.wait_for_url("**/live/")


def _take(page: Page, name: str) -> None:
    page.wait_for_timeout(READ_MS)
    page.screenshot(path=ROOT / "docs" / "images" / f"{name}.png")


if __name__ == "__main__":
    main(*sys.argv[1:4])
