"""Twilio's real-time transcription: what was said, by track, while it is said."""

import json

from tests.emulator.conftest import Box
from tests.emulator.product import Product
from tests.emulator.story import Person, call, tell

WORDS = "/words/"
WAIT = "<Pause length='60'/>"


def start(attributes: str = "") -> str:
    return f"<Start><Transcription statusCallbackUrl='{WORDS}' {attributes}/></Start>"


def said(product: Product, **fields: str) -> list[tuple[str, str]]:
    """(track, words) of each final line."""
    forms = product.forms(WORDS, TranscriptionEvent="transcription-content", Final="true", **fields)
    return [(form["Track"], json.loads(form["TranscriptionData"])["transcript"]) for form in forms]


async def test_a_line_is_told_when_it_was_said(product: Product, box: Box) -> None:
    await call(product, box, start("name='notes' inboundTrackLabel='customer'") + WAIT)
    sid = await tell(box, Person(does=[{"play": "cmd_book_a_room.wav", "after": 1}, {"after": 30}]))
    await box.clock.advance(2)
    assert said(product) == []
    await box.clock.advance(3)
    assert said(product) == [("inbound_track", "book a room")]
    started = product.forms(WORDS, TranscriptionEvent="transcription-started")[0]
    assert {
        "CallSid": sid,
        "Name": "notes",
        "Track": "both_tracks",
        "InboundTrackLabel": "customer",
        "PartialResults": "false",
        "LanguageCode": "en-US",
        "TranscriptionEngine": "google",
        "SequenceId": "1",
    }.items() <= started.items()
    assert started["TranscriptionSid"].startswith("GT")
    assert started["Timestamp"].endswith("Z")


async def test_both_sides_are_told_apart(product: Product, box: Box) -> None:
    await call(product, box, start() + "<Dial>+31201</Dial>")
    caller = Person(does=[{"wait": "connected"}, {"play": "cmd_book_a_room.wav"}, {"after": 30}])
    callee = Person(does=[{"wait": "connected"}, {"play": "cmd_two_people.wav", "after": 4}, {"after": 30}])
    await tell(box, caller, callee)
    await box.clock.advance(12)
    assert said(product) == [("inbound_track", "book a room"), ("outbound_track", "two people")]


async def test_prompts_are_on_the_outbound_track(product: Product, box: Box) -> None:
    await call(product, box, start("track='outbound_track'") + "<Say>How can I help you</Say>" + WAIT)
    await tell(box, Person(does=[{"play": "cmd_today.wav"}, {"after": 30}]))
    await box.clock.advance(6)
    assert said(product) == [("outbound_track", "how can i help you")]


async def test_partial_results_come_with_stability_and_the_final_one_with_confidence(
    product: Product, box: Box
) -> None:
    await call(product, box, start("partialResults='true'") + WAIT)
    await tell(box, Person(does=[{"play": "cmd_weather.wav", "after": 1}, {"after": 30}]))
    await box.clock.advance(7)
    content = product.forms(WORDS, TranscriptionEvent="transcription-content")
    partial = [form for form in content if form["Final"] == "false"]
    assert partial
    assert all("Stability" in form for form in partial)
    assert all("confidence" not in json.loads(form["TranscriptionData"]) for form in partial)
    final = json.loads(content[-1]["TranscriptionData"])
    assert content[-1]["Final"] == "true"
    assert final["transcript"] == "what's the weather like"
    assert 0 < final["confidence"] <= 1


async def test_stop_by_name_tells_what_was_said_last(product: Product, box: Box) -> None:
    stop = "<Pause length='2'/><Stop><Transcription name='notes'/></Stop>"
    await call(product, box, start("name='notes'") + "<Say>Hello</Say>" + stop + WAIT)
    await tell(box, Person(does=[{"play": "cmd_today.wav", "after": 0.5}, {"after": 60}]))
    await box.clock.advance(5)
    events = [form["TranscriptionEvent"] for form in product.forms(WORDS)]
    assert events[-1] == "transcription-stopped"
    assert ("inbound_track", "today") in said(product)


async def test_the_end_of_the_call_ends_it(product: Product, box: Box) -> None:
    await call(product, box, start() + "<Say>Hello</Say>")
    await tell(box, Person(does=[{"after": 60}]))
    await box.clock.advance(4)
    assert product.forms(WORDS)[-1]["TranscriptionEvent"] == "transcription-stopped"
    numbers = [int(form["SequenceId"]) for form in product.forms(WORDS)]
    assert numbers == list(range(1, len(numbers) + 1))
