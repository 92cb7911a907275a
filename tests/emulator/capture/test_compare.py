"""`compare`: says nothing where two agree, and names exactly what differs."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from emulator.capture import entries
from emulator.capture.placeholders import Placeholders
from emulator.capture.reel import Asked
from emulator.capture.restfacts import resource
from emulator.capture.shapes import Shapes
from tests.emulator.capture.conftest import Stage, compare, sentences, shelved, staged, whole_call
from tests.emulator.product import Product

Line = dict[str, Any]


@pytest.fixture(scope="module")
def film() -> list[bytes]:
    """The capture of a whole call."""

    async def made() -> list[bytes]:
        product = Product()
        await product.server.start_server()
        try:
            async with staged(product) as stage:
                await whole_call(stage, product)
                return await stage.film()
        finally:
            await product.server.close()

    return asyncio.run(made())


async def test_the_emulator_agrees_with_itself(film: list[bytes], tmp_path: Path, capsys) -> None:
    assert await compare(shelved(tmp_path / "a.jsonl", film)) == 0
    said = capsys.readouterr().out
    assert said.startswith("Twilio and the emulator agree.\n")
    assert "- chunk-numbering: per track" in said
    assert "- create-status: 201" in said
    assert "- connect-action: StreamSid" in said


async def test_a_file_agrees_with_itself(film: list[bytes], tmp_path: Path, capsys) -> None:
    files = shelved(tmp_path / "a.jsonl", film), shelved(tmp_path / "b.jsonl", film)
    assert await compare(*files) == 0
    assert "agree" in capsys.readouterr().out


# A Twilio that behaves in another way: the emulator's own switches


async def short_call(stage: Stage, product: Product, faults: dict[str, Any]) -> list[bytes]:
    """Three seconds with one tap, after the switches were set."""
    await stage.post("/emulator/faults/", faults)
    product.answers["/twilio/voice/"] = (
        f"<Response><Start><Stream track='both_tracks' url='{stage.public_socket}/media/tap' "
        f"statusCallback='{stage.public}/streams/'/></Start><Pause length='3'/></Response>"
    )
    await stage.place()
    await stage.advance(4)
    return await stage.film()


SIGNED = "what the signature covers"
WEB, SOCKET = "the http(s) address as given", "the ws(s) address as given"
WRONG = "no form of the address that was tried"
BEHAVIOURS: dict[str, tuple[dict[str, Any], list[str]]] = {
    "none": ({}, []),
    "shared chunks": (
        {"shared_chunks": True},
        ["media sockets: chunks of both tracks are counted: together (Twilio), per track (the emulator)"],
    ),
    "a slash": (
        {"slash_signature": True},
        [f"handshakes: {SIGNED}: the ws(s) address with a / added (Twilio), {SOCKET} (the emulator)"],
    ),
    "wrong signatures": (
        {"wrong_signature": True},
        [
            f"webhooks: {SIGNED}: {WRONG} (Twilio), {WEB} (the emulator)",
            f"handshakes: {SIGNED}: {WRONG} (Twilio), {SOCKET} (the emulator)",
        ],
    ),
    "no signatures": (
        {"unsigned": True},
        [
            f"webhooks: {SIGNED}: nothing: there is none (Twilio), {WEB} (the emulator)",
            f"handshakes: {SIGNED}: nothing: there is none (Twilio), {SOCKET} (the emulator)",
            "handshakes: only the emulator has the header x-twilio-signature",
            *(
                f"{kind}: only the emulator has the header x-twilio-signature"
                for kind in (
                    "voice request inbound ringing",
                    "stream callback stream-started",
                    "stream callback stream-stopped",
                    "call status completed",
                )
            ),
        ],
    ),
    "no callbacks": (  # that its number has a status callback nobody can know then
        {"drop_status_callbacks": True},
        [
            "only the emulator has: stream callback stream-started",
            "only the emulator has: stream callback stream-stopped",
        ],
    ),
    "double callbacks": (
        {"duplicate_webhooks": True},
        [
            "stream 1: the order of requests: stream callback stream-started, stream callback "
            "stream-started, stream callback stream-stopped, stream callback stream-stopped (Twilio), "
            "stream callback stream-started, stream callback stream-stopped (the emulator)",
            "call 1: the order of requests: voice request inbound ringing, call status completed, "
            "call status completed (Twilio), voice request inbound ringing, call status completed "
            "(the emulator)",
        ],
    ),
    "missing frames": (
        {"lose_every": 10},
        ["media sockets: frames left out: yes (Twilio), no (the emulator)"],
    ),
    "late frames": (
        {"burst_ms": 900},
        ["media sockets: ms between arrivals, mostly: 0 (Twilio), 20 (the emulator)"],
    ),
}


@pytest.mark.parametrize("which", BEHAVIOURS)
async def test_another_behaviour_is_named(
    stage: Stage, product: Product, tmp_path: Path, capsys, which: str
) -> None:
    faults, expected = BEHAVIOURS[which]
    code = await compare(shelved(tmp_path / "a.jsonl", await short_call(stage, product, faults)))
    assert sorted(sentences(capsys.readouterr().out)) == sorted(expected)
    assert code == (1 if expected else 0)


# A Twilio that nobody has seen: the file is changed


def altered(film: list[bytes], change: Callable[[Line], Line | None]) -> list[bytes]:
    """The file with each line changed, or left out where `change` gives None."""
    new = [change(json.loads(line)) for line in film]
    return [json.dumps(line).encode() + b"\n" for line in new if line is not None]


def of(kind: str, change: Callable[[Line], Any], **wanted: Any) -> Callable[[Line], Line | None]:
    """A change of the lines of one kind with these values."""

    def do(line: Line) -> Line | None:
        if line["kind"] == kind and wanted.items() <= line.items():
            return line if change(line) is None else None
        return line

    return do


def is_voice(line: Line) -> bool:
    return ["CallStatus", "text", "ringing"] in line.get("form", []) and line["path"] == "/s1/s2/"


def header(line: Line, name: str, value: str | None) -> None:
    """Change a header's value, or take it away with None."""
    line["headers"] = [
        [key, value if key == name else old] for key, old in line["headers"] if key != name or value
    ]


