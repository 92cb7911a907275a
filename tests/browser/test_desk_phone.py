"""The phone in the browser as the desk tells of it: check, loss, refusal, a second tab, a lost line."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.deskplay import DeskPlay, call, context, offer
from tests.browser.desks import until
from tests.browser.theatre import Stage
from tests.chromium import watch
from tools.phone_sounds import SOUNDS

Arrive = Callable[..., Page]
CHIP, BANNER, CODE = "[data-phone-chip]", "[data-phone-banner] [data-text]", "[data-phone-banner] [data-code]"
VOICE = """navigator.mediaDevices.getUserMedia = async () => {
  const context = new AudioContext();
  const tone = new OscillatorNode(context, { frequency: 440 });
  const out = context.createMediaStreamDestination();
  tone.connect(out);
  tone.start();
  return out.stream;
};
HTMLMediaElement.prototype.play = async function () { window.played = (window.played ?? 0) + 1; };
window.RTCPeerConnection = class {
  createDataChannel() {}
  async createOffer() { return {}; }
  async setLocalDescription() { this.onicecandidate({ candidate: { type: "srflx" } }); }
  close() {}
};"""
ASLEEP = """() => {
  window.seen = [];
  const chip = document.querySelector("[data-phone-chip]");
  const look = { subtree: true, childList: true, characterData: true };
  new MutationObserver(() => seen.push(chip.textContent.trim())).observe(chip, look);
  twilio.device.become("unregistered");
  twilio.device.become("registered");
}"""


@pytest.fixture
def play(page: Page) -> DeskPlay:
    """What stands around Jonas' desk; nobody has come yet."""
    return DeskPlay(page)


@pytest.fixture
def desk(play: DeskPlay, arrive: Arrive, page: Page) -> DeskPlay:
    """Jonas at his desk, the phone registered."""
    arrive("jonas", "/desk/")
    expect(page.locator(CHIP)).to_have_text("Phone ready")
    return play


def test_the_phone_registers_with_sounds_of_our_own_and_the_server_is_told(
    desk: DeskPlay, page: Page
) -> None:
    options = page.evaluate("() => twilio.device.options")
    assert options["sounds"] == {name: f"/static/sounds/phone-{name}.wav" for name in SOUNDS}
    assert desk.wait_for("phone") == {"phone": "browser", "ok": True}
    assert page.evaluate("() => [twilio.devices, twilio.device.token]") == [1, "a.b.c"]


def test_a_token_is_renewed_before_it_runs_out(desk: DeskPlay, page: Page) -> None:
    desk.token = (200, {"token": "x.y.z", "identity": "agent_jonas", "edge": ""})
    page.evaluate("() => twilio.device.emit('tokenWillExpire')")
    until(page, "() => twilio.device.token === 'x.y.z'")
    assert page.evaluate("() => twilio.devices") == 1


def test_a_flicker_is_no_alarm_and_a_loss_is_one_after_three_seconds(desk: DeskPlay, page: Page) -> None:
    page.evaluate(ASLEEP)
    expect(page.locator(CHIP)).to_have_text("Phone ready")
    assert page.evaluate("() => seen.filter((word) => word !== 'Phone ready')") == []
    page.evaluate("() => twilio.device.become('unregistered')")
    expect(page.locator(CHIP)).to_have_text("Phone lost")
    expect(page.locator(BANNER)).to_contain_text("The phone has lost Twilio")
    assert desk.wait_for("phone", 2) == {"phone": "browser", "ok": False}
    page.evaluate("() => twilio.device.become('registered')")
    expect(page.locator(CHIP)).to_have_text("Phone ready")
    expect(page.locator(BANNER)).to_be_hidden()


def test_an_error_is_told_in_words_with_its_code_small(play: DeskPlay, arrive: Arrive, page: Page) -> None:
    page.add_init_script("twilio.refuses = 20101;")
    arrive("jonas", "/desk/")
    expect(page.locator(BANNER)).to_contain_text("The phone's pass was refused")
    expect(page.locator(CODE)).to_have_text("20101")
    page.evaluate("() => { twilio.refuses = 0; }")
    page.locator("[data-phone-retry]").click()
    expect(page.locator(CHIP)).to_have_text("Phone ready")


def test_a_site_without_an_api_key_says_so(play: DeskPlay, arrive: Arrive, page: Page) -> None:
    play.token = (503, {"error": {"code": "no_key", "text": "It has no Twilio API key."}})
    arrive("jonas", "/desk/")
    expect(page.locator(CHIP)).to_have_text("Phone not ready")
    expect(page.locator(BANNER)).to_have_text("It has no Twilio API key.")


def test_a_blocked_microphone_is_told_how_to_allow(play: DeskPlay, arrive: Arrive, page: Page) -> None:
    page.add_init_script("navigator.permissions.query = async () => ({ state: 'denied' });")
    arrive("jonas", "/desk/")
    expect(page.locator(CHIP)).to_have_text("Microphone blocked")
    expect(page.locator(BANNER)).to_contain_text("set Microphone to Allow")


