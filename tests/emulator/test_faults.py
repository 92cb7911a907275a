"""What can be switched to go wrong."""

import pytest
from twilio.base.exceptions import TwilioRestException

from tests.emulator.conftest import ALICE, OFFICE, Box
from tests.emulator.product import Product

WAIT = "<Response><Say>Hello</Say><Pause length='60'/></Response>"


def tapped(product: Product) -> str:
    url, callback = f"{product.socket_url}/media/x/", f"{product.url}/streams/"
    tap = f"<Start><Stream url='{url}' statusCallback='{callback}'/></Start>"
    return WAIT.replace("<Response>", f"<Response>{tap}")


async def tap(product: Product, box: Box) -> tuple[str, str]:
    """A live call and its stream."""
    product.answers["/twilio/voice/"] = tapped(product)
    sid = await box.place()
    await box.clock.advance(1)
    await product.until(lambda: product.sockets and len(product.sockets[0].messages) > 1)
    return sid, product.sockets[0].messages[1]["streamSid"]


async def test_a_dropped_stream_ends_without_stop(product: Product, box: Box) -> None:
    sid, stream = await tap(product, box)
    status, _ = await box.post("/emulator/faults/", {"drop_stream": stream})
    assert status == 200
    await product.until(lambda: product.sockets[0].over)
    assert product.sockets[0].of("stop") == []
    await product.until(lambda: product.forms("/streams/", StreamEvent="stream-error"))
    assert (await box.call(sid))["status"] == "in-progress"


async def test_a_severed_stream_tells_nobody(product: Product, box: Box) -> None:
    sid, stream = await tap(product, box)
    await box.post("/emulator/faults/", {"sever": stream})
    await box.clock.advance(5)
    truth = (await box.call(sid))["streams"][0]
    assert truth["status"] == "stopped"
    assert not product.sockets[0].over
    assert [form["StreamEvent"] for form in product.forms("/streams/")] == ["stream-started"]


async def test_webhooks_come_twice(product: Product, box: Box) -> None:
    await box.post("/emulator/faults/", {"duplicate_webhooks": True})
    product.answers["/twilio/voice/"] = WAIT
    await box.place()
    await box.clock.advance(1)
    first, second = product.asked("/twilio/voice/")
    assert first.form == second.form


async def test_rest_fails_as_often_as_asked(box: Box) -> None:
    await box.post("/emulator/faults/", {"fail_rest": 503, "times": 1})
    with pytest.raises(TwilioRestException) as error:
        await box.twilio(lambda client: client.calls("CA" + "0" * 32).fetch())
    assert error.value.status == 503
    with pytest.raises(TwilioRestException) as error:
        await box.twilio(lambda client: client.calls("CA" + "0" * 32).fetch())
    assert error.value.status == 404


async def test_an_answer_is_lost_but_the_work_was_done(product: Product, box: Box) -> None:
    product.answers["/twilio/voice/"] = WAIT
    sid = await box.place()
    await box.clock.advance(1)
    await box.post("/emulator/faults/", {"lose_rest_answer": 1})
    with pytest.raises(Exception, match="Connection"):
        await box.twilio(lambda client: client.calls(sid).update(status="completed"))
    assert (await box.call(sid))["status"] == "completed"


@pytest.mark.parametrize(
    ("path", "body", "says"),
    [
        ("/emulator/faults/", {"explode": True}, "unknown fault"),
        ("/emulator/faults/", {"duplicate_webhooks": "yes"}, "takes a bool"),
        ("/emulator/calls/", {"from": ALICE}, "to must be a text"),
        ("/emulator/calls/", {"from": ALICE, "to": OFFICE, "script": "nothing"}, "unknown script"),
        ("/emulator/calls/", ["from"], "not a JSON object"),
        ("/emulator/calls/", {"from": ALICE, "to": OFFICE, "params": 1}, "params must be an object"),
    ],
    ids=["unknown fault", "wrong type", "no to", "no script", "no object", "params"],
)
async def test_a_bad_request_says_what_is_wrong(box: Box, path: str, body: object, says: str) -> None:
    status, answer = await box.post(path, body)
    assert status == 400
    assert says in answer["error"]


async def test_breaking_what_does_not_run_is_not_found(box: Box) -> None:
    status, _ = await box.post("/emulator/faults/", {"drop_stream": "MZ0"})
    assert status == 404
    status, _ = await box.post("/emulator/calls/CA0/hangup/", {})
    assert status == 404
