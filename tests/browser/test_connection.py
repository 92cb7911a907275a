"""A line that breaks: what the page says, what it keeps, and that it misses nothing."""

import re
from collections.abc import Callable

from playwright.sync_api import Page, WebSocketRoute, expect

from tests.browser.theatre import Stage

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
    mina.locator("[data-banner-login]").click()
    expect(mina).to_have_url(f"{stage.url}/accounts/login/?next=/live/")


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
    expect(row.locator("[data-badge]")).to_have_text("In progress")


def test_a_call_that_was_deleted_says_so(arrive: Callable[..., Page], page: Page, stage: Stage) -> None:
    line = Line(page)
    call = stage.play("ring")
    arrive("mina", f"/calls/{call}/")
    expect(page.locator(STATE)).to_have_text("Live")
    stage.play("clear")
    line.routes[-1].close(code=4013)
    expect(page.locator(BANNER)).to_contain_text("This call is no longer there.")
