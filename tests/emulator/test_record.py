"""Recordings by TwiML: the verb, the attribute of Dial, and what is in the files."""

import io
import wave

import pytest

from tests.emulator.conftest import ACCOUNT_SID, Box
from tests.emulator.product import Product
from tests.emulator.story import Person, call, tell

WEATHER = {"play": "cmd_weather.wav", "after": 0.5}


async def test_a_message_ends_with_silence_and_goes_to_the_action(product: Product, box: Box) -> None:
    await call(product, box, "<Record action='/message/' timeout='2'/>")
    await tell(box, Person(does=[{"wait": "record"}, WEATHER, {"after": 60}]))
    await box.clock.advance(9)
    form = product.forms("/message/")[0]
    assert form["RecordingSid"].startswith("RE")
    assert form["RecordingUrl"].endswith(f"/Accounts/{ACCOUNT_SID}/Recordings/{form['RecordingSid']}")
    assert form["RecordingDuration"] in {"4", "5"}
    assert "Digits" not in form


async def test_a_key_ends_a_message(product: Product, box: Box) -> None:
    await call(product, box, "<Record action='/message/' finishOnKey='#' playBeep='false'/>")
    await tell(box, Person(does=[{"wait": "record"}, WEATHER, {"press": "1#"}, {"after": 60}]))
    await box.clock.advance(6)
    assert product.forms("/message/")[0]["Digits"] == "#"


async def test_a_message_is_as_long_as_it_may_be(product: Product, box: Box) -> None:
    await call(product, box, "<Record action='/message/' maxLength='1'/>")
    await tell(box, Person(does=[{"wait": "record"}, {"play": "reading_5min.wav"}, {"after": 60}]))
    await box.clock.advance(4)
    assert product.forms("/message/")[0]["RecordingDuration"] == "1"


async def test_who_says_nothing_goes_to_the_next_verb(product: Product, box: Box) -> None:
    await call(product, box, "<Record action='/message/' timeout='2'/><Redirect>/next/</Redirect>")
    await tell(box, Person(does=[{"after": 60}]))
    await box.clock.advance(5)
    assert (len(product.asked("/message/")), len(product.asked("/next/"))) == (0, 1)


async def test_who_hangs_up_leaves_the_message_behind(product: Product, box: Box) -> None:
    await call(product, box, "<Record action='/message/' recordingStatusCallback='/taped/'/>")
    sid = await tell(box, Person(does=[{"wait": "record"}, WEATHER, {"hang_up": True}]))
    await box.clock.advance(6)
    form = (await product.until(lambda: product.forms("/message/")))[0]
    assert (form["Digits"], form["CallStatus"]) == ("hangup", "completed")
    taped = (await product.until(lambda: product.forms("/taped/")))[0]
    assert {
        "AccountSid": ACCOUNT_SID,
        "CallSid": sid,
        "RecordingSid": form["RecordingSid"],
        "RecordingStatus": "completed",
        "RecordingChannels": "1",
        "RecordingSource": "RecordVerb",
    }.items() <= taped.items()


async def test_a_recorded_dial_tells_its_recording(product: Product, box: Box) -> None:
    taped = "record='record-from-answer-dual' recordingStatusCallback='/taped/'"
    await call(
        product,
        box,
        f"<Dial action='/after/' {taped} recordingStatusCallbackEvent='in-progress completed'>+31201</Dial>",
    )
    callee = Person(does=[{"wait": "connected"}, {"play": "cmd_today.wav"}, {"hang_up": True, "after": 3}])
    await tell(box, Person(does=[{"wait": "connected"}, {"play": "cmd_weather.wav"}, {"after": 60}]), callee)
    await box.clock.advance(12)
    after = product.forms("/after/")[0]
    assert after["DialCallStatus"] == "completed"
    told = product.forms("/taped/")
    assert [form["RecordingStatus"] for form in told] == ["in-progress", "completed"]
    assert {form["RecordingSid"] for form in told} == {after["RecordingSid"]}
    assert told[1]["RecordingChannels"] == "2"


async def test_a_recording_holds_each_side_in_its_channel(product: Product, box: Box) -> None:
    await call(product, box, "<Dial record='record-from-answer-dual'>+31201</Dial>")
    callee = Person(does=[{"wait": "connected"}, {"hang_up": True, "after": 5}])
    await tell(box, Person(does=[{"wait": "connected"}, {"play": "cmd_weather.wav"}, {"after": 60}]), callee)
    await box.clock.advance(12)
    made = next(iter(box.exchange.recordings.by_sid.values()))
    with wave.open(io.BytesIO(made.wav())) as file:
        assert (file.getnchannels(), file.getframerate(), file.getsampwidth()) == (2, 8000, 2)
        frames = memoryview(file.readframes(file.getnframes())).cast("h")
    left, right = list(frames[::2]), list(frames[1::2])
    sound = box.exchange.scripts.library.sound("cmd_weather.wav", "caller")
    assert max(map(abs, left)) > 2000
    assert set(right) == {0}
    assert abs(len(left) - 5 * 8000) <= 320
    assert sum(map(abs, left[: sound.ms * 8])) > 10 * sum(map(abs, left[sound.ms * 8 :]))


@pytest.mark.parametrize("bad", ["action='http://['", "recordingStatusCallback='http://['"])
async def test_with_a_bad_address_nothing_is_recorded(product: Product, box: Box, bad: str) -> None:
    await call(product, box, f"<Record {bad}/>")
    sid = await tell(box, Person(does=[{"wait": "answered"}, {"after": 60}]))
    await box.clock.advance(9)
    ended = await box.call(sid)
    assert (ended["status"], [note["code"] for note in ended["notifications"]]) == ("completed", [11100])
    assert box.exchange.recordings.by_sid == {}
