"""What a server may say on a bidirectional stream, and every way of saying it wrongly, written by hand."""

import base64
import json
from base64 import b64encode
from typing import Any

import pytest

from emulator.media import frames
from emulator.media.replies import Replies
from tests.emulator.conftest import Box
from tests.emulator.product import Product, Socket

# MZ… stands for the id of the stream.
HALF_A_SECOND = '{"event":"media","streamSid":"MZ…","media":{"payload":"' + "QkJC" * 1333 + 'Qg=="}}'
ACCEPTED = {
    "media": ('{"event":"media","streamSid":"MZ…","media":{"payload":"QkJC"}}', ["media", 3]),
    "one byte": ('{"event":"media","streamSid":"MZ…","media":{"payload":"Qg=="}}', ["media", 1]),
    "half a second": (HALF_A_SECOND, ["media", 4000]),
    "no sound": ('{"event":"media","streamSid":"MZ…","media":{"payload":""}}', ["media", 0]),
    "other order of keys": ('{"media":{"payload":"QkJC"},"streamSid":"MZ…","event":"media"}', ["media", 3]),
    "space and lines": ('\n{ "event" : "clear",\r\n\t"streamSid":"MZ…" } ', ["clear", []]),
    "escapes": ('{"\\u0065vent":"m\\u0061rk","streamSid":"MZ…","mark":{"name":"\\u00e9"}}', ["mark", "é"]),
    "mark": ('{"event":"mark","streamSid":"MZ…","mark":{"name":"prompt-3"}}', ["mark", "prompt-3"]),
    "unicode mark": ('{"event":"mark","streamSid":"MZ…","mark":{"name":"Ça 🦀 "}}', ["mark", "Ça 🦀 "]),
    "mark named by digits": ('{"event":"mark","streamSid":"MZ…","mark":{"name":"7"}}', ["mark", "7"]),
    "clear": ('{"event":"clear","streamSid":"MZ…"}', ["clear", []]),
}  # fmt: skip

NOT_UNDERSTOOD = {
    "not JSON": "hello",
    "nothing": "",
    "half a message": '{"event":"clear","streamSid":"MZ…"',
    "two messages": '{"event":"clear","streamSid":"MZ…"}{"event":"clear","streamSid":"MZ…"}',
    "single quotes": "{'event':'clear','streamSid':'MZ…'}",
    "a list": '[{"event":"clear","streamSid":"MZ…"}]',
    "a text": '"clear"',
    "a number": "7",
    "null": "null",
    "very deep": "[" * 100_000,
    "no event": '{"streamSid":"MZ…","media":{"payload":"QkJC"}}',
    "event is a number": '{"event":7,"streamSid":"MZ…"}',
    "event is null": '{"event":null,"streamSid":"MZ…"}',
    "unknown event": '{"event":"sing","streamSid":"MZ…"}',
    "capital event": '{"event":"Clear","streamSid":"MZ…"}',
    "Twilio's own event": '{"event":"stop","streamSid":"MZ…"}',
    "dtmf": '{"event":"dtmf","streamSid":"MZ…","dtmf":{"digit":"5"}}',
    "no streamSid": '{"event":"clear"}',
    "stream_sid": '{"event":"media","stream_sid":"MZ…","media":{"payload":"QkJC"}}',
    "streamSid twice named": '{"event":"clear","streamSid":"MZ…","stream_sid":"MZ…"}',
    "streamSid of another": '{"event":"clear","streamSid":"MZ00000000000000000000000000000000"}',
    "streamSid in small letters": '{"event":"clear","streamSid":"mz…"}',
    "streamSid empty": '{"event":"clear","streamSid":""}',
    "streamSid null": '{"event":"clear","streamSid":null}',
    "streamSid a number": '{"event":"clear","streamSid":7}',
    "streamSid inside": '{"event":"media","media":{"streamSid":"MZ…","payload":"QkJC"}}',
    "sequenceNumber": '{"event":"media","sequenceNumber":"1","streamSid":"MZ…","media":{"payload":"QkJC"}}',
    "track": '{"event":"media","streamSid":"MZ…","media":{"track":"outbound","payload":"QkJC"}}',
    "chunk": '{"event":"media","streamSid":"MZ…","media":{"chunk":"1","payload":"QkJC"}}',
    "timestamp": '{"event":"media","streamSid":"MZ…","media":{"timestamp":"61","payload":"QkJC"}}',
    "media without payload": '{"event":"media","streamSid":"MZ…","media":{}}',
    "media without media": '{"event":"media","streamSid":"MZ…"}',
    "media is null": '{"event":"media","streamSid":"MZ…","media":null}',
    "media is the payload": '{"event":"media","streamSid":"MZ…","media":"QkJC"}',
    "payload outside": '{"event":"media","streamSid":"MZ…","payload":"QkJC"}',
    "payload a number": '{"event":"media","streamSid":"MZ…","media":{"payload":7}}',
    "payload null": '{"event":"media","streamSid":"MZ…","media":{"payload":null}}',
    "payload a list": '{"event":"media","streamSid":"MZ…","media":{"payload":[66,66]}}',
    "payload not base64": '{"event":"media","streamSid":"MZ…","media":{"payload":"QkJC!"}}',
    "payload cut off": '{"event":"media","streamSid":"MZ…","media":{"payload":"QkJCQ"}}',
    "mark without name": '{"event":"mark","streamSid":"MZ…","mark":{}}',
    "mark without mark": '{"event":"mark","streamSid":"MZ…"}',
    "name a number": '{"event":"mark","streamSid":"MZ…","mark":{"name":7}}',
    "name null": '{"event":"mark","streamSid":"MZ…","mark":{"name":null}}',
    "mark is the name": '{"event":"mark","streamSid":"MZ…","mark":"x"}',
    "mark with more": '{"event":"mark","streamSid":"MZ…","mark":{"name":"x","at":"7"}}',
    "mark with media": '{"event":"mark","streamSid":"MZ…","mark":{"name":"x"},"media":{"payload":"QkJC"}}',
    "clear with more": '{"event":"clear","streamSid":"MZ…","clear":{}}',
}  # fmt: skip
BINARY: dict[str, bytes | str] = {
    "sound": b"\x42" * 160,
    "a good message": '{"event":"clear","streamSid":"MZ…"}',
    "nothing": b"",
}
FENCE = '{"event":"mark","streamSid":"MZ…","mark":{"name":"fence"}}'


