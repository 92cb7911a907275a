"""Participants by REST: muted, held, coached, announced to, sent away."""

import base64
from typing import Any

import pytest

from tests.emulator.conftest import Box
from tests.emulator.product import Product
from tests.emulator.story import Person, after
from tests.emulator.test_conference import conference, enter, events, heard
from tests.emulator.test_rest import LISTEN, raw
from tests.emulator.test_rest_inviting import BOB, change, invite, people, shown, told

BEEP_FRAMES = 10

# Changed


async def test_mute_is_told_once_and_means_silence(product: Product, box: Box) -> None:
    tap = f"<Start><Stream url='{product.socket_url}/media/x/' track='both_tracks'/></Start>"
    talker = Person(does=[{"wait": "answered"}, {"play": "cmd_weather.wav", "after": 4}, {"after": 60}])
    listener = await enter(product, box, before=tap)
    speaker = await enter(product, box, person=talker)
    for muted in ("true", "true"):
        status, found = await change(box, speaker, Muted=muted)
        assert (status, found["muted"]) == (200, True)
    await box.clock.advance(8)
    assert await heard(box, listener) == []
    _, found = await change(box, speaker, Muted="anything else")
    assert found["muted"] is False
    await box.clock.advance(1)
    assert [event for event in await events(product) if "mute" in event] == [
        "participant-mute",
        "participant-unmute",
    ]
    form = (await told(product, "participant-mute"))[0]
    assert (form["CallSid"], form["Muted"]) == (speaker, "true")


async def test_hold_plays_its_own_music_by_get_and_ends(product: Product, box: Box) -> None:
    product.answers["/music/"] = "<Response><Pause length='2'/></Response>"
    customer, agent = await enter(product, box), await enter(product, box)
    await change(box, customer, Hold="true", HoldUrl=f"{product.url}/music/")
    await box.clock.advance(3)
    assert {request.method for request in product.asked("/music/")} == {"GET"}
    assert "ConferenceSid=CF" in product.asked("/music/")[0].query
    _, page = await raw(box, "GET", "/Conferences/room/Participants.json?Hold=true")
    assert [one["call_sid"] for one in page["participants"]] == [customer]
    _, page = await raw(box, "GET", "/Conferences/room/Participants.json?Hold=false")
    assert [one["call_sid"] for one in page["participants"]] == [agent]
    _, found = await change(box, customer, Hold="false")
    before = len(product.asked("/music/"))
    await box.clock.advance(10)
    assert (found["hold"], len(product.asked("/music/"))) == (False, before)
    assert [e for e in await events(product) if "hold" in e] == ["participant-hold", "participant-unhold"]


async def test_on_hold_nothing_is_heard_and_nobody_hears(product: Product, box: Box) -> None:
    tap = f"<Start><Stream url='{product.socket_url}/media/x/' track='both_tracks'/></Start>"
    talker = Person(does=[{"wait": "answered"}, {"play": "cmd_weather.wav", "after": 4}, {"after": 60}])
    held = await enter(product, box, person=talker, before=tap)
    other = await enter(product, box, person=talker, before=tap)
    await change(box, held, Hold="true")
    await box.clock.advance(9)
    assert (await heard(box, held), await heard(box, other)) == ([], [])


async def test_on_hold_without_music_there_is_silence_to_the_byte(product: Product, box: Box) -> None:
    tap = f"<Start><Stream url='{product.socket_url}/media/x/' track='outbound_track'/></Start>"
    talker = Person(does=[{"wait": "answered"}, {"play": "cmd_weather.wav", "after": 1}, {"after": 60}])
    held = await enter(product, box, before=tap)
    await enter(product, box, person=talker)
    await change(box, held, Hold="true", HoldUrl="")
    await box.clock.advance(8)
    await box.post(f"/emulator/calls/{held}/hangup/", {})
    stream = (await box.call(held))["streams"][0]
    await product.until(lambda: product.sockets[0].over)
    sound = [base64.b64decode(m["media"]["payload"]) for m in product.sockets[0].of("media")]
    held_since = BEEP_FRAMES + round(0.5 * 50)
    assert stream["frames_sent"]["outbound"] > held_since + 300
    assert set(b"".join(sound[held_since:])) == {0xFF}


