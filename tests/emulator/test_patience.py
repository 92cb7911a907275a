"""What tests wait for comes, or they say what it was."""

import asyncio

import aiohttp
import pytest

from tests.emulator import patience
from tests.emulator.conftest import Box
from tests.emulator.pages import FRAME, Page
from tests.emulator.product import Product


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "PATIENCE_S", 0.01)


async def test_what_has_come_is_given_back() -> None:
    assert await patience.until(lambda: [7], asyncio.Event(), list) == [7]


@pytest.mark.usefixtures("impatient")
async def test_a_product_that_is_never_asked_says_what_it_was_asked_instead(product: Product) -> None:
    async with aiohttp.ClientSession() as http:
        await http.post(f"{product.url}/other/", data={"Digits": "1"})
    with pytest.raises(AssertionError, match=r"for .*asked\(\"/voice/\"\).*; heard: .*/other/"):
        await product.until(lambda: product.asked("/voice/"))


@pytest.mark.usefixtures("impatient")
async def test_a_page_that_is_never_told_says_what_it_was_told_instead(box: Box) -> None:
    async with aiohttp.ClientSession() as http:
        page = await Page.open(box, http)
        with pytest.raises(AssertionError, match=r"in vain for .*; heard: "):
            await page.told("incoming")
        with pytest.raises(AssertionError, match=r"in vain for .*; heard: .*0 frames"):
            await page.hears(FRAME)
        await page.ws.close()
