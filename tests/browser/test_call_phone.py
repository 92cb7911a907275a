"""The supervisor's phone in a call's page: coach and join, asked first, rung, taken up by itself, left."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.callplay import CallPlay, iso
from tests.browser.theatre import Stage

PART = "[data-part] [data-text]"
NOTES = "[data-commands]"
COACH, JOIN = '[data-act="coach"]', '[data-act="join"]'
DENIED = """navigator.permissions.query = async () => ({ state: "denied" });"""
ASKS = """navigator.permissions.query = async () => ({ state: "prompt" });
navigator.mediaDevices.getUserMedia = async () => { throw new DOMException("no", "%s"); };"""


@pytest.fixture
def play(stage: Stage, mina_there: Page) -> CallPlay:
    """A call in progress with an open stream; Mina has not opened its page yet."""
    call, sid = stage.live_call()
    return CallPlay(stage, mina_there, call, sid)


def test_no_phone_is_made_before_it_is_asked_for(play: CallPlay) -> None:
    play.open()
    expect(play.page.locator(COACH)).to_be_enabled()
    assert (play.tokens, play.page.evaluate("() => twilio.devices")) == (0, 0)


def test_the_page_of_who_may_intervene_may_use_a_microphone_and_speak_to_twilio(
    play: CallPlay,
) -> None:
    answer = play.page.request.get(f"{play.stage.url}/calls/{play.call}/")
    assert answer.headers["permissions-policy"] == "microphone=(self)"
    assert "wss://voice-js.roaming.twilio.com" in answer.headers["content-security-policy"]


def test_coaching_asks_first_and_says_who_hears_what(play: CallPlay) -> None:
    play.open()
    play.page.keyboard.press("c")
    dialog = play.page.locator("#ask-dialog")
    expect(dialog.locator("h2")).to_have_text("Coach Jonas?")
    expect(dialog.locator("li")).to_have_text(
        [
            "Jonas hears you.",
            "Carla Visser does not hear you.",
            "You hear both.",
            "Your computer is the phone: it is called, and answers by itself.",
        ]
    )
    play.page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    assert (play.of("call.coach"), play.tokens) == ([], 0)


def test_coaching_is_shown_as_asked_at_once_and_is_true_when_the_server_says_so(play: CallPlay) -> None:
    play.open()
    play.page.locator(COACH).click()
    play.yes()
    expect(play.page.locator(PART)).to_have_text(re.compile("Connecting the phone|Calling your phone"))
    assert play.wait_for("call.coach") == {"phone": "browser"}
    expect(play.page.locator(PART)).to_have_text("Calling your phone; it answers by itself…")
    play.tell("supervision", **play.supervision())
    play.page.evaluate("() => twilio.ring()")
    assert play.page.evaluate("() => twilio.call.state") == "open"
    expect(play.page.locator(PART)).to_have_text("Calling your phone; it answers by itself…")
    play.tell("supervision", **play.supervision(state="in", joined_at=iso()))
    expect(play.page.locator(PART)).to_have_text("You coach Jonas. Carla Visser does not hear you.")
    expect(play.page.locator(COACH)).to_be_hidden()
    expect(play.page.locator(JOIN)).to_be_enabled()
    assert (play.tokens, play.page.evaluate("() => twilio.devices")) == (1, 1)


def test_listening_gives_way_to_the_phone(play: CallPlay) -> None:
    play.open()
    play.page.keyboard.press("l")
    play.page.evaluate("() => listening.become({ state: 'live', behindMs: 100 })")
    play.coaches()
    expect(play.page.locator('[data-act="listen"]')).to_have_attribute("aria-pressed", "false")


def test_one_mutes_oneself(play: CallPlay) -> None:
    play.open()
    play.coaches()
    mute = play.page.locator("[data-part] [data-mute]")
    mute.click()
    expect(mute).to_have_attribute("aria-pressed", "true")
    expect(mute).to_have_text("Unmute")
    expect(play.page.locator(PART)).to_contain_text("You are muted.")
    assert play.page.evaluate("() => twilio.call.muted") is True
    mute.click()
    expect(mute).to_have_text("Mute")


def test_from_coaching_to_joining_and_back_is_asked_too(play: CallPlay) -> None:
    play.open()
    play.coaches()
    play.page.keyboard.press("Shift+J")
    expect(play.page.locator("#ask-dialog li")).to_have_text(
        ["From now on Carla Visser hears you too.", "You hear both."]
    )
    play.yes()
    assert play.wait_for("call.join") == {"phone": "browser"}
    expect(play.page.locator(PART)).to_have_text("Joining the call…")
    play.tell("supervision", **play.supervision(state="in", mode="join", joined_at=iso()))
    expect(play.page.locator(PART)).to_have_text("You are in the call. Jonas and Carla Visser hear you.")
    play.page.keyboard.press("c")
    expect(play.page.locator("#ask-dialog li").nth(1)).to_have_text("Carla Visser no longer hears you.")
    play.yes()
    play.wait_for("call.coach", 2)
    play.tell("supervision", **play.supervision(state="in", joined_at=iso()))
    expect(play.page.locator(PART)).to_contain_text("You coach Jonas.")
    assert play.page.evaluate("() => twilio.devices") == 1
    play.page.locator("[data-leave]").click()
    play.wait_for("call.leave")
    play.tell("supervision", **play.supervision(state="ended", joined_at=iso(-9), ended_at=iso(1)))
    expect(play.page.locator("[data-timeline] span").last).to_have_text("Mina left the call")
    told = [text for text in play.page.locator("[data-timeline] span").all_inner_texts() if "Mina" in text]
    coached = "Mina began to coach Jonas"
    assert told == [coached, "Mina joined the call", coached, "Mina left the call"]


def test_leaving_hangs_up_and_puts_the_phone_away(play: CallPlay) -> None:
    play.open()
    play.coaches()
    play.page.locator("[data-leave]").click()
    play.wait_for("call.leave")
    play.tell("supervision", **play.supervision(state="ended", joined_at=iso(-9), ended_at=iso()))
    expect(play.page.locator("[data-part]")).to_be_hidden()
    assert play.page.evaluate("() => [twilio.call.state, twilio.device.state]") == ["closed", "destroyed"]
    expect(play.page.locator("[data-timeline]")).to_contain_text("Mina left the call")
    expect(play.page.locator(f"{NOTES} .bad")).to_have_count(0)
    expect(play.page.locator(NOTES)).to_contain_text("You have left the call.")
    expect(play.page.locator(PART)).to_be_empty()
    expect(play.page.locator(COACH)).to_be_enabled()


def test_the_phone_goes_with_the_call(play: CallPlay) -> None:
    play.open()
    play.coaches()
    play.page.evaluate("() => twilio.call.end('disconnect')")
    play.tell("supervision", **play.supervision(state="ended", joined_at=iso(-9), ended_at=iso()))
    play.changes(state="ended", phase="ended", ended_at=iso())
    expect(play.page.locator(".acts")).to_be_hidden()
    play.page.wait_for_function("() => twilio.device.state === 'destroyed'")


def test_what_twilio_refuses_leaves_no_phone_behind(play: CallPlay) -> None:
    play.open()
    play.refuse("call.coach", 16020, "Twilio did not find the conference.")
    play.page.locator(COACH).click()
    play.yes()
    note = play.page.locator(f"{NOTES} .notice")
    expect(note).to_contain_text("You do not coach: Twilio did not find the conference.")
    expect(note.locator("small")).to_have_text("16020")
    expect(play.page.locator("[data-part]")).to_be_hidden()
    assert play.page.evaluate("() => twilio.device.state") == "destroyed"
    expect(play.page.locator(COACH)).to_be_enabled()


def test_a_refusal_that_comes_before_the_answer_is_told_as_well(play: CallPlay) -> None:
    def overtaken(asked: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        play.tell("command", **play.command(asked, state="failed", code="21220", text="The call is over."))
        expect(play.page.locator(NOTES)).to_contain_text("The call is over.")
        return 200, play.command(asked, state="sent", settled_at=None)

    play.open()
    play.answers["call.join"] = overtaken
    play.page.locator(JOIN).click()
    play.yes()
    play.wait_for("call.join")
    play.page.wait_for_function("() => twilio.device.state === 'destroyed'")
    expect(play.page.locator(NOTES)).to_contain_text("You did not join the call: The call is over.")


def test_a_refusal_that_comes_later_is_told_as_well(play: CallPlay) -> None:
    play.open()
    play.answers["call.join"] = lambda asked: (200, play.command(asked, state="sent", settled_at=None))
    play.page.locator(JOIN).click()
    play.yes()
    play.wait_for("call.join")
    failed = play.command(play.asked[-1], state="failed", code="21220", text="The call is over.")
    play.tell("command", **failed)
    expect(play.page.locator(NOTES)).to_contain_text("You did not join the call: The call is over. 21220")
    expect(play.page.locator("[data-part]")).to_be_hidden()


def test_a_phone_that_is_not_rung_in_time_is_given_up(play: CallPlay) -> None:
    play.page.clock.install()
    play.open()
    play.page.locator(COACH).click()
    play.yes()
    play.wait_for("call.coach")
    play.tell("supervision", **play.supervision())
    expect(play.page.locator(PART)).to_contain_text("Calling your phone")
    play.page.clock.fast_forward(16_000)
    expect(play.page.locator(NOTES)).to_contain_text("Your phone was not rung in time.")
    play.wait_for("call.leave")
    assert play.page.evaluate("() => twilio.device.state") == "destroyed"


def test_no_other_ring_is_taken_up(play: CallPlay) -> None:
    play.open()
    play.coaches()
    play.page.evaluate("() => twilio.call.end('disconnect')")
    play.page.evaluate("() => twilio.ring()")
    assert play.page.evaluate("() => twilio.call.state") == "closed"


def test_a_blocked_microphone_says_how_to_allow_it_and_rings_nobody(play: CallPlay) -> None:
    play.page.add_init_script(DENIED)
    play.open()
    play.page.locator(COACH).click()
    play.yes()
    expect(play.page.locator(NOTES)).to_contain_text("The browser blocks the microphone for this page.")
    expect(play.page.locator("[data-part]")).to_be_hidden()
    assert (play.of("call.coach"), play.tokens) == ([], 0)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        ("NotAllowedError", "The browser blocks the microphone"),
        ("NotFoundError", "The microphone could not be opened."),
    ],
)
def test_the_microphone_is_asked_for_before_anybody_is_rung(play: CallPlay, error: str, words: str) -> None:
    play.page.add_init_script(ASKS % error)
    play.open()
    play.page.locator(COACH).click()
    play.yes()
    expect(play.page.locator(NOTES)).to_contain_text(words)
    assert play.of("call.coach") == []


def test_the_phones_errors_are_told_in_words_with_the_code_small(play: CallPlay) -> None:
    play.page.add_init_script("twilio.refuses = 31005;")
    play.open()
    play.page.locator(COACH).click()
    play.yes()
    note = play.page.locator(f"{NOTES} .notice")
    expect(note).to_contain_text("You were not connected: The connection to Twilio broke.")
    expect(note.locator("small")).to_have_text("31005")
    assert play.of("call.coach") == []


def test_a_site_without_an_api_key_says_so(play: CallPlay) -> None:
    play.token = (503, {"error": {"code": "no_key", "text": "This site has no Twilio API key."}})
    play.open()
    play.page.locator(COACH).click()
    play.yes()
    expect(play.page.locator(NOTES)).to_contain_text("This site has no Twilio API key.")
    assert play.of("call.coach") == []


def test_leaving_the_page_asks_while_one_is_in_the_call_and_only_then(play: CallPlay) -> None:
    asked: list[str] = []

    def stay(dialog: object) -> None:
        asked.append(dialog.type)  # type: ignore[attr-defined]
        dialog.dismiss()  # type: ignore[attr-defined]

    play.page.on("dialog", stay)
    play.open()
    play.coaches()
    play.page.locator(".back").click()
    play.until(lambda: asked == ["beforeunload"])
    expect(play.page).to_have_url(re.compile(f"/calls/{play.call}/$"))
    play.page.locator("[data-leave]").click()
    play.tell("supervision", **play.supervision(state="ended", joined_at=iso(-9), ended_at=iso()))
    expect(play.page.locator("[data-part]")).to_be_hidden()
    play.page.locator(".back").click()
    expect(play.page).to_have_url(re.compile("/live/$"))
    assert asked == ["beforeunload"]


def test_a_part_that_another_page_has_can_be_left_from_here(play: CallPlay) -> None:
    play.open()
    play.tell("supervision", **play.supervision(state="in", joined_at=iso()))
    expect(play.page.locator(PART)).to_contain_text("Your phone is not in this page.")
    expect(play.page.locator("[data-part] [data-mute]")).to_be_hidden()
    play.page.locator("[data-leave]").click()
    play.wait_for("call.leave")
