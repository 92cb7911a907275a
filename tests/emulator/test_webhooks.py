"""Requests to the application: signed, limited, retried, and what happens when they fail."""

import pytest
from aiohttp import web

from emulator.webhooks import overrides
from tests.emulator.conftest import OFFICE, Box
from tests.emulator.product import Product
from tests.twilio import signature

WAIT = "<Response><Say>Hello</Say><Pause length='60'/></Response>"


def failing(status: int) -> web.Response:
    return web.Response(status=status, text="no")


async def test_every_field_is_signed_empty_ones_too(product: Product, box: Box) -> None:
    product.answers["/twilio/voice/"] = WAIT
    await box.place(caller_name="Åse & Søn", params={"FromCity": "", "StirVerstat": "TN-Validation-Passed-A"})
    await box.clock.advance(1)
    heard = product.asked("/twilio/voice/")[0]
    assert heard.form["CallerName"] == "Åse & Søn"
    assert heard.form["FromCity"] == ""
    assert heard.form["StirVerstat"] == "TN-Validation-Passed-A"
    assert heard.headers["X-Twilio-Signature"] == signature(f"{product.url}/twilio/voice/", heard.form)
    assert heard.headers["User-Agent"] == "TwilioProxy/1.1"
    assert heard.headers["I-Twilio-Idempotency-Token"]


@pytest.mark.parametrize(
    "caller",
    ["anonymous", "client:agent_7", "sip:x@example.com", "", "\x00\ud800\u202e", "x" * 65536],
    ids=["anonymous", "client", "sip", "empty", "odd characters", "64 kB"],
)
async def test_odd_callers_are_passed_on_as_they_are(product: Product, box: Box, caller: str) -> None:
    product.answers["/twilio/voice/"] = WAIT
    status, _ = await box.post("/emulator/calls/", {"from": caller, "to": OFFICE})
    assert status == 201
    await box.clock.advance(1)
    heard = product.asked("/twilio/voice/")[0]
    assert heard.form["From"] == caller.replace("\ud800", "?")
    assert heard.headers["X-Twilio-Signature"] == signature(f"{product.url}/twilio/voice/", heard.form)


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (failing(500), "11200"),
        (failing(404), "11200"),
        ("<Response", "12100"),
        ("", "12100"),
        ("<Answer/>", "12102"),
        (web.json_response({}), "12300"),
    ],
    ids=["500", "404", "not XML", "nothing", "no Response", "JSON"],
)
async def test_a_useless_answer_sends_the_call_to_the_fallback(
    product: Product, box: Box, answer: object, code: str
) -> None:
    product.answers |= {"/twilio/voice/": answer, "/twilio/fallback/": WAIT}
    sid = await box.place()
    await box.clock.advance(1)
    heard = product.asked("/twilio/fallback/")[0]
    assert heard.form["ErrorCode"] == code
    assert heard.form["ErrorUrl"] == f"{product.url}/twilio/voice/"
    assert heard.form["CallSid"] == sid
    assert heard.headers["X-Twilio-Signature"] == signature(f"{product.url}/twilio/fallback/", heard.form)
    assert (await box.call(sid))["status"] == "in-progress"


async def test_when_the_fallback_fails_as_well_the_call_ends(product: Product, box: Box) -> None:
    product.answers |= {"/twilio/voice/": failing(500), "/twilio/fallback/": failing(500)}
    sid = await box.place()
    await box.clock.advance(1)
    call = await box.call(sid)
    assert [note["code"] for note in call["notifications"]] == [11200, 11200]
    assert call["status"] == "completed"


async def test_a_target_that_is_down_is_11205(product: Product, box: Box) -> None:
    number = box.exchange.world.number(OFFICE)
    number.voice_url, number.voice_fallback_url = "http://127.0.0.1:9/voice/", ""
    sid = await box.place()
    await box.clock.advance(1)
    call = await box.call(sid)
    assert [note["code"] for note in call["notifications"]] == [11205]
    # No connection is the one failure that is tried again by itself.
    assert call["webhooks"][0]["status"] == 0
    assert len([hook for hook in call["webhooks"] if hook["kind"] == "voice"]) == 2


