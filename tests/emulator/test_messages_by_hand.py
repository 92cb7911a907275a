"""What goes over a media socket, against messages written by hand from Twilio's documentation.

Nothing expected here comes from our own encoder: it is text, or made by the hand-written tests/twilio.py.
"""

import base64
import json
from typing import Any

import pytest

from tests import twilio
from tests.emulator.conftest import ACCOUNT_SID, Box
from tests.emulator.product import Product, Socket

# Twilio's messages as documented, ids shortened. Keys, nesting and JSON types count, not the order of keys.
DOCUMENTED = {
    "connected": '{"event":"connected","protocol":"Call","version":"1.0.0"}',
    "start": """{"event":"start","sequenceNumber":"1","streamSid":"MZ7f",
        "start":{"accountSid":"AC1","callSid":"CA9","streamSid":"MZ7f","tracks":["inbound"],
        "customParameters":{"session":"q8"},
        "mediaFormat":{"encoding":"audio/x-mulaw","sampleRate":8000,"channels":1}}}""",
    "media": """{"event":"media","sequenceNumber":"2","streamSid":"MZ7f",
        "media":{"track":"inbound","chunk":"1","timestamp":"61","payload":"/v7+fv7"}}""",
    "dtmf": """{"event":"dtmf","sequenceNumber":"90","streamSid":"MZ7f",
        "dtmf":{"track":"inbound_track","digit":"5"}}""",
    "mark": '{"event":"mark","sequenceNumber":"131","streamSid":"MZ7f","mark":{"name":"prompt-3"}}',
    "stop": """{"event":"stop","sequenceNumber":"212","streamSid":"MZ7f",
        "stop":{"accountSid":"AC1","callSid":"CA9"}}""",
}  # fmt: skip


def shape(value: Any) -> Any:
    """Keys, nesting and JSON types of a message, without its values."""
    if isinstance(value, dict):
        return {key: shape(item) for key, item in value.items()}
    return [shape(item) for item in value] if isinstance(value, list) else type(value)


def written(*messages: str) -> list[Any]:
    """Messages written as text, as a server reads them."""
    return [json.loads(message) for message in messages]


def stream_to(product: Product, attributes: str = "") -> str:
    parameter = "<Parameter name='session' value='q8'/>"
    return f"<Stream url='{product.socket_url}/media/x/' {attributes}>{parameter}</Stream>"


async def tapped(product: Product, box: Box, stream: str) -> tuple[str, Socket]:
    """A call that is tapped for two silent seconds and then ends; its id and its socket, over."""
    product.answers["/twilio/voice/"] = f"<Response><Start>{stream}</Start><Pause length='2'/></Response>"
    sid = await box.place()
    await box.clock.advance(3)
    await product.until(lambda: product.sockets and product.sockets[0].over)
    return sid, product.sockets[0]


async def stream_of(box: Box, sid: str) -> Any:
    return (await box.call(sid))["streams"][0]


@pytest.mark.parametrize(
    ("track", "tracks"),
    [
        ("inbound_track", ("inbound",)),
        ("outbound_track", ("outbound",)),
        ("both_tracks", ("inbound", "outbound")),
    ],
)
async def test_a_unidirectional_stream_says_these_messages_and_no_others(
    product: Product, box: Box, track: str, tracks: tuple[str, ...]
) -> None:
    sid, socket = await tapped(product, box, stream_to(product, f"track='{track}'"))
    truth = await stream_of(box, sid)
    stream, frames, first_ms = truth["stream_sid"], truth["frames_sent"][tracks[0]], truth["first_ms"]
    assert frames > 50
    assert socket.messages == written(
        twilio.connected(),
        twilio.start(
            tracks=tracks, parameters={"session": "q8"}, stream=stream, call=sid, account=ACCOUNT_SID
        ),
        *twilio.media_messages(frames, tracks=tracks, stream=stream, first_ms=first_ms),
        twilio.stop(2 + frames * len(tracks), stream=stream, call=sid, account=ACCOUNT_SID),
    )


async def test_a_stream_without_track_and_parameter_is_inbound_and_has_an_empty_object(
    product: Product, box: Box
) -> None:
    sid, socket = await tapped(product, box, f"<Stream url='{product.socket_url}/media/x/'/>")
    stream = (await stream_of(box, sid))["stream_sid"]
    start = twilio.start(tracks=("inbound",), stream=stream, call=sid, account=ACCOUNT_SID)
    assert socket.messages[1] == json.loads(start)


