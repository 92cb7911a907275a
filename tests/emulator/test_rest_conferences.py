"""Conferences by REST: found, listed, ended, announced to."""

from typing import Any

import pytest

from tests.emulator.conftest import OFFICE, Box
from tests.emulator.product import Product
from tests.emulator.story import Person
from tests.emulator.test_conference import QUIET, conference, enter, events
from tests.emulator.test_rest import raw

TAP = "<Start><Stream url='{}/media/x/' track='both_tracks'/></Start>"
BOB = "+31207654321"


async def running(product: Product, box: Box, **more: Any) -> tuple[str, list[str]]:
    """A conference of two: its id and the calls in it."""
    sids = [await enter(product, box, **more) for _ in range(2)]
    return str((await conference(box))["conference_sid"]), sids


async def prompts(box: Box, sid: str) -> list[str]:
    """What was said to this leg."""
    stream = (await box.call(sid))["streams"][0]
    return [piece["text"] for piece in stream["prompts"] if piece["track"] == "outbound"]


async def listed(box: Box, query: str) -> list[str]:
    status, page = await raw(box, "GET", f"/Conferences.json?{query}")
    assert status == 200
    return [one["sid"] for one in page["conferences"]]


async def test_a_conference_is_found_by_its_id_alone(product: Product, box: Box) -> None:
    room, _ = await running(product, box)
    status, shown = await raw(box, "GET", f"/Conferences/{room}.json")
    assert (status, shown["status"], shown["friendly_name"]) == (200, "in-progress", "room")
    assert (shown["region"], shown["reason_conference_ended"]) == ("us1", None)
    for other in ("room", "CF" + "0" * 32):
        status, body = await raw(box, "GET", f"/Conferences/{other}.json")
        assert (status, body["code"]) == (404, 20404)


async def test_a_list_is_of_those_in_progress_unless_asked(product: Product, box: Box) -> None:
    first, sids = await running(product, box)
    for sid in sids:
        await box.post(f"/emulator/calls/{sid}/hangup/", {})
    second, _ = await running(product, box, name="other")
    await enter(product, box, name="lonely")
    third = (await conference(box))["conference_sid"]
    assert await listed(box, "") == [second]
    assert await listed(box, "Status=completed") == [first]
    assert await listed(box, "Status=init") == [third]
    assert await listed(box, "FriendlyName=room") == []
    assert await listed(box, "FriendlyName=room&Status=completed") == [first]
    assert await listed(box, "DateCreated=2026-11-20") == [second]
    assert await listed(box, "DateUpdated%3C=2026-11-19") == []
    status, body = await raw(box, "GET", "/Conferences.json?Status=over")
    assert (status, body["code"]) == (400, 20001)


async def test_a_conference_is_ended_for_all(product: Product, box: Box) -> None:
    room, sids = await running(product, box)
    status, shown = await raw(box, "POST", f"/Conferences/{room}.json", data={"Status": "completed"})
    assert (status, shown["status"]) == (200, "completed")
    assert shown["reason_conference_ended"] == "conference-ended-via-api"
    assert shown["call_sid_ending_conference"] is None
    await box.clock.advance(1)
    assert {(await box.call(sid))["status"] for sid in sids} == {"completed"}
    left = product.forms("/conference/", StatusCallbackEvent="participant-leave")
    assert [form["ReasonParticipantLeft"] for form in left] == ["conference_ended_via_api"] * 2
    ended = product.forms("/conference/", StatusCallbackEvent="conference-end")[0]
    assert ended["ReasonConferenceEnded"] == "conference-ended-via-api"
    status, body = await raw(box, "POST", f"/Conferences/{room}.json", data={"Status": "completed"})
    assert (status, body["code"]) == (400, 16022)
    status, page = await raw(box, "GET", f"/Conferences/{room}/Participants.json")
    assert (status, page["participants"]) == (200, [])


async def test_whoever_still_rings_is_called_no_longer(product: Product, box: Box) -> None:
    room, _ = await running(product, box)
    box.exchange.people[BOB] = "no_answer"
    _, guest = await raw(
        box, "POST", f"/Conferences/{room}/Participants.json", data={"To": BOB, "From": OFFICE}
    )
    await box.clock.advance(1)
    await raw(box, "POST", f"/Conferences/{room}.json", data={"Status": "completed"})
    assert (await box.call(guest["call_sid"]))["status"] == "canceled"


async def test_an_announcement_is_heard_by_all_once(product: Product, box: Box) -> None:
    room, sids = await running(product, box, before=TAP.format(product.socket_url))
    product.answers["/news/"] = "<Response><Say>We close at five</Say><Redirect>/more/</Redirect></Response>"
    product.answers["/more/"] = "<Response><Dial>+31201</Dial><Say>Thank you</Say></Response>"
    fields = {"AnnounceUrl": f"{product.url}/news/", "AnnounceMethod": "GET"}
    status, _ = await raw(box, "POST", f"/Conferences/{room}.json", data=fields)
    await box.clock.advance(12)
    told = (
        await product.until(lambda: product.forms("/conference/", StatusCallbackEvent="announcement-end"))
    )[0]
    assert (status, told["AnnounceUrl"]) == (200, f"{product.url}/news/")
    assert "CallSid" not in told
    for sid in sids:
        assert (await prompts(box, sid))[-2:] == ["We close at five", "Thank you"]
    assert len(product.asked("/news/")) == 1
    assert "ConferenceSid=" + room in product.asked("/news/")[0].query
    codes = [note["code"] for sid in sids for note in (await box.call(sid))["notifications"]]
    assert codes == [13238, 13238]
    assert (await conference(box))["status"] == "in-progress"


