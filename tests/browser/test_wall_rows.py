"""The rows of the wall: what they say, in which order they stand, and that none moves under a hand."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.callplay import LISTENING
from tests.browser.wallplay import MINA, Played, ago, alert, call, order, row, stream


@pytest.fixture
def ears(played: Played) -> Played:
    """The wall, with a stand-in for the sound that notes what is asked of it."""
    played.page.route(
        "**/js/listen.js", lambda route: route.fulfill(content_type="text/javascript", path=LISTENING)
    )
    return played


@pytest.mark.parametrize(
    ("phase", "word"),
    [
        ("ringing", "Ringing"),
        ("queued", "Waiting"),
        ("talking", "Talking"),
        ("hold", "On hold"),
        ("wrapup", "Wrap-up"),
        ("ended", "Ended"),
    ],
)
def test_the_badge_says_what_the_call_is_doing(played: Played, phase: str, word: str) -> None:
    ended = 1 if phase in {"wrapup", "ended"} else None
    page = played.open(calls=[call(1, phase=phase, ended=ended)])
    badge = row(page, 1).locator("[data-badge]")
    expect(badge).to_have_text(word)
    expect(badge.locator("use")).to_have_attribute("href", re.compile("#[a-z]+$"))


def test_a_row_says_who_in_which_queue_with_whom(played: Played) -> None:
    page = played.open(calls=[call(1, "Carla Visser")])
    one = row(page, 1)
    expect(one.locator("[data-caller]")).to_have_text("Carla Visser")
    expect(one.locator("[data-phone]")).to_have_text("+31612340001")
    expect(one.locator("[data-queue]")).to_have_text("Queue: Support")
    expect(one.locator("[data-agent]")).to_have_text("Jonas Smit")
    expect(one.locator("[data-line]")).to_have_text("Support line")
    expect(one.locator("[data-time]")).to_have_text(re.compile(r"01:0\d"))
    expect(one.locator("[data-open]")).to_have_attribute("href", "/calls/1/")


def test_who_listens_and_who_coaches_stands_with_the_agent(played: Played) -> None:
    page = played.open(calls=[call(1)])
    watch = row(page, 1).locator("[data-watch]")
    expect(watch).to_be_hidden()
    heard = {"listening": 1, "call": 1, "by": "Ada", "user": 3, "began_at": ago(), "ended_at": None}
    played.tell("listening", heard, "listening.began")
    expect(watch).to_have_text("Ada listens")
    help_ = {"supervision": 1, "call": 1, "by": "Mina", "user": 1, "mode": "coach", "state": "ringing"}
    played.tell("supervision", help_)
    expect(watch).to_have_text("Mina is being connected, Ada listens")
    played.tell("supervision", {**help_, "state": "in"})
    expect(watch).to_have_text("You coach, Ada listens")
    played.tell("supervision", {**help_, "state": "in", "mode": "join"})
    expect(watch).to_have_text("You are in the call, Ada listens")
    played.tell("supervision", {**help_, "state": "ended"})
    played.tell("listening", {**heard, "ended_at": ago()}, "listening.ended")
    expect(watch).to_be_hidden()


def test_calls_that_need_attention_stand_first_the_newest_cry_on_top(played: Played) -> None:
    page = played.open(calls=[call(n) for n in (1, 2, 3, 4)])
    assert order(page) == [1, 2, 3, 4]
    played.tell("alert", alert(1, 3, seconds=0))
    expect(page.locator("[data-pinned] [data-call]")).to_have_count(1)
    assert order(page) == [3, 1, 2, 4]
    played.tell("call", call(4, help="angry caller"))
    expect(page.locator("[data-pinned] [data-call]")).to_have_count(2)
    assert order(page) == [4, 3, 1, 2]
    expect(row(page, 4).locator("[data-help]")).to_have_text("Needs help: angry caller")
    played.tell("alert", alert(1, 3, acknowledged_at=ago(), acknowledged_by="Ada"))
    expect(page.locator("[data-pinned] [data-call]")).to_have_count(1)
    assert order(page) == [4, 1, 2, 3]


def test_help_and_its_alert_are_one_mark(played: Played) -> None:
    ask = alert(1, 1, "Agent asks for help", kind="help", severity="critical")
    page = played.open(calls=[call(1, help="angry caller")], alerts=[ask])
    expect(row(page, 1).locator("[data-help]")).to_be_visible()
    expect(row(page, 1).locator("[data-alerts]")).to_be_hidden()
    played.tell("alert", alert(2, 1, "Long silence", seconds=0))
    expect(row(page, 1).locator("[data-alerts]")).to_have_text("Long silence")
    played.tell("alert", alert(3, 1, "Shouting", seconds=0, severity="critical"))
    expect(row(page, 1).locator("[data-alerts]")).to_have_text("Shouting and 1 more")


def pointer(page: Page) -> None:
    """The pointer is in the table."""
    row(page, 1).hover()


def focus(page: Page) -> None:
    """The focus is in the table."""
    row(page, 1).locator("[data-open]").focus()


@pytest.mark.parametrize("enter", [pointer, focus])
def test_nothing_moves_while_somebody_is_in_the_table(played: Played, enter: Callable[[Page], None]) -> None:
    page = played.open(calls=[call(n) for n in (1, 2, 3)])
    enter(page)
    before = row(page, 1).bounding_box()
    played.tell("alert", alert(1, 3, seconds=0))
    expect(row(page, 3).locator("[data-alerts]")).to_be_visible()  # said at once, in its place
    played.tell("call", call(2, ended=60))
    played.tell("call", call(5, help="angry"))
    expect(row(page, 5)).to_be_visible()  # a new row comes all the same, below
    changes = page.locator("[data-changes]")
    expect(changes).to_have_text("3 changes waiting: apply")
    assert order(page) == [1, 2, 3, 5]
    assert row(page, 1).bounding_box() == before
    changes.click()
    expect(changes).to_be_hidden()
    expect(row(page, 2)).to_have_count(0)
    assert order(page) == [5, 3, 1]


def test_the_rows_settle_by_themselves_when_the_hand_leaves(played: Played) -> None:
    page = played.open(calls=[call(n) for n in (1, 2)])
    pointer(page)
    played.tell("alert", alert(1, 2, seconds=0))
    expect(page.locator("[data-changes]")).to_have_text("1 change waiting: apply")
    page.mouse.move(5, 5)
    expect(page.locator("[data-changes]")).to_be_hidden()
    assert order(page) == [2, 1]


def test_changes_are_applied_by_keyboard_and_the_focus_stays_near(played: Played) -> None:
    page = played.open(calls=[call(n) for n in (1, 2)])
    page.keyboard.press("j")
    played.tell("call", call(1, ended=60))
    changes = page.locator("[data-changes]")
    expect(changes).to_have_text("1 change waiting: apply")
    page.evaluate("document.querySelector('[data-changes]').click()")
    expect(row(page, 1)).to_have_count(0)
    expect(page.locator("#calls-title")).to_be_focused()
    page.keyboard.press("j")
    expect(row(page, 2).locator("[data-open]")).to_be_focused()


def test_listening_is_asked_for_by_button_and_by_key(ears: Played) -> None:
    page = ears.open(calls=[call(1, "Carla Visser"), call(2)], streams=[stream(1), stream(2)])
    button = row(page, 1).locator("[data-listen]")
    expect(button).to_have_text("Listen to the call of Carla Visser")
    expect(button).to_have_attribute("aria-pressed", "false")
    button.click()
    expect(button).to_have_text("Stop listening to the call of Carla Visser")
    expect(button).to_have_attribute("aria-pressed", "true")
    asked = page.evaluate("() => window.listening.asked")
    assert asked == [{"call": 1, "caller": "Carla Visser", "agent": "Jonas Smit"}]
    button.click()
    expect(button).to_have_attribute("aria-pressed", "false")
    page.locator("h1").click()
    for _ in (1, 2):
        page.keyboard.press("j")
    page.keyboard.press("l")
    expect(row(page, 2).locator("[data-listen]")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("l")
    expect(row(page, 2).locator("[data-listen]")).to_have_attribute("aria-pressed", "false")


def test_who_may_not_listen_has_no_button_for_it(ears: Played) -> None:
    may = {**MINA, "may": {"listen": False, "intervene": False, "control_streams": False}}
    page = ears.open(calls=[call(1)], streams=[stream(1)], me=may)
    expect(row(page, 1).locator("[data-open]")).to_be_visible()
    expect(row(page, 1).locator("[data-listen]")).to_be_hidden()
    page.keyboard.press("j")
    page.keyboard.press("l")
    assert page.evaluate("() => window.listening.asked") == []


def test_a_call_without_a_stream_cannot_be_listened_to_and_says_why(ears: Played) -> None:
    page = ears.open(calls=[call(1)])
    button = row(page, 1).locator("[data-listen]")
    expect(button).to_be_disabled()
    expect(button).to_have_attribute("title", "There is no sound to hear: no stream is open.")
    ears.tell("stream", stream(1), "stream.opened")
    expect(button).to_be_enabled()


def test_an_ended_call_ends_the_wait_for_it_and_its_marks(played: Played) -> None:
    page = played.open(calls=[call(1, help="angry"), call(2)], alerts=[alert(1, 1)])
    played.tell("call", call(1, help="angry", ended=0))
    expect(row(page, 1).locator("[data-time]")).to_have_text(re.compile(r"Ended 00:0\d ago"))
    expect(row(page, 1).locator("[data-help]")).to_be_hidden()
    page.locator("[data-alerts-over] summary").click()  # its alert is still open, with those of ended calls
    expect(page.locator('[data-alerts-over] [data-key="1"]')).to_be_visible()
    expect(row(page, 1)).to_have_count(0)
    expect(page.locator('[data-alerts-over] [data-key="1"] [data-link]')).to_have_text("+31612340001")


def test_long_and_right_to_left_names_stay_in_their_place(played: Played) -> None:
    long = "Ștefan-Alexandru Constantinescu-Brâncoveanu van der Meulen en zonen"
    page = played.open(
        calls=[call(1, long, agent=long, queue=long), call(2, "عبد الرحمن الراشد"), call(3, "\u202egnirts")]
    )
    for width in (1440, 1280, 700, 390):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("() => document.documentElement.scrollWidth") <= width
        for key in (1, 2, 3):
            cut = (
                row(page, key).locator("[data-phone]").evaluate("one => [one.scrollHeight, one.clientHeight]")
            )
            assert cut[0] <= cut[1] + 1
    expect(row(page, 1).locator("[data-caller]")).to_have_attribute("title", long)
