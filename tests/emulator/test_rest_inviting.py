"""Participants by REST: somebody is called into a conference, comes or does not, or may not be called."""

from typing import Any

import pytest

from emulator.people.scripts import Script
from tests.emulator.conftest import OFFICE, Box
from tests.emulator.product import Product
from tests.emulator.story import Person
from tests.emulator.test_conference import QUIET, conference, enter
from tests.emulator.test_rest import LISTEN, raw

BOB, CAROL, SHOP = "+31207654321", "+31209999999", "+31205550000"
EVENTS = "start end join leave mute hold modify speaker announcement"


def people(box: Box, **who: Person) -> None:
    """Bob and Carol answer and listen, or do what is written."""
    for name, number in (("bob", BOB), ("carol", CAROL)):
        box.exchange.people[number] = name
        script = Script(name, callee=who.get(name, QUIET).part(), hangup_after=None)
        box.exchange.scripts.by_name[name] = script


async def invite(box: Box, name: str = "room", **fields: Any) -> dict[str, Any]:
    """Call somebody, Bob unless said otherwise, into the conference."""
    if BOB not in box.exchange.people:
        people(box)
    given = {"To": BOB, "From": OFFICE, **fields}
    status, made = await raw(box, "POST", f"/Conferences/{name}/Participants.json", data=given)
    assert status == 201, made
    return dict(made)


async def shown(box: Box, who: str, name: str = "room") -> dict[str, Any]:
    status, found = await raw(box, "GET", f"/Conferences/{name}/Participants/{who}.json")
    assert status == 200, found
    return dict(found)


async def change(box: Box, who: str, name: str = "room", **fields: str) -> tuple[int, dict[str, Any]]:
    status, found = await raw(box, "POST", f"/Conferences/{name}/Participants/{who}.json", data=fields)
    return status, dict(found)


async def told(product: Product, event: str, **fields: str) -> list[dict[str, str]]:
    return product.forms("/conference/", StatusCallbackEvent=event, **fields)


def conference_told(product: Product) -> dict[str, str]:
    """The fields that let the room tell its events."""
    return {
        "ConferenceStatusCallback": f"{product.url}/conference/",
        "ConferenceStatusCallbackEvent": EVENTS,
    }


# Called in


async def test_somebody_is_called_rings_answers_and_sits_there(product: Product, box: Box) -> None:
    customer = await enter(product, box)
    made = await invite(box, Label="agent", Muted="true", EndConferenceOnExit="true")
    assert (made["status"], made["label"], made["muted"]) == ("queued", "agent", True)
    assert (made["end_conference_on_exit"], made["start_conference_on_enter"]) == (True, True)
    assert made["conference_sid"] == (await conference(box))["conference_sid"]
    await box.clock.advance(0.5)
    assert (await shown(box, "agent"))["status"] == "ringing"
    await box.clock.advance(3)
    for who in ("agent", made["call_sid"]):
        assert (await shown(box, who))["status"] == "connected"
    _, call = await raw(box, "GET", f"/Calls/{made['call_sid']}.json")
    assert (call["direction"], call["to"], call["status"]) == ("outbound-api", BOB, "in-progress")
    assert (await conference(box))["status"] == "in-progress"
    _, page = await raw(box, "GET", f"/Conferences/{made['conference_sid']}/Participants.json")
    assert [one["call_sid"] for one in page["participants"]] == [customer, made["call_sid"]]
    joined = await told(product, "participant-join", ParticipantLabel="agent")
    assert (joined[0]["CallSid"], joined[0]["Muted"]) == (made["call_sid"], "true")


async def test_a_room_is_made_by_its_name_and_tells_whom_the_first_said(product: Product, box: Box) -> None:
    people(box)
    first = await invite(box, "new room", **conference_told(product))
    second = await invite(box, "new room", To=CAROL, ConferenceStatusCallback=f"{product.url}/other/")
    await box.clock.advance(5)
    assert first["conference_sid"] == second["conference_sid"]
    _, found = await raw(box, "GET", f"/Conferences/{first['conference_sid']}.json")
    assert (found["friendly_name"], found["status"]) == ("new room", "in-progress")
    joined = await told(product, "participant-join", FriendlyName="new room")
    assert {form["CallSid"] for form in joined} == {first["call_sid"], second["call_sid"]}
    assert product.asked("/other/") == []


