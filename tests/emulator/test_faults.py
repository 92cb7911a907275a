"""What can be switched to go wrong."""

import asyncio
from typing import Any

import aiohttp
import pytest
from twilio.base.exceptions import TwilioRestException

from emulator.faults import FaultError, Faults, read
from tests.emulator.conftest import ACCOUNT_SID, ALICE, OFFICE, TOKEN, Box
from tests.emulator.product import Product
from tests.twilio import signature

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


async def rest(box: Box, call: str, **fields: str) -> tuple[int, Any]:
    """Status and body of one REST request about a call; raises what aiohttp raises."""
    url = f"{box.url}/2010-04-01/Accounts/{ACCOUNT_SID}/Calls/{call}.json"
    headers = {"Authorization": aiohttp.encode_basic_auth(ACCOUNT_SID, TOKEN)}
    async with aiohttp.ClientSession(headers=headers) as http:
        how = http.post(url, data=fields) if fields else http.get(url)
        async with how as answer:
            return answer.status, await answer.json()


@pytest.mark.parametrize(("status", "code"), [(429, 20429), (500, 20500)])
async def test_rest_fails_for_one_call_alone(product: Product, box: Box, status: int, code: int) -> None:
    product.answers["/twilio/voice/"] = WAIT
    first, second = await box.place(), await box.place()
    await box.post("/emulator/faults/", {"call": first, "fail_rest": status, "times": 1})
    failed, body = await rest(box, first)
    assert (failed, body["code"]) == (status, code)
    assert (await rest(box, second))[0] == 200
    assert (await rest(box, first))[0] == 200


