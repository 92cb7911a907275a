"""Dial: who rings, who is heard, what is asked afterwards."""

import pytest

from emulator.rest.endpoints import number
from emulator.verbs import ringing
from tests.emulator.conftest import ALICE, OFFICE, Box
from tests.emulator.product import Product

BOB = "+31209999999"


def dial(product: Product, nouns: str, *, then: str = "", **attributes: str) -> None:
    """The product dials; afterwards it is asked at /after/ unless `action` says otherwise."""
    given = {"action": "/after/", **attributes}
    text = " ".join(f'{name}="{value}"' for name, value in given.items() if value)
    product.answers["/twilio/voice/"] = f"<Response><Dial {text}>{nouns}</Dial>{then}</Response>"


async def test_a_plain_number_is_dialled_with_the_callers_number(product: Product, box: Box) -> None:
    dial(product, BOB)
    sid = await box.place()
    await box.clock.advance(3)
    child = (await box.children(sid))[0]
    assert (child["from"], child["to"], child["direction"]) == (ALICE, BOB, "outbound-dial")
    assert (child["status"], child["parent_call_sid"]) == ("in-progress", sid)


async def test_caller_id_is_what_the_callee_sees(product: Product, box: Box) -> None:
    dial(product, f"<Number>{BOB}</Number>", callerId=OFFICE)
    sid = await box.place()
    await box.clock.advance(3)
    assert (await box.children(sid))[0]["from"] == OFFICE


async def test_an_agent_in_a_browser_is_a_client_by_identity(product: Product, box: Box) -> None:
    dial(product, "<Client><Identity>agent_7</Identity><Parameter name='a' value='b'/></Client>")
    sid = await box.place()
    await box.clock.advance(3)
    assert (await box.children(sid))[0]["to"] == "client:agent_7"


@pytest.mark.parametrize(
    ("bridge", "ringing"), [("true", "ringing"), ("false", "in-progress")], ids=["on bridge", "at once"]
)
async def test_answer_on_bridge_lets_the_caller_ring(
    product: Product, box: Box, bridge: str, ringing: str
) -> None:
    dial(product, BOB, answerOnBridge=bridge)
    sid = await box.place()
    await box.clock.advance(1)
    assert (await box.call(sid))["status"] == ringing
    await box.clock.advance(2)
    assert (await box.call(sid))["status"] == "in-progress"


@pytest.mark.parametrize(
    ("script", "status"), [("busy", "busy"), ("no_answer", "no-answer"), ("failed", "failed")]
)
async def test_whoever_does_not_answer_is_told_to_the_action(
    product: Product, box: Box, script: str, status: str
) -> None:
    dial(product, BOB, timeout="10")
    product.answers["/after/"] = "<Response><Say>Sorry</Say><Hangup/></Response>"
    sid = await box.place(script)
    await box.clock.advance(12)
    after = product.forms("/after/")[0]
    assert (after["DialCallStatus"], after["DialBridged"]) == (status, "false")
    assert "DialCallDuration" not in after
    await box.clock.advance(5)
    assert (await box.call(sid))["reason"] == "<Hangup>"


async def test_without_an_action_the_next_verb_follows(product: Product, box: Box) -> None:
    dial(product, BOB, action="", timeout="10", then="<Redirect>/next/</Redirect>")
    await box.place("busy")
    await box.clock.advance(5)
    assert product.asked("/next/")


async def test_the_first_to_answer_wins_and_the_others_stop_ringing(product: Product, box: Box) -> None:
    dial(product, f"<Number>{BOB}</Number><Client>agent_7</Client>")
    sid = await box.place()
    await box.clock.advance(3)
    assert sorted(child["status"] for child in await box.children(sid)) == ["canceled", "in-progress"]


async def test_when_the_callee_hangs_up_the_action_takes_over(product: Product, box: Box) -> None:
    dial(product, BOB)
    product.answers["/after/"] = "<Response><Pause length='30'/></Response>"
    sid = await box.place()
    await box.clock.advance(7)
    child = (await box.children(sid))[0]
    await box.post(f"/emulator/calls/{child['call_sid']}/hangup/", {})
    await box.clock.advance(1)
    after = product.forms("/after/")[0]
    assert after["DialCallSid"] == child["call_sid"]
    assert (after["DialCallStatus"], after["DialCallDuration"]) == ("completed", "5")
    assert (await box.call(sid))["status"] == "in-progress"


