"""Streams by TwiML and by REST: what is opened, what is refused, how they end."""

import base64
from typing import Any

import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.rest import Client

from tests.emulator.conftest import Box
from tests.emulator.product import Product, Socket
from tests.emulator.test_wire import deaf
from tests.twilio import signature

STREAMS = "/streams/"


async def live(product: Product, box: Box, verbs: str = "") -> str:
    """A call in progress, in a long pause behind `verbs`."""
    product.answers["/twilio/voice/"] = f"<Response>{verbs}<Say>Hello</Say><Pause length='60'/></Response>"
    sid = await box.place()
    await box.clock.advance(2)
    return sid


def start(product: Product, path: str = "/media/x/", **attributes: str) -> str:
    given = {"url": product.socket_url + path, "statusCallback": product.url + STREAMS, **attributes}
    text = " ".join(f'{name}="{value}"' for name, value in given.items())
    return f"<Start><Stream {text}/></Start>"


async def create(product: Product, box: Box, sid: str, path: str = "/media/x/", **more: Any) -> Any:
    def post(client: Client) -> Any:
        callback = product.url + STREAMS
        return client.calls(sid).streams.create(
            **{"url": product.socket_url + path, "status_callback": callback, **more}
        )

    return await box.twilio(post)


async def socket(product: Product, number: int = 0) -> Socket:
    """The socket with that number, once it has said `start`."""
    await product.until(lambda: len(product.sockets) > number and len(product.sockets[number].messages) > 1)
    return product.sockets[number]


async def test_the_handshake_has_twilios_headers_and_no_others(product: Product, box: Box) -> None:
    await live(product, box, start(product))
    opened = await socket(product)
    url = f"{product.socket_url}/media/x/"
    assert [name for name, _ in opened.headers] == [
        "Host",
        "User-Agent",
        "Connection",
        "Upgrade",
        "Sec-WebSocket-Version",
        "Sec-WebSocket-Key",
        "X-Twilio-Signature",
    ]
    headers = dict(opened.headers)
    assert headers["User-Agent"] == "Twilio.TmeWs/1.0"
    assert headers["X-Twilio-Signature"] == signature(url)


async def test_rest_starts_a_stream_with_parameters_and_stops_it_by_sid(product: Product, box: Box) -> None:
    sid = await live(product, box)
    stream = await create(
        product, box, sid, name="assist", track="both_tracks", parameter1_name="a", parameter1_value="b"
    )
    assert (stream.name, stream.status, stream.call_sid) == ("assist", "in-progress", sid)
    opened = await socket(product)
    assert opened.messages[1]["start"]["customParameters"] == {"a": "b"}
    assert opened.messages[1]["start"]["tracks"] == ["inbound", "outbound"]
    stopped = await box.twilio(lambda c: c.calls(sid).streams(stream.sid).update(status="stopped"))
    assert stopped.status == "stopped"
    await product.until(lambda: opened.over)
    assert opened.messages[-1]["event"] == "stop"
    await product.until(lambda: product.forms(STREAMS, StreamEvent="stream-stopped", StreamName="assist"))
    with pytest.raises(TwilioRestException) as error:
        await box.twilio(lambda c: c.calls(sid).streams(stream.sid).update(status="stopped"))
    assert (error.value.status, error.value.code) == (404, 20404)


async def test_a_stream_made_by_twiml_is_stopped_by_its_name(product: Product, box: Box) -> None:
    sid = await live(product, box, start(product, name="tap"))
    opened = await socket(product)
    await box.twilio(lambda c: c.calls(sid).streams("tap").update(status="stopped"))
    await product.until(lambda: opened.over)
    assert (await box.call(sid))["status"] == "in-progress"


async def test_stop_in_twiml_stops_by_name_and_ignores_an_unknown_one(product: Product, box: Box) -> None:
    stop = "<Stop><Stream name='nobody'/></Stop><Say>hm</Say><Stop><Stream name='tap'/></Stop>"
    await live(product, box, start(product, name="tap") + stop)
    opened = await socket(product)
    await product.until(lambda: opened.over)
    assert [m["event"] for m in opened.messages][-1] == "stop"


