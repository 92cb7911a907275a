"""Nothing that names anybody is in a file: whatever goes through, no secret of it comes out."""

import base64
import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlencode
from xml.sax.saxutils import quoteattr

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from emulator.capture import entries
from emulator.capture.hypertext import Head, Whole
from emulator.capture.placeholders import Placeholders
from emulator.capture.scribe import Scribe
from emulator.capture.signatures import Signatures
from emulator.capture.strays import stray
from emulator.capture.tap import Tap
from emulator.capture.tape import Memory, Tape
from emulator.capture.vocabulary import FIELDS, KEYS, SOCKET_KEYS
from emulator.clock import VirtualClock
from emulator.media.frames import TEXT, masked
from tests.emulator.capture.conftest import Stage, whole_call
from tests.emulator.conftest import ACCOUNT_SID, ALICE, OFFICE, TOKEN
from tests.emulator.product import Product

# "Zq" begins no word of Twilio's, so what is found in a file was not there before.
WORD = st.text("abcdefghijklmnopqrstuvwyzABCDEFGHIJKLMNOPQRSTUVWYZéß日本", min_size=4, max_size=16).map(
    "Zq".__add__
)
ASCII = WORD.filter(str.isascii)
DIGITS = st.text("123456789", min_size=7, max_size=14)
HEX = st.text("0123456789abcdef", min_size=32, max_size=32).filter(lambda text: len(set(text)) > 6)
SECRETS = st.fixed_dictionaries(
    {
        "number": DIGITS.map(lambda digits: "+" + digits),
        "other_number": DIGITS,
        "name": WORD.map(lambda word: f"Mr {word}"),
        "city": WORD.map(str.upper),
        "sid": HEX.map(lambda text: "CA" + text),
        "account": HEX.map(lambda text: "AC" + text),
        "stream": HEX.map(lambda text: "MZ" + text),
        "token": HEX,
        "host": WORD.filter(str.isascii).map(lambda word: f"{word.lower()}.example.org"),
        "path": WORD.filter(str.isascii).map(lambda word: f"{word}77"),
        "said": WORD.map(lambda word: f"my pin is {word}"),
        "pressed": st.text("123456789", min_size=6, max_size=8),
        "word": ASCII,
        "small": st.integers(10_000_000, 99_999_999).map(str).filter(lambda text: len(set(text)) > 4),
        "sound": st.binary(min_size=40, max_size=60).map(lambda sound: base64.b64encode(sound).decode()),
    }
)
Secrets = dict[str, str]
EVERY_KEY = sorted(SOCKET_KEYS | KEYS)
PORTIONS = [EVERY_KEY[at : at + 80] for at in range(0, len(EVERY_KEY), 80)]
"""Every key that the contract has, in objects that are small enough to be kept whole."""
MESSAGES = 18 + len(SOCKET_KEYS) + 3 * len(PORTIONS)
LINES = 10 + MESSAGES
"""So many lines has the call below: the masks do their work, and none is held back at the last moment."""


