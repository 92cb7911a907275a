"""A voice that speaks with a caller, as people see it: on the wall, on the call's page, at the desk."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.axe import violations
from tests.browser.callplay import CallPlay, full, iso
from tests.browser.deskplay import DeskPlay, context
from tests.browser.test_looks import CONTRAST, NAMELESS, SMALL
from tests.browser.theatre import Stage
from tests.browser.wallplay import Played, row
from tests.browser.wallplay import call as wall_call
from tests.browser.wallplay import stream as wall_stream
from tests.chromium import picture

SPOKEN = {"voice": "Self-service", "agent": "", "agent_id": None, "conference": False}
TAKE_OVER, COACH, JOIN = (f'[data-act="{act}"]' for act in ("takeover", "coach", "join"))
PART = "[data-part] [data-text]"


@pytest.fixture
def play(stage: Stage, mina_there: Page) -> CallPlay:
    """A call in progress with an open stream; Mina has not opened its page yet."""
    call, sid = stage.live_call()
    return CallPlay(stage, mina_there, call, sid)


def turn(play: CallPlay, number: int, gap_ms: int) -> dict[str, Any]:
    key = f"{play.sid}/{number}"
    return {"turn": key, "call": play.call, "spoken_ms": 4000 * number, "gap_ms": gap_ms}


def line(play: CallPlay, number: int, text: str, **more) -> dict[str, Any]:
    return {
        "utterance": f"{play.sid}/outbound/{number}",
        "call": play.call,
        "stream": play.sid,
        "track": "outbound",
        "speaker": "voice",
        "start_ms": 1000 * number,
        "end_ms": 1000 * number + 900,
        "text": text,
        "confidence": None,
        **more,
    }


def test_the_wall_shows_the_voice_in_the_agents_place(played: Played) -> None:
    page = played.open(calls=[wall_call(1, "Carla Visser", agent="", voice="Self-service")])
    expect(row(page, 1).locator("[data-agent]")).to_have_text("Voice: Self-service")
    played.tell("call", wall_call(1, "Carla Visser", agent="Jonas", voice=""), "call.changed")
    expect(row(page, 1).locator("[data-agent]")).to_have_text("Jonas")


def test_a_calls_page_names_the_voice_and_labels_what_it_said(play: CallPlay) -> None:
    play.open(**SPOKEN)
    expect(play.page.locator(".call-head [data-agent]")).to_have_text("Voice: Self-service")
    play.tell("utterance", **line(play, 1, "How can I help?"))
    said = play.page.locator('.line[data-who="voice"]')
    expect(said.locator(".speaker")).to_have_text("Voice")
    expect(said.locator(".said")).to_have_text("How can I help?")


def test_the_meters_say_voice_while_a_voice_has_the_call(play: CallPlay) -> None:
    play.open(**SPOKEN)
    marks = play.page.locator(".levels dt")
    expect(marks).to_have_text(["Caller", "Voice"])
    play.changes(voice="", agent="Jonas")
    expect(marks).to_have_text(["Caller", "Agent"])


def test_how_quickly_the_voice_answers_is_told_turn_by_turn(play: CallPlay) -> None:
    play.open(**SPOKEN)
    panel = play.page.locator("[data-turns-panel]")
    expect(panel).to_be_hidden()
    for number, gap in enumerate((700, 650, 900), 1):
        play.tell("turn", **turn(play, number, gap))
    expect(panel.locator("[data-turns-sum]")).to_have_text(
        "Half within 0.7 s, 95 of 100 within 0.9 s (3 turns)"
    )
    expect(panel.locator("li")).to_have_text(["00:040.7 s", "00:080.7 s", "00:120.9 s"])


def test_the_stream_of_a_voice_takes_none_of_the_four_tracks(play: CallPlay) -> None:
    play.open(**SPOKEN)
    budget = play.page.locator("[data-budget]")
    expect(budget).to_have_text("2 of 4 tracks in use")
    play.tell("stream", **wall_stream(2, call=play.call, name="voice", kind="voice", tracks=["inbound"]))
    expect(budget).to_have_text("2 of 4 tracks in use; the voice's stream takes none")


def test_what_they_want_stays_beside_the_call_and_the_timeline_tells_voice_and_agent_apart(
    play: CallPlay,
) -> None:
    play.open(**SPOKEN, facts={}, answered_by="Self-service", agent_since=None)
    wish = play.page.locator("[data-wish]")
    expect(wish).to_be_hidden()
    play.changes(facts={"reason": "Asked for a person.", "order": "4711"})
    expect(wish.locator("[data-reason]")).to_have_text("Asked for a person.")
    expect(wish.locator("li")).to_have_text("order: 4711")
    timeline = play.page.locator("[data-timeline] span")
    expect(timeline.filter(has_text="Answered by")).to_have_text("Answered by the voice Self-service")
    play.changes(agent="Jonas", voice="", agent_since=iso())
    answered = timeline.filter(has_text="Answered by")
    expect(answered).to_have_text(["Answered by the voice Self-service", "Answered by Jonas"])


def test_that_one_took_over_is_told_once(play: CallPlay) -> None:
    play.open(**SPOKEN)
    asked = {"by": "Mina", "code": "", "text": "", "stream": "", "state": "done"}
    for n, kind in enumerate(("call.takeover", "call.redirect", "call.redirect")):
        at = iso(-20 + n)
        more = {"command": f"{n}", "kind": kind, "created_at": at, "settled_at": at}
        play.tell("command", **asked, **more)
    part = play.supervision(mode="join", state="in", joined_at=iso(-19))
    play.tell("supervision", **part)
    told = play.page.locator("[data-timeline] span").filter(has_text="Mina")
    expect(told).to_have_text(["Mina took the call over from the voice", "Mina asked to send the caller on"])


def test_where_a_voice_speaks_one_takes_over_and_neither_coaches_nor_joins(play: CallPlay) -> None:
    play.open(**SPOKEN)
    expect(play.page.locator(TAKE_OVER)).to_be_enabled()
    expect(play.page.locator(COACH)).to_be_hidden()
    expect(play.page.locator(JOIN)).to_be_hidden()
    expect(play.page.locator("[data-why]")).not_to_contain_text("Coach")
    play.changes(voice="", agent="Jonas", conference=True)
    expect(play.page.locator(TAKE_OVER)).to_be_hidden()
    expect(play.page.locator(COACH)).to_be_enabled()


def test_taking_over_asks_first_and_the_caller_is_brought_once_the_phone_has_answered(play: CallPlay) -> None:
    play.open(**SPOKEN)
    play.page.keyboard.press("Shift+T")
    dialog = play.page.locator("#ask-dialog")
    expect(dialog.locator("h2")).to_have_text("Take Carla Visser over from Self-service?")
    expect(dialog.locator("li")).to_have_text(
        [
            "Carla Visser speaks with you, and Self-service falls silent.",
            "Until your phone has answered, Self-service goes on.",
            "Your computer is the phone: it is called, and answers by itself.",
        ]
    )
    assert play.of("call.takeover") == []
    play.yes()
    play.wait_for("call.takeover")
    play.tell("supervision", **play.supervision(mode="join"))
    expect(play.page.locator(PART)).to_contain_text("Calling your phone")
    expect(play.page.locator(TAKE_OVER)).to_be_disabled()
    play.page.evaluate("() => twilio.ring()")
    play.tell("supervision", **play.supervision(mode="join", state="in", joined_at=iso()))
    expect(play.page.locator(PART)).to_contain_text("Carla Visser is being brought to you…")
    play.changes(voice="")
    expect(play.page.locator(PART)).to_contain_text("You speak with Carla Visser.")
    expect(play.page.locator(".call-head [data-agent]")).to_have_text("You")
    expect(play.page.locator(COACH)).to_be_hidden()  # nobody is there to be coached
    play.page.locator("[data-leave]").click()
    expect(dialog.locator("h2")).to_have_text("Leave and end the call?")
    dialog.locator("[data-cancel]").click()
    assert play.of("call.leave") == []


def test_what_twilio_refuses_is_told_and_the_voice_goes_on(play: CallPlay) -> None:
    play.open(**SPOKEN)
    play.refuse("call.takeover", 21210, "From is not verified")
    play.page.locator(TAKE_OVER).click()
    play.yes()
    expect(play.page.locator("[data-commands]")).to_contain_text(
        "You did not take the call over: From is not verified"
    )
    expect(play.page.locator(TAKE_OVER)).to_be_enabled()


def test_who_starts_a_stream_reads_that_it_cannot_speak(play: CallPlay) -> None:
    play.open(**SPOKEN)
    play.page.locator("[data-start]").click()
    expect(play.page.locator("#start-dialog")).to_contain_text("set a voice as its destination")


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 380])
def test_a_voices_call_looks_as_it_should(play: CallPlay, theme: str, width: int) -> None:
    play.page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
    play.page.set_viewport_size({"width": width, "height": 900})
    full(play)
    play.open(**SPOKEN)
    play.tell("utterance", **line(play, 1, "How can I help?"))
    for number in range(1, 30):
        play.tell("turn", **turn(play, number, 700))
    expect(play.page.locator("[data-turns] li")).to_have_count(29)
    picture(play.page, f"call-voice-{width}-{theme}")
    assert play.page.evaluate("() => document.documentElement.scrollWidth") <= width
    assert [play.page.evaluate(fault) for fault in (CONTRAST, SMALL, NAMELESS)] == [[], [], []]
    assert violations(play.page) == []


def test_the_desk_shows_before_the_answer_who_said_what(arrive: Callable[..., Page], page: Page) -> None:
    desk = DeskPlay(page)
    arrive("jonas", "/desk/")
    expect(page.locator("cc-connection")).to_have_text("Live")
    said = [
        {"text": "How can I help?", "at_ms": 1000, "speaker": "voice"},
        {"text": "My parcel is <b>broken</b>.", "at_ms": 3000, "speaker": "caller"},
    ]
    desk.ring()
    desk.state["offer"]["reason"] = "Parcel is broken"
    desk.push(context=context(said=said, voice="Self-service", entered={"order": "4711"}))
    ringing = page.locator("[data-ringing]")
    expect(ringing.locator("[data-about]")).to_contain_text("Parcel is broken")
    expect(ringing.locator(".brief").first.locator("h3")).to_have_text("Said so far")
    expect(ringing.locator(".brief").first.locator("li")).to_have_text(
        ["Self-service: How can I help?", "Caller: My parcel is <b>broken</b>."]
    )
    expect(ringing).to_contain_text("order: 4711")
    expect(ringing).to_contain_text("Verified")
    expect(ringing.locator("b")).to_have_count(0)
    assert page.evaluate(CONTRAST) == []
