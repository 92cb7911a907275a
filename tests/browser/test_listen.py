"""Listening in a real browser: which tone comes out of which side, what the bar says, how it ends."""

import re
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.theatre import Stage
from tests.chromium import picture
from tests.people import ADA

BAR = "cc-listen-bar"
STATUS = "[data-listen-status]"
CALLER_HERTZ, AGENT_HERTZ = 440, 1000

# Puts an ear behind the worklet: the loudest frequency of each side, and how loud it is.
EAR = """
(() => {
  const Node = window.AudioWorkletNode;
  window.ears = [];
  window.AudioWorkletNode = class extends Node {
    constructor(context, ...rest) {
      super(context, ...rest);
      const splitter = context.createChannelSplitter(2);
      const sides = [0, 1].map((side) => {
        const ear = new AnalyserNode(context, { fftSize: 8192, smoothingTimeConstant: 0 });
        splitter.connect(ear, side);
        return ear;
      });
      this.connect(splitter);
      window.ears.push({ context, sides });
    }
  };
  window.heard = () => {
    const { context, sides } = window.ears.at(-1) ?? { sides: [] };
    return sides.map((ear) => {
      const bins = new Float32Array(ear.frequencyBinCount);
      ear.getFloatFrequencyData(bins);
      const peak = bins.indexOf(Math.max(...bins));
      return { hertz: peak * context.sampleRate / ear.fftSize, level: bins[peak] };
    });
  };
})()
"""
HEARS = """([left, right]) => {
  const sounds = (ear, hertz) => Math.abs(ear.hertz - hertz) < 8 && ear.level > -40;
  const near = (ear, hertz) => (hertz ? sounds(ear, hertz) : !(ear.level > -70));
  const ears = window.heard();
  return ears.length === 2 && near(ears[0], left) && near(ears[1], right);
}"""
START = """async (facts) => {
  window.listening = (await import("/static/js/listen.js")).listening;
  window.listening.start(facts);
}"""
STALL = """(ms) => { const until = performance.now() + ms; while (performance.now() < until); }"""


@pytest.fixture
def ears(stage: Stage, page: Page) -> Iterator[None]:
    """Ears on every page of the visitor; when the test is over nobody speaks."""
    page.add_init_script(EAR)
    yield
    stage.play("hush_all")


@pytest.fixture
def mina(ears: None, arrive: Callable[..., Page]) -> Page:
    """Mina at the wall, with an ear at what she hears."""
    return arrive("mina")


@pytest.fixture
def sounding(stage: Stage, ears: None) -> tuple[int, str]:
    """A live call whose caller sounds at 440 Hz and whose agent at 1000 Hz; its id and the StreamSid."""
    call, sid = stage.live_call()
    stage.play("speak", sid=sid)
    return call, sid


def listen(page: Page, call: int, caller: str = "Carla Visser", agent: str = "Jonas") -> None:
    """From a key, as people do."""
    page.keyboard.press("Shift")  # what the browser takes for a person who is there
    page.evaluate(START, {"call": call, "caller": caller, "agent": agent})


def hears(page: Page, left: float, right: float) -> None:
    """Wait until these tones come out, and nothing else is the loudest; 0 is silence."""
    page.wait_for_function(HEARS, arg=[left, right], timeout=20_000)


def until(page: Page, condition: str, argument: object = None) -> None:
    """Wait until it is true of `listening`."""
    page.wait_for_function(condition, arg=argument, timeout=20_000)


def test_the_caller_comes_out_left_and_the_agent_right_each_with_its_own_tone(
    mina: Page, sounding: tuple[int, str]
) -> None:
    listen(mina, sounding[0])
    hears(mina, CALLER_HERTZ, AGENT_HERTZ)
    expect(mina.locator(BAR)).to_be_visible()
    expect(mina.locator("[data-listen-call]")).to_have_text("Listening to Carla Visser with Jonas")
    expect(mina.locator("[data-listen-call]")).to_have_attribute("href", f"/calls/{sounding[0]}/")
    expect(mina.locator("[data-listen-behind]")).to_have_text(re.compile(r"Sound \d\.\d s behind"))
    expect(mina.locator(STATUS)).to_be_empty()
    until(mina, "() => listening.state === 'live' && listening.report !== null")


