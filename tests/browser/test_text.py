"""What callers say and send never becomes markup: hostile text in every field, and nothing is executed."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.browser.theatre import Stage

MARK = "window.__executed = true"
PAYLOADS = [
    f"<script>{MARK}</script>",
    f"</script><script>{MARK}</script>",
    f"<img src=x onerror='{MARK}'>",
    f'"><img src=x onerror="{MARK}">',
    f"'><svg onload={MARK}>",
    f"<svg/onload={MARK}>",
    f"<svg><script>{MARK}</script></svg>",
    f"<svg><animate onbegin={MARK} attributeName=x dur=1s>",
    f"<body onload={MARK}>",
    f"<iframe srcdoc='<script>parent.{MARK}</script>'></iframe>",
    f"<iframe src='javascript:parent.{MARK}'></iframe>",
    f"<a href='javascript:{MARK}'>x</a>",
    f"javascript:{MARK}",
    f"<details open ontoggle={MARK}>",
    f"<input autofocus onfocus={MARK}>",
    f"<video><source onerror={MARK}></video>",
    f"<math><mi xlink:href='javascript:{MARK}'>x</mi></math>",
    f"<object data='javascript:{MARK}'></object>",
    f"<style>@import 'javascript:{MARK}';</style>",
    f"<template><script>{MARK}</script></template>",
    f"<!--><script>{MARK}</script>-->",
    f"]]><script>{MARK}</script>",
    f"\\u003cscript\\u003e{MARK}\\u003c/script\\u003e",
    f"&lt;script&gt;{MARK}&lt;/script&gt;",
    f"${{{MARK}}}",
    f"{{{{constructor.constructor('{MARK}')()}}}}",
    "{% load static %}{{ request.user }}",
    f"\u2028{MARK}\u2029//",
    f"\u202e<script>{MARK}</script>\u202c",
    f"<scr\u0000ipt>{MARK}</scr\u0000ipt>".replace("\u0000", ""),
]


@pytest.fixture
def hostile(stage: Stage) -> list[int]:
    """One live call for each payload, which stands in every field that a caller or another system fills."""
    return [stage.play("hostile", text=payload) for payload in PAYLOADS]


def unharmed(page: Page) -> bool:
    """Whether nothing was executed, and no foreign element stands in the page."""
    harmful = (
        "img, iframe, object, video, math, style, input[autofocus], script:not([type='application/json'])"
    )
    foreign = f"main :is({harmful})"
    return not page.evaluate("() => window.__executed") and page.locator(foreign).count() == 0


def test_the_wall_shows_hostile_text_as_text(
    arrive: Callable[..., Page], stage: Stage, hostile: list[int]
) -> None:
    page = arrive("mina")
    expect(page.locator("[data-call]")).to_have_count(len(hostile))
    expect(page.locator("[data-words] [data-text]").first).to_have_text(PAYLOADS[0])
    assert unharmed(page)
    for call, payload in zip(hostile, PAYLOADS, strict=True):
        row = page.locator(f'[data-call="{call}"]')
        assert row.locator("[data-caller]").text_content() == payload
        assert row.locator("[data-text]").text_content() == payload
    late = stage.play("hostile", text=PAYLOADS[2])
    expect(page.locator(f'[data-call="{late}"] [data-text]')).to_have_text(PAYLOADS[2])
    assert unharmed(page)


def test_the_list_shows_hostile_text_as_text(
    arrive: Callable[..., Page], stage: Stage, hostile: list[int]
) -> None:
    page = arrive("mina", "/calls/?q=e")
    expect(page.locator(".history tbody tr")).to_have_count(len(hostile))
    assert page.locator(".history [data-open]").all_text_contents()[::-1] == PAYLOADS
    assert unharmed(page)
    page.goto(
        f"{stage.url}/calls/?q=%3Cscript%3E{MARK}%3C/script%3E&caller='%22%3E%3Cimg src=x onerror={MARK}%3E"
    )
    assert unharmed(page)


def test_the_page_of_a_call_shows_hostile_text_as_text(
    arrive: Callable[..., Page], stage: Stage, hostile: list[int]
) -> None:
    page = arrive("mina")
    for call, payload in zip(hostile, PAYLOADS, strict=True):
        page.goto(f"{stage.url}/calls/{call}/")
        assert page.locator("h1").text_content() == payload
        assert page.locator("cc-transcript .said").all_text_contents() == [payload]
        assert payload in (page.locator("[data-parameters]").text_content() or "")
        page.locator("#find").fill("window")
        assert unharmed(page), payload


def test_hostile_text_that_comes_live_stays_text(
    arrive: Callable[..., Page], page: Page, stage: Stage
) -> None:
    call, sid = stage.live_call()
    arrive("mina", f"/calls/{call}/")
    expect(page.locator("cc-connection")).to_have_text("Live")
    for n, payload in enumerate(PAYLOADS, start=1):
        line = {"call": call, "stream": sid, "track": "inbound", "utterance": f"{sid}/inbound/{n}"}
        stage.tick("partials", [{**line, "text": payload}])
        stage.play("say", sid=sid, text=payload, number=n, start_ms=n * 1000)
    expect(page.locator("cc-transcript .said")).to_have_text(PAYLOADS)
    assert unharmed(page)
