"""How the pages look: both themes, wide and narrow, nothing cut off, every word readable."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.theatre import Stage
from tests.chromium import picture

Arrive = Callable[..., Page]
# 320 px is a window of 1280 px at 400 % (WCAG 1.4.10).
SIZES = {"wide": (1440, 900), "narrow": (400, 860), "narrowest": (320, 640)}
# WCAG 2.2 AA: 4.5 : 1 for text (3 : 1 when large). Every element that holds text of its own, against the
# colour that stands behind it; what is only there for screen readers is left out.
CONTRAST = """() => {
  const pen = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgba = (colour) => {
    pen.clearRect(0, 0, 1, 1); pen.fillStyle = colour; pen.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = pen.getImageData(0, 0, 1, 1).data;
    return [r, g, b, a / 255];
  };
  const light = ([r, g, b]) => [r, g, b].map((v) => v / 255)
    .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, n) => sum + v * [0.2126, 0.7152, 0.0722][n], 0);
  const behind = (element) => {
    for (let one = element; one; one = one.parentElement) {
      const colour = rgba(getComputedStyle(one).backgroundColor);
      if (colour[3] > 0.95) return colour;
    }
    return [255, 255, 255, 1];
  };
  const faded = (element) => Boolean(element.closest('[data-state="ended"], :disabled, .quiet, .skip'));
  const own = (element) => [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
  return [...document.querySelectorAll("body *")]
    .filter((element) => own(element) && element.checkVisibility() && !faded(element))
    .filter((element) => !element.closest("script"))
    .map((element) => {
      const style = getComputedStyle(element);
      const [a, b] = [light(rgba(style.color)), light(behind(element))].sort((x, y) => y - x);
      const large = parseFloat(style.fontSize) >= 24;
      const text = element.textContent.trim().slice(0, 30);
      return { text, ratio: (a + 0.05) / (b + 0.05), least: large ? 3 : 4.5 };
    })
    .filter(({ ratio, least }) => ratio < least)
    .map(({ text, ratio }) => `${text}: ${ratio.toFixed(2)}`);
}"""
# What can be pressed measures 36 px; 24 where it stands in a line that can be pressed as a whole.
SMALL = """() => [...document.querySelectorAll(
  "button, a.button, input, select, summary, .nav a, label.check")]
  .filter((element) => !["hidden", "checkbox"].includes(element.type))
  .filter((element) => element.checkVisibility())
  .map((element) => [element, element.getBoundingClientRect()])
  .filter(([element, box]) => {
    const least = element.type === "radio" ? 23.9 : 35.9;
    return box.width && (box.height < least || box.width < least);
  })
  .map(([element, box]) => `${element.textContent.trim() || element.name}: ${box.width} x ${box.height}`)"""
# Where the focus goes, the bar that stays above does not cover it (WCAG 2.4.11).
COVERED = """() => {
  const bar = document.querySelector(".bar");
  const stops = "main :is(a[href], button, input, select, textarea, summary, [tabindex='0'])";
  return [...document.querySelectorAll(stops)]
    .filter((stop) => stop.checkVisibility() && !stop.disabled).reverse()
    .filter((stop) => {
      scrollTo(0, document.documentElement.scrollHeight);
      stop.focus({ preventScroll: true });
      stop.scrollIntoView({ block: "start" });
      return scrollY > 0 && stop.getBoundingClientRect().bottom <= bar.getBoundingClientRect().bottom;
    })
    .map((stop) => stop.outerHTML.slice(0, 80));
}"""
NAMELESS = """() => [...document.querySelectorAll("button, a[href], input:not([type=hidden]), select")]
  .filter((element) => element.checkVisibility())
  .filter((element) => !element.textContent.trim() && !element.getAttribute("aria-label"))
  .filter((element) => !element.labels?.length)
  .map((element) => element.outerHTML)"""


@pytest.fixture
def busy(stage: Stage) -> dict[str, int]:
    """A day in the middle: calls in every state, with words, holes and losses."""
    return {name: int(call) for name, call in stage.play("busy_day").items()}


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("what", ["live", "call", "past", "list", "login", "missing", "empty"])
def test_a_page_looks_right(
    arrive: Arrive, page: Page, stage: Stage, busy: dict[str, int], what: str, size: str, theme: str
) -> None:
    width, height = SIZES[size]
    page.set_viewport_size({"width": width, "height": height})
    page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
    paths = {
        "live": "/live/",
        "call": f"/calls/{busy['talking']}/",
        "past": f"/calls/{busy['past']}/",
        "list": "/calls/",
        "login": "/accounts/login/",
        "missing": "/calls/?q=nothing+of+the+kind",
        "empty": "/live/",
    }
    if what == "empty":
        stage.play("clear")
    arrive("mina", paths[what])
    if what in {"live", "call", "empty"}:
        expect(page.locator("cc-connection")).to_have_text("Live")
    expect(page.locator("h1")).to_be_visible()
    picture(page, f"look-{what}-{size}-{theme}")
    assert page.evaluate("() => document.documentElement.scrollWidth") <= width
    assert page.evaluate(CONTRAST) == []
    assert page.evaluate(SMALL) == []
    assert page.evaluate(NAMELESS) == []
    assert page.evaluate(COVERED) == []


@pytest.mark.parametrize("dialog", ["start", "stop", "keys"])
def test_a_dialog_can_be_read_and_left(arrive: Arrive, stage: Stage, dialog: str) -> None:
    call, _ = stage.live_call()
    page = arrive("mina", f"/calls/{call}/")
    opener = {"start": "[data-start]", "stop": "[data-stop]", "keys": "[data-keys-open]"}[dialog]
    page.locator(opener).click()
    expect(page.locator("dialog[open]")).to_be_visible()
    assert page.evaluate(CONTRAST) == []
    page.keyboard.press("Escape")
    expect(page.locator(opener)).to_be_focused()
