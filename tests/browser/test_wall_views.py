"""What of the wall is shown and how: filters in the address, tiles, the screen for everybody, empty ones."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.theatre import Stage
from tests.browser.wallplay import Played, agent, alert, call, card, order, queue, row, stream, waiting

TEAMS = [{"team": 1, "name": "North"}, {"team": 2, "name": "South"}]
QUEUES = [queue(1, "Support", team=1), queue(2, "Sales", team=2), queue(3, "Returns", team=1)]
CALLS = [
    call(1, team=1),
    call(2, queue="Sales", queue_id=2, team=2),
    call(3, queue="Returns", queue_id=3, team=1, help="angry"),
]
EMPTY = "[data-empty-title]"


def top(page: Page, key: int) -> float:
    """How far down the row of a call stands."""
    return float(row(page, key).evaluate("one => one.getBoundingClientRect().top"))


def filtered(played: Played, search: str = "") -> Page:
    """Two teams, three queues, three calls."""
    crew = [agent(1, "Jonas", teams=[1]), agent(2, "Amira", teams=[2], queues=[2])]
    waits = [waiting(1, 2, 5, queue=2, queue_name="Sales")]
    return played.open(search, teams=TEAMS, queues=QUEUES, calls=CALLS, agents=crew, waiting=waits)


def search(page: Page) -> str:
    """The filter, as the address has it."""
    return page.url.partition("/live/")[2]


def test_a_filter_stands_in_the_address_and_back_undoes_it(played: Played) -> None:
    page = filtered(played)
    assert order(page) == [3, 1, 2]
    page.locator("[data-filter-team]").select_option(label="South")
    expect(page.locator("[data-call]")).to_have_count(1)
    assert (order(page), search(page)) == ([2], "?team=2")
    expect(page.locator("[data-filter-queue] option")).to_have_text(["All queues", "Sales"])
    expect(page.locator("[data-agent-groups] [data-name]")).to_have_text(["Amira"])
    expect(card(page, "waiting").locator(".card-value")).to_have_text("1")
    page.locator("[data-filter-team]").select_option(label="North")
    expect(card(page, "waiting").locator(".card-value")).to_have_text("0")
    expect(page.locator("[data-wait-queues] [data-caller]")).to_have_count(0)
    page.locator("[data-filter-queue]").select_option(label="Support")
    assert search(page) == "?team=1&queue=1"
    expect(page.locator("[data-call]")).to_have_count(1)
    page.go_back()
    expect(page.locator("[data-filter-queue]")).to_have_value("")
    expect(page.locator("[data-call]")).to_have_count(2)
    page.go_back()
    expect(page.locator("[data-filter-team]")).to_have_value("2")
    assert order(page) == [2]


def test_an_address_with_a_filter_can_be_shared(played: Played) -> None:
    page = filtered(played, "?team=1&attention=1")
    assert order(page) == [3]
    expect(page.locator("[data-filter-team]")).to_have_value("1")
    expect(page.locator("[data-filter-attention]")).to_be_checked()


@pytest.mark.parametrize("address", ["?queue=77", "?team=abc", "?team=2&queue=1", "?queue="])
def test_what_cannot_be_filtered_by_is_no_filter(played: Played, address: str) -> None:
    page = filtered(played, address)
    assert len(order(page)) == (1 if "team=2" in address else 3)


def test_a_team_that_has_not_the_queue_lets_it_go(played: Played) -> None:
    page = filtered(played, "?queue=1")
    page.locator("[data-filter-team]").select_option(label="South")
    expect(page.locator("[data-filter-queue]")).to_have_value("")
    assert search(page) == "?team=2"


def test_a_filter_that_fits_nothing_says_so_and_can_be_lifted(played: Played) -> None:
    page = played.open("?attention=1", calls=[call(1)])
    expect(page.locator(EMPTY)).to_have_text("No call matches the filter.")
    page.locator("[data-filter-clear]").click()
    expect(row(page, 1)).to_be_visible()
    assert search(page) == ""
    expect(page.locator("[data-filter-attention]")).not_to_be_checked()


def test_a_call_that_comes_to_need_attention_comes_into_the_filter(played: Played) -> None:
    page = played.open("?attention=1", calls=[call(1)])
    expect(page.locator(EMPTY)).to_be_visible()
    played.tell("alert", alert(1, 1, seconds=0))
    expect(row(page, 1)).to_be_visible()


def test_the_calls_can_be_tiles(played: Played) -> None:
    page = played.open(calls=[call(1), call(2)])
    tops = [top(page, key) for key in (1, 2)]
    assert tops[0] < tops[1]
    page.locator('[data-view="cards"]').click()
    expect(page.locator('[data-view="cards"]')).to_have_attribute("aria-pressed", "true")
    assert search(page) == "?view=cards"
    tops = [top(page, key) for key in (1, 2)]
    assert tops[0] == tops[1]
    page.reload()
    expect(page.locator("[data-calls]")).to_have_attribute("data-look", "cards")
    page.locator('[data-view="table"]').click()
    assert search(page) == ""


def test_the_screen_on_the_wall_shows_nobody_s_words_number_or_family_name(played: Played) -> None:
    named = call(1, "Carla Visser", help="Carla Visser of +31612345678 shouts")
    line = {"utterance": f"MZ{1:032}/inbound/1", "call": 1, "stream": f"MZ{1:032}", "track": "inbound"}
    said = {**line, "speaker": "caller", "start_ms": 1, "end_ms": 2, "text": "my address is 4 Mill Lane"}
    page = played.open(
        "?wall=1",
        calls=[named, call(2), call(3, "client:jonas"), call(4, "Tom Baker", phase="queued", agent="")],
        streams=[stream(1)],
        utterances=[said],
        agents=[agent(1, "Jonas Smit", "on_call"), agent(2, "Dewi Hart", "away", reason="at the dentist")],
        waiting=[waiting(1, 4, 5, agent="Jonas Smit")],
        alerts=[alert(1, 1, quote="my address is 4 Mill Lane", acknowledged_at=None)],
    )
    expect(row(page, 1).locator("[data-caller]")).to_have_text("Carla")
    expect(row(page, 2).locator("[data-caller]")).to_have_text("Caller")
    expect(row(page, 3).locator("[data-caller]")).to_have_text("Caller")
    expect(row(page, 1).locator("[data-help]")).to_have_text("Needs help")
    partial = {**line, "utterance": f"MZ{1:032}/inbound/2", "text": "and my name is Visser"}
    played.passing("partial", **partial)
    played.tell("alert", alert(2, 1, "Long silence", 0, severity="critical", quote="Visser said so"))
    expect(page.locator('[data-alert-list] > [data-key="2"]')).to_be_visible()
    expect(page.locator("[data-say-critical]")).to_have_text("Critical: Long silence, Jonas.")
    words = "main".join(page.locator("main").locator(":scope > :not(script, template)").all_text_contents())
    titles = page.locator("main [title]").evaluate_all("all => all.map((one) => one.title).join()")
    for secret in ("Visser", "Smit", "Baker", "Hart", "+31", "Mill Lane", "dentist", "jonas"):
        assert secret not in words + titles, secret


def test_the_screen_on_the_wall_has_nothing_to_press_and_is_dark(played: Played) -> None:
    page = played.open(
        "?wall=1",
        calls=[call(1)],
        streams=[stream(1)],
        alerts=[alert(1, 1)],
        agents=[agent(1, "Jonas", "on_call", call=1)],
    )
    expect(row(page, 1)).to_be_visible()
    shown = "all => all.filter((one) => one.checkVisibility()).length"
    assert page.locator("button, input, select, a[href]:not(.brand)").evaluate_all(shown) == 0
    assert page.evaluate("() => getComputedStyle(document.documentElement).colorScheme") == "dark"
    expect(card(page, "longest")).to_be_visible()
    page.keyboard.press("a")
    page.keyboard.press("l")
    assert played.posts == []


def test_the_way_to_the_screen_keeps_the_filter_and_esc_leads_back(played: Played) -> None:
    page = filtered(played, "?team=1")
    page.locator("[data-wall-link]").click()
    expect(page.locator("body")).to_have_class(re.compile("is-wall"))
    expect(page.locator("[data-call]")).to_have_count(2)
    assert (order(page), search(page)) == ([3, 1], "?team=1&wall=1")
    page.keyboard.press("Escape")
    expect(page.locator("[data-filters]")).to_be_visible()
    assert search(page) == "?team=1"


def test_no_calls_right_now_says_when_the_last_one_ended(played: Played) -> None:
    page = played.open(site={"numbers": 1, "last_ended_at": "2026-11-20T13:51:20.000Z"})
    expect(page.locator(EMPTY)).to_have_text(
        re.compile(r"^No calls right now\. Last call ended at \d\d:51\.$")
    )
    expect(page.locator("[data-first-run]")).to_be_hidden()


def test_the_first_run_leads_to_a_number_and_to_a_simulated_call(played: Played) -> None:
    page = played.open(site={"numbers": 0, "last_ended_at": None})
    expect(page.locator(EMPTY)).to_have_text("No numbers are connected yet.")
    page.get_by_role("button", name="Play a simulated call").click()
    dialog = page.locator("#simulated")
    expect(dialog).to_contain_text("make demo")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()


def test_an_admin_can_connect_a_number_from_there(stage: Stage, played: Played) -> None:
    key = stage.play("session", username="ada")
    played.page.context.add_cookies([{"name": "sessionid", "value": key, "url": stage.url}])
    page = played.open(site={"numbers": 0, "last_ended_at": None})
    link = page.get_by_role("link", name="Connect a number")
    expect(link).to_have_attribute("href", "/admin/calls/phonenumber/add/")


def test_until_the_page_runs_it_says_that_it_loads(played: Played) -> None:
    page = played.page
    page.route("**/pages/wall.js", lambda route: route.fulfill(content_type="text/javascript", body=""))
    page.goto(f"{played.url}/live/")
    expect(page.locator("[data-loading]")).to_have_text("Loading the calls…")
    expect(page.locator("[data-calls]")).to_be_hidden()


@pytest.mark.parametrize("where", ["signed-out", "no-access"])
def test_without_a_right_the_last_known_state_stays_dimmed(played: Played, where: str) -> None:
    page = played.open(calls=[call(1)])
    assert played.line
    played.line.close(code=4401 if where == "signed-out" else 4403)
    banner = page.locator("[data-banner]")
    expect(banner).to_contain_text(
        {"signed-out": "You were signed out.", "no-access": "may no longer watch"}[where]
    )
    expect(row(page, 1)).to_be_visible()
    expect(page.locator("body")).to_have_class(re.compile("is-stale"))


def test_single_keys_can_be_switched_off_and_do_not_act_while_one_types(played: Played) -> None:
    page = played.open(calls=[call(1)], alerts=[alert(1, 1)])
    page.locator("[data-filter-queue]").focus()
    page.keyboard.press("a")
    page.keyboard.press("p")
    expect(page.locator("[data-pause]")).to_have_attribute("aria-pressed", "false")
    assert played.posts == []
    page.locator("h1").click()
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_contain_text("Acknowledge the newest alert")
    page.locator("[data-keys-on]").uncheck()
    page.keyboard.press("Escape")
    page.keyboard.press("a")
    assert played.posts == []


def test_all_can_be_reached_by_keyboard(played: Played) -> None:
    page = played.open(calls=[call(1)], streams=[stream(1)], alerts=[alert(1, 1)], waiting=[waiting(1, 1, 5)])
    page.locator("h1").click()
    seen = set()
    for _ in range(40):
        page.keyboard.press("Tab")
        seen |= set(page.evaluate("() => Object.keys(document.activeElement.dataset)"))
    wanted = {
        "filterQueue",
        "filterAttention",
        "view",
        "wallLink",
        "pause",
        "listen",
        "open",
        "alertSound",
        "link",
        "ack",
        "caller",
    }
    assert wanted <= seen


def test_targets_are_large_enough(played: Played) -> None:
    page = played.open(calls=[call(1)], streams=[stream(1)], alerts=[alert(1, 1)])
    small = """() => [...document.querySelectorAll("main :is(button, a.button, select, label.check)")]
      .filter((one) => one.checkVisibility()).map((one) => one.getBoundingClientRect())
      .filter((box) => box.height < 35.9 || box.width < 35.9).length"""
    for width in (1440, 390):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate(small) == 0


def test_state_can_be_read_without_colours_and_without_motion(played: Played) -> None:
    played.page.emulate_media(forced_colors="active", reduced_motion="reduce")
    page = played.open(calls=[call(1, help="angry")], waiting=[waiting(1, 1, 100)], alerts=[alert(1, 1)])
    expect(card(page, "longest").locator("[data-word]")).to_have_text("Over the limit")
    expect(card(page, "longest").locator("svg")).to_be_visible()
    expect(row(page, 1).locator("[data-help] svg")).to_be_visible()
    borders = page.locator(".card, .badge:visible").evaluate_all(
        "all => all.map((one) => getComputedStyle(one).borderTopWidth)"
    )
    assert set(borders) == {"1px"}
    played.tell("call", call(2))
    assert row(page, 2).evaluate("one => getComputedStyle(one).animationName") == "none"