async def test_without_a_name_the_stream_is_called_by_its_sid(product: Product, box: Box) -> None:
    await live(product, box, start(product))
    form = (await product.until(lambda: product.forms(STREAMS)))[0]
    assert form["StreamName"] == form["StreamSid"]
    assert form["StreamSid"].startswith("MZ")
    assert len(form["StreamSid"]) == 34


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"url": "ws://stream.example.com/media/"}, 31910),
        ({"url": "wss://stream.example.com/media/?token=1"}, 31920),
        ({"url": "https://stream.example.com/media/"}, 31923),
        ({"url": "nonsense"}, 31923),
        ({"track": "left_track"}, 31941),
        ({"name": "tap"}, 20001),
        ({"parameter1_name": "a", "parameter1_value": "b" * 499}, 20001),
    ],
    ids=["ws to outside", "query", "no stream", "no address", "track", "name in use", "long parameter"],
)
async def test_rest_refuses(product: Product, box: Box, more: dict[str, Any], code: int) -> None:
    sid = await live(product, box, start(product, name="tap"))
    with pytest.raises(TwilioRestException) as error:
        await create(product, box, sid, **more)
    assert (error.value.status, error.value.code) == (400, code)
    assert len(product.sockets) == 1


async def test_a_fifth_track_is_refused_and_room_comes_back_with_a_stop(product: Product, box: Box) -> None:
    sid = await live(product, box)
    first = await create(product, box, sid, track="both_tracks")
    await create(product, box, sid, track="inbound_track")
    await create(product, box, sid, track="outbound_track")
    with pytest.raises(TwilioRestException) as error:
        await create(product, box, sid, track="inbound_track")
    assert error.value.status == 400
    await box.twilio(lambda c: c.calls(sid).streams(first.sid).update(status="stopped"))
    await create(product, box, sid, track="both_tracks")
    await socket(product, 3)


async def test_what_twiml_asks_too_much_is_told_to_its_callback_and_the_call_goes_on(
    product: Product, box: Box
) -> None:
    both = start(product, track="both_tracks")
    sid = await live(product, box, both + both + start(product, "/media/fifth/"))
    errors = await product.until(lambda: product.forms(STREAMS, StreamEvent="stream-error"))
    assert "4 tracks" in errors[0]["StreamError"]
    assert "/media/fifth/" not in [opened.path for opened in product.sockets]
    assert (await box.call(sid))["status"] == "in-progress"


async def test_a_stream_without_an_address_goes_nowhere(product: Product, box: Box) -> None:
    sid = await live(product, box, start(product, url=""))
    await product.until(lambda: product.forms(STREAMS, StreamEvent="stream-error"))
    assert (await box.call(sid))["streams"][0]["error"] == 31923
    assert product.sockets == []


async def test_a_stream_on_an_ended_call_is_not_found(product: Product, box: Box) -> None:
    sid = await live(product, box)
    await box.post(f"/emulator/calls/{sid}/hangup/", {})
    with pytest.raises(TwilioRestException) as error:
        await create(product, box, sid)
    assert (error.value.status, error.value.code) == (404, 20404)


async def test_a_refused_handshake_is_an_error_of_the_stream_alone(product: Product, box: Box) -> None:
    product.refuse_sockets = True
    sid = await live(product, box, start(product))
    await product.until(lambda: product.forms(STREAMS, StreamEvent="stream-error"))
    call = await box.call(sid)
    assert (call["status"], call["streams"][0]["error"]) == ("in-progress", 31920)


async def test_a_closed_port_is_31902(product: Product, box: Box) -> None:
    sid = await live(product, box, start(product, url="ws://127.0.0.1:9/media/"))
    await product.until(lambda: product.forms(STREAMS, StreamEvent="stream-error"))
    assert (await box.call(sid))["streams"][0]["error"] == 31902


async def test_our_close_ends_the_stream_and_the_call_goes_on(product: Product, box: Box) -> None:
    sid = await live(product, box, start(product))
    opened = await socket(product)
    await opened.ws.close(code=1000)
    await product.until(lambda: product.forms(STREAMS, StreamEvent="stream-error"))
    call = await box.call(sid)
    assert (call["status"], call["streams"][0]["error"]) == ("in-progress", 31921)
    assert opened.of("stop") == []


