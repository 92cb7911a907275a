"""The wall in Chromium: rows come, tell, and go; nothing jumps."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.theatre import Stage

EMPTY = "[data-empty-title]"


def row(page: Page, call: int) -> Locator:
    """The row of a call."""
    return page.locator(f'[data-call="{call}"]')


def shows(meter: Locator, level: float) -> Callable[[], bool]:
    """Asks whether the caller's side of a meter stands at a level."""
    return lambda: meter.get_attribute("data-inbound") == f"{level:g}"


def test_a_call_comes_up_by_itself_and_says_who_where_and_how_long(mina: Page, stage: Stage) -> None:
    expect(mina.locator(EMPTY)).to_contain_text("No calls right now.")
    call = stage.play("ring", caller="+31612345678", seconds_ago=65)
    one = row(mina, call)
    expect(one.locator("[data-badge]")).to_have_text("Ringing")
    expect(one.locator("[data-caller]")).to_have_text("Carla Visser")
    expect(one.locator("[data-phone]")).to_have_text("+31612345678")
    expect(one.locator("[data-line]")).to_have_text("Support")
    expect(one.locator("[data-agent]")).to_have_text("Jonas")
    expect(one.locator("[data-time]")).to_have_text(re.compile(r"^01:(0[5-9]|1\d)$"))
    stage.play("answer", call=call)
    expect(one.locator("[data-badge]")).to_have_text("Talking")
    expect(one.locator("[data-health]")).to_have_text("No stream")
    stage.play("stream", call=call)
    expect(one.locator("[data-health]")).to_have_text("Good, 2 tracks")


def test_both_meters_move_and_the_words_beside_them_say_who_speaks(mina: Page, stage: Stage) -> None:
    call, sid = stage.live_call()
    one = row(mina, call)
    meter, talk = one.locator("cc-meter"), one.locator("[data-talk]")
    expect(talk).to_have_text("Waiting for sound")
    stage.sound(
        {sid: {"inbound": -20.0, "outbound": -70.0}},
        lambda: (meter.get_attribute("data-inbound"), talk.text_content()) == ("-20", "Caller speaking"),
    )
    stage.sound(
        {sid: {"inbound": None, "outbound": -12.5}},
        lambda: (meter.get_attribute("data-outbound"), talk.text_content()) == ("-12.5", "Agent speaking"),
    )
    stage.sound(
        {sid: {"inbound": -70.0, "outbound": -70.0}},
        lambda: str(talk.text_content()).startswith("Silence "),
    )


def test_where_no_sound_comes_nobody_is_said_to_be_silent(mina: Page, stage: Stage) -> None:
    call, sid = stage.live_call()
    talk = row(mina, call).locator("[data-talk]")
    stage.sound(
        {sid: {"inbound": -20.0, "outbound": -70.0}}, lambda: talk.text_content() == "Caller speaking"
    )
    expect(talk).to_have_text("No sound comes")


def test_a_meter_is_filled_as_far_as_its_level(mina: Page, stage: Stage) -> None:
    call, _ = stage.live_call()
    expect(row(mina, call)).to_be_visible()
    filled = """([call, level]) => new Promise((resolve) => {
      const meter = document.querySelector(`[data-call="${call}"] cc-meter`);
      meter.levels = {inbound: level, outbound: null};
      requestAnimationFrame(() => requestAnimationFrame(() => {
        const canvas = meter.querySelector("canvas");
        const y = Math.round(canvas.height * 0.2);
        const line = canvas.getContext("2d").getImageData(0, y, canvas.width, 1).data;
        const first = [...line.slice(40, 43)].join();
        let end = 0;
        const at = (x) => [...line.slice(x * 4, x * 4 + 3)].join();
        for (let x = 10; x < canvas.width; x++) if (at(x) === first) end = x;
        resolve(end / canvas.width);
      }));
    })"""
    assert mina.evaluate(filled, [call, -15.0]) == pytest.approx(0.75, abs=0.03)
    assert mina.evaluate(filled, [call, -3.0]) == pytest.approx(0.95, abs=0.03)


