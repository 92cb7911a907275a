"""Twilio's own library drives the REST API, sync and async, unmodified but for its base address."""

from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest
import requests
from twilio.base.exceptions import TwilioException, TwilioRestException

from tests.emulator.conftest import ACCOUNT_SID, ALICE, OFFICE, TOKEN, Box
from tests.emulator.library import Kind, Library, opened
from tests.emulator.product import Product
from tests.emulator.test_program import program

LISTEN = "<Response><Say>Hello</Say><Pause length='60'/></Response>"
BEGAN = datetime(2026, 11, 20, 10, 15, tzinfo=UTC)
NOBODY = "CA" + "0" * 32
# The async client of the library passes credentials in a way that aiohttp is going to drop.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:twilio")


async def live(product: Product, box: Box) -> str:
    """A call in progress that waits in a long pause."""
    product.answers["/twilio/voice/"] = LISTEN
    sid = await box.place()
    await box.clock.advance(2)
    return sid


async def refused(status: int, code: int, asking: Any) -> None:
    """The library raises an error with this HTTP status and this number of Twilio's."""
    with pytest.raises(TwilioRestException) as error:
        await asking
    assert (error.value.status, error.value.code) == (status, code)


# Calls


async def test_a_call_is_created_and_its_events_are_told(twilio: Library, product: Product, box: Box) -> None:
    product.answers["/out/"] = "<Response><Pause length='20'/></Response>"
    call = await twilio.create(
        twilio.client.calls,
        to=ALICE,
        from_=OFFICE,
        url=f"{product.url}/out/",
        method="POST",
        status_callback=f"{product.url}/progress/",
        status_callback_event=["initiated", "ringing", "answered", "completed"],
    )
    assert (call.to, call._from, call.status, call.direction) == (ALICE, OFFICE, "queued", "outbound-api")
    assert (call.account_sid, call.duration, call.parent_call_sid) == (ACCOUNT_SID, None, None)
    assert call.date_created == BEGAN
    await box.clock.advance(30)
    told = await product.until(lambda: len(product.forms("/progress/")) == 4 and product.forms("/progress/"))
    assert [form["CallStatus"] for form in told] == ["initiated", "ringing", "in-progress", "completed"]
    assert product.forms("/out/")[0]["CallSid"] == call.sid
    ended = await twilio.fetch(twilio.client.calls(call.sid))
    assert (ended.status, ended.end_time > ended.start_time) == ("completed", True)
    assert ended.duration == "20"


async def test_creating_answers_201_and_changing_200(twilio: Library, product: Product, box: Box) -> None:
    made = await twilio.ask(
        twilio.client.calls, "create_with_http_info", to=ALICE, from_=OFFICE, twiml=LISTEN
    )
    await box.clock.advance(5)
    call = twilio.client.calls(made.data.sid)
    fetched = await twilio.ask(call, "fetch_with_http_info")
    changed = await twilio.ask(call, "update_with_http_info", twiml=LISTEN)
    assert [answer.status_code for answer in (made, fetched, changed)] == [201, 200, 200]
    assert {answer.data.sid for answer in (made, fetched, changed)} == {made.data.sid}


async def test_calls_are_listed_by_what_is_asked_newest_first(
    twilio: Library, product: Product, box: Box
) -> None:
    product.answers["/twilio/voice/"] = "<Response><Dial>+31209999999</Dial></Response>"
    parent = await box.place()
    await box.clock.advance(10)
    product.answers["/twilio/voice/"] = LISTEN
    later = await box.place()
    await box.clock.advance(1)
    child = (await box.children(parent))[0]["call_sid"]

    async def listed(**asked: Any) -> list[str]:
        return [call.sid for call in await twilio.list(twilio.client.calls, **asked)]

    assert await listed() == [later, child, parent]
    assert await listed(to="+31209999999") == [child]
    assert await listed(from_=ALICE, to=OFFICE) == [later, parent]
    assert await listed(parent_call_sid=parent) == [child]
    assert await listed(status="completed") == []
    assert await listed(start_time_after=BEGAN + timedelta(seconds=5)) == [later]
    assert await listed(start_time_before=BEGAN + timedelta(seconds=5)) == [child, parent]
    assert await listed(start_time=BEGAN.date() + timedelta(days=1)) == []
    await twilio.update(twilio.client.calls(later), status="completed")
    assert await listed(status="completed") == [later]
    assert await listed(limit=1) == [later]


async def test_pages_lead_forward_and_back(twilio: Library, product: Product, box: Box) -> None:
    product.answers["/twilio/voice/"] = LISTEN
    sids = [await box.place() for _ in range(5)][::-1]
    everything = await twilio.list(twilio.client.calls, page_size=2)
    assert [call.sid for call in everything] == sids
    page = await twilio.ask(twilio.client.calls, "page", page_size=2)
    pages = [page]
    while (page := await twilio.ask(page, "next_page")) is not None:
        pages.append(page)
    assert [[call.sid for call in one] for one in pages] == [sids[:2], sids[2:4], sids[4:]]
    back = await twilio.ask(pages[2], "previous_page")
    assert [call.sid for call in back] == sids[2:4]
    assert await twilio.ask(await twilio.ask(back, "previous_page"), "previous_page") is None