class Room:
    """A tap with its file, without any network."""

    def __init__(self, tokens: tuple[str, ...] = ()) -> None:
        self.store = Memory()
        self.places = Placeholders()
        clock = VirtualClock(datetime(2026, 1, 1, tzinfo=UTC))
        tape = Tape(clock, self.store, self.places, checked=bool(tokens))
        self.scribe = Scribe(tape, self.places, Signatures(tokens))
        self.tape = tape

    def post(self, path: str, fields: list[tuple[str, str]], answer: str, s: Secrets) -> None:
        """A webhook and its answer, heard by a tap."""
        tap, body = Tap(self.scribe), urlencode(fields).encode()
        head = (
            f"POST {path} HTTP/1.1\r\nHost: {s['host']}\r\nX-Twilio-Signature: {s['token']}=\r\n"
            f"Cookie: {s['token']}\r\nX-Forwarded-For: 203.0.113.77\r\nX-Own: {s['token']}\r\n"
            f"X-{s['word']}: 1\r\nX-Twilio-{s['word']}: 1\r\nCF-{s['word']}: 1\r\n"
            f"User-Agent: {s['word']}/1.0\r\n"
            f"Accept: x/{s['word']}\r\nAccept-Encoding: {s['word']}\r\n"
            f"Cache-Control: {s['word']}={s['small']}\r\n"
            f"Connection: {s['word']}\r\nForwarded: for={s['word']}\r\n"
            f"I-Twilio-Idempotency-Token: {s['token']}\r\nContent-Length: {len(body)}\r\n"
            "Content-Type: application/x-www-form-urlencoded\r\n\r\n"
        )
        tap.heard("twilio", head.encode() + body)
        text = answer.encode()
        tap.heard(
            "application",
            b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nServer: secret-server/1.0\r\n"
            + f"X-{s['word']}: {s['word']}\r\n".encode()
            + b"Set-Cookie: id="
            + s["token"].encode()
            + f"\r\nContent-Length: {len(text)}\r\n\r\n".encode()
            + text,
        )

    def talk(self, s: Secrets, twilio: list[Any], application: list[Any]) -> None:
        """A socket on which these messages were said."""
        tap = Tap(self.scribe)
        tap.heard(
            "twilio",
            f"GET /{s['path']}/ HTTP/1.1\r\nHost: {s['host']}\r\n"
            "Upgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Key: {s['token']}\r\nSec-WebSocket-Protocol: {s['token']}\r\n"
            f"X-Twilio-Signature: {s['token']}\r\n\r\n".encode(),
        )
        tap.heard(
            "application", b"HTTP/1.1 101 OK\r\nSec-WebSocket-Accept: " + s["token"].encode() + b"\r\n\r\n"
        )
        for said in twilio:
            tap.heard("twilio", masked(TEXT, json.dumps(said).encode(), 7))
        for said in application:
            text = json.dumps(said).encode()
            size = bytes([126]) + len(text).to_bytes(2, "big") if len(text) > 125 else bytes([len(text)])
            tap.heard("application", b"\x81" + size + text)

    def rest(self, path: str, fields: list[tuple[str, str]], answer: Any, s: Secrets) -> None:
        """A REST request and its answer."""
        headers = [
            ("Authorization", f"Basic {s['token']}"),
            ("Content-Type", "application/x-www-form-urlencoded"),
            ("User-Agent", f"{s['token']}/1.0"),
        ]
        body = urlencode(fields).encode()
        asked = Whole(Head(("POST", path, "HTTP/1.1"), headers), body, len(body))
        text = json.dumps(answer).encode()
        head = Head(("HTTP/1.1", "201", ""), [("Content-Type", "application/json")])
        self.scribe.request(1, "rest", asked, 1.0)
        self.scribe.answer(1, "rest", Whole(head, text, len(text)), 2.0)

    @property
    def file(self) -> str:
        return b"".join(self.store.lines).decode()


def twiml(s: Secrets) -> str:
    """A document that holds every secret in the places where applications put them."""
    host, number, name = s["host"], s["number"], quoteattr(s["name"])
    return f"""<Response><!-- {s["token"]} -->
        <Start><Stream name={name} url="wss://{host}/{s["path"]}/?t={s["token"]}"
            statusCallback="/{s["path"]}?who={number}">
            <Parameter name="session" value="{s["token"]}"/></Stream></Start>
        <Say voice="Polly.Joanna">{s["said"]}</Say><Play digits="{s["pressed"]}"/>
        <Play>https://user:{s["token"]}@{host}/{s["path"]}.wav</Play><Custom{s["pressed"]}/>
        <Dial callerId="{number}" action="/{s["path"]}/{s["sid"]}"><Number>{number}</Number>
            <Client><Identity>{s["path"]}</Identity></Client><Sip>sip:{s["path"]}@{host}</Sip></Dial>
        <Say voice="{s["word"]}" language="{s["word"]}" loop="{s["small"]}">x</Say><{s["word"]}/>
        <Dial ringTone="Mr {s["word"]}" record="{s["word"]}" timeout="{s["small"]}" timeLimit="{s["small"]}">
            <Number {s["word"]}="a" statusCallbackEvent="answered {s["word"]}">{s["small"]}</Number></Dial>
        <Gather finishOnKey="{s["pressed"]}" input="{s["word"]}" hints="{s["word"]}"/>
        <Gather numDigits="{s["small"]}"/>
        <Play>https://{s["word"]}-bank.sip.us1.twilio.com/{s["small"]}</Play>
        <Play>{s["word"]}://api.twilio.com/</Play>
        <Play>https://{s["word"]}.twilio.com/?Page={s["small"]}</Play>
        <Reject reason="{s["word"]} called"/><Enqueue {s["word"]}="{s["small"]}" method="{s["word"]}"/>
        <Redirect>https://{host}/{s["path"]}?a={s["word"]}&amp;b={s["token"]}#{s["token"]}</Redirect></Response>"""


