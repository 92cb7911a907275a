"""A browser that calls out: its TwiML application is asked what happens."""

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from tests.emulator.conftest import ACCOUNT_SID, OFFICE, Box
from tests.emulator.pages import APPLICATION, Page, application, open_account, token
from tests.emulator.product import Product


@pytest.fixture
async def page(product: Product, box: Box) -> AsyncIterator[Page]:
    """Agent 7's page; the application asks /app/ of the product."""
    open_account(box)
    application(box, product.url, voice_fallback_url=f"{product.url}/fallback/")
    async with aiohttp.ClientSession() as http:
        made = await Page.open(box, http)
        await made.say("listen", token=token(box))
        await made.told("connected")
        yield made


async def invite(page: Page, **params: str) -> str:
    """Call out; the CallSid."""
    await page.say("invite", call="TJ1", params=params)
    return str((await page.told("ringing"))["sid"])


async def test_the_application_is_asked_as_twilio_asks_it(product: Product, box: Box, page: Page) -> None:
    sid = await invite(page, To="+31209999999", matter="17", empty="")
    await product.until(lambda: product.asked("/app/"))
    form = product.forms("/app/")[0]
    wanted = {
        "CallSid": sid,
        "AccountSid": ACCOUNT_SID,
        "Direction": "inbound",
        "From": "client:agent_7",
        "Caller": "client:agent_7",
        "To": "+31209999999",
        "ApplicationSid": APPLICATION,
        "CallStatus": "ringing",
        "matter": "17",
        "empty": "",
    }
    assert {name: form.get(name) for name in wanted} == wanted


async def test_an_application_made_by_rest_is_asked(product: Product, box: Box, page: Page) -> None:
    made = await box.twilio(
        lambda client: client.applications.create(
            friendly_name="desk", voice_url=f"{product.url}/desk/", voice_method="GET"
        )
    )
    await page.say("listen", token=token(box, application=made.sid))
    await page.told("connected", 2)
    await invite(page, matter="17")
    await product.until(lambda: product.asked("/desk/"))
    asked = product.asked("/desk/")[0]
    assert asked.method == "GET"
    assert f"ApplicationSid={made.sid}" in asked.query
    assert "matter=17" in asked.query


async def test_without_a_to_it_is_empty(product: Product, page: Page) -> None:
    await invite(page)
    await product.until(lambda: product.asked("/app/"))
    assert product.forms("/app/")[0]["To"] == ""


@pytest.mark.parametrize(
    "field",
    ["CallSid", "AccountSid", "From", "Direction", "ApplicationSid", "CallStatus", "Digits", "FromCity"],
)
async def test_no_parameter_overrides_a_field_of_twilios(product: Product, page: Page, field: str) -> None:
    await invite(page, **{field: "forged", "To": OFFICE})
    await product.until(lambda: product.asked("/app/"))
    assert "forged" not in product.forms("/app/")[0].values()


async def test_parameters_of_the_token_stand_above_the_pages(product: Product, box: Box, page: Page) -> None:
    await page.say("listen", token=token(box, params={"desk": "north"}))
    await page.told("connected", 2)
    await invite(page, desk="forged", other="mine")
    await product.until(lambda: product.asked("/app/"))
    form = product.forms("/app/")[0]
    assert (form["desk"], form["other"]) == ("north", "mine")


async def test_what_answers_the_call_answers_the_page(product: Product, box: Box, page: Page) -> None:
    product.answers["/app/"] = (
        "<Response><Pause length='5'/><Say>Good day</Say><Pause length='60'/></Response>"
    )
    sid = await invite(page)
    await box.clock.advance(1)
    assert not [m for m in page.messages if m["type"] == "answer"]
    await box.clock.advance(5)
    answer = await page.told("answer")
    assert answer["call"] == sid


async def test_a_call_to_a_number_rings_until_it_is_bridged(product: Product, box: Box, page: Page) -> None:
    product.answers["/app/"] = "<Response><Dial answerOnBridge='true'>+31209999999</Dial></Response>"
    sid = await invite(page)
    await box.clock.advance(1)
    assert (await box.call(sid))["status"] == "ringing"
    assert page.sound
    await box.clock.advance(2)
    await page.told("answer")
    assert (await box.children(sid))[0]["from"] == "client:agent_7"


async def test_keys_reach_a_gather(product: Product, box: Box, page: Page) -> None:
    product.answers["/app/"] = "<Response><Gather numDigits='3' action='/keys/'/></Response>"
    sid = await invite(page)
    await box.clock.advance(1)
    for digit in "42#":
        await page.say("digits", call=sid, digits=digit)
    await page.say("digits", call=sid, digits="9")
    await page.say("ping")
    await page.told("pong")
    await box.clock.advance(6)
    assert product.forms("/keys/")[0]["Digits"] == "42"


async def test_keys_reach_a_bidirectional_stream(product: Product, box: Box, page: Page) -> None:
    stream = f"<Stream url='{product.socket_url}/media/bot/'/>"
    product.answers["/app/"] = f"<Response><Connect>{stream}</Connect></Response>"
    sid = await invite(page)
    await box.clock.advance(1)
    await page.say("digits", call=sid, digits="5*")
    pressed = await product.until(lambda: len(product.sockets[0].of("dtmf")) == 2 and product.sockets[0])
    assert [message["dtmf"]["digit"] for message in pressed.of("dtmf")] == ["5", "*"]


async def test_callbacks_and_fallback_are_the_applications(product: Product, box: Box, page: Page) -> None:
    application(
        box,
        product.url,
        voice_url=f"{product.url}/broken/",
        voice_fallback_url=f"{product.url}/fallback/",
        status_callback=f"{product.url}/ended/",
    )
    product.answers |= {"/broken/": "no XML", "/fallback/": "<Response><Hangup/></Response>"}
    sid = await invite(page, matter="17")
    await product.until(lambda: product.asked("/ended/"))
    fallback = product.forms("/fallback/")[0]
    assert (fallback["ErrorCode"], fallback["matter"]) == ("12100", "17")
    ended = product.forms("/ended/")[0]
    assert (ended["CallSid"], ended["CallbackSource"]) == (sid, "call-progress-events")
    assert (await page.told("hangup"))["call"] == sid


async def test_a_caller_who_hangs_up_ends_it(product: Product, box: Box, page: Page) -> None:
    product.answers["/app/"] = "<Response><Say>Good day</Say><Pause length='60'/></Response>"
    sid = await invite(page)
    await page.told("answer")
    await page.say("hangup", call=sid)
    await page.told("hangup")
    assert (await box.call(sid))["status"] == "completed"


@pytest.mark.parametrize(
    ("grant", "code"),
    [({"application": None}, 31002), ({"application": "AP" + "0" * 32}, 31001), ({}, 31103)],
    ids=["no application granted", "no such application", "too many parameters"],
)
async def test_a_call_that_may_not_be_made_is_refused(
    box: Box, page: Page, grant: dict[str, Any], code: int
) -> None:
    await page.say("listen", token=token(box, **grant))
    await page.told("connected", 2)
    await page.say("invite", call="TJ1", params={"long": "x" * 5000} if code == 31103 else {})
    end = await page.told("hangup")
    assert (end["call"], end["error"]["code"]) == ("TJ1", code)


async def test_only_one_call_at_a_time(product: Product, box: Box, page: Page) -> None:
    product.answers["/app/"] = "<Response><Pause length='60'/></Response>"
    await invite(page)
    await page.say("invite", call="TJ2", params={})
    end = await page.told("hangup")
    assert (end["call"], end["error"]["code"]) == ("TJ2", 31100)
    assert len(box.exchange.legs) == 1
