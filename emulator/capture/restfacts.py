"""What a capture shows of the REST API: statuses, keys and types of answers, numbers of errors."""

from __future__ import annotations

from collections import defaultdict

from emulator.capture.facts import Facts, joined
from emulator.capture.placeholders import SID
from emulator.capture.reel import Asked, Reel
from emulator.capture.shapes import ENDINGS
from emulator.capture.socketfacts import leaves
from emulator.capture.vocabulary import SEGMENTS

REST = "REST"
STREAMS = "POST /2010-04-01/Accounts/{AC}/Calls/{CA}/Streams.json"
CALL = "POST /2010-04-01/Accounts/{AC}/Calls/{CA}.json"
CALLS = "POST /2010-04-01/Accounts/{AC}/Calls.json"


def add(facts: Facts, reel: Reel) -> None:
    """State them."""
    by_resource: dict[str, list[Asked]] = defaultdict(list)
    for asked in reel.rest:
        by_resource[resource(asked)].append(asked)
    for subject, group in by_resource.items():
        facts.see(REST, subject)
        statuses = joined(str(asked.answer.status) for asked in group if asked.answer)
        facts.state(REST, subject, "the status", statuses)
        _add_bodies(facts, subject, group)


def resource(asked: Asked) -> str:
    """For example POST …/Calls/{CA}/Streams.json."""
    return f"{asked.request.method} {'/'.join(map(_piece, asked.request.path.split('/')))}"


def _piece(segment: str) -> str:
    stem, dot, ending = segment.rpartition(".")
    if dot and ending in ENDINGS:
        return f"{_piece(stem)}.{ending}"
    if SID.fullmatch(segment):
        return f"{{{segment[:2]}}}"
    return segment if not segment or segment in SEGMENTS else "{name}"


def _add_bodies(facts: Facts, subject: str, group: list[Asked]) -> None:
    types: dict[tuple[str, str], set[str]] = defaultdict(set)
    codes = set()
    for asked in group:
        if asked.answer is None or not isinstance(asked.answer.json, dict):
            continue
        failed = asked.answer.status >= 400
        which = "error body" if failed else "body"
        for path, kind, value in leaves(asked.answer.json):
            types[which, path].add(kind)
            if failed and path == "code":
                codes.add(f"{asked.answer.status}/{value}")
    for (which, path), kinds in types.items():
        part = f"{subject}, {which}"
        facts.state(REST, part, f"the key {path}", "present")
        facts.state(REST, part, f"the type of {path}", joined(kinds - {"null"}), loose=True)
    facts.state(REST, subject, "the numbers of errors", joined(codes), loose=True)


def answered(reel: Reel, wanted: str) -> list[Asked]:
    """The requests to this resource that have an answer."""
    return [asked for asked in reel.rest if asked.answer is not None and resource(asked) == wanted]


def failed(asked: Asked) -> bool:
    """Whether the answer was an error."""
    return asked.answer is not None and asked.answer.status >= 400


def code(asked: Asked) -> str:
    """The answer's status, and Twilio's number where it has one: 400/20001."""
    body = asked.answer.json if asked.answer else None
    status = asked.answer.status if asked.answer else 0
    return f"{status}/{body.get('code')}" if isinstance(body, dict) else str(status)
