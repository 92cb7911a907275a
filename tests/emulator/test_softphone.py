"""A browser that rings as `client:agent_7`: who answers, who is heard, how it ends."""

from base64 import b64encode
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from typing import Any

import aiohttp
import pytest
from twilio.rest import Client

from emulator.phone.handset import GRACE_S
from tests.emulator.conftest import ALICE, Box
from tests.emulator.pages import FRAME, Page, open_account, registered, token
from tests.emulator.product import Product

Register = Callable[..., Awaitable[Page]]


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
def register(box: Box, http: aiohttp.ClientSession) -> Register:
    """`await register("agent_7")`: a page that waits for calls."""
    open_account(box)

    async def make(identity: str = "agent_7", **other: Any) -> Page:
        return await registered(box, http, identity, **other)

    return make


def dial(
    product: Product, nouns: str = "<Client>agent_7</Client>", *, before: str = "", attributes: str = ""
) -> None:
    dial = f"<Dial action='/after/' {attributes}>{nouns}</Dial>"
    product.answers["/twilio/voice/"] = f"<Response>{before}{dial}</Response>"


async def ringing(box: Box, *pages: Page) -> str:
    """Alice calls and it rings at these pages; the CallSid of what rings."""
    await box.place()
    await box.clock.advance(1)
    told = [await page.told("incoming") for page in pages]
    return str(told[0]["call"])


async def talking(box: Box, page: Page) -> str:
    """Alice talks to this page; the CallSid of its leg."""
    sid = await ringing(box, page)
    await page.say("accept", call=sid)
    await page.told("answer")
    return sid


async def parent(box: Box, sid: str) -> str:
    return str((await box.call(sid))["parent_call_sid"])


# ringing


async def test_a_call_rings_at_the_page_and_is_answered_there(
    product: Product, box: Box, register: Register
) -> None:
    dial(product)
    page = await register()
    sid = await ringing(box, page)
    shown = (await page.told("incoming"))["parameters"]
    assert (shown["From"], shown["To"], shown["CallSid"]) == (ALICE, "client:agent_7", sid)
    assert (await box.call(sid))["status"] == "ringing"
    await page.say("accept", call=sid)
    await page.told("answer")
    assert (await box.call(sid))["status"] == "in-progress"


async def test_parameters_of_the_client_reach_the_page(
    product: Product, box: Box, register: Register
) -> None:
    values = "<Parameter name='queue' value='sales &amp; more'/><Parameter name='wait' value='41'/>"
    dial(product, f"<Client><Identity>agent_7</Identity>{values}</Client>")
    page = await register()
    await ringing(box, page)
    incoming = await page.told("incoming")
    assert incoming["custom"] == {"queue": "sales & more", "wait": "41"}
    assert incoming["parameters"]["Params"] == "queue=sales+%26+more&wait=41"


async def test_a_call_by_rest_carries_its_parameters_in_the_address(
    product: Product, box: Box, register: Register
) -> None:
    page = await register()
    to = "client:agent_7?matter=17"
    await box.twilio(lambda client: client.calls.create(to=to, from_="+31201234567", twiml="<Response/>"))
    await box.clock.advance(1)
    assert (await page.told("incoming"))["custom"] == {"matter": "17"}


async def test_all_pages_of_an_identity_ring_and_the_first_to_accept_wins(
    product: Product, box: Box, register: Register
) -> None:
    dial(product)
    one, two = await register(), await register()
    sid = await ringing(box, one, two)
    await two.say("accept", call=sid)
    await two.told("answer")
    await one.told("cancel")
    await one.say("accept", call=sid)
    await one.told("cancel", 2)
    assert (await box.call(sid))["status"] == "in-progress"


async def test_of_two_identities_the_one_that_does_not_accept_is_cancelled(
    product: Product, box: Box, register: Register
) -> None:
    dial(product, "<Client>agent_7</Client><Client>agent_8</Client>")
    seven, eight = await register("agent_7"), await register("agent_8")
    await ringing(box, seven, eight)
    await eight.say("accept", call=(await eight.told("incoming"))["call"])
    await eight.told("answer")
    await box.clock.advance(1)
    cancel = await seven.told("cancel")
    assert (await box.call(cancel["call"]))["status"] == "canceled"


async def test_a_rejected_call_is_busy_and_rings_nowhere_else(
    product: Product, box: Box, register: Register
) -> None:
    dial(product)
    one, two = await register(), await register()
    sid = await ringing(box, one, two)
    await one.say("reject", call=sid)
    await two.told("cancel")
    await product.until(lambda: product.asked("/after/"))
    assert product.forms("/after/")[0]["DialCallStatus"] == "busy"


async def test_an_ignored_call_rings_on_for_the_caller(
    product: Product, box: Box, register: Register
) -> None:
    dial(product, attributes="timeout='10'")
    page = await register()
    sid = await ringing(box, page)
    await page.say("ignore", call=sid)
    await box.clock.advance(5)
    assert (await box.call(sid))["status"] == "ringing"
    await box.clock.advance(6)
    await page.told("cancel")
    assert product.forms("/after/")[0]["DialCallStatus"] == "no-answer"


