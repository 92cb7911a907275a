"""Regions: hosts and ports of their own, credentials of their own, resources of their own."""

import argparse
from typing import Any

import aiohttp
import pytest
from twilio.request_validator import RequestValidator

from emulator.arguments import region
from emulator.regions import address
from tests.emulator.conftest import ACCOUNT_SID, ALICE, ELSEWHERE, OFFICE, TOKEN, Box
from tests.emulator.product import Product
from tests.emulator.test_program import program
from tests.emulator.test_rest import LISTEN, basic, raw

HOSTS = {"us1": "api.twilio.com", "ie1": "api.dublin.ie1.twilio.com", "au1": "api.sydney.au1.twilio.com"}
TOKENS = {"us1": TOKEN, **ELSEWHERE}


async def there(
    box: Box, name: str, method: str, path: str, token: str = "", **options: Any
) -> tuple[int, Any]:
    """Ask this region, by the name of its host."""
    headers = basic(ACCOUNT_SID, token or TOKENS[name]) | {"Host": HOSTS[name]}
    return await raw(box, method, path, headers=headers, **options)


async def route(box: Box, method: str, name: str = OFFICE, **fields: str) -> tuple[int, Any]:
    """Ask Routes v2 of a number."""
    url = f"{box.url}/v2/PhoneNumbers/{name}"
    async with (
        aiohttp.ClientSession(headers=basic(ACCOUNT_SID, TOKEN)) as http,
        http.request(method, url, data=fields or None) as answer,
    ):
        return answer.status, await answer.json(content_type=None)


@pytest.mark.parametrize("name", HOSTS)
async def test_a_region_is_opened_by_its_own_credentials_alone(box: Box, name: str) -> None:
    assert (await there(box, name, "GET", "/Calls.json"))[0] == 200
    for other in set(TOKENS) - {name}:
        status, body = await there(box, name, "GET", "/Calls.json", TOKENS[other])
        assert (status, body["code"]) == (401, 20003)


@pytest.mark.parametrize("host", ["api.ie1.twilio.com", "api.dublin.jp1.twilio.com", "a.b.c.d.twilio.com"])
async def test_a_host_that_twilio_does_not_have_is_not_found(box: Box, host: str) -> None:
    headers = basic(ACCOUNT_SID, ELSEWHERE["ie1"]) | {"Host": host}
    status, body = await raw(box, "GET", "/Calls.json", headers=headers)
    assert (status, body["code"]) == (404, 20404)


async def test_what_is_made_in_a_region_exists_there_alone(product: Product, box: Box) -> None:
    fields = {"To": ALICE, "From": OFFICE, "Twiml": "<Response><Enqueue>wait</Enqueue></Response>"}
    _, call = await there(box, "ie1", "POST", "/Calls.json", data=fields)
    await box.clock.advance(9)
    _, queues = await there(box, "ie1", "GET", "/Queues.json")
    _, tape = await there(box, "ie1", "POST", f"/Calls/{call['sid']}/Recordings.json")
    _, app = await there(box, "ie1", "POST", "/Applications.json", data={"FriendlyName": "Desk"})
    fields = {"To": "+31207654321", "From": OFFICE}
    _, guest = await there(box, "ie1", "POST", "/Conferences/room/Participants.json", data=fields)
    paths = [
        f"/Calls/{call['sid']}.json",
        f"/Queues/{queues['queues'][0]['sid']}.json",
        f"/Recordings/{tape['sid']}.json",
        f"/Applications/{app['sid']}.json",
        f"/Conferences/{guest['conference_sid']}.json",
        f"/Conferences/room/Participants/{guest['call_sid']}.json",
    ]
    for path in paths:
        found = [(await there(box, name, "GET", path))[0] for name in HOSTS]
        assert found == [404, 200, 404], path
    for key in ("Calls", "Queues", "Recordings", "Applications"):
        _, page = await there(box, "us1", "GET", f"/{key}.json")
        assert page[key.lower()] == []
    assert (await there(box, "us1", "POST", f"/Calls/{call['sid']}.json", data={"Status": "completed"}))[
        0
    ] == 404


async def test_an_application_of_another_region_is_unknown(box: Box) -> None:
    _, app = await there(box, "ie1", "POST", "/Applications.json", data={"VoiceUrl": "https://example.com/"})
    fields = {"To": ALICE, "From": OFFICE, "ApplicationSid": app["sid"]}
    status, body = await there(box, "us1", "POST", "/Calls.json", data=fields)
    assert (status, body["code"]) == (400, 21218)
    assert (await there(box, "ie1", "POST", "/Calls.json", data=fields))[0] == 201


async def test_a_number_has_other_addresses_in_another_region(product: Product, box: Box) -> None:
    sid = box.exchange.world.numbers[OFFICE].sid
    one = f"/IncomingPhoneNumbers/{sid}.json"
    await there(box, "ie1", "POST", one, data={"VoiceUrl": f"{product.url}/dublin/"})
    _, home = await there(box, "us1", "GET", one)
    _, away = await there(box, "ie1", "GET", one)
    assert (home["voice_url"], away["voice_url"]) == (
        f"{product.url}/twilio/voice/",
        f"{product.url}/dublin/",
    )
    for method, path in (("POST", "/IncomingPhoneNumbers.json"), ("DELETE", one)):
        status, body = await there(box, "ie1", method, path, data={"AreaCode": "415"})
        assert (status, body["code"]) == (400, 22402)


