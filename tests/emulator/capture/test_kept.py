"""What stays in a file, and what stands for the rest: words of Twilio's, and placeholders of its shape."""

import re
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from emulator.capture import document, headers, socketmessage
from emulator.capture.placeholders import Placeholders
from emulator.capture.shapes import Shapes, type_of
from emulator.capture.signatures import Signatures
from emulator.capture.vocabulary import HOOK, REPLY, STREAM, TOLD, Contract
from tests.twilio import signature


@pytest.mark.parametrize(
    ("name", "text", "kind", "kept"),
    [
        ("CallStatus", "ringing", "text", "ringing"),
        ("CallStatus", "waiting-for-godot", "text", "word1"),
        ("SequenceNumber", "0", "whole number", "0"),
        ("ApiVersion", "2010-04-01", "day", "2010-04-01"),
        ("StreamError", "Stream - Websocket - Protocol Error", "text", "Stream - Websocket - Protocol Error"),
        ("From", "anonymous", "withheld number", "anonymous"),
        ("From", "", "empty", ""),
        ("From", "+31612345678", "telephone number", "+99900000001"),
        ("From", "+266696687", "telephone number", "+99900000001"),
        ("To", "client:agent_7", "client", "client:name1"),
        ("FromCity", "AMSTERDAM", "text", "xxxxxxxxx"),
        ("CallerName", "Alice", "text", "name1"),
        ("Digits", "12#", "text", "00."),
        ("Confidence", "0.91", "decimal number", "0.91"),
        ("DialBridged", "true", "boolean", "true"),
        ("Timestamp", "Fri, 20 Nov 2026 10:15:02 +0000", "RFC 2822 date", "Fri, 00 Nov 0000 00:00:00 +0000"),
        ("Timestamp", "2026-11-20T10:15:02.417Z", "ISO 8601 date", "0000-00-00T00:00:00.000Z"),
        (
            "RecordingUrl",
            "https://api.twilio.com/2010-04-01/Accounts/AC" + "a" * 32 + "/Recordings/RE" + "b" * 32,
            "URL",
            f"https://api.twilio.com/2010-04-01/Accounts/AC{1:032d}/Recordings/RE{1:032d}",
        ),
        (
            "ErrorUrl",
            "https://cc.example.org:8443/hooks/voice/?CallSid=CA" + "a" * 32,
            "URL",
            f"https://host1.invalid:8443/s1/s2/?CallSid=CA{1:032d}",
        ),
    ],
)
def test_a_value_keeps_its_shape(name: str, text: str, kind: str, kept: str) -> None:
    assert Shapes(Placeholders()).field(name, text, HOOK) == (name, kind, kept)


def test_the_same_unlisted_name_has_the_same_placeholder_where_it_stands() -> None:
    shapes = Shapes(Placeholders())
    kept = [shapes.field(name, "4815")[:3] for name in ("CustomerJohnSmith", "Pin", "CustomerJohnSmith")]
    assert kept == [(name, "whole number", "0000") for name in ("field1", "field2", "field1")]
    said = b'{"event":"JohnSmith","JohnSmith":1,"mark":{"JohnSmith":true,"code":12345678}}'
    told = socketmessage.cleaned(said, shapes, REPLY)
    assert told == {"event": "word1", "key1": 0, "mark": {"key1": True, "key2": 0}}
    written = document.cleaned("<Response><Smith john='a'/><Smith/><Dial john='b'/></Response>", shapes)
    assert written == '<Response><Tag1 attribute1="x" /><Tag1 /><Dial attribute1="x" /></Response>'
    names = headers.cleaned(
        [("X-John", "1"), ("x-john", "1"), ("CF-John", "1"), ("X-Twilio-John", "1")], shapes
    )
    assert names == [("header1", None), ("header1", None), ("CF-header2", None), ("X-Twilio-header3", None)]


@pytest.mark.parametrize(
    ("value", "contract", "kept"),
    [
        ({"code": 20404, "status": 404}, TOLD, {"code": 20404, "status": 404}),
        ({"code": 12345678, "status": 4815}, TOLD, {"code": 0, "status": 0}),
        ({"code": 20404, "sequenceNumber": "7"}, REPLY, {"key1": 0, "sequenceNumber": "0"}),
        (
            {"sequenceNumber": "7", "media": {"chunk": "61"}},
            STREAM,
            {"sequenceNumber": "7", "media": {"chunk": "61"}},
        ),
        ({"chunk": "61", "mark": {"timestamp": 77}}, STREAM, {"chunk": "00", "mark": {"timestamp": 0}}),
    ],
)
def test_numbers_stay_where_twilio_has_them(value: Any, contract: Contract, kept: Any) -> None:
    assert Shapes(Placeholders()).json(value, contract) == kept


