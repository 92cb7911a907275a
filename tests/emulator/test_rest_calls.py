"""Calls by REST: every field of a new call, what an update may do, what is refused, what the log says."""

from typing import Any

import pytest
from aiohttp import web

from tests.emulator.conftest import ALICE, OFFICE, Box
from tests.emulator.product import Product
from tests.emulator.test_rest import LISTEN, live, raw

BOB = "+31207654321"
SHOP = "+31205550000"


async def called(box: Box, **fields: Any) -> tuple[int, dict[str, Any]]:
    """Place a call to Bob, who answers and listens."""
    box.exchange.people.setdefault(BOB, "listener")
    given = {"To": BOB, "From": OFFICE, "Twiml": LISTEN, **fields}
    status, body = await raw(
        box, "POST", "/Calls.json", data={k: v for k, v in given.items() if v is not None}
    )
    return status, dict(body)


async def ended(product: Product) -> dict[str, str]:
    """What the last callback of the call says."""
    await product.until(lambda: product.forms("/progress/", CallbackSource="call-progress-events"))
    return product.forms("/progress/")[-1]


async def application(box: Box, product: Product, **fields: str) -> str:
    given = {"VoiceUrl": f"{product.url}/app/", "StatusCallback": f"{product.url}/app-status/", **fields}
    status, made = await raw(box, "POST", "/Applications.json", data=given)
    assert status == 201
    return str(made["sid"])


# Whose TwiML


async def test_of_an_address_and_a_text_the_address_counts(product: Product, box: Box) -> None:
    _, call = await called(box, Url=f"{product.url}/out/", Method="GET")
    await box.clock.advance(3)
    assert [request.method for request in product.asked("/out/")] == ["GET"]
    assert [note["code"] for note in (await box.call(call["sid"]))["notifications"]] == [32019]


async def test_an_application_takes_the_place_of_all_addresses(product: Product, box: Box) -> None:
    sid = await application(box, product)
    others = {"Url": f"{product.url}/out/", "StatusCallback": f"{product.url}/progress/"}
    _, call = await called(box, ApplicationSid=sid, **others)
    await box.clock.advance(3)
    assert product.forms("/app/")[0]["ApplicationSid"] == sid
    await box.post(f"/emulator/calls/{call['sid']}/hangup/", {})
    await product.until(lambda: product.forms("/app-status/", CallStatus="completed"))
    assert product.asked("/out/") + product.asked("/progress/") == []


async def test_the_fallback_of_a_call_is_asked_when_its_address_fails(product: Product, box: Box) -> None:
    product.answers["/out/"] = web.Response(status=503)
    await called(box, Url=f"{product.url}/out/", FallbackUrl=f"{product.url}/help/", FallbackMethod="GET")
    await box.clock.advance(3)
    await product.until(lambda: product.asked("/help/"))
    assert "ErrorCode=11200" in product.asked("/help/")[0].query


# How it goes


async def test_who_does_not_answer_is_rung_for_as_long_as_was_asked(product: Product, box: Box) -> None:
    box.exchange.people[BOB] = "no_answer"
    _, call = await called(box, Timeout="10", StatusCallback=f"{product.url}/progress/")
    await box.clock.advance(9)
    assert (await box.call(call["sid"]))["status"] == "ringing"
    await box.clock.advance(2)
    told = await ended(product)
    assert (told["CallStatus"], told["CallDuration"]) == ("no-answer", "0")
    _, shown = await raw(box, "GET", f"/Calls/{call['sid']}.json")
    assert (shown["status"], shown["duration"]) == ("no-answer", "0")
    assert shown["start_time"] == shown["date_created"]


async def test_nobody_is_rung_for_more_than_ten_minutes(product: Product, box: Box) -> None:
    box.exchange.people[BOB] = "no_answer"
    _, call = await called(box, Timeout="9999")
    await box.clock.advance(601)
    assert (await box.call(call["sid"]))["status"] == "no-answer"


