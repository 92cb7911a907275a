"""The desk with the emulator's stand-in for Twilio's SDK: token, registered, checked, rings, two talk."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.deskplay import DeskPlay
from tests.browser.desks import until
from tests.browser.switchboard import ACCOUNT_SID, KEY, SECRET, Switchboard
from tests.browser.theatre import Stage
from tests.calls.rest import rest
from tests.chromium import watch

CHIP = "[data-phone-chip]"


@dataclass
class EmulatedStage(Stage):
    """The product whose desks use the phone of an emulator."""

    emulator: str = ""

    def environment(self) -> dict[str, str]:
        """As on any stage, but for the account and the phone."""
        own = {
            "TWILIO_ACCOUNT_SID": ACCOUNT_SID,
            "TWILIO_API_KEY": KEY,
            "TWILIO_API_SECRET": SECRET,
            "SOFTPHONE_URL": f"{self.emulator}/emulator/softphone.js",
        }
        return {**super().environment(), **own}


@pytest.fixture
def office(board: Switchboard, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A site beside the emulator, with Jonas, whom the emulator's number dials."""
    board.product.answers["/twilio/voice/"] = "<Response><Dial><Client>agent_jonas</Client></Dial></Response>"
    with rest() as twilio:
        one = EmulatedStage(tmp_path_factory.mktemp("office"), twilio, emulator=board.emulator_url)
        one.prepare()
        one.start()
        one.play("clear")
        yield one
        one.stop()


@pytest.fixture
def page(office: Stage, talker: Browser) -> Iterator[Page]:
    """Jonas' browser, with a microphone that hears a tone."""
    visitor = talker.new_context()
    key = office.play("session", username="jonas")
    visitor.add_cookies([{"name": "sessionid", "value": key, "url": office.url}])
    one = visitor.new_page()
    faults = watch(one)
    yield one
    visitor.close()
    assert faults == []


def test_a_desk_beside_the_emulator_registers_rings_and_talks(
    board: Switchboard, office: Stage, page: Page
) -> None:
    play = DeskPlay(page, twilio=False, checked=False)
    page.goto(f"{office.url}/desk/")
    expect(page.locator(CHIP)).to_have_text("Phone ready")
    page.locator("[data-check-open]").first.click()
    for step in ("microphone", "network"):
        expect(page.locator(f'[data-step="{step}"] [data-badge]')).to_have_text("Good")
    until(page, "() => document.querySelector('[data-input]').options.length > 1")
    page.locator("#check [data-close]").click()
    alice = board.call()
    play.offered()
    page.locator("[data-accept]").click()
    expect(page.locator(CHIP)).to_have_text("Phone: talking")
    play.answered()
    page.locator("[data-mute]").click()
    expect(page.locator("[data-mute]")).to_have_attribute("aria-pressed", "true")
    agents = [leg.call for leg in board.exchange.legs.values() if leg.call.parent_sid == alice]
    assert [leg.status for leg in agents] == ["in-progress"]
    board.hang_up(alice)
    expect(page.locator(CHIP)).to_have_text("Phone ready")