async def test_our_broken_connection_is_31903(product: Product, box: Box) -> None:
    sid = await live(product, box, start(product))
    opened = await socket(product)
    opened.transport.abort()
    await product.until(lambda: product.forms(STREAMS, StreamEvent="stream-error"))
    assert (await box.call(sid))["streams"][0]["error"] == 31903


async def test_speaking_on_a_unidirectional_stream_ends_it(product: Product, box: Box) -> None:
    sid = await live(product, box, start(product))
    opened = await socket(product)
    await opened.say({"event": "clear", "streamSid": opened.messages[1]["streamSid"]})
    await product.until(lambda: product.forms(STREAMS, StreamEvent="stream-error"))
    assert (await box.call(sid))["streams"][0]["error"] == 31924


async def test_keys_are_never_told_to_a_unidirectional_stream(product: Product, box: Box) -> None:
    sid = await live(product, box, start(product))
    opened = await socket(product)
    await box.post(f"/emulator/calls/{sid}/press/", {"digits": "12#"})
    await box.clock.advance(1)
    await box.post(f"/emulator/calls/{sid}/hangup/", {})
    await product.until(lambda: opened.over)
    assert opened.of("dtmf") == []


async def test_timestamps_begin_anew_with_each_stream(product: Product, box: Box) -> None:
    sid = await live(product, box, start(product, "/media/one/"))
    await box.clock.advance(3)
    await create(product, box, sid, "/media/two/")
    second = await socket(product, 1)
    await box.clock.advance(1)
    await product.until(lambda: second.of("media"))
    assert int(second.of("media")[0]["media"]["timestamp"]) < 100
    assert second.messages[1]["sequenceNumber"] == "1"


