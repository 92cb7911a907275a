"""Conferences by TwiML: who hears whom, when the room starts and ends, what it tells."""

from typing import Any

import pytest

from emulator.verbs import dial_conference
from tests.emulator.conftest import ALICE, Box
from tests.emulator.product import Product
from tests.emulator.story import Person, after, call, tell

EVENTS = "start end join leave mute hold modify speaker announcement"
QUIET = Person(does=[{"after": 300}])


def room(attributes: str = "", *, name: str = "room", action: str = "/after/", wait: str = "") -> str:
    given = f"statusCallback='/conference/' statusCallbackEvent='{EVENTS}' waitUrl='{wait}' {attributes}"
    return f"<Dial action='{action}'><Conference {given}>{name}</Conference></Dial>"


async def enter(product: Product, box: Box, attributes: str = "", person: Person = QUIET, **more: Any) -> str:
    await call(product, box, more.pop("before", "") + room(attributes, **more))
    sid = await tell(box, person)
    await box.clock.advance(0.5)
    return sid


async def conference(box: Box) -> dict[str, Any]:
    made: dict[str, Any] = (await box.get("/emulator/log/"))["conferences"][-1]
    return made


async def events(product: Product) -> list[str]:
    forms = sorted(product.forms("/conference/"), key=lambda form: int(form["SequenceNumber"]))
    return [form["StatusCallbackEvent"] for form in forms]


async def test_a_room_starts_with_the_second_member_and_ends_with_the_last(
    product: Product, box: Box
) -> None:
    first = await enter(product, box)
    assert (await conference(box))["status"] == "init"
    second = await enter(product, box)
    assert (await conference(box))["status"] == "in-progress"
    for sid in (first, second):
        await box.post(f"/emulator/calls/{sid}/hangup/", {})
    await box.clock.advance(1)
    assert (await conference(box))["status"] == "completed"
    assert await events(product) == [
        "participant-join",
        "participant-join",
        "conference-start",
        "participant-leave",
        "participant-leave",
        "conference-end",
    ]


async def test_nobody_starts_it_who_may_not(product: Product, box: Box) -> None:
    await enter(product, box, "startConferenceOnEnter='false'")
    await enter(product, box, "startConferenceOnEnter='false'")
    assert (await conference(box))["status"] == "init"
    await enter(product, box)
    assert (await conference(box))["status"] == "in-progress"


async def test_the_end_with_one_member_lets_the_others_go_on(product: Product, box: Box) -> None:
    boss = await enter(product, box, "endConferenceOnExit='true'")
    product.answers["/after/"] = "<Response><Say>Goodbye</Say><Hangup/></Response>"
    guest = await enter(product, box)
    await box.post(f"/emulator/calls/{boss}/hangup/", {})
    await box.clock.advance(3)
    told = product.forms("/after/", CallSid=guest)[0]
    assert told["DialCallStatus"] == "answered"
    assert not {"DialCallSid", "DialCallDuration"} & set(told)
    assert after(await box.call(guest)) == ("completed", "<Hangup>")
    end = product.forms("/conference/", StatusCallbackEvent="conference-end")[0]
    assert end["CallSidEndingConference"] == boss


async def test_before_the_start_nobody_ends_it_by_leaving(product: Product, box: Box) -> None:
    boss = await enter(product, box, "startConferenceOnEnter='false' endConferenceOnExit='true'")
    guest = await enter(product, box, "startConferenceOnEnter='false'")
    await box.post(f"/emulator/calls/{boss}/hangup/", {})
    await box.clock.advance(3)
    made = await conference(box)
    here = [member["call_sid"] for member in made["members"] if not member["left"]]
    assert (made["status"], here) == ("init", [guest])
    assert (await box.call(guest))["status"] == "in-progress"
    await enter(product, box)
    assert (await conference(box))["status"] == "in-progress"


async def test_members_are_described_in_every_callback(product: Product, box: Box) -> None:
    sid = await enter(product, box, "muted='true' participantLabel='caller' endConferenceOnExit='true'")
    form = product.forms("/conference/", StatusCallbackEvent="participant-join")[0]
    assert {
        "CallSid": sid,
        "Muted": "true",
        "Hold": "false",
        "Coaching": "false",
        "EndConferenceOnExit": "true",
        "StartConferenceOnEnter": "true",
        "ParticipantLabel": "caller",
        "FriendlyName": "room",
    }.items() <= form.items()
    assert form["Timestamp"].endswith("+0000")


