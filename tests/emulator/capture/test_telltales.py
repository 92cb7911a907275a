"""The last look for private things: what it holds back, and that no stranger can make it hold back a call."""

import json
from typing import Any
from urllib.parse import quote

import pytest

from emulator.capture import entries
from emulator.capture.hypertext import Head, Whole
from emulator.capture.placeholders import MOST, Placeholders
from emulator.capture.tape import Memory
from tests.emulator.capture.test_mask import Room

SID = "CA" + "0123456789abcdef" * 2
FORM = [("Content-Type", "application/x-www-form-urlencoded")]


def webhook(room: Room, fields: dict[str, str], *headers: tuple[str, str], path: str = "/voice/") -> None:
    """A stranger's, or Twilio's: nobody can tell."""
    body = "&".join(f"{name}={quote(value)}" for name, value in fields.items()).encode()
    head = Head(("POST", path, "HTTP/1.1"), [*FORM, *headers])
    room.scribe.request(1, "webhook", Whole(head, body, len(body)), 1.0)


def call(room: Room) -> list[Any]:
    """What is written of a request of the call that is recorded."""
    store = room.store
    before = len(store.lines)
    webhook(room, {"CallSid": SID, "From": "+31612345678", "To": "+3197010281", "CallStatus": "completed"})
    return [json.loads(line)["form"] for line in store.lines[before:]]


@pytest.mark.parametrize("header", ["Cookie", "Authorization", "Set-Cookie", "X-Twilio-Signature"])
@pytest.mark.parametrize("value", ['"kind":', "Basic request", "CallSid", "completed", "webhook"])
def test_no_header_of_a_stranger_holds_back_the_call(header: str, value: str) -> None:
    room = Room()
    webhook(room, {}, (header, value))
    assert call(room)


@pytest.mark.parametrize(
    "fields",
    [
        {"ErrorUrl": "https://twilio.com/docs"},
        {"ErrorUrl": "https://api.twilio.co/"},
        {"From": "+99900000001"},
        {"From": "+99900"},
        {"From": "+00000"},
        {"CallSid": f"CA{1:032d}"},
        {"CallSid": f"CA{2:032d}"},
        {"CallSid": f"CA{0:032d}"},
        {"I-Twilio-Idempotency-Token": "webhook"},
    ],
)
def test_no_value_of_a_stranger_holds_back_the_call(fields: dict[str, str]) -> None:
    room = Room()
    webhook(room, fields, ("I-Twilio-Idempotency-Token", '"kind":'), ("Host", "host1.invalid"))
    first = len(room.store.lines)
    assert call(room)
    webhook(room, {"ErrorUrl": "https://www.twilio.com/docs/errors/11200"}, ("Date", "+0000"))
    assert len(room.store.lines) == first + 2
    assert room.tape.lost == 0


@pytest.mark.parametrize(
    "left",
    [
        SID,
        f"x{SID}x",
        f"{SID}00",
        "AA" + SID,
        quote("/" + SID, safe=""),
        "+31612345678",
        "+31612345678123456",
        "a+31612345678b",
        "+9990000000",
        "+999000000012",
        "192.0.2.77",
        "x192.0.2.77:80",
    ],
)
def test_numbers_sids_and_addresses_are_held_back_wherever_they_are_left(left: str) -> None:
    places = Placeholders()
    line = entries.write(entries.Trouble(at=1234.5, text=f"left: {left}"))
    assert places.betrayed(line.decode())


@pytest.mark.parametrize(
    "kept",
    [
        "+99900000001",
        "+99900000001+99900004999",
        f"CA{1:032d}",
        quote(f"/CA{1:032d}/+99900000001", safe=""),
        "Fri, 00 Nov 0000 00:00:00 +0000",
        "+00000000000",
        "000.0.0.00",
        "Twilio.TmeWs/1.0.12",
        "1.0.0",
        "host1.invalid:8443",
        "x" * 40,
    ],
)
def test_placeholders_and_masks_betray_nothing(kept: str) -> None:
    assert not Placeholders().betrayed(kept)


def test_the_last_look_is_as_sharp_after_many_strangers() -> None:
    room = Room()
    for number in range(MOST + 10):
        room.places.number(f"+3161{number:07d}")
    room.tape.trouble(f"left: +3161{MOST + 5:07d}")
    assert len(room.store.lines) == 1
    assert call(room)


def test_what_is_known_to_be_secret_from_the_start_is_held_back_in_any_form() -> None:
    room = Room()
    room.places.keep_out("hunter2-hunter2")
    for text in ("xhunter2-hunter2x", "hunter2"):
        room.tape.trouble(text)
    assert isinstance(room.store, Memory)
    assert [json.loads(line).get("text") for line in room.store.lines[1:]] == ["hunter2"]


def test_an_ending_that_would_betray_something_says_so_without_it() -> None:
    room = Room()
    room.places.keep_out("hunter2-hunter2")
    room.tape.end("the API answered hunter2-hunter2")
    assert json.loads(room.store.lines[-1]) == {"kind": "end", "at": 0.0, "why": "withheld", "lost": 1}
    room.tape.end("again")
    assert len(room.store.lines) == 2