async def test_a_server_that_reads_too_slowly_loses_sound_and_is_warned(
    product: Product, box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Time does not wait for the server here, as at Twilio.
    monkeypatch.setattr("emulator.media.wire.HOLD_S", 0)
    async with deaf() as (url, _):
        product.answers["/twilio/voice/"] = (
            f"<Response>{start(product, url=url, track='both_tracks')}<Pause length='900'/></Response>"
        )
        sid = await box.place()
        stream: dict[str, Any] = {"warnings": []}
        while not stream["warnings"]:
            await box.clock.advance(30)
            stream = (await box.call(sid))["streams"][0]
        assert (stream["warnings"], stream["status"]) == ([31930], "in-progress")
        sent, numbered = sum(stream["frames_sent"].values()), stream["messages_sent"]
        assert stream["frames_discarded"] > 0
        # What was discarded was never numbered: only the timestamps tell.
        assert numbered == sent + 1
        assert stream["last_ms"] - stream["first_ms"] == (sent // 2 - 1) * 20


# Bidirectional


def connect(product: Product, after: str = "<Say>Bye</Say>", **attributes: str) -> str:
    text = " ".join(f'{name}="{value}"' for name, value in attributes.items())
    url = f"{product.socket_url}/media/bot/"
    return f"<Response><Connect><Stream url='{url}' {text}/></Connect>{after}</Response>"


async def talking(product: Product, box: Box, **attributes: str) -> tuple[str, Socket, str]:
    product.answers["/twilio/voice/"] = connect(product, **attributes)
    sid = await box.place()
    await box.clock.advance(1)
    opened = await socket(product)
    return sid, opened, opened.messages[1]["streamSid"]


async def test_connect_carries_only_the_caller_and_waits_for_our_close(product: Product, box: Box) -> None:
    sid, opened, _ = await talking(product, box, after="<Redirect>/next/</Redirect>")
    assert opened.messages[1]["start"]["tracks"] == ["inbound"]
    await box.clock.advance(2)
    assert product.asked("/next/") == []
    await opened.ws.close(code=1000)
    await product.until(lambda: product.asked("/next/"))
    assert (await box.call(sid))["streams"][0]["error"] == 0


async def test_keys_reach_a_bidirectional_stream_with_twilios_own_track_name(
    product: Product, box: Box
) -> None:
    sid, opened, stream_sid = await talking(product, box)
    await box.post(f"/emulator/calls/{sid}/press/", {"digits": "5"})
    key = await product.until(lambda: opened.of("dtmf") and opened.of("dtmf")[0])
    assert key["dtmf"] == {"track": "inbound_track", "digit": "5"}
    assert key["streamSid"] == stream_sid
    assert isinstance(key["sequenceNumber"], str)


async def test_a_mark_comes_back_when_the_sound_before_it_was_played(product: Product, box: Box) -> None:
    sid, opened, stream_sid = await talking(product, box)
    sound = base64.b64encode(b"\x80" * 8000).decode()
    await opened.say({"event": "media", "streamSid": stream_sid, "media": {"payload": sound}})
    await opened.say({"event": "mark", "streamSid": stream_sid, "mark": {"name": "said"}})
    await taken(box, sid, "mark")
    await box.clock.advance(0.9)
    assert opened.of("mark") == []
    await box.clock.advance(0.2)
    mark = await product.until(lambda: opened.of("mark") and opened.of("mark")[0])
    assert mark["mark"] == {"name": "said"}
    returned = (await box.call(sid))["streams"][0]["commands"][-1]
    assert (returned["event"], returned["played_ms"]) == ("mark-returned", 1000)


async def test_clear_drops_the_sound_and_returns_every_mark(product: Product, box: Box) -> None:
    sid, opened, stream_sid = await talking(product, box)
    sound = base64.b64encode(b"\x80" * 80000).decode()
    for name in ("one", "two"):
        await opened.say({"event": "media", "streamSid": stream_sid, "media": {"payload": sound[:40000]}})
        await opened.say({"event": "mark", "streamSid": stream_sid, "mark": {"name": name}})
    await opened.say({"event": "clear", "streamSid": stream_sid})
    await product.until(lambda: len(opened.of("mark")) == 2)
    assert [m["mark"]["name"] for m in opened.of("mark")] == ["one", "two"]
    truth = (await box.call(sid))["streams"][0]
    assert truth["played_back_bytes"] == 0


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ({"event": "mark", "streamSid": "MZother", "mark": {"name": "x"}}, 31951),
        ({"event": "mark", "stream_sid": "x", "mark": {"name": "x"}}, 31951),
        ({"event": "sing", "streamSid": "x"}, 31951),
    ],
    ids=["other stream", "snake case", "unknown event"],
)
async def test_a_bad_reply_is_one_warning_and_the_stream_goes_on(
    product: Product, box: Box, message: dict[str, Any], code: int
) -> None:
    sid, opened, stream_sid = await talking(product, box)
    await opened.say(message)
    await opened.say(message)
    await opened.say({"event": "mark", "streamSid": stream_sid, "mark": {"name": "still here"}})
    await product.until(lambda: opened.of("mark"))
    assert (await box.call(sid))["streams"][0]["warnings"] == [code]


async def test_a_binary_reply_is_31950(product: Product, box: Box) -> None:
    sid, opened, stream_sid = await talking(product, box)
    await opened.ws.send_bytes(b"\x80" * 160)
    await opened.say({"event": "mark", "streamSid": stream_sid, "mark": {"name": "still here"}})
    await product.until(lambda: opened.of("mark"))
    assert (await box.call(sid))["streams"][0]["warnings"] == [31950]


async def test_both_tracks_under_connect_kill_the_call_late(product: Product, box: Box) -> None:
    product.answers["/twilio/voice/"] = connect(product, track="both_tracks")
    sid = await box.place()
    await box.clock.advance(1)
    call = await box.call(sid)
    assert (call["status"], call["notifications"][0]["code"]) == ("completed", 31941)


async def test_a_bidirectional_stream_is_not_stopped_by_rest(product: Product, box: Box) -> None:
    sid, _, stream_sid = await talking(product, box)
    with pytest.raises(TwilioRestException) as error:
        await box.twilio(lambda c: c.calls(sid).streams(stream_sid).update(status="stopped"))
    assert error.value.status == 400


