"""Whatever arrives has a documented outcome: no exception, and the good frame beside a bad one is kept.

The seed is printed and in the message of a failure; FUZZ_SEED=<seed> repeats a run.
"""

import json
import os
import random
from collections.abc import Callable
from copy import deepcopy
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from streams.ingest import Ingest, Limits, Seen
from streams.protocol import ProtocolError, decode, decode_reply
from streams.session import Session
from tests.streams import wire

MESSAGES = 100_000
REFUSED = {"malformed", "bad_field", "too_large"}
DOCUMENTED = REFUSED | {"Connected", "Start", "Media", "Dtmf", "Mark", "Stop", "Unknown"}
DOCUMENTED_REPLY = REFUSED | {"unknown_event", "PlayMedia", "PlayMark", "Clear"}
GOOD = [
    wire.CONNECTED,
    wire.start(),
    wire.media(2, 61),
    wire.media(3, 61, "outbound", payload=b""),
    wire.dtmf(4),
    wire.mark(5),
    wire.stop(6),
]
REPLIES = [
    '{"event":"media","streamSid":"MZ1","media":{"payload":"/n4="}}',
    '{"event":"mark","streamSid":"MZ1","mark":{"name":"a"}}',
    '{"event":"clear","streamSid":"MZ1"}',
]
VALUES: list[Any] = [
    None,
    True,
    0,
    -1,
    1.5,
    2**31,
    2**63,
    2**64,
    "",
    "1",
    "-1",
    "1e3",
    "9" * 400,
    "\x00",
    "\u202e",
    "\ufeff",
    "+15551230000",
    "anonymous",
    "client:x",
    "sip:a@b;transport=tcp",
    "inbound",
    "outbound",
    "inbound_track",
    "x" * 3000,
    [],
    {},
    [[]],
    {"event": "start"},
    ["inbound", 7],
    "😀",
    "<script>",
    "====",
    "AAA",
    "////",
    wire.OTHER,
]
TOKENS = [
    "[" * 20_000,
    "NaN",
    "-",
    "1" * 5000,
    "\\ud800",
    "\ud800",
    "\x00",
    '"',
    "\\",
    "{",
    "}",
    ",",
    ":",
    '"event":"stop",',
    '"event":5,',
    "\ufeff",
    "\u2028",
    " " * 70_000,
    "é" * 40_000,
    "/**/",
]


def mutate(chance: random.Random, text: str) -> str | bytes:
    """One message made wrong in one to three places, by structure, by text or by byte."""
    way = chance.random()
    if way < 0.5:
        return json.dumps(restructure(chance, json.loads(text)), ensure_ascii=chance.random() < 0.5)
    if way < 0.9:
        return retext(chance, text)
    raw = bytearray(text.encode("utf-8"))
    for _ in range(chance.randint(1, 3)):
        raw[chance.randrange(len(raw))] = chance.randrange(256)
    return bytes(raw)


def restructure(chance: random.Random, message: dict[str, Any]) -> dict[str, Any]:
    for _ in range(chance.randint(1, 3)):
        place = message
        inner = [value for value in message.values() if isinstance(value, dict) and value]
        if inner and chance.random() < 0.6:
            place = chance.choice(inner)
        key = chance.choice(list(place)) if place else "event"
        match chance.randrange(4):
            case 0:
                place.pop(key, None)
            case 1:
                place[str(chance.choice(VALUES))] = deepcopy(chance.choice(VALUES))
            case 2:
                place[key] = deepcopy(chance.choice(VALUES))
            case _:
                place[key] = deepcopy(place.get(chance.choice(list(place)))) if place else None
    return message


def retext(chance: random.Random, text: str) -> str:
    at = chance.randrange(len(text))
    match chance.randrange(4):
        case 0:
            return text[:at]
        case 1:
            return text[:at] + chance.choice(TOKENS) + text[at:]
        case 2:
            return text[:at] + text[at + chance.randint(1, 9) :]
        case _:
            return text[:at] + chr(chance.randrange(0x300)) + text[at + 1 :]