async def test_a_call_lasts_no_longer_than_its_limit(product: Product, box: Box) -> None:
    _, call = await called(box, TimeLimit="7", StatusCallback=f"{product.url}/progress/")
    await box.clock.advance(12)
    told = await ended(product)
    assert (told["CallStatus"], told["CallDuration"], told["Duration"]) == ("completed", "7", "1")
    assert (await box.call(call["sid"]))["reason"] == "time limit of the call"


async def test_a_later_limit_takes_the_place_of_the_first(product: Product, box: Box) -> None:
    _, call = await called(box, TimeLimit="7")
    await box.clock.advance(5)
    status, _ = await raw(box, "POST", f"/Calls/{call['sid']}.json", data={"TimeLimit": "20"})
    await box.clock.advance(10)
    assert (status, (await box.call(call["sid"]))["status"]) == (200, "in-progress")
    await box.clock.advance(12)
    assert (await box.call(call["sid"]))["status"] == "completed"


async def test_a_limit_begins_with_the_answer(product: Product, box: Box) -> None:
    box.exchange.people[BOB] = "no_answer"
    _, call = await called(box)
    await raw(box, "POST", f"/Calls/{call['sid']}.json", data={"TimeLimit": "5"})
    await box.clock.advance(30)
    assert (await box.call(call["sid"]))["status"] == "ringing"
    await box.clock.advance(60)
    assert (await box.call(call["sid"]))["status"] == "no-answer"


async def test_a_recorded_call_says_at_its_end_where_the_recording_is(product: Product, box: Box) -> None:
    fields = {"Record": "true", "RecordingChannels": "dual", "RecordingTrack": "both"}
    fields |= {
        "RecordingStatusCallback": f"{product.url}/taped/",
        "StatusCallback": f"{product.url}/progress/",
    }
    fields["RecordingStatusCallbackEvent"] = "in-progress completed"
    await called(box, TimeLimit="4", **fields)
    await box.clock.advance(10)
    told = await ended(product)
    tapes = await product.until(lambda: len(product.forms("/taped/")) == 2 and product.forms("/taped/"))
    assert [tape["RecordingStatus"] for tape in tapes] == ["in-progress", "completed"]
    assert (tapes[1]["RecordingSource"], tapes[1]["RecordingChannels"]) == ("OutboundAPI", "2")
    assert (told["RecordingSid"], told["RecordingDuration"]) == (tapes[1]["RecordingSid"], "4")
    assert told["RecordingUrl"] == tapes[1]["RecordingUrl"]


async def test_keys_are_sent_to_the_call_at_the_other_end(product: Product, box: Box) -> None:
    box.exchange.world.number(SHOP)
    product.answers["/twilio/voice/"] = "<Response><Gather numDigits='3' action='/pressed/'/></Response>"
    _, call = await called(box, To=SHOP, SendDigits="ww12#")
    await box.clock.advance(6)
    pressed = product.forms("/pressed/")[0]
    assert (pressed["To"], pressed["From"]) == (SHOP, OFFICE)
    keys = [key["digit"] for one in (await box.get("/emulator/log/"))["calls"] for key in one["keys"]]
    assert keys == ["1", "2", "#"]
    assert pressed["CallSid"] != call["sid"]


async def test_a_person_is_known_for_one(product: Product, box: Box) -> None:
    _, call = await called(box, Twiml=None, Url=f"{product.url}/out/", MachineDetection="Enable")
    await box.clock.advance(3)
    assert product.forms("/out/")[0]["AnsweredBy"] == "human"
    _, shown = await raw(box, "GET", f"/Calls/{call['sid']}.json")
    assert shown["answered_by"] == "human"


