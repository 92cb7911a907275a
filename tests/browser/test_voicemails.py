"""Messages that callers left, in Chromium: played by way of us, told when they cannot be, marked as heard."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_looks import CONTRAST, NAMELESS, SMALL
from tests.browser.theatre import Stage
from tests.calls.rest import wav
from tests.chromium import picture

Arrive = Callable[..., Page]


@pytest.fixture
def messages(arrive: Arrive, stage: Stage) -> Page:
    """Jonas at his messages: one of Carla, one of a stranger."""
    for caller, name in (("+31612345678", ""), ("+442079460100", "PLUMBING AND HEATING OF GREATER LONDON")):
        call = stage.play("ring", caller=caller, name=name)
        stream = stage.play("stream", call=call)
        stage.play("say", sid=stream, text="My boiler is leaking again, please call me back.")
        stage.play("voicemail", call=call)
    return arrive("jonas", "/voicemails/")


def test_a_message_is_played_and_marked_as_heard(messages: Page, stage: Stage) -> None:
    stage.rest.rules.insert(0, lambda asked: (200, wav(2.0)) if asked.path.endswith(".wav") else None)
    first = messages.locator(".message").first
    expect(first).to_contain_text("PLUMBING AND HEATING")
    expect(messages.locator(".nav-count")).to_contain_text("2")
    player = first.locator("audio")
    player.evaluate("(audio) => { audio.muted = true; return audio.play(); }")
    assert player.evaluate("(audio) => audio.duration") == pytest.approx(2.0, abs=0.1)
    first.get_by_role("button", name="Heard").click()
    expect(messages.locator(".message").first).to_contain_text("Heard by Jonas")
    expect(messages.locator(".nav-count")).to_contain_text("1")


def test_a_message_that_cannot_be_fetched_says_so(messages: Page, stage: Stage) -> None:
    first = messages.locator(".message").first
    first.locator("audio").evaluate("(audio) => audio.play().catch(() => null)")
    expect(first.locator("[data-failed]")).to_be_visible()
    expect(messages.locator("[data-failed]").last).to_be_hidden()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize(("size", "width"), [("wide", 1280), ("narrow", 390)])
@pytest.mark.parametrize("what", ["some", "none"])
def test_the_messages_look_right(
    messages: Page, stage: Stage, what: str, size: str, width: int, theme: str
) -> None:
    if what == "none":
        stage.play("clear")
    messages.set_viewport_size({"width": width, "height": 860})
    messages.emulate_media(color_scheme="dark" if theme == "dark" else "light")
    messages.reload()
    picture(messages, f"voicemails-{what}-{size}-{theme}")
    found = messages.evaluate(CONTRAST) + messages.evaluate(SMALL) + messages.evaluate(NAMELESS)
    assert found == []
    assert messages.evaluate("() => document.documentElement.scrollWidth") <= width
