"""A line that breaks: what the page says, what it keeps, and that it misses nothing."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import pytest
from playwright.sync_api import Page, WebSocketRoute, expect

from tests.browser.deskplay import DeskPlay
from tests.browser.theatre import Stage
from tests.people import PASSWORD

STATE = "cc-connection"
BANNER = "[data-banner]"


class Line:
    """The page's socket, with a hand on it."""

    def __init__(self, page: Page) -> None:
        self.routes: list[WebSocketRoute] = []
        self.broken = False
        self.hellos: list[str] = []
        self.events: list[str] = []
        page.route_web_socket(re.compile("/ws/"), self._opened)

    def _opened(self, route: WebSocketRoute) -> None:
        if self.broken:
            route.close(code=4013)
            return
        self.routes.append(route)
        server = route.connect_to_server()
        route.on_message(lambda message: self._kept(self.hellos, message, server))
        server.on_message(lambda message: self._kept(self.events, message, route))

    def _kept(self, where: list[str], message: str | bytes, other: WebSocketRoute) -> None:
        where.append(str(message))
        other.send(message)

    def cut(self) -> None:
        """The line breaks and stays broken."""
        self.broken = True
        self.routes[-1].close(code=4013)

    def mend(self) -> None:
        """New lines get through again."""
        self.broken = False


def test_the_top_bar_says_live(mina: Page) -> None:
    expect(mina.locator(STATE)).to_have_text("Live")
    expect(mina.locator(STATE)).to_have_attribute("role", "status")
    expect(mina.locator(BANNER)).to_be_hidden()


def test_after_a_break_the_page_has_exactly_what_it_missed(
    arrive: Callable[..., Page], page: Page, stage: Stage
) -> None:
    line = Line(page)
    arrive("mina")
    call, sid = stage.live_call()
    row = page.locator(f'[data-call="{call}"]')
    expect(row.locator("[data-health]")).to_have_text("Good, 2 tracks")
    line.cut()
    expect(page.locator(STATE)).to_have_text("Reconnecting")
    expect(page.locator(BANNER)).to_contain_text(
        re.compile(r"Connection lost at \d\d:\d\d:\d\d\. Showing the last known state; trying")
    )
    expect(row).to_be_visible()
    stage.play("say", sid=sid, text="said while nobody listened", number=1)
    second = stage.play("ring", caller="+31600000002")
    before = len(line.events)
    line.mend()
    page.locator("[data-banner-retry]").click()
    expect(page.locator(STATE)).to_have_text("Live")
    expect(page.locator(BANNER)).to_be_hidden()
    expect(row.locator("[data-words]")).to_have_text("Callersaid while nobody listened")
    expect(page.locator(f'[data-call="{second}"]')).to_be_visible()
    answers = line.events[before:]
    assert [kind(message) for message in answers[:3]] == ["utterance", "call", "beat"]
    assert '"last_id":null' not in line.hellos[-1]


def kind(message: str) -> str:
    """The type of a message."""
    found = re.search(r'"type":"(\w+)"', message)
    return found[1] if found else ""


def test_what_is_only_true_now_is_not_told_while_the_line_is_down(
    arrive: Callable[..., Page], page: Page, stage: Stage
) -> None:
    line = Line(page)
    call, sid = stage.live_call()
    arrive("mina", f"/calls/{call}/")
    expect(page.locator(STATE)).to_have_text("Live")
    talk, health = page.locator("[data-talk]"), page.locator(".call-head [data-health]")
    stage.sound(
        {sid: {"inbound": -20.0, "outbound": -70.0}}, lambda: talk.text_content() == "Caller speaking"
    )
    line.cut()
    expect(page.locator(BANNER)).to_contain_text("Connection lost")
    expect(health).to_have_text("Not known now")
    expect(talk).to_have_text("Not known now")
    expect(page.locator(".call-head [data-behind]")).to_have_text("")
    for act in ("listen", "moment", "stream"):
        expect(page.locator(f'[data-act="{act}"]')).to_be_disabled()
    expect(page.locator("[data-start]")).to_be_disabled()
    expect(page.locator("[data-why]")).to_contain_text("nothing can be done until it is back")
    line.mend()
    page.locator("[data-banner-retry]").click()
    expect(health).to_have_text("Good, 2 tracks")
    expect(page.locator('[data-act="listen"]')).to_be_enabled()