def test_the_same_thing_has_the_same_placeholder_everywhere() -> None:
    shapes = Shapes(Placeholders())
    sid, other = "CA" + "a" * 32, "CA" + "b" * 32
    assert shapes.value("CallSid", sid) == f"CA{1:032d}"
    assert shapes.value("ParentCallSid", other) == f"CA{2:032d}"
    assert shapes.path(f"/x/{sid}") == f"/s1/CA{1:032d}"
    assert shapes.places.behind(f"CA{2:032d}") == other
    assert shapes.places.behind(f"CA{3:032d}") is None
    assert shapes.path("/Streams/tap.json") == "/Streams/name1.json"
    assert shapes.value("Name", "tap") == "name1"


NOBODYS = re.compile(r"[x0\W_]*")
"""Masks and signs: nothing in them tells of anybody, so nothing in them need change."""


@given(st.text(max_size=60))
@example("+" + "1" * 15)
@example("http://[")
@example("https://a.example.org:99999/")
@example('{"a": ' * 50)
def test_any_text_is_masked_and_its_placeholder_has_its_type(text: str) -> None:
    shapes = Shapes(Placeholders())
    kind = type_of(text)
    for name in ("From", "Url", "Anything", "voice_url", "uri"):
        value = shapes.value(name, text)
        assert value != text or kind in {"withheld number", "boolean"} or NOBODYS.fullmatch(text)
        if kind in {"SID", "telephone number", "whole number", "RFC 2822 date", "ISO 8601 date", "client"}:
            assert type_of(value) == kind


def test_the_dictionary_does_not_grow_for_ever(monkeypatch) -> None:
    monkeypatch.setattr("emulator.capture.placeholders.MOST", 3)
    places = Placeholders()
    assert [places.segment(str(n)) for n in range(5)] == ["s1", "s2", "s3", "s3", "s3"]


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("https://api.twilio.com/2010-04-01", "https://api.twilio.com/2010-04-01"),
        ("https://api.dublin.ie1.twilio.com/", "https://api.dublin.ie1.twilio.com/"),
        ("wss://acme-bank.sip.us1.twilio.com/x", "wss://host1.invalid/s1"),
        ("https://api.acme.ie1.twilio.com/", "https://host1.invalid/"),
        ("https://twilio.com.acme.example/", "https://host1.invalid/"),
        ("johnsmith://api.twilio.com/", "xxxxxxxxx://xxx.xxxxxx.xxx/"),
    ],
)
def test_only_hosts_of_twilios_own_stay(text: str, kept: str) -> None:
    assert Shapes(Placeholders()).url(text) == kept


@pytest.mark.parametrize(
    ("signed", "kept"),
    [
        ("https://cc.example.org/voice?a=1", ("https", "none", "given", "given", "Host")),
        ("https://cc.example.org:443/voice?a=1", ("https", "added", "given", "given", "Host")),
        ("https://cc.example.org/voice/?a=1", ("https", "none", "added", "given", "Host")),
        ("http://cc.example.org/voice", ("http", "none", "given", "dropped", "Host")),
        ("https://public.example.org/voice?a=1", ("https", "none", "given", "given", "X-Forwarded-Host")),
    ],
)
def test_a_signature_is_told_by_the_form_that_it_covers(signed: str, kept: tuple[str, ...]) -> None:
    fields = {"CallSid": "CA1", "Empty": ""}
    headers = [
        ("Host", "cc.example.org"),
        ("X-Forwarded-Host", "public.example.org"),
        ("X-Twilio-Signature", signature(signed, fields, token="second")),
    ]
    told = Signatures(["first", "second"]).of("/voice?a=1", headers, list(fields.items()))
    assert told.state == "valid"
    assert (told.scheme, told.port, told.slash, told.query, told.host) == kept
    assert told.body == "form"
    assert Signatures(["first"]).of("/voice?a=1", headers, list(fields.items())).state == "no match"
    assert Signatures([]).of("/voice?a=1", headers, []).state == "not checked"
    assert Signatures(["first"]).of("/voice?a=1", headers[:2], []).state == "absent"