async def test_a_supervisor_monitors_whispers_and_barges(product: Product, box: Box) -> None:
    tap = f"<Start><Stream url='{product.socket_url}/media/x/' track='both_tracks'/></Start>"
    customer = await enter(product, box, before=tap)
    agent = await enter(product, box, before=tap)
    words: list[Any] = [
        {"wait": "answered"},
        *({"play": "cmd_today.wav", "after": 4} for _ in range(3)),
        {"after": 60},
    ]
    people(box, bob=Person(does=words))
    quiet = {"StartConferenceOnEnter": "false", "EndConferenceOnExit": "false", "Beep": "false"}
    boss = await invite(box, Label="boss", Muted="true", **quiet)
    await box.clock.advance(7)
    assert (await heard(box, customer), await heard(box, agent)) == ([], [])
    status, found = await change(box, "boss", Coaching="true", CallSidToCoach=agent, Muted="false")
    assert (status, found["coaching"], found["call_sid_to_coach"], found["muted"]) == (
        200,
        True,
        agent,
        False,
    )
    await box.clock.advance(5)
    assert (await heard(box, customer), set(await heard(box, agent))) == ([], {"cmd_today.wav"})
    _, found = await change(box, "boss", Coaching="false", Muted="false")
    assert (found["coaching"], found["call_sid_to_coach"]) == (False, None)
    await box.clock.advance(6)
    assert set(await heard(box, customer)) == {"cmd_today.wav"}
    _, page = await raw(box, "GET", "/Conferences/room/Participants.json?Coaching=true")
    assert page["participants"] == []
    modified = await told(product, "participant-modify", CallSid=boss["call_sid"])
    assert [form["Coaching"] for form in modified] == ["true", "false"]


async def test_a_coach_is_called_in_for_one(product: Product, box: Box) -> None:
    await enter(product, box)
    agent = await enter(product, box)
    made = await invite(box, CallSidToCoach=agent)
    assert (made["coaching"], made["call_sid_to_coach"]) == (True, agent)
    await box.clock.advance(3)
    assert (await shown(box, made["call_sid"]))["coaching"] is True


async def test_who_may_end_it_and_how_it_sounds_is_changed(product: Product, box: Box) -> None:
    customer, agent = await enter(product, box), await enter(product, box)
    _, found = await change(box, agent, EndConferenceOnExit="true", BeepOnExit="false")
    assert found["end_conference_on_exit"] is True
    await change(box, agent, EndConferenceOnExit="true", BeepOnExit="false")
    await box.clock.advance(1)
    assert len(await told(product, "participant-modify")) == 1
    await box.post(f"/emulator/calls/{agent}/hangup/", {})
    await box.clock.advance(1)
    assert (await conference(box))["status"] == "completed"
    left = await told(product, "participant-leave", CallSid=customer)
    assert left[0]["ReasonParticipantLeft"] == "moderator_ended_conference"


async def test_who_waits_alone_hears_other_music(product: Product, box: Box) -> None:
    product.answers["/wait/"] = "<Response><Pause length='5'/></Response>"
    product.answers["/better/"] = "<Response><Pause length='5'/></Response>"
    sid = await enter(product, box, wait="/wait/")
    await change(box, sid, WaitUrl=f"{product.url}/better/")
    await box.clock.advance(12)
    assert (len(product.asked("/wait/")), len(product.asked("/better/"))) == (1, 3)


async def test_one_who_still_rings_is_changed_before_coming(product: Product, box: Box) -> None:
    await enter(product, box)
    made = await invite(box)
    status, found = await change(box, made["call_sid"], Muted="true")
    assert (status, found["muted"], found["status"]) == (200, True, "queued")
    await box.clock.advance(3)
    found = await shown(box, made["call_sid"])
    assert (found["muted"], found["status"]) == (True, "connected")
    assert [event for event in await events(product) if "mute" in event] == []


async def test_an_announcement_is_heard_by_the_one_addressed(product: Product, box: Box) -> None:
    tap = f"<Start><Stream url='{product.socket_url}/media/x/' track='both_tracks'/></Start>"
    one, other = await enter(product, box, before=tap), await enter(product, box, before=tap)
    product.answers["/news/"] = "<Response><Say>Only for you</Say></Response>"
    await change(box, one, AnnounceUrl=f"{product.url}/news/")
    await box.clock.advance(6)
    ended = (
        await product.until(lambda: product.forms("/conference/", StatusCallbackEvent="announcement-end"))
    )[0]
    assert (ended["CallSid"], ended["AnnounceUrl"]) == (one, f"{product.url}/news/")
    spoken = [(await box.call(sid))["streams"][0]["prompts"] for sid in (one, other)]
    assert ["Only for you" in str(prompts) for prompts in spoken] == [True, False]
    assert product.forms("/news/")[0]["CallSid"] == one


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"HoldUrl": "music"}, 21205),
        ({"HoldMethod": "PUT"}, 21209),
        ({"WaitUrl": "music"}, 21205),
        ({"AnnounceUrl": "news"}, 21205),
        ({"Coaching": "true"}, 20001),
        ({"CallSidToCoach": "CA" + "0" * 32}, 16028),
        ({"CallSidToCoach": "held"}, 16028),
        ({"Muted": "true" * 2000}, 20001),
    ],
)
async def test_a_change_that_makes_no_sense_changes_nothing(
    product: Product, box: Box, fields: dict[str, str], code: int
) -> None:
    sid = await enter(product, box)
    await enter(product, box)
    status, body = await change(box, sid, Hold="true", **fields)
    assert (status, body["code"]) == (400, code)
    assert (await shown(box, sid))["hold"] is False


