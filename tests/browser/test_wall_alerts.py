"""Alerts at the wall: newest first, told aloud with measure, acknowledged with one key."""

import re
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from tests.browser.wallplay import Played, ago, alert, call, row
from tests.chromium import watch

CRITICAL = "[data-say-critical]"
WARNING = "[data-say-warning]"
EARS = """() => {
  window.played = [];
  window.AudioContext = class {
    state = "running"; currentTime = 0; destination = {};
    createGain() {
      const gain = { setValueAtTime() {}, linearRampToValueAtTime() {} };
      return { gain, connect: (to) => to };
    }
    createOscillator() {
      const frequency = {};
      return { frequency, connect: (to) => to, start: () => window.played.push(frequency.value), stop() {} };
    }
  };
}"""


def item(page: Page, key: int) -> Locator:
    """One alert of the list."""
    return page.locator(f'[data-alert-list] > [data-key="{key}"]')


def keys(page: Page) -> list[str]:
    """The alerts as they stand."""
    found: list[str] = page.locator("[data-alert-list] > li").evaluate_all(
        "all => all.map((one) => one.dataset.key)"
    )
    return found


def taken(**fields: Any) -> dict[str, Any]:
    """The alert as the server answers."""
    return {"type": "alert", **alert(1, 1, acknowledged_at=ago(), acknowledged_by="Mina", **fields)}


def test_an_alert_says_how_bad_what_when_and_in_which_call(played: Played) -> None:
    page = played.open(calls=[call(1, "Carla Visser")], alerts=[alert(1, 1), alert(2, 7, seconds=60)])
    one = item(page, 1)
    expect(one.locator("[data-badge]")).to_have_text("Warning")
    expect(one.locator("[data-name]")).to_have_text("Wants to cancel")
    expect(one.locator("[data-quote]")).to_have_text("“I want to cancel”")
    expect(one.locator("[data-at]")).to_have_text(re.compile(r"^\d\d:\d\d:\d\d$"))
    expect(one.locator("[data-link]")).to_have_text("Carla Visser")
    expect(one.locator("[data-link]")).to_have_attribute("href", "/calls/1/")
    expect(item(page, 2).locator("[data-link]")).to_have_text("+31612340007")
    expect(row(page, 1).locator("[data-alerts]")).to_have_text("Wants to cancel")
    assert keys(page) == ["1", "2"]


def test_a_figure_is_not_put_into_anybody_s_mouth(played: Played) -> None:
    lasted = alert(1, 1, kind="length", quote="The call has lasted 4 min")
    page = played.open(calls=[call(1)], alerts=[lasted])
    expect(item(page, 1).locator("[data-quote]")).to_have_text("The call has lasted 4 min")


def test_critical_ones_stand_first_and_taken_ones_last(played: Played) -> None:
    page = played.open(
        calls=[call(1), call(2), call(3)],
        alerts=[
            alert(1, 1, seconds=5),
            alert(2, 2, seconds=90, severity="critical"),
            alert(3, 3, seconds=1, severity="critical", acknowledged_at=ago(), acknowledged_by="Ada"),
        ],
    )
    assert keys(page) == ["2", "1", "3"]
    expect(row(page, 2)).to_have_attribute("data-attention", "bad")
    expect(row(page, 1)).to_have_attribute("data-attention", "warn")


def test_alerts_of_ended_calls_are_folded_away_with_their_callers_name(played: Played) -> None:
    old = alert(1, 7, seconds=900, caller="Susan Reed", ended=True)
    page = played.open(calls=[call(2)], alerts=[old, alert(2, 2)])
    assert keys(page) == ["2"]
    over = page.locator("[data-alerts-over]")
    expect(over.locator("summary")).to_have_text("1 of an ended call")
    expect(page).to_have_title(re.compile(r"^\(1\) "))
    over.locator("summary").click()
    expect(over.locator("[data-link]")).to_have_text("Susan Reed")
    expect(over.locator("[data-ended]")).to_have_text("ended")
    page.mouse.move(5, 5)
    page.locator("h1").click()
    played.tell("call", call(2, ended=1), "call.ended")
    expect(over.locator("summary")).to_have_text("2 of ended calls")
    assert keys(page) == []


def test_a_queue_hides_the_alerts_of_others_also_of_calls_that_went(played: Played) -> None:
    page = played.open("?queue=1", calls=[call(1)], alerts=[alert(1, 1), alert(2, 9, queue_id=2)])
    assert keys(page) == ["1"]


