"""The open questions: kept in one place, told in the guide, answered by captures."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from emulator.capture import entries
from emulator.capture.command import main
from emulator.capture.difference import facts_of
from emulator.capture.evidence import EVIDENCE
from emulator.capture.questions import questions, settled, table
from emulator.capture.reel import read
from emulator.capture.tap import Tap
from tests.emulator.capture.test_mask import Room
from tests.emulator.capture.test_reel import OPENING, SID

GUIDE = (Path(__file__).parents[3] / "docs" / "emulator.md").read_text(encoding="utf-8")
ENDED = b'{"kind":"end","at":99999,"why":"the call is over"}\n'


def test_the_guide_tells_them_as_they_are() -> None:
    told = re.search(r"<!-- questions -->\n(.*?)\n<!-- end of questions -->", GUIDE, re.S)
    assert told is not None
    assert told[1].strip() == table()


def test_the_command_prints_them(capsys) -> None:
    assert main(["questions"]) == 0
    assert capsys.readouterr().out == table() + "\n"


def test_each_is_settled_by_a_capture_or_says_that_it_is_not() -> None:
    ids = [one.id for one in questions()]
    assert len(ids) == len(set(ids))
    assert set(EVIDENCE) <= set(ids)
    without = {one.id for one in questions() if one.settle.startswith("Not by one call")}
    assert without == set(ids) - set(EVIDENCE)


def test_none_breaks_the_table() -> None:
    for one in questions():
        assert all(text and "|" not in text and "\n" not in text for text in vars(one).values())


# Answers


def film(*lines: dict[str, Any]) -> list[bytes]:
    return [OPENING, *(json.dumps(line).encode() + b"\n" for line in lines), ENDED]


def asked(number: int, path: str = "/s1", **form: str) -> dict[str, Any]:
    fields = [[name, "text", value] for name, value in {"CallSid": SID["CA"], **form}.items()]
    return {
        "kind": "request",
        "at": 0,
        "number": number,
        "door": "webhook",
        "method": "POST",
        "path": path,
        "headers": [],
        "form": fields,
    }


def twiml(number: int, text: str) -> dict[str, Any]:
    return {
        "kind": "answer",
        "at": 0,
        "number": number,
        "door": "webhook",
        "status": 200,
        "headers": [],
        "twiml": f"<Response>{text}</Response>",
    }


def rest(number: int, path: str, status: int, code: int = 0) -> list[dict[str, Any]]:
    base = f"/2010-04-01/Accounts/{SID['AC']}/Calls"
    common = {"at": 50, "number": number, "door": "rest", "headers": []}
    return [
        {"kind": "request", "method": "POST", "path": base + path, **common},
        {"kind": "answer", "status": status, "json": {"code": code} if code else {}, **common},
    ]


def handshake(socket: int, path: str = "/s3", **more: Any) -> dict[str, Any]:
    return {
        "kind": "handshake",
        "at": 0,
        "socket": socket,
        "path": path,
        "headers": [],
        "status": 101,
        "answered": 0,
        **more,
    }


def said(
    socket: int, sender: str = "twilio", at: float = 1, form: str = "text", **body: Any
) -> dict[str, Any]:
    return {
        "kind": "message",
        "at": at,
        "socket": socket,
        "sender": sender,
        "form": form,
        "bytes": 9,
        "json": body or None,
    }


def start(socket: int, tracks: int = 1, number: int = 1) -> dict[str, Any]:
    stream = f"MZ{number:032d}"
    body = {"streamSid": stream, "callSid": SID["CA"], "tracks": ["inbound", "outbound"][:tracks]}
    return said(socket, event="start", sequenceNumber="1", streamSid=stream, start=body)


def media(socket: int, track: str, chunk: int, stamp: int = 0, at: float = 300) -> dict[str, Any]:
    return said(
        socket, at=at, event="media", media={"track": track, "chunk": str(chunk), "timestamp": str(stamp)}
    )


def close(socket: int, sender: str, code: int) -> dict[str, Any]:
    return {"kind": "close", "at": 400, "socket": socket, "sender": sender, "code": code}


def gone(socket: int, sender: str) -> dict[str, Any]:
    return {"kind": "gone", "at": 8000, "socket": socket, "sender": sender, "how": "end"}


def valid(**more: str) -> dict[str, str]:
    return {"state": "valid", "scheme": "wss", "port": "none", "slash": "given", "query": "none", **more}


CONNECT = "<Connect action='/s9'><Stream url='wss://host1.invalid/s3'/></Connect>"
STREAM = {"StreamSid": SID["MZ"]}
SHARED_KEY = ["X-Twilio-Webhooks-Signature-Settings", "algorithm=HMAC_SHA256"]
ANSWERS: dict[str, tuple[str, list[dict[str, Any]]]] = {
    "dtmf-letters": ("yes", [handshake(2), said(2, event="dtmf", dtmf={"digit": "A"})]),
    "chunk-numbering": (
        "together",
        [handshake(2), *(media(2, track, n + 1) for n, track in enumerate(["inbound", "outbound"] * 3))],
    ),
    "missing-frame": (
        "no, in the timestamps alone",
        [handshake(2), start(2), *(media(2, "inbound", n + 1, stamp) for n, stamp in enumerate([0, 20, 80]))],
    ),
    "first-media": ("299 to 299 ms", [handshake(2), start(2), media(2, "inbound", 1)]),
    "both-tracks-count": (
        "no: 6 tracks ran at once",
        [line for n in (2, 3, 4) for line in (handshake(n, at=n), start(n, 2, n), said(n, at=90))],
    ),
    "refusals": ("400/21234 or 404/20404", [*rest(2, f"/{SID['CA']}/Streams.json", 400, 21234),
                 *rest(3, f"/{SID['CA']}/Streams/name1.json", 404, 20404)]),
    "connect-timeout": (
        "gave up after 7.0 s",
        [handshake(2, status=0, at=1000, answered=8000), gone(2, "twilio")],
    ),
    "close-code": ("1005", [handshake(2), said(2, event="stop"), close(2, "twilio", 1005)]),
    "server-ping": ("no", [handshake(2), said(2, "application", form="ping")]),
    "server-close": (
        "stream-error",
        [
            asked(1),
            twiml(1, CONNECT),
            handshake(2),
            start(2),
            close(2, "application", 1000),
            asked(3, "/s5", StreamEvent="stream-error", **STREAM),
        ],
    ),
    "connect-action": (
        "StreamReason, StreamSid",
        [asked(1, CallStatus="ringing"), twiml(1, CONNECT), asked(2, "/s9", StreamReason="x", **STREAM)],
    ),
    "reject-status": ("busy", [asked(1), twiml(1, "<Reject/>"), asked(2, CallStatus="busy")]),
    "abandoned-status": (
        "canceled",
        [
            asked(1, CallStatus="ringing", Direction="inbound"),
            twiml(1, "<Pause/>"),
            asked(2, CallStatus="canceled", Direction="inbound"),
        ],
    ),
    "dial-action-hangup": ("yes", [asked(1, DialCallStatus="completed", CallStatus="completed")]),
    "stream-error-fields": (
        "StreamErrorCode",
        [asked(1, "/s5", StreamEvent="stream-error", StreamErrorCode="31920", **STREAM)],
    ),
    "stopped-after-error": (
        "yes",
        [
            asked(1, "/s5", StreamEvent="stream-error", **STREAM),
            asked(2, "/s5", StreamEvent="stream-stopped", **STREAM),
        ],
    ),
    "create-status": ("200", rest(2, f"/{SID['CA']}/Streams.json", 200)),
    "redirect-number": ("400/21220", rest(2, f"/{SID['CA']}.json", 400, 21220)),
    "call-parameters": ("400/21211", rest(2, ".json", 400, 21211)),
    "withheld-number": (
        "restricted",
        [{**asked(1), "form": [["From", "withheld number", "restricted"]]}],
    ),
    "idempotency-token": (
        "on some requests",
        [{**asked(1), "headers": [["i-twilio-idempotency-token", "token1"]]}, asked(2)],
    ),
    "relay-query": (
        "dropped",
        [handshake(2, query=[["A", "text", "x"]], signed=valid(query="dropped"))],
    ),
    "socket-slash": ("yes", [handshake(2, signed=valid(slash="added"))]),
    "socket-port": ("dropped (wss)", [handshake(2, signed=valid(port="dropped"))]),
    "socket-shared-key": ("yes, algorithm=HMAC_SHA256", [handshake(2, headers=[SHARED_KEY])]),
    "partial-fields": (
        "Language, SequenceNumber, UnstableSpeechResult",
        [
            asked(1, CallStatus="ringing"),
            asked(2, CallStatus="ringing", UnstableSpeechResult="x", Language="x", SequenceNumber="0"),
        ],
    ),
}  # fmt: skip


@pytest.mark.parametrize("question", EVIDENCE)
def test_a_capture_settles_it(question: str) -> None:
    answer, lines = ANSWERS[question]
    assert settled(read(film(*lines), "test"))[question] == answer


def test_a_capture_of_nothing_settles_nothing() -> None:
    assert settled(read(film(), "test")) == {}


@pytest.mark.parametrize("question", ["close-code", "stopped-after-error"])
def test_how_a_call_ended_is_not_settled_by_a_file_that_was_cut_off(question: str) -> None:
    _, lines = ANSWERS[question]
    assert question not in settled(read(film(*lines)[:-1], "test"))
    for why in (b"stopped by the user", b"the time was up", b"nothing was said any more"):
        ended = ENDED.replace(b"the call is over", why)
        assert question not in settled(read([*film(*lines)[:-1], ended], "test"))


def frames(*rows: tuple[str, int, int], sequence: list[int] | None = None) -> list[dict[str, Any]]:
    """A socket with media of these tracks, chunks and timestamps."""
    lines = [media(2, track, chunk, stamp) for track, chunk, stamp in rows]
    for line in lines:
        line["json"]["media"]["payload"] = "160 bytes of sound"
    for line, number in zip(lines, sequence or [], strict=False):
        line["json"]["sequenceNumber"] = str(number)
    return [handshake(2), start(2, len({track for track, _, _ in rows})), *lines]


BOTH = ("inbound", "outbound")
TOGETHER = [(BOTH[n % 2], n // 2 * 20) for n in range(12) if n not in (4, 6)]
"""Frames of two tracks, of which the inbound one lacks two."""
MISSING: dict[str, tuple[list[dict[str, Any]], str]] = {
    "timestamps that waver": (frames(*(("inbound", n + 1, t) for n, t in enumerate((0, 20, 41, 60)))), ""),
    "a hole in timestamps alone": (
        frames(*(("inbound", n + 1, t) for n, t in enumerate((0, 20, 60))), sequence=[2, 3, 4]),
        "no, in the timestamps alone",
    ),
    "chunks of both tracks in one row": (
        frames(*((track, n + 1, t) for n, (track, t) in enumerate(TOGETHER))),
        "no, in the timestamps alone",
    ),
    "a hole everywhere": (
        frames(("inbound", 1, 0), ("inbound", 2, 20), ("inbound", 4, 60), sequence=[2, 3, 5]),
        "yes",
    ),
    "a hole in sequence numbers": (
        frames(("inbound", 1, 0), ("inbound", 2, 20), ("inbound", 3, 60), sequence=[2, 3, 5]),
        "in sequence numbers, not in chunks",
    ),
    "a hole in chunks": (
        frames(("inbound", 1, 0), ("inbound", 2, 20), ("inbound", 4, 60), sequence=[2, 3, 4]),
        "in chunks, not in sequence numbers",
    ),
}


@pytest.mark.parametrize("which", MISSING)
def test_a_missing_frame_is_one_that_took_at_least_its_time(which: str) -> None:
    lines, answer = MISSING[which]
    assert settled(read(film(*lines), "test")).get("missing-frame", "") == answer
    left_out = facts_of(read(film(*lines), "test")).table["media sockets", "frames left out"].value
    assert left_out == ("yes" if answer else "no")


def test_lines_that_the_file_lost_are_no_missing_frames() -> None:
    lines, _ = MISSING["a hole everywhere"]
    ended = ENDED.replace(b"}", b',"lost":1}')
    assert "missing-frame" not in settled(read([*film(*lines)[:-1], ended], "test"))


def test_a_pong_of_the_applications_own_is_no_answer_to_its_ping() -> None:
    own = [said(2, "application", form=form) for form in ("ping", "pong")]
    assert settled(read(film(handshake(2), *own), "test"))["server-ping"] == "no"
    answered = [*own, said(2, "twilio", form="pong")]
    assert settled(read(film(handshake(2), *answered), "test"))["server-ping"] == "yes, with pong"


@pytest.mark.parametrize("ends", [[], [gone(2, "application")]])
def test_a_handshake_that_the_application_breaks_off_is_not_given_up(ends: list[dict[str, Any]]) -> None:
    lines = [handshake(2, status=0, at=1000, answered=1150), *ends]
    assert "connect-timeout" not in settled(read(film(*lines), "test"))


@pytest.mark.parametrize("sender", ["twilio", "application"])
def test_who_ended_a_handshake_without_an_answer_is_written_down(sender: entries.Sender) -> None:
    room = Room()
    tap = Tap(room.scribe)
    tap.heard("twilio", b"GET / HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
    others: dict[entries.Sender, entries.Sender] = {"twilio": "application", "application": "twilio"}
    tap.ended(sender, reset=True)
    tap.ended(others[sender], reset=False)
    socket = read(room.store.lines, "test").sockets[0]
    assert [(one.sender, one.how) for one in socket.gone] == [(sender, "reset")]