def field(line: Line, name: str, new: list[str] | None) -> None:
    """Put another field in the place of one, or take it away with None."""
    if is_voice(line):
        line["form"] = [new if one[0] == name else one for one in line["form"] if one[0] != name or new]


def inside(line: Line, event: str, change: Callable[[Line], Any]) -> None:
    if line["sender"] == "twilio" and line["json"].get("event") == event:
        change(line["json"])


VOICE = "voice request inbound ringing"
ALTERATIONS: dict[str, tuple[Callable[[Line], Line | None], list[str]]] = {
    "another header value": (
        of("handshake", lambda line: header(line, "User-Agent", "Twilio.TmeWs/2.0")),
        ["handshakes: the header user-agent: Twilio.TmeWs/2.0 (A), Twilio.TmeWs/1.0 (B)"],
    ),
    "a header less": (
        of("handshake", lambda line: header(line, "Upgrade", None)),
        ["handshakes: only B has the header upgrade"],
    ),
    "a header more": (
        of("handshake", lambda line: line["headers"].append(["Origin", None])),
        ["handshakes: only A has the header origin"],
    ),
    "a header in another place": (
        of("handshake", lambda line: line["headers"].insert(0, line["headers"].pop(1))),
        [
            "handshakes: the order of headers: user-agent, host, connection, upgrade, sec-websocket-version, "
            "sec-websocket-key, x-twilio-signature (A), host, user-agent, connection, upgrade, "
            "sec-websocket-version, sec-websocket-key, x-twilio-signature (B)"
        ],
    ),
    "a field less": (
        of("request", lambda line: field(line, "ToZip", None)),
        [f"{VOICE}: only B has the field ToZip"],
    ),
    "a field more": (
        of(
            "request",
            lambda line: line["form"].append(["StirVerstat", "text", "x"]) if is_voice(line) else None,
        ),
        [f"{VOICE}: only A has the field StirVerstat"],
    ),
    "a field of another type": (
        of("request", lambda line: field(line, "AccountSid", ["AccountSid", "whole number", "00"])),
        [f"{VOICE}: the type of AccountSid: whole number (A), SID (B)"],
    ),
    "an empty field": (
        of("request", lambda line: field(line, "FromCountry", ["FromCountry", "empty", ""])),
        [],
    ),
    "a key less": (
        of("message", lambda line: inside(line, "stop", lambda json: json.pop("streamSid"))),
        ["message stop: only B has the key streamSid"],
    ),
    "a number that was a string": (
        of("message", lambda line: inside(line, "mark", lambda json: json.update(sequenceNumber=5))),
        [
            "media sockets: sequenceNumber: from 1, by ones or from 1, not by ones (A), from 1, by ones (B)",
            "message mark: the type of sequenceNumber: number (A), string (whole number) (B)",
        ],
    ),
    "no connected": (
        of(
            "message",
            lambda line: True if line["json"].get("event") == "connected" else None,
            sender="twilio",
        ),
        [
            "media sockets: the first two messages: start, media (A), connected, start (B)",
            "only B has: message connected",
        ],
    ),
    "another close code": (
        of("close", lambda line: line.update(code=1001), sender="twilio", socket=2),
        ["media sockets: Twilio's close after stop: 1000 or 1001 (A), 1000 (B)"],
    ),
    "larger frames": (
        of(
            "message",
            lambda line: inside(
                line, "media", lambda json: json["media"].update(payload="320 bytes of sound")
            ),
        ),
        ["media sockets: bytes of sound per frame: 320 (A), 160 (B)"],
    ),
    "a first timestamp far away": (
        of(
            "message",
            lambda line: inside(
                line,
                "media",
                lambda json: json["media"].update(timestamp=str(int(json["media"]["timestamp"]) + 5000)),
            ),
        ),
        [
            "media sockets: the first timestamp: more than a second after the start (A), "
            "within a second of the start (B)"
        ],
    ),
    "another date": (
        of(
            "request",
            lambda line: swap(line, "Timestamp", "Fri, 00 Nov 0000 00:00:00 +0000", "stream-started"),
            door="webhook",
        ),
        [
            "stream callback stream-started: the type of Timestamp: RFC 2822 date like Ddd, 00 Mmm 0000 "
            "00:00:00 +0000 (A), ISO 8601 date like 0000-00-00T00:00:00.000Z (B)"
        ],
    ),
    "another REST status": (
        of("answer", lambda line: line.update(status=200), door="rest", status=201),
        ["POST /2010-04-01/Accounts/{AC}/Calls/{CA}/Streams.json: the status: 200 (A), 201 (B)"],
    ),
    "a REST key more": (
        of("answer", lambda line: line["json"].update(region="us1"), door="rest", status=201),
        ["POST /2010-04-01/Accounts/{AC}/Calls/{CA}/Streams.json, body: only A has the key region"],
    ),
    "a callback never sent": (
        of(
            "request",
            lambda line: True if ["StreamEvent", "text", "stream-stopped"] in line["form"] else None,
            door="webhook",
        ),
        ["only B has: stream callback stream-stopped"],
    ),
}


