"""The emulator's console in a real browser: by keyboard, live, honest about what is gone."""

from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.switchboard import ACCOUNT_SID, CALLER_HERTZ, OFFICE, Switchboard, write_tone
from tests.chromium import picture

GATHER = "<Response><Gather action='/keys/' finishOnKey='#' timeout='60'/></Response>"
MARKUP = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Switchboard]:
    """Twilio's side and an application that asks for keys."""
    folder = tmp_path_factory.mktemp("console")
    (folder / "caller").mkdir()
    write_tone(folder / "caller" / "caller.wav", CALLER_HERTZ, 60)
    made = Switchboard(folder)
    yield made
    made.close()


@pytest.fixture
def console(board: Switchboard, page: Page) -> Page:
    """The console, with nothing going on."""
    board.product.answers |= {
        "/twilio/voice/": GATHER,
        "/keys/": "<Response><Pause length='60'/></Response>",
    }
    board.product.requests.clear()
    board.clear()
    page.goto(f"{board.emulator_url}/emulator/")
    expect(page.locator("#no-calls")).to_have_text("No calls right now. Place one.")
    expect(page.locator("#faults input").first).to_be_visible()
    return page


def tab_to(page: Page, name: str) -> None:
    """Press Tab until the element with this name has the focus."""
    for _ in range(60):
        page.keyboard.press("Tab")
        focused = page.evaluate("() => document.activeElement.name || document.activeElement.textContent")
        if focused.strip() == name:
            return
    raise AssertionError(f"{name} cannot be reached by Tab")


def test_a_call_is_placed_watched_and_ended_by_keyboard_alone(board: Switchboard, console: Page) -> None:
    tab_to(console, "from")
    console.keyboard.press("Control+A")
    console.keyboard.type("+31612345678")
    tab_to(console, "to")
    expect(console.locator("#place [name=to]")).to_have_value(OFFICE)
    tab_to(console, "script")
    console.keyboard.press("ArrowDown")
    tab_to(console, "caller_name")
    console.keyboard.type("Alice")
    console.keyboard.press("Enter")
    call = console.locator(".call")
    expect(call.locator(".badge")).to_have_text("in-progress")
    expect(call.locator(".from")).to_have_text("+31612345678")
    expect(call.locator(".facts")).to_contain_text("inbound · caller")
    tab_to(console, "Keys")
    console.keyboard.press("Enter")
    expect(call.locator(".pad")).to_be_visible()
    for key in "12#":
        console.keyboard.press(key)
    board.until(lambda: board.product.forms("/keys/", Digits="12", CallerName="Alice"))
    console.locator(".down").focus()
    console.keyboard.press("Enter")
    expect(console.locator("#no-calls")).to_be_visible()
    expect(console.locator("#lines")).to_contain_text("completed")


def test_a_call_that_a_dialled_one_dials_is_shown_below_it(board: Switchboard, console: Page) -> None:
    dial = "<Dial>+3120111{}</Dial><Pause length='60'/>"
    board.product.answers["/twilio/voice/"] = f"<Response>{dial.format('0001')}</Response>"
    board.call()
    expect(console.locator(".call .badge").nth(1)).to_have_text("in-progress")
    dialled = next(leg.call.sid for leg in board.exchange.legs.values() if leg.call.to.endswith("0001"))
    told = console.request.post(
        f"{board.emulator_url}/2010-04-01/Accounts/{ACCOUNT_SID}/Calls/{dialled}.json",
        form={"Twiml": f"<Response>{dial.format('0002')}</Response>"},
        headers={"Authorization": f"Basic {b64encode(f'{ACCOUNT_SID}:token'.encode()).decode()}"},
    )
    assert told.ok
    expect(console.locator(".call .to")).to_have_text([OFFICE, "+31201110001", "+31201110002"])


def test_the_log_tells_what_happens_newest_first_and_can_be_narrowed(
    board: Switchboard, console: Page
) -> None:
    tap = f"<Start><Stream name='tap' url='{board.product.socket_url}/media/x/'/></Start>"
    board.product.answers["/twilio/voice/"] = f"<Response>{tap}<Pause length='60'/></Response>"
    sid = board.call()
    call = console.locator(".call")
    expect(call.locator(".streams")).to_contain_text("Stream tap, unidirectional, inbound")
    lines = console.locator("#lines")
    expect(lines).to_contain_text("voice: POST /twilio/voice/ → 200")
    expect(lines).to_contain_text("tap: inbound to /media/x/")
    call.get_by_role("button", name="Drop").click()
    expect(lines).to_contain_text("31903")
    console.select_option("#kind", "stream")
    expect(lines.locator("li").first).to_contain_text("dropped by a fault")
    expect(lines).not_to_contain_text("/twilio/voice/")
    board.hang_up(sid)
    expect(console.locator("#no-calls")).to_be_visible()


def test_rest_requests_are_in_the_log(board: Switchboard, console: Page) -> None:
    console.request.get(f"{board.emulator_url}/2010-04-01/Accounts/AC1/Calls.json?PageSize=2")
    expect(console.locator("#lines")).to_contain_text("GET /Calls.json → 401, 20003")