async def test_chunks_counted_together_are_one_row_over_both_tracks(product: Product, box: Box) -> None:
    await box.post("/emulator/faults/", {"shared_chunks": True})
    _, socket = await tapped(product, box, stream_to(product, "track='both_tracks'"))
    media = socket.of("media")
    assert [one["media"]["chunk"] for one in media] == [str(number + 1) for number in range(len(media))]
    assert [one["sequenceNumber"] for one in media] == [str(number + 2) for number in range(len(media))]


# Bidirectional


async def talking(product: Product, box: Box) -> tuple[str, Socket, str]:
    """A call whose caller talks with the product; its id, the socket, the stream's id."""
    product.answers["/twilio/voice/"] = f"<Response><Connect>{stream_to(product)}</Connect></Response>"
    sid = await box.place()
    await box.clock.advance(0.5)
    await product.until(lambda: product.sockets and product.sockets[0].of("media"))
    return sid, product.sockets[0], product.sockets[0].messages[1]["streamSid"]


async def pressed_and_marked(product: Product, box: Box, sid: str, digits: str, mark: str) -> None:
    """The caller presses keys, then a mark of the product comes back, then the caller hangs up."""
    socket = product.sockets[0]
    await box.post(f"/emulator/calls/{sid}/press/", {"digits": digits})
    await socket.say({"event": "mark", "streamSid": socket.messages[1]["streamSid"], "mark": {"name": mark}})
    await product.until(lambda: socket.of("mark"))
    await box.clock.advance(1)
    await box.post(f"/emulator/calls/{sid}/hangup/", {})
    await product.until(lambda: socket.over)


async def test_a_bidirectional_stream_says_these_messages_and_no_others(product: Product, box: Box) -> None:
    sid, socket, stream = await talking(product, box)
    before = (await stream_of(box, sid))["frames_sent"]["inbound"]
    await pressed_and_marked(product, box, sid, "5#", "prompt-3")
    truth = await stream_of(box, sid)
    frames, first_ms = truth["frames_sent"]["inbound"], truth["first_ms"]
    assert 0 < before < frames
    sounds = [without_payload(message) for message in socket.of("media")]
    assert {(len(sound), len(base64.b64decode(sound))) for sound in sounds} == {(216, 160)}
    sequence = [*range(2, 2 + before), *range(5 + before, 5 + frames)]
    media = [
        twilio.media(sequence[number], number + 1, first_ms + 20 * number, stream=stream)
        for number in range(frames)
    ]
    expected = written(
        twilio.connected(),
        twilio.start(
            tracks=("inbound",), parameters={"session": "q8"}, stream=stream, call=sid, account=ACCOUNT_SID
        ),
        *media[:before],
        twilio.dtmf("5", before + 2, stream=stream),
        twilio.dtmf("#", before + 3, stream=stream),
        twilio.mark("prompt-3", before + 4, stream=stream),
        *media[before:],
        twilio.stop(frames + 5, stream=stream, call=sid, account=ACCOUNT_SID),
    )
    for message in expected:
        without_payload(message)
    assert socket.messages == expected


def without_payload(message: Any) -> Any:
    """Take the sound, which is what the caller says, out of a message; the base64 text of it."""
    return message.get("media", {}).pop("payload", None)


async def test_every_message_has_the_documented_keys_and_types_and_no_others(
    product: Product, box: Box
) -> None:
    sid, socket, _ = await talking(product, box)
    await pressed_and_marked(product, box, sid, "0123456789*#", "7")
    documented = {event: shape(json.loads(text)) for event, text in DOCUMENTED.items()}
    assert {message["event"] for message in socket.messages} == set(documented)
    for message in socket.messages:
        assert shape(message) == documented[message["event"]]
    assert "".join(message["dtmf"]["digit"] for message in socket.of("dtmf")) == "0123456789*#"


async def test_keys_and_marks_are_never_told_on_a_unidirectional_stream(product: Product, box: Box) -> None:
    tap = stream_to(product, "track='both_tracks'")
    product.answers["/twilio/voice/"] = f"<Response><Start>{tap}</Start><Pause length='60'/></Response>"
    sid = await box.place()
    await box.clock.advance(1)
    await box.post(f"/emulator/calls/{sid}/press/", {"digits": "5"})
    await box.clock.advance(1)
    await box.post(f"/emulator/calls/{sid}/hangup/", {})
    await product.until(lambda: product.sockets[0].over)
    events = {message["event"] for message in product.sockets[0].messages}
    assert events == {"connected", "start", "media", "stop"}
