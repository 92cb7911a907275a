"""The wire: hand-written messages from Twilio's documentation in, typed messages out, and back."""

import json
from pathlib import Path

import msgspec
import pytest

from streams import protocol
from streams.protocol import MAX_MESSAGE_BYTES, ProtocolError, decode, decode_reply, encode
from tests.streams import wire

DOC = Path(__file__).parents[2] / "docs" / "protocol.md"


def refused(text: str | bytes) -> str:
    with pytest.raises(ProtocolError) as caught:
        decode(text)
    return caught.value.code


def test_connected_names_protocol_and_version():
    message = decode('{"event":"connected","protocol":"Call","version":"1.0.0"}')
    assert message == protocol.Connected(protocol="Call", version="1.0.0")


def test_start_says_who_streams_what():
    message = decode(wire.start("inbound", "outbound"))
    assert isinstance(message, protocol.Start)
    assert (message.sequenceNumber, message.streamSid) == (1, wire.SID)
    body = message.start
    assert (body.streamSid, body.accountSid, body.callSid) == (wire.SID, wire.ACCOUNT, wire.CALL)
    assert body.tracks == ["inbound", "outbound"]
    assert body.customParameters == {"session": "q8"}
    sound = body.mediaFormat
    assert (sound.encoding, sound.sampleRate, sound.channels) == ("audio/x-mulaw", 8000, 1)


def test_start_without_parameters_and_with_its_keys_in_another_order():
    message = decode(
        '{"streamSid":"MZ1","start":{"tracks":["inbound"],"callSid":"CA1","accountSid":"AC1","streamSid":"MZ1",'
        '"mediaFormat":{"channels":1,"sampleRate":8000,"encoding":"audio/x-mulaw"}},"sequenceNumber":"1",'
        '"event":"start"}'
    )
    assert isinstance(message, protocol.Start)
    assert message.start.customParameters == {}


def test_media_brings_bytes_and_numbers_out_of_strings():
    message = decode(
        '{"event":"media","sequenceNumber":"2","streamSid":"MZ1",'
        '"media":{"track":"inbound","chunk":"1","timestamp":"61","payload":"/v7+fv7/"}}'
    )
    assert isinstance(message, protocol.Media)
    body = message.media
    assert (message.sequenceNumber, body.chunk, body.timestamp) == (2, 1, 61)
    assert body.payload == b"\xfe\xfe\xfe\x7e\xfe\xff"


def test_numbers_that_are_numbers_are_taken_too():
    message = decode(
        '{"event":"media","sequenceNumber":2,"streamSid":"MZ1",'
        '"media":{"track":"inbound","chunk":1,"timestamp":61,"payload":""}}'
    )
    assert isinstance(message, protocol.Media)
    assert message.media.timestamp == 61


@pytest.mark.parametrize("size", [0, 1, 7, 159, 160, 161, 320, 8000, 40_000])
def test_a_payload_may_have_any_length(size: int):
    payload = bytes(number % 256 for number in range(size))
    message = decode(wire.media(2, 61, payload=payload))
    assert isinstance(message, protocol.Media)
    assert message.media.payload == payload


def test_dtmf_names_its_track_in_twilios_other_vocabulary():
    message = decode(wire.dtmf(90, "#"))
    assert isinstance(message, protocol.Dtmf)
    assert (message.dtmf.track, message.dtmf.digit) == ("inbound_track", "#")


def test_mark_brings_back_exactly_our_name():
    message = decode(wire.mark(131, "turn-7/3 é"))
    assert isinstance(message, protocol.Mark)
    assert message.mark.name == "turn-7/3 é"


def test_stop_names_account_and_call():
    message = decode(wire.stop(212))
    assert isinstance(message, protocol.Stop)
    assert (message.stop.accountSid, message.stop.callSid) == (wire.ACCOUNT, wire.CALL)


@pytest.mark.parametrize(
    ("text", "event"),
    [
        ('{"event":"closed"}', "closed"),
        ('{"event":"media.v2","media":7}', "media.v2"),
        ('{"event":""}', ""),
        ('{"event":"' + "x" * 500 + '"}', "x" * 40),
    ],
)
def test_an_event_that_we_do_not_know_is_no_error(text: str, event: str):
    assert decode(text) == protocol.Unknown(event)


def test_keys_that_we_do_not_know_are_passed_over():
    text = wire.dtmf(2).replace('"dtmf":{', '"new":[1,{"a":null}],"dtmf":{"duration":"120",')
    assert isinstance(decode(text), protocol.Dtmf)