def new_chance() -> tuple[random.Random, int]:
    seed = int(os.environ.get("FUZZ_SEED") or random.SystemRandom().randrange(2**32))
    print(f"FUZZ_SEED={seed}")
    return random.Random(seed), seed


def outcome(read: Callable[[str | bytes], Any], text: str | bytes) -> str:
    """The type of what was read, or the code of the refusal; anything else by its name."""
    try:
        return type(read(text)).__name__
    except ProtocolError as error:
        return error.code if str(error).isprintable() else "unprintable"
    except BaseException as error:
        return repr(error)


def test_100_000_broken_messages_each_have_a_documented_outcome():
    chance, seed = new_chance()
    outcomes: dict[str, int] = {}
    for number in range(MESSAGES):
        text = mutate(chance, GOOD[number % len(GOOD)])
        result = outcome(decode, text)
        assert result in DOCUMENTED, f"FUZZ_SEED={seed} message {number}: {result} from {text[:200]!r}"
        outcomes[result] = outcomes.get(result, 0) + 1
    print(outcomes)
    assert set(outcomes) == DOCUMENTED  # the generator reaches them all


def test_good_frames_between_broken_messages_are_all_kept():
    chance, seed = new_chance()
    ingest = Ingest(Session(), limits=Limits(bad_messages=10**9, per_second=0))
    ingest.feed(wire.start())
    broken = [wire.media(2, 61), wire.dtmf(4), wire.mark(5), '{"event":"weather"}']
    for number in range(5000):
        bad = mutate(chance, broken[number % len(broken)])
        seen = ingest.feed(bad)
        assert isinstance(seen, Seen), f"FUZZ_SEED={seed}"
        if seen is Seen.STOP or ingest.session.state == "stopped":
            ingest = Ingest(Session(), limits=Limits(bad_messages=10**9, per_second=0))
            ingest.feed(wire.start())
        before = ingest.counters.frames
        due = 10_000 + ingest.counters.last_ms
        assert ingest.feed(wire.media(10 + number, due)) is Seen.MEDIA, f"FUZZ_SEED={seed} message {number}"
        assert ingest.counters.frames == before + 1, f"FUZZ_SEED={seed} message {number}: {bad[:200]!r}"


def test_broken_replies_are_refused_by_name():
    chance, seed = new_chance()
    for number in range(10_000):
        text = mutate(chance, REPLIES[number % len(REPLIES)])
        result = outcome(decode_reply, text)
        assert result in DOCUMENTED_REPLY, f"FUZZ_SEED={seed} message {number}: {result} from {text[:200]!r}"


@settings(max_examples=500)
@given(st.one_of(st.text(max_size=300), st.binary(max_size=300)))
def test_any_text_and_any_bytes_have_an_outcome(text: str | bytes):
    assert outcome(decode, text) in DOCUMENTED


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)
EVENTS = ["connected", "start", "media", "dtmf", "mark", "stop", "clear"]


@settings(max_examples=500)
@given(
    st.sampled_from(EVENTS), st.dictionaries(st.sampled_from([*EVENTS, "streamSid", "sequenceNumber"]), JSON)
)
def test_any_json_under_a_known_event_has_an_outcome(event: str, rest: dict[str, Any]):
    text = json.dumps({**rest, "event": event})
    assert outcome(decode, text) in DOCUMENTED


@settings(max_examples=200)
@given(st.lists(st.sampled_from(GOOD), max_size=30), st.booleans())
def test_good_messages_in_any_order_never_raise_and_never_come_back_to_life(texts: list[str], both: bool):
    ingest = Ingest(Session("bidirectional" if both else "unidirectional"))
    stopped = False
    for text in texts:
        seen = ingest.feed(text)
        assert not stopped or seen is Seen.CLOSE
        stopped = stopped or seen is Seen.STOP