def test_the_level_that_is_shown_is_the_level_of_the_sound(mina: Page, stage: Stage) -> None:
    call, sid = stage.live_call()
    meter = row(mina, call).locator("cc-meter")
    expect(row(mina, call)).to_be_visible()
    for dbfs in (-20.0, -6.0, -45.0):
        heard = stage.play("tone", dbfs=dbfs)
        stage.sound({sid: heard}, shows(meter, heard["inbound"]))
        assert float(meter.get_attribute("data-inbound") or 0) == pytest.approx(dbfs, abs=0.5)
        expect(meter).to_have_attribute("data-outbound", "-96")


def test_a_partial_line_stands_in_italics_until_the_final_one(mina: Page, stage: Stage) -> None:
    call, sid = stage.live_call()
    words = row(mina, call).locator("[data-words]")
    expect(row(mina, call)).to_be_visible()
    partial = {"call": call, "stream": sid, "track": "inbound", "utterance": f"{sid}/inbound/1"}
    stage.tick("partials", [{**partial, "text": "you"}])
    expect(words).to_have_text("Calleryou")
    stage.tick("partials", [{**partial, "text": ""}])  # it was nothing after all
    expect(words).not_to_contain_text("you")
    stage.tick("partials", [{**partial, "text": "my boiler is"}])
    expect(words).to_have_text("Callermy boiler is")
    expect(words).to_have_class(re.compile("is-partial"))
    stage.play("say", sid=sid, text="My boiler is leaking.", number=1)
    expect(words).to_have_text("CallerMy boiler is leaking.")
    expect(words).not_to_have_class(re.compile("is-partial"))
    stage.tick("partials", [{**partial, "text": "my boiler is too late"}])
    stage.play(
        "say", sid=sid, text="Have you turned the water off?", track="outbound", number=1, start_ms=9000
    )
    expect(words).to_have_text("AgentHave you turned the water off?")


def test_rows_stand_in_the_order_of_their_calls_and_do_not_jump(mina: Page, stage: Stage) -> None:
    first, second = stage.live_call()[0], stage.live_call()[0]
    expect(row(mina, second)).to_be_visible()
    third = stage.play("ring")
    expect(row(mina, third)).to_be_visible()
    stage.play("hang_up", call=first)
    expect(row(mina, first).locator("[data-badge]")).to_have_text("Ended")
    order = mina.locator("[data-call]").evaluate_all("rows => rows.map(row => Number(row.dataset.call))")
    assert order == [first, second, third]


def test_a_call_whose_agent_asks_for_help_comes_to_the_top(mina: Page, stage: Stage) -> None:
    first, second = stage.live_call()[0], stage.live_call()[0]
    expect(row(mina, second)).to_be_visible()
    stage.play("ask_for_help", call=second, reason="angry caller")
    expect(mina.locator(f'[data-pinned] [data-call="{second}"]')).to_be_visible()
    stage.play("ask_for_help", call=second, reason="")
    expect(mina.locator("[data-pinned]")).to_be_hidden()
    order = mina.locator("[data-call]").evaluate_all("rows => rows.map(row => Number(row.dataset.call))")
    assert order == [first, second]


def test_an_ended_call_says_how_long_ago_and_goes(mina: Page, stage: Stage) -> None:
    call, _ = stage.live_call()
    expect(row(mina, call)).to_be_visible()
    stage.play("hang_up", call=call, seconds_ago=7)
    expect(row(mina, call).locator("[data-time]")).to_have_text(re.compile(r"Ended 00:0\d ago"))
    expect(row(mina, call)).to_have_count(0)
    expect(mina.locator(EMPTY)).to_have_text(
        re.compile(r"No calls right now\. Last call ended at \d\d:\d\d\.")
    )


def test_no_row_goes_while_the_focus_is_in_the_table(mina: Page, stage: Stage) -> None:
    call, _ = stage.live_call()
    row(mina, call).locator("[data-open]").focus()
    stage.play("hang_up", call=call, seconds_ago=60)
    expect(row(mina, call).locator("[data-time]")).to_have_text(re.compile(r"Ended 01:0[3-9] ago"))
    mina.locator("[data-pause]").focus()
    expect(row(mina, call)).to_have_count(0)