async def test_the_address_for_events_is_the_first_members(product: Product, box: Box) -> None:
    await enter(product, box)
    await call(product, box, room().replace("/conference/", "/other/"))
    await tell(box, QUIET)
    await box.clock.advance(1)
    assert product.asked("/other/") == []
    assert len(product.forms("/conference/", StatusCallbackEvent="participant-join")) == 2


async def test_without_events_asked_for_only_start_and_end_are_told(product: Product, box: Box) -> None:
    for _ in range(2):
        await call(product, box, room().replace(f"statusCallbackEvent='{EVENTS}'", ""))
        await tell(box, QUIET)
        await box.clock.advance(0.5)
    assert await events(product) == ["conference-start"]


async def heard(box: Box, sid: str) -> list[str]:
    """Which recordings the leg's stream carried on its outbound track."""
    stream = (await box.call(sid))["streams"][0]
    return [piece["file"] for piece in stream["played"] if piece["track"] == "outbound"]


async def test_each_hears_the_others_and_not_themself(product: Product, box: Box) -> None:
    tap = f"<Start><Stream url='{product.socket_url}/media/x/' track='both_tracks'/></Start>"
    room_booker = Person(does=[{"wait": "connected"}, {"play": "cmd_book_a_room.wav"}, {"after": 60}])
    walker = Person(does=[{"wait": "connected"}, {"play": "cmd_weather.wav", "after": 3}, {"after": 60}])
    first = await enter(product, box, person=room_booker, before=tap)
    second = await enter(product, box, person=walker, before=tap)
    await box.clock.advance(8)
    assert await heard(box, first) == ["cmd_weather.wav"]
    assert await heard(box, second) == ["cmd_book_a_room.wav"]


async def test_a_muted_member_hears_and_is_not_heard(product: Product, box: Box) -> None:
    tap = f"<Start><Stream url='{product.socket_url}/media/x/' track='both_tracks'/></Start>"
    talker = Person(does=[{"wait": "answered"}, {"play": "cmd_weather.wav", "after": 2}, {"after": 60}])
    first = await enter(product, box, person=talker, before=tap)
    second = await enter(product, box, "muted='true'", person=talker, before=tap)
    await box.clock.advance(8)
    assert await heard(box, first) == []
    assert await heard(box, second) == ["cmd_weather.wav"]


async def test_a_coach_is_heard_by_the_coached_alone(product: Product, box: Box) -> None:
    tap = f"<Start><Stream url='{product.socket_url}/media/x/' track='both_tracks'/></Start>"
    customer = await enter(product, box, before=tap)
    agent = await enter(product, box, before=tap)
    whisper = Person(does=[{"wait": "answered"}, {"play": "cmd_today.wav", "after": 1}, {"after": 60}])
    await enter(product, box, f"coach='{agent}'", person=whisper)
    await box.clock.advance(6)
    assert (await heard(box, customer), await heard(box, agent)) == ([], ["cmd_today.wav"])


async def test_a_coach_hears_everybody(product: Product, box: Box) -> None:
    tap = f"<Start><Stream url='{product.socket_url}/media/x/' track='both_tracks'/></Start>"

    def says(file: str) -> Person:
        return Person(does=[{"wait": "answered"}, {"play": file, "after": 4}, {"after": 60}])

    await enter(product, box, person=says("cmd_weather.wav"))
    agent = await enter(product, box, person=says("cmd_today.wav"))
    coach = await enter(product, box, f"coach='{agent}'", before=tap)
    await box.clock.advance(9)
    assert set(await heard(box, coach)) == {"cmd_today.wav", "cmd_weather.wav"}


async def test_who_coaches_a_stranger_fails_to_the_action(product: Product, box: Box) -> None:
    await enter(product, box)
    sid = await enter(product, box, "coach='CA00000000000000000000000000000000'")
    assert product.forms("/after/", CallSid=sid)[0]["DialCallStatus"] == "failed"
    assert [note["code"] for note in (await box.call(sid))["notifications"]] == [13240]