async def test_a_nouns_url_is_played_to_the_callee_before_they_meet(product: Product, box: Box) -> None:
    dial(product, f"<Number url='/whisper/'>{BOB}</Number>")
    product.answers["/whisper/"] = "<Response><Say>A call from the shop window</Say></Response>"
    sid = await box.place()
    await box.clock.advance(2)
    child = (await box.children(sid))[0]
    assert product.forms("/whisper/")[0]["CallSid"] == child["call_sid"]
    assert box.exchange.legs[sid].bridge is None
    await box.clock.advance(2)
    assert box.exchange.legs[sid].bridge is not None


async def test_a_callee_who_hangs_up_at_the_whisper_never_meets_the_caller(
    product: Product, box: Box
) -> None:
    dial(product, f"<Number url='/whisper/'>{BOB}</Number>")
    product.answers |= {"/whisper/": "<Response><Hangup/></Response>", "/after/": "<Response/>"}
    sid = await box.place()
    await box.clock.advance(3)
    assert product.asked("/after/")
    assert box.exchange.legs[sid].bridge is None


async def test_a_redirect_ends_the_child_asks_the_old_action_and_then_the_new_address(
    product: Product, box: Box
) -> None:
    dial(product, BOB)
    product.answers["/after/"] = "<Response><Say>not performed</Say></Response>"
    product.answers["/moved/"] = "<Response><Pause length='30'/></Response>"
    sid = await box.place()
    await box.clock.advance(5)
    await box.twilio(lambda client: client.calls(sid).update(url=f"{product.url}/moved/"))
    await box.clock.advance(2)
    asked = [heard.path for heard in product.requests if heard.path in {"/after/", "/moved/"}]
    assert asked == ["/after/", "/moved/"]
    call = await box.call(sid)
    assert call["status"] == "in-progress"
    assert call["documents"][-1]["url"].endswith("/moved/")
    assert (await box.children(sid))[0]["status"] == "completed"


async def test_on_the_agents_leg_the_tracks_swap(product: Product, box: Box) -> None:
    dial(product, BOB)
    sid = await box.place()
    await box.clock.advance(3)
    child = (await box.children(sid))[0]["call_sid"]
    url = f"{product.socket_url}/media/agent/"
    await box.twilio(lambda client: client.calls(child).streams.create(url=url, track="both_tracks"))
    await product.until(lambda: product.sockets and len(product.sockets[0].messages) > 1)
    await box.clock.advance(5)
    pieces = (await box.call(child))["streams"][0]["played"]
    assert {(piece["track"], piece["channel"]) for piece in pieces} == {
        ("inbound", "agent"),
        ("outbound", "caller"),
    }


async def test_the_conversation_ends_when_its_recordings_are_over(product: Product, box: Box) -> None:
    dial(product, BOB)
    sid = await box.place("two_colleagues")
    await box.clock.advance(30)
    call = await box.call(sid)
    assert (call["status"], call["reason"]) == ("completed", "hung up by the party")


async def test_a_caller_whom_nobody_takes_loses_patience(product: Product, box: Box) -> None:
    product.answers["/twilio/voice/"] = "<Response><Say loop='99'>Please hold the line</Say></Response>"
    sid = await box.place()
    await box.clock.advance(61)
    assert (await box.call(sid))["status"] == "completed"
    await product.until(lambda: product.forms("/twilio/call-status/", CallSid=sid))


async def test_who_dials_hears_it_ring_until_somebody_answers(product: Product, box: Box) -> None:
    tap = f"<Start><Stream url='{product.socket_url}/media/x/' track='outbound_track'/></Start>"
    product.answers["/twilio/voice/"] = f"<Response>{tap}<Dial>{BOB}</Dial></Response>"
    sid = await box.place()
    await box.clock.advance(4)
    prompt = (await box.call(sid))["streams"][0]["prompts"][0]
    assert (prompt["text"], prompt["track"]) == ("ringing", "outbound")
    assert 1400 <= prompt["file_to_ms"] - prompt["file_from_ms"] <= 1800


