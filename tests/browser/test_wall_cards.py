"""The cards above the wall: six figures with target and state, in colour, shape and word."""

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.wallplay import Played, agent, ago, call, card, figures, queue, snapshot, waiting
from tests.chromium import picture

NONE = "–"


def says(page: Page, name: str, value: str, target: str, word: str, tone: str | None) -> None:
    """A card says this; `tone` None: no state."""
    one = card(page, name)
    expect(one.locator(".card-value")).to_have_text(value)
    expect(one.locator(".card-target")).to_have_text(target)
    expect(one.locator("[data-word]")).to_have_text(word)
    if tone is None:
        expect(one).not_to_have_attribute("data-tone", re.compile(".*"))
        expect(one.locator("svg")).to_be_hidden()
    else:
        expect(one).to_have_attribute("data-tone", tone)
        shape = {"ok": "ok", "warn": "bang", "bad": "bad"}[tone]
        expect(one.locator("use")).to_have_attribute("href", re.compile(f"#{shape}$"))


def in_queue(key: int, **fields: Any) -> dict[str, Any]:
    """A call that waits."""
    return call(key, phase="queued", agent="", answered_at=None, **fields)


def test_the_longest_wait_is_judged_by_the_queue_of_that_caller(played: Played) -> None:
    page = played.open(
        calls=[in_queue(1), in_queue(2)],
        queues=[queue(), queue(2, "Sales", warn_seconds=300, bad_seconds=600)],
        waiting=[waiting(1, 1, 40), waiting(2, 2, 200, queue=2, queue_name="Sales")],
    )
    one = card(page, "longest")
    expect(one.locator(".card-value")).to_have_text(re.compile(r"03:[2-5]\d"))
    expect(one.locator(".card-target")).to_have_text("Sales: at most 05:00")
    expect(one).to_have_attribute("data-tone", "ok")
    says(page, "waiting", "2", "Target: none over the limit", "1 over the limit", "warn")
    played.tell("waiting", waiting(2, 2, 200, left_at=ago(), result="answered"))
    expect(one.locator(".card-target")).to_have_text("Support: at most 00:30")
    expect(one.locator("[data-word]")).to_have_text("Warning")
    expect(one).to_have_attribute("data-tone", "warn")
    played.tell("waiting", waiting(3, 1, 95))
    expect(one).to_have_attribute("data-tone", "bad")
    expect(one.locator("[data-word]")).to_have_text("Over the limit")


def test_a_wait_that_grows_over_the_limit_turns_by_itself(played: Played) -> None:
    page = played.open(calls=[in_queue(1)], waiting=[waiting(1, 1, 28)])
    expect(card(page, "longest")).to_have_attribute("data-tone", "ok")
    expect(card(page, "longest")).to_have_attribute("data-tone", "warn")


def test_agents_are_counted_by_what_they_do(played: Played) -> None:
    crew = [
        agent(1, "Jonas", "on_call"),
        agent(2, "Amira"),
        agent(3, "Ben", "away"),
        agent(4, "Fay", "offline"),
    ]
    page = played.open(agents=crew)
    says(page, "oncall", "1", "of 3 agents", "", None)
    says(page, "ready", "1", "Target: at least 1", "Within target", "ok")
    played.tell("agent", agent(2, "Amira", "on_call"))
    says(page, "oncall", "2", "of 3 agents", "", None)
    says(page, "ready", "0", "Target: at least 1", "Nobody is free", "warn")
    played.tell("waiting", waiting(1, 1, 2))
    says(page, "ready", "0", "Target: at least 1", "1 waits, nobody free", "bad")
    word = card(page, "ready").locator("[data-word]")
    assert word.evaluate("word => word.scrollWidth <= word.clientWidth"), "it is cut"
    picture(page, "wall-nobody-free")


@pytest.mark.parametrize(
    ("last30", "value", "word", "tone"),
    [
        ((9, 8, 1), "80 %", "Within target", "ok"),
        ((9, 7, 1), "70 %", "Below target", "warn"),
        ((9, 6, 1), "60 %", "Far below target", "bad"),
        ((0, 0, 0), NONE, "No wait ended in 30 min", None),
    ],
)
def test_the_service_level_stands_beside_its_target(
    played: Played, last30: tuple[int, int, int], value: str, word: str, tone: str | None
) -> None:
    page = played.open(figures=figures(last30))
    says(page, "service", value, "Target: 80 % in 20 s", word, tone)


