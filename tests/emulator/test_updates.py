"""Calls that are sent elsewhere in the middle of anything: one program at a time, nobody left behind."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
import pytest

from tests.emulator.conftest import ACCOUNT_SID, OFFICE, TOKEN, Box
from tests.emulator.product import Product
from tests.emulator.story import Person, after, call, tell

BOB = "+31209999999"
AUTH = {"Authorization": aiohttp.encode_basic_auth(ACCOUNT_SID, TOKEN)}
QUIET = Person(does=[{"after": 300}])
PAUSE = "<Response><Pause length='60'/></Response>"


async def rest(box: Box, path: str, **fields: str) -> tuple[int, Any]:
    """POST to the REST API; answers whatever it answers."""
    url = f"{box.url}/2010-04-01/Accounts/{ACCOUNT_SID}{path}"
    async with aiohttp.ClientSession(headers=AUTH) as http, http.post(url, data=fields) as answer:
        return answer.status, await answer.json()


async def send(product: Product, box: Box, sid: str, path: str) -> None:
    status, _ = await rest(box, f"/Calls/{sid}.json", Url=product.url + path)
    assert status == 200


async def test_of_two_updates_at_once_the_last_counts(product: Product, box: Box) -> None:
    await call(product, box, f"<Dial action='/old/'><Number>{BOB}</Number></Dial>")
    product.answers |= {"/one/": "<Response><Pause length='5'/></Response>", "/two/": PAUSE}
    sid = await tell(box, QUIET, QUIET)
    await box.clock.advance(5)
    await send(product, box, sid, "/one/")
    await send(product, box, sid, "/two/")
    await box.clock.advance(10)
    assert (len(product.asked("/one/")), len(product.asked("/two/"))) == (0, 1)
    assert len(product.asked("/old/")) == 1
    assert (await box.call(sid))["status"] == "in-progress"


async def test_who_hangs_up_between_two_updates_is_in_no_room(product: Product, box: Box) -> None:
    await call(product, box, f"<Dial><Number>{BOB}</Number></Dial>")
    room = "<Dial><Conference record='record-from-start'>room</Conference></Dial>"
    product.answers |= {"/one/": f"<Response>{room}</Response>", "/two/": PAUSE}
    sid = await tell(box, QUIET, QUIET)
    await box.clock.advance(5)
    await send(product, box, sid, "/one/")
    await send(product, box, sid, "/two/")
    await box.clock.advance(0.3)
    box.exchange.legs[sid].hang_up()
    await box.clock.advance(60)
    log = await box.get("/emulator/log/")
    assert [room["status"] for room in log["conferences"]] in ([], ["completed"])
    assert box.exchange.pacer.busy == 0


async def test_a_call_that_is_sent_elsewhere_while_keys_are_pressed_follows_only_that(
    product: Product, box: Box
) -> None:
    product.answers |= {"/first/": "<Response><Say>Hi</Say></Response>", "/second/": PAUSE}
    fields = {"To": BOB, "From": OFFICE, "Url": f"{product.url}/first/", "SendDigits": "wwwwwwww1"}
    _, made = await rest(box, "/Calls.json", **fields)
    await box.clock.advance(3)
    await send(product, box, made["sid"], "/second/")
    await box.clock.advance(15)
    assert (len(product.asked("/first/")), len(product.asked("/second/"))) == (0, 1)
    assert (await box.call(made["sid"]))["status"] == "in-progress"


async def test_the_leg_that_was_dialled_can_be_taken_out_and_the_dial_ends(
    product: Product, box: Box
) -> None:
    await call(product, box, f"<Dial action='/after/'><Number>{BOB}</Number></Dial>")
    product.answers |= {"/away/": PAUSE, "/after/": PAUSE}
    sid = await tell(box, QUIET, QUIET)
    await box.clock.advance(5)
    child = (await box.children(sid))[0]["call_sid"]
    await send(product, box, child, "/away/")
    await box.clock.advance(3)
    told = product.forms("/after/")[0]
    assert (told["DialCallStatus"], told["DialBridged"]) == ("completed", "true")
    assert box.exchange.legs[sid].bridge is box.exchange.legs[child].bridge is None
    assert [(await box.call(leg))["status"] for leg in (sid, child)] == ["in-progress", "in-progress"]


async def test_who_is_taken_away_during_the_whisper_is_not_bridged(product: Product, box: Box) -> None:
    await call(product, box, f"<Dial action='/after/'><Number url='/whisper/'>{BOB}</Number></Dial>")
    product.answers |= {"/whisper/": PAUSE, "/away/": PAUSE, "/after/": PAUSE}
    sid = await tell(box, QUIET, QUIET)
    await box.clock.advance(5)
    child = (await box.children(sid))[0]["call_sid"]
    await send(product, box, child, "/away/")
    await box.clock.advance(3)
    assert product.forms("/after/")[0]["DialBridged"] == "false"
    assert (await box.call(child))["status"] == "in-progress"


async def test_a_taker_who_is_sent_elsewhere_leaves_the_caller_and_asks_the_old_action(
    product: Product, box: Box
) -> None:
    await call(product, box, "<Enqueue action='/queued/'>support</Enqueue>")
    sid = await tell(box, QUIET)
    await box.clock.advance(1)
    take = "<Dial action='/dialled/'><Queue url='/before/'>support</Queue></Dial>"
    product.answers |= {"/agent/": f"<Response>{take}</Response>", "/before/": PAUSE, "/away/": PAUSE}
    _, made = await rest(box, "/Calls.json", To=BOB, From=OFFICE, Url=f"{product.url}/agent/")
    await box.clock.advance(5)
    assert product.forms("/before/")[0]["CallSid"] == sid
    await send(product, box, made["sid"], "/away/")
    await box.clock.advance(62)
    assert product.forms("/dialled/")[0]["DialBridged"] == "false"
    assert product.forms("/queued/")[0]["QueueResult"] == "error"
    assert box.exchange.legs[made["sid"]].bridge is None


async def test_a_taker_who_hangs_up_asks_the_action(product: Product, box: Box) -> None:
    await call(product, box, "<Enqueue>support</Enqueue>")
    await tell(box, QUIET)
    await box.clock.advance(1)
    product.answers["/agent/"] = "<Response><Dial action='/dialled/'><Queue>support</Queue></Dial></Response>"
    _, made = await rest(box, "/Calls.json", To=BOB, From=OFFICE, Url=f"{product.url}/agent/")
    await box.clock.advance(5)
    box.exchange.legs[made["sid"]].hang_up()
    form = (await product.until(lambda: product.forms("/dialled/")))[0]
    assert (form["DialCallStatus"], form["DialBridged"]) == ("completed", "true")


@pytest.mark.parametrize("tap", ["stream", "transcription"])
async def test_a_circle_of_calls_in_a_room_is_told_and_ends(product: Product, box: Box, tap: str) -> None:
    extra = {
        "stream": f"<Start><Stream url='{product.socket_url}/media/x/' track='both_tracks'/></Start>",
        "transcription": "<Start><Transcription statusCallbackUrl='/words/'/></Start>",
    }[tap]
    room = "<Dial><Conference>room</Conference></Dial>"
    await call(product, box, extra + room)
    product.answers["/own/"] = f"<Response>{room}</Response>"
    box.exchange.world.number("+31777").voice_url = f"{product.url}/own/"
    sid = await tell(box, QUIET)
    await box.clock.advance(2)
    status, _ = await rest(box, "/Conferences/room/Participants.json", To="+31777", From=OFFICE)
    assert status == 201
    await box.clock.advance(6)
    assert len((await box.get("/emulator/log/"))["calls"]) == 3
    status, _ = await box.post(f"/emulator/calls/{sid}/hangup/", {})
    assert status == 200
    for leg in box.exchange.legs.values():
        leg.hang_up()
    await box.clock.advance(2)
    assert box.exchange.pacer.busy == 0
    assert all(
        seat["left"] for room in (await box.get("/emulator/log/"))["conferences"] for seat in room["members"]
    )


async def test_who_still_rings_when_a_room_ends_is_called_no_longer(product: Product, box: Box) -> None:
    box.exchange.people[BOB] = "no_answer"
    await call(product, box, "<Dial><Conference endConferenceOnExit='true'>room</Conference></Dial>")
    host, _ = await tell(box, QUIET), await tell(box, QUIET)
    await box.clock.advance(1)
    _, made = await rest(box, "/Conferences/room/Participants.json", To=BOB, From=OFFICE)
    await box.clock.advance(2)
    box.exchange.legs[host].hang_up()
    await box.clock.advance(2)
    assert after(await box.call(made["call_sid"])) == ("canceled", "the conference has ended")


async def test_who_was_answered_and_is_sent_away_has_completed(product: Product, box: Box) -> None:
    fields = {"To": BOB, "From": OFFICE, "ConferenceStatusCallback": f"{product.url}/rooms/"}
    box.exchange.people[BOB] = "two_colleagues"
    await call(product, box, "<Dial><Conference>room</Conference></Dial>")
    await tell(box, QUIET)
    await box.clock.advance(1)
    _, made = await rest(box, "/Conferences/room/Participants.json", **fields)
    await box.clock.advance(5)
    url = f"{box.url}/2010-04-01/Accounts/{ACCOUNT_SID}/Conferences/room/Participants/{made['call_sid']}.json"
    async with aiohttp.ClientSession(headers=AUTH) as http, http.delete(url) as answer:
        assert answer.status == 204
    await box.clock.advance(2)
    statuses = [change["status"] for change in (await box.call(made["call_sid"]))["statuses"]]
    assert statuses[-2:] == ["in-progress", "completed"]


async def test_keys_are_sent_to_a_number_that_is_dialled_before_the_two_meet(
    product: Product, box: Box
) -> None:
    box.exchange.world.number("+31777").voice_url = f"{product.url}/own/"
    product.answers["/own/"] = "<Response><Gather action='/code/' numDigits='3'/></Response>"
    await call(product, box, "<Dial><Number sendDigits='ww123'>+31777</Number></Dial>")
    await tell(box, QUIET)
    await box.clock.advance(6)
    assert product.forms("/code/")[0]["Digits"] == "123"


async def test_a_long_wait_by_redirects_is_no_circle(product: Product, box: Box) -> None:
    product.answers["/twilio/voice/"] = (
        "<Response><Pause length='1'/><Redirect>/twilio/voice/</Redirect></Response>"
    )
    sid = await tell(box, Person(does=[{"wait": "answered"}, {"after": 9000}]))
    await asyncio.wait_for(box.clock.advance(1), 20)
    box.exchange.legs[sid].answer()
    await box.clock.advance(1300)
    assert len(product.asked("/twilio/voice/")) > 1000
    assert (await box.call(sid))["status"] == "in-progress"


async def test_a_circle_that_takes_no_time_is_broken_and_noted(product: Product, box: Box) -> None:
    product.answers["/twilio/voice/"] = "<Response><Redirect>/twilio/voice/</Redirect></Response>"
    sid = await tell(box, QUIET)
    await product.until(lambda: len(product.asked("/twilio/voice/")) >= 1000)
    await box.clock.advance(5)
    ended = await box.call(sid)
    assert after(ended) == ("completed", "end of TwiML")
    assert [note["code"] for note in ended["notifications"]] == [11215]


async def test_a_caller_whose_twiml_cannot_be_had_is_told_so_before_the_end(
    product: Product, box: Box
) -> None:
    product.answers |= {"/twilio/voice/": "<Response>", "/twilio/fallback/": "<Response>"}
    sid = await box.place()
    await box.clock.advance(0.5)
    assert (await box.call(sid))["status"] == "in-progress"
    await box.clock.advance(6)
    statuses = [change["status"] for change in (await box.call(sid))["statuses"]]
    assert statuses == ["ringing", "in-progress", "completed"]


@pytest.mark.parametrize(
    "verbs",
    [
        "<Redirect>http://[</Redirect>",
        "<Play>http://[</Play>",
        "<Gather action='http://['/>",
        "<Dial><Number statusCallback='http://['>+31201</Number></Dial>",
        "<Enqueue waitUrl='http://['>q</Enqueue>",
        "<Start><Stream url='ws://['/></Start>",
        "<Start><Transcription statusCallbackUrl='http://['/></Start>",
        "<Gather numDigits='²'/>",
        "<Dial><Conference maxParticipants='²'>r</Conference></Dial>",
        "<Say>" + "<s>" * 900 + "</s>" * 900 + "</Say>",
        "<Connect><Stream url='wss://a..b/'/></Connect>",
        f"<Connect><Stream url='wss://{'a' * 70}.example.com/'/></Connect>",
        f"<Redirect>/next/#ct={'9' * 5000}</Redirect>",
    ],
    ids=range(13),
)
async def test_bad_text_of_the_target_is_noted_or_passed_over(product: Product, box: Box, verbs: str) -> None:
    await call(product, box, verbs)
    sid = await tell(box, Person(does=[{"wait": "answered"}, {"after": 30}]))
    await box.clock.advance(80)
    ended = await box.call(sid)
    assert ended["status"] in {"completed", "failed", "no-answer"}
    assert ended["reason"] != "fault of the emulator"
    assert all(stream["status"] == "stopped" for stream in ended["streams"])


@pytest.mark.parametrize("digits", ["", "Ω<x", "1 2", "x", "1" * 65])
async def test_keys_that_no_telephone_has_are_refused(product: Product, box: Box, digits: str) -> None:
    await call(product, box, "<Say>Hello</Say><Pause length='60'/>")
    sid = await tell(box, QUIET)
    await box.clock.advance(1)
    status, answer = await box.post(f"/emulator/calls/{sid}/press/", {"digits": digits})
    assert (status, "0-9" in answer["error"]) == (400, True)


@pytest.mark.parametrize("seconds", ["ten", "-1", "1.5", "²"])
async def test_seconds_that_are_no_number_are_refused(box: Box, seconds: str) -> None:
    answer = await box.get(f"/emulator/lateness/?seconds={seconds}")
    assert answer == {"error": "seconds must be a whole number"}


async def test_more_seconds_than_there_were_are_all_there_were(box: Box) -> None:
    answer = await box.get(f"/emulator/lateness/?seconds={'9' * 5000}")
    assert answer == await box.get("/emulator/lateness/?seconds=1000")


async def test_a_body_that_is_nested_without_end_is_refused(box: Box) -> None:
    async with aiohttp.ClientSession() as http:
        for path in ("calls", "faults", "people"):
            async with http.post(f"{box.url}/emulator/{path}/", data="[" * 200_000) as answer:
                assert answer.status == 400