async def test_sip_is_refused_in_words(product: Product, box: Box) -> None:
    dial(product, "<Sip>sip:agent@example.com</Sip>")
    sid = await box.place()
    await box.clock.advance(1)
    assert product.forms("/after/")[0]["DialCallStatus"] == "failed"
    note = (await box.call(sid))["notifications"][0]
    assert (note["code"], "no SIP" in note["message"]) == (13224, True)


async def test_refer_is_refused_in_words(product: Product, box: Box) -> None:
    product.answers["/twilio/voice/"] = (
        "<Response><Refer action='/referred/'><Sip>sip:agent@example.com</Sip></Refer></Response>"
    )
    sid = await box.place()
    await box.clock.advance(1)
    assert product.forms("/referred/")[0]["ReferCallStatus"] == "failed"
    assert [note["code"] for note in (await box.call(sid))["notifications"]] == [13233]


async def test_star_ends_the_other_side_where_it_may(product: Product, box: Box) -> None:
    dial(product, BOB, hangupOnStar="true")
    sid = await box.place("two_colleagues")
    await box.clock.advance(3)
    await box.post(f"/emulator/calls/{sid}/press/", {"digits": "*"})
    await box.clock.advance(1)
    assert product.forms("/after/")[0]["DialCallStatus"] == "completed"
    assert (await box.children(sid))[0]["reason"] == "the other side pressed *"


async def test_at_most_ten_ring_at_once(product: Product, box: Box) -> None:
    dial(product, "".join(f"<Number>+3120000{n:04}</Number>" for n in range(12)))
    sid = await box.place()
    await box.clock.advance(1)
    assert len(await box.children(sid)) == 10


async def test_what_is_told_of_a_caller_from_outside(product: Product, box: Box) -> None:
    dial(product, BOB)
    box.exchange.incoming("+14155550100", OFFICE, script="conversation")
    box.exchange.incoming("anonymous", OFFICE, script="conversation")
    await box.clock.advance(1)
    known, hidden = product.forms("/twilio/voice/")
    assert known["StirVerstat"] == "TN-Validation-Passed-A"
    assert known["CallToken"].startswith("%7B")
    assert not {"StirVerstat", "CallToken"} & set(hidden)


async def test_nouns_ring_one_after_the_other_where_that_is_asked_for(product: Product, box: Box) -> None:
    box.exchange.people["+31200000001"] = "no_answer"
    dial(
        product, "<Number>+31200000001</Number><Number>+31200000002</Number>", sequential="true", timeout="5"
    )
    sid = await box.place()
    await box.clock.advance(4)
    assert [child["to"] for child in await box.children(sid)] == ["+31200000001"]
    await box.clock.advance(4)
    assert [child["status"] for child in await box.children(sid)] == ["no-answer", "in-progress"]


async def test_nothing_is_dialled_in_a_whisper(product: Product, box: Box) -> None:
    dial(product, f"<Number url='/whisper/'>{BOB}</Number>")
    product.answers["/whisper/"] = (
        "<Response><Dial>+31201111111</Dial><Enqueue>desk</Enqueue><Say>Hello</Say></Response>"
    )
    sid = await box.place()
    await box.clock.advance(6)
    child = (await box.children(sid))[0]
    assert await box.children(child["call_sid"]) == []
    notes = [(note["code"], note["message"].partition(" is ")[0]) for note in child["notifications"]]
    assert notes == [(13201, "<Dial>"), (12200, "<Enqueue>")]
    assert all("before two are connected" in note["message"] for note in child["notifications"])
    assert box.exchange.legs[sid].bridge is not None


