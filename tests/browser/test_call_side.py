"""Beside and above a call's words: state, health, alerts, the caller, notes, marked moments, who listens."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.callplay import TALK, CallPlay, alert, full, iso, past_call
from tests.browser.theatre import Stage

TEXT = "[data-words-note] [data-text]"


@pytest.fixture
def play(stage: Stage, mina_there: Page) -> CallPlay:
    """A call in progress with an open stream; Mina has not opened its page yet."""
    call, sid = stage.live_call()
    return CallPlay(stage, mina_there, call, sid)


@pytest.mark.parametrize(
    ("phase", "word"),
    [
        ("ringing", "Ringing"),
        ("queued", "Queued"),
        ("talking", "In progress"),
        ("hold", "On hold"),
        ("wrapup", "Wrap-up"),
        ("ended", "Ended"),
    ],
)
def test_the_badge_says_what_the_call_is_doing(play: CallPlay, phase: str, word: str) -> None:
    play.open()
    play.changes(phase=phase)
    expect(play.page.locator(".call-head [data-badge]")).to_have_text(word)


def test_who_waits_in_a_queue_is_shown_with_how_long(play: CallPlay) -> None:
    play.more = {"waiting": {"waiting": 1, "call": play.call, "entered_at": iso(-75), "left_at": None}}
    play.open(phase="queued", answered_at=None, queue="Billing")
    expect(play.page.locator("[data-wait]")).to_have_text(re.compile(r"waits 01:1\d"))
    expect(play.page.locator("[data-queue]")).to_have_text("Billing")
    play.tell("waiting", waiting=1, entered_at=iso(-75), left_at=iso())
    expect(play.page.locator("[data-wait]")).to_be_hidden()


def test_health_is_told_in_words(play: CallPlay) -> None:
    play.open()
    head = play.page.locator(".call-head")
    expect(head.locator("[data-direction]")).to_have_text("Inbound")
    play.health(behind_ms=800, late=1)
    expect(head.locator("[data-sound]")).to_have_text("mu-law 8 kHz, nothing lost, 1 packet late")
    expect(head.locator("[data-behind]")).to_have_text("Transcription 0.8 s behind")
    play.health(lost_ms=2400, behind_ms=4000)
    expect(head.locator("[data-sound]")).to_have_text("mu-law 8 kHz, 2.4 s lost, none late")
    expect(head.locator("[data-behind]")).to_have_attribute("data-tone", "warn")


def test_a_failed_transcription_says_that_the_sound_works_and_can_be_tried_again(play: CallPlay) -> None:
    play.open()
    play.health(failed=True)
    expect(play.page.locator(TEXT)).to_have_text("Transcription failed: no words come; sound still works.")
    expect(play.page.locator(".call-head [data-health]")).to_have_text("Transcription failed")
    expect(play.page.locator("[data-behind]")).to_be_empty()
    play.page.locator("[data-words-act]").click()
    assert play.wait_for("words.start") == {"stream": play.sid}
    play.health()
    expect(play.page.locator("[data-words-note]")).to_be_hidden()


def test_a_call_without_a_stream_says_so_and_offers_one(stage: Stage, mina_there: Page) -> None:
    call = stage.play("ring", seconds_ago=60)
    stage.play("answer", call=call, seconds_ago=50)
    play = CallPlay(stage, mina_there, call)
    play.open()
    expect(play.page.locator(TEXT)).to_have_text(
        "No stream is open: this call is neither heard nor written down."
    )
    play.page.locator("[data-words-act]").click()
    expect(play.page.locator("#start-dialog")).to_be_visible()
    play.page.keyboard.press("Escape")
    expect(play.page.locator('[data-act="stream"]')).to_have_text("Start stream")
    expect(play.page.locator("[data-why]")).to_contain_text("Listen in: There is no sound to hear")
    play.sid = stage.play("stream", call=call)
    expect(play.page.locator("[data-words-note]")).to_be_hidden()
    expect(play.page.locator('[data-act="stream"]')).to_have_text("Stop stream")


def test_who_listens_and_who_is_in_the_call_is_named(play: CallPlay) -> None:
    play.open()
    present = play.page.locator("[data-present]")
    play.tell("listening", listening=1, by="Ada", user=98, began_at=iso(), ended_at=None)
    expect(present).to_have_text("Ada listens.")
    play.tell("listening", listening=2, by="Ben", user=99, began_at=iso(), ended_at=None)
    expect(present).to_have_text("Ada and Ben listen.")
    expect(play.page.locator('[data-act="listen"]')).to_be_disabled()
    expect(play.page.locator("[data-why]")).to_contain_text("Ada and Ben listen already")
    play.tell("listening", listening=1, by="Ada", user=98, began_at=iso(), ended_at=iso())
    play.tell("supervision", **{**play.supervision(by="Ada", user=98), "state": "in", "joined_at": iso()})
    expect(present).to_have_text("Ben listens. Ada coaches the agent.")
    for words in ("Ada began to listen", "Ada stopped listening", "Ada began to coach Jonas"):
        expect(play.page.locator("[data-timeline]")).to_contain_text(words)


def test_help_is_shown_and_can_be_called_done(play: CallPlay) -> None:
    play.open(help="The caller shouts", phase="hold")
    told = {name: value for name, value in play.state.items() if name != "phase"}
    play.answers["help.done"] = lambda asked: (200, {**told, "type": "call", "call": play.call, "help": ""})
    expect(play.page.locator("[data-help]")).to_have_text("Needs help: The caller shouts")
    play.page.locator("[data-help-done]").click()
    play.wait_for("help.done")
    expect(play.page.locator("[data-help-done]")).to_be_hidden()
    expect(play.page.locator(".call-head [data-badge]")).to_have_text("On hold")


def test_words_that_raised_an_alert_are_marked_and_the_alert_stands_in_the_line_of_time(
    play: CallPlay,
) -> None:
    play.stage.play("say", sid=play.sid, text="I want to Cancel my contract, <b>now</b>.", start_ms=61_000)
    play.open()
    play.tell("alert", **alert(utterance=f"{play.sid}/inbound/1", quote="cancel my contract"))
    words = play.page.locator("cc-transcript .alarm")
    expect(words).to_have_text("Cancel my contract")
    expect(play.page.locator("cc-transcript .said").first).to_have_text(
        "I want to Cancel my contract, <b>now</b>."
    )
    expect(play.page.locator("cc-transcript .is-alert")).to_contain_text("Alert: Wants to cancel")
    play.page.locator("#find").fill("my")
    expect(play.page.locator("cc-transcript .alarm mark")).to_have_text("my")
    expect(play.page.locator("[data-line-count]")).to_have_text("1 line")


@pytest.mark.parametrize(
    ("said", "phrases", "marked"),
    [
        (
            "I DON’T want it. Give me your manager!",
            ["don't want", "manager", "man"],
            ["DON’T want", "manager"],
        ),
        ("Refund (all of it)?", ["(all", "refund"], ["Refund", "all"]),
        ("My refunds.", ["refund"], []),
    ],
)
def test_the_words_of_the_rule_are_marked_where_they_are_said(
    play: CallPlay, said: str, phrases: list[str], marked: list[str]
) -> None:
    play.stage.play("say", sid=play.sid, text=said, start_ms=61_000)
    found = alert(utterance=f"{play.sid}/inbound/1", quote=said)
    play.more = {"phrases": {"Wants to cancel": phrases}, "alerts": [{"call": play.call, **found}]}
    play.open()
    expect(play.page.locator("cc-transcript .has-alarm .said")).to_have_text(said)
    expect(play.page.locator("cc-transcript .alarm")).to_have_text(marked)


def test_an_alert_is_acknowledged_and_says_by_whom(play: CallPlay) -> None:
    play.open()
    expect(play.page.locator("[data-no-alerts]")).to_be_visible()
    play.tell("alert", **alert(severity="critical"))
    row = play.page.locator(".alert")
    expect(row.locator("[data-severity]")).to_have_text("Critical")
    expect(play.page.locator("[data-say-critical]")).to_have_text(
        "Alert: Wants to cancel. cancel my contract"
    )
    expect(play.page.locator("[data-alert-count]")).to_have_text("1 open")
    seen: dict[str, Any] = {"acknowledged_at": iso(), "acknowledged_by": "Mina"}
    play.answers["alert.acknowledge"] = lambda asked: (
        200,
        {"type": "alert", "call": play.call, **alert(severity="critical", **seen)},
    )
    row.locator("[data-acknowledge]").click()
    expect(row.locator("[data-seen]")).to_contain_text("Acknowledged by Mina at")
    assert play.wait_for("alert.acknowledge") == {"alert": 1}
    expect(row.locator("[data-acknowledge]")).to_be_hidden()
    expect(play.page.locator("[data-alert-count]")).to_be_empty()


def test_an_acknowledgement_that_fails_says_why(play: CallPlay) -> None:
    play.open()
    play.tell("alert", **alert())
    play.offline = True
    play.page.locator("[data-acknowledge]").click()
    expect(play.page.locator("[data-commands]")).to_contain_text(
        "The alert was not acknowledged: There is no connection to the server."
    )
    expect(play.page.locator("[data-acknowledge]")).to_be_visible()


def test_a_warning_is_told_quietly_and_what_was_there_before_is_not(play: CallPlay) -> None:
    play.more = {"alerts": [{"call": play.call, **alert(9, severity="critical")}]}
    play.open()
    play.tell("alert", **alert(1, name="Long silence", quote="Silent for 34 s"))
    expect(play.page.locator("[data-say-warning]")).to_have_text("Alert: Long silence. Silent for 34 s")
    expect(play.page.locator("[data-say-critical]")).to_be_empty()


def test_what_is_hidden_is_a_chip(play: CallPlay) -> None:
    play.stage.play("say", sid=play.sid, text="It is [hidden: card number], thanks.", start_ms=3000)
    play.open()
    expect(play.page.locator(".redacted")).to_have_text("[hidden: card number]")
    expect(play.page.locator("cc-transcript .said")).to_have_text("It is [hidden: card number], thanks.")


def test_the_caller_is_shown_as_we_know_them(play: CallPlay) -> None:
    full(play)
    play.open()
    who = play.page.locator("[data-contact]")
    for words in ("Carla Visser", "Visser Bloemen", "gold", "boiler", "After six."):
        expect(who).to_contain_text(words)
    rows = play.page.locator("[data-history] li")
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text("answered · Billing · Amira · Support")
    expect(rows.first).to_contain_text("06:52")
    expect(rows.first.locator("a")).to_have_attribute("href", "/calls/901/")
    expect(play.page.locator("[data-no-history]")).to_be_hidden()


@pytest.mark.parametrize(
    ("number", "words"),
    [
        ("+31612345678", "First call from this number."),
        ("anonymous", "The number is withheld: earlier calls are not known."),
    ],
)
def test_a_stranger_is_told_from_one_who_hides(play: CallPlay, number: str, words: str) -> None:
    play.more = {"history": {"calls": [], "contact": None}}
    play.open(caller_number=number)
    expect(play.page.locator("[data-no-history]")).to_have_text(words)


def test_the_present_call_is_no_earlier_one(play: CallPlay) -> None:
    play.more = {"history": {"calls": [past_call(play.call)], "contact": None}}
    play.open()
    expect(play.page.locator("[data-no-history]")).to_be_visible()


def test_a_note_is_saved_as_one_types_and_those_of_others_stand_below(play: CallPlay) -> None:
    full(play)
    play.open()
    expect(play.page.locator("[data-other-notes]")).to_contain_text("Wants a plumber today.")
    field = play.page.locator("[data-note]")
    field.fill("Call back")
    expect(play.page.locator("[data-saved]")).to_have_text("Not saved yet")
    assert play.wait_for("note") == {"text": "Call back"}
    expect(play.page.locator("[data-saved]")).to_have_text(re.compile(r"Saved \d\d:\d\d:\d\d"))
    expect(play.page.locator("[data-other-notes] li")).to_have_count(1)


def test_a_note_that_cannot_be_saved_is_kept_and_saved_later(play: CallPlay) -> None:
    play.open()
    play.offline = True
    play.page.locator("[data-note]").fill("Kept")
    expect(play.page.locator("[data-saved]")).to_have_text("Not saved yet; kept in this browser.")
    play.page.reload()
    expect(play.page.locator("[data-note]")).to_have_value("Kept")
    play.offline = False
    expect(play.page.locator("[data-saved]")).to_have_text(re.compile(r"Saved \d\d"))
    assert play.of("note")[-1] == {"text": "Kept"}


def test_my_own_note_is_there_again(play: CallPlay) -> None:
    note = {"note": 4, "call": play.call, "by": "Mina", "text": "Mine", "updated_at": iso()}
    play.more = {"notes": [note]}
    play.open()
    expect(play.page.locator("[data-note]")).to_have_value("Mine")
    expect(play.page.locator("[data-other-notes] li")).to_have_count(0)
    play.tell("note", **{**note, "text": "Mine, from the telephone"})
    expect(play.page.locator("[data-note]")).to_have_value("Mine, from the telephone")


def test_a_moment_is_marked_with_a_word_and_found_again(play: CallPlay) -> None:
    play.stage.play("say_many", sid=play.sid, count=60)
    play.open()
    play.page.locator("#moment-text").fill("Good question")
    play.page.locator("#moment-text").press("Enter")
    assert play.wait_for("moment") == {"text": "Good question"}
    marker = play.page.locator("cc-transcript .is-moment")
    expect(marker).to_contain_text("Marked by Mina: Good question")
    expect(marker).not_to_be_in_viewport()
    play.page.locator("[data-moments] .go").click()
    expect(marker).to_be_in_viewport()
    expect(play.page.locator("#moment-text")).to_have_value("")


def test_who_talks_how_much_is_told_since_the_stream_began(play: CallPlay) -> None:
    play.open()
    shares = play.page.locator("[data-shares]")
    expect(shares.locator("[data-share]")).to_have_text("Nobody has spoken yet")
    play.health(talk=TALK)
    expect(shares.locator("[data-share]")).to_have_text("Caller 62 %, agent 38 %")
    expect(shares.locator("[data-overtalk]")).to_have_text("00:08 (8 %)")
    expect(shares.locator("[data-silent]")).to_have_text("00:08 (8 %)")
    expect(shares.locator("[data-now-silent]")).to_have_text("00:12")
    expect(shares.locator("[data-since]")).to_contain_text("Since the stream began at")
    assert shares.locator("[data-bar=agent]").get_attribute("x") == "62"


def test_who_talks_is_told_of_the_whole_call_not_of_its_last_stream(play: CallPlay) -> None:
    play.open()
    shares = play.page.locator("[data-shares]")
    play.health(talk=TALK)
    play.stage.play("close", sid=play.sid, reason="stop", talk=TALK)
    expect(shares.locator("[data-since]")).to_contain_text("no stream is open now")
    expect(shares.locator("[data-share]")).to_have_text("Caller 62 %, agent 38 %")
    play.sid = play.stage.play("stream", call=play.call, name="second")
    expect(play.page.locator(".stream")).to_have_count(2)
    play.health(talk={**TALK, "outbound_ms": 86_000})
    expect(shares.locator("[data-share]")).to_have_text("Caller 50 %, agent 50 %")
    expect(shares.locator("[data-since]")).to_contain_text("while a stream was open")


def test_a_call_that_somebody_ended_says_who(play: CallPlay) -> None:
    play.open()
    asked = {"id": "6b3c1f9e-0000-4000-8000-000000000001", "kind": "call.end"}
    play.tell("command", **{**play.command(asked), "by": "Ada"})
    play.changes(state="ended", phase="wrapup", ended_at=iso(), outcome="answered")
    expect(play.page.locator(".call-head [data-badge]")).to_have_text("Wrap-up")
    expect(play.page.locator("[data-present]")).to_have_text("Ada ended this call.")
    expect(play.page.locator(".acts")).to_be_hidden()
    expect(play.page.locator("[data-timeline]")).to_contain_text("Ada asked to end the call")
    play.changes(phase="ended")
    expect(play.page.locator(".call-head [data-badge]")).to_have_text("Ended")