def swap(line: Line, name: str, value: str, event: str) -> None:
    if ["StreamEvent", "text", event] in line["form"]:
        kind = "RFC 2822 date"
        line["form"] = [[name, kind, value] if one[0] == name else one for one in line["form"]]


@pytest.mark.parametrize("which", ALTERATIONS)
async def test_one_change_is_named_and_nothing_else(
    film: list[bytes], tmp_path: Path, capsys, monkeypatch, which: str
) -> None:
    monkeypatch.chdir(tmp_path)
    change, expected = ALTERATIONS[which]
    shelved(tmp_path / "A", altered(film, change))
    shelved(tmp_path / "B", film)
    assert await compare(Path("A"), Path("B")) == (1 if expected else 0)
    assert sorted(sentences(capsys.readouterr().out)) == sorted(expected)


async def test_callbacks_in_another_order_are_named(film: list[bytes], tmp_path: Path, capsys) -> None:
    legs = [n for n, line in enumerate(film) if b'"ParentCallSid"' in line and b"CallbackSource" in line]
    turned = list(film)
    turned[legs[0]], turned[legs[1]] = film[legs[1]], film[legs[0]]
    files = shelved(tmp_path / "A", turned), shelved(tmp_path / "B", film)
    assert await compare(*files) == 1
    found = sentences(capsys.readouterr().out)
    assert len(found) == 1
    assert found[0].startswith("call 2: the order of requests: call status ringing of a dialled leg, ")


async def test_what_a_tunnel_adds_and_rewrites_does_not_count(
    film: list[bytes], tmp_path: Path, capsys
) -> None:
    def tunnelled(line: Line) -> Line:
        if line["kind"] in {"request", "handshake"} and line.get("door") != "rest":
            line["headers"] = [[name.lower(), value] for name, value in sorted(line["headers"])]
            line["headers"] += [["x-forwarded-for", None], ["x-forwarded-proto", None]]
        return line

    assert await compare(shelved(tmp_path / "a", altered(film, tunnelled))) == 0
    assert "A tunnel stood before a recorder" in capsys.readouterr().out


@pytest.mark.parametrize("ending", ["json", "xml", "wav", "mp3"])
def test_a_resource_is_named_with_every_ending_that_a_capture_keeps(ending: str) -> None:
    path = Shapes(Placeholders()).path(f"/2010-04-01/Accounts/AC{'a' * 32}/Calls.{ending}")
    request = entries.Request(at=0, number=1, door="rest", method="GET", path=path, headers=[])
    assert resource(Asked(request)) == f"GET /2010-04-01/Accounts/{{AC}}/Calls.{ending}"