class Bot:
    """The server's side of one bidirectional stream."""

    def __init__(self, box: Box, product: Product, call: str, socket: Socket) -> None:
        self.box, self.product, self.call, self.socket = box, product, call, socket
        self.stream = socket.messages[1]["streamSid"]

    async def say(self, text: str) -> None:
        text = text.replace("MZ…", self.stream).replace("mz…", self.stream.lower())
        await self.socket.ws.send_str(text)

    async def say_binary(self, data: bytes | str) -> None:
        data = data.encode() if isinstance(data, str) else data
        await self.socket.ws.send_bytes(data.replace("MZ…".encode(), self.stream.encode()))

    async def truth(self) -> Any:
        return (await self.box.call(self.call))["streams"][0]

    async def heard_out(self) -> Any:
        """The stream's truth once everything said before was read: a mark behind it was taken."""
        await self.say(FENCE)
        while True:
            truth = await self.truth()
            if any(c["event"] == "mark" and c["name"] == "fence" for c in truth["commands"]):
                return truth

    async def notes(self) -> list[int]:
        """The warnings in the debugger."""
        return [note["code"] for note in (await self.box.call(self.call))["notifications"]]


async def connected(product: Product, box: Box) -> Bot:
    """A bot that talks with a new caller."""
    stream = f"<Stream url='{product.socket_url}/media/bot/'/>"
    product.answers["/twilio/voice/"] = f"<Response><Connect>{stream}</Connect></Response>"
    number, sid = len(product.sockets), await box.place()
    await box.clock.advance(0.5)
    await product.until(lambda: product.sockets[number:] and product.sockets[number].of("media"))
    return Bot(box, product, sid, product.sockets[number])


@pytest.mark.parametrize("said", ACCEPTED.values(), ids=list(ACCEPTED))
async def test_what_a_server_may_say_is_taken_without_a_warning(
    product: Product, box: Box, said: tuple[str, list[Any]]
) -> None:
    bot = await connected(product, box)
    text, (event, value) = said
    await bot.say(text)
    truth = await bot.heard_out()
    taken = truth["commands"][0]
    assert taken["event"] == event
    assert value in (taken.get("bytes"), taken.get("name"), taken.get("marks"))
    assert (truth["warnings"], truth["status"]) == ([], "in-progress")