async def test_a_label_in_use_goes_on_to_the_next_verb(product: Product, box: Box) -> None:
    await enter(product, box, "participantLabel='agent'")
    await call(product, box, room("participantLabel='agent'") + "<Redirect>/next/</Redirect>")
    sid = await tell(box, QUIET)
    await box.clock.advance(1)
    assert product.asked("/next/")
    assert [note["code"] for note in (await box.call(sid))["notifications"]] == [16025]


async def test_a_room_is_full_with_as_many_as_it_takes(product: Product, box: Box) -> None:
    for _ in range(2):
        await enter(product, box, "maxParticipants='2'")
    sid = await enter(product, box, "maxParticipants='2'")
    assert [note["code"] for note in (await box.call(sid))["notifications"]] == [16020]


async def test_who_waits_is_played_the_wait_twiml_until_it_starts(product: Product, box: Box) -> None:
    product.answers["/wait/"] = "<Response><Say>Please hold</Say><Pause length='2'/></Response>"
    await enter(product, box, wait="/wait/")
    await box.clock.advance(5)
    before = len(product.asked("/wait/"))
    assert before >= 2
    await enter(product, box, wait="/wait/")
    await box.clock.advance(10)
    assert len(product.asked("/wait/")) == before


async def test_a_redirected_member_leaves_the_room(product: Product, box: Box) -> None:
    await enter(product, box)
    sid = await enter(product, box, "endConferenceOnExit='true'")
    product.answers["/elsewhere/"] = "<Response><Pause length='60'/></Response>"
    await box.twilio(lambda client: client.calls(sid).update(url=f"{product.url}/elsewhere/"))
    await box.clock.advance(2)
    assert (await conference(box))["status"] == "completed"
    assert (await box.call(sid))["status"] == "in-progress"
    assert product.forms("/after/", CallSid=sid)
    assert product.forms("/elsewhere/", CallSid=sid)


async def test_star_leaves_where_it_may(product: Product, box: Box) -> None:
    leaver = Person(does=[{"press": "*", "after": 3}, {"after": 60}])
    await call(product, box, room().replace("<Dial", "<Dial hangupOnStar='true'"))
    sid = await tell(box, leaver)
    await box.clock.advance(5)
    assert product.forms("/after/", CallSid=sid)[0]["DialCallStatus"] == "answered"


async def test_a_room_recorded_from_its_start_gives_one_recording(product: Product, box: Box) -> None:
    taped = "record='record-from-start' recordingStatusCallback='/taped/'"
    sids = [await enter(product, box, taped) for _ in range(2)]
    await box.clock.advance(5)
    for sid in sids:
        await box.post(f"/emulator/calls/{sid}/hangup/", {})
    await box.clock.advance(1)
    form = (await product.until(lambda: product.forms("/taped/")))[0]
    assert form["ConferenceSid"] == (await conference(box))["conference_sid"]
    assert (form["RecordingStatus"], form["RecordingSource"]) == ("completed", "Conference")
    assert len(product.forms("/taped/")) == 1
    assert ALICE not in form.values()


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        ("action='/after/'", "action='http://['"),
        ("waitUrl=''", "waitUrl='http://['"),
        ("'/conference/'", "'http://['"),
        ("beep='false'", "record='record-from-start' recordingStatusCallback='http://['"),
    ],
    ids=["action", "wait", "events", "recording"],
)
async def test_who_comes_with_a_bad_address_enters_no_room(
    product: Product, box: Box, good: str, bad: str
) -> None:
    await call(product, box, room("beep='false'").replace(good, bad))
    sid = await tell(box, QUIET)
    await box.clock.advance(1)
    ended = await box.call(sid)
    assert (ended["status"], [note["code"] for note in ended["notifications"]]) == ("completed", [11100])
    assert (await box.get("/emulator/log/"))["conferences"] == []


async def test_a_fault_leaves_nobody_in_the_room(
    product: Product, box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(dial_conference, "star")
    sid = await enter(product, box)
    assert (await box.call(sid))["reason"] == "fault of the emulator"
    assert (await conference(box))["status"] == "completed"