async def test_nobody_coaches_one_on_hold_or_themself(product: Product, box: Box) -> None:
    held, boss = await enter(product, box), await enter(product, box)
    await change(box, held, Hold="true")
    assert (await change(box, boss, CallSidToCoach=held))[1]["code"] == 16027
    assert (await change(box, boss, CallSidToCoach=boss))[1]["code"] == 20001


# Sent away


async def test_who_was_called_by_rest_is_sent_home(product: Product, box: Box) -> None:
    await enter(product, box)
    made = await invite(box, Label="agent")
    await box.clock.advance(3)
    assert await box.twilio(lambda client: client.conferences("room").participants("agent").delete()) is True
    await box.clock.advance(1)
    assert after(await box.call(made["call_sid"])) == ("completed", "end of TwiML")
    left = await told(product, "participant-leave", CallSid=made["call_sid"])
    assert left[0]["ReasonParticipantLeft"] == "participant_updated_via_api"


async def test_who_came_by_twiml_goes_on_with_it(product: Product, box: Box) -> None:
    product.answers["/after/"] = LISTEN
    sid = await enter(product, box)
    await enter(product, box)
    assert (await raw(box, "DELETE", f"/Conferences/room/Participants/{sid}.json"))[0] == 204
    await box.clock.advance(1)
    assert product.forms("/after/", CallSid=sid)[0]["DialCallStatus"] == "answered"
    assert (await box.call(sid))["status"] == "in-progress"


async def test_the_last_who_is_sent_away_ends_the_room(product: Product, box: Box) -> None:
    sid = await enter(product, box)
    await raw(box, "DELETE", f"/Conferences/room/Participants/{sid}.json")
    ended = await product.until(lambda: product.forms("/conference/", StatusCallbackEvent="conference-end"))
    assert ended[0]["ReasonConferenceEnded"] == "last-participant-kicked"


async def test_a_warm_transfer_keeps_the_room_when_the_agent_goes(product: Product, box: Box) -> None:
    customer = await enter(product, box)
    agent = await enter(product, box, "endConferenceOnExit='true'")
    third = await invite(box)
    await box.clock.advance(3)
    await change(box, agent, EndConferenceOnExit="false")
    await raw(box, "DELETE", f"/Conferences/room/Participants/{agent}.json")
    await box.clock.advance(1)
    _, page = await raw(box, "GET", "/Conferences/room/Participants.json")
    assert [one["call_sid"] for one in page["participants"]] == [customer, third["call_sid"]]


async def test_with_the_one_who_may_end_it_sent_away_it_ends(product: Product, box: Box) -> None:
    await enter(product, box)
    agent = await enter(product, box, "endConferenceOnExit='true'")
    await raw(box, "DELETE", f"/Conferences/room/Participants/{agent}.json")
    ended = await product.until(lambda: product.forms("/conference/", StatusCallbackEvent="conference-end"))
    assert ended[0]["ReasonConferenceEnded"] == "participant-with-end-conference-on-exit-kicked"
    assert ended[0]["CallSidEndingConference"] == agent


async def test_who_still_rings_is_called_no_longer_when_sent_away(product: Product, box: Box) -> None:
    await enter(product, box)
    box.exchange.people[BOB] = "no_answer"
    made = await invite(box)
    await box.clock.advance(1)
    assert (await raw(box, "DELETE", f"/Conferences/room/Participants/{made['call_sid']}.json"))[0] == 204
    assert (await box.call(made["call_sid"]))["status"] == "canceled"


async def test_a_redirected_participant_is_none_any_more(product: Product, box: Box) -> None:
    product.answers["/elsewhere/"] = LISTEN
    sid = await enter(product, box)
    await enter(product, box)
    await raw(box, "POST", f"/Calls/{sid}.json", data={"Url": f"{product.url}/elsewhere/"})
    await box.clock.advance(2)
    assert (await raw(box, "GET", f"/Conferences/room/Participants/{sid}.json"))[0] == 404
    left = await told(product, "participant-leave", CallSid=sid)
    assert left[0]["ReasonParticipantLeft"] == "participant_updated_via_api"