async def test_sound_of_ten_seconds_in_one_message_is_taken_and_played(product: Product, box: Box) -> None:
    bot = await connected(product, box)
    sound = b64encode(b"\x42" * 80_000).decode()
    await bot.say(json.dumps({"event": "media", "streamSid": bot.stream, "media": {"payload": sound}}))
    await bot.heard_out()
    await box.clock.advance(10.1)
    truth = await bot.truth()
    assert (truth["played_back_bytes"], truth["warnings"]) == (80_000, [])
    await product.until(lambda: bot.socket.of("mark"))


async def test_a_message_in_two_fragments_is_one_message(product: Product, box: Box) -> None:
    bot = await connected(product, box)
    text = FENCE.replace("MZ…", bot.stream).replace("fence", "whole").encode()
    for head, part in ((0x01, text[:20]), (0x80, text[20:])):
        bot.socket.transport.write(bytes([head, len(part)]) + part)
    await bot.heard_out()
    await product.until(lambda: len(bot.socket.of("mark")) == 2)
    assert [one["mark"]["name"] for one in bot.socket.of("mark")] == ["whole", "fence"]


@pytest.mark.parametrize("said", NOT_UNDERSTOOD.values(), ids=list(NOT_UNDERSTOOD))
async def test_what_cannot_be_understood_is_31951_once_and_the_stream_goes_on(
    product: Product, box: Box, said: str
) -> None:
    bot = await connected(product, box)
    await bot.say(said)
    await bot.say(said)
    truth = await bot.heard_out()
    assert (truth["warnings"], truth["status"], truth["error"]) == ([31951], "in-progress", 0)
    assert [command["event"] for command in truth["commands"]] == ["mark", "mark-returned"]
    assert await bot.notes() == [31951]


@pytest.mark.parametrize("said", BINARY.values(), ids=list(BINARY))
async def test_what_is_binary_is_31950_once_and_the_stream_goes_on(
    product: Product, box: Box, said: bytes | str
) -> None:
    bot = await connected(product, box)
    await bot.say_binary(said)
    await bot.say_binary(said)
    truth = await bot.heard_out()
    assert (truth["warnings"], truth["status"], truth["error"]) == ([31950], "in-progress", 0)
    assert [command["event"] for command in truth["commands"]] == ["mark", "mark-returned"]
    assert await bot.notes() == [31950]


async def test_all_that_is_wrong_gives_one_warning_of_each_kind_per_stream(
    product: Product, box: Box
) -> None:
    first, second = await connected(product, box), await connected(product, box)
    for text in NOT_UNDERSTOOD.values():
        await first.say(text)
    for data in BINARY.values():
        await first.say_binary(data)
    truth = await first.heard_out()
    assert (truth["warnings"], await first.notes()) == ([31951, 31950], [31951, 31950])
    assert (truth["status"], truth["played_back_bytes"]) == ("in-progress", 0)
    await second.say_binary(b"")
    assert (await second.heard_out())["warnings"] == [31950]


def test_a_list_of_commands_that_is_cut_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("emulator.media.replies.MAX_COMMANDS", 2)
    replies = Replies("MZ1", lambda code: None, lambda name: None)
    for _ in range(5):
        replies.receive(frames.TEXT, b'{"event":"clear","streamSid":"MZ1"}')
    assert [command["event"] for command in replies.commands] == ["clear", "clear", "cut"]
    assert replies.commands[-1]["left_out"] == 3


def test_a_person_notices_when_a_voice_begins_and_has_ended_but_no_breath() -> None:
    noticed: list[str] = []
    replies = Replies("MZ1", lambda code: None, lambda name: None)
    replies.notice = noticed.append
    sound = base64.b64encode(b"\x55" * 1600).decode()
    for said in (True, True, False):
        if said:
            text = f'{{"event":"media","streamSid":"MZ1","media":{{"payload":"{sound}"}}}}'
            replies.receive(frames.TEXT, text.encode())
        for _ in range(10 + 20 if said else 30):
            replies.play()
    assert noticed == ["prompt", "quiet"]


async def test_the_call_of_a_bad_server_still_ends_in_order(product: Product, box: Box) -> None:
    bot = await connected(product, box)
    await bot.say("hello")
    await bot.say_binary(b"hello")
    await bot.heard_out()
    await box.clock.advance(1)
    await box.post(f"/emulator/calls/{bot.call}/hangup/", {})
    await product.until(lambda: bot.socket.over)
    numbers = [int(message["sequenceNumber"]) for message in bot.socket.messages[1:]]
    assert numbers == list(range(1, len(numbers) + 1))
    assert bot.socket.messages[-1]["event"] == "stop"