async def test_an_announcement_that_cannot_be_read_is_told_as_failed(product: Product, box: Box) -> None:
    room, _ = await running(product, box)
    product.answers["/news/"] = "<Response><Say>"
    await raw(box, "POST", f"/Conferences/{room}.json", data={"AnnounceUrl": f"{product.url}/news/"})
    told = (
        await product.until(lambda: product.forms("/conference/", StatusCallbackEvent="announcement-fail"))
    )[0]
    assert told["ReasonAnnouncementFailed"].startswith("Document parse failure")
    assert [note["code"] for note in (await conference(box))["notifications"]] == [12100]


async def test_who_leaves_during_an_announcement_keeps_nobody_waiting(product: Product, box: Box) -> None:
    room, sids = await running(product, box)
    product.answers["/news/"] = "<Response><Pause length='30'/></Response>"
    await raw(box, "POST", f"/Conferences/{room}.json", data={"AnnounceUrl": f"{product.url}/news/"})
    await box.clock.advance(2)
    for sid in sids:
        await box.post(f"/emulator/calls/{sid}/hangup/", {})
    told = await product.until(lambda: product.forms("/conference/", StatusCallbackEvent="announcement-end"))
    assert [form["AnnounceUrl"] for form in told] == [f"{product.url}/news/"]
    assert (await conference(box))["status"] == "completed"


@pytest.mark.parametrize(
    ("fields", "code"),
    [({"Status": "init"}, 20001), ({"AnnounceUrl": "news"}, 21205), ({"AnnounceMethod": "PUT"}, 21209)],
)
async def test_an_update_of_a_conference_makes_sense(
    product: Product, box: Box, fields: dict[str, str], code: int
) -> None:
    room, _ = await running(product, box)
    status, body = await raw(box, "POST", f"/Conferences/{room}.json", data=fields)
    assert (status, body["code"]) == (400, code)


async def test_the_recording_of_a_conference_is_paused_and_stopped(product: Product, box: Box) -> None:
    room, _ = await running(product, box, attributes="record='record-from-start'")
    everything = f"/Conferences/{room}/Recordings"
    _, page = await raw(box, "GET", f"{everything}.json")
    made = page["recordings"][0]
    assert (made["conference_sid"], made["call_sid"], made["source"]) == (room, None, "Conference")
    await box.clock.advance(2)
    for status, shown in (("paused", "paused"), ("in-progress", "in-progress"), ("stopped", "stopped")):
        fields = {"Status": status, "PauseBehavior": "skip"}
        _, changed = await raw(box, "POST", f"{everything}/Twilio.CURRENT.json", data=fields)
        assert (changed["sid"], changed["status"]) == (made["sid"], shown)
    _, found = await raw(box, "GET", f"{everything}/{made['sid']}.json")
    assert found["status"] == "completed"
    _, page = await raw(box, "GET", f"/Recordings.json?ConferenceSid={room}")
    assert [recording["sid"] for recording in page["recordings"]] == [made["sid"]]
    assert (await raw(box, "DELETE", f"{everything}/{made['sid']}.json"))[0] == 204
    assert (await raw(box, "GET", f"{everything}/{made['sid']}.json"))[0] == 404


async def test_who_speaks_is_told_from_begin_to_end(product: Product, box: Box) -> None:
    talker = Person(does=[{"wait": "connected"}, {"play": "cmd_weather.wav", "after": 2}, {"after": 60}])
    first = await enter(product, box, person=talker)
    await enter(product, box, person=QUIET)
    await box.clock.advance(9)
    spoken = [event for event in await events(product) if "speech" in event]
    assert spoken[0] == "participant-speech-start"
    assert spoken == ["participant-speech-start", "participant-speech-stop"] * (len(spoken) // 2)
    forms = product.forms("/conference/", StatusCallbackEvent="participant-speech-start")
    assert {form["CallSid"] for form in forms} == {first}


@pytest.mark.parametrize("end", ["leaves", "room ends"])
async def test_who_speaks_at_the_end_has_stopped_before_leaving(product: Product, box: Box, end: str) -> None:
    talker = Person(does=[{"wait": "connected"}, {"play": "jfk.wav", "after": 1}, {"after": 60}])
    first = await enter(product, box, person=talker)
    await enter(product, box, person=QUIET)
    await box.clock.advance(3)
    if end == "leaves":
        await box.post(f"/emulator/calls/{first}/hangup/", {})
    else:
        sid = (await conference(box))["conference_sid"]
        await raw(box, "POST", f"/Conferences/{sid}.json", data={"Status": "completed"})
    await box.clock.advance(5)
    forms = sorted(product.forms("/conference/", CallSid=first), key=lambda f: int(f["SequenceNumber"]))
    told = [form["StatusCallbackEvent"] for form in forms]
    left = told.index("participant-leave")
    assert told[left - 1 : left + 1] == ["participant-speech-stop", "participant-leave"]
    assert told.count("participant-speech-start") == told.count("participant-speech-stop")


async def test_a_muted_voice_is_no_speaker(product: Product, box: Box) -> None:
    talker = Person(does=[{"wait": "answered"}, {"play": "cmd_weather.wav", "after": 2}, {"after": 60}])
    await enter(product, box, "muted='true'", person=talker)
    await enter(product, box, person=QUIET)
    await box.clock.advance(9)
    assert [event for event in await events(product) if "speech" in event] == []