async def test_new_twiml_ends_a_bidirectional_stream_with_stop(product: Product, box: Box) -> None:
    sid, opened, _ = await talking(product, box)
    await box.twilio(lambda c: c.calls(sid).update(twiml="<Response><Pause length='9'/></Response>"))
    await product.until(lambda: opened.over)
    assert opened.messages[-1]["event"] == "stop"


async def test_what_the_bot_plays_is_the_outbound_track_of_a_tap(product: Product, box: Box) -> None:
    tap = start(product, "/media/tap/", track="outbound_track")
    product.answers["/twilio/voice/"] = connect(product).replace("<Response>", f"<Response>{tap}")
    await box.place()
    await box.clock.advance(1)
    await socket(product, 1)
    heard = next(one for one in product.sockets if one.path == "/media/tap/")
    bot = next(one for one in product.sockets if one.path == "/media/bot/")
    sound = base64.b64encode(b"\x42" * 160).decode()
    await bot.say({"event": "media", "streamSid": bot.messages[1]["streamSid"], "media": {"payload": sound}})
    await bot.say({"event": "mark", "streamSid": bot.messages[1]["streamSid"], "mark": {"name": "sent"}})
    await taken(box, heard.messages[1]["start"]["callSid"], "mark")
    await box.clock.advance(1)
    await product.until(lambda: sound in [m["media"]["payload"] for m in heard.of("media")])
    silence = base64.b64encode(b"\xff" * 160).decode()
    said = [m["media"]["payload"] for m in heard.of("media") if m["media"]["payload"] != silence]
    assert said == [sound]


async def test_when_the_bot_has_left_nothing_of_it_is_heard_any_more(product: Product, box: Box) -> None:
    tap = start(product, "/media/tap/", track="outbound_track")
    after = "<Pause length='9'/>"
    product.answers["/twilio/voice/"] = connect(product, after).replace("<Response>", f"<Response>{tap}")
    sid = await box.place()
    await box.clock.advance(1)
    await socket(product, 1)
    heard = next(one for one in product.sockets if one.path == "/media/tap/")
    bot = next(one for one in product.sockets if one.path == "/media/bot/")
    sound = base64.b64encode(b"\x42" * 8000).decode()
    await bot.say({"event": "media", "streamSid": bot.messages[1]["streamSid"], "media": {"payload": sound}})
    await taken(box, sid, "media")
    await box.clock.advance(0.5)
    await bot.ws.close(code=1000)
    while len([s for s in (await box.call(sid))["streams"] if s["status"] == "in-progress"]) > 1:
        pass
    told = len(heard.of("media"))
    await box.clock.advance(1)
    await product.until(lambda: len(heard.of("media")) >= told + 49)
    later = {base64.b64decode(message["media"]["payload"]) for message in heard.of("media")[told + 1 :]}
    assert later == {b"\xff" * 160}


async def test_more_than_ten_minutes_to_play_are_one_warning(product: Product, box: Box) -> None:
    sid, opened, stream_sid = await talking(product, box)
    sound = base64.b64encode(b"\x80" * 8000 * 300).decode()
    for _ in range(3):
        await opened.say({"event": "media", "streamSid": stream_sid, "media": {"payload": sound}})
    await opened.say({"event": "clear", "streamSid": stream_sid})
    await taken(box, sid, "clear")
    truth = (await box.call(sid))["streams"][0]
    assert (truth["warnings"], truth["status"]) == ([31931], "in-progress")


async def test_a_fault_of_the_emulator_ends_only_the_stream(product: Product, box: Box) -> None:
    sid = await live(product, box, start(product))
    await socket(product)

    def broken(tick: int) -> Any:
        raise RuntimeError("no sound")

    box.exchange.legs[sid].party.frame = broken  # type: ignore[method-assign]
    await box.clock.advance(1)
    await product.until(lambda: product.forms(STREAMS, StreamEvent="stream-error"))
    call = await box.call(sid)
    assert (call["status"], call["streams"][0]["error"]) == ("in-progress", 31900)


async def taken(box: Box, sid: str, event: str) -> None:
    """Wait until Twilio's side has read a message of ours."""
    while not any(
        command["event"] == event
        for stream in (await box.call(sid))["streams"]
        for command in stream["commands"]
    ):
        pass