def test_a_call_nobody_answered_says_so(mina: Page, stage: Stage) -> None:
    call = stage.play("ring")
    expect(row(mina, call)).to_be_visible()
    stage.play("hang_up", call=call)
    expect(row(mina, call).locator("[data-badge]")).to_have_text("Not answered")


def test_the_stream_is_told_in_words(mina: Page, stage: Stage) -> None:
    call, sid = stage.live_call()
    health = row(mina, call).locator("[data-health]")
    expect(health).to_have_text("Good, 2 tracks")
    stage.tick("health", {sid: {"lost_ms": 2400, "late": 0, "behind_ms": 300}})
    expect(health).to_have_text("2.4 s lost")
    stage.tick("health", {sid: {"lost_ms": 0, "late": 0, "behind_ms": 3200}})
    expect(health).to_have_text("Words 3.2 s late")
    stage.play("close", sid=sid)
    expect(health).to_have_text("Stream lost")


def test_paused_updates_stand_still_and_come_all_at_once(mina: Page, stage: Stage) -> None:
    first, _ = stage.live_call()
    expect(row(mina, first)).to_be_visible()
    pause = mina.locator("[data-pause]")
    pause.click()
    expect(pause).to_have_attribute("aria-pressed", "true")
    expect(mina.locator("[data-paused-note]")).to_have_text(re.compile(r"Paused for \d+ s"))
    second = stage.play("ring")
    expect(mina.locator("[data-paused-note]")).to_have_text(re.compile(r"Paused for [2-9] s"))
    expect(row(mina, second)).to_have_count(0)
    mina.keyboard.press("p")
    expect(row(mina, second)).to_be_visible()


def test_keys_go_through_the_rows_and_open_one(mina: Page, stage: Stage) -> None:
    first, second = stage.play("ring"), stage.play("ring")
    expect(row(mina, second)).to_be_visible()
    for key, call in (("j", first), ("j", second), ("k", first)):
        mina.keyboard.press(key)
        expect(row(mina, call).locator("[data-open]")).to_be_focused()
    mina.keyboard.press("Enter")
    expect(mina).to_have_url(f"{stage.url}/calls/{first}/")


def test_the_question_mark_lists_the_keys_and_they_can_be_switched_off(mina: Page, stage: Stage) -> None:
    mina.keyboard.press("?")
    dialog = mina.locator("#keys")
    expect(dialog).to_be_visible()
    mina.locator("[data-keys-on]").uncheck()
    mina.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    mina.keyboard.press("?")
    expect(dialog).to_be_hidden()
    mina.locator("[data-keys-open]").click()
    mina.locator("[data-keys-on]").check()
    mina.keyboard.press("Escape")
    mina.keyboard.press("g")
    mina.keyboard.press("c")
    expect(mina).to_have_url(f"{stage.url}/calls/")


def test_the_first_run_says_what_to_do(stage: Stage, mina: Page) -> None:
    stage.play("no_numbers")
    mina.reload()
    expect(mina.locator(EMPTY)).to_have_text("No numbers are connected yet.")
    mina.locator("[data-simulated]").click()
    expect(mina.locator("#simulated")).to_contain_text("make demo")


def test_two_hundred_calls_are_drawn_and_no_tick_is_dropped(mina: Page, stage: Stage) -> None:
    sids = stage.play("crowd", count=200)
    expect(mina.locator("[data-call]")).to_have_count(200)
    last = mina.locator("cc-meter").last

    for level in range(-40, -20):
        stage.sound({sid: {"inbound": level, "outbound": -30} for sid in sids}, shows(last, level))


def test_what_becomes_known_late_brings_no_row_back(mina: Page, stage: Stage) -> None:
    call, sid = stage.live_call()
    expect(row(mina, call)).to_be_visible()
    stage.play("hang_up", call=call, seconds_ago=60)
    expect(row(mina, call)).to_have_count(0)
    stage.play("say", sid=sid, text="written down after the end")
    stage.play("touch", call=call)
    other = stage.play("ring")
    expect(row(mina, other)).to_be_visible()
    expect(mina.locator("[data-call]")).to_have_count(1)
