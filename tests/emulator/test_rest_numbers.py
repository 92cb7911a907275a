"""Numbers and TwiML applications by REST: bought, set up, shared, given back."""

from typing import Any

import pytest

from tests.emulator.conftest import OFFICE, Box
from tests.emulator.product import Product
from tests.emulator.test_rest import LISTEN, raw

NOBODY = "AP" + "0" * 32


def path(box: Box, number: str = OFFICE) -> str:
    return f"/IncomingPhoneNumbers/{box.exchange.world.numbers[number].sid}.json"


async def application(box: Box, **fields: str) -> dict[str, Any]:
    status, made = await raw(box, "POST", "/Applications.json", data=fields)
    assert status == 201
    return dict(made)


async def test_a_number_is_bought_called_and_given_back(product: Product, box: Box) -> None:
    fields = {"PhoneNumber": "(415) 555-0123", "VoiceUrl": f"{product.url}/shop/", "FriendlyName": "Shop"}
    status, made = await raw(box, "POST", "/IncomingPhoneNumbers.json", data=fields)
    assert (status, made["phone_number"], made["friendly_name"]) == (201, "+14155550123", "Shop")
    assert (made["status_callback"], made["voice_fallback_url"]) == ("", "")
    product.answers["/shop/"] = LISTEN
    await box.place(to="+14155550123")
    await box.clock.advance(1)
    assert product.forms("/shop/")[0]["To"] == "+14155550123"
    status, _ = await raw(box, "DELETE", path(box, "+14155550123"))
    assert status == 204
    _, left = await raw(box, "GET", "/IncomingPhoneNumbers.json?PhoneNumber=415555")
    assert left["incoming_phone_numbers"] == []


async def test_any_number_of_an_area_is_bought_by_the_seed(box: Box) -> None:
    made = [await raw(box, "POST", "/IncomingPhoneNumbers.json", data={"AreaCode": "415"}) for _ in range(2)]
    numbers = [number["phone_number"] for _, number in made]
    assert all(number.startswith("+1415555") and len(number) == 12 for number in numbers)
    assert numbers[0] != numbers[1]


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({}, 21421),
        ({"PhoneNumber": "a number"}, 21421),
        ({"PhoneNumber": "123"}, 21421),
        ({"PhoneNumber": OFFICE}, 21422),
        ({"AreaCode": "000"}, 21451),
        ({"AreaCode": "415", "VoiceUrl": "/relative/"}, 21402),
        ({"AreaCode": "415", "VoiceMethod": "PUT"}, 21403),
        ({"AreaCode": "415", "VoiceFallbackUrl": "https://example.com/"}, 21405),
        ({"AreaCode": "415", "SmsFallbackUrl": "https://example.com/"}, 21406),
        ({"AreaCode": "415", "FriendlyName": "x" * 65}, 20002),
        ({"AreaCode": "415", "VoiceApplicationSid": NOBODY}, 22108),
        ({"AreaCode": "415", "VoiceApplicationSid": "mine"}, 22108),
        ({"AreaCode": "415", "TrunkSid": "TK" + "0" * 32}, 20001),
        ({"AreaCode": "415", "AddressSid": "home"}, 20001),
        ({"AreaCode": "415", "VoiceReceiveMode": "letter"}, 20001),
        ({"AreaCode": "415", "ApiVersion": "2030-01-01"}, 20001),
    ],
)
async def test_a_number_that_cannot_be_had_is_not_bought(box: Box, fields: dict[str, str], code: int) -> None:
    status, body = await raw(box, "POST", "/IncomingPhoneNumbers.json", data=fields)
    assert (status, body["code"]) == (400, code)
    assert list(box.exchange.world.numbers) == [OFFICE]


async def test_numbers_are_found_by_parts_of_them(box: Box) -> None:
    box.exchange.world.number("+15550100199")
    for query, found in (
        ("PhoneNumber=5550100", 1),
        ("PhoneNumber=%2B1555*1001", 1),
        ("PhoneNumber=555**9999", 0),
        ("FriendlyName=%2B15550100199", 1),
        ("Origin=hosted", 0),
        ("Beta=true", 0),
        ("PhoneNumber=[", 0),
        ("", 2),
    ):
        _, page = await raw(box, "GET", f"/IncomingPhoneNumbers.json?{query}")
        assert len(page["incoming_phone_numbers"]) == found, query