async def test_a_person_is_known_for_one_by_and_by(product: Product, box: Box) -> None:
    given = {"MachineDetection": "DetectMessageEnd", "AsyncAmd": "true", "Url": f"{product.url}/out/"}
    _, call = await called(box, **given, AsyncAmdStatusCallback=f"{product.url}/amd/")
    await box.clock.advance(3)
    told = await product.until(lambda: product.forms("/amd/"))
    assert (told[0]["AnsweredBy"], told[0]["CallSid"]) == ("human", call["sid"])
    assert "AnsweredBy" not in product.forms("/out/")[0]


async def test_the_caller_may_show_another_number(product: Product, box: Box) -> None:
    _, call = await called(box, CallerId="+31611111111")
    assert (call["from"], call["phone_number_sid"]) == ("+31611111111", None)
    _, own = await called(box)
    assert own["phone_number_sid"] == box.exchange.world.numbers[OFFICE].sid


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("+31 (20) 765-4321", "+31207654321"),
        (" 31207654321", "+31207654321"),
        ("4155550123", "+14155550123"),
        ("client:alice", "client:alice"),
    ],
)
async def test_people_write_numbers_in_many_ways(box: Box, written: str, meant: str) -> None:
    _, call = await called(box, To=written)
    assert call["to"] == meant


async def test_what_is_written_behind_a_client_reaches_its_browser(box: Box) -> None:
    _, call = await called(box, To="client:alice?topic=the%20bill&empty=")
    assert call["to"] == "client:alice"
    assert box.exchange.legs[call["sid"]].parameters == {"topic": "the bill", "empty": ""}


async def test_american_numbers_are_shown_as_americans_write_them(box: Box) -> None:
    _, call = await called(box, To="+14155550123")
    assert (call["to_formatted"], call["from_formatted"]) == ("(415) 555-0123", OFFICE)


