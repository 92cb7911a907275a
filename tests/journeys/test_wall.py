"""Mina watches the wall in Chromium while Carla's call comes in, is spoken, and ends."""

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.people import MINA
from tests.product import Site
from tests.world import SUPPORT

SignIn = Callable[[str, str], Page]


def test_the_wall_shows_two_speakers_with_their_words(site: Site, sign_in: SignIn) -> None:
    page = sign_in(site.url, MINA)
    page.goto(f"{site.url}/live/")
    sid = site.call(to=SUPPORT, script="conversation")
    row = page.get_by_role("row").filter(has_text="Carla Visser")
    expect(row).to_be_visible()
    row.get_by_role("link", name=re.compile("Open")).click()
    words = page.locator("main")
    expect(words).to_contain_text(re.compile("shook hands|evening", re.I), timeout=60_000)
    expect(words).to_contain_text(re.compile("surpassed|typography", re.I), timeout=60_000)
    site.emulator(f"/emulator/calls/{sid}/hangup/", {})
    expect(page.locator("main")).to_contain_text(re.compile("ended", re.I))
    page.goto(f"{site.url}/live/")
    expect(page.get_by_role("row").filter(has_text="Carla Visser")).to_have_count(0)