def test_a_new_alert_comes_at_the_top_counts_and_is_told(played: Played) -> None:
    page = played.open(calls=[call(1, "Carla Visser"), call(2)], alerts=[alert(1, 2, seconds=60)])
    expect(page).to_have_title(re.compile(r"^\(1\) Live calls"))
    expect(page.locator("link[rel=icon]")).to_have_attribute("href", re.compile("^data:image/png"))
    expect(page.locator(WARNING)).to_have_text("")  # what was there before is not news
    played.tell("alert", alert(2, 1, seconds=0), "alert.raised")
    expect(page.locator("[data-alert-list] > li")).to_have_count(2)
    assert keys(page) == ["2", "1"]
    expect(page).to_have_title(re.compile(r"^\(2\) "))
    expect(page.locator("[data-alerts-open]")).to_have_text("2 open")
    expect(page.locator(WARNING)).to_have_attribute("role", "status")
    expect(page.locator(WARNING)).to_have_text("Warning: Wants to cancel, Carla Visser. I want to cancel")
    for key, of in ((2, 1), (1, 2)):
        played.tell("alert", alert(key, of, acknowledged_at=ago(), acknowledged_by="Ada"))
    expect(page).to_have_title(re.compile("^Live calls"))
    expect(page.locator("link[rel=icon]")).to_have_attribute("href", re.compile(r"favicon.*\.svg"))


def test_critical_ones_are_called_out_at_most_once_in_five_seconds(played: Played) -> None:
    page = played.open(calls=[call(1, "Carla Visser")])
    page.evaluate(
        """() => {
      window.said = [];
      const note = () => window.said.push(document.querySelector("[data-say-critical]").innerText);
      new MutationObserver(note).observe(document.querySelector("[data-say-critical]"), { childList: true });
      window.before = performance.now();
    }"""
    )
    for key in (1, 2, 3):
        played.tell(
            "alert", alert(key, 1, f"Trouble {key}", 0, severity="critical", quote=""), "alert.raised"
        )
        expect(item(page, key)).to_be_visible()
    expect(page.locator(CRITICAL)).to_have_attribute("role", "alert")
    expect(page.locator(f"{CRITICAL} p")).to_have_text(
        ["Critical: Trouble 2, Carla Visser.", "Critical: Trouble 3, Carla Visser."]
    )
    said = page.evaluate("() => window.said")
    assert said[0] == "Critical: Trouble 1, Carla Visser."
    assert len(said) == 2
    assert page.evaluate("() => performance.now() - window.before") >= 4900


def test_acknowledging_shows_at_once_and_is_confirmed_by_the_server(played: Played) -> None:
    page = played.open(calls=[call(1)], alerts=[alert(1, 1)])
    waiting: list[Route] = []
    played.answer = waiting.append
    button = item(page, 1).locator("[data-ack]")
    button.click()
    expect(button).to_have_text("Acknowledging…: Wants to cancel")
    expect(button).to_have_attribute("aria-disabled", "true")
    button.dispatch_event("click")
    page.keyboard.press("a")
    assert len(played.posts) == 1
    post = played.posts[0]
    assert (post["path"], post["kind"], post["alert"]) == ("/calls/1/do/", "alert.acknowledge", 1)
    assert re.fullmatch("[0-9a-f-]{36}", post["id"])
    waiting[0].fulfill(json=taken())
    expect(item(page, 1).locator("[data-by]")).to_have_text(
        re.compile(r"Acknowledged by Mina at \d\d:\d\d:\d\d")
    )
    expect(button).to_be_hidden()
    expect(row(page, 1).locator("[data-alerts]")).to_be_hidden()


@pytest.mark.parametrize(
    ("fault", "text"),
    [
        ("refused", "Your role does not include this."),
        ("outdated", "This page is out of date. Reload it and try again."),
        ("offline", "There is no connection to the server. Nothing was done."),
    ],
)
def test_a_failed_acknowledgement_says_so_in_words_and_can_be_repeated(
    played: Played, fault: str, text: str
) -> None:
    page = played.open(calls=[call(1)], alerts=[alert(1, 1)])

    def fail(route: Route) -> None:
        if fault == "offline":
            route.abort("internetdisconnected")
        elif fault == "outdated":
            route.fulfill(content_type="text/html", body="<p>sign in</p>")
        else:
            route.fulfill(status=409, json={"error": {"code": "permission", "text": text}})

    played.answer = fail
    one = item(page, 1)
    one.locator("[data-ack]").click()
    expect(one.locator("[data-failed]")).to_have_text(text)
    expect(one.locator("[data-ack]")).to_have_text(re.compile("^Try again"))
    played.answer = lambda route: route.fulfill(json=taken())
    one.locator("[data-ack]").click()
    expect(one.locator("[data-failed]")).to_be_hidden()
    expect(one.locator("[data-by]")).to_contain_text("Acknowledged by Mina")