async def test_the_call_of_a_participant_tells_its_progress(product: Product, box: Box) -> None:
    fields = {"StatusCallback": f"{product.url}/progress/", "TimeLimit": "5", "Record": "true"}
    await invite(box, StatusCallbackEvent="initiated ringing answered completed", **fields)
    await box.clock.advance(10)
    forms = await product.until(lambda: len(product.forms("/progress/")) == 4 and product.forms("/progress/"))
    assert [form["CallStatus"] for form in forms] == ["initiated", "ringing", "in-progress", "completed"]
    assert forms[3]["RecordingSid"].startswith("RE")


@pytest.mark.parametrize(("reply", "status"), [("busy", "busy"), ("no_answer", "no-answer")])
async def test_who_does_not_come_is_told_and_keeps_no_room(
    product: Product, box: Box, reply: str, status: str
) -> None:
    await enter(product, box)
    box.exchange.people[BOB] = reply
    made = await invite(box, Timeout="5")
    await box.clock.advance(9)
    left = await told(product, "participant-leave")
    assert (left[0]["CallSid"], left[0]["ParticipantCallStatus"]) == (made["call_sid"], status)
    assert left[0]["ReasonParticipantLeft"] == "participant_add_failed"
    assert (await conference(box))["status"] == "init"
    for method in ("GET", "POST", "DELETE"):
        code, body = await raw(box, method, f"/Conferences/room/Participants/{made['call_sid']}.json")
        assert (code, body["code"]) == (404, 20404)


async def test_a_room_that_nobody_came_to_never_was(box: Box) -> None:
    box.exchange.people[BOB] = "busy"
    made = await invite(box)
    await box.clock.advance(5)
    assert (await raw(box, "GET", f"/Conferences/{made['conference_sid']}.json"))[0] == 404


async def test_a_room_lives_while_somebody_is_on_the_way(product: Product, box: Box) -> None:
    caller = await enter(product, box)
    box.exchange.people[BOB] = "no_answer"
    await invite(box, Timeout="10")
    await box.post(f"/emulator/calls/{caller}/hangup/", {})
    await box.clock.advance(5)
    assert (await conference(box))["status"] == "init"
    await box.clock.advance(9)
    assert (await conference(box))["status"] == "completed"
    assert (await told(product, "conference-end"))[0]["ReasonConferenceEnded"] == "last-participant-left"


async def test_a_client_gets_the_parameters_behind_its_name(box: Box) -> None:
    made = await invite(box, To="client:alice?ticket=7", From="client:desk")
    _, found = await raw(box, "GET", f"/Calls/{made['call_sid']}.json")
    assert (found["to"], found["from"]) == ("client:alice", "client:desk")
    assert box.exchange.legs[made["call_sid"]].parameters == {"ticket": "7"}


async def test_an_application_is_a_call_of_its_own_that_talks_to_the_room(product: Product, box: Box) -> None:
    tap = f"<Start><Stream url='{product.socket_url}/media/x/' track='both_tracks'/></Start>"
    listener = await enter(product, box, before=tap)
    product.answers["/robot/"] = "<Response><Say>I am a robot</Say><Pause length='60'/></Response>"
    _, app = await raw(box, "POST", "/Applications.json", data={"VoiceUrl": f"{product.url}/robot/"})
    made = await invite(box, To=f"app:{app['sid']}", Label="robot")
    await box.clock.advance(6)
    form = product.forms("/robot/")[0]
    assert (form["ApplicationSid"], form["Direction"], form["To"]) == (
        app["sid"],
        "inbound",
        f"app:{app['sid']}",
    )
    assert form["CallSid"] != made["call_sid"]
    assert (await shown(box, "robot"))["status"] == "connected"
    stream = (await box.call(listener))["streams"][0]
    assert any("robot" in str(piece) for piece in stream["prompts"])


async def test_a_number_of_our_own_answers_with_its_own_twiml(product: Product, box: Box) -> None:
    box.exchange.world.number(SHOP)
    await enter(product, box)
    product.answers["/twilio/voice/"] = LISTEN
    made = await invite(box, To=SHOP)
    await box.clock.advance(3)
    assert product.forms("/twilio/voice/", To=SHOP, Direction="inbound")
    assert (await shown(box, made["call_sid"]))["status"] == "connected"