async def test_a_request_that_is_never_answered_was_carried_out(
    product: Product, box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("emulator.rest.failing.HANG_S", 0.2)
    product.answers["/twilio/voice/"] = WAIT
    sid = await box.place()
    await box.clock.advance(1)
    await box.post("/emulator/faults/", {"hang_rest": 1})
    with pytest.raises(aiohttp.ServerDisconnectedError):
        await rest(box, sid, Status="completed")
    assert (await box.call(sid))["status"] == "completed"
    assert (await rest(box, sid))[0] == 200


async def test_a_late_answer_holds_telephone_time(product: Product, box: Box) -> None:
    sid = await box.place()
    await box.post("/emulator/faults/", {"delay_rest_ms": 100})
    asking = asyncio.ensure_future(rest(box, sid))
    while not box.clock.held:
        await box.get("/emulator/")
    moving = asyncio.ensure_future(box.clock.advance(5))
    assert (await asking)[0] == 200
    await moving


async def test_a_wrong_clock_shows_in_all_dates_and_not_in_the_truth(product: Product, box: Box) -> None:
    product.answers["/twilio/voice/"] = tapped(product)
    sid = await box.place(faults={"clock_offset_ms": 3_600_000})
    await box.clock.advance(1)
    await product.until(lambda: product.forms("/streams/"))
    assert product.forms("/streams/")[0]["Timestamp"].startswith("2026-11-20T11:15:00.")
    shown = (await rest(box, sid))[1]
    assert shown["date_created"] == "Fri, 20 Nov 2026 11:15:00 +0000"
    assert shown["end_time"] is None
    await box.post(f"/emulator/calls/{sid}/hangup/", {})
    ended = (await product.until(lambda: product.forms("/twilio/call-status/")))[0]
    assert ended["Timestamp"] == "Fri, 20 Nov 2026 11:15:01 +0000"
    truth = await box.call(sid)
    assert truth["created"].startswith("2026-11-20T10:15:00")


@pytest.mark.parametrize(("switch", "says"), [("wrong_signature", "wrong"), ("unsigned", "none")])
async def test_bad_signatures_are_for_webhooks_and_sockets_and_are_told(
    product: Product, box: Box, switch: str, says: str
) -> None:
    product.answers["/twilio/voice/"] = tapped(product)
    sid = await box.place(faults={switch: True})
    await box.clock.advance(1)
    heard = product.asked("/twilio/voice/")[0]
    right = signature(f"{product.url}/twilio/voice/", heard.form)
    assert heard.headers.get("X-Twilio-Signature") != right
    assert ("X-Twilio-Signature" in heard.headers) == (says == "wrong")
    socket = await product.until(lambda: product.sockets and product.sockets[0])
    signed = dict(socket.headers).get("X-Twilio-Signature")
    assert signed != signature(f"{product.socket_url}/media/x/")
    assert (signed is not None) == (says == "wrong")
    assert (await box.call(sid))["webhooks"][0]["signature"] == says


async def test_a_replayed_signature_is_that_of_an_earlier_request(product: Product, box: Box) -> None:
    product.answers["/twilio/voice/"] = WAIT
    await box.place()
    await box.clock.advance(1)
    sid = await box.place(faults={"replay_signature": True})
    await box.clock.advance(1)
    first, second = product.asked("/twilio/voice/")
    assert first.form["CallSid"] != second.form["CallSid"]
    assert first.headers["X-Twilio-Signature"] == second.headers["X-Twilio-Signature"]
    assert (await box.call(sid))["webhooks"][0]["signature"] == "replayed"


async def test_a_replayed_signature_of_a_get_was_sent_before(product: Product, box: Box) -> None:
    product.answers["/voice/"] = WAIT
    number = box.exchange.world.number(OFFICE)
    number.voice_url, number.voice_method = f"{product.url}/voice/?a=1", "GET"
    await box.place()
    await box.clock.advance(1)
    await box.place(faults={"replay_signature": True})
    await box.clock.advance(1)
    first, second = product.asked("/voice/")
    assert first.headers["X-Twilio-Signature"] == signature(f"{product.url}/voice/?{first.query}")
    assert first.headers["X-Twilio-Signature"] == second.headers["X-Twilio-Signature"]


async def test_a_replayed_stream_is_the_same_handshake_and_the_same_start(product: Product, box: Box) -> None:
    sid, stream = await tap(product, box)
    await box.post("/emulator/faults/", {"replay_stream": stream})
    await product.until(lambda: len(product.sockets) > 1 and len(product.sockets[1].messages) == 3)
    first, second = product.sockets
    assert dict(first.headers)["X-Twilio-Signature"] == dict(second.headers)["X-Twilio-Signature"]
    assert first.messages[:2] == second.messages[:2]
    await second.ws.close(code=1008)
    await product.until(lambda: second.over)
    await box.clock.advance(1)
    (replay,) = (await box.call(sid))["streams"][0]["replays"]
    assert (replay["accepted"], replay["closed"], replay["broken"]) == (True, 1008, False)
    product.refuse_sockets = True
    await box.post("/emulator/faults/", {"replay_stream": stream})
    await box.clock.advance(1)
    replay = (await box.call(sid))["streams"][0]["replays"][1]
    assert (replay["accepted"], replay["error"]) == (False, 31920)
    assert not first.over


@pytest.mark.parametrize(
    ("switch", "ended"),
    [("drop_stream_after_ms", True), ("fin_stream_after_ms", True), ("sever_after_ms", False)],
)
async def test_a_stream_breaks_at_the_planned_moment(
    product: Product, box: Box, switch: str, ended: bool
) -> None:
    product.answers["/twilio/voice/"] = tapped(product)
    sid = await box.place(faults={switch: 3000})
    await box.clock.advance(10)
    socket = product.sockets[0]
    await product.until(lambda: len(socket.of("media")) == 150)
    if ended:
        await product.until(lambda: socket.over)
        assert len(product.forms("/streams/", StreamEvent="stream-error")) == 1
    truth = (await box.call(sid))["streams"][0]
    assert (truth["status"], truth["frames_sent"]) == ("stopped", {"inbound": 150})
    assert truth["last_ms"] - truth["first_ms"] == 2980
    assert (socket.over, socket.of("stop")) == (ended, [])


async def test_as_many_streams_break_as_planned_and_no_more(product: Product, box: Box) -> None:
    product.answers["/twilio/voice/"] = tapped(product)
    await box.post("/emulator/faults/", {"drop_stream_after_ms": 1000, "drop_times": 1})
    for _ in range(2):
        await box.place()
        await box.clock.advance(3)
    first, second = product.sockets
    await product.until(lambda: first.over)
    assert not second.over


async def test_a_lost_callback_is_missing_and_told(product: Product, box: Box) -> None:
    product.answers["/twilio/voice/"] = tapped(product)
    sid = await box.place(faults={"lose_callbacks": 1})
    await box.clock.advance(1)
    await box.post(f"/emulator/calls/{sid}/hangup/", {})
    await box.clock.advance(1)
    assert product.forms("/streams/") == product.forms("/twilio/call-status/") == []
    lost = [hook["kind"] for hook in (await box.call(sid))["webhooks"] if hook.get("fault") == "lost"]
    assert lost == ["stream-started", "stream-stopped", "status-completed"]


async def test_a_lost_request_is_tried_again_and_then_the_fallback_is_asked(
    product: Product, box: Box
) -> None:
    product.answers["/twilio/fallback/"] = WAIT
    sid = await box.place(faults={"lose_requests": 1})
    await box.clock.advance(1)
    assert product.requests[:-1] == []
    hooks = (await box.call(sid))["webhooks"]
    assert [(hook["kind"], hook["error"], hook["attempt"], hook["signature"]) for hook in hooks[:4]] == [
        ("voice", 11205, 1, "none"),
        ("voice", 11205, 2, "none"),
        ("fallback", 11205, 1, "none"),
        ("fallback", 11205, 2, "none"),
    ]


async def test_callbacks_in_disorder_overtake_each_other(product: Product, box: Box) -> None:
    product.answers["/twilio/voice/"] = tapped(product)
    sid = await box.place(faults={"swap_callbacks": 1})
    await box.clock.advance(1)
    await box.post(f"/emulator/calls/{sid}/hangup/", {})
    await product.until(lambda: len(product.forms("/streams/")) == 2)
    assert [form["StreamEvent"] for form in product.forms("/streams/")] == [
        "stream-stopped",
        "stream-started",
    ]
    # The only callback of the call itself has nothing that could overtake it: it comes late.
    assert product.forms("/twilio/call-status/") == []
    await box.clock.advance(6)
    await product.until(lambda: product.forms("/twilio/call-status/"))


async def test_late_webhooks_come_late_and_a_punctual_one_overtakes_a_late_one(
    product: Product, box: Box
) -> None:
    product.answers["/twilio/voice/"] = tapped(product)
    sid = await box.place(faults={"delay_webhooks_ms": 2000, "delay_callbacks_ms": 5000})
    await box.clock.advance(1.9)
    assert product.requests == []
    await box.clock.advance(1)
    await product.until(lambda: product.asked("/twilio/voice/") and product.sockets)
    await box.post("/emulator/faults/", {"call": sid, "reset": True})
    await box.post(f"/emulator/calls/{sid}/hangup/", {})
    await product.until(lambda: product.forms("/streams/"))
    await box.clock.advance(10)
    await product.until(lambda: len(product.forms("/streams/")) == 2)
    assert [form["StreamEvent"] for form in product.forms("/streams/")] == [
        "stream-stopped",
        "stream-started",
    ]


async def test_a_slow_reader_lets_the_servers_messages_wait(product: Product, box: Box) -> None:
    url = f"{product.socket_url}/media/bot/"
    product.answers["/twilio/voice/"] = f"<Response><Connect><Stream url='{url}'/></Connect></Response>"
    await box.place(faults={"slow_reader": 50_000})
    await box.clock.advance(1)
    socket = product.sockets[0]
    await product.until(lambda: len(socket.messages) > 1)
    sid = socket.messages[1]["streamSid"]
    began = asyncio.get_running_loop().time()
    for _ in range(12):
        await socket.say({"event": "media", "streamSid": sid, "media": {"payload": "/" * 2000}})
    await socket.say({"event": "clear", "streamSid": sid})
    await socket.say({"event": "mark", "streamSid": sid, "mark": {"name": "read"}})
    await product.until(lambda: socket.of("mark"))
    # 24 kB at 50 kB a second.
    assert asyncio.get_running_loop().time() - began > 0.3


async def test_faults_are_shown_for_all_and_for_one_and_switched_off_together(
    product: Product, box: Box
) -> None:
    sid = await box.place()
    await box.post("/emulator/faults/", {"lose_frames": 0.5})
    _, shown = await box.post("/emulator/faults/", {"call": sid, "lose_frames": 1, "fault_tracks": "inbound"})
    assert shown == await box.get("/emulator/faults/")
    assert shown["lose_frames"] == 0.5
    assert shown["calls"] == {sid: {"lose_frames": 1.0, "fault_tracks": "inbound"}}
    _, shown = await box.post("/emulator/faults/", {"call": sid, "reset": True})
    assert (shown["lose_frames"], shown["calls"]) == (0.5, {})
    shown = await box.delete("/emulator/faults/")
    assert shown == {**Faults().as_dict(), "calls": {}}


async def test_a_request_with_one_bad_switch_changes_nothing(product: Product, box: Box) -> None:
    status, answer = await box.post("/emulator/faults/", {"lose_frames": 0.5, "swap_frames": 2})
    assert (status, answer["error"]) == (400, "swap_frames takes a number from 0 to 1")
    assert (await box.get("/emulator/faults/"))["lose_frames"] == 0
    status, _ = await box.post("/emulator/calls/", {"from": ALICE, "to": OFFICE, "faults": {"explode": True}})
    assert status == 400
    assert (await box.get("/emulator/log/"))["calls"] == []


@pytest.mark.parametrize(
    ("text", "switch"),
    [
        ("lose_frames=0.01", ("lose_frames", 0.01)),
        ("unsigned=true", ("unsigned", True)),
        ("fault_tracks=inbound", ("fault_tracks", "inbound")),
        ("clock_offset_ms=-500", ("clock_offset_ms", -500)),
    ],
)
def test_a_switch_of_the_command_line_is_read(text: str, switch: tuple[str, Any]) -> None:
    assert read(text) == switch


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("unsigned", "not name=value"),
        ("explode=1", "unknown fault"),
        ("unsigned=1", "takes a bool"),
        ("lose_frames=1.5", "from 0 to 1"),
        ("fail_rest=200", "400 to 599"),
        ("fault_tracks=left", "both, inbound, outbound"),
        ("drop_times=-2", "from -1"),
        ("burst_ms=NaN", "takes a int"),
        ("lose_frames=NaN", "from 0 to 1"),
    ],
)
def test_a_bad_switch_of_the_command_line_says_what_is_wrong(text: str, says: str) -> None:
    with pytest.raises(FaultError, match=says):
        read(text)