def test_of_a_doubled_key_the_last_counts():
    text = wire.stop(2).replace('"sequenceNumber":"2"', '"sequenceNumber":"2","sequenceNumber":"3"')
    message = decode(text)
    assert isinstance(message, protocol.Stop)
    assert message.sequenceNumber == 3


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "null",
        "[]",
        '"connected"',
        "5",
        "{",
        "{}",
        '{"event":5}',
        '{"event":null}',
        '{"event":"stop"',
        wire.stop(2) + "x",
        "\ufeff" + wire.stop(2),
        wire.stop(2).encode("utf-16"),
        b"\xff\xfe\x00",
        wire.stop(2).encode().replace(b"CA9c", b"CA\xff\xff"),
        wire.stop(2).replace("CA9c", "CA\ud800"),
        wire.stop(2).replace("CA9c", "\\ud800"),
        '{"event":"stop","x":' + "[" * 60_000,
        '{"event":"stop","x":' + "[" * 30_000 + "]" * 30_000 + "}",
        wire.stop(2).replace('"2"', "NaN"),
        wire.stop(2).replace('"2"', "Infinity"),
    ],
)
def test_what_is_no_json_object_with_an_event_is_malformed(text: str | bytes):
    assert refused(text) == "malformed"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"sequenceNumber":"2",', ""),
        ('"sequenceNumber":"2"', '"sequenceNumber":null'),
        ('"sequenceNumber":"2"', '"sequenceNumber":true'),
        ('"sequenceNumber":"2"', '"sequenceNumber":"two"'),
        ('"sequenceNumber":"2"', '"sequenceNumber":"-2"'),
        ('"sequenceNumber":"2"', '"sequenceNumber":"2.5"'),
        ('"sequenceNumber":"2"', '"sequenceNumber":""'),
        ('"sequenceNumber":"2"', '"sequenceNumber":" 2"'),
        ('"sequenceNumber":"2"', '"sequenceNumber":"2147483648"'),
        ('"sequenceNumber":"2"', '"sequenceNumber":"' + "9" * 5000 + '"'),
        ('"sequenceNumber":"2"', '"sequenceNumber":' + "9" * 5000),
        ('"timestamp":"61"', '"timestamp":"-1"'),
        ('"timestamp":"61"', '"timestamp":1e400'),
        ('"timestamp":"61",', ""),
        ('"chunk":"1"', '"chunk":[]'),
        ('"track":"inbound"', '"track":1'),
        (f'"streamSid":"{wire.SID}"', '"streamSid":{}'),
        ('"payload":"//8="', '"payload":"//8"'),
        ('"payload":"//8="', '"payload":"*"'),
        ('"payload":"//8="', '"payload":"//8=\\n"'),
        ('"payload":"//8="', '"payload":null'),
        ('"payload":"//8="', '"other":"//8="'),
    ],
)
def test_a_field_that_is_missing_or_wrong_is_a_bad_field(old: str, new: str):
    text = wire.media(2, 61, payload=b"\xff\xff")
    assert old in text
    assert refused(text.replace(old, new)) == "bad_field"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"customParameters":{"session":"q8"}', '"customParameters":{"session":8}'),
        ('"customParameters":{"session":"q8"}', '"customParameters":[]'),
        ('"tracks":["inbound","outbound"]', '"tracks":"both_tracks"'),
        ('"sampleRate":8000', '"sampleRate":"fast"'),
        (f'"callSid":"{wire.CALL}",', ""),
        (f'"accountSid":"{wire.ACCOUNT}",', ""),
    ],
)
def test_a_start_with_a_bad_field_is_refused(old: str, new: str):
    text = wire.start()
    assert old in text
    assert refused(text.replace(old, new)) == "bad_field"


def test_long_and_many_parameters_are_taken_whole():
    many = ",".join(f'"name{number}":"{"v" * 90}"' for number in range(500))
    message = decode(wire.start().replace('"session":"q8"', many))
    assert isinstance(message, protocol.Start)
    assert len(message.start.customParameters) == 500
    long = "w" * 60_000
    message = decode(wire.start().replace("q8", long))
    assert isinstance(message, protocol.Start)
    assert message.start.customParameters == {"session": long}