def test_the_log_can_be_held(board: Switchboard, console: Page) -> None:
    console.uncheck("#follow")
    sid = board.call()
    expect(console.locator(".call")).to_be_visible()
    before = console.locator("#lines li").count()
    board.hang_up(sid)
    expect(console.locator("#no-calls")).to_be_visible()
    assert console.locator("#lines li").count() == before
    console.check("#follow")
    expect(console.locator("#lines")).to_contain_text("completed")


def test_people_are_put_at_addresses_and_taken_away(board: Switchboard, console: Page) -> None:
    console.fill("#put [name=to]", "client:agent_7")
    console.click("#put button")
    expect(console.locator("#people")).to_contain_text("client:agent_7: caller")
    assert board.exchange.people == {"client:agent_7": "caller"}
    console.get_by_role("button", name="Remove caller from client:agent_7").click()
    expect(console.locator("#no-people")).to_be_visible()
    assert board.exchange.people == {}


def test_every_fault_has_a_switch_of_its_kind(board: Switchboard, console: Page) -> None:
    for name, value in board.exchange.faults.as_dict().items():
        kind = {bool: "checkbox", int: "number", float: "number", str: "text"}.get(type(value))
        if kind is not None:
            expect(console.locator(f"#faults [name={name}]")).to_have_attribute("type", kind)
    console.check("#faults [name=duplicate_webhooks]")
    console.fill("#faults [name=delay_rest_ms]", "40")
    console.press("#faults [name=delay_rest_ms]", "Tab")
    expect(console.locator("#faults [name=delay_rest_ms]")).to_be_enabled()
    board.wait(lambda: board.exchange.faults.delay_rest_ms == 40)
    assert board.exchange.faults.duplicate_webhooks is True
    console.fill("#faults [name=delay_rest_ms]", "")
    console.press("#faults [name=delay_rest_ms]", "Tab")
    said = console.locator("section:has(#faults) output")
    expect(said).to_contain_text("delay_rest_ms takes a number")
    console.get_by_role("button", name="Switch all off").click()
    expect(console.locator("#faults [name=duplicate_webhooks]")).not_to_be_checked()
    assert board.exchange.faults.duplicate_webhooks is False


def test_what_callers_are_called_is_never_markup(board: Switchboard, console: Page) -> None:
    console.fill("#place [name=from]", MARKUP)
    console.fill("#place [name=caller_name]", MARKUP)
    console.click("#place button")
    expect(console.locator(".call .from")).to_have_text(MARKUP)
    expect(console.locator("#lines")).to_contain_text(MARKUP)
    assert console.locator("img").count() == 0
    console.click(".call .down")
    expect(console.locator("#no-calls")).to_be_visible()


def test_what_is_refused_is_said(board: Switchboard, context: BrowserContext) -> None:
    page = context.new_page()
    page.goto(f"{board.emulator_url}/emulator/")
    page.route("**/emulator/calls/", lambda route: route.fulfill(status=400, json={"error": "not today"}))
    expect(page.locator("#place [name=to]")).to_have_value(OFFICE)
    page.click("#place button")
    expect(page.locator("#place output")).to_have_text("not today")


def test_an_emulator_that_is_gone_is_said_and_found_again(console: Page) -> None:
    console.route("**/emulator/console/", lambda route: route.abort("connectionrefused"))
    expect(console.locator("#gone")).to_contain_text("The emulator does not answer.")
    expect(console.locator("#health")).to_have_text("Not running")
    console.unroute("**/emulator/console/")
    expect(console.locator("#gone")).to_be_hidden()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_follows_the_browsers_theme(
    board: Switchboard, console: Page, context: BrowserContext, theme: str
) -> None:
    tap = f"<Start><Stream name='tap' url='{board.product.socket_url}/media/x/' track='both_tracks'/></Start>"
    dial = "<Dial>+31209999999</Dial>"
    board.product.answers["/twilio/voice/"] = f"<Response>{tap}{dial}</Response>"
    console.emulate_media(color_scheme="dark" if theme == "dark" else "light")
    board.call()
    expect(console.locator(".call")).to_have_count(2)
    console.locator(".keys").first.click()
    console.fill("#put [name=to]", "client:agent_7")
    console.click("#put button")
    expect(console.locator("#people li")).to_have_count(1)
    expect(console.locator("#lines")).to_contain_text("in-progress")
    dark = console.evaluate("() => getComputedStyle(document.body).backgroundColor")
    assert dark == ("rgb(13, 19, 25)" if theme == "dark" else "rgb(243, 245, 248)")
    path: Path = picture(console, f"emulator-console-{theme}")
    assert path.stat().st_size > 10_000
    wide = console.evaluate("() => document.documentElement.scrollWidth - innerWidth")
    assert wide <= 0
    console.set_viewport_size({"width": 390, "height": 844})
    picture(console, f"emulator-console-{theme}-small")
    assert console.evaluate("() => document.documentElement.scrollWidth - innerWidth") <= 0