@pytest.mark.parametrize(
    ("path", "body", "says"),
    [
        ("/emulator/faults/", {"explode": True}, "unknown fault"),
        ("/emulator/faults/", {"duplicate_webhooks": "yes"}, "takes a bool"),
        ("/emulator/faults/", {"fail_rest": 7}, "400 to 599"),
        ("/emulator/faults/", [], "not a JSON object"),
        ("/emulator/calls/", {"from": ALICE, "to": OFFICE, "faults": [1]}, "faults must be an object"),
        ("/emulator/calls/", {"from": ALICE}, "to is missing"),
        ("/emulator/calls/", {"from": ALICE, "to": OFFICE, "script": "nothing"}, "unknown script"),
        ("/emulator/calls/", ["from"], "not a JSON object"),
        ("/emulator/calls/", {"from": ALICE, "to": OFFICE, "params": 1}, "params must be an object"),
    ],
    ids=[
        "unknown fault",
        "wrong type",
        "no status",
        "a list",
        "faults in a list",
        "no to",
        "no script",
        "no object",
        "params",
    ],
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
    status, _ = await box.post("/emulator/faults/", {"call": "CA0", "unsigned": True})
    assert status == 404


async def test_a_stream_that_never_opened_cannot_be_replayed(product: Product, box: Box) -> None:
    product.refuse_sockets = True
    product.answers["/twilio/voice/"] = tapped(product)
    sid = await box.place()
    await box.clock.advance(1)
    stream = (await box.call(sid))["streams"][0]["stream_sid"]
    status, answer = await box.post("/emulator/faults/", {"replay_stream": stream})
    assert (status, answer["error"]) == (409, "it never opened, or was replayed too often")


async def test_a_stream_that_cannot_be_replayed_leaves_all_as_it_was(product: Product, box: Box) -> None:
    sid, stream = await tap(product, box)
    product.refuse_sockets = True
    other = await box.place()
    await box.clock.advance(1)
    unopened = (await box.call(other))["streams"][0]["stream_sid"]
    await box.post("/emulator/faults/", {"double_every": 5})
    asked = {"reset": True, "replay_stream": unopened, "drop_stream": stream, "lose_every": 3}
    status, _ = await box.post("/emulator/faults/", asked)
    shown = await box.get("/emulator/faults/")
    assert (status, shown["lose_every"], shown["double_every"]) == (409, 0, 5)
    assert (await box.call(sid))["streams"][0]["status"] == "in-progress"
