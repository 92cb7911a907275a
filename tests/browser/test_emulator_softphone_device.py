"""The softphone as a program meets it: its shape, tokens, devices, refusals and the try before a call."""

import pytest
from playwright.sync_api import Browser, Error, Page, expect

from tests.browser.desks import answered, told, until
from tests.browser.switchboard import Switchboard, token

# What a page may use of Twilio's Voice SDK 2.18.
DEVICE = """audio calls connect destroy disconnectAll edge home identity isBusy register state token toString
    unregister updateOptions updateToken"""
CALL = """accept codec direction disconnect getLocalStream getRemoteStream ignore isMuted mute postFeedback
    reject sendDigits sendMessage status toString"""
NO_MICROPHONE = """navigator.mediaDevices.getUserMedia =
  () => Promise.reject(new DOMException("no", "NotAllowedError"));"""
PREFLIGHT = """(token) => new Promise((resolve, reject) => {
  const test = Twilio.Device.runPreflight(token);
  test.on("completed", resolve);
  test.on("failed", reject);
})"""
CHOOSE = """async () => {
  const [id] = device.audio.availableInputDevices.keys();
  await device.audio.setInputDevice(id);
  return [id, device.audio.inputDevice.deviceId, device.audio.inputStream.active];
}"""


def test_a_token_that_opens_nothing_is_told_in_twilios_code(board: Switchboard, talker: Browser) -> None:
    page = talker.new_page()
    page.goto(board.desk_url(secret="another secret that is as long as it has to be"))
    page.click("#register")
    told(page, "registering", "error:20101", "unregistered", "register-refused")
    page.close()


def test_a_token_that_will_expire_is_told_and_can_be_renewed(board: Switchboard, talker: Browser) -> None:
    page = talker.new_page()
    page.goto(board.desk_url(ttl=14))
    page.click("#register")
    told(page, "registered", "tokenWillExpire")
    page.evaluate("(token) => device.updateToken(token)", token("agent_7"))
    page.evaluate("() => device.unregister()")
    told(page, "registered", "tokenWillExpire", "unregistered")
    page.close()


def test_a_microphone_that_is_not_allowed_is_told(board: Switchboard, talker: Browser) -> None:
    page = talker.new_page()
    page.add_init_script(NO_MICROPHONE)
    page.goto(board.desk_url())
    page.click("#register")
    expect(page.locator("#state")).to_have_text("registered")
    board.call()
    expect(page.locator("#call")).to_have_text("pending")
    page.click("#accept")
    told(page, "incoming", "disconnect", "call-error:31401")
    board.until(lambda: board.product.forms("/after/", DialCallStatus="busy"))
    page.close()


def test_devices_can_be_listed_and_chosen(board: Switchboard, desk: Page) -> None:
    until(desk, "() => device.audio.availableInputDevices.size > 0")
    chosen = desk.evaluate(CHOOSE)
    assert chosen == [chosen[0], chosen[0], True]
    desk.evaluate(
        "() => new Promise((done) => device.audio.once('inputVolume', (level) => level > 0.5 && done()))"
    )
    answered(board, desk)
    with pytest.raises(Error, match="while a call is in progress"):
        desk.evaluate("() => device.audio.unsetInputDevice()")
    assert desk.evaluate("() => [device.audio.incoming(), device.audio.incoming(false)]") == [True, False]


def test_its_shape_is_that_of_twilios_sdk(desk: Page) -> None:
    shape = desk.evaluate(
        """() => ({
          device: Object.getOwnPropertyNames(Twilio.Device.prototype),
          call: Object.getOwnPropertyNames(Twilio.Call.prototype),
          states: [Object.values(Twilio.Device.State), Object.values(Twilio.Call.State)],
          names: [String(Twilio.Device), String(device), String(Twilio.Call), Twilio.Device.isSupported],
          keys: Twilio.Device.SoundName.DtmfS,
        })"""
    )
    assert set(DEVICE.split()) - set(shape["device"]) == set()
    assert set(CALL.split()) - set(shape["call"]) == set()
    assert shape["states"] == [
        ["destroyed", "unregistered", "registering", "registered"],
        ["closed", "connecting", "open", "pending", "reconnecting", "ringing"],
    ]
    assert shape["names"] == [
        "[Twilio.Device class]",
        "[Twilio.Device instance]",
        "[Twilio.Call class]",
        True,
    ]
    assert shape["keys"] == "dtmfs"


def test_a_destroyed_device_is_over(desk: Page) -> None:
    desk.evaluate("() => device.destroy()")
    told(desk, "registered", "unregistered", "destroyed")
    with pytest.raises(Error, match="destroyed"):
        desk.evaluate("() => device.register()")


def test_the_line_can_be_tried_before_a_call(board: Switchboard, desk: Page) -> None:
    report = desk.evaluate(PREFLIGHT, token("agent_7"))
    assert (report["callQuality"], report["edge"], report["warnings"]) == ("excellent", "ashburn", [])
    assert report["stats"]["rtt"]["average"] > 0
    assert report["networkTiming"]["signaling"]["duration"] >= 0


def test_a_try_with_a_token_that_opens_nothing_fails_in_twilios_code(board: Switchboard, desk: Page) -> None:
    with pytest.raises(Error, match="20101"):
        desk.evaluate(PREFLIGHT, "nonsense")