def test_nothing_can_be_asked_from_a_wall_whose_line_is_down(
    arrive: Callable[..., Page], page: Page, stage: Stage
) -> None:
    line = Line(page)
    arrive("mina")
    call, _ = stage.live_call()
    row = page.locator(f'[data-call="{call}"]')
    expect(row.locator("[data-listen]")).to_be_enabled()
    line.cut()
    expect(row.locator("[data-listen]")).to_be_disabled()
    expect(row.locator("[data-health]")).to_have_text("Not known now")


def test_it_comes_back_by_itself(arrive: Callable[..., Page], page: Page, stage: Stage) -> None:
    line = Line(page)
    arrive("mina")
    expect(page.locator(STATE)).to_have_text("Live")
    line.cut()
    expect(page.locator(BANNER)).to_contain_text(re.compile(r"trying again in \d+ s"))
    line.mend()
    expect(page.locator(STATE)).to_have_text("Live")


def test_a_missing_event_is_noticed_and_asked_for(
    arrive: Callable[..., Page], page: Page, stage: Stage
) -> None:
    dropped: list[str] = []

    def opened(route: WebSocketRoute) -> None:
        server = route.connect_to_server()

        def pass_on(message: str | bytes) -> None:
            if '"ringing"' in str(message) and not dropped:
                dropped.append(str(message))
            else:
                route.send(message)

        server.on_message(pass_on)

    page.route_web_socket(re.compile("/ws/"), opened)
    arrive("mina")
    expect(page.locator(STATE)).to_have_text("Live")
    first = stage.play("ring")
    second = stage.play("ring")
    expect(page.locator(f'[data-call="{first}"]')).to_be_visible()
    expect(page.locator(f'[data-call="{second}"]')).to_be_visible()
    assert len(dropped) == 1


def test_silence_on_the_line_is_told_while_sound_should_come(mina: Page, stage: Stage) -> None:
    stage.live_call()
    expect(mina.locator(STATE)).to_have_text(re.compile(r"Stale, \d+ s old"))
    expect(mina.locator("body")).to_have_class(re.compile("is-stale"))
    expect(mina.locator(BANNER)).to_contain_text("Nothing has arrived for")
    stage.play("ring")
    expect(mina.locator(STATE)).to_have_text("Live")
    expect(mina.locator("body")).not_to_have_class(re.compile("is-stale"))


def test_who_is_signed_out_reads_so_and_keeps_the_page(mina: Page, stage: Stage) -> None:
    call = stage.play("ring")
    expect(mina.locator(f'[data-call="{call}"]')).to_be_visible()
    stage.play("sign_out_everywhere", username="mina")
    expect(mina.locator(STATE)).to_have_text("Signed out")
    expect(mina.locator(BANNER)).to_contain_text("You were signed out.")
    expect(mina.locator(f'[data-call="{call}"]')).to_be_visible()


def test_who_loses_the_role_reads_so(mina: Page, stage: Stage) -> None:
    expect(mina.locator(STATE)).to_have_text("Live")
    stage.play("lose_role", username="mina")
    expect(mina.locator(STATE)).to_have_text("No access")
    expect(mina.locator(BANNER)).to_contain_text("may no longer watch")
    expect(mina.locator("[data-banner-retry]")).to_be_hidden()


def test_a_restart_is_quiet_and_nothing_is_missed(
    arrive: Callable[..., Page], page: Page, theatre: Stage, stage: Stage
) -> None:
    arrive("mina")
    call = stage.play("ring")
    row = page.locator(f'[data-call="{call}"]')
    expect(row.locator("[data-badge]")).to_have_text("Ringing")
    theatre.stop()
    expect(page.locator(STATE)).to_have_text(re.compile("Restarting|Reconnecting"))
    expect(row).to_be_visible()
    theatre.start()
    stage.play("answer", call=call)
    expect(page.locator(STATE)).to_have_text("Live")
    expect(row.locator("[data-badge]")).to_have_text("Talking")


def test_a_call_that_was_deleted_says_so(arrive: Callable[..., Page], page: Page, stage: Stage) -> None:
    line = Line(page)
    call = stage.play("ring")
    arrive("mina", f"/calls/{call}/")
    expect(page.locator(STATE)).to_have_text("Live")
    stage.play("clear")
    line.routes[-1].close(code=4013)
    expect(page.locator(BANNER)).to_contain_text("This call is no longer there.")


