"""What a supervisor does with a live call from its page: hear it, mark it, send it on, end it."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.callplay import CallPlay, full, iso
from tests.browser.test_looks import CONTRAST, NAMELESS, SMALL
from tests.browser.theatre import Stage
from tests.chromium import picture

NOTES = "[data-commands]"
LISTEN = '[data-act="listen"]'


@pytest.fixture
def play(stage: Stage, mina_there: Page) -> CallPlay:
    """A call in progress with an open stream; Mina has not opened its page yet."""
    call, sid = stage.live_call()
    return CallPlay(stage, mina_there, call, sid)


def test_listening_is_a_pressed_state_that_says_how_far_it_is_behind(play: CallPlay) -> None:
    play.open()
    button = play.page.locator(LISTEN)
    button.click()
    expect(button).to_have_attribute("aria-pressed", "true")
    expect(play.page.locator("[data-listening]")).to_have_text("Connecting sound…")
    assert play.page.evaluate("() => listening.asked.at(-1)") == {
        "call": play.call,
        "caller": "Carla Visser",
        "agent": "Jonas",
    }
    play.page.evaluate("() => listening.become({ state: 'live', behindMs: 120 })")
    expect(play.page.locator("[data-listening]")).to_have_text("Sound 0.1 s behind")
    expect(button).to_have_text(re.compile("Stop listening"))
    button.click()
    expect(button).to_have_attribute("aria-pressed", "false")


def test_a_sound_that_does_not_come_says_why(play: CallPlay) -> None:
    play.open()
    play.page.keyboard.press("l")
    play.page.evaluate("() => listening.become({ state: 'failed', reason: 'Two people listen already.' })")
    expect(play.page.locator("[data-listening]")).to_have_text("Two people listen already.")


def test_space_mutes_what_is_heard_and_leaves_buttons_and_fields_alone(play: CallPlay) -> None:
    play.open()
    play.page.keyboard.press("l")
    play.page.evaluate("() => listening.become({ state: 'live', behindMs: 100 })")
    play.page.keyboard.press("Space")
    assert play.page.evaluate("() => listening.muted") is True
    play.page.keyboard.press("Space")
    assert play.page.evaluate("() => listening.muted") is False
    play.page.locator("[data-note]").press("Space")
    play.page.locator("details summary").press("Space")
    assert play.page.evaluate("() => listening.muted") is False
    expect(play.page.locator("details")).to_have_attribute("open", "")


def test_a_moment_is_marked_by_a_key(play: CallPlay) -> None:
    play.open()
    play.page.keyboard.press("m")
    assert play.wait_for("moment") == {}
    expect(play.page.locator(NOTES)).to_have_text("Marked at 01:01.")
    expect(play.page.locator("cc-transcript .is-moment")).to_contain_text("Marked by Mina")


def test_the_end_is_asked_first_and_shown_as_asked_at_once(play: CallPlay) -> None:
    play.open()
    play.answers["call.end"] = lambda asked: (
        200,
        play.command(asked, state="sent", settled_at=None),
    )
    button = play.page.locator('[data-act="end"]')
    button.click()
    expect(play.page.locator("#ask-dialog")).to_contain_text("Jonas and Carla Visser are cut off at once")
    play.page.keyboard.press("Escape")
    assert play.of("call.end") == []
    button.click()
    play.yes()
    expect(button).to_have_attribute("aria-busy", "true")
    expect(play.page.locator(NOTES)).to_have_text("Ending the call…")
    play.changes(state="ended", phase="ended", ended_at=iso(), outcome="answered")
    expect(play.page.locator(".acts")).to_be_hidden()


def test_a_refusal_is_told_with_twilios_reason_and_its_code_small(play: CallPlay) -> None:
    play.open()
    play.refuse("call.end", 21220, "Twilio says the call is over already.")
    play.page.locator('[data-act="end"]').click()
    play.yes()
    note = play.page.locator(f"{NOTES} .notice")
    expect(note).to_contain_text("The call was not ended: Twilio says the call is over already.")
    expect(note.locator("small")).to_have_text("21220")
    expect(play.page.locator('[data-act="end"]')).not_to_have_attribute("aria-busy", "true")
    note.get_by_role("button").click()
    expect(note).to_have_count(0)


def test_the_site_may_refuse_in_its_own_words(play: CallPlay) -> None:
    play.open()
    error = {"code": "too_late", "text": "Another supervisor has ended it."}
    play.answers["call.end"] = lambda asked: (409, {"error": error})
    play.page.locator('[data-act="end"]').click()
    play.yes()
    expect(play.page.locator(NOTES)).to_contain_text(
        "The call was not ended: Another supervisor has ended it."
    )


def test_a_call_is_sent_on_to_whom_one_finds(play: CallPlay) -> None:
    play.open()
    play.page.locator('[data-act="transfer"]').click()
    box = play.page.locator("#transfer")
    expect(box).to_contain_text("Carla Visser goes to whom you choose; the part of Jonas in the call ends.")
    expect(box.locator("[role=option]")).to_have_count(3)
    expect(box.locator("[aria-selected=true]")).to_contain_text("Amira")
    play.page.keyboard.type("bil")
    play.until(lambda: "bil" in play.searched)
    expect(box.locator("[role=option]")).to_have_count(3)
    play.page.keyboard.press("ArrowDown")
    expect(box.locator("[aria-selected=true]")).to_contain_text("Billing")
    box.locator("[name=reason]").fill("Asks about an invoice")
    box.locator("[data-go]").click()
    assert play.wait_for("call.transfer") == {
        "to": {"kind": "queue", "key": "2"},
        "reason": "Asks about an invoice",
    }
    expect(box).to_be_hidden()
    expect(play.page.locator(NOTES)).to_have_text("The caller was sent on.")


def test_the_transcription_is_stopped_and_started(play: CallPlay) -> None:
    play.open()
    button = play.page.locator('[data-act="words"]')
    stream = play.page.evaluate("() => played.streams[0]")
    for kind, on, word in (
        ("words.stop", False, "Start transcription"),
        ("words.start", True, "Stop transcription"),
    ):
        play.answers[kind] = lambda asked, on=on: (200, {"type": "stream", **stream, "words": on})  # type: ignore[misc]
        button.click()
        expect(button).to_have_text(word)
        assert play.wait_for(kind) == {"stream": play.sid}
    play.tell("stream", **{**stream, "words": False})
    expect(play.page.locator("[data-words-note] [data-text]")).to_have_text(
        "The transcription is stopped; the sound still works."
    )
    expect(play.page.locator("[data-behind]")).to_have_text("Transcription stopped")


def test_a_call_that_nobody_has_answered_cannot_be_coached_and_says_why(play: CallPlay) -> None:
    play.open(phase="queued", answered_at=None)
    expect(play.page.locator('[data-act="coach"]')).to_be_disabled()
    expect(play.page.locator("[data-why]")).to_contain_text("Coach and Join: Nobody has answered yet.")
    play.page.keyboard.press("c")
    expect(play.page.locator("dialog[open]")).to_have_count(0)


def test_a_call_that_an_agent_is_being_brought_into_cannot_be_joined_yet(play: CallPlay) -> None:
    play.open(conference=None)
    expect(play.page.locator('[data-act="join"]')).to_be_disabled()
    expect(play.page.locator("[data-why]")).to_contain_text("Coach and Join: Nobody has answered yet.")
    play.changes(conference=True)
    expect(play.page.locator('[data-act="join"]')).to_be_enabled()


def test_a_call_without_a_conference_cannot_be_joined_and_its_buttons_say_why(
    stage: Stage, mina_there: Page
) -> None:
    call, _ = stage.live_call()
    mina_there.goto(f"{stage.url}/calls/{call}/")
    expect(mina_there.locator('[data-act="moment"]')).to_be_enabled()
    why = "This call is not in a conference, so nobody can be added to it."
    expect(mina_there.locator("[data-why]")).to_be_visible()
    for act in ("coach", "join"):
        button = mina_there.locator(f'[data-act="{act}"]')
        expect(button).to_be_disabled()
        expect(button).to_have_attribute("title", why)
        expect(button).to_have_accessible_description(f"Coach and Join: {why}")
    mina_there.keyboard.press("c")
    expect(mina_there.locator("dialog[open]")).to_have_count(0)


def test_another_who_is_in_the_call_is_named(play: CallPlay) -> None:
    play.open()
    play.tell("supervision", **{**play.supervision(by="Ada", user=98), "state": "in", "joined_at": iso()})
    expect(play.page.locator('[data-act="coach"]')).to_be_disabled()
    expect(play.page.locator("[data-why]")).to_contain_text("Ada coaches the agent.")
    expect(play.page.locator("[data-part]")).to_be_hidden()


def test_who_may_only_watch_sees_no_phone_and_no_way_in(play: CallPlay) -> None:
    may = {"listen": False, "intervene": False, "control_streams": False}
    play.more = {"me": {"user": 1, "name": "Mina", "may": may}}
    scripts: list[str] = []
    play.page.on("request", lambda request: scripts.append(request.url))
    play.open()
    expect(play.page.locator('[data-act="moment"]')).to_be_visible()
    assert not [url for url in scripts if "softphone" in url or "call-supervise" in url]


def test_a_dialog_that_asks_goes_when_the_call_ends(play: CallPlay) -> None:
    play.open()
    play.page.locator('[data-act="coach"]').click()
    expect(play.page.locator("#ask-dialog")).to_be_visible()
    play.changes(state="ended", phase="ended", ended_at=iso())
    expect(play.page.locator("dialog[open]")).to_have_count(0)
    assert play.of("call.coach") == []


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_a_full_page_can_be_read_and_reached(play: CallPlay, theme: str, width: int) -> None:
    play.page.set_viewport_size({"width": width, "height": 844})
    play.page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
    play.stage.play("conversation", sid=play.sid)
    full(play)
    play.open(queue="Billing")
    play.coaches()
    picture(play.page, f"call-full-{width}-{theme}")
    assert play.page.evaluate("() => document.documentElement.scrollWidth") <= width
    assert [play.page.evaluate(fault) for fault in (CONTRAST, SMALL, NAMELESS)] == [[], [], []]
    play.page.locator('[data-act="end"]').scroll_into_view_if_needed()
    play.page.locator("details summary").scroll_into_view_if_needed()
    expect(play.page.locator('[data-act="end"]')).to_be_in_viewport()