def everything(s: Secrets) -> str:
    """The file of a call in which every secret is said in every place."""
    room = Room()
    fields = [
        ("CallSid", s["sid"]),
        ("AccountSid", s["account"]),
        ("StreamSid", s["stream"]),
        ("From", s["number"]),
        ("Caller", s["other_number"]),
        ("To", f"client:{s['path']}"),
        ("Called", f"sip:{s['path']}@{s['host']}"),
        ("CallerName", s["name"]),
        ("FromCity", s["city"]),
        ("FromZip", s["other_number"]),
        ("StreamName", s["name"]),
        ("Digits", s["pressed"]),
        ("SpeechResult", s["said"]),
        ("UnstableSpeechResult", s["said"]),
        ("TranscriptionData", json.dumps({"transcript": s["said"], s["token"]: s["name"]})),
        ("RecordingUrl", f"https://api.twilio.com/2010-04-01/Accounts/{s['account']}/Recordings/{s['sid']}"),
        ("ErrorUrl", f"https://{s['host']}/{s['path']}?token={s['token']}"),
        ("CallToken", s["token"]),
        ("StreamError", f"at {s['host']}"),
        ("CallStatus", s["number"]),
        ("SequenceNumber", s["other_number"] + "00"),
        (s["name"], s["name"]),
        (s["word"], s["word"]),
        (f"Customer{s['word']}", s["small"]),
        *((name, s["word"]) for name in sorted(FIELDS - {"CallSid"})),
        *((name, s["small"]) for name in sorted(FIELDS - {"CallSid"})),
        ("StatusCallbackEvent", f"answered {s['word']}"),
        ("StreamError", f"Stream - {s['word']} Error"),
        ("StirVerstat", f"TN-Validation-{s['word']}"),
        ("TranscriptionData", json.dumps({"code": int(s["small"]), s["word"]: {"status": int(s["small"])}})),
        (s["token"], s["token"]),
        ("MyParameter", s["said"]),
    ]
    query = f"token={s['token']}&{quote(s['name'])}={quote(s['city'])}"
    room.post(f"/{s['path']}/{s['sid']}/{quote(s['number'])}?{query}", fields, twiml(s), s)
    room.post("/x", [("Broken", "1")], f"<Response>{s['said']}", s)
    room.post("/x", [("Broken", "1")], json.dumps({"name": s["name"]}), s)
    talked(room, s)
    asked(room, s)
    return room.file