async def test_the_conference_of_a_participant_is_recorded(product: Product, box: Box) -> None:
    people(box)
    fields = {"ConferenceRecord": "true", "ConferenceRecordingStatusCallback": f"{product.url}/taped/"}
    first = await invite(box, **fields)
    await invite(box, To=CAROL)
    await box.clock.advance(4)
    await raw(box, "POST", f"/Conferences/{first['conference_sid']}.json", data={"Status": "completed"})
    form = (await product.until(lambda: product.forms("/taped/")))[0]
    assert (form["ConferenceSid"], form["RecordingStatus"]) == (first["conference_sid"], "completed")


REFUSED: dict[str, tuple[dict[str, str], int, int]] = {
    "no To": ({"To": ""}, 400, 21201),
    "no From": ({"From": ""}, 400, 21213),
    "SIP": ({"To": "sip:bob@example.com"}, 400, 21226),
    "an unknown application": ({"To": "app:AP" + "0" * 32}, 400, 21218),
    "a label with a slash": ({"Label": "a/b"}, 400, 16024),
    "a label with an escaped slash": ({"Label": "a%2Fb"}, 400, 16024),
    "a label like a call": ({"Label": "CA" + "1" * 32}, 400, 16024),
    "a long label": ({"Label": "x" * 129}, 400, 16024),
    "a label that no XML holds": ({"Label": "a\x01b"}, 400, 16024),
    "a label in use": ({"Label": "boss"}, 400, 16026),
    "a label on its way": ({"Label": "coming"}, 400, 16026),
    "nobody to coach": ({"CallSidToCoach": "CA" + "0" * 32}, 400, 16028),
    "coaching whom": ({"Coaching": "true"}, 400, 20001),
    "a strange beep": ({"Beep": "loud"}, 400, 20001),
    "a strange buffer": ({"JitterBufferSize": "huge"}, 400, 20001),
    "a crowd": ({"MaxParticipants": "251"}, 400, 20001),
    "a wait that is no address": ({"WaitUrl": "music"}, 400, 21205),
    "an address with a control character": ({"WaitUrl": "https://example.com/\x01"}, 400, 21205),
    "a callback that is no address": ({"ConferenceStatusCallback": "x"}, 400, 21609),
    "a short timeout": ({"Timeout": "never"}, 400, 21208),
    "a strange recording": ({"ConferenceRecord": "maybe"}, 400, 20001),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_a_participant_that_cannot_be_called_is_refused(product: Product, box: Box, name: str) -> None:
    fields, status, code = REFUSED[name]
    await enter(product, box, "participantLabel='boss'")
    box.exchange.people[BOB] = "no_answer"
    await invite(box, Label="coming")
    given = {"To": BOB, "From": OFFICE, **fields}
    found, body = await raw(box, "POST", "/Conferences/room/Participants.json", data=given)
    assert (found, body["code"]) == (status, code)
    _, page = await raw(box, "GET", "/Conferences/room/Participants.json")
    assert [one["label"] for one in page["participants"]] == ["boss", "coming"]


async def test_a_conference_that_is_over_or_unknown_takes_nobody(product: Product, box: Box) -> None:
    sid = await enter(product, box)
    over = (await conference(box))["conference_sid"]
    await box.post(f"/emulator/calls/{sid}/hangup/", {})
    fields = {"To": BOB, "From": OFFICE}
    for room_sid in (over, "CF" + "0" * 32):
        status, body = await raw(box, "POST", f"/Conferences/{room_sid}/Participants.json", data=fields)
        assert (status, body["code"]) == (404, 16022)
    for name in ("x" * 129, "%20", "a%01b"):
        status, body = await raw(box, "POST", f"/Conferences/{name}/Participants.json", data=fields)
        assert (status, body["code"]) == (400, 16003)
    status, body = await raw(box, "GET", "/Conferences/nobody/Participants.json")
    assert (status, body["code"]) == (404, 20404)


async def test_a_refused_participant_leaves_no_empty_room_behind(box: Box) -> None:
    fields = {"To": BOB, "From": OFFICE, "CallSidToCoach": "CA" + "0" * 32}
    status, _ = await raw(box, "POST", "/Conferences/fresh/Participants.json", data=fields)
    assert (status, box.exchange.conferences.by_sid) == (400, {})