async def test_the_fragment_says_what_is_tried_again_and_is_never_sent(product: Product, box: Box) -> None:
    product.answers["/voice/"] = [
        failing(500),
        failing(503),
        web.Response(text=WAIT, content_type="text/xml"),
    ]
    box.exchange.world.number(OFFICE).voice_url = f"{product.url}/voice/#rc=2&rp=5xx"
    sid = await box.place()
    await box.clock.advance(1)
    heard = product.asked("/voice/")
    assert [one.headers["X-Twilio-Signature"] for one in heard] == [
        signature(f"{product.url}/voice/", one.form) for one in heard
    ]
    assert len(heard) == 3
    assert len({one.headers["I-Twilio-Idempotency-Token"] for one in heard}) == 1
    assert (await box.call(sid))["status"] == "in-progress"


def test_overrides_out_of_range_are_held_to_twilios_limits() -> None:
    assert overrides("http://x/#rc=9&ct=99999&tt=99999&rp=all").retries == 5
    assert overrides("http://x/#rc=9&ct=99999&tt=99999").total == 15000
    assert overrides("http://x/#rc=many&rp=").retries == 1
    assert overrides("http://x/").retry("ct")
    assert not overrides("http://x/").retry("5xx")
    assert overrides("http://x/#rp=all").retry("4xx")


async def test_a_redirect_is_followed_as_get_without_the_fields(product: Product, box: Box) -> None:
    product.answers |= {
        "/twilio/voice/": web.Response(status=302, headers={"Location": "/elsewhere/?a=1"}),
        "/elsewhere/": WAIT,
    }
    await box.place()
    await box.clock.advance(1)
    heard = product.asked("/elsewhere/")[0]
    assert (heard.method, heard.query, heard.form) == ("GET", "a=1", {})
    assert heard.headers["X-Twilio-Signature"] == signature(f"{product.url}/elsewhere/?a=1")


async def test_get_carries_the_fields_in_the_signed_query(product: Product, box: Box) -> None:
    product.answers["/voice/"] = WAIT
    number = box.exchange.world.number(OFFICE)
    number.voice_url, number.voice_method = f"{product.url}/voice/?a=1", "GET"
    sid = await box.place()
    await box.clock.advance(1)
    heard = product.asked("/voice/")[0]
    assert heard.query.startswith("a=1&")
    assert f"CallSid={sid}" in heard.query
    assert heard.headers["X-Twilio-Signature"] == signature(f"{product.url}/voice/?{heard.query}")


async def test_a_verb_that_is_not_known_is_noted_and_passed_over(product: Product, box: Box) -> None:
    product.answers["/twilio/voice/"] = "<Response><Sing/><Redirect>next/</Redirect></Response>"
    sid = await box.place()
    await box.clock.advance(1)
    assert product.asked("/twilio/voice/next/")
    assert (await box.call(sid))["notifications"][0]["code"] == 12200


async def test_start_as_the_last_verb_hangs_up(product: Product, box: Box) -> None:
    url = f"{product.socket_url}/media/x/"
    product.answers["/twilio/voice/"] = f"<Response><Start><Stream url='{url}'/></Start></Response>"
    sid = await box.place()
    await box.clock.advance(1)
    assert (await box.call(sid))["reason"] == "end of TwiML"


async def test_reject_refuses_before_the_call_is_answered(product: Product, box: Box) -> None:
    product.answers["/twilio/voice/"] = "<Response><Reject reason='busy'/></Response>"
    sid = await box.place()
    await box.clock.advance(1)
    call = await box.call(sid)
    assert (call["status"], call["started"]) == ("busy", None)