def talked(room: Room, s: Secrets) -> None:
    own = {"streamSid": s["stream"]}
    start = {
        "accountSid": s["account"],
        "callSid": s["sid"],
        "tracks": ["inbound", s["name"]],
        "customParameters": {s["name"]: s["token"], "who": s["number"], "true": "true"},
    }
    media = {"track": s["name"], "chunk": s["number"], "timestamp": s["number"], "payload": s["sound"]}
    twilio = [
        {"event": "start", **own, "start": start, s["token"]: s["name"]},
        {"event": "media", **own, "media": media},
        {"event": "media", **own, "media": {"payload": "not base64: " + s["said"]}},
        {"event": "dtmf", **own, "dtmf": {"digit": s["pressed"]}},
        {"event": "mark", **own, "mark": {"name": s["name"]}},
        {"event": s["number"], **own, "media": [s["sound"]]},
        {"event": "mark", "mark": s["said"]},
        {"event": s["word"], "protocol": s["word"], "version": s["small"], s["word"]: s["word"]},
        *(
            {"event": "start", "start": {key: s["word"], "tracks": [s["word"]]}}
            for key in sorted(SOCKET_KEYS)
        ),
        {"event": "start", "start": {"mediaFormat": {"encoding": s["word"], "sampleRate": int(s["small"])}}},
        {
            "event": "mark",
            "mark": {"timestamp": int(s["small"]), "chunk": s["small"]},
            "code": int(s["small"]),
        },
        {
            "event": "start",
            "start": {"customParameters": {"sequenceNumber": s["small"], "code": int(s["small"])}},
        },
        [s["said"]],
    ]
    planted = (s["word"], s["small"], int(s["small"]))
    application = [
        {"event": "media", **own, "media": {"payload": s["sound"], "text": s["said"]}},
        {"event": "mark", **own, "mark": {"name": s["name"]}},
        {"event": s["word"], "status": s["word"], "source": s["word"], "code": int(s["small"])},
        *(dict.fromkeys(some, secret) for some in PORTIONS for secret in planted),
        {"media": {"timestamp": s["small"], "chunk": int(s["small"])}, "sequenceNumber": s["small"]},
        {"type": "session", "api_key": s["token"], "user": {s["name"]: {"city": s["city"]}}},
        s["said"],
    ]
    room.talk(s, twilio, application)


def asked(room: Room, s: Secrets) -> None:
    base = f"/2010-04-01/Accounts/{s['account']}"
    fields = [
        ("To", s["number"]),
        ("From", s["other_number"]),
        ("Url", f"https://{s['host']}/{s['path']}?t={s['token']}"),
        ("Twiml", twiml(s)),
        ("SendDigits", s["pressed"]),
        ("Name", s["name"]),
        ("Parameter1.Name", s["name"]),
        ("Parameter1.Value", s["token"]),
        ("StatusCallbackEvent", s["said"]),
        ("Status", s["number"]),
        *((name, s["word"]) for name in sorted(FIELDS)),
        *((name, s["small"]) for name in sorted(FIELDS)),
        (s["word"], s["small"]),
    ]
    planted = (s["word"], s["small"], int(s["small"]))
    answer = {
        "sid": s["sid"],
        "to": s["number"],
        "to_formatted": f"({s['other_number'][:3]}) {s['other_number'][3:]}",
        "caller_name": s["name"],
        "message": f"{s['number']} is not {s['name']}",
        "uri": f"{base}/Calls/{s['sid']}.json",
        "voice_url": f"https://{s['host']}/{s['path']}",
        "price": "-0.0" + s["other_number"],
        "code": int(s["other_number"]) * 10**3,
        s["word"]: s["word"],
        "calls": [dict.fromkeys(some, secret) for some in PORTIONS for secret in planted],
        "nested": [{"auth_token": s["token"], "friendly_name": s["city"]}],
    }
    room.rest(
        f"{base}/Calls/{s['sid']}/Streams/{quote(s['name'])}.json?PhoneNumber={s['number']}",
        fields,
        answer,
        s,
    )


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(SECRETS)
def test_no_secret_survives_in_a_file(secrets: Secrets) -> None:
    file = everything(secrets)
    assert len(file.splitlines()) == LINES
    decoded = json.dumps([json.loads(line) for line in file.splitlines()], ensure_ascii=False)
    for what, secret in secrets.items():
        bare = secret.removeprefix("Mr ").removeprefix("my pin is ").removeprefix("+")
        for text in (secret, bare, quote(bare), bare.lower()):
            assert text not in file, what
            assert text not in decoded, what