async def test_a_caller_who_gives_up_stops_the_ringing(
    product: Product, box: Box, register: Register
) -> None:
    dial(product)
    page = await register()
    sid = await ringing(box, page)
    await box.post(f"/emulator/calls/{await parent(box, sid)}/hangup/", {})
    assert (await page.told("cancel"))["call"] == sid


async def test_an_identity_that_no_page_ever_had_is_played_by_the_script(
    product: Product, box: Box, register: Register
) -> None:
    dial(product, "<Client>agent_9</Client>")
    await register("agent_7")
    sid = await box.place()
    await box.clock.advance(3)
    assert (await box.children(sid))[0]["status"] == "in-progress"


async def test_a_page_that_was_here_and_is_gone_does_not_answer_at_once(
    product: Product, box: Box, register: Register
) -> None:
    dial(product, "<Client statusCallback='/leg/'>agent_7</Client>")
    page = await register()
    await page.say("unregister")
    await page.told("unregistered")
    sid = await box.place()
    await box.clock.advance(1)
    assert product.forms("/after/")[0]["DialCallStatus"] == "no-answer"
    assert product.forms("/leg/")[0]["SipResponseCode"] == "480"
    statuses = [one["status"] for one in (await box.children(sid))[0]["statuses"]]
    assert statuses == ["queued", "no-answer"]


async def test_a_page_that_closes_while_it_rings_leaves_no_answer(
    product: Product, box: Box, register: Register
) -> None:
    dial(product)
    page = await register()
    await ringing(box, page)
    page.break_off()
    await product.until(lambda: product.asked("/after/"))
    assert product.forms("/after/")[0]["DialCallStatus"] == "no-answer"


# sound


async def test_the_page_hears_the_caller_frame_by_frame(
    product: Product, box: Box, register: Register
) -> None:
    dial(product)
    page = await register()
    await talking(box, page)
    await box.clock.advance(3)
    said = [frame.raw for frame in box.exchange.scripts.library.sound("conversation.wav", "caller").frames]
    first = next(at for at, raw in enumerate(said) if raw != b"\xff" * 160)
    await page.hears(said[first + 20])
    start = page.sound.index(said[first])
    assert page.sound[start : start + 20] == said[first : first + 20]


async def test_the_caller_hears_the_page_frame_by_frame(
    product: Product, box: Box, register: Register
) -> None:
    tap = f"<Start><Stream url='{product.socket_url}/media/x/' track='outbound_track'/></Start>"
    dial(product, before=tap)
    page = await register()
    await talking(box, page)
    frames = [bytes([number]) * 160 for number in range(10)]
    for frame in frames:
        await page.speak(frame)
    await page.say("ping")
    await page.told("pong")
    await box.clock.advance(1)
    wanted = [b64encode(frame).decode() for frame in frames]
    media = await product.until(lambda: _after(product.sockets[0].of("media"), wanted[0], len(wanted)))
    assert [message["media"]["payload"] for message in media] == wanted


def _after(media: list[dict[str, Any]], payload: str, number: int) -> list[dict[str, Any]]:
    """`number` messages from the first with this payload on; [] while they are not all there."""
    start = next((at for at, one in enumerate(media) if one["media"]["payload"] == payload), len(media))
    return media[start : start + number] if len(media) >= start + number else []


async def test_two_pages_in_a_conference_hear_each_other(
    product: Product, box: Box, register: Register
) -> None:
    room = "<Response><Dial><Conference beep='false'>desk</Conference></Dial></Response>"
    seven, eight = await register("agent_7"), await register("agent_8")

    def call(client: Client, name: str) -> None:
        client.calls.create(to=f"client:{name}", from_="+31201234567", twiml=room)

    for name in ("agent_7", "agent_8"):
        await box.twilio(partial(call, name=name))
    await box.clock.advance(1)
    for page in (seven, eight):
        await page.say("accept", call=(await page.told("incoming"))["call"])
        await page.told("answer")
    await box.clock.advance(1)
    await seven.speak(times=20)
    await seven.say("ping")
    await seven.told("pong")
    await box.clock.advance(1)
    await eight.hears(FRAME)
    assert FRAME not in seven.sound


# the end


async def test_a_page_that_hangs_up_ends_the_call(product: Product, box: Box, register: Register) -> None:
    dial(product)
    page = await register()
    sid = await talking(box, page)
    await box.clock.advance(4)
    await page.say("hangup", call=sid)
    await product.until(lambda: product.asked("/after/"))
    after = product.forms("/after/")[0]
    assert (after["DialCallStatus"], after["DialCallDuration"]) == ("completed", "4")


async def test_a_caller_who_hangs_up_ends_the_call_at_the_page(
    product: Product, box: Box, register: Register
) -> None:
    dial(product)
    page = await register()
    sid = await talking(box, page)
    await box.post(f"/emulator/calls/{await parent(box, sid)}/hangup/", {})
    assert (await page.told("hangup"))["call"] == sid


