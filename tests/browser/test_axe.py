"""No page breaks WCAG 2.2 AA in any state, in either theme, nor too narrow; a new state is one line here."""

import hashlib
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.axe import SCRIPT, violations
from tests.browser.deskplay import DeskPlay
from tests.browser.test_desk_looks import STATES as DESK
from tests.browser.theatre import Stage

Arrive = Callable[..., Page]
Scene = Callable[[Arrive, Page, Stage], None]
LINE, LIVE = "cc-connection", "Live"


def at(path: str, who: str = "mina") -> Scene:
    """A page at its address, on a busy day."""

    def scene(arrive: Arrive, page: Page, stage: Stage) -> None:
        calls = stage.play("busy_day")
        arrive(who, path.format(**calls))
        if page.locator(LINE).count():
            expect(page.locator(LINE)).to_have_text(LIVE)

    return scene


def after(before: Scene, act: Callable[[Page], None], seen: str) -> Scene:
    """A page on which something was done, once `seen` is visible."""

    def scene(arrive: Arrive, page: Page, stage: Stage) -> None:
        before(arrive, page, stage)
        act(page)
        expect(page.locator(seen).first).to_be_visible()

    return scene


def press(selector: str) -> Callable[[Page], None]:
    return lambda page: page.locator(selector).first.click()


def quiet(path: str, prepare: str = "clear", who: str = "mina") -> Scene:
    """A page while there is nothing to show."""

    def scene(arrive: Arrive, page: Page, stage: Stage) -> None:
        stage.play(prepare)
        arrive(who, path)

    return scene


def broken(code: int) -> Scene:
    """The wall whose line was closed by the site."""

    def scene(arrive: Arrive, page: Page, stage: Stage) -> None:
        stage.play("busy_day")
        page.route_web_socket("**/ws/live/", lambda route: route.close(code=code))
        arrive("mina")
        expect(page.locator("[data-banner]")).to_be_visible()

    return scene


def refusal(path: str, who: str) -> Scene:
    """The page with which the site refuses; its status is left out, which the browser takes for a fault."""

    def scene(arrive: Arrive, page: Page, stage: Stage) -> None:
        page.route(f"**{path}", lambda route: route.fulfill(response=route.fetch(), status=200))
        arrive(who, path)
        expect(page.locator(".message-page")).to_be_visible()

    return scene


def signed_out(path: str) -> Scene:
    def open_(arrive: Any, page: Page, stage: Any) -> None:
        page.goto(f"{stage.url}{path}")

    return open_


def refused(arrive: Arrive, page: Page, stage: Stage) -> None:
    """A sign-in that failed."""
    page.goto(f"{stage.url}/accounts/login/")
    page.fill("input[name=username]", "mina")
    page.fill("input[name=password]", "not hers")
    page.press("input[name=password]", "Enter")
    expect(page.locator(".notice")).to_be_visible()


def failing(arrive: Arrive, page: Page, stage: Stage) -> None:
    """A page on which the site failed."""
    body = stage.play("failure_page")
    page.route("**/fails/", lambda route: route.fulfill(status=200, content_type="text/html", body=body))
    page.goto(f"{stage.url}/fails/")


def messages(arrive: Arrive, page: Page, stage: Stage) -> None:
    """Messages that callers left."""
    stage.play("voicemail", call=stage.live_call()[0])
    stage.play("voicemail", call=stage.play("ring", caller="anonymous"))
    arrive("jonas", "/voicemails/")
    expect(page.locator(".message")).to_have_count(2)


def desk(state: str) -> Scene:
    """The desk in one of the states of its own tests."""

    def scene(arrive: Arrive, page: Page, stage: Stage) -> None:
        play = DeskPlay(page)
        arrive("jonas", "/desk/")
        expect(page.locator(LINE)).to_have_text(LIVE)
        DESK[state](play)

    return scene


STATES: dict[str, Scene] = {
    "login": signed_out("/accounts/login/"),
    "login refused": refused,
    "home": at("/", "eve"),
    "403": refusal("/live/", "eve"),
    "404": refusal("/nowhere/", "mina"),
    "500": failing,
    "wall": at("/live/"),
    "wall empty": quiet("/live/"),
    "wall first run": quiet("/live/", "no_numbers", who="ada"),
    "wall paused": after(at("/live/"), press("[data-pause]"), "[data-pause][aria-pressed=true]"),
    "wall reconnecting": broken(4013),
    "wall slow": broken(4408),
    "wall signed out": broken(4401),
    "call": at("/calls/{talking}/"),
    "call ended": at("/calls/{past}/"),
    "call without a stream": at("/calls/{bare}/"),
    "call ringing": at("/calls/{ringing}/"),
    "call start": after(at("/calls/{bare}/"), press("[data-start]"), "dialog[open]"),
    "call stop": after(at("/calls/{talking}/"), press("[data-stop]"), "dialog[open]"),
    "call find": after(at("/calls/{talking}/"), lambda page: page.fill("#find", "boiler"), "mark"),
    "history": at("/calls/"),
    "history found": at("/calls/?q=boiler"),
    "history nothing found": at("/calls/?q=nothing+of+the+kind"),
    "history empty": quiet("/calls/"),
    "voicemails": messages,
    "voicemails empty": quiet("/voicemails/", who="jonas"),
    "keys": after(at("/calls/"), press("[data-keys-open]"), "dialog[open]"),
    **{f"desk {state}": desk(state) for state in DESK},
}
SIZES = {"light": (1280, 860), "dark": (1280, 860), "light narrow": (390, 860)}


@pytest.mark.parametrize("state", STATES)
def test_axe_finds_nothing(arrive: Arrive, page: Page, stage: Stage, state: str) -> None:
    STATES[state](arrive, page, stage)
    wrong = []
    for look, (width, height) in SIZES.items():
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(
            color_scheme="dark" if look == "dark" else "light", reduced_motion="reduce", forced_colors="none"
        )
        wrong += [f"{look}: {found}" for found in violations(page)]
    assert not wrong, "\n".join(wrong)


def test_the_script_is_the_one_that_was_published() -> None:
    wanted, name = SCRIPT.with_suffix(".js.sha256").read_text().split()
    assert name == SCRIPT.name
    assert hashlib.sha256(SCRIPT.read_bytes()).hexdigest() == wanted
