"""One call in Chromium: its words as they fall, its streams started and stopped, its end without a reload."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.theatre import Stage
from tests.calls.rest import Asked, error, stream_body

NEW_SID = "MZ" + "e" * 32
Arrive = Callable[..., Page]


@pytest.fixture
def live(arrive: Arrive, stage: Stage) -> tuple[Page, int, str]:
    """Mina at a call in progress with an open stream."""
    call, sid = stage.live_call()
    return arrive("mina", f"/calls/{call}/"), call, sid


def lines(page: Page) -> list[str]:
    """The transcript as it reads."""
    return page.locator("cc-transcript li").all_inner_texts()


def test_the_head_says_who_calls_whom(live: tuple[Page, int, str]) -> None:
    page, _, _ = live
    head = page.locator(".call-head")
    expect(head.locator("h1")).to_have_text("Carla Visser")
    expect(head.locator("[data-phone]")).to_have_text("+31612345678")
    expect(head.locator("[data-badge]")).to_have_text("In progress")
    expect(head.locator("[data-line]")).to_have_text("Support")
    expect(head.locator("[data-agent]")).to_have_text("Jonas")
    expect(head.locator("[data-health]")).to_have_text("Good, 2 tracks")
    expect(head.locator("[data-time]")).to_have_text(re.compile(r"^00:5\d|01:\d\d$"))


def test_lines_fall_with_speaker_and_time_and_a_partial_one_becomes_final(
    live: tuple[Page, int, str], stage: Stage
) -> None:
    page, call, sid = live
    expect(page.locator(".lines-empty")).to_have_text("Nothing has been said yet.")
    partial = {"call": call, "stream": sid, "track": "inbound", "utterance": f"{sid}/inbound/1"}
    expect(page.locator("cc-connection")).to_have_text("Live")
    stage.tick("partials", [{**partial, "text": "my boiler"}])
    item = page.locator("cc-transcript li")
    expect(item).to_have_class(re.compile("is-partial"))
    expect(item).to_contain_text("my boiler")
    stage.play("say", sid=sid, text="My boiler is leaking.", number=1, start_ms=61_000)
    expect(item).not_to_have_class(re.compile("is-partial"))
    expect(item).to_have_attribute("data-who", "caller")
    expect(item.locator("time")).to_have_text("01:01")
    stage.play("say", sid=sid, text="Since when?", track="outbound", number=1, start_ms=64_000)
    expect(page.locator("cc-transcript li")).to_have_count(2)
    assert [re.sub(r"\s+", " ", line) for line in lines(page)] == [
        "01:01 Caller My boiler is leaking.",
        "01:04 Agent Since when?",
    ]


def test_a_line_that_comes_late_stands_where_it_was_said(live: tuple[Page, int, str], stage: Stage) -> None:
    page, _, sid = live
    stage.play("say", sid=sid, text="second", number=2, start_ms=9000)
    stage.play("say", sid=sid, text="first", track="outbound", number=1, start_ms=4000)
    expect(page.locator("cc-transcript li .said")).to_have_text(["first", "second"])


def test_missing_sound_is_drawn_once_for_both_tracks(live: tuple[Page, int, str], stage: Stage) -> None:
    page, _, sid = live
    stage.play("gap", sid=sid, at_ms=5000, ms=2400)
    stage.play("gap", sid=sid, track="outbound", at_ms=5020, ms=2400)
    stage.play("say", sid=sid, text="are you still there", start_ms=90_000)
    expect(page.locator("cc-transcript li")).to_have_count(2)
    expect(page.locator("cc-transcript .is-gap")).to_contain_text("[2.4 s of sound is missing]")


def test_it_follows_the_end_until_one_scrolls_up(live: tuple[Page, int, str], stage: Stage) -> None:
    page, _, sid = live
    stage.play("say_many", sid=sid, count=40)
    last = page.locator("cc-transcript li").last
    expect(last).to_contain_text("line 40")
    expect(last).to_be_in_viewport()
    page.locator(".lines").evaluate("box => { box.scrollTop = 0; }")
    stage.play("say_many", sid=sid, count=5, start_ms=200_000, first=41)
    more = page.locator(".new-lines")
    expect(more).to_have_text("5 new lines")
    expect(page.locator("cc-transcript li").first).to_be_in_viewport()
    more.click()
    expect(more).to_be_hidden()
    expect(page.locator("cc-transcript li").last).to_be_in_viewport()
    stage.play("say", sid=sid, text="the last one", number=90, start_ms=900_000)
    expect(page.get_by_text("the last one")).to_be_in_viewport()


def test_it_follows_the_end_also_when_something_above_takes_its_place(
    live: tuple[Page, int, str], stage: Stage
) -> None:
    page, _, sid = live
    page.set_viewport_size({"width": 1366, "height": 768})
    stage.play("say_many", sid=sid, count=40)
    expect(page.locator("cc-transcript li").last).to_contain_text("line 40")
    page.locator(".call-head").evaluate("head => { head.style.minHeight = head.offsetHeight + 120 + 'px'; }")
    expect(page.locator("cc-transcript li").last).to_be_in_viewport()
    foot = page.locator(".transcript-panel").evaluate("panel => panel.getBoundingClientRect().bottom")
    assert foot <= 768
    stage.play("say", sid=sid, text="still here", number=90, start_ms=900_000)
    expect(page.get_by_text("still here")).to_be_in_viewport()


def test_find_marks_every_place_and_goes_through_them(live: tuple[Page, int, str], stage: Stage) -> None:
    page, _, sid = live
    for n, text in enumerate(("Water in the kitchen", "turn the water off", "I did"), start=1):
        stage.play("say", sid=sid, text=text, number=n, start_ms=n * 4000)
    expect(page.locator("cc-transcript li")).to_have_count(3)
    page.keyboard.press("/")
    page.keyboard.type("water")
    expect(page.locator("mark")).to_have_text(["Water", "water"])
    expect(page.locator("[data-find-count]")).to_have_text("1 of 2")
    page.keyboard.press("Enter")
    expect(page.locator("[data-find-count]")).to_have_text("2 of 2")
    expect(page.locator(".is-found")).to_contain_text("turn the")
    page.keyboard.press("Shift+Enter")
    expect(page.locator("[data-find-count]")).to_have_text("1 of 2")
    page.locator("#find").fill("nothing of the kind")
    expect(page.locator("[data-find-count]")).to_have_text("Not found")
    page.keyboard.press("Escape")
    expect(page.locator("mark")).to_have_count(0)


def test_the_level_shown_is_the_level_sent(live: tuple[Page, int, str], stage: Stage) -> None:
    page, _, sid = live
    shown = page.locator('[data-dbfs="inbound"]')
    expect(page.locator("cc-connection")).to_have_text("Live")
    stage.sound({sid: {"inbound": -20.0, "outbound": None}}, lambda: shown.text_content() == "−20.0 dBFS")
    expect(page.locator('[data-dbfs="outbound"]')).to_have_text("–")
    expect(shown).to_have_text("–")


def test_parameters_and_what_happened_are_told(arrive: Arrive, stage: Stage) -> None:
    call = stage.play("ring", seconds_ago=60)
    stage.play("answer", call=call, seconds_ago=50)
    sid = stage.play("stream", call=call, seconds_ago=50, parameters={"customer": "4711"})
    page = arrive("mina", f"/calls/{call}/")
    expect(page.locator("[data-parameters]")).to_have_text("customer4711")
    timeline = page.locator("[data-timeline] span")
    expect(timeline).to_have_text(
        ["Called Support", "Answered by Jonas", re.compile(r"Stream tap opened \(inbound, outbound\)")]
    )
    stage.play("close", sid=sid)
    expect(timeline.last).to_have_text("Stream tap closed: connection lost")
    page.locator(".details summary").click()
    expect(page.locator("[data-details]")).to_contain_text(sid)


def test_a_stream_is_started_after_asking_with_name_and_parameter(
    live: tuple[Page, int, str], stage: Stage
) -> None:
    page, _, _ = live
    stage.rest.rules.insert(0, lambda asked: (201, stream_body(NEW_SID)) if asked.method == "POST" else None)
    expect(page.locator("[data-budget]")).to_have_text("2 of 4 tracks in use")
    page.locator("[data-start]").click()
    page.locator("[name=track]").select_option("inbound_track")
    page.locator("[name=name]").fill("quality")
    page.locator("[name=key]").fill("team")
    page.locator("[name=value]").fill("north")
    page.keyboard.press("Enter")
    expect(page.locator("[data-commands]")).to_contain_text("Twilio has started the stream.")
    form = stage.rest.posts()[0].form
    assert (form["Name"], form["Track"]) == ("quality", "inbound_track")
    assert "north" in form.values()


def test_cancel_asks_twilio_nothing(live: tuple[Page, int, str], stage: Stage) -> None:
    page, _, _ = live
    for button in ("[data-start]", "[data-stop]"):
        page.locator(button).click()
        page.locator("dialog[open] [data-cancel]").click()
        expect(page.locator("dialog[open]")).to_have_count(0)
        page.locator(button).click()
        page.keyboard.press("Escape")
        expect(page.locator("dialog[open]")).to_have_count(0)
    assert stage.rest.posts() == []


def test_a_stream_is_stopped_after_asking_and_the_row_says_so(
    live: tuple[Page, int, str], stage: Stage
) -> None:
    page, _, sid = live
    stage.rest.rules.insert(0, lambda asked: (200, stream_body(sid, status="stopped")))
    page.locator("[data-stop]").click()
    expect(page.locator("[data-stop-which]")).to_have_text("Stream tap")
    page.locator("#stop-dialog button[value=yes]").click()
    expect(page.locator("[data-commands]")).to_contain_text("Twilio has stopped the stream.")
    assert stage.rest.posts()[0].path.endswith(f"/Streams/{sid}.json")
    stage.play("close", sid=sid, reason="stop")
    expect(page.locator(".stream [data-badge]")).to_have_text("Closed")
    expect(page.locator("[data-stop]")).to_be_hidden()
    expect(page.locator(".call-head [data-health]")).to_have_text("Stopped")


def test_twilios_refusal_is_told_in_words_with_its_code(live: tuple[Page, int, str], stage: Stage) -> None:
    page, _, _ = live

    def refuse(asked: Asked) -> tuple[int, object]:
        return error(400, 21220, "Call is not in-progress")

    stage.rest.rules.insert(0, refuse)  # type: ignore[arg-type]
    page.locator("[data-start]").click()
    page.locator("#start-dialog button[value=yes]").click()
    note = page.locator("[data-commands] .notice")
    expect(note).to_contain_text("The stream was not started:")
    expect(note).to_contain_text("21220")
    note.locator("button").click()
    expect(note).to_have_count(0)


def test_four_tracks_are_full(live: tuple[Page, int, str], stage: Stage) -> None:
    page, call, _ = live
    stage.play("stream", call=call, name="second")
    expect(page.locator("[data-budget]")).to_have_text("4 of 4 tracks in use")
    expect(page.locator("[data-start]")).to_be_disabled()
    expect(page.locator("[data-start-why]")).to_have_text("All four tracks are in use. Stop a stream first.")


def test_a_live_call_turns_into_the_past_one_without_a_reload(
    live: tuple[Page, int, str], stage: Stage
) -> None:
    page, call, sid = live
    stage.play("say", sid=sid, text="thank you, goodbye")
    expect(page.get_by_text("thank you, goodbye")).to_be_visible()
    page.evaluate("() => { window.same = true; }")
    stage.play("hang_up", call=call)
    expect(page.locator(".call-head [data-badge]")).to_have_text("Ended")
    expect(page.locator("[data-start]")).to_be_hidden()
    expect(page.locator("#levels-title")).to_be_hidden()
    expect(page.locator("[data-timeline] span").last).to_have_text("Call ended")
    expect(page.get_by_text("thank you, goodbye")).to_be_visible()
    assert page.evaluate("() => window.same")


def test_a_past_call_is_read_without_a_socket(arrive: Arrive, page: Page, stage: Stage) -> None:
    call, sid = stage.live_call()
    stage.play("say_many", sid=sid, count=30)
    stage.play("hang_up", call=call)
    sockets: list[str] = []
    page.on("websocket", lambda socket: sockets.append(socket.url))
    arrive("mina", f"/calls/{call}/")
    expect(page.locator("cc-transcript li")).to_have_count(30)
    expect(page.locator("cc-transcript li").first).to_be_in_viewport()
    expect(page.locator(".call-head [data-health]")).to_have_text("Nothing lost")
    expect(page.locator("[data-line-count]")).to_have_text("30 lines")
    assert sockets == []


def test_new_lines_are_read_out_to_who_asks_for_it(live: tuple[Page, int, str], stage: Stage) -> None:
    page, _, sid = live
    region = page.locator("cc-transcript + [aria-live=polite]")
    page.locator("[data-read-out]").check()
    stage.play("say", sid=sid, text="first", number=1)
    stage.play("say", sid=sid, text="second", number=2, start_ms=4000)
    expect(region).to_have_text("Caller: first Caller: second")
    expect(page.locator("[role=log]")).to_have_attribute("aria-live", "off")


def test_what_two_streams_hear_is_shown_once(live: tuple[Page, int, str], stage: Stage) -> None:
    page, call, first = live
    second = stage.play("stream", call=call, name="second")
    for sid, text in ((first, "There is water."), (second, "There was water.")):
        stage.play("say", sid=sid, text=text, number=1, start_ms=5000)
    stage.play("say", sid=second, text="Only the second one heard this.", number=2, start_ms=9000)
    expect(page.locator(".said")).to_have_text(["There is water.", "Only the second one heard this."])


def test_a_page_that_the_server_does_not_understand_says_so(arrive: Arrive, page: Page, stage: Stage) -> None:
    call, _ = stage.live_call()
    page.route_web_socket(re.compile("/ws/"), lambda route: route.close(code=4400))
    arrive("mina", f"/calls/{call}/")
    expect(page.locator("[data-banner]")).to_contain_text("Reload it.")
    expect(page.locator("[data-banner-retry]")).to_be_hidden()
