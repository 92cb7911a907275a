"""Our TwiML: its shape, and that no text becomes markup."""

import xml.etree.ElementTree as ET
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calls import path, steps, twiml, waiting
from calls.text import clean

CALLER = "+31612345678"
ADDRESSES = twiml.Addresses(
    next_turn="https://x/twilio/next/1/",
    call_status="https://x/twilio/call-status/",
    queue="https://x/twilio/queue/1/",
    gather="https://x/twilio/gather/1/",
    recording="https://x/twilio/recording/",
    conference="https://x/twilio/conference/",
    music="https://x/static/sounds/hold.wav",
)
TAP = twiml.Tap(
    url="wss://x/media/n/",
    name="tap",
    track="both_tracks",
    status_callback="https://x/twilio/stream-status/",
    parameters={"call": "7"},
)
NUMBER = path.NumberSettings(e164="+31201234567", destination="phone", target="+31201234999")


def parsed(document):
    return ET.fromstring(document)  # noqa: S314  our own document


def shape(document):
    """Tags in order, as (tag, children)."""

    def of(element):
        return element.tag, [of(child) for child in element]

    return of(parsed(document))


def test_the_default_path_is_greeting_consent_then_tap_then_dial():
    said = steps.Say("Welcome.", own=True), steps.Say("This call is recorded.", own=True)
    document = twiml.render(
        *said, TAP, *path.meaning(path.route(NUMBER), NUMBER, CALLER), addresses=ADDRESSES
    )
    assert shape(document) == (
        "Response",
        [
            ("Say", []),
            ("Say", []),
            ("Start", [("Stream", [("Parameter", [])])]),
            ("Dial", [("Number", [])]),
        ],
    )


def test_a_voice_has_a_redirect_behind_its_stream_and_no_tap_before_it():
    number = replace(NUMBER, destination="voice", voice=2)
    start = path.opening(number, is_open=True, blocked=False, closed=steps.Say("Closed."))
    stream = steps.Connect("wss://x/media/n/", "voice", "https://x/twilio/stream-status/", {"call": "7"})
    document = twiml.render(stream, *path.meaning(start.plan, number, CALLER), addresses=ADDRESSES)
    assert not start.tapped
    assert shape(document) == (
        "Response",
        [("Connect", [("Stream", [("Parameter", [])])]), ("Redirect", [])],
    )


def test_a_telephone_tells_how_it_goes():
    number = parsed(written({"step": "phone", "to": "+31201234999"})).find("Dial/Number")
    assert number is not None
    assert number.text == "+31201234999"
    assert number.get("statusCallbackEvent") == "initiated ringing answered completed"


def written(plan, number=NUMBER, caller=CALLER):
    return twiml.render(*path.meaning(plan, number, caller), addresses=ADDRESSES, language=number.language)


def test_a_stream_only_number_speaks_first_and_never_ends_with_start():
    document = twiml.render(TAP, steps.Listen(), addresses=ADDRESSES)
    assert tags(document) == ["Start", "Say", "Pause", "Redirect"]
    assert tags(twiml.render(steps.Listen(again=True), addresses=ADDRESSES)) == ["Pause", "Redirect"]


def tags(document):
    return [tag for tag, _ in shape(document)[1]]


@pytest.mark.parametrize("caller", ["", "anonymous", "client:agent_1", "sip:x@example.com"])
def test_a_caller_without_a_number_is_shown_by_ours(caller):
    [dial] = path.meaning(path.to_phone("+31201234999"), NUMBER, caller)
    assert dial == steps.Dial("+31201234999", caller_id="+31201234567")


@pytest.mark.parametrize(
    "plan",
    [
        {},
        {"step": "queue"},
        {"step": "queue", "queue": "1"},
        {"step": "phone", "to": "+3<Dial>"},
        {"step": "new"},
    ],
)
def test_a_plan_that_cannot_be_read_ends_with_an_apology(plan):
    assert path.meaning(plan, NUMBER, CALLER) == (steps.End(path.NOBODY),)


@pytest.mark.parametrize(
    ("destination", "key"), [("queue", "queue"), ("agent", "agent"), ("phone", "target")]
)
def test_without_a_destination_somebody_says_so(destination, key):
    number = replace(NUMBER, **{"destination": destination, key: "" if key == "target" else None})
    assert path.route(number) == path.to_end(path.NOBODY)


def test_the_caller_meets_an_agent_in_a_quiet_room_that_ends_with_them():
    document = written({"step": "conference", "name": "call-7-1"})
    dial = parsed(document).find("Dial")
    assert dial is not None
    room = dial.find("Conference")
    assert room is not None
    assert (dial.get("action"), dial.get("method")) == (ADDRESSES.next_turn, "POST")
    assert room.text == "call-7-1"
    assert room.attrib == {
        "startConferenceOnEnter": "true",
        "endConferenceOnExit": "true",
        "beep": "false",
        "waitUrl": "",
        "participantLabel": "caller",
        "statusCallback": ADDRESSES.conference,
        "statusCallbackMethod": "POST",
        "statusCallbackEvent": "start end join leave mute hold",
    }