def test_volume_balance_and_mute_change_what_one_hears(mina: Page, sounding: tuple[int, str]) -> None:
    listen(mina, sounding[0])
    hears(mina, CALLER_HERTZ, AGENT_HERTZ)
    balance = mina.get_by_role("slider", name="Caller or Agent")
    balance.focus()
    balance.press("Home")
    hears(mina, CALLER_HERTZ, 0)
    expect(balance).to_have_attribute("aria-valuetext", "Caller; agent at 0 %")
    balance.press("End")
    hears(mina, 0, AGENT_HERTZ)
    mina.evaluate("() => { listening.balance = 0; }")
    hears(mina, CALLER_HERTZ, AGENT_HERTZ)
    volume = mina.get_by_role("slider", name="Volume")
    volume.focus()
    volume.press("Home")
    hears(mina, 0, 0)
    volume.press("End")
    hears(mina, CALLER_HERTZ, AGENT_HERTZ)
    mina.get_by_role("button", name="Mute").click()
    hears(mina, 0, 0)
    expect(mina.locator(STATUS)).to_have_text("Muted")
    expect(mina.get_by_role("button", name="Mute")).to_have_attribute("aria-pressed", "true")


def test_after_the_page_stood_still_it_catches_up_and_says_what_was_left_out(
    mina: Page, sounding: tuple[int, str]
) -> None:
    listen(mina, sounding[0])
    hears(mina, CALLER_HERTZ, AGENT_HERTZ)
    mina.evaluate(STALL, 1500)
    expect(mina.locator(STATUS)).to_have_text(re.compile(r"\d\.\d s of sound was left out"))
    until(mina, "() => listening.dropped > 0 && listening.state === 'live'")
    until(mina, "() => listening.report.depth < 130 && listening.report.depth > 20")
    hears(mina, CALLER_HERTZ, AGENT_HERTZ)


def test_a_short_stall_is_made_up_for(mina: Page, sounding: tuple[int, str]) -> None:
    listen(mina, sounding[0])
    hears(mina, CALLER_HERTZ, AGENT_HERTZ)
    mina.evaluate(STALL, 180)
    until(mina, "() => listening.report.depth < 130 && listening.report.depth > 20")
    hears(mina, CALLER_HERTZ, AGENT_HERTZ)


def test_it_goes_on_by_itself_on_the_next_page(mina: Page, stage: Stage, sounding: tuple[int, str]) -> None:
    listen(mina, sounding[0])
    hears(mina, CALLER_HERTZ, AGENT_HERTZ)
    mina.locator(".nav").get_by_role("link", name="Calls").click()
    expect(mina).to_have_url(re.compile("/calls/$"))
    expect(mina.locator(BAR)).to_be_visible()
    hears(mina, CALLER_HERTZ, AGENT_HERTZ)
    expect(mina.locator("[data-listen-call]")).to_have_text("Listening to Carla Visser with Jonas")
    assert stage.play("listeners", call=sounding[0]) == ["Mina"]
    mina.get_by_role("button", name="Stop").click()
    expect(mina.locator(BAR)).to_be_hidden()
    mina.reload()
    expect(mina.locator("h1")).to_be_visible()
    expect(mina.locator(BAR)).to_be_hidden()


def test_where_the_browser_wants_a_click_first_it_says_so(
    mina: Page, stage: Stage, sounding: tuple[int, str]
) -> None:
    listen(mina, sounding[0])
    hears(mina, CALLER_HERTZ, AGENT_HERTZ)
    mina.evaluate("() => ears.at(-1).context.suspend()")
    button = mina.get_by_role("button", name="Click to resume sound")
    expect(button).to_be_visible()
    expect(mina.locator(BAR)).to_have_attribute("data-state", "suspended")
    button.click()
    expect(button).to_be_hidden()
    hears(mina, CALLER_HERTZ, AGENT_HERTZ)


def test_it_ends_with_the_call_and_says_so(mina: Page, stage: Stage, sounding: tuple[int, str]) -> None:
    listen(mina, sounding[0])
    hears(mina, CALLER_HERTZ, AGENT_HERTZ)
    stage.play("hang_up", call=sounding[0])
    expect(mina.locator(STATUS)).to_have_text("The call has ended.")
    until(mina, "() => listening.state === 'off'")
    assert stage.play("facts_of", call=sounding[0]) == {"times": 1, "open": 0}
    mina.reload()
    expect(mina.locator(BAR)).to_be_hidden()


def test_without_a_stream_it_waits_in_words_and_begins_by_itself(
    mina: Page, stage: Stage, ears: None
) -> None:
    call = stage.play("ring", seconds_ago=60)
    stage.play("answer", call=call, seconds_ago=50)
    listen(mina, call)
    expect(mina.locator(STATUS)).to_contain_text("No stream is open")
    sid = stage.play("stream", call=call)
    stage.play("speak", sid=sid)
    hears(mina, CALLER_HERTZ, AGENT_HERTZ)


