"""The REST API, driven by Twilio's own library and, where that hides the wire, by plain requests."""

import base64
from typing import Any

import aiohttp
import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.rest import Client

from tests.emulator.conftest import ACCOUNT_SID, ALICE, OFFICE, TOKEN, Box
from tests.emulator.product import Product

LISTEN = "<Response><Say>Hello</Say><Pause length='60'/></Response>"


async def live(product: Product, box: Box) -> str:
    """A call in progress that waits in a long pause."""
    product.answers["/twilio/voice/"] = LISTEN
    sid = await box.place()
    await box.clock.advance(2)
    return sid


def basic(user: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


async def raw(box: Box, method: str, path: str, **options) -> tuple[int, Any]:
    options.setdefault("headers", basic(ACCOUNT_SID, TOKEN))
    url = f"{box.url}/2010-04-01/Accounts/{ACCOUNT_SID}{path}"
    async with aiohttp.ClientSession() as http, http.request(method, url, **options) as answer:
        return answer.status, await answer.json() if answer.status != 204 else None


async def test_a_call_is_fetched_with_strings_where_twilio_has_strings(product: Product, box: Box) -> None:
    sid = await live(product, box)
    status, call = await raw(box, "GET", f"/Calls/{sid}.json")
    assert status == 200
    assert {
        "sid": sid,
        "account_sid": ACCOUNT_SID,
        "from": ALICE,
        "to": OFFICE,
        "status": "in-progress",
        "direction": "inbound",
        "duration": None,
        "start_time": "Fri, 20 Nov 2026 10:15:00 +0000",
        "end_time": None,
        "parent_call_sid": None,
        "api_version": "2010-04-01",
        "uri": f"/2010-04-01/Accounts/{ACCOUNT_SID}/Calls/{sid}.json",
    }.items() <= call.items()
    assert call["subresource_uris"]["streams"].endswith(f"/Calls/{sid}/Streams.json")


async def test_calls_are_listed_filtered_and_paged_newest_first(product: Product, box: Box) -> None:
    product.answers["/twilio/voice/"] = LISTEN
    sids = [await box.place() for _ in range(5)]
    await box.clock.advance(2)
    await box.post(f"/emulator/calls/{sids[0]}/hangup/", {})

    def listed(client: Client, **filters: object) -> list[str]:
        return [str(call.sid) for call in client.calls.list(**filters)]

    assert await box.twilio(lambda client: listed(client, page_size=2)) == sids[::-1]
    assert await box.twilio(lambda client: listed(client, status="completed")) == sids[:1]
    assert await box.twilio(lambda client: listed(client, from_="+1999")) == []
    status, page = await raw(box, "GET", "/Calls.json?Status=in-progress&PageSize=3")
    assert status == 200
    assert (page["page"], page["page_size"], page["start"], page["end"]) == (0, 3, 0, 2)
    path = f"/2010-04-01/Accounts/{ACCOUNT_SID}/Calls.json?Status=in-progress&PageSize=3"
    assert page["next_page_uri"] == f"{path}&Page=1&PageToken=PA{sids[2]}"
    assert page["previous_page_uri"] is None


@pytest.mark.parametrize(
    ("user", "password"), [(ACCOUNT_SID, "wrong"), ("ACother", TOKEN)], ids=["token", "account"]
)
async def test_wrong_credentials_are_20003(box: Box, user: str, password: str) -> None:
    status, body = await raw(box, "GET", "/Calls.json", headers=basic(user, password))
    assert status == 401
    assert body == {
        "code": 20003,
        "message": "Authenticate",
        "more_info": "https://www.twilio.com/docs/errors/20003",
        "status": 401,
    }


async def test_the_account_is_asked_for_before_anything_is_looked_up(box: Box) -> None:
    status, body = await raw(box, "GET", "/Nothing.json", headers={})
    assert (status, body["code"]) == (401, 20003)


async def test_unknown_resources_are_20404(box: Box) -> None:
    for path in ("/Calls/CA0.json", "/Nothing.json", "/IncomingPhoneNumbers/PN0.json"):
        status, body = await raw(box, "GET", path)
        assert (status, body["code"], body["status"]) == (404, 20404, 404)
        assert body["message"].startswith("The requested resource /2010-04-01/")


async def test_another_account_is_not_found(box: Box) -> None:
    url = f"{box.url}/2010-04-01/Accounts/AC{'b' * 32}/Calls.json"
    async with aiohttp.ClientSession(headers=basic(ACCOUNT_SID, TOKEN)) as http, http.get(url) as answer:
        assert answer.status == 404


async def test_a_call_is_ended_by_rest_and_then_gone_for_updates(product: Product, box: Box) -> None:
    sid = await live(product, box)
    ended = await box.twilio(lambda client: client.calls(sid).update(status="completed"))
    assert (ended.status, ended.duration) == ("completed", "2")
    with pytest.raises(TwilioRestException) as error:
        await box.twilio(lambda client: client.calls(sid).update(status="completed"))
    assert (error.value.status, error.value.code) == (404, 20404)
    await product.until(lambda: product.forms("/twilio/call-status/", CallStatus="completed"))


async def test_a_ringing_call_is_canceled_and_a_live_one_is_not(product: Product, box: Box) -> None:
    product.answers["/twilio/voice/"] = "<Response><Pause length='30'/><Say>Late</Say></Response>"
    ringing = await box.place()
    await box.clock.advance(1)
    canceled = await box.twilio(lambda client: client.calls(ringing).update(status="canceled"))
    assert canceled.status == "canceled"
    talking = await live(product, box)
    with pytest.raises(TwilioRestException) as error:
        await box.twilio(lambda client: client.calls(talking).update(status="canceled"))
    assert error.value.status == 400


async def test_new_twiml_takes_the_place_of_what_runs(product: Product, box: Box) -> None:
    sid = await live(product, box)
    await box.twilio(lambda client: client.calls(sid).update(url=f"{product.url}/other/"))
    await box.clock.advance(1)
    assert product.forms("/other/")[0]["CallStatus"] == "in-progress"
    assert (await box.call(sid))["status"] == "completed"


async def test_inline_twiml_takes_the_place_of_what_runs(product: Product, box: Box) -> None:
    sid = await live(product, box)
    await box.twilio(lambda client: client.calls(sid).update(twiml="<Response><Hangup/></Response>"))
    await box.clock.advance(1)
    assert (await box.call(sid))["reason"] == "<Hangup>"


async def test_a_call_that_rings_cannot_be_redirected(product: Product, box: Box) -> None:
    product.answers["/twilio/voice/"] = "<Response><Pause length='30'/></Response>"
    sid = await box.place()
    await box.clock.advance(1)
    with pytest.raises(TwilioRestException) as error:
        await box.twilio(lambda client: client.calls(sid).update(url=f"{product.url}/other/"))
    assert error.value.status == 400
    assert "Call is not in-progress. Cannot redirect." in error.value.msg


async def test_a_call_is_placed_by_rest_and_tells_its_progress(product: Product, box: Box) -> None:
    product.answers["/out/"] = LISTEN

    def create(client: Client) -> object:
        return client.calls.create(
            to=ALICE,
            from_=OFFICE,
            url=f"{product.url}/out/",
            status_callback=f"{product.url}/progress/",
            status_callback_event=["initiated", "ringing", "answered", "completed"],
        )

    call = await box.twilio(create)
    assert (call.status, call.direction, call._from) == ("queued", "outbound-api", OFFICE)
    await box.clock.advance(5)
    assert product.forms("/out/")[0]["CallStatus"] == "in-progress"
    await box.twilio(lambda client: client.calls(call.sid).update(status="completed"))
    forms = await product.until(lambda: len(product.forms("/progress/")) == 4 and product.forms("/progress/"))
    assert [form["CallStatus"] for form in forms] == ["initiated", "ringing", "in-progress", "completed"]


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"From": OFFICE, "Url": "http://x/"}, 21201),
        ({"To": ALICE, "Url": "http://x/"}, 21213),
        ({"To": ALICE, "From": OFFICE}, 21205),
        ({"To": ALICE, "From": OFFICE, "Url": "ftp://x/"}, 21205),
        ({"To": ALICE, "From": OFFICE, "Twiml": "x" * 4001}, 20001),
    ],
    ids=["no To", "no From", "no Url", "no web address", "too much TwiML"],
)
async def test_a_call_that_lacks_something_is_refused(box: Box, fields: dict[str, str], code: int) -> None:
    status, body = await raw(box, "POST", "/Calls.json", data=fields)
    assert (status, body["code"]) == (400, code)


