"""Files that are no captures, or not whole, are told apart and never end in a crash."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emulator.capture.difference import Comparison, facts_of
from emulator.capture.questions import settled
from emulator.capture.reel import ReelError, read
from emulator.capture.schedule import Press, schedule
from tests.emulator.capture.conftest import Stage, compare, sentences, shelved, whole_call
from tests.emulator.product import Product

OPENING = b'{"kind":"capture","at":0,"version":1}\n'
NONSENSE = {
    "empty": b"",
    "text": b"Dear Sir or Madam,\n",
    "binary": bytes(range(256)) * 4,
    "half a first line": OPENING[:20],
    "another JSON": b'{"kind":"invoice","at":0}\n',
    "no opening": b'{"kind":"trouble","at":0,"text":"x"}\n',
    "another version": b'{"kind":"capture","at":0,"version":99}\n',
    "a bad line": OPENING + b'{"kind":"close","at":"soon","socket":1,"sender":"twilio"}\n' + OPENING,
    "a foreign sender": OPENING + b'{"kind":"close","at":1,"socket":1,"sender":"nobody"}\n',
    "deep": OPENING + b'{"kind":"answer","at":0,"json":' + b"[" * 100_000 + b"\n",
    "no call": OPENING + b'{"kind":"end","at":1,"why":"stopped by the user"}\n',
}


@pytest.mark.parametrize("which", NONSENSE)
async def test_a_file_that_holds_no_call_is_refused_with_a_reason(tmp_path: Path, capsys, which: str) -> None:
    assert await compare(shelved(tmp_path / "file.jsonl", [NONSENSE[which]])) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.startswith("emulator capture: ")
    assert len(told.err) < 400


async def test_a_missing_file_and_a_directory_are_refused(tmp_path: Path, capsys) -> None:
    assert await compare(tmp_path / "nothing.jsonl") == 2
    assert await compare(tmp_path) == 2
    assert "nothing.jsonl: No such file" in capsys.readouterr().err


async def test_a_recording_that_was_cut_off_is_compared_as_far_as_it_goes(
    stage: Stage, product: Product, tmp_path: Path, capsys
) -> None:
    await whole_call(stage, product)
    film = await stage.film()
    cut = b"".join(film[: len(film) // 2]) + film[len(film) // 2][:30]
    assert await compare(shelved(tmp_path / "cut.jsonl", [cut])) == 0
    told = capsys.readouterr().out
    assert "the recording is not whole; how it ended was not compared" in told
    assert sentences(told) == []


LEAVES = st.none() | st.booleans() | st.integers() | st.text(max_size=8)
VALUES = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_stands_in_a_file_it_is_refused_or_compared(data: st.DataObject) -> None:
    lines = [json.loads(line) for line in SAMPLE]
    for _ in range(data.draw(st.integers(1, 3))):
        line = data.draw(st.sampled_from(lines[1:]))
        spoil(line, data)
    texts = [json.dumps(line).encode() + b"\n" for line in lines]
    try:
        reel = read(texts, "spoilt")
    except ReelError:
        return
    facts = facts_of(reel)
    assert Comparison("A", facts, "B", facts).differences() == []
    assert isinstance(settled(reel), dict)
    assert isinstance(schedule(reel), list)


@pytest.mark.parametrize("event", [[], {}, None, 5])
def test_an_event_that_is_no_text_is_another_event(event: Any) -> None:
    said = {"kind": "message", "at": 5, "socket": 2, "sender": "twilio", "form": "text", "bytes": 9}
    lines = [SAMPLE[0], SAMPLE[3], json.dumps({**said, "json": {"event": event}}), SAMPLE[-1]]
    reel = read([line.encode() + b"\n" for line in lines], "odd")
    assert reel.sockets[0].said("twilio", "start") == []
    assert f"message {event}" in facts_of(reel).subjects


def spoil(line: dict[str, Any], data: st.DataObject) -> None:
    """Put something else at one place of it."""
    place: Any = line
    while True:
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        if not keys:
            return
        key = data.draw(st.sampled_from(keys))
        if isinstance(place[key], dict | list) and data.draw(st.booleans()):
            place = place[key]
        else:
            place[key] = data.draw(VALUES)
            return


SID = {name: name + "0" * 31 + "1" for name in ("AC", "CA", "MZ")}
START = {
    "event": "start",
    "sequenceNumber": "1",
    "streamSid": SID["MZ"],
    "start": {"streamSid": SID["MZ"], "callSid": SID["CA"], "tracks": ["inbound", "outbound"]},
}
MEDIA = {
    "event": "media",
    "sequenceNumber": "2",
    "streamSid": SID["MZ"],
    "media": {"track": "inbound", "chunk": "1", "timestamp": "4", "payload": "160 bytes of sound"},
}
TWIML = "<Response><Connect action='/s4'><Stream url='wss://host1.invalid/s3'/></Connect></Response>"
SAMPLE = [
    json.dumps(line)
    for line in (
        {"kind": "capture", "at": 0, "version": 1, "signatures": "checked"},
        {
            "kind": "request",
            "at": 1,
            "number": 1,
            "door": "webhook",
            "method": "POST",
            "path": "/s1",
            "headers": [["Host", "host1.invalid"]],
            "form": [["CallSid", "SID", SID["CA"]], ["CallStatus", "text", "ringing"]],
            "signed": {"state": "valid", "scheme": "https", "port": "none", "slash": "given"},
        },
        {
            "kind": "answer",
            "at": 2,
            "number": 1,
            "door": "webhook",
            "status": 200,
            "headers": [],
            "twiml": TWIML,
        },
        {
            "kind": "handshake",
            "at": 3,
            "socket": 2,
            "path": "/s3",
            "headers": [],
            "status": 101,
            "answered": 4,
        },
        {
            "kind": "message",
            "at": 5,
            "socket": 2,
            "sender": "twilio",
            "form": "text",
            "bytes": 9,
            "json": START,
        },
        {
            "kind": "message",
            "at": 6,
            "socket": 2,
            "sender": "twilio",
            "form": "text",
            "bytes": 9,
            "json": MEDIA,
        },
        {
            "kind": "message",
            "at": 6,
            "socket": 2,
            "sender": "twilio",
            "form": "text",
            "bytes": 9,
            "json": {"event": "dtmf", "dtmf": {"track": "inbound_track", "digit": "0"}},
        },
        {"kind": "close", "at": 7, "socket": 2, "sender": "twilio", "code": 1000},
        {"kind": "gone", "at": 8, "socket": 2, "sender": "twilio", "how": "end"},
        {
            "kind": "request",
            "at": 9,
            "number": 3,
            "door": "rest",
            "method": "POST",
            "path": f"/2010-04-01/Accounts/{SID['AC']}/Calls/{SID['CA']}/Streams.json",
            "headers": [],
            "form": [["Url", "URL", "wss://host1.invalid/s5"]],
        },
        {
            "kind": "answer",
            "at": 9,
            "number": 3,
            "door": "rest",
            "status": 400,
            "headers": [],
            "json": {"code": 20001, "status": 400, "message": "xxx"},
        },
        {"kind": "end", "at": 10, "why": "the call is over"},
    )
]


@pytest.mark.parametrize(
    ("fields", "keys", "before"),
    [
        ({"Digits": "000"}, "000", 3000),
        ({"Digits": "000", "FinishedOnKey": ""}, "000", 3000),
        ({"Digits": "000", "FinishedOnKey": "*"}, "000*", 300),
        ({"Digits": "00"}, "00", 300),
        ({"Digits": "0.0"}, "0*0", 3000),
        ({"Digits": "0", "RecordingUrl": "/"}, "5", 300),
        ({"Digits": ".", "RecordingUrl": "/"}, "#", 300),
    ],
)
def test_keys_are_pressed_as_long_before_their_action_as_what_ended_them_takes(
    fields: dict[str, str], keys: str, before: float
) -> None:
    assert [(one.at, one.digits) for one in pressed(fields)] == [(10_000 - before, keys)]


@pytest.mark.parametrize("digits", ["hangup", "xxxxxx", ""])
def test_who_hangs_up_presses_no_key(digits: str) -> None:
    assert pressed({"Digits": digits, "RecordingUrl": "/"}) == []


def pressed(fields: dict[str, str]) -> list[Press]:
    """What a schedule presses for an action with these fields, ten seconds into a call."""
    twiml = (
        "<Response><Gather action='/s4' finishOnKey='' timeout='3' numDigits='2'/>"
        "<Record action='/s4' finishOnKey='5#'/></Response>"
    )
    form = [["CallSid", "SID", SID["CA"]], *([name, "text", value] for name, value in fields.items())]
    begin = json.loads(SAMPLE[1])
    answer = {**json.loads(SAMPLE[2]), "twiml": twiml}
    lines = [
        json.loads(SAMPLE[0]),
        begin,
        answer,
        {**begin, "at": 10_001, "number": 2, "path": "/s4", "form": form},
    ]
    events = schedule(read([json.dumps(line).encode() + b"\n" for line in lines], "keys"))
    return [event for event in events if isinstance(event, Press)]
