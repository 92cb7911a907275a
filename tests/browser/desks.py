"""The desk of tests/browser/phone/ in a browser with a microphone: fixtures, and what a test waits for."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.switchboard import (
    CALLER_HERTZ,
    MICROPHONE_HERTZ,
    PROMPT_HERTZ,
    Switchboard,
    heard,
    write_tone,
)
from tests.chromium import FLAGS, watch
from tests.processes import needed

# Whether the events that the page was told hold these, in this order.
IN_ORDER = """(wanted) => {
  let at = 0;
  for (const one of told) if (one === wanted[at]) at += 1;
  return at === wanted.length;
}"""


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What Alice says (caller.wav) and what the agent's microphone hears (microphone.wav)."""
    folder = tmp_path_factory.mktemp("tones")
    (folder / "caller").mkdir()
    write_tone(folder / "caller" / "caller.wav", CALLER_HERTZ, 60)
    write_tone(folder / "microphone.wav", MICROPHONE_HERTZ, 10, rate=48000)
    write_tone(folder / "tone.wav", PROMPT_HERTZ, 20)
    return folder


@pytest.fixture(scope="module")
def talker(recordings: Path, browser: Browser) -> Iterator[Browser]:
    """A browser whose microphone hears a tone and whose user allows everything."""
    flags = [
        *FLAGS,
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-audio-capture={recordings / 'microphone.wav'}",
    ]
    # Beside the browser of the run: one thread has one Playwright.
    chromium = browser.browser_type.launch(executable_path=needed("chromium"), args=flags)
    yield chromium
    chromium.close()


@pytest.fixture
def board(recordings: Path) -> Iterator[Switchboard]:
    """Twilio's side, an application that dials agent 7 and streams both tracks, and its desk."""
    made = Switchboard(recordings)
    tap = f"<Start><Stream url='{made.product.socket_url}/media/x/' track='outbound_track'/></Start>"
    dial = "<Dial action='/after/'><Client>agent_7<Parameter name='queue' value='sales'/></Client></Dial>"
    made.product.answers["/twilio/voice/"] = f"<Response>{tap}{dial}</Response>"
    yield made
    made.close()


@pytest.fixture
def desk(board: Switchboard, talker: Browser) -> Iterator[Page]:
    """Agent 7's desk, registered."""
    visitor = talker.new_context()
    page = visitor.new_page()
    faults = watch(page)
    page.goto(board.desk_url())
    page.click("#register")
    expect(page.locator("#state")).to_have_text("registered")
    yield page
    visitor.close()
    assert faults == []


def answer(desk: Page) -> None:
    """Accept what rings."""
    expect(desk.locator("#call")).to_have_text("pending")
    desk.click("#accept")
    expect(desk.locator("#call")).to_have_text("open")


def answered(board: Switchboard, desk: Page) -> str:
    """Alice talks to agent 7; the CallSid of the agent's leg."""
    board.call()
    answer(desk)
    return str(desk.evaluate("() => call.parameters.CallSid"))


def until(desk: Page, condition: str, argument: object = None) -> None:
    """Wait until a function of the page says yes; written as a function, because the page allows no eval."""
    desk.wait_for_function(condition, arg=argument, timeout=15_000)


def hears(desk: Page, hertz: int) -> None:
    """Wait until this tone is what the page hears, loud."""
    until(desk, "(hertz) => Math.abs(heard.hertz - hertz) < 15 && heard.level > -25", hertz)


def speaks(board: Switchboard, hertz: float, socket: int = 0) -> None:
    """Wait until a stream carries this tone, loud; 0 Hz is silence."""

    def carried() -> bool:
        sockets = board.product.sockets
        if len(sockets) <= socket or len(sockets[socket].of("media")) < 100:
            return False
        found, level = heard(sockets[socket], 50)
        return level < -90 if not hertz else abs(found - hertz) < 10 and level > -20

    board.until(carried)


def told(desk: Page, *events: str) -> None:
    """Wait until the page was told these events, in this order, perhaps among others."""
    until(desk, IN_ORDER, list(events))
