"""Queues by REST: made, set up, looked into, emptied one by one."""

from typing import Any

import pytest

from tests.emulator.conftest import Box
from tests.emulator.product import Product
from tests.emulator.test_queue import agent, waiting
from tests.emulator.test_rest import LISTEN, raw


async def queue(box: Box, **fields: str) -> dict[str, Any]:
    status, made = await raw(box, "POST", "/Queues.json", data={"FriendlyName": "support", **fields})
    assert status == 201
    return dict(made)


async def test_a_queue_is_made_shown_changed_and_forgotten(box: Box) -> None:
    made = await queue(box)
    assert (made["max_size"], made["current_size"], made["average_wait_time"]) == (1000, 0, 0)
    one = f"/Queues/{made['sid']}.json"
    status, changed = await raw(box, "POST", one, data={"FriendlyName": "sales", "MaxSize": "5"})
    assert (status, changed["friendly_name"], changed["max_size"]) == (200, "sales", 5)
    assert (await raw(box, "GET", one))[1] == changed
    _, page = await raw(box, "GET", "/Queues.json")
    assert page["queues"] == [changed]
    assert (await raw(box, "DELETE", one))[0] == 204
    for method in ("GET", "POST", "DELETE"):
        status, body = await raw(box, method, one)
        assert (status, body["code"]) == (404, 20404)


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"FriendlyName": ""}, 20002),
        ({"FriendlyName": "x" * 65}, 20002),
        ({"FriendlyName": "taken"}, 22003),
        ({"FriendlyName": "new", "MaxSize": "0"}, 20001),
        ({"FriendlyName": "new", "MaxSize": "5001"}, 20001),
        ({"FriendlyName": "new", "MaxSize": "some"}, 20001),
    ],
)
async def test_a_queue_that_makes_no_sense_is_refused(box: Box, fields: dict[str, str], code: int) -> None:
    await queue(box, FriendlyName="taken")
    status, body = await raw(box, "POST", "/Queues.json", data=fields)
    assert (status, body["code"]) == (400, code)
    assert len(box.exchange.queues.by_sid) == 1


async def test_a_queue_is_found_by_its_id_alone(product: Product, box: Box) -> None:
    await waiting(product, box)
    status, body = await raw(box, "GET", "/Queues/support.json")
    assert (status, body["code"]) == (404, 20404)


async def test_a_full_queue_made_by_rest_lets_nobody_in(product: Product, box: Box) -> None:
    await queue(box, MaxSize="1")
    await waiting(product, box)
    await waiting(product, box)
    assert [form["QueueResult"] for form in product.forms("/queued/")] == ["queue-full"]


async def test_who_waits_is_listed_in_order_with_place_and_time(product: Product, box: Box) -> None:
    made = await queue(box)
    first = await waiting(product, box)
    await box.clock.advance(9)
    second = await waiting(product, box)
    members = f"/Queues/{made['sid']}/Members"
    _, page = await raw(box, "GET", f"{members}.json")
    assert [(m["call_sid"], m["position"], m["wait_time"]) for m in page["queue_members"]] == [
        (first, 1, 11),
        (second, 2, 1),
    ]
    for name, sid in (("Front", first), (second, second)):
        _, member = await raw(box, "GET", f"{members}/{name}.json")
        assert (member["call_sid"], member["queue_sid"]) == (sid, made["sid"])
    _, shown = await raw(box, "GET", f"/Queues/{made['sid']}.json")
    assert shown["current_size"] == 2
    status, body = await raw(box, "DELETE", f"/Queues/{made['sid']}.json")
    assert (status, body["code"]) == (400, 20001)


async def test_the_one_in_front_is_sent_to_other_twiml(product: Product, box: Box) -> None:
    product.answers["/elsewhere/"] = LISTEN
    made = await queue(box)
    first, second = await waiting(product, box), await waiting(product, box)
    await box.clock.advance(3)
    members = f"/Queues/{made['sid']}/Members"
    fields = {"Url": f"{product.url}/elsewhere/", "Method": "GET"}
    status, gone = await raw(box, "POST", f"{members}/Front.json", data=fields)
    assert (status, gone["call_sid"], gone["position"]) == (200, first, 1)
    await box.clock.advance(1)
    await product.until(lambda: product.asked("/elsewhere/"))
    assert product.asked("/elsewhere/")[0].method == "GET"
    form = product.forms("/queued/", CallSid=first)[0]
    assert (form["QueueResult"], form["QueueTime"]) == ("redirected", "5")
    _, left = await raw(box, "GET", f"{members}.json")
    assert [member["call_sid"] for member in left["queue_members"]] == [second]
    _, shown = await raw(box, "GET", f"/Queues/{made['sid']}.json")
    assert shown["average_wait_time"] == 5


async def test_a_member_is_sent_to_an_address_or_not_at_all(product: Product, box: Box) -> None:
    made = await queue(box)
    sid = await waiting(product, box)
    member = f"/Queues/{made['sid']}/Members/{sid}.json"
    for fields, code in (({}, 20001), ({"Url": "x"}, 21205), ({"Url": "http://x/", "Method": "PUT"}, 21209)):
        status, body = await raw(box, "POST", member, data=fields)
        assert (status, body["code"]) == (400, code)
    assert len(box.exchange.queues.by_sid[made["sid"]].members) == 1


async def test_who_has_left_the_queue_is_no_member(product: Product, box: Box) -> None:
    made = await queue(box)
    sid = await waiting(product, box)
    await agent(product, box)
    for name in (sid, "Front"):
        for method in ("GET", "POST"):
            status, body = await raw(box, method, f"/Queues/{made['sid']}/Members/{name}.json", data={})
            assert (status, body["code"]) == (404, 20404)
