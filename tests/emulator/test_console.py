"""The console's page and what it is told: files, policies, live calls and lines."""

import re
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from emulator.doors import console, pages
from tests.emulator.conftest import ALICE, OFFICE, Box
from tests.emulator.product import Product

FILES = [path for path in pages.STATIC.rglob("*") if path.suffix in {".html", ".js", ".css"}]
RAW = ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function", "style=")


async def fetch(box: Box, path: str, **headers: str) -> tuple[int, dict[str, str], str]:
    async with aiohttp.ClientSession() as http, http.get(box.url + path, headers=headers) as answer:
        return answer.status, dict(answer.headers), await answer.text()


async def test_people_get_a_page_and_programs_get_json(box: Box) -> None:
    status, headers, text = await fetch(box, "/emulator/", Accept="text/html,application/xhtml+xml,*/*;q=0.8")
    assert (status, headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert "<title>Emulator</title>" in text
    for accept in ("*/*", "application/json"):
        _, headers, _ = await fetch(box, "/emulator/", Accept=accept)
        assert headers["Content-Type"].startswith("application/json")


@pytest.mark.parametrize("path", ["/", "/emulator"])
async def test_whoever_asks_nearby_is_led_to_it(box: Box, path: str) -> None:
    status, _, text = await fetch(box, path, Accept="text/html")
    assert (status, "<title>Emulator</title>" in text) == (200, True)


async def test_the_page_and_its_files_come_with_a_strict_policy(box: Box) -> None:
    _, _, text = await fetch(box, "/emulator/", Accept="text/html")
    names = re.findall(r'(?:src|href)="(console\.\w+)"', text)
    assert sorted(names) == ["console.css", "console.js"]
    for path in ("", *names):
        status, headers, _ = await fetch(box, f"/emulator/{path}", Accept="text/html")
        policy = headers["Content-Security-Policy"]
        assert (status, "default-src 'none'" in policy, "unsafe" in policy) == (200, True, False)
        assert headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_no_file_lets_text_become_markup_or_style(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert [word for word in RAW if word in text] == []


def test_every_part_of_the_softphone_is_in_its_script() -> None:
    parts = {path.stem for path in (pages.STATIC / "softphone").glob("*.js")}
    assert parts == set(pages.PARTS)


def test_each_part_uses_only_those_before_it() -> None:
    for at, name in enumerate(pages.PARTS):
        text = (pages.STATIC / "softphone" / f"{name}.js").read_text(encoding="utf-8")
        used = re.findall(r'^import .* from "\./(\w+)\.js";$', text, re.M)
        assert set(used) <= set(pages.PARTS[:at]), name


async def state(box: Box) -> Any:
    return await box.get("/emulator/console/")


async def test_live_calls_are_shown_with_their_streams_and_the_legs_they_dialled(
    product: Product, box: Box
) -> None:
    tap = f"<Start><Stream name='tap' url='{product.socket_url}/media/x/' track='both_tracks'/></Start>"
    product.answers["/twilio/voice/"] = f"<Response>{tap}<Dial>+31209999999</Dial></Response>"
    sid = await box.place()
    await product.until(lambda: product.sockets)
    await box.clock.advance(3)
    shown = await state(box)
    child, parent = shown["calls"]
    assert (parent["sid"], parent["from"], parent["to"], parent["status"]) == (
        sid,
        ALICE,
        OFFICE,
        "in-progress",
    )
    assert (child["parent"], child["direction"]) == (sid, "outbound-dial")
    assert [(one["name"], one["tracks"]) for one in parent["streams"]] == [("tap", ["inbound", "outbound"])]
    assert (shown["live"], shown["numbers"], shown["target"]) == (2, [OFFICE], product.url)


async def test_a_call_that_has_ended_is_only_in_the_lines(product: Product, box: Box) -> None:
    product.answers["/twilio/voice/"] = "<Response><Hangup/></Response>"
    await box.place()
    await box.clock.advance(1)
    shown = await state(box)
    assert (shown["live"], shown["calls"]) == (0, [])
    texts = [line["text"] for line in shown["lines"] if line["kind"] == "status"]
    assert texts[0] == f"{ALICE} → {OFFICE}: completed"


async def test_lines_say_what_went_wrong(product: Product, box: Box) -> None:
    product.answers["/twilio/voice/"] = "this is no XML"
    product.answers["/twilio/fallback/"] = "<Response><Hangup/></Response>"
    await box.place()
    await box.clock.advance(1)
    lines = (await state(box))["lines"]
    notes = [line for line in lines if line["kind"] == "note"]
    assert (notes[0]["text"].split()[0], notes[0]["bad"]) == ("12100", True)
    hooks = [line["text"] for line in lines if line["kind"] == "webhook"]
    assert any(text.startswith("fallback: POST /twilio/fallback/ → 200 in ") for text in hooks)


async def test_rest_requests_are_lines_without_the_accounts_part(box: Box) -> None:
    await box.twilio(lambda client: client.calls.list(limit=1))
    await fetch(box, "/2010-04-01/Accounts/AC1/Calls.json")
    lines = [line for line in (await state(box))["lines"] if line["kind"] == "rest"]
    assert [(line["text"], line["bad"]) for line in lines] == [
        ("GET /Calls.json → 401, 20003", True),
        ("GET /Calls.json (PageSize=1) → 200", False),
    ]


async def test_what_is_shown_is_bounded(product: Product, box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console, "MAX_LIVE", 2)
    monkeypatch.setattr(console, "MAX_LINES", 5)
    product.answers["/twilio/voice/"] = "<Response><Pause length='60'/></Response>"
    for _ in range(4):
        await box.place()
    await box.clock.advance(1)
    shown = await state(box)
    assert (shown["live"], len(shown["calls"]), len(shown["lines"])) == (4, 2, 5)


async def test_faults_can_be_read(box: Box) -> None:
    await box.post("/emulator/faults/", {"delay_rest_ms": 5})
    assert (await box.get("/emulator/faults/"))["delay_rest_ms"] == 5