@pytest.mark.parametrize(
    ("nouns", "attributes"),
    [
        (f"<Number>{BOB}</Number><Number url='http://['>+31208888888</Number>", {}),
        (f"<Number>{BOB}</Number><Number statusCallback='http://['>+31208888888</Number>", {}),
        (BOB, {"record": "true", "recordingStatusCallback": "http://["}),
        (BOB, {"action": "http://["}),
        ("<Queue>support</Queue>", {"action": "http://["}),
        ("<Queue url='http://['>support</Queue>", {}),
    ],
    ids=["whisper", "events of a callee", "recording", "action", "action after a queue", "queue's whisper"],
)
async def test_a_bad_address_is_found_before_anybody_rings(
    product: Product, box: Box, nouns: str, attributes: dict[str, str]
) -> None:
    dial(product, nouns, **attributes)
    sid = await box.place("two_colleagues")
    await box.clock.advance(5)
    ended = await box.call(sid)
    assert (ended["status"], [note["code"] for note in ended["notifications"]]) == ("completed", [11100])
    assert await box.children(sid) == []


async def test_a_fault_in_the_middle_of_dial_ends_who_rang(
    product: Product, box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ringing, "first_to_answer", broken)
    dial(product, f"<Number>{BOB}</Number><Client>agent_7</Client>")
    sid = await box.place()
    await box.clock.advance(1)
    assert (await box.call(sid))["reason"] == "fault of the emulator"
    assert [child["status"] for child in await box.children(sid)] == ["canceled", "canceled"]


async def broken(*things: object) -> None:
    """Something of the emulator that does not do what it should."""
    raise RuntimeError("broken")


@pytest.mark.parametrize(
    "text", ["", "hello you", "sip:agent@example.com", "12", "+1234567890123456", "+٣١٢٠٩٩٩٩٩٩٩", "++3120"]
)
async def test_what_is_no_number_is_noted_and_does_not_ring(product: Product, box: Box, text: str) -> None:
    dial(product, f"<Number>{text}</Number>")
    sid = await box.place()
    await box.clock.advance(1)
    form = product.forms("/after/")[0]
    assert form["DialCallStatus"] == "failed"
    assert "DialCallSid" not in form
    assert [note["code"] for note in (await box.call(sid))["notifications"]] == [13223]
    assert await box.children(sid) == []
    assert number(text) is None


@pytest.mark.parametrize("text", ["+31 20-999.99 99", "(020) 9999999", "020/9999999", "112", "2125551234"])
async def test_a_number_rings_however_it_is_written(product: Product, box: Box, text: str) -> None:
    dial(product, text)
    sid = await box.place()
    await box.clock.advance(3)
    assert [(child["to"], child["status"]) for child in await box.children(sid)] == [(text, "in-progress")]
    assert number(text) is not None


async def test_beside_what_is_no_number_the_others_ring(product: Product, box: Box) -> None:
    dial(product, f"<Number/><Number>{BOB}</Number>")
    sid = await box.place()
    await box.clock.advance(3)
    assert [child["to"] for child in await box.children(sid)] == [BOB]
    assert [note["code"] for note in (await box.call(sid))["notifications"]] == [13223]


@pytest.mark.parametrize(
    ("attributes", "noted"),
    [
        ({"record": "record-from-ringing"}, ["records from the answer on"]),
        ({"record": "record-from-ringing-dual"}, ["records from the answer on"]),
        ({"record": "record-from-answer"}, []),
        ({"trim": "do-not-trim", "ringTone": "us"}, ["changes nothing", "changes nothing"]),
    ],
)
async def test_what_changes_less_than_it_says_is_noted(
    product: Product, box: Box, attributes: dict[str, str], noted: list[str]
) -> None:
    dial(product, BOB, **attributes)
    sid = await box.place()
    await box.clock.advance(3)
    notes = (await box.call(sid))["notifications"]
    assert [note["code"] for note in notes] == [12200] * len(noted)
    assert all(words in note["message"] for words, note in zip(noted, notes, strict=True))


async def test_a_caller_who_hangs_up_at_the_whisper_ends_the_callee_too(product: Product, box: Box) -> None:
    dial(product, f"<Number url='/whisper/'>{BOB}</Number>")
    product.answers["/whisper/"] = "<Response><Pause length='4'/></Response>"
    sid = await box.place()
    await box.clock.advance(3)
    await box.post(f"/emulator/calls/{sid}/hangup/", {})
    await box.clock.advance(6)
    assert [child["status"] for child in await box.children(sid)] == ["completed"]