async def test_a_page_that_is_closed_hangs_up(product: Product, box: Box, register: Register) -> None:
    dial(product)
    page = await register()
    await talking(box, page)
    await page.ws.close()
    await product.until(lambda: product.asked("/after/"))
    assert product.forms("/after/")[0]["DialCallStatus"] == "completed"


async def test_a_page_that_is_lost_ends_the_call_when_its_grace_is_over(
    product: Product, box: Box, register: Register
) -> None:
    dial(product)
    page = await register()
    sid = await talking(box, page)
    page.break_off()
    await page.closed()
    await box.clock.advance(GRACE_S - 1)
    assert (await box.call(sid))["status"] == "in-progress"
    await box.clock.advance(2)
    call = await box.call(sid)
    assert (call["status"], call["reason"]) == ("completed", "the client was lost")


async def test_a_page_that_comes_back_in_time_takes_its_call_up_again(
    product: Product, box: Box, register: Register, http: aiohttp.ClientSession
) -> None:
    dial(product)
    page = await register()
    sid = await talking(box, page)
    key = (await page.told("answer"))["reconnect"]
    page.break_off()
    await page.closed()
    await box.clock.advance(5)
    again = await Page.open(box, http)
    await again.say("listen", token=token(box), reconnect=key)
    assert (await again.told("resumed"))["call"] == sid
    await box.clock.advance(GRACE_S + 1)
    assert (await box.call(sid))["status"] == "in-progress"
    assert again.sound
    await again.say("hangup", call=sid)
    await product.until(lambda: product.asked("/after/"))


async def test_nobody_else_can_take_a_lost_call_up(
    product: Product, box: Box, register: Register, http: aiohttp.ClientSession
) -> None:
    dial(product)
    page = await register()
    await talking(box, page)
    key = (await page.told("answer"))["reconnect"]
    page.break_off()
    await page.closed()
    other = await Page.open(box, http)
    await other.say("listen", token=token(box, "agent_8"), reconnect=key)
    assert (await other.told("resumed"))["call"] == ""


async def test_accepting_a_second_call_ends_the_first(product: Product, box: Box, register: Register) -> None:
    dial(product)
    page = await register()
    first = await talking(box, page)
    await box.place()
    await box.clock.advance(1)
    second = (await page.told("incoming", 2))["call"]
    await page.say("accept", call=second)
    await page.told("answer", 2)
    assert (await box.call(first))["status"] == "completed"
    assert (await box.call(second))["status"] == "in-progress"


# tokens in use


async def test_an_expired_token_stops_the_ringing_but_not_the_call(
    product: Product, box: Box, register: Register
) -> None:
    dial(product)
    page = await register(valid_until=int(box.clock.now().timestamp()) + 5)
    sid = await talking(box, page)
    await box.clock.advance(5)
    assert (await page.told("error"))["error"]["code"] == 20104
    await page.told("unregistered")
    assert (await box.call(sid))["status"] == "in-progress"


async def test_a_new_token_in_time_keeps_the_page_registered(
    product: Product, box: Box, register: Register
) -> None:
    dial(product)
    page = await register(valid_until=int(box.clock.now().timestamp()) + 5)
    await page.say("listen", token=token(box))
    await page.told("connected", 2)
    await box.clock.advance(6)
    await ringing(box, page)


async def test_a_token_without_the_incoming_grant_does_not_ring(
    box: Box, http: aiohttp.ClientSession
) -> None:
    open_account(box)
    page = await Page.open(box, http)
    await page.say("listen", token=token(box, incoming=False))
    assert (await page.told("connected"))["identity"] == "agent_7"
    await page.say("register")
    assert (await page.told("error"))["error"]["code"] == 20151
    await page.told("unregistered")
    assert box.exchange.softphones.party("client:agent_7") is None


async def test_a_token_that_opens_nothing_ends_the_connection(box: Box, http: aiohttp.ClientSession) -> None:
    page = await Page.open(box, http)
    await page.say("listen", token="nonsense")
    assert (await page.told("error"))["error"]["code"] == 20101
    assert await page.closed() == 4401


# messages


async def test_messages_go_from_the_application_to_the_page_and_back(
    product: Product, box: Box, register: Register
) -> None:
    dial(product)
    page = await register()
    sid = await talking(box, page)
    door = f"/emulator/calls/{sid}/messages/"
    assert (await box.post(door, {"content": {"note": "VIP"}}))[0] == 201
    assert (await page.told("message"))["content"] == {"note": "VIP"}
    await page.say("message", call=sid, id="KX1", content={"seen": True})
    assert (await page.told("sent"))["id"] == "KX1"
    assert (await box.get(door))["messages"] == [{"seen": True}]
    assert (await box.post(f"/emulator/calls/{await parent(box, sid)}/messages/", {}))[0] == 404
