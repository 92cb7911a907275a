"""Recordings by REST: started, paused, stopped, listed, fetched as sound, deleted."""

import io
import wave
from typing import Any

import aiohttp
import pytest

from tests.emulator.conftest import ACCOUNT_SID, ALICE, OFFICE, TOKEN, Box
from tests.emulator.product import Product
from tests.emulator.story import Person, call, tell
from tests.emulator.test_rest import basic, raw

TALKER = Person(does=[{"play": "reading_5min.wav"}, {"after": 300}])


async def talking(product: Product, box: Box) -> str:
    """A caller who reads aloud to nobody."""
    await call(product, box, "<Say>Hi</Say><Pause length='300'/>")
    sid = await tell(box, TALKER)
    await box.clock.advance(2)
    return sid


async def record(box: Box, sid: str, **fields: str) -> dict[str, Any]:
    status, made = await raw(box, "POST", f"/Calls/{sid}/Recordings.json", data=fields)
    assert status == 201
    return dict(made)


async def sound(box: Box, path: str, user: str = ACCOUNT_SID, password: str = TOKEN) -> tuple[int, bytes]:
    async with aiohttp.ClientSession(headers=basic(user, password)) as http, http.get(path) as answer:
        return answer.status, await answer.read()


def seconds(raw_wav: bytes) -> tuple[int, float]:
    """Channels and length of a WAV."""
    with wave.open(io.BytesIO(raw_wav)) as file:
        assert (file.getframerate(), file.getsampwidth()) == (8000, 2)
        return file.getnchannels(), file.getnframes() / file.getframerate()


async def test_a_call_is_recorded_from_now_until_it_is_stopped(product: Product, box: Box) -> None:
    sid = await talking(product, box)
    fields = {"RecordingChannels": "dual", "RecordingStatusCallback": f"{product.url}/taped/"}
    made = await record(box, sid, **fields)
    assert (made["status"], made["duration"], made["channels"]) == ("in-progress", None, 2)
    assert (made["call_sid"], made["source"], made["track"]) == (sid, "StartCallRecordingAPI", "both")
    await box.clock.advance(3)
    one = f"/Calls/{sid}/Recordings/{made['sid']}.json"
    status, stopped = await raw(box, "POST", one, data={"Status": "stopped"})
    assert (status, stopped["status"]) == (200, "stopped")
    _, after = await raw(box, "GET", one)
    assert (after["status"], after["duration"]) == ("completed", "3")
    told = (await product.until(lambda: product.forms("/taped/")))[0]
    assert (told["RecordingStatus"], told["RecordingDuration"], told["CallSid"]) == ("completed", "3", sid)
    code, file = await sound(box, f"{told['RecordingUrl']}.wav")
    assert (code, seconds(file)) == (200, (2, 3.0))


async def test_a_pause_is_filled_with_silence_or_left_out(product: Product, box: Box) -> None:
    sid = await talking(product, box)
    for behavior, length in (("silence", "3"), ("skip", "2"), ("", "3")):
        made = await record(box, sid)
        current = f"/Calls/{sid}/Recordings/Twilio.CURRENT.json"
        await box.clock.advance(1)
        fields = {"Status": "paused", "PauseBehavior": behavior}
        _, paused = await raw(box, "POST", current, data=fields)
        assert (paused["sid"], paused["status"]) == (made["sid"], "paused")
        await box.clock.advance(1)
        _, resumed = await raw(box, "POST", current, data={"Status": "in-progress"})
        assert resumed["status"] == "in-progress"
        await box.clock.advance(1)
        await raw(box, "POST", current, data={"Status": "stopped"})
        _, after = await raw(box, "GET", f"/Recordings/{made['sid']}.json")
        assert after["duration"] == length


async def test_of_several_recordings_none_is_the_current_one(product: Product, box: Box) -> None:
    sid = await talking(product, box)
    current = f"/Calls/{sid}/Recordings/Twilio.CURRENT.json"
    status, body = await raw(box, "POST", current, data={"Status": "stopped"})
    assert (status, body["code"]) == (404, 20404)
    await record(box, sid)
    await record(box, sid)
    status, body = await raw(box, "POST", current, data={"Status": "stopped"})
    assert (status, body["code"]) == (400, 16108)


async def test_recordings_are_listed_in_all_their_places(product: Product, box: Box) -> None:
    sid, other = await talking(product, box), await talking(product, box)
    first, second = await record(box, sid), await record(box, sid)
    third = await record(box, other)

    async def listed(path: str) -> list[str]:
        status, page = await raw(box, "GET", path)
        assert status == 200
        return [recording["sid"] for recording in page["recordings"]]

    assert await listed(f"/Calls/{sid}/Recordings.json") == [second["sid"], first["sid"]]
    assert await listed("/Recordings.json") == [third["sid"], second["sid"], first["sid"]]
    assert await listed(f"/Recordings.json?CallSid={other}") == [third["sid"]]
    assert await listed("/Recordings.json?ConferenceSid=CF0") == []
    assert await listed("/Recordings.json?DateCreated=2026-11-20") != []
    assert await listed("/Recordings.json?DateCreated%3C=2026-11-19") == []
    status, _ = await raw(box, "GET", f"/Calls/{other}/Recordings/{first['sid']}.json")
    assert status == 404