async def test_a_misspelt_event_list_is_taken_and_then_nothing_comes(product: Product, box: Box) -> None:
    product.answers["/out/"] = LISTEN
    fields = {"To": ALICE, "From": OFFICE, "Url": f"{product.url}/out/"}
    fields |= {"StatusCallback": f"{product.url}/progress/", "StatusCallbackEvent": "initiated ringing"}
    status, call = await raw(box, "POST", "/Calls.json", data=fields)
    await box.clock.advance(5)
    assert status == 201
    assert product.asked("/progress/") == []
    assert (await box.call(call["sid"]))["notifications"][0]["code"] == 21626


async def test_a_number_is_found_by_its_digits_and_given_new_addresses(product: Product, box: Box) -> None:
    def move(client: Client) -> list[str]:
        number = client.incoming_phone_numbers.list(phone_number=OFFICE)[0]
        assert number.voice_url == f"{product.url}/twilio/voice/"
        assert number.capabilities["voice"] is True
        changed = client.incoming_phone_numbers(number.sid).update(
            voice_url=f"{product.url}/new/",
            voice_fallback_url=f"{product.url}/new-fallback/",
            status_callback=f"{product.url}/new-status/",
        )
        fetched = client.incoming_phone_numbers(number.sid).fetch()
        assert fetched.voice_url == changed.voice_url
        return [str(fetched.voice_url), str(fetched.voice_fallback_url), str(fetched.status_callback)]

    addresses = await box.twilio(move)
    assert addresses == [f"{product.url}/new/", f"{product.url}/new-fallback/", f"{product.url}/new-status/"]
    sid = await box.place()
    await box.clock.advance(1)
    assert product.forms("/new/")[0]["CallSid"] == sid
    await product.until(lambda: product.forms("/new-status/"))


async def test_a_fallback_without_a_voice_address_is_21405(box: Box) -> None:
    number = next(iter(box.exchange.world.numbers.values()))
    fields = {"VoiceUrl": "", "VoiceFallbackUrl": "https://x/"}
    status, body = await raw(box, "POST", f"/IncomingPhoneNumbers/{number.sid}.json", data=fields)
    assert (status, body["code"]) == (400, 21405)


async def test_nobody_owns_a_number_that_was_never_given(box: Box) -> None:
    assert await box.twilio(lambda client: client.incoming_phone_numbers.list(phone_number="+1999")) == []
