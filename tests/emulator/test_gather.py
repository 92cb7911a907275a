"""Gather: keys and speech, while prompts play and after them."""

import pytest

from tests.emulator.conftest import Box
from tests.emulator.product import Product
from tests.emulator.story import Person, after, call, tell

ASK = "<Say>Please enter your code</Say>"


async def test_keys_after_the_prompt_go_to_the_action(product: Product, box: Box) -> None:
    await call(product, box, f"<Gather action='/code/' numDigits='4'>{ASK}</Gather>")
    sid = await tell(box, Person(does=[{"wait": "gather"}, {"press": "1234", "after": 0.5}]))
    await box.clock.advance(8)
    assert [form["Digits"] for form in product.forms("/code/", CallSid=sid)] == ["1234"]


async def test_without_an_action_the_same_document_is_asked_with_the_digits(
    product: Product, box: Box
) -> None:
    await call(product, box, f"<Gather numDigits='1'>{ASK}</Gather>", then="<Response><Hangup/></Response>")
    await tell(box, Person(does=[{"wait": "gather"}, {"press": "7"}]))
    await box.clock.advance(6)
    assert [form.get("Digits") for form in product.forms("/twilio/voice/")] == [None, "7"]


async def test_the_finish_key_ends_it_and_is_not_sent(product: Product, box: Box) -> None:
    await call(product, box, "<Gather action='/code/' timeout='30'/>")
    await tell(box, Person(does=[{"wait": "gather"}, {"press": "12#"}]))
    await box.clock.advance(4)
    assert product.forms("/code/")[0]["Digits"] == "12"


async def test_an_empty_finish_key_lets_every_key_through(product: Product, box: Box) -> None:
    await call(product, box, "<Gather action='/code/' timeout='2' finishOnKey=''/>")
    await tell(box, Person(does=[{"wait": "gather"}, {"press": "1#*"}, {"after": 9}]))
    await box.clock.advance(5)
    assert product.forms("/code/")[0]["Digits"] == "1#*"


async def test_a_pause_between_keys_ends_it(product: Product, box: Box) -> None:
    await call(product, box, "<Gather action='/code/' timeout='3'/>")
    await tell(
        box, Person(does=[{"wait": "gather"}, {"press": "1"}, {"press": "2", "after": 2}, {"after": 9}])
    )
    await box.clock.advance(4)
    assert product.asked("/code/") == []
    await box.clock.advance(3)
    assert product.forms("/code/")[0]["Digits"] == "12"


async def test_a_key_interrupts_the_prompt(product: Product, box: Box) -> None:
    await call(product, box, "<Gather action='/code/' numDigits='1'><Say loop='50'>Welcome</Say></Gather>")
    await tell(box, Person(does=[{"wait": "prompt"}, {"press": "1", "after": 0.2}]))
    await box.clock.advance(2)
    assert product.forms("/code/")[0]["Digits"] == "1"


async def test_nothing_goes_to_the_next_verb_without_a_request(product: Product, box: Box) -> None:
    await call(product, box, f"<Gather action='/code/'>{ASK}</Gather><Redirect>/nothing/</Redirect>")
    await tell(box, Person(does=[{"wait": "gather"}, {"after": 30}]))
    await box.clock.advance(10)
    assert (len(product.asked("/code/")), len(product.asked("/nothing/"))) == (0, 1)


async def test_nothing_is_told_where_that_was_asked_for(product: Product, box: Box) -> None:
    await call(product, box, "<Gather action='/code/' timeout='1' actionOnEmptyResult='true'/>")
    await tell(box, Person(does=[{"after": 30}]))
    await box.clock.advance(3)
    assert product.forms("/code/")[0]["Digits"] == ""


async def test_speech_is_what_the_recording_is_known_to_say(product: Product, box: Box) -> None:
    await call(product, box, "<Gather input='speech' action='/said/' speechTimeout='auto'/>")
    await tell(
        box, Person(does=[{"wait": "gather"}, {"play": "cmd_book_a_room.wav", "after": 0.4}, {"after": 9}])
    )
    await box.clock.advance(6)
    form = product.forms("/said/")[0]
    assert form["SpeechResult"] == "book a room"
    assert 0.0 < float(form["Confidence"]) <= 1.0
    assert "Digits" not in form


async def test_partial_results_grow_word_by_word(product: Product, box: Box) -> None:
    await call(product, box, "<Gather input='speech' action='/said/' partialResultCallback='/partial/'/>")
    await tell(box, Person(does=[{"wait": "gather"}, {"play": "cmd_weather.wav"}, {"after": 9}]))
    await box.clock.advance(12)
    partial = product.forms("/partial/")
    heard = [f"{form['StableSpeechResult']} {form['UnstableSpeechResult']}".strip() for form in partial]
    assert heard[-1] == product.forms("/said/")[0]["SpeechResult"] == "what's the weather like"
    assert [form["SequenceNumber"] for form in partial] == [str(n) for n in range(len(partial))]


async def test_keys_count_more_than_speech_where_both_are_taken(product: Product, box: Box) -> None:
    await call(product, box, "<Gather input='dtmf speech' action='/said/' numDigits='2' timeout='3'/>")
    await tell(box, Person(does=[{"wait": "gather"}, {"press": "42"}]))
    await box.clock.advance(3)
    assert product.forms("/said/")[0]["Digits"] == "42"
    assert "SpeechResult" not in product.forms("/said/")[0]


async def test_keys_are_not_taken_where_only_speech_is(product: Product, box: Box) -> None:
    await call(product, box, "<Gather input='speech' action='/said/' timeout='2'/>")
    await tell(box, Person(does=[{"wait": "gather"}, {"press": "42"}, {"after": 9}]))
    await box.clock.advance(5)
    assert product.asked("/said/") == []


async def test_a_verb_that_may_not_stand_inside_is_noted_and_passed_over(product: Product, box: Box) -> None:
    await call(product, box, "<Gather action='/code/' timeout='1'><Dial>+31201111111</Dial></Gather>")
    sid = await tell(box, Person(does=[{"after": 30}]))
    await box.clock.advance(3)
    assert [note["code"] for note in (await box.call(sid))["notifications"]] == [12200]


async def test_who_hangs_up_while_asked_ends_the_call(product: Product, box: Box) -> None:
    await call(product, box, f"<Gather action='/code/'>{ASK}</Gather>")
    sid = await tell(box, Person(does=[{"wait": "gather"}, {"hang_up": True}]))
    await box.clock.advance(5)
    assert after(await box.call(sid)) == ("completed", "hung up by the party")
    assert product.asked("/code/") == []


@pytest.mark.parametrize("bad", ["partialResultCallback='http://['", "action='http://['"])
async def test_with_a_bad_address_nothing_is_asked(product: Product, box: Box, bad: str) -> None:
    product.answers["/prompt.wav"] = "<Response/>"
    await call(product, box, f"<Gather {bad}><Pause length='2'/><Play>/prompt.wav</Play></Gather>")
    sid = await tell(box, Person(does=[{"after": 30}]))
    await box.clock.advance(5)
    ended = await box.call(sid)
    assert (ended["status"], [note["code"] for note in ended["notifications"]]) == ("completed", [11100])
    assert product.asked("/prompt.wav") == []
