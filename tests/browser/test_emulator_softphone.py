"""The softphone in a real browser: a desk of another origin rings, answers, hears and is heard."""

import pytest
from playwright.sync_api import Error, Page, expect

from emulator.phone import handset
from tests.browser.desks import answer, answered, hears, speaks, told, until
from tests.browser.switchboard import ALICE, CALLER_HERTZ, MICROPHONE_HERTZ, PROMPT_HERTZ, Switchboard


def test_the_page_rings_is_accepted_and_hears_the_caller(board: Switchboard, desk: Page) -> None:
    sid = answered(board, desk)
    assert board.exchange.legs[sid].call.status == "in-progress"
    assert desk.evaluate("() => [...call.customParameters]") == [["queue", "sales"]]
    parameters = desk.evaluate("() => call.parameters")
    assert (parameters["From"], parameters["To"]) == (ALICE, "client:agent_7")
    assert desk.evaluate("() => [call.direction, call.codec, device.isBusy]") == ["INCOMING", "pcmu", True]
    hears(desk, CALLER_HERTZ)


def test_the_caller_hears_the_microphone_and_silence_while_it_is_muted(
    board: Switchboard, desk: Page
) -> None:
    answered(board, desk)
    speaks(board, MICROPHONE_HERTZ)
    desk.click("#mute")
    speaks(board, 0)
    assert desk.evaluate("() => call.isMuted()")
    desk.click("#mute")
    speaks(board, MICROPHONE_HERTZ)
    told(desk, "accept", "mute", "mute")


def test_volumes_and_samples_are_told_while_it_lasts(board: Switchboard, desk: Page) -> None:
    answered(board, desk)
    desk.evaluate(
        "() => { call.on('volume', (input, output) => { window.volumes = [input, output]; });"
        " call.on('sample', (sample) => { window.sample = sample; }); }"
    )
    until(desk, "() => window.volumes?.every((one) => one > 0.9)")
    until(desk, "() => window.sample?.bytesSent > 0 && window.sample.bytesReceived > 0")


def test_the_page_hangs_up(board: Switchboard, desk: Page) -> None:
    answered(board, desk)
    desk.click("#hang-up")
    expect(desk.locator("#call")).to_have_text("closed")
    board.until(lambda: board.product.forms("/after/", DialCallStatus="completed"))
    told(desk, "incoming", "accept", "disconnect")
    assert desk.evaluate("() => [device.isBusy, device.calls.length, device.state]") == [
        False,
        0,
        "registered",
    ]


def test_the_caller_hangs_up(board: Switchboard, desk: Page) -> None:
    sid = answered(board, desk)
    board.hang_up(board.exchange.legs[sid].call.parent_sid)
    told(desk, "accept", "disconnect")
    expect(desk.locator("#call")).to_have_text("closed")


def test_the_caller_gives_up_while_it_rings(board: Switchboard, desk: Page) -> None:
    sid = board.call()
    expect(desk.locator("#call")).to_have_text("pending")
    board.hang_up(sid)
    told(desk, "incoming", "cancel")
    assert desk.evaluate("() => device.calls.length") == 0


def test_a_rejected_call_is_busy(board: Switchboard, desk: Page) -> None:
    board.call()
    expect(desk.locator("#call")).to_have_text("pending")
    desk.click("#reject")
    board.until(lambda: board.product.forms("/after/", DialCallStatus="busy"))
    told(desk, "incoming", "reject")


def test_of_two_pages_the_first_to_accept_wins(board: Switchboard, desk: Page) -> None:
    other = desk.context.new_page()
    other.goto(board.desk_url())
    other.click("#register")
    expect(other.locator("#state")).to_have_text("registered")
    board.call()
    expect(other.locator("#call")).to_have_text("pending")
    answer(desk)
    told(other, "incoming", "cancel")
    expect(other.locator("#call")).to_have_text("closed")


def test_a_reload_ends_the_call(board: Switchboard, desk: Page) -> None:
    answered(board, desk)
    desk.reload()
    board.until(lambda: board.product.forms("/after/", DialCallStatus="completed"))
    expect(desk.locator("#state")).to_have_text("unregistered")


def test_a_page_that_is_left_while_it_rings_rejects(board: Switchboard, desk: Page) -> None:
    board.call()
    expect(desk.locator("#call")).to_have_text("pending")
    desk.goto("about:blank")
    board.until(lambda: board.product.forms("/after/", DialCallStatus="busy"))


def test_a_broken_line_comes_back_with_its_call(board: Switchboard, desk: Page) -> None:
    sid = answered(board, desk)
    hears(desk, CALLER_HERTZ)
    board.break_lines()
    told(
        desk,
        "accept",
        "unregistered",
        "error:31005",
        "reconnecting",
        "registering",
        "reconnected",
        "registered",
    )
    assert board.exchange.legs[sid].call.status == "in-progress"
    expect(desk.locator("#state")).to_have_text("registered")
    hears(desk, CALLER_HERTZ)
    desk.click("#hang-up")
    board.until(lambda: board.product.forms("/after/", DialCallStatus="completed"))


def test_it_dials_out_through_a_twiml_application_and_its_keys_are_heard(
    board: Switchboard, desk: Page
) -> None:
    play = f"<Play>{board.desk_file('tone.wav')}</Play>"
    board.product.answers |= {
        "/app/": f"<Response><Gather action='/keys/' finishOnKey='#' timeout='20'>{play}</Gather></Response>",
        "/keys/": "<Response><Hangup/></Response>",
    }
    desk.click("#dial")
    expect(desk.locator("#call")).to_have_text("open")
    hears(desk, PROMPT_HERTZ)
    asked = board.product.forms("/app/")[0]
    assert (asked["From"], asked["To"], asked["matter"]) == ("client:agent_7", "+31209999999", "17")
    assert desk.evaluate("() => call.parameters.CallSid") == asked["CallSid"]
    with pytest.raises(Error, match="A Call is already active"):
        desk.evaluate("() => device.connect()")
    desk.evaluate("() => call.sendDigits('4w2#')")
    board.until(lambda: board.product.forms("/keys/", Digits="42"))
    told(desk, "ringing", "accept", "disconnect")


def test_a_page_that_crashes_ends_its_call_when_its_grace_is_over(
    board: Switchboard, desk: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handset, "GRACE_S", 0.5)
    answered(board, desk)
    with pytest.raises(Error, match="chrome://crash"):
        desk.goto("chrome://crash")
    board.until(lambda: board.product.forms("/after/", DialCallStatus="completed"))