REFUSED: dict[str, tuple[dict[str, Any], int]] = {
    "no To": ({"To": None}, 21201),
    "a blank To": ({"To": "  "}, 21201),
    "words for To": ({"To": "my friend"}, 21211),
    "an emergency": ({"To": "+"}, 21211),
    "an empty client": ({"To": "client:"}, 21211),
    "a client with spaces": ({"To": "client:two words"}, 21211),
    "a long client": ({"To": f"client:{'a' * 257}"}, 21211),
    "an application": ({"To": "app:AP" + "1" * 32}, 21211),
    "SIP": ({"To": "sip:alice@example.com"}, 21226),
    "no From": ({"From": None}, 21213),
    "words for From": ({"From": "the office"}, 21212),
    "a client that calls a telephone": ({"From": "client:alice"}, 21212),
    "no TwiML": ({"Twiml": None}, 21205),
    "no web address": ({"Url": "ftp://example.com/"}, 21205),
    "no host": ({"Url": "https:///path"}, 21205),
    "a bad port": ({"Url": "http://example.com:99999/"}, 21205),
    "a strange method": ({"Url": "http://example.com/", "Method": "PUT"}, 21209),
    "a fallback that is no address": ({"FallbackUrl": "/help/"}, 21205),
    "a callback that is no address": ({"StatusCallback": "progress"}, 21609),
    "a host name with an underscore": ({"StatusCallback": "https://my_host.example.com/"}, 21609),
    "a callback method": ({"StatusCallbackMethod": "HEAD"}, 21209),
    "an unknown application": ({"ApplicationSid": "AP" + "0" * 32}, 21218),
    "a timeout of words": ({"Timeout": "soon"}, 21208),
    "a timeout of nothing": ({"Timeout": "0"}, 21208),
    "a timeout of a half": ({"Timeout": "2.5"}, 21208),
    "a limit of words": ({"TimeLimit": "long"}, 20001),
    "keys that no telephone has": ({"SendDigits": "12x"}, 21206),
    "too many keys": ({"SendDigits": "1" * 33}, 21206),
    "three channels": ({"Record": "true", "RecordingChannels": "three"}, 20001),
    "a third track": ({"Record": "true", "RecordingTrack": "sideways"}, 20001),
    "a recording callback": ({"Record": "true", "RecordingStatusCallback": "x"}, 21502),
    "a machine of another kind": ({"MachineDetection": "Maybe"}, 21263),
    "a hasty machine": ({"MachineDetection": "Enable", "MachineDetectionTimeout": "1"}, 21263),
    "nobody to tell of the machine": ({"MachineDetection": "Enable", "AsyncAmd": "true"}, 21262),
    "too much TwiML": ({"Twiml": "x" * 4001}, 20001),
    "a NUL": ({"To": "+3120\0"}, 20001),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_a_call_that_cannot_be_placed_is_refused_by_twilio_s_number(box: Box, name: str) -> None:
    fields, code = REFUSED[name]
    status, body = await called(box, **fields)
    assert (status, body["code"]) == (400, code)
    assert (await box.get("/emulator/log/"))["calls"] == []


# Updates


async def test_new_twiml_brings_its_own_callback_only_with_an_address(product: Product, box: Box) -> None:
    sid, told = await live(product, box), {"StatusCallback": f"{product.url}/progress/"}
    await raw(box, "POST", f"/Calls/{sid}.json", data={"Twiml": LISTEN, **told})
    await box.clock.advance(1)
    await raw(box, "POST", f"/Calls/{sid}.json", data={"Url": f"{product.url}/other/", **told})
    await product.until(lambda: product.forms("/progress/", CallStatus="completed"))
    assert product.asked("/twilio/call-status/") == []


async def test_a_callback_without_a_new_address_changes_nothing(product: Product, box: Box) -> None:
    sid = await live(product, box)
    await raw(box, "POST", f"/Calls/{sid}.json", data={"StatusCallback": f"{product.url}/progress/"})
    await raw(box, "POST", f"/Calls/{sid}.json", data={"Status": "completed"})
    await product.until(lambda: product.asked("/twilio/call-status/"))
    assert product.asked("/progress/") == []


async def test_inline_twiml_with_a_relative_action_is_noted(product: Product, box: Box) -> None:
    sid = await live(product, box)
    for twiml in ("<Response><Gather action='/keys/'/></Response>", LISTEN):
        status, _ = await raw(box, "POST", f"/Calls/{sid}.json", data={"Twiml": twiml})
        assert status == 200
        await box.clock.advance(1)
    assert [note["code"] for note in (await box.call(sid))["notifications"]] == [15004]


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"Status": "ringing"}, 20001),
        ({"Url": "nonsense"}, 21205),
        ({"Url": "http://example.com/", "Method": "PATCH"}, 21209),
        ({"TimeLimit": "-1"}, 20001),
        ({"Twiml": "x" * 4001}, 20001),
    ],
    ids=["status", "address", "method", "limit", "too long"],
)
async def test_an_update_that_makes_no_sense_changes_nothing(
    product: Product, box: Box, fields: dict[str, str], code: int
) -> None:
    sid = await live(product, box)
    status, body = await raw(box, "POST", f"/Calls/{sid}.json", data=fields)
    assert (status, body["code"]) == (400, code)
    assert (await box.call(sid))["status"] == "in-progress"


# Lists and the end


async def test_a_list_is_asked_for_properly(box: Box) -> None:
    for query, code in (
        ("Status=talking", 20001),
        ("StartTime=yesterday", 20001),
        ("PageSize=1001", 20007),
        ("PageSize=many", 20001),
        ("Page=-1", 20001),
        ("PageToken=nonsense", 21481),
    ):
        status, body = await raw(box, "GET", f"/Calls.json?{query}")
        assert (status, body["code"]) == (400, code), query


async def test_pages_hold_together_while_new_calls_come(product: Product, box: Box) -> None:
    product.answers["/twilio/voice/"] = LISTEN
    old = [await box.place() for _ in range(4)][::-1]
    _, page = await raw(box, "GET", "/Calls.json?PageSize=2")
    await box.place()
    prefix = page["next_page_uri"].partition("/Calls.json")[2]
    _, second = await raw(box, "GET", f"/Calls.json{prefix}")
    assert [call["sid"] for call in page["calls"] + second["calls"]] == old
    _, back = await raw(box, "GET", f"/Calls.json{second['previous_page_uri'].partition('/Calls.json')[2]}")
    assert [call["sid"] for call in back["calls"]] == old[:2]