def test_it_follows_to_the_stream_that_was_opened_again(
    mina: Page, stage: Stage, sounding: tuple[int, str]
) -> None:
    call, sid = sounding
    listen(mina, call)
    hears(mina, CALLER_HERTZ, AGENT_HERTZ)
    stage.play("hush", sid=sid)
    expect(mina.locator(STATUS)).to_contain_text("No stream is open")
    again = stage.play("stream", call=call, name="tap-2")
    stage.play("speak", sid=again, inbound=600, outbound=1200)
    hears(mina, 600, 1200)


def test_a_paused_stream_falls_silent_and_says_so(
    mina: Page, stage: Stage, sounding: tuple[int, str]
) -> None:
    listen(mina, sounding[0])
    hears(mina, CALLER_HERTZ, AGENT_HERTZ)
    stage.play("pause", sid=sounding[1])
    expect(mina.locator(STATUS)).to_contain_text("paused")
    hears(mina, 0, 0)
    stage.play("pause", sid=sounding[1], on=False)
    hears(mina, CALLER_HERTZ, AGENT_HERTZ)


def test_a_third_listener_is_told_who_listens(mina: Page, stage: Stage, sounding: tuple[int, str]) -> None:
    for name in ("Ann", "Bea"):
        stage.play("listen_as", call=sounding[0], username=name)
    listen(mina, sounding[0])
    expect(mina.locator(STATUS)).to_contain_text("Ann and Bea listen to this call already.")
    expect(mina.locator(BAR)).to_have_attribute("data-state", "failed")
    expect(mina.get_by_role("button", name="Try again")).to_be_visible()


def test_who_may_watch_but_not_listen_has_no_bar_and_no_sound(
    arrive: Callable[..., Page], page: Page, stage: Stage, sounding: tuple[int, str]
) -> None:
    arrive(ADA)
    listen(page, sounding[0])
    hears(page, CALLER_HERTZ, AGENT_HERTZ)
    stage.play("may_not_listen", username=ADA)
    expect(page.locator(STATUS)).to_have_text("Your account may not listen to calls.")
    until(page, "() => listening.state === 'failed'")
    page.goto(f"{stage.url}/live/")
    expect(page.locator("h1").first).to_be_attached()
    expect(page.locator(BAR)).to_have_count(0)
    stage.play("give_role", username=ADA, role="Admin")


def test_a_restart_of_the_line_is_mended_by_itself(
    arrive: Callable[..., Page], page: Page, sounding: tuple[int, str]
) -> None:
    routes = []

    def opened(route: object) -> None:
        routes.append(route)
        server = route.connect_to_server()  # type: ignore[attr-defined]
        route.on_message(server.send)  # type: ignore[attr-defined]
        server.on_message(route.send)  # type: ignore[attr-defined]

    page.route_web_socket(re.compile("/audio/"), opened)
    arrive("mina")
    listen(page, sounding[0])
    hears(page, CALLER_HERTZ, AGENT_HERTZ)
    routes[-1].close(code=4012)  # type: ignore[attr-defined]
    until(page, "() => listening.state !== 'live'")
    until(page, "() => listening.state === 'live'")
    until(page, "() => listening.dropped >= 500")  # what was said while the line was away
    hears(page, CALLER_HERTZ, AGENT_HERTZ)
    assert len(routes) == 2


def test_the_bar_looks_right_everywhere(browser: Browser, stage: Stage, sounding: tuple[int, str]) -> None:
    key = stage.play("session", username="mina")
    for name, width, options in (
        ("light", 1280, {"color_scheme": "light"}),
        ("dark", 1280, {"color_scheme": "dark"}),
        ("narrow", 390, {"color_scheme": "light"}),
        ("forced", 1280, {"forced_colors": "active"}),
    ):
        visitor = browser.new_context(viewport={"width": width, "height": 800}, **options)  # type: ignore[arg-type]
        visitor.add_cookies([{"name": "sessionid", "value": key, "url": stage.url}])
        page = visitor.new_page()
        page.goto(f"{stage.url}/live/")
        listen(page, sounding[0])
        until(page, "() => listening.state === 'live' && listening.behindMs !== null")
        bar = page.locator(BAR)
        box = bar.bounding_box()
        assert box is not None
        assert (box["x"], box["width"]) == (0, width)
        assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
        picture(page, f"listen-{name}")
        visitor.close()
