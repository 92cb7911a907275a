"""Mina supervises a real centre: a quiet day, a bad call that she joins, a line that is cut in the middle."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, WebSocketRoute, expect

from tests.chromium import watch
from tests.journeys.agreement import agrees, seats, truth
from tests.journeys.centre import Desk, centre, talker
from tests.people import MINA, PASSWORD
from tests.processes import until
from tests.product import Site
from tests.world import SUPPORT

Sit = Callable[[str], Desk]
CARD = '[data-card="{}"] .card-value'
RAIL = "[data-alert-list] .alert"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One site for all journeys of this module, with a rule that listens for two words of the recording."""
    with centre(tmp_path_factory.mktemp("centre")) as one:
        one.run(
            "from calls.models import *; "
            "AlertRule.objects.create(name='Something shook', words='shook\\nevening', severity='critical')"
        )
        yield one


@pytest.fixture(scope="module")
def chromium(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A browser with a microphone that speaks."""
    with talker(browser, tmp_path_factory.mktemp("microphone")) as one:
        yield one


@pytest.fixture
def sit(chromium: Browser, site: Site) -> Iterator[Sit]:
    """`sit("jonas")` opens a desk; at the end all calls are over and all desks closed."""
    desks: list[Desk] = []

    def down(username: str) -> Desk:
        desks.append(Desk(chromium, site, username))
        return desks[-1]

    yield down
    for call in site.truth()["calls"]:
        if not call["ended"]:
            site.emulator(f"/emulator/calls/{call['call_sid']}/hangup/", {})
    for desk in desks:
        desk.close()
    until(lambda: not site.ask("Call.objects.exclude(state='ended').count()"), "every call is over")
    site.run(
        "from calls.models import *; from django.utils import timezone; "
        "WrapUp.objects.filter(closed_at=None).update(closed_at=timezone.now()); "
        "Agent.objects.update(status='offline', present_until=None, desk='')"
    )


@pytest.fixture
def mina(chromium: Browser, site: Site) -> Iterator[Page]:
    """Mina at the wall, with a microphone."""
    visitor = chromium.new_context(
        viewport={"width": 1440, "height": 900}, locale="en-GB", permissions=["microphone"]
    )
    page = visitor.new_page()
    faults = watch(page)
    page.goto(f"{site.url}/accounts/login/?next=/live/")
    page.fill("input[name=username]", MINA)
    page.fill("input[name=password]", PASSWORD)
    page.press("input[name=password]", "Enter")
    expect(page.locator("cc-connection")).to_contain_text("Live")
    yield page
    visitor.close()
    assert faults == []


def row(page: Page) -> Any:
    """Carla's call on the wall."""
    return page.get_by_role("row").filter(has_text="Carla Visser")


def test_on_a_quiet_day_she_sees_who_is_ready_and_a_call_come_and_go(
    site: Site, sit: Sit, mina: Page
) -> None:
    expect(mina.locator("[data-empty-title]")).to_contain_text("No calls right now")
    jonas = sit("jonas")
    jonas.ready()
    expect(mina.locator(CARD.format("ready"))).to_have_text("1")
    expect(mina.locator("[data-agent-groups]")).to_contain_text("Jonas")
    sid = site.call(to=SUPPORT, script="auto_repair_call")
    expect(row(mina)).to_be_visible()
    jonas.accept()
    expect(row(mina)).to_contain_text("Jonas")
    expect(mina.locator(CARD.format("oncall"))).to_contain_text("1")
    jonas.hang_up()
    expect(row(mina)).to_contain_text(re.compile(r"Ended \d+:\d+ ago"))
    expect(row(mina)).to_have_count(0, timeout=20_000)
    jonas.wrap_up()
    agrees(site, sid)
    assert site.ask("Alert.objects.count()") == 0
    expect(mina.locator(RAIL)).to_have_count(0)


def test_a_bad_call_is_found_heard_joined_and_left(site: Site, sit: Sit, mina: Page) -> None:
    jonas = sit("jonas")
    jonas.ready()
    sid = site.call(to=SUPPORT, script="conversation")
    jonas.accept()
    jonas.page.click("button[data-help]")
    jonas.page.fill("#help-dialog [name=reason]", "He wants a refund")
    jonas.page.click("#help-dialog button.primary")
    asked = mina.locator(RAIL).filter(has_text="He wants a refund")
    expect(asked).to_be_visible()
    expect(mina.locator("[data-pinned]")).to_contain_text("Carla Visser")
    asked.locator("[data-ack]").click()
    expect(asked.locator("[data-by]")).to_contain_text("Mina")
    assert site.ask("Alert.objects.get(kind='help').acknowledged_by.username") == MINA
    mina.mouse.move(5, 5)
    mina.click("h1")  # while she is in the list, new ones wait
    heard = mina.locator(RAIL).filter(has_text="Something shook")
    expect(heard.first).to_be_visible(timeout=60_000)
    row(mina).get_by_role("link", name=re.compile("Open")).click()
    expect(mina.locator("cc-transcript")).to_contain_text(re.compile("shook|evening", re.I))
    mina.click('[data-act="listen"]')
    bar = mina.locator("cc-listen-bar")
    expect(bar.locator("[data-listen-behind]")).to_contain_text("behind")
    expect(jonas.page.locator("body")).to_contain_text("Mina is listening")
    bar.locator("[data-listen-stop]").click()
    mina.click('[data-act="join"]')
    mina.click("dialog[open] [data-yes]")
    supervision = f"Supervision.objects.filter(call__legs__sid='{sid}')"
    until(
        lambda: site.ask(f"list({supervision}.values_list('mode', 'state'))") == [["join", "in"]], "she is in"
    )
    hers = site.ask(f"{supervision}.get().leg_sid")
    until(lambda: {sid, hers} < set(seats(site, sid)), "by Twilio's side she sits with them")
    expect(mina.locator("[data-part] [data-text]")).to_contain_text("hear")
    expect(jonas.page.locator("body")).to_contain_text("Mina has joined")
    mina.click("[data-part] [data-leave]")
    until(lambda: site.ask(f"{supervision}.get().state") == "ended", "she has left")
    until(lambda: truth(site, hers)["ended"], "by Twilio's side her leg is over")
    assert site.ask(f"Call.objects.get(legs__sid='{sid}').state") == "live"
    jonas.hang_up()
    jonas.wrap_up()
    agrees(site, sid)
    who = site.ask("list(AuditEvent.objects.filter(what__startswith='call.').values_list('what', flat=True))")
    assert {"call.viewed", "call.listened", "call.join", "call.leave"} <= set(who)


def test_what_happened_while_the_line_was_cut_is_there_when_it_is_back(
    site: Site, sit: Sit, mina: Page
) -> None:
    lines: list[WebSocketRoute] = []
    cut = {"on": False}

    def line(route: WebSocketRoute) -> None:
        if cut["on"]:
            route.close(code=1011)
            return
        route.connect_to_server()
        lines.append(route)

    mina.route_web_socket("**/ws/live/", line)
    mina.reload()
    jonas = sit("jonas")
    jonas.ready()
    sid = site.call(to=SUPPORT, script="auto_repair_call")
    expect(row(mina)).to_be_visible()
    cut["on"] = True
    lines[-1].close(code=1011)
    expect(mina.locator("[data-banner]")).to_contain_text("Connection lost at")
    expect(row(mina)).to_be_visible()
    jonas.accept()
    second = site.call(to=SUPPORT, script="auto_repair_call")
    until(lambda: site.ask("Call.objects.exclude(state='ended').count()") == 2, "a second call waits")
    cut["on"] = False
    mina.click("[data-banner-retry]")
    expect(mina.locator("cc-connection")).to_contain_text("Live")
    expect(row(mina)).to_have_count(2)
    expect(row(mina).first).to_contain_text("Jonas")
    expect(mina.locator(CARD.format("waiting"))).to_have_text("1")
    site.emulator(f"/emulator/calls/{second}/hangup/", {})
    expect(mina.locator(CARD.format("waiting"))).to_have_text("0")
    jonas.hang_up()
    jonas.wrap_up()
    agrees(site, sid)
