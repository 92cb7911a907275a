"""Real-time transcriptions by REST: begun on a running call, stopped by id or name."""

from typing import Any

import pytest

from tests.emulator.conftest import ALICE, OFFICE, Box
from tests.emulator.product import Product
from tests.emulator.story import Person, call, tell
from tests.emulator.test_rest import raw
from tests.emulator.test_transcription import said

WEATHER = Person(does=[{"play": "cmd_book_a_room.wav", "after": 2}, {"after": 60}])


async def listening(product: Product, box: Box) -> str:
    await call(product, box, "<Say>Hi</Say><Pause length='60'/>")
    sid = await tell(box, WEATHER)
    await box.clock.advance(1)
    return sid


async def begin(box: Box, product: Product, sid: str, **fields: str) -> dict[str, Any]:
    given = {"StatusCallbackUrl": f"{product.url}/words/", **fields}
    status, made = await raw(box, "POST", f"/Calls/{sid}/Transcriptions.json", data=given)
    assert status == 201
    return dict(made)


@pytest.mark.parametrize("by", ["sid", "name"])
async def test_what_is_said_is_told_until_it_is_stopped(product: Product, box: Box, by: str) -> None:
    sid = await listening(product, box)
    labels = {"InboundTrackLabel": "customer", "PartialResults": "true", "LanguageCode": "en-GB"}
    made = await begin(box, product, sid, Name="notes", Track="inbound_track", **labels)
    assert (made["status"], made["name"], made["call_sid"]) == ("in-progress", "notes", sid)
    await box.clock.advance(5)
    assert said(product) == [("inbound_track", "book a room")]
    started = product.forms("/words/", TranscriptionEvent="transcription-started")[0]
    assert (started["InboundTrackLabel"], started["LanguageCode"]) == ("customer", "en-GB")
    assert product.forms("/words/", Final="false") != []
    one = f"/Calls/{sid}/Transcriptions/{made[by]}.json"
    status, stopped = await raw(box, "POST", one, data={"Status": "stopped"})
    assert (status, stopped["sid"], stopped["status"]) == (200, made["sid"], "stopped")
    await product.until(lambda: product.forms("/words/", TranscriptionEvent="transcription-stopped"))
    status, body = await raw(box, "POST", one, data={"Status": "stopped"})
    assert (status, body["code"]) == (404, 20404)


async def test_a_transcription_without_a_name_has_none(product: Product, box: Box) -> None:
    sid = await listening(product, box)
    made = await begin(box, product, sid)
    assert made["name"] is None
    assert made["uri"].endswith(f"/Calls/{sid}/Transcriptions/{made['sid']}.json")


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"Name": "taken"}, 20001),
        ({"Name": "x" * 257}, 20001),
        ({"Track": "sideways"}, 20001),
        ({"TranscriptionEngine": "stenographer"}, 20001),
        ({"StatusCallbackUrl": "nowhere"}, 21502),
        ({"StatusCallbackMethod": "PUT"}, 21209),
    ],
)
async def test_a_transcription_that_makes_no_sense_is_refused(
    product: Product, box: Box, fields: dict[str, str], code: int
) -> None:
    sid = await listening(product, box)
    await begin(box, product, sid, Name="taken")
    status, body = await raw(box, "POST", f"/Calls/{sid}/Transcriptions.json", data=fields)
    assert (status, body["code"]) == (400, code)
    one = f"/Calls/{sid}/Transcriptions/taken.json"
    for given in ({}, {"Status": "paused"}):
        status, body = await raw(box, "POST", one, data=given)
        assert (status, body["code"]) == (400, 20001)


async def test_only_a_call_in_progress_is_written_down(box: Box) -> None:
    made = await box.twilio(
        lambda client: client.calls.create(to=ALICE, from_=OFFICE, twiml="<Response><Hangup/></Response>")
    )
    path = f"/Calls/{made.sid}/Transcriptions.json"
    status, body = await raw(box, "POST", path)
    assert (status, body["code"]) == (400, 21220)
    await box.clock.advance(9)
    status, body = await raw(box, "POST", path)
    assert (status, body["code"]) == (404, 20404)