# Each way in which the site ends a line, with a clock that only the test moves on and without chance.

NOON = "2026-11-20T12:00:00Z"
KEPT = "Showing the last known state; trying"
FINAL = {
    4400: ("Out of date", "The server no longer understands this page. Reload it."),
    4401: ("Signed out", "You were signed out. What you see is the last known state."),
    4403: ("No access", "Your account may no longer watch live calls. Ask an administrator"),
    4404: ("Gone", "This call is no longer there."),
    4409: ("Out of date", "The server no longer understands this page. Reload it."),
    4413: ("Out of date", "The server no longer understands this page. Reload it."),
}


@dataclass
class Played:
    """The server of a page's line, played: it greets, or closes each new line with `refuses`."""

    page: Page
    refuses: int | None = None
    line: WebSocketRoute | None = None

    def opened(self, route: WebSocketRoute) -> None:
        route.on_message(lambda text: self.heard(route, text))

    def heard(self, route: WebSocketRoute, text: str | bytes) -> None:
        if json.loads(text)["type"] != "hello":
            return
        if self.refuses is not None:
            route.close(code=self.refuses)
            return
        self.line = route
        route.send('{"type":"beat"}')

    def close(self, code: int, *, for_good: bool = True) -> None:
        """The line ends so; and each further one too, unless it is only this one."""
        assert self.line is not None
        self.refuses = code if for_good else None
        self.line.close(code=code)
        self.line = None

    def tries(self) -> list[int]:
        """When lines were opened, ms since the page's first one."""
        times: list[int] = self.page.evaluate("() => tries.map((at) => at - tries[0])")
        return times

    def wait(self, ms: int) -> None:
        """Time goes on, also for what is answered meanwhile."""
        for _ in range(0, ms, 250):
            self.page.clock.run_for(min(ms, 250))
            self.page.evaluate("() => new Promise((go) => queueMicrotask(go))")


@pytest.fixture
def played(arrive: Callable[..., Page], page: Page, stage: Stage) -> Played:
    """Mina at the wall with one call, the line live, the time standing still."""
    stage.play("ring")
    one = Played(page)
    page.clock.install(time="2026-11-20T11:55:00Z")  # it runs until it is stopped
    page.clock.pause_at(NOON)
    page.route_web_socket(re.compile("/ws/"), one.opened)
    page.add_init_script(
        "Math.random = () => 1; window.tries = [];"
        "window.WebSocket = class extends WebSocket {"
        " constructor(...facts) { super(...facts); tries.push(Date.now()); } };"
    )
    arrive("mina", "/live/?shown=all#calls")
    page.clock.run_for(100)
    expect(page.locator(STATE)).to_have_text("Live")
    return one


@pytest.mark.parametrize("code", FINAL)
def test_a_line_that_ends_for_good_says_why_and_is_not_tried_again(played: Played, code: int) -> None:
    word, sentence = FINAL[code]
    page = played.page
    played.close(code)
    expect(page.locator(STATE)).to_have_text(word)
    expect(page.locator(BANNER)).to_contain_text(sentence)
    expect(page.locator("[data-banner-retry]")).to_be_hidden()
    expect(page.locator("[data-banner-login]")).to_be_visible(visible=code == 4401)
    expect(page.locator("[data-rows] tr")).to_have_count(1)
    expect(page.locator("body")).to_have_class(re.compile("is-stale"))
    page.clock.run_for(60_000)
    page.evaluate("() => dispatchEvent(new Event('online'))")
    assert len(played.tries()) == 1


def test_a_lost_line_is_told_after_two_seconds_with_the_time_and_the_next_try(played: Played) -> None:
    page = played.page
    played.close(4013)
    played.wait(1750)
    expect(page.locator(BANNER)).to_be_hidden()
    expect(page.locator(STATE)).to_have_text("Live")  # quiet so long
    played.wait(500)
    expect(page.locator(STATE)).to_have_text("Reconnecting")
    at = page.evaluate("(noon) => new Date(noon).toTimeString().slice(0, 8)", NOON)
    expect(page.locator(BANNER)).to_contain_text(f"Connection lost at {at}. {KEPT} again in 2 s.")
    played.wait(1000)
    expect(page.locator(BANNER)).to_contain_text("trying again in 1 s.")
    expect(page.locator("[data-rows] tr")).to_have_count(1)