@pytest.mark.parametrize(
    ("today", "value", "word", "tone"),
    [
        ((40, 36, 4, 75), "4", "10 % of 40 in queues", "ok"),
        ((40, 34, 6, 75), "6", "15 % of 40 in queues", "warn"),
        ((40, 30, 10, 75), "10", "25 % of 40 in queues", "bad"),
        ((0, 0, 0, 0), "0", "No caller yet today", None),
    ],
)
def test_those_who_gave_up_stand_beside_what_the_target_allows(
    played: Played, today: tuple[int, int, int, int], value: str, word: str, tone: str | None
) -> None:
    page = played.open(figures=figures(today=today))
    says(page, "abandoned", value, "Target: at most 20 %", word, tone)


def test_the_strip_of_today_is_asked_for_again_soon_after_a_wait_ended(played: Played) -> None:
    page = played.open(calls=[in_queue(1)], waiting=[waiting(1, 1, 5)])
    strip = page.locator("[data-today]")
    expect(strip).to_have_text(
        re.compile(r"Calls\s*52\s*Answered\s*47\s*Abandoned\s*2\s*Longest wait\s*01:15")
    )
    expect(page.locator("[data-figures-at]")).to_have_text(re.compile(r"^as of \d\d:\d\d:\d\d$"))
    played.figures = figures(today=(41, 36, 3, 80))
    played.tell("waiting", waiting(1, 1, 5, left_at=ago(), result="abandoned"))
    expect(strip).to_have_text(re.compile(r"Abandoned\s*3\s*Longest wait\s*01:20"))
    expect(card(page, "abandoned").locator(".card-value")).to_have_text("3")


def test_figures_that_cannot_be_loaded_stay_with_their_age_and_say_so(played: Played) -> None:
    page = played.open()
    played.figures = None
    expect(page.locator("[data-figures-at]")).to_contain_text("The figures could not be loaded")
    expect(card(page, "service").locator(".card-value")).to_have_text("80 %")
    expect(card(page, "abandoned").locator(".card-value")).to_have_text("2")
    expect(page.locator("[data-figures-at]")).to_contain_text("The figures could not be loaded")
    expect(page.locator('[data-figure="volume"]')).to_have_text("52")  # the last known one, with its age


def test_what_the_server_does_not_tell_is_not_shown_as_none(played: Played) -> None:
    body = snapshot()
    for name in ("waiting", "agents", "figures", "queues", "alerts", "me"):
        del body[name]
    played.body = body
    page = played.open()
    for name in ("longest", "waiting", "oncall", "ready", "service", "abandoned"):
        says(page, name, NONE, "", "The server does not tell this", None)
    expect(page.locator("[data-no-alerts]")).to_have_text("The server does not tell of alerts.")
    expect(page.locator("[data-no-agents]")).to_have_text("The server does not tell of agents.")
    expect(page.locator("[data-no-waits]")).to_have_text("The server does not tell who waits.")


def test_nobody_who_waits_is_within_every_limit(played: Played) -> None:
    page = played.open()
    says(page, "longest", "00:00", "Support: at most 00:30", "Nobody waits", "ok")
    says(page, "waiting", "0", "Target: none over the limit", "Within target", "ok")


def test_the_cards_and_the_strip_follow_the_filter(played: Played) -> None:
    told = figures()
    sales = {"last30": {"answered": 2, "in_target": 2, "abandoned": 0}}
    told["queues"]["2"] = sales | {
        "today": {"offered": 5, "answered": 5, "abandoned": 0, "longest_wait_s": 9}
    }
    played.figures = told
    page = played.open(
        "?queue=2",
        figures=told,
        calls=[in_queue(1)],
        queues=[queue(), queue(2, "Sales", target_percent=90, target_seconds=10)],
        waiting=[waiting(1, 1, 200)],
        agents=[agent(1, "Jonas"), agent(2, "Amira", queues=[2])],
    )
    says(page, "waiting", "0", "Target: none over the limit", "Within target", "ok")
    says(page, "ready", "1", "Target: at least 1", "Within target", "ok")
    says(page, "service", "100 %", "Target: 90 % in 10 s", "Within target", "ok")
    expect(page.locator("[data-today]")).to_have_text(
        re.compile(r"Calls\s*5\s*Answered\s*5\s*Abandoned\s*0\s*Longest wait\s*00:09")
    )
    page.locator("[data-filter-queue]").select_option("")
    says(page, "waiting", "1", "Target: none over the limit", "1 over the limit", "bad")
    says(page, "ready", "2", "Target: at least 1", "Within target", "ok")
    says(page, "service", "83 %", "Target: 82 %, each queue's own time", "Within target", "ok")