def test_ready_needs_a_check_of_microphone_speaker_and_network(arrive: Arrive, page: Page) -> None:
    play = DeskPlay(page, checked=False)
    page.add_init_script(VOICE)
    arrive("jonas", "/desk/")
    expect(page.locator(CHIP)).to_have_text("Phone ready")
    page.locator('[data-status="ready"]').click()
    steps = {name: page.locator(f'[data-step="{name}"] [data-badge]') for name in ("microphone", "network")}
    for badge in steps.values():
        expect(badge).to_have_text("Good")
    assert play.of("status") == []
    expect(page.locator("[data-go-ready]")).to_be_hidden()
    page.locator("[data-play]").click()
    page.locator("[data-heard]").click()
    page.locator("[data-go-ready]").click()
    expect(page.locator("[data-state-badge]")).to_have_text("Ready")
    assert play.of("phone")[-1]["ok"] is True
    page.reload()
    expect(page.locator("[data-browser-note]")).to_have_text("Checked today.")


def test_a_call_goes_on_while_the_page_has_no_line(desk: DeskPlay, page: Page) -> None:
    desk.talk()
    assert desk.line is not None
    desk.line.close(code=1011)
    desk.offline = True
    page.locator("[data-hangup]").click()
    until(page, "() => twilio.call.state === 'closed'")  # the phone itself hangs up
    desk.until(lambda: len(desk.hellos) == 2)


def test_leaving_asks_only_during_a_call(desk: DeskPlay, page: Page) -> None:
    asks = "() => !window.dispatchEvent(new Event('beforeunload', { cancelable: true }))"
    assert page.evaluate(asks) is False
    desk.talk()
    assert page.evaluate(asks) is True


def test_after_a_reload_the_call_is_offered_back(desk: DeskPlay, page: Page) -> None:
    desk.talk()
    page.on("dialog", lambda dialog: dialog.accept())
    page.reload()
    expect(page.locator("[data-call-bar]")).to_be_visible()
    desk.push(offer=offer(kind="resume", offer=6), call=call(state="live"), context=context())
    expect(page.locator("[data-ringing] [data-kind]")).to_have_text("Your call is still there")
    page.evaluate("() => twilio.ring()")
    page.locator("[data-accept]", has_text="Go on").click()
    until(page, "() => twilio.call.state === 'open'")


def test_the_server_says_that_the_desk_is_open_elsewhere(play: DeskPlay, arrive: Arrive, page: Page) -> None:
    play.refuse_hello = True
    arrive("jonas", "/desk/")
    expect(page.get_by_role("heading", name="The desk is open in another tab")).to_be_visible()
    expect(page.locator("[data-desk]")).to_be_hidden()
    page.get_by_role("button", name="Use it here").click()
    expect(page.locator("cc-connection")).to_have_text("Live")
    expect(page.locator(CHIP)).to_have_text("Phone ready")
    assert [hello["take"] for hello in play.hellos] == [False, True]


def test_a_second_tab_asks_before_it_takes_the_desk(
    desk: DeskPlay, page: Page, context: BrowserContext, stage: Stage
) -> None:
    other = context.new_page()
    faults = watch(other)
    second = DeskPlay(other)
    other.goto(f"{stage.url}/desk/")
    expect(other.locator("[data-taken]")).to_be_visible()
    assert second.hellos == []
    other.locator("[data-take]").click()
    expect(other.locator(CHIP)).to_have_text("Phone ready")
    expect(page.locator("[data-taken]")).to_be_visible()
    expect(page.locator("cc-connection")).to_have_text("Open elsewhere")
    assert page.evaluate("() => twilio.device.state") == "destroyed"
    assert second.hellos[0]["take"] is True
    assert second.hellos[0]["desk"] != desk.hellos[0]["desk"]
    assert faults == []


def test_beats_are_answered(desk: DeskPlay, page: Page) -> None:
    desk.send({"type": "beat"})
    desk.until(lambda: desk.acks == 1)


def test_a_broken_chain_is_mended_by_a_greeting(desk: DeskPlay, page: Page) -> None:
    desk.talk()
    desk.send({"type": "gap", "gap": 1, "call": 41, "id": desk.id + 9, "after": desk.id + 8})
    desk.until(lambda: len(desk.hellos) == 2)


def test_twilios_own_sdk_loads_under_our_policy(arrive: Arrive, page: Page) -> None:
    DeskPlay(page, twilio=False)
    page.route("**/desk/token/", lambda route: route.fulfill(json={"token": "a.b.c", "edge": ""}))
    page.route_web_socket(re.compile("twilio.com"), lambda route: None)
    page.route(re.compile("twilio.com"), lambda route: route.abort("connectionrefused"))
    arrive("jonas", "/desk/")
    until(page, "() => Twilio.Device.version === '2.18.5'")
    expect(page.locator(CHIP)).to_have_text("Phone connecting")