def test_tries_come_ever_more_seldom_and_at_least_every_15_seconds(played: Played) -> None:
    played.close(4013)
    played.wait(60_000)
    tries = played.tries()
    waits = [after - before for before, after in pairwise(tries)]
    assert [round(wait, -3) if wait > 900 else wait for wait in waits[1:7]] == [
        1000,
        2000,
        4000,
        8000,
        15000,
        15000,
    ]


@pytest.mark.parametrize("how", ["the button", "the network"])
def test_it_is_tried_at_once_by_the_button_and_when_the_network_is_back(played: Played, how: str) -> None:
    page = played.page
    played.close(4013)
    played.wait(5_000)
    before = len(played.tries())
    played.refuses = None
    if how == "the button":
        page.locator("[data-banner-retry]").click()
    else:
        page.evaluate("() => dispatchEvent(new Event('online'))")
    expect(page.locator(STATE)).to_have_text("Live")
    expect(page.locator(BANNER)).to_be_hidden()
    assert len(played.tries()) == before + 1


def test_a_restart_stays_quiet_for_ten_seconds_and_is_tried_often(played: Played) -> None:
    page = played.page
    played.close(4012)
    expect(page.locator(STATE)).to_have_text("Restarting")
    played.refuses = 4013  # nothing listens yet
    played.wait(9_000)
    expect(page.locator(STATE)).to_have_text("Restarting")
    expect(page.locator(BANNER)).to_be_hidden()
    tries = played.tries()
    assert all(500 <= after - before <= 2_250 for before, after in pairwise(tries))
    assert len(tries) >= 5
    played.wait(2_000)
    expect(page.locator(BANNER)).to_contain_text(f"The server is restarting. {KEPT}")
    played.refuses = None
    played.wait(2_250)
    expect(page.locator(STATE)).to_have_text("Live")
    expect(page.locator(BANNER)).to_be_hidden()


def test_a_line_that_was_too_slow_says_so_and_goes_on_after_a_moment(played: Played) -> None:
    page = played.page
    played.close(4408, for_good=False)
    expect(page.locator(STATE)).to_have_text("Slow line")
    expect(page.locator(BANNER)).to_contain_text(
        f"Your line is slow: the page could not keep up. {KEPT} again in 4 s."
    )
    expect(page.locator("[data-banner-retry]")).to_be_visible()
    played.wait(2_500)
    assert len(played.tries()) == 1
    played.wait(2_000)
    expect(page.locator(STATE)).to_have_text("Live")
    expect(page.locator(BANNER)).to_be_hidden()


def test_who_has_signed_in_elsewhere_finds_the_page_live_again(played: Played) -> None:
    page = played.page
    played.close(4401)
    expect(page.locator(STATE)).to_have_text("Signed out")
    played.refuses = None
    page.evaluate("() => document.dispatchEvent(new Event('visibilitychange'))")
    expect(page.locator(STATE)).to_have_text("Live")


def test_signing_in_again_leads_back_to_the_page_as_it_was(mina: Page, stage: Stage) -> None:
    mina.goto(f"{stage.url}/live/?shown=all#calls")
    expect(mina.locator(STATE)).to_have_text("Live")
    stage.play("sign_out_everywhere", username="mina")
    expect(mina.locator(STATE)).to_have_text("Signed out")
    mina.locator("[data-banner-login]").click()
    mina.fill("input[name=username]", "mina")
    mina.fill("input[name=password]", PASSWORD)
    mina.press("input[name=password]", "Enter")
    expect(mina).to_have_url(f"{stage.url}/live/?shown=all#calls")
    expect(mina.locator(STATE)).to_have_text("Live")


def test_a_desk_says_in_its_own_words_who_may_no_longer_use_it(
    arrive: Callable[..., Page], page: Page, stage: Stage
) -> None:
    play = DeskPlay(page)
    arrive("jonas", "/desk/")
    expect(page.locator(STATE)).to_have_text("Live")
    assert play.line is not None
    play.line.close(code=4403)
    expect(page.locator(STATE)).to_have_text("No access")
    expect(page.locator(BANNER).first).to_contain_text("Your account may no longer use a desk.")