def test_the_key_a_takes_the_newest_open_one(played: Played) -> None:
    page = played.open(calls=[call(1), call(2)], alerts=[alert(1, 1, seconds=9), alert(2, 2, seconds=3)])
    played.answer = lambda route: route.fulfill(json={**taken(), "alert": played.posts[-1]["alert"]})
    page.keyboard.press("a")
    expect(item(page, 2).locator("[data-by]")).to_contain_text("Acknowledged by Mina")
    page.keyboard.press("a")
    expect(item(page, 1).locator("[data-by]")).to_contain_text("Acknowledged by Mina")
    page.keyboard.press("a")
    assert [post["alert"] for post in played.posts] == [2, 1]


def test_new_ones_wait_while_the_pointer_is_in_the_list(played: Played) -> None:
    page = played.open(calls=[call(1), call(2)], alerts=[alert(1, 1, seconds=60)])
    item(page, 1).locator("[data-ack]").hover()
    played.tell("alert", alert(2, 2, seconds=0), "alert.raised")
    show = page.locator("[data-alerts-new]")
    expect(show).to_have_text("1 new: show")
    assert keys(page) == ["1"]
    show.click()
    expect(item(page, 2)).to_be_visible()
    expect(show).to_be_hidden()
    assert keys(page) == ["2", "1"]


def test_the_sound_is_off_until_switched_on_and_kept_for_this_user(played: Played) -> None:
    played.page.add_init_script(f"({EARS})()")
    page = played.open(calls=[call(1)])
    switch = page.locator("[data-alert-sound]")
    expect(switch).to_have_text("Sound off")
    played.tell("alert", alert(1, 1, seconds=0), "alert.raised")
    expect(item(page, 1)).to_be_visible()
    assert page.evaluate("() => window.played") == []
    switch.click()
    expect(switch).to_have_attribute("aria-pressed", "true")
    assert page.evaluate("() => window.played") == [660]
    page.mouse.move(5, 5)  # new ones wait while the pointer is among the alerts
    played.tell("alert", alert(2, 1, severity="critical", seconds=0), "alert.raised")
    expect(item(page, 2)).to_be_visible()
    assert page.evaluate("() => window.played") == [660, 880, 660, 880]
    page.reload()
    expect(switch).to_have_text("Sound on")
    played.body["me"] = {**played.body["me"], "user": 2}
    page.reload()
    expect(switch).to_have_text("Sound off")


def test_a_pause_holds_back_no_alert(played: Played) -> None:
    page = played.open(calls=[call(1)])
    page.keyboard.press("p")
    expect(page.locator("[data-paused-note]")).to_contain_text("alerts still come")
    played.tell("alert", alert(1, 1, seconds=0), "alert.raised")
    expect(item(page, 1)).to_be_visible()
    expect(page).to_have_title(re.compile(r"^\(1\) "))


def test_taken_ones_go_ten_minutes_after_they_were_raised(played: Played) -> None:
    old = alert(1, 1, seconds=599, acknowledged_at=ago(500), acknowledged_by="Ada")
    page = played.open(calls=[call(1)], alerts=[old, alert(2, 1, seconds=5000)])
    expect(item(page, 1).locator("[data-by]")).to_contain_text("Acknowledged by Ada")
    expect(item(page, 1)).to_have_count(0)
    expect(item(page, 2)).to_be_visible()


def test_alerts_follow_the_filter_and_their_call_out_of_sight(played: Played) -> None:
    page = played.open(
        "?queue=1", calls=[call(1), call(2, queue_id=2, queue="Sales")], alerts=[alert(1, 1), alert(2, 2)]
    )
    assert keys(page) == ["1"]
    expect(page).to_have_title(re.compile(r"^\(1\) "))
    played.tell("call", {"call": 1, "gone": True}, "call.moved")
    expect(item(page, 1)).to_have_count(0)


def test_a_call_whose_time_is_over_at_this_very_moment_breaks_nothing(played: Played) -> None:
    """Time passes from one look at the clock to the next: what is shown is not forgotten on the way."""
    ended = [call(n, ended=n / 20) for n in range(2, 200)]  # each 50 ms another one's time is over
    page = played.open(calls=[call(1), *ended])
    faults = watch(page)
    page.evaluate("() => { const now = Date.now; let looks = 0; Date.now = () => now() + 60 * looks++; }")
    expect(page.locator("[data-call]")).to_have_count(1)
    expect(row(page, 1)).to_be_visible()
    assert faults == []
