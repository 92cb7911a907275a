"""The list of calls, signing in and the small pages, in Chromium."""

import re
from collections.abc import Callable
from typing import Literal

import pytest
from playwright.sync_api import Page, expect

from tests.browser.theatre import Stage

Arrive = Callable[..., Page]
Theme = Literal["light", "dark"]
BOTH: list[tuple[Theme, Theme]] = [("light", "dark"), ("dark", "light")]


def past_calls(stage: Stage) -> list[int]:
    """Three calls that ended; in the second one somebody spoke of water."""
    calls = []
    for n, text in enumerate(("good morning", "there is water in the kitchen", "goodbye")):
        call, sid = stage.live_call(caller=f"+3161000000{n}")
        stage.play("say", sid=sid, text=text)
        stage.play("hang_up", call=call)
        calls.append(call)
    return calls


def test_calls_are_found_by_what_was_said(arrive: Arrive, stage: Stage) -> None:
    calls = past_calls(stage)
    page = arrive("mina", "/calls/")
    expect(page.locator(".history tbody tr")).to_have_count(3)
    page.keyboard.press("/")
    page.keyboard.type("WATER")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"[?&]q=WATER"))
    expect(page.locator(".history tbody tr")).to_have_count(1)
    expect(page.locator("q")).to_have_text("there is water in the kitchen")
    page.reload()
    expect(page.locator("[name=q]")).to_have_value("WATER")
    page.locator(".history tbody tr").click(position={"x": 300, "y": 20})
    expect(page).to_have_url(f"{stage.url}/calls/{calls[1]}/")


def test_the_filter_is_cleared(arrive: Arrive, stage: Stage) -> None:
    past_calls(stage)
    page = arrive("mina", "/calls/?q=nothing+of+the+kind&state=ended")
    expect(page.locator(".empty-title")).to_have_text("No call fits this filter.")
    page.get_by_role("link", name="Clear", exact=True).click()
    expect(page.locator(".history tbody tr")).to_have_count(3)


def test_a_call_in_progress_ticks_in_the_list(arrive: Arrive, stage: Stage) -> None:
    stage.live_call()
    page = arrive("mina", "/calls/")
    timer = page.locator("cc-timer")
    expect(timer).to_have_text(re.compile(r"^0[01]:\d\d$"))
    first = timer.text_content() or ""
    expect(timer).not_to_have_text(first)


def test_keys_go_through_the_list(arrive: Arrive, stage: Stage) -> None:
    calls = past_calls(stage)
    page = arrive("mina", "/calls/")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{stage.url}/calls/{calls[1]}/")


def test_signing_in_leads_to_where_one_wanted(page: Page, stage: Stage) -> None:
    page.goto(f"{stage.url}/calls/?q=water")
    expect(page.locator("[name=username]")).to_be_focused()
    page.keyboard.type("mina")
    page.keyboard.press("Tab")
    page.keyboard.type("a password for tests")
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{stage.url}/calls/?q=water")
    page.get_by_role("button", name="Sign out").click()
    expect(page).to_have_url(f"{stage.url}/accounts/login/")


def test_a_wrong_password_is_told(page: Page, stage: Stage) -> None:
    page.goto(f"{stage.url}/accounts/login/")
    page.fill("[name=username]", "mina")
    page.fill("[name=password]", "wrong")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("correct")


@pytest.mark.parametrize(("system", "first", "second"), [(one, other, one) for one, other in BOTH])
def test_the_theme_follows_the_system_until_one_chooses(
    mina: Page, stage: Stage, system: Theme, first: Theme, second: Theme
) -> None:
    background = "() => getComputedStyle(document.documentElement).backgroundColor"
    mina.emulate_media(color_scheme="dark")
    looks: dict[Theme, str] = {"dark": mina.evaluate(background)}
    mina.emulate_media(color_scheme="light")
    looks["light"] = mina.evaluate(background)
    assert looks["dark"] != looks["light"]
    mina.emulate_media(color_scheme=system)
    mina.reload()  # what the first click chooses is what the system does not show
    toggle = mina.locator("[data-theme-toggle]")
    for theme in (first, second):
        toggle.click()
        expect(mina.locator("html")).to_have_attribute("data-theme", theme)
        assert mina.evaluate(background) == looks[theme]
    toggle.click()
    expect(mina.locator("html")).to_have_attribute("data-theme", "auto")
    assert mina.evaluate(background) == looks[system]
    toggle.click()
    mina.reload()
    assert mina.evaluate(background) == looks[first]


def test_the_skip_link_leads_to_the_content(mina: Page, stage: Stage) -> None:
    mina.keyboard.press("Tab")
    expect(mina.locator(".skip")).to_be_focused()
    mina.keyboard.press("Enter")
    expect(mina.locator("main")).to_be_focused()


def test_who_has_no_role_reads_what_to_ask_for(arrive: Arrive, stage: Stage) -> None:
    page = arrive("eve", "/")
    expect(page.locator("h1")).to_have_text("Welcome, Eve")
    expect(page.get_by_role("link", name="Live")).to_have_count(0)
