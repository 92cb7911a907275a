"""How the desk looks in each of its states: both themes, wide and narrow, nothing cut off."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.deskplay import DeskPlay
from tests.browser.test_looks import CONTRAST, NAMELESS, SMALL
from tests.chromium import picture

Arrive = Callable[..., Page]
SIZES = {"wide": (1280, 860), "narrow": (390, 860), "narrowest": (320, 640)}


def ringing(play: DeskPlay) -> None:
    play.ring()


def talking(play: DeskPlay) -> None:
    play.talk()
    play.page.locator("[data-keypad]").click()


def watched(play: DeskPlay) -> None:
    play.talk()
    play.push(watchers={"listeners": ["Ada"], "supervisor": {"name": "Mina", "mode": "coach", "state": "in"}})
    expect(play.page.locator("[data-watchers]")).to_be_visible()


def consulting(play: DeskPlay) -> None:
    play.talk(consult={"who": "Amira", "state": "talking"}, held=True)


def transferring(play: DeskPlay) -> None:
    play.found = {
        "agents": [
            {"key": "2", "name": "Amira", "state": "ready"},
            {"key": "4", "name": "Bo", "state": "on_call"},
        ],
        "queues": [{"key": "1", "name": "Sales", "waiting": 2}],
        "number": None,
    }
    play.talk()
    play.page.locator("[data-transfer]").click()
    expect(play.page.locator(".found-item")).to_have_count(3)


def wrapping(play: DeskPlay) -> None:
    play.talk()
    play.wrap_up()
    play.page.locator(".callback-later summary").click()


def missed(play: DeskPlay) -> None:
    play.push(missed=True, me=play.me(reason="missed"))
    expect(play.page.locator("[data-missed]")).to_be_visible()


def taken(play: DeskPlay) -> None:
    assert play.line is not None
    play.line.close(code=4409)
    expect(play.page.locator("[data-taken]")).to_be_visible()


def blocked(play: DeskPlay) -> None:
    play.page.context.clear_permissions()
    play.page.add_init_script(
        "navigator.permissions.query = async () => ({ state: 'denied' });"
        "navigator.mediaDevices.getUserMedia = async () => {"
        " throw new DOMException('', 'NotAllowedError'); };"
    )
    play.page.reload()
    play.page.locator("[data-phone-banner] [data-check-open]").click()
    expect(play.page.locator("[data-blocked]")).to_be_visible()


STATES: dict[str, Callable[[DeskPlay], None]] = {
    "idle": lambda play: None,
    "ringing": ringing,
    "talking": talking,
    "watched": watched,
    "consult": consulting,
    "transfer": transferring,
    "wrapup": wrapping,
    "missed": missed,
    "taken": taken,
    "blocked": blocked,
}


@pytest.mark.parametrize("state", STATES)
def test_the_desk_looks_right_in_every_state(arrive: Arrive, page: Page, state: str) -> None:
    play = DeskPlay(page)
    arrive("jonas", "/desk/")
    expect(page.locator("cc-connection")).to_have_text("Live")
    STATES[state](play)
    wrong = {}
    for size, theme in (("wide", "light"), ("wide", "dark"), ("narrow", "dark"), ("narrowest", "light")):
        width, height = SIZES[size]
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(color_scheme="dark" if theme == "dark" else "light", reduced_motion="reduce")
        picture(page, f"desk-{state}-{size}-{theme}")
        found = page.evaluate(CONTRAST) + page.evaluate(SMALL) + page.evaluate(NAMELESS)
        if page.evaluate("() => document.documentElement.scrollWidth") > width:
            found.append("wider than the window")
        if found:
            wrong[f"{size} {theme}"] = found
    assert wrong == {}
