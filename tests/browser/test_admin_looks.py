"""How the pages of the administration look that hold much: nothing runs past the edge, nothing is cut."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.theatre import Stage
from tests.chromium import picture

Arrive = Callable[..., Page]
SIZES = {1280: 900, 390: 844}
# How many pixels wider than its room: the page, and what scrolls sideways within it.
BEYOND = """() => [document.documentElement, ...document.querySelectorAll(".results, .inline-group")]
  .map((element) => element.scrollWidth - element.clientWidth)"""
# Cells of one word that take more than one line.
BROKEN = """() => [...document.querySelectorAll(".cc-talk td")]
  .filter((cell) => !/\\s/.test(cell.textContent.trim()) && cell.checkVisibility())
  .filter((cell) => {
    const words = document.createRange();
    words.selectNodeContents(cell);
    return words.getBoundingClientRect().height > 1.9 * parseFloat(getComputedStyle(cell).fontSize);
  })
  .map((cell) => cell.textContent)"""


@pytest.fixture
def voice(stage: Stage) -> int:
    return int(stage.play("voice"))


def sized(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": SIZES[width]})


def test_the_list_of_numbers_fits(arrive: Arrive, page: Page, stage: Stage) -> None:
    stage.play("destinations")
    sized(page, 1280)
    arrive("ada", "/admin/calls/phonenumber/")
    picture(page, "admin-numbers-1280")
    assert max(page.evaluate(BEYOND)) <= 0
    sized(page, 390)
    picture(page, "admin-numbers-390")


@pytest.mark.parametrize("width", SIZES)
def test_the_form_of_a_voice_fits(arrive: Arrive, page: Page, voice: int, width: int) -> None:
    sized(page, width)
    arrive("ada", f"/admin/calls/voice/{voice}/change/")
    picture(page, f"admin-voice-{width}")
    assert max(page.evaluate(BEYOND)) <= 0
    fields = page.locator("#actions-group tr.has_original").locator(
        "input[type=text], input[type=tel], select"
    )
    assert all((field.bounding_box() or {"width": 0})["width"] >= 100 for field in fields.all())
    boxes = page.locator("#actions-group tr.has_original td.delete input")
    assert all((box.bounding_box() or {"x": width})["x"] < width - 20 for box in boxes.all())


@pytest.mark.parametrize("width", SIZES)
def test_a_trial_on_text_fits(arrive: Arrive, page: Page, voice: int, width: int) -> None:
    sized(page, width)
    arrive("ada", f"/admin/calls/voice/{voice}/try/")
    for typed in ("order status", "4711", "yes", "1234"):
        page.fill("[name=typed]", typed)
        page.press("[name=typed]", "Enter")
        page.wait_for_load_state()
    picture(page, f"admin-try-{width}")
    assert page.evaluate(BROKEN) == []
    assert max(page.evaluate(BEYOND)) <= 0


@pytest.mark.parametrize("width", SIZES)
def test_the_line_that_is_refused_can_be_read(arrive: Arrive, page: Page, voice: int, width: int) -> None:
    sized(page, width)
    arrive("ada", f"/admin/calls/voice/{voice}/change/")
    page.fill("#id_text", page.input_value("#id_text").replace("go: menu", f"go: {'long' * 30}"))
    page.locator("input[name=_continue]").click()
    expect(page.locator(".field-text code.cc-line").first).to_contain_text("go: longlong")
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
        picture(page, f"admin-voice-refused-{width}-{theme}")
    assert max(page.evaluate(BEYOND)) <= 0