async def test_what_nothing_comes_of_is_kept_and_shown(box: Box) -> None:
    fields = {"SmsUrl": "https://example.com/sms/", "SmsMethod": "GET", "EmergencyStatus": "Active"}
    fields |= {"AddressSid": "AD" + "1" * 32, "BundleSid": "BU" + "2" * 32}
    status, shown = await raw(box, "POST", path(box), data=fields)
    assert (status, shown["sms_url"], shown["sms_method"]) == (200, "https://example.com/sms/", "GET")
    assert (shown["address_sid"], shown["bundle_sid"]) == ("AD" + "1" * 32, "BU" + "2" * 32)
    assert shown["emergency_status"] == "Active"
    _, shown = await raw(box, "POST", path(box), data={"AddressSid": ""})
    assert shown["address_sid"] is None


async def test_an_application_overrides_the_addresses_of_a_number(product: Product, box: Box) -> None:
    fields = {"VoiceUrl": f"{product.url}/app/", "StatusCallback": f"{product.url}/app-status/"}
    made = await application(box, FriendlyName="Desk", **fields)
    _, number = await raw(box, "POST", path(box), data={"VoiceApplicationSid": made["sid"]})
    assert number["voice_application_sid"] == made["sid"]
    assert number["voice_url"] == f"{product.url}/twilio/voice/"
    sid = await box.place()
    await box.clock.advance(1)
    await product.until(lambda: product.forms("/app-status/", CallSid=sid))
    assert product.forms("/app/")[0]["ApplicationSid"] == made["sid"]
    await raw(box, "POST", path(box), data={"VoiceApplicationSid": ""})
    await box.place()
    await box.clock.advance(1)
    assert len(product.asked("/twilio/voice/")) == 1


async def test_an_application_is_made_found_changed_and_forgotten(box: Box) -> None:
    made = await application(box, FriendlyName="Desk", PublicApplicationConnectEnabled="true")
    await application(box, FriendlyName="Door")
    one = f"/Applications/{made['sid']}.json"
    assert made["public_application_connect_enabled"] is True
    _, found = await raw(box, "GET", "/Applications.json?FriendlyName=Desk")
    assert [a["sid"] for a in found["applications"]] == [made["sid"]]
    fields = {"VoiceUrl": "https://example.com/", "VoiceMethod": "GET", "VoiceCallerIdLookup": "true"}
    fields |= {"MessageStatusCallback": "https://example.com/texts/"}
    status, changed = await raw(box, "POST", one, data=fields)
    assert (status, changed["friendly_name"], changed["voice_method"]) == (200, "Desk", "GET")
    assert changed["message_status_callback"] == "https://example.com/texts/"
    assert (await raw(box, "GET", one))[1] == changed
    assert (await raw(box, "DELETE", one))[0] == 204
    for method in ("GET", "POST", "DELETE"):
        status, body = await raw(box, method, one)
        assert (status, body["code"]) == (404, 20404)


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"FriendlyName": "x" * 65}, 20002),
        ({"VoiceUrl": "nowhere"}, 21402),
        ({"StatusCallbackMethod": "PUT"}, 21403),
        ({"VoiceFallbackUrl": "https://example.com/"}, 21405),
        ({"MessageStatusCallback": "nowhere"}, 21402),
    ],
)
async def test_an_application_that_makes_no_sense_is_refused(
    box: Box, fields: dict[str, str], code: int
) -> None:
    status, body = await raw(box, "POST", "/Applications.json", data=fields)
    assert (status, body["code"]) == (400, code)
    made = await application(box)
    status, body = await raw(box, "POST", f"/Applications/{made['sid']}.json", data=fields)
    assert (status, body["code"]) == (400, code)
    assert len(box.exchange.world.applications) == 1