def test_a_message_over_64_kib_is_too_large_whatever_it_holds():
    room = MAX_MESSAGE_BYTES - len('{"event":"x","pad":""}')
    assert isinstance(decode('{"event":"x","pad":"' + "p" * room + '"}'), protocol.Unknown)
    assert refused('{"event":"x","pad":"' + "p" * (room + 1) + '"}') == "too_large"
    assert refused(b"{" * (MAX_MESSAGE_BYTES + 1)) == "too_large"
    assert refused('{"event":"x","pad":"' + "é" * (room // 2 + 1) + '"}') == "too_large"


def test_an_error_tells_where_but_not_what_was_said():
    text = wire.media(2, 61).replace('"payload":"', '"payload":"secret!')
    with pytest.raises(ProtocolError) as caught:
        decode(text)
    assert "payload" in caught.value.detail
    assert "secret" not in str(caught.value)


def test_an_error_is_short_and_printable():
    for text in ('{"event":"media\x00"', '{"event":"stop","streamSid":"' + "\x1b[31m" * 9):
        with pytest.raises(ProtocolError) as caught:
            decode(text)
        assert str(caught.value).isprintable()
        assert len(caught.value.detail) < 260


# to Twilio


def test_what_we_send_has_exactly_twilios_keys():
    sound = protocol.PlayMedia(streamSid="MZ1", media=protocol.PlayBody(payload=b"\xfe\x7e"))
    assert json.loads(encode(sound)) == {"event": "media", "streamSid": "MZ1", "media": {"payload": "/n4="}}
    name = protocol.PlayMark(streamSid="MZ1", mark=protocol.PlayMarkBody(name="turn-7/3"))
    assert json.loads(encode(name)) == {"event": "mark", "streamSid": "MZ1", "mark": {"name": "turn-7/3"}}
    assert json.loads(encode(protocol.Clear(streamSid="MZ1"))) == {"event": "clear", "streamSid": "MZ1"}


def test_replies_are_read_as_twilio_reads_them():
    sound = decode_reply('{"event":"media","streamSid":"MZ1","media":{"payload":"/n4="}}')
    assert isinstance(sound, protocol.PlayMedia)
    assert sound.media.payload == b"\xfe\x7e"
    name = decode_reply('{"event":"mark","streamSid":"MZ1","mark":{"name":"a"}}')
    assert isinstance(name, protocol.PlayMark)
    assert name.mark.name == "a"
    assert decode_reply('{"event":"clear","streamSid":"MZ1"}') == protocol.Clear(streamSid="MZ1")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('{"event":"clear"}', "bad_field"),
        ('{"event":"clear","stream_sid":"MZ1"}', "bad_field"),
        ('{"event":"clear","streamSid":"MZ1","sequenceNumber":"1"}', "bad_field"),
        ('{"event":"media","streamSid":"MZ1","media":{"payload":"/n4=","track":"outbound"}}', "bad_field"),
        ('{"event":"media","streamSid":"MZ1","media":{"payload":"%"}}', "bad_field"),
        ('{"event":"mark","streamSid":"MZ1","mark":{"name":7}}', "bad_field"),
        ('{"event":"mark","streamSid":"MZ1","mark":{"name":"a","x":1}}', "bad_field"),
        ('{"event":"dtmf","streamSid":"MZ1","dtmf":{"digit":"1"}}', "unknown_event"),
        ("not json", "malformed"),
        ("[]", "malformed"),
        ('{"event":"clear","streamSid":"' + "x" * MAX_MESSAGE_BYTES + '"}', "too_large"),
    ],
)
def test_a_reply_that_twilio_would_warn_of_is_refused(text: str, code: str):
    with pytest.raises(ProtocolError) as caught:
        decode_reply(text)
    assert caught.value.code == code


# as the other end


def test_the_other_end_sends_numbers_as_strings_where_twilio_does():
    body = protocol.MediaBody(track="inbound", chunk=1, timestamp=61, payload=b"\xfe\x7e")
    sound = json.loads(encode(protocol.Media(sequenceNumber=2, streamSid="MZ1", media=body)))
    assert sound == {
        "event": "media",
        "sequenceNumber": "2",
        "streamSid": "MZ1",
        "media": {"track": "inbound", "chunk": "1", "timestamp": "61", "payload": "/n4="},
    }


@pytest.mark.parametrize(
    "text",
    [wire.CONNECTED, wire.start(), wire.media(2, 61), wire.dtmf(3, "*"), wire.mark(4), wire.stop(5)],
)
def test_what_the_other_end_encodes_is_what_twilio_would_have_sent(text: str):
    message = decode(text)
    assert not isinstance(message, protocol.Unknown)
    assert json.loads(encode(message)) == json.loads(text)


# the page


@pytest.mark.parametrize("message", [*protocol.FROM_TWILIO, *protocol.TO_TWILIO])
def test_every_message_and_field_is_described(message: type[msgspec.Struct]):
    text = DOC.read_text(encoding="utf-8")
    assert f"`{message.__struct_config__.tag}`" in text
    for name in message.__struct_fields__:
        assert f"`{name}`" in text, name


@pytest.mark.parametrize(
    "body",
    [protocol.StartBody, protocol.MediaFormat, protocol.MediaBody, protocol.DtmfBody, protocol.MarkBody],
)
def test_every_field_of_a_body_is_described(body: type[msgspec.Struct]):
    text = DOC.read_text(encoding="utf-8")
    assert [name for name in body.__struct_fields__ if f"`{name}`" not in text] == []


def test_every_error_is_described():
    text = DOC.read_text(encoding="utf-8")
    codes = protocol.Code.__args__  # type: ignore[attr-defined]
    assert [code for code in codes if f"`{code}`" not in text] == []