async def test_a_page_behind_the_last_is_empty(box: Box) -> None:
    await box.place()
    _, page = await raw(box, "GET", "/Calls.json?PageSize=1&Page=7")
    assert (page["calls"], page["next_page_uri"]) == ([], None)
    assert page["previous_page_uri"].endswith("Page=6")


async def test_a_call_that_has_ended_can_be_forgotten(product: Product, box: Box) -> None:
    sid = await live(product, box)
    status, body = await raw(box, "DELETE", f"/Calls/{sid}.json")
    assert (status, body["code"]) == (400, 20009)
    await box.post(f"/emulator/calls/{sid}/hangup/", {})
    assert await box.twilio(lambda client: client.calls(sid).delete()) is True
    for method in ("GET", "DELETE"):
        status, body = await raw(box, method, f"/Calls/{sid}.json")
        assert (status, body["code"]) == (404, 20404)


async def test_a_call_that_was_forgotten_is_still_counted(product: Product, box: Box) -> None:
    sid = await live(product, box)
    await box.clock.advance(1)
    await box.post(f"/emulator/calls/{sid}/hangup/", {})
    exchange = box.exchange
    before = exchange.tally.report(exchange.legs.values(), exchange.pacer.lateness)
    await raw(box, "DELETE", f"/Calls/{sid}.json")
    after = exchange.tally.report(exchange.legs.values(), exchange.pacer.lateness)
    assert (after, after["calls"]) == (before, 1)


# The log of it


async def test_the_log_holds_every_request_and_what_was_ignored_of_it(box: Box) -> None:
    _, call = await called(box, Urls="https://example.com/", CallReason="Your order", statuscallback="x")
    await raw(box, "GET", "/Calls.json?Colour=red&PageSize=5")
    await raw(box, "POST", "/Calls/CA0.json", data={"Status": "completed"})
    placed, listed, missed = (await box.get("/emulator/log/"))["rest"]
    assert (placed["method"], placed["status"], placed["code"]) == ("POST", 201, None)
    assert placed["path"].endswith("/Calls.json")
    assert (placed["region"], placed["at"]) == ("us1", "2026-11-20T10:15:00.000Z")
    assert placed["ignored"] == ["Urls", "statuscallback"]
    assert placed["fields"]["To"] == [BOB]
    assert listed["ignored"] == ["Colour"]
    assert (missed["status"], missed["code"]) == (404, 20404)
    assert call["status"] == "queued"


async def test_the_log_of_requests_is_bounded_and_keeps_no_secret(box: Box) -> None:
    many = {f"Field{number}": "x" * 2000 for number in range(300)}
    await called(box, SipAuthPassword="secret", **many)
    entry = (await box.get("/emulator/log/"))["rest"][0]
    assert entry["fields"]["SipAuthPassword"] == ["***"]
    assert len(entry["fields"]) == 250
    assert {len(value) for values in entry["fields"].values() for value in values} <= set(range(501))


async def test_a_form_that_is_too_big_is_refused(box: Box) -> None:
    status, body = await raw(box, "POST", "/Calls.json", data={"Twiml": "x" * (1 << 21)})
    assert (status, body["code"]) == (413, 20413)
    status, body = await raw(box, "POST", "/Calls.json", data={f"F{n}": "x" for n in range(1001)})
    assert (status, body["code"]) == (400, 20001)


async def test_alice_is_called_as_anybody(product: Product, box: Box) -> None:
    _, call = await called(box, To=ALICE)
    await box.clock.advance(3)
    assert (await box.call(call["sid"]))["status"] == "in-progress"
