"""Queues: callers wait, are told their place, are taken in order, or leave."""

import pytest

from emulator.verbs import queue
from tests.emulator.conftest import OFFICE, Box
from tests.emulator.product import Product
from tests.emulator.story import Person, after, call, tell

AGENT = "+31207654321"
PATIENT = Person(does=[{"after": 300}])
TAKE = "<Response><Dial action='/dialled/'><Queue>support</Queue></Dial></Response>"


async def waiting(product: Product, box: Box, attributes: str = "") -> str:
    """A caller who waits in `support`."""
    await call(product, box, f"<Enqueue action='/queued/' {attributes}>support</Enqueue>")
    sid = await tell(box, PATIENT)
    await box.clock.advance(1)
    return sid


async def agent(product: Product, box: Box, twiml: str = TAKE) -> str:
    """An agent whom the product calls and who follows `twiml`."""
    product.answers["/agent/"] = twiml
    box.exchange.people[AGENT] = "two_colleagues"
    made = await box.twilio(
        lambda client: client.calls.create(to=AGENT, from_=OFFICE, url=f"{product.url}/agent/")
    )
    await box.clock.advance(3)
    return str(made.sid)


async def test_a_caller_waits_until_taken_and_the_action_comes_when_the_bridge_ends(
    product: Product, box: Box
) -> None:
    sid = await waiting(product, box)
    await box.clock.advance(7)
    taker = await agent(product, box)
    assert product.asked("/queued/") == []
    await box.twilio(lambda client: client.calls(taker).update(status="completed"))
    await box.clock.advance(1)
    form = product.forms("/queued/", CallSid=sid)[0]
    assert form["QueueResult"] == "bridged"
    assert form["QueueSid"].startswith("QU")
    assert 8 <= int(form["QueueTime"]) <= 12


async def test_the_agent_is_told_whom_they_had(product: Product, box: Box) -> None:
    sid = await waiting(product, box)
    await agent(product, box)
    await box.post(f"/emulator/calls/{sid}/hangup/", {})
    await box.clock.advance(1)
    form = product.forms("/dialled/")[0]
    assert (form["DialCallStatus"], form["DialCallSid"], form["DialBridged"]) == ("completed", sid, "true")


async def test_callers_are_taken_in_the_order_in_which_they_came(product: Product, box: Box) -> None:
    first, second = await waiting(product, box), await waiting(product, box)
    assert [queue["members"] for queue in (await box.get("/emulator/log/"))["queues"]] == [[first, second]]
    await agent(product, box)
    assert [queue["members"] for queue in (await box.get("/emulator/log/"))["queues"]] == [[second]]


async def test_who_waits_is_asked_for_with_the_place_and_again_at_the_end(product: Product, box: Box) -> None:
    product.answers["/wait/"] = "<Response><Say>You are next</Say><Pause length='2'/></Response>"
    await waiting(product, box)
    await waiting(product, box, "waitUrl='/wait/'")
    await box.clock.advance(9)
    asked = product.forms("/wait/")
    assert len(asked) >= 3
    assert [form["QueuePosition"] for form in asked[:2]] == ["2", "2"]
    assert (asked[0]["CurrentQueueSize"], asked[0]["MaxQueueSize"]) == ("2", "1000")
    assert int(asked[2]["QueueTime"]) > int(asked[0]["QueueTime"]) == 0


async def test_leave_in_the_waiting_music_leaves_the_queue(product: Product, box: Box) -> None:
    product.answers["/wait/"] = "<Response><Say>Press 1 to go</Say><Leave/></Response>"
    product.answers["/queued/"] = "<Response><Say>Please leave a message</Say></Response>"
    sid = await waiting(product, box, "waitUrl='/wait/'")
    await box.clock.advance(2)
    assert product.forms("/queued/", CallSid=sid)[0]["QueueResult"] == "leave"


async def test_a_key_while_waiting_can_lead_out(product: Product, box: Box) -> None:
    product.answers["/wait/"] = "<Response><Gather action='/key/' numDigits='1' timeout='20'/></Response>"
    product.answers["/key/"] = "<Response><Leave/></Response>"
    await call(product, box, "<Enqueue action='/queued/' waitUrl='/wait/'>support</Enqueue>")
    await tell(box, Person(does=[{"wait": "gather"}, {"press": "1"}, {"after": 60}]))
    await box.clock.advance(3)
    assert product.forms("/key/")[0]["Digits"] == "1"
    assert product.forms("/queued/")[0]["QueueResult"] == "leave"


async def test_a_verb_that_may_not_wait_is_noted(product: Product, box: Box) -> None:
    product.answers["/wait/"] = "<Response><Dial>+31201111111</Dial><Pause length='30'/></Response>"
    sid = await waiting(product, box, "waitUrl='/wait/'")
    assert [note["code"] for note in (await box.call(sid))["notifications"]] == [13238]
    assert await box.children(sid) == []


async def test_a_caller_who_hangs_up_is_reported(product: Product, box: Box) -> None:
    sid = await waiting(product, box)
    await box.post(f"/emulator/calls/{sid}/hangup/", {})
    form = (await product.until(lambda: product.forms("/queued/", CallSid=sid)))[0]
    assert (form["QueueResult"], form["CallStatus"]) == ("hangup", "completed")


