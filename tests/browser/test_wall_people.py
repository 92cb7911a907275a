"""Below the calls: agents by what they do, and callers who wait, queue by queue."""

import re

from playwright.sync_api import Locator, Page, expect

from tests.browser.wallplay import Played, agent, ago, call, queue, waiting


def group(page: Page, name: str) -> Locator:
    """Agents who do the same."""
    return page.locator(f'[data-agent-groups] > [data-key="{name}"]')


def names(where: Locator) -> list[str]:
    """Their names, in order."""
    return where.locator("[data-name]").all_text_contents()


def test_agents_stand_in_groups_with_the_time_in_their_state(played: Played) -> None:
    crew = [
        agent(1, "Jonas", "on_call", 125, call=1),
        agent(2, "Zoe", "ready", 3700),
        agent(3, "Amira", "ready", 5),
        agent(4, "Ben", "wrapup"),
        agent(5, "Dewi", "away", reason="lunch"),
        agent(6, "Eli", "away", reason="dentist"),
        agent(7, "Fay", "offline"),
        agent(8, "Gus", "ringing"),
    ]
    page = played.open(calls=[call(1)], agents=crew)
    assert names(group(page, "ready")) == ["Amira", "Zoe"]
    expect(group(page, "ready").locator("[data-count]")).to_have_text("2")
    expect(group(page, "ready").locator("cc-timer").nth(1)).to_have_text(re.compile(r"1:01:\d\d"))
    assert names(group(page, "on_call")) == ["Gus", "Jonas"]
    expect(group(page, "on_call").locator("[data-why]").first).to_have_text("Ringing")
    expect(group(page, "on_call").locator("[data-name]").nth(1)).to_have_attribute("href", "/calls/1/")
    timer = group(page, "on_call").locator("cc-timer").nth(1)
    expect(timer).to_have_text(re.compile(r"02:0\d"))
    expect(timer).to_have_text(re.compile(r"02:1\d"))  # it ticks
    assert names(group(page, "away")) == ["Dewi", "Eli"]
    expect(group(page, "away").locator("[data-why]")).to_have_text(["Lunch", "dentist"])
    expect(page.locator("[data-agents-off]")).to_have_text("1 offline")


def test_an_agent_who_does_something_else_changes_the_group(played: Played) -> None:
    page = played.open(agents=[agent(1, "Jonas"), agent(2, "Amira")])
    played.tell("agent", agent(1, "Jonas", "away", 0, reason="missed"))
    expect(group(page, "away").locator("[data-name]")).to_have_text("Jonas")
    expect(group(page, "away").locator("[data-why]")).to_have_text("Missed")
    expect(group(page, "away").locator("cc-timer")).to_have_text(re.compile(r"00:0\d"))
    assert names(group(page, "ready")) == ["Amira"]
    played.tell("agent", {"agent": 2, "gone": True})
    expect(group(page, "ready").locator("[data-name]")).to_have_count(0)


def test_no_agent_is_said_in_words(played: Played) -> None:
    page = played.open()
    expect(page.locator("[data-no-agents]")).to_have_text("No agents here.")
    expect(page.locator("[data-no-waits]")).to_have_text("Nobody waits.")


def test_callers_wait_queue_by_queue_in_the_order_in_which_they_are_served(played: Played) -> None:
    calls = [
        call(n, name, phase="queued")
        for n, name in ((1, "Carla"), (2, "Tom"), (3, "Ann"), (4, "Ida"), (5, "Udo"))
    ]
    page = played.open(
        calls=calls,
        queues=[queue(), queue(2, "Sales", warn_seconds=300, bad_seconds=600)],
        waiting=[
            waiting(1, 1, 20),
            waiting(2, 2, 95),
            waiting(3, 3, 5, priority=5),
            waiting(4, 4, 95, queue=2, queue_name="Sales"),
            waiting(5, 5, 3, queue=None, queue_name="", agent="Jonas Smit"),
        ],
    )
    support = page.locator('[data-wait-queues] > [data-key="1"]')
    expect(support.locator("h3")).to_have_text(re.compile(r"Support\s*3 wait"))
    assert support.locator("[data-caller]").all_text_contents() == ["Ann", "Tom", "Carla"]
    expect(support.locator(".wait").nth(1)).to_have_attribute("data-tone", "bad")
    expect(support.locator(".wait").nth(1).locator(".wait-time")).to_have_text(re.compile(r"01:3\d too long"))
    expect(support.locator(".wait").nth(2)).to_have_attribute("data-tone", "ok")
    sales = page.locator('[data-wait-queues] > [data-key="2"]')
    expect(sales.locator(".wait")).to_have_attribute("data-tone", "ok")
    expect(sales.locator("[data-caller]")).to_have_attribute("href", "/calls/4/")
    direct = page.locator('[data-wait-queues] > [data-key="0"]')
    expect(direct.locator("h3")).to_have_text(re.compile(r"For one agent\s*1 waits"))
    expect(direct.locator("[data-for]")).to_have_text("for Jonas Smit")


def test_who_is_served_leaves_the_list_and_the_others_move_up(played: Played) -> None:
    page = played.open(
        calls=[call(1, "Carla", phase="queued"), call(2, "Tom", phase="queued")],
        waiting=[waiting(1, 1, 20), waiting(2, 2, 10)],
    )
    callers = page.locator("[data-wait-queues] [data-caller]")
    expect(callers).to_have_text(["Carla", "Tom"])
    played.tell("waiting", waiting(1, 1, 20, left_at=ago(), result="answered"))
    expect(callers).to_have_text(["Tom"])