async def test_a_call_is_redirected_by_address_and_by_twiml(
    twilio: Library, product: Product, box: Box
) -> None:
    product.answers["/elsewhere/"] = LISTEN
    call = twilio.client.calls(await live(product, box))
    await twilio.update(call, url=f"{product.url}/elsewhere/", method="GET")
    await product.until(lambda: product.asked("/elsewhere/"))
    assert product.asked("/elsewhere/")[0].method == "GET"
    await twilio.update(call, twiml=f"<Response><Redirect>{product.url}/third/</Redirect></Response>")
    await product.until(lambda: product.asked("/third/"))
    await product.until(lambda: product.forms("/twilio/call-status/", CallStatus="completed"))


async def test_a_ringing_call_is_canceled_and_one_in_progress_is_not(
    twilio: Library, product: Product, box: Box
) -> None:
    made = await twilio.create(twilio.client.calls, to=ALICE, from_=OFFICE, twiml=LISTEN)
    await box.clock.advance(0.3)
    assert (await twilio.update(made, status="canceled")).status == "canceled"
    answered = twilio.client.calls(await live(product, box))
    await refused(400, 21220, twilio.update(answered, status="canceled"))
    assert (await twilio.update(answered, status="completed")).status == "completed"


async def test_a_call_that_is_unknown_or_over_is_not_found(
    twilio: Library, product: Product, box: Box
) -> None:
    ended = await live(product, box)
    await box.post(f"/emulator/calls/{ended}/hangup/", {})
    await refused(404, 20404, twilio.fetch(twilio.client.calls(NOBODY)))
    await refused(404, 20404, twilio.update(twilio.client.calls(NOBODY), status="completed"))
    await refused(404, 20404, twilio.update(twilio.client.calls(ended), status="completed"))
    assert (await twilio.fetch(twilio.client.calls(ended))).status == "completed"


async def test_a_call_to_nobody_is_refused(twilio: Library) -> None:
    calls = twilio.client.calls
    await refused(400, 21201, twilio.create(calls, to="", from_=OFFICE, twiml=LISTEN))
    await refused(400, 21213, twilio.create(calls, to=ALICE, from_="", twiml=LISTEN))
    await refused(400, 21205, twilio.create(calls, to=ALICE, from_=OFFICE))


# Streams


async def test_a_stream_is_created_with_99_parameters_and_stopped_by_its_sid(
    twilio: Library, product: Product, box: Box
) -> None:
    call = twilio.client.calls(await live(product, box))
    given = {f"key {number}": f"välue {number}" for number in range(1, 100)}
    fields = {
        f"parameter{number}_{part}": text
        for number, pair in enumerate(given.items(), 1)
        for part, text in zip(("name", "value"), pair, strict=True)
    }
    stream = await twilio.create(
        call.streams,
        url=f"{product.socket_url}/media/x/",
        name="assist",
        track="both_tracks",
        status_callback=f"{product.url}/streams/",
        status_callback_method="GET",
        **fields,
    )
    assert (stream.name, stream.status, stream.call_sid) == ("assist", "in-progress", call._solution["sid"])
    await product.until(lambda: product.sockets and len(product.sockets[0].messages) > 1)
    start = product.sockets[0].messages[1]["start"]
    assert (start["customParameters"], start["tracks"]) == (given, ["inbound", "outbound"])
    stopped = await twilio.update(call.streams(stream.sid), status="stopped")
    assert (stopped.sid, stopped.status) == (stream.sid, "stopped")
    await product.until(lambda: product.sockets[0].of("stop") and len(product.asked("/streams/")) == 2)
    assert {request.method for request in product.asked("/streams/")} == {"GET"}
    await refused(404, 20404, twilio.update(call.streams(stream.sid), status="stopped"))


async def test_a_stream_is_stopped_by_its_name_and_by_what_create_gave(
    twilio: Library, product: Product, box: Box
) -> None:
    call = twilio.client.calls(await live(product, box))
    url = f"{product.socket_url}/media/x/"
    await twilio.create(call.streams, url=url, name="tap")
    second = await twilio.create(call.streams, url=url, track="outbound_track")
    assert second.name is None
    await refused(400, 20001, twilio.create(call.streams, url=url, name="tap"))
    await twilio.update(call.streams("tap"), status="stopped")
    await twilio.update(second, status="stopped")
    await product.until(lambda: len(product.sockets) == 2 and all(s.over for s in product.sockets))
    await refused(404, 20404, twilio.update(call.streams("tap"), status="stopped"))


async def test_a_stream_of_a_call_that_is_unknown_or_over_is_not_found(
    twilio: Library, product: Product, box: Box
) -> None:
    ended, url = await live(product, box), f"{product.socket_url}/media/x/"
    await box.post(f"/emulator/calls/{ended}/hangup/", {})
    for sid in (ended, NOBODY):
        await refused(404, 20404, twilio.create(twilio.client.calls(sid).streams, url=url))


