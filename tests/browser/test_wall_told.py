"""The wall beside real rows: what services write comes up at a supervisor's screen by itself."""

import re

from playwright.sync_api import Page, expect

from tests.browser.theatre import Stage
from tests.browser.wallplay import card, row


def test_a_caller_who_waits_is_on_every_part_of_the_page_and_leaves_it(mina: Page, stage: Stage) -> None:
    expect(mina.locator("cc-connection")).to_have_text("Live")
    call = stage.play("ring", caller="+31612345678", agent=False, seconds_ago=40)
    wait = stage.play("wait", call=call, seconds_ago=40)
    expect(row(mina, call).locator("[data-badge]")).to_have_text("Waiting")
    expect(mina.locator("[data-wait-queues] [data-caller]")).to_have_text("Carla Visser")
    mina.reload()  # a queue that is new is known with the next look
    expect(card(mina, "waiting").locator(".card-value")).to_have_text("1")
    expect(card(mina, "longest")).to_have_attribute("data-tone", "warn")
    expect(card(mina, "longest").locator(".card-target")).to_have_text("Support: at most 00:30")
    stage.play("leave", waiting=wait, result="abandoned")
    expect(card(mina, "waiting").locator(".card-value")).to_have_text("0")
    expect(mina.locator("[data-no-waits]")).to_have_text("Nobody waits.")
    expect(card(mina, "abandoned").locator(".card-value")).to_have_text("1")
    expect(card(mina, "service").locator(".card-value")).to_have_text("0 %")


def test_an_agent_who_sits_down_and_leaves_is_told(mina: Page, stage: Stage) -> None:
    expect(mina.locator("cc-connection")).to_have_text("Live")
    stage.play("sit_down")
    ready = mina.locator('[data-agent-groups] > [data-key="ready"] [data-name]')
    expect(ready).to_have_text("Jonas")
    expect(card(mina, "ready").locator(".card-value")).to_have_text("1")
    stage.play("sit_down", status="away", reason="lunch")
    expect(mina.locator('[data-agent-groups] > [data-key="away"] [data-why]')).to_have_text("Lunch")
    expect(ready).to_have_count(0)


def test_an_alert_is_acknowledged_and_everybody_sees_by_whom(mina: Page, stage: Stage) -> None:
    call, _ = stage.live_call()
    alert = stage.play("raise_alert", call=call, quote="I want to cancel")
    item = mina.locator(f'[data-alert-list] > [data-key="{alert}"]')
    expect(item.locator("[data-quote]")).to_have_text("“I want to cancel”")
    expect(mina.locator(f'[data-pinned] [data-call="{call}"]')).to_be_visible()
    mina.keyboard.press("a")
    expect(item.locator("[data-by]")).to_have_text(re.compile(r"Acknowledged by Mina at \d\d:\d\d:\d\d"))
    expect(mina.locator("[data-pinned]")).to_be_hidden()
    expect(mina).to_have_title(re.compile("^Live calls"))