async def test_a_redirected_caller_asks_the_old_action_and_follows_the_new_address(
    product: Product, box: Box
) -> None:
    sid = await waiting(product, box)
    product.answers["/fetched/"] = "<Response><Pause length='60'/></Response>"
    await box.twilio(lambda client: client.calls(sid).update(url=f"{product.url}/fetched/"))
    await box.clock.advance(2)
    assert product.forms("/queued/")[0]["QueueResult"] == "redirected"
    assert [r.path for r in product.requests if r.path in {"/queued/", "/fetched/"}] == [
        "/queued/",
        "/fetched/",
    ]
    assert (await box.call(sid))["status"] == "in-progress"


async def test_a_redirected_caller_who_was_taken_says_that_too(product: Product, box: Box) -> None:
    sid = await waiting(product, box)
    await agent(product, box)
    product.answers["/fetched/"] = "<Response><Pause length='60'/></Response>"
    await box.twilio(lambda client: client.calls(sid).update(url=f"{product.url}/fetched/"))
    await box.clock.advance(2)
    assert [form["QueueResult"] for form in product.forms("/queued/")] == ["redirected-from-bridged"]
    assert (product.forms("/dialled/")[0]["DialBridged"], len(product.asked("/fetched/"))) == ("true", 1)


async def test_a_full_queue_says_so(product: Product, box: Box) -> None:
    box.exchange.queues.make("support", "us1", max_size=1)
    await waiting(product, box)
    sid = await waiting(product, box)
    assert product.forms("/queued/", CallSid=sid)[0]["QueueResult"] == "queue-full"


async def test_an_agent_waits_for_a_caller_as_long_as_the_timeout(product: Product, box: Box) -> None:
    await waiting(product, box)
    await agent(product, box)
    product.answers["/twilio/voice/"] = "<Response><Enqueue>support</Enqueue></Response>"
    second = await agent(product, box, TAKE.replace("<Dial", "<Dial timeout='6'"))
    await box.clock.advance(8)
    assert product.forms("/dialled/", CallSid=second)[0]["DialCallStatus"] == "no-answer"


async def test_a_nouns_url_is_played_to_the_waiting_caller_first(product: Product, box: Box) -> None:
    sid = await waiting(product, box)
    product.answers["/before/"] = "<Response><Say>You will be connected</Say></Response>"
    await agent(product, box, TAKE.replace("<Queue>", "<Queue url='/before/'>"))
    assert product.forms("/before/")[0]["CallSid"] == sid


async def test_an_unknown_queue_is_noted_and_not_answered(product: Product, box: Box) -> None:
    sid = await agent(product, box)
    assert [note["code"] for note in (await box.call(sid))["notifications"]] == [13255]
    assert product.forms("/dialled/")[0]["DialCallStatus"] == "no-answer"


async def test_a_caller_without_an_action_goes_to_the_next_verb(product: Product, box: Box) -> None:
    await call(product, box, "<Enqueue>support</Enqueue><Say>Thank you</Say><Hangup/>")
    sid = await tell(box, PATIENT)
    taker = await agent(product, box)
    await box.twilio(lambda client: client.calls(taker).update(status="completed"))
    await box.clock.advance(4)
    assert after(await box.call(sid)) == ("completed", "<Hangup>")


@pytest.mark.parametrize("bad", ["waitUrl='http://['", "action='http://['"], ids=["wait", "action"])
async def test_who_comes_with_a_bad_address_does_not_wait(product: Product, box: Box, bad: str) -> None:
    await call(product, box, f"<Enqueue {bad}>support</Enqueue>")
    sid = await tell(box, PATIENT)
    await box.clock.advance(1)
    ended = await box.call(sid)
    assert (ended["status"], [note["code"] for note in ended["notifications"]]) == ("completed", [11100])
    assert all(queue["members"] == [] for queue in (await box.get("/emulator/log/"))["queues"])


async def test_a_fault_leaves_nobody_in_the_queue(
    product: Product, box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(queue, "tones")
    sid = await waiting(product, box)
    assert (await box.call(sid))["reason"] == "fault of the emulator"
    assert [queue["members"] for queue in (await box.get("/emulator/log/"))["queues"]] == [[]]


async def test_an_agent_with_a_bad_address_takes_nobody(product: Product, box: Box) -> None:
    sid = await waiting(product, box)
    await agent(product, box, TAKE.replace("/dialled/", "http://["))
    assert [queue["members"] for queue in (await box.get("/emulator/log/"))["queues"]] == [[sid]]


async def test_an_agent_whose_caller_is_sent_elsewhere_before_they_meet_goes_on(
    product: Product, box: Box
) -> None:
    sid = await waiting(product, box)
    pause = "<Response><Pause length='60'/></Response>"
    product.answers |= {"/before/": pause, "/fetched/": pause}
    taker = await agent(product, box, TAKE.replace("<Queue>", "<Queue url='/before/'>"))
    await box.twilio(lambda client: client.calls(sid).update(url=f"{product.url}/fetched/"))
    await box.clock.advance(2)
    assert product.forms("/dialled/", CallSid=taker)[0]["DialCallStatus"] == "no-answer"