@pytest.mark.parametrize(("plan", "name"), [(path.to_queue(3), "queue-3"), (path.to_agent(9), "agent-9")])
def test_who_waits_is_in_twilios_queue_of_that_name(plan, name):
    enqueue = parsed(written(plan)).find("Enqueue")
    assert enqueue is not None
    assert (enqueue.text, enqueue.get("waitUrl"), enqueue.get("waitUrlMethod")) == (
        name,
        ADDRESSES.queue,
        "POST",
    )


@pytest.mark.parametrize("keys", [True, False])
def test_a_round_holds_only_what_twilio_allows_in_a_queue(keys):
    said = (steps.Say("You are next."),)
    document = twiml.render(waiting.Round(said, keys=keys), addresses=ADDRESSES)
    found = {element.tag for element in parsed(document).iter()} - {"Response"}
    assert found == {"Say", "Play", "Redirect"} | ({"Gather"} if keys else set())
    assert tags(document)[-1] == "Redirect"


def test_on_hold_only_music_is_played():
    assert tags(twiml.hold(ADDRESSES.music)) == ["Play"]


def test_a_code_is_asked_by_keys_and_speech_and_silence_comes_back_too():
    gather = parsed(written({"step": "verify"}, replace(NUMBER, verify="birth", language="nl-NL"))).find(
        "Gather"
    )
    assert gather is not None
    for name, value in {
        "input": "dtmf speech",
        "numDigits": "8",
        "actionOnEmptyResult": "true",
        "language": "nl-NL",
    }.items():
        assert gather.get(name) == value
    code = parsed(written({"step": "verify"}, replace(NUMBER, verify="code"))).find("Gather")
    assert code is not None
    assert (code.get("finishOnKey"), code.get("numDigits")) == ("#", None)


def test_the_owners_texts_are_spoken_in_their_language_and_ours_in_english():
    document = twiml.render(
        steps.Say("Welkom.", own=True), steps.End("Goodbye."), addresses=ADDRESSES, language="nl-NL"
    )
    assert [say.get("language") for say in parsed(document).iter("Say")] == ["nl-NL", "en-GB"]
    american = twiml.render(steps.Say("Goodbye."), addresses=ADDRESSES, language="en-US")
    assert [say.get("language") for say in parsed(american).iter("Say")] == ["en-US"]


@pytest.mark.parametrize(
    ("status", "step"),
    [
        ("completed", steps.End()),
        ("answered", steps.End()),
        ("busy", steps.End(path.NOBODY)),
        ("no-answer", steps.End(path.NOBODY)),
        ("failed", steps.End(path.NOBODY)),
        ("something new", steps.End(path.NOBODY)),
    ],
)
def test_after_a_dial(status, step):
    assert path.after_dial(status) == step


HOSTILE = st.one_of(
    st.text(max_size=80),
    st.sampled_from(
        [
            "</Say><Hangup/>",
            "<!--",
            "]]>",
            "&lt;",
            "\x00",
            "\ud800",
            "<Dial>+88213</Dial>",
            '"/><Play>x</Play>',
        ]
    ),
)


@given(HOSTILE, HOSTILE, HOSTILE, HOSTILE)
def test_no_text_becomes_markup(consent, name, value, target):
    tap = twiml.Tap(url="wss://x/", name="tap", track="both_tracks", status_callback="https://x/",
                    parameters={name: value})  # fmt: skip
    step = steps.Dial(target=clean(target, 20), caller_id="+31201234567")
    document = twiml.render(steps.Say(consent, own=True), tap, step, addresses=ADDRESSES)
    said: list[object] = [("Say", [])] if consent else []
    assert shape(document) == (
        "Response",
        [*said, ("Start", [("Stream", [("Parameter", [])])]), ("Dial", [("Number", [])])],
    )


@settings(max_examples=200)
@given(HOSTILE, HOSTILE, HOSTILE)
def test_no_text_becomes_markup_on_any_step(text, name, address):
    prompt = steps.Say(text, own=True)
    to = replace(ADDRESSES, music=clean(address, 200), next_turn=clean(address, 200))
    pieces: dict[Any, list[str]] = {
        steps.StopTaps((clean(name, 64),)): ["Stop"],
        steps.Wait(clean(name, 64)): ["Enqueue"],
        steps.Meet(clean(name, 64)): ["Dial"],
        waiting.Round((prompt,), keys=True): ["Gather", "Redirect"],
        steps.Ask(prompt): ["Gather"],
        steps.Record(): ["Record", "Say", "Hangup"],
        steps.Go(): ["Redirect"],
        steps.End(text): ["Say", "Hangup"] if text else ["Hangup"],
    }
    for piece, expected in pieces.items():
        document = twiml.render(piece, addresses=to)
        assert tags(document) == expected
        inside = {element.tag for element in parsed(document).iter()}
        assert inside <= {"Response", *expected, "Stream", "Conference", "Say", "Play"}