# IncomingPhoneNumbers


async def test_a_number_is_found_fetched_and_changed(twilio: Library, product: Product, box: Box) -> None:
    numbers = twilio.client.incoming_phone_numbers
    found = await twilio.list(numbers, phone_number=OFFICE)
    assert [number.phone_number for number in found] == [OFFICE]
    assert found[0].voice_url == f"{product.url}/twilio/voice/"
    assert found[0].capabilities["voice"] is True
    wanted = {
        "friendly_name": "Front desk",
        "voice_url": f"{product.url}/new/",
        "voice_method": "GET",
        "voice_fallback_url": f"{product.url}/new-fallback/",
        "voice_fallback_method": "GET",
        "status_callback": f"{product.url}/new-status/",
        "status_callback_method": "GET",
        "voice_caller_id_lookup": True,
    }
    await twilio.update(found[0], **wanted)
    fetched = await twilio.fetch(numbers(found[0].sid))
    assert {name: getattr(fetched, name) for name in wanted} == wanted
    assert [one.sid for one in await twilio.list(numbers, friendly_name="Front desk")] == [fetched.sid]
    assert await twilio.list(numbers, friendly_name="Back door") == []
    sid = await box.place()
    await box.clock.advance(1)
    await product.until(lambda: product.asked("/new-status/"))
    assert [r.method for r in product.asked("/new/") + product.asked("/new-status/")] == ["GET", "GET"]
    assert f"CallSid={sid}" in product.asked("/new/")[0].query


async def test_a_number_that_nobody_has_is_not_found(twilio: Library) -> None:
    numbers = twilio.client.incoming_phone_numbers
    assert await twilio.list(numbers, phone_number="+1999") == []
    await refused(404, 20404, twilio.fetch(numbers("PN" + "0" * 32)))
    await refused(404, 20404, twilio.update(numbers("PN" + "0" * 32), voice_url="https://example.com/"))


async def test_a_fallback_needs_a_voice_address(twilio: Library) -> None:
    number = (await twilio.list(twilio.client.incoming_phone_numbers))[0]
    await refused(400, 21405, twilio.update(number, voice_url="", voice_fallback_url="https://example.com/"))


# Whoever asks


async def test_wrong_credentials_are_20003_and_a_list_has_an_error_of_its_own(kind: Kind, box: Box) -> None:
    for user, password in ((ACCOUNT_SID, "other"), ("AC" + "b" * 32, TOKEN), ("SK" + "b" * 32, TOKEN)):
        async with opened(kind, box.url, user=user, password=password) as stranger:
            calls = stranger.client.calls
            await refused(401, 20003, stranger.fetch(calls(NOBODY)))
            await refused(401, 20003, stranger.create(calls, to=ALICE, from_=OFFICE, twiml=LISTEN))
            with pytest.raises(TwilioException) as error:
                await stranger.list(calls)
            assert not isinstance(error.value, TwilioRestException)
    assert (await box.get("/emulator/log/"))["calls"] == []


async def test_the_account_of_another_is_not_found(kind: Kind, box: Box) -> None:
    async with opened(kind, box.url, account="AC" + "b" * 32) as stranger:
        await refused(404, 20404, stranger.fetch(stranger.client.calls(NOBODY)))


async def test_an_api_key_opens_the_account(kind: Kind, product: Product) -> None:
    environment = {"TWILIO_ACCOUNT_SID": ACCOUNT_SID, "TWILIO_AUTH_TOKEN": TOKEN}
    key = {"TWILIO_API_KEY": "SK" + "c" * 32, "TWILIO_API_SECRET": "key's secret"}
    async with (
        program("--port", "0", "--target", product.url, "--number", OFFICE, **environment, **key) as (
            line,
            _,
        ),
        opened(kind, line["url"], user=key["TWILIO_API_KEY"], password=key["TWILIO_API_SECRET"]) as twilio,
    ):
        numbers = await twilio.list(twilio.client.incoming_phone_numbers)
        assert [number.phone_number for number in numbers] == [OFFICE]


@pytest.mark.parametrize(("status", "code"), [(429, 20429), (500, 20500)])
async def test_a_failing_api_is_told_once_and_then_works(
    twilio: Library, product: Product, box: Box, status: int, code: int
) -> None:
    call = twilio.client.calls(await live(product, box))
    await box.post("/emulator/faults/", {"fail_rest": status, "times": 1})
    await refused(status, code, twilio.fetch(call))
    assert (await twilio.fetch(call)).status == "in-progress"


async def test_an_answer_that_is_lost_is_an_error_of_the_network_and_the_call_is_made(
    twilio: Library, box: Box
) -> None:
    await box.post("/emulator/faults/", {"lose_rest_answer": 1})
    with pytest.raises((requests.ConnectionError, aiohttp.ClientError)):
        await twilio.create(twilio.client.calls, to=ALICE, from_=OFFICE, twiml=LISTEN)
    calls = await twilio.list(twilio.client.calls)
    assert [(call.to, call.status) for call in calls] == [(ALICE, "queued")]