def test_every_line_of_such_a_call_is_there() -> None:
    file = everything(
        {
            "number": "+31612345678",
            "other_number": "4158675310",
            "name": "Mr Jansen",
            "city": "AMSTERDAM",
            "sid": "CA" + "0123456789abcdef" * 2,
            "account": "AC" + "1123456789abcdef" * 2,
            "stream": "MZ" + "2123456789abcdef" * 2,
            "word": "ZqCustomerJohnSmith",
            "small": "87654321",
            "token": "3123456789abcdef" * 2,
            "host": "cc.example.org",
            "path": "hooks77",
            "said": "my pin is secret",
            "pressed": "123456",
            "sound": base64.b64encode(b"some sound of a person").decode(),
        }
    )
    kinds = [json.loads(line)["kind"] for line in file.splitlines()]
    assert kinds.count("request") == 4
    assert kinds.count("answer") == 4
    assert kinds.count("message") == MESSAGES
    assert len(kinds) == LINES


async def test_no_secret_of_a_real_call_survives(stage: Stage, product: Product) -> None:
    sid = await whole_call(stage, product)
    file = b"".join(await stage.film()).decode()
    streams = [stream["stream_sid"] for stream in (await stage.call(sid))["streams"]]
    assert len(streams) == 3
    sound = product.sockets[0].of("media")[5]["media"]["payload"]
    hosts = ("127.0.0.1", "localhost")
    private = [sid, *streams, ACCOUNT_SID, ALICE, OFFICE, "+31209876543", TOKEN, sound, *hosts]
    private += ["Alice", "Jansen", "q8-alice", "second tap", "greeting", "twilio/voice", "Hello", "Eleanor"]
    assert [secret for secret in private if secret in file] == []


def test_a_line_that_would_betray_something_is_held_back() -> None:
    room = Room()
    room.places.keep_out("hunter2-hunter2")
    room.tape.trouble("the password is hunter2-hunter2")
    room.tape.trouble("another thing")
    room.tape.end("enough")
    assert "hunter2" not in room.file
    assert json.loads(room.store.lines[-1]) == {"kind": "end", "at": 0.0, "why": "enough", "lost": 1}


@pytest.mark.parametrize(
    "left",
    [
        {"json": {"JohnSmith": 0}},
        {"json": {"event": "JohnSmith"}},
        {"json": {"code": 12345678, "mark": {"pin": 4815}}},
        {"json": {"mark": [{"name": "1234"}]}},
        {"twiml": "<Response><Say voice='JohnSmith'>x</Say></Response>"},
        {"twiml": "<Response><JohnSmith /></Response>"},
        {"twiml": "<Response><Dial>31612345678</Dial></Response>"},
        {"twiml": "<Response><Play>https://acme-bank.sip.twilio.com/</Play></Response>"},
        {"twiml": "<Response><Play>https://api.twilio.com/%4AohnSmith</Play></Response>"},
        {"headers": [("X-John-Smith", None)]},
        {"headers": [("Content-Type", "x/johnsmith")]},
        {"headers": [("Host", "bank.example.org")]},
    ],
)
def test_a_line_with_anything_that_is_not_of_the_closed_lists_is_held_back(left: dict[str, Any]) -> None:
    room = Room()
    room.tape.write(
        entries.Answer(at=1, **{"number": 1, "door": "rest", "status": 200, "headers": [], **left})
    )
    assert len(room.store.lines) == 1
    assert room.tape.lost == 1


def test_an_address_with_two_parameters_is_written_down() -> None:
    room, text = Room(), "<Response><Redirect>/next?a=1&amp;b=2</Redirect></Response>"
    room.post("/x", [("Broken", "1")], text, dict.fromkeys(("host", "token", "word", "small"), "Zq" * 8))
    room.rest("/2010-04-01/Accounts", [("Twiml", text)], {}, {"token": "Zq" * 8})
    assert room.tape.lost == 0
    assert room.file.count("<Redirect>/s2?field2=0&amp;field3=0</Redirect>") == 2


@pytest.mark.parametrize("text", ["/s1?Page=1&amp;JohnSmith=2", "&#74;&#111;&#104;&#110;", "&copy;", "amp"])
def test_an_escape_of_xml_hides_nothing(text: str) -> None:
    left = entries.Answer(
        at=1, number=1, door="webhook", status=200, headers=[], twiml=f"<Play>{text}</Play>"
    )
    assert stray(left)