async def test_sound_is_given_to_the_account_alone_and_when_it_is_whole(product: Product, box: Box) -> None:
    sid = await talking(product, box)
    made = await record(box, sid, RecordingTrack="inbound")
    _, shown = await raw(box, "GET", f"/Recordings/{made['sid']}.json")
    assert shown["media_url"] == f"{box.url}{shown['uri'].removesuffix('.json')}"
    assert (await sound(box, shown["media_url"]))[0] == 404
    await box.clock.advance(2)
    await box.post(f"/emulator/calls/{sid}/hangup/", {})
    assert (await sound(box, shown["media_url"], password="wrong"))[0] == 401
    for ending in ("", ".wav"):
        status, file = await sound(box, shown["media_url"] + ending)
        assert (status, seconds(file)) == (200, (1, 2.0))
    status, body = await raw(box, "GET", f"/Recordings/{made['sid']}.mp3")
    assert (status, body["message"]) == (400, "The emulator gives recordings as .wav alone")


async def test_what_is_deleted_is_silent_and_remembered_for_who_asks(product: Product, box: Box) -> None:
    sid = await talking(product, box)
    made = await record(box, sid)
    await box.clock.advance(1)
    for path in (f"/Recordings/{made['sid']}.json", f"/Calls/{sid}/Recordings/{made['sid']}.json"):
        status, body = await raw(box, "DELETE", path)
        assert (status, body["code"]) == (400, 20009)
    await box.post(f"/emulator/calls/{sid}/hangup/", {})
    assert (await raw(box, "DELETE", f"/Recordings/{made['sid']}.json"))[0] == 204
    assert (await raw(box, "GET", f"/Recordings/{made['sid']}.json"))[0] == 404
    assert (await sound(box, f"{box.url}/2010-04-01/Accounts/{ACCOUNT_SID}/Recordings/{made['sid']}.wav"))[
        0
    ] == 404
    _, shown = await raw(box, "GET", f"/Recordings/{made['sid']}.json?IncludeSoftDeleted=true")
    assert shown["status"] == "deleted"
    _, page = await raw(box, "GET", "/Recordings.json")
    assert page["recordings"] == []


async def test_only_a_call_in_progress_can_be_recorded(product: Product, box: Box) -> None:
    made = await box.twilio(
        lambda client: client.calls.create(to=ALICE, from_=OFFICE, twiml="<Response><Hangup/></Response>")
    )
    status, body = await raw(box, "POST", f"/Calls/{made.sid}/Recordings.json")
    assert (status, body["code"]) == (400, 21220)
    await box.clock.advance(9)
    status, body = await raw(box, "POST", f"/Calls/{made.sid}/Recordings.json")
    assert (status, body["code"]) == (400, 21220)
    for path in ("/Calls/CA0/Recordings.json", "/Conferences/CF0/Recordings.json"):
        assert (await raw(box, "GET", path))[0] == 404


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({}, 20001),
        ({"Status": "rewound"}, 20001),
        ({"Status": "paused", "PauseBehavior": "hum"}, 20001),
    ],
)
async def test_an_update_of_a_recording_makes_sense(
    product: Product, box: Box, fields: dict[str, str], code: int
) -> None:
    sid = await talking(product, box)
    await record(box, sid)
    status, body = await raw(box, "POST", f"/Calls/{sid}/Recordings/Twilio.CURRENT.json", data=fields)
    assert (status, body["code"]) == (400, code)


async def test_an_ended_recording_is_changed_no_more(product: Product, box: Box) -> None:
    sid = await talking(product, box)
    made = await record(box, sid)
    one = f"/Calls/{sid}/Recordings/{made['sid']}.json"
    await raw(box, "POST", one, data={"Status": "stopped"})
    status, body = await raw(box, "POST", one, data={"Status": "paused"})
    assert (status, body["code"]) == (400, 21220)


async def test_a_recording_has_no_transcriptions_here(product: Product, box: Box) -> None:
    sid = await talking(product, box)
    made = await record(box, sid)
    status, page = await raw(box, "GET", f"/Recordings/{made['sid']}/Transcriptions.json")
    assert (status, page["transcriptions"]) == (200, [])
    for method in ("GET", "DELETE"):
        status, body = await raw(box, method, f"/Recordings/{made['sid']}/Transcriptions/TR0.json")
        assert (status, body["code"]) == (404, 20404)
