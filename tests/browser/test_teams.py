"""Teams, queues and cries for help, as a supervisor sees them in Chromium."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.test_wall import row
from tests.browser.theatre import Stage

Arrive = Callable[..., Page]


def test_the_row_and_the_head_of_a_call_say_its_queue_and_that_help_is_needed(
    arrive: Arrive, stage: Stage
) -> None:
    page = arrive("mina")
    call, _ = stage.live_call()
    one = row(page, call)
    expect(one.locator("[data-help]")).to_be_hidden()
    stage.play("queue_up", call=call, queue="Support")
    expect(one.locator("[data-queue]")).to_have_text("Queue: Support")
    stage.play("ask_for_help", call=call, reason="<b>angry</b> caller")
    expect(one.locator("[data-help]")).to_have_text("Needs help: <b>angry</b> caller")
    page.goto(f"{stage.url}/calls/{call}/")
    head = page.locator(".call-head")
    expect(head.locator("[data-queue]")).to_have_text("Support")
    expect(head.locator("[data-help]")).to_have_text("Needs help: <b>angry</b> caller")
    stage.play("ask_for_help", call=call, reason="")
    expect(head.locator("[data-help]")).to_be_hidden()


def test_a_call_goes_to_another_team_and_comes_back(arrive: Arrive, stage: Stage) -> None:
    stage.play("join_team", username="mina", team="North")
    page = arrive("mina")
    call, sid = stage.live_call()
    stage.play("say", sid=sid, text="my boiler is leaking")
    expect(row(page, call)).to_be_visible()
    stage.play("queue_up", call=call, queue="Sales", team="South")
    expect(row(page, call)).to_have_count(0)
    stage.play("queue_up", call=call, queue="Support", team="North")
    expect(row(page, call).locator("[data-words]")).to_contain_text("my boiler is leaking")
    expect(row(page, call).locator("[data-health]")).to_have_text("Good, 2 tracks")
    stage.sound(
        {sid: {"inbound": -20.0, "outbound": None}},
        lambda: row(page, call).locator("cc-meter").get_attribute("data-inbound") == "-20",
    )


def test_who_joins_a_team_sees_its_calls_without_a_reload(arrive: Arrive, stage: Stage) -> None:
    stage.play("join_team", username="ada", team="South")
    call = stage.play("ring")
    stage.play("queue_up", call=call, queue="Sales", team="South")
    page = arrive("mina")
    expect(page.locator("[data-empty-title]")).to_contain_text("No calls right now.")
    stage.play("join_team", username="mina", team="South")
    expect(row(page, call)).to_be_visible(timeout=15_000)