async def test_a_routed_number_is_handled_and_signed_in_its_region(product: Product, box: Box) -> None:
    product.answers["/twilio/voice/"] = product.answers["/dublin/"] = LISTEN
    one = f"/IncomingPhoneNumbers/{box.exchange.world.numbers[OFFICE].sid}.json"
    await there(box, "ie1", "POST", one, data={"VoiceUrl": f"{product.url}/dublin/"})
    status, routed = await route(box, "POST", VoiceRegion="ie1", FriendlyName="Dublin")
    assert (status, routed["voice_region"], routed["friendly_name"]) == (200, "ie1", "Dublin")
    sid = await box.place()
    await box.clock.advance(1)
    asked = product.asked("/dublin/")[0]
    signed = asked.headers["X-Twilio-Signature"]
    for token, right in ((ELSEWHERE["ie1"], True), (TOKEN, False)):
        found = RequestValidator(token).validate(f"{product.url}/dublin/", asked.form, signed)
        assert found is right
    assert (await there(box, "ie1", "GET", f"/Calls/{sid}.json"))[0] == 200
    assert (await there(box, "us1", "GET", f"/Calls/{sid}.json"))[0] == 404
    await route(box, "POST", VoiceRegion="us1")
    await box.place()
    await box.clock.advance(1)
    assert len(product.asked("/twilio/voice/")) == 1


async def test_the_route_of_a_number_is_found_by_number_and_by_id(box: Box) -> None:
    sid = box.exchange.world.numbers[OFFICE].sid
    status, found = await route(box, "GET")
    assert (status, found["voice_region"], found["phone_number"]) == (200, "us1", OFFICE)
    assert found["url"] == f"{box.url}/v2/PhoneNumbers/{OFFICE}"
    assert (await route(box, "GET", sid))[1] == found


async def test_the_newer_service_tells_errors_as_problems(box: Box) -> None:
    for name, fields, status, code in (
        ("+1999", {}, 404, 20404),
        (OFFICE, {"VoiceRegion": "mars"}, 400, 20001),
        (OFFICE, {"FriendlyName": "x" * 65}, 400, 20001),
    ):
        found, problem = await route(box, "POST", name, **fields)
        assert (found, problem["status"], problem["code"]) == (status, status, code)
        assert problem["type"].endswith(f"/{code}")
    assert (await route(box, "GET"))[1]["voice_region"] == "us1"


async def test_regions_have_ports_and_the_first_line_says_which(product: Product) -> None:
    arguments = ("--port", "0", "--region", "ie1=0", "--region", "au1=0", "--seed", "3")
    environment = {
        "TWILIO_AUTH_TOKEN_IE1": "irish, next",
        "TWILIO_API_KEY_AU1": "SKau",
        "TWILIO_API_SECRET_AU1": "x",
    }
    async with (
        program(*arguments, "--target", product.url, **environment) as (line, _),
        aiohttp.ClientSession() as http,
    ):
        regions, path = line["regions"], f"/2010-04-01/Accounts/{line['account_sid']}/Calls.json"
        assert regions["us1"]["auth_token"] == line["auth_token"]
        assert (regions["us1"]["url"], regions["ie1"]["auth_token"]) == (line["url"], "irish")
        assert len({found["url"] for found in regions.values()}) == 3
        assert [regions[name]["host"] for name in HOSTS] == list(HOSTS.values())

        async def opens(name: str, user: str, secret: str) -> bool:
            address = regions[name]["url"] + path
            async with http.get(address, headers=basic(user, secret)) as answer:
                return answer.status == 200

        sid = line["account_sid"]
        for name in regions:
            assert [await opens(name, sid, regions[of]["auth_token"]) for of in regions] == [
                of == name for of in regions
            ]
        assert [await opens(name, "SKau", "x") for name in HOSTS] == [False, False, True]


async def test_without_ports_a_region_is_reached_by_the_name_of_its_host(product: Product) -> None:
    async with program("--port", "0", "--target", product.url) as (line, _), aiohttp.ClientSession() as http:
        away = line["regions"]["ie1"]
        assert set(away) == {"host", "auth_token"}
        headers = basic(line["account_sid"], away["auth_token"]) | {"Host": away["host"]}
        address = f"{line['url']}/2010-04-01/Accounts/{line['account_sid']}/Calls.json"
        async with http.get(address, headers=headers) as answer:
            assert answer.status == 200


@pytest.mark.parametrize(
    ("host", "url"), [("::1", "http://[::1]:9010"), ("127.0.0.1", "http://127.0.0.1:9010")]
)
def test_an_ipv6_address_stands_in_brackets_in_a_url(host: str, url: str) -> None:
    assert address(host, 9010) == url


@pytest.mark.parametrize("text", ["us1=9011", "mars=9011", "ie1", "ie1=door", "ie1=65536", "ie1=-1"])
def test_a_region_that_cannot_be_served_is_refused_by_name(text: str) -> None:
    assert region("ie1=9011") == ("ie1", 9011)
    with pytest.raises(argparse.ArgumentTypeError, match=r"^'.*' (is not|has no port)"):
        region(text)
