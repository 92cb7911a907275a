"""What a capture shows of media sockets: handshake, messages, numbering, frames, order and close."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise
from statistics import median
from typing import Any

from emulator.capture.facts import Facts, joined
from emulator.capture.reel import Reel, Socket, inner
from emulator.capture.shapes import type_of
from emulator.capture.socketmessage import sound_bytes
from emulator.capture.webfacts import add_headers, add_signatures

HANDSHAKES, MESSAGES = "Headers of handshakes", "Messages on sockets"
NUMBERING, FRAMES, CLOSING = "Numbering", "Frames", "Order and close of sockets"
SOCKETS = "media sockets"
CONSTANT = re.compile(r".*\.(encoding|sampleRate|channels|track|tracks\[\])|protocol|version")
NEAR_MS = 1000


def add(facts: Facts, reel: Reel) -> None:
    """State them."""
    if not reel.sockets:
        return
    facts.see(MESSAGES, SOCKETS)
    add_headers(facts, HANDSHAKES, "handshakes", [one.handshake.headers for one in reel.sockets])
    facts.see(HANDSHAKES, "handshakes")
    add_signatures(facts, "handshakes", [one.handshake.signed for one in reel.sockets])
    _add_messages(facts, reel)
    spoken = [one for one in reel.sockets if one.said("twilio")]
    _add_numbering(facts, spoken)
    _add_frames(facts, spoken)
    _add_order(facts, spoken)
    if reel.whole:
        _add_close(facts, spoken)


# messages


def _add_messages(facts: Facts, reel: Reel) -> None:
    keys: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    values: dict[tuple[str, str], set[str]] = defaultdict(set)
    for socket in reel.sockets:
        for message in socket.said("twilio"):
            subject = f"message {message.json.get('event')}"
            for path, kind, value in leaves(message.json):
                keys[subject][path].add(kind)
                if CONSTANT.fullmatch(path):
                    values[subject, path].add(str(value))
    for subject, paths in keys.items():
        facts.see(MESSAGES, subject)
        for path, kinds in paths.items():
            facts.state(MESSAGES, subject, f"the key {path}", "present")
            facts.state(MESSAGES, subject, f"the type of {path}", joined(kinds - {"null"}), loose=True)
    for (subject, path), seen in values.items():
        facts.state(MESSAGES, subject, f"the value of {path}", joined(seen), loose=True)


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, str, Any]]:
    """Every leaf of a JSON value: path, type in words, value. An application's own keys are no leaves."""
    if isinstance(value, dict) and value and not path.endswith("customParameters"):
        for key, inner in value.items():
            yield from leaves(inner, f"{path}.{key}" if path else key)
    elif isinstance(value, list) and value:
        for inner in value:
            yield from leaves(inner, f"{path}[]")
    else:
        yield path, _json_type(value), value


def _json_type(value: Any) -> str:
    if isinstance(value, str):
        kind = type_of(value)
        plain = kind in {"text", "empty", "JSON", "path"} or sound_bytes(value) is not None
        return "string" if plain else f"string ({kind})"
    if value is None or isinstance(value, bool):
        return "null" if value is None else "boolean"
    names = {dict: "object", list: "array", int: "number", float: "number"}
    return names.get(type(value), "number")


# numbering


def _add_numbering(facts: Facts, sockets: list[Socket]) -> None:
    told: dict[str, set[str]] = defaultdict(set)
    for socket in sockets:
        for aspect, value in _numbers(socket).items():
            if value is not None:
                told[aspect].add(value)
    for aspect, seen in told.items():
        facts.state(NUMBERING, SOCKETS, aspect, joined(seen), loose=True)


def _numbers(socket: Socket) -> dict[str, str | None]:
    sequence = [number(message.json.get("sequenceNumber")) for message in socket.said("twilio")]
    media = socket.media()
    first_ms = number(media[0].get("timestamp")) if media else None
    return {
        "sequenceNumber": counted(sequence),
        "the first chunk": str(media[0].get("chunk")) if media else None,
        "chunks of both tracks are counted": chunk_numbering(media),
        "timestamps of both tracks for one instant": _instants(media),
        "the first timestamp": None if first_ms is None else _near(first_ms),
    }


def number(value: Any) -> int | None:
    """A whole number, also as a text."""
    text = str(value)
    return int(text) if text.isdecimal() and len(text) < 16 else None


def counted(numbers: list[int | None]) -> str | None:
    """How a row of numbers counts, in words."""
    row = [n for n in numbers if n is not None]
    if not row:
        return None
    return f"from {row[0]}, by ones" if set(steps_of(row)) <= {1} else f"from {row[0]}, not by ones"


def steps_of(values: Sequence[Any]) -> list[int]:
    """The steps between whole numbers, also written as texts; what is none is left out."""
    row = [n for value in values if (n := number(value)) is not None]
    return [b - a for a, b in pairwise(row)]


def by_track(media: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """The bodies of each track."""
    tracks: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for body in media:
        tracks[str(body.get("track"))].append(body)
    return list(tracks.values())


def left_out(step: int, usual: int) -> bool:
    """Whether a frame is missing where timestamps took this step; they may waver without that."""
    return step >= 2 * usual > 0


def chunk_numbering(media: list[dict[str, Any]]) -> str | None:
    """ "per track" or "together" for two tracks; None when there is one track, or no clear count."""
    tracks = [[number(body.get("chunk")) for body in row] for row in by_track(media)]
    if len(tracks) < 2:
        return None
    if all(counted(row) == "from 1, by ones" for row in tracks):
        return "per track"
    together = counted([number(body.get("chunk")) for body in media])
    return "together" if together == "from 1, by ones" else "in another way"


def _instants(media: list[dict[str, Any]]) -> str | None:
    rows: dict[str, set[int | None]] = defaultdict(set)
    for body in media:
        rows[str(body.get("track"))].add(number(body.get("timestamp")))
    if len(rows) < 2:
        return None
    first, second = list(rows.values())[:2]
    return "the same" if len(first & second) * 2 > min(len(first), len(second)) else "different"


def _near(first_ms: int) -> str:
    return "within a second of the start" if first_ms < NEAR_MS else "more than a second after the start"


# frames


def _add_frames(facts: Facts, sockets: list[Socket]) -> None:
    sizes: Counter[int] = Counter()
    steps: Counter[int] = Counter()
    gaps: list[float] = []
    for socket in sockets:
        for arrived, stamps, sizes_of_track in _tracks(socket):
            sizes.update(sizes_of_track)
            steps.update(b - a for a, b in pairwise(stamps))
            gaps += [b - a for a, b in pairwise(arrived)]
    if not sizes or not steps:
        return
    usual = steps.most_common(1)[0][0]
    facts.state(FRAMES, SOCKETS, "bytes of sound per frame", joined(map(str, sizes)))
    facts.state(FRAMES, SOCKETS, "ms between timestamps of one track", str(usual))
    facts.state(FRAMES, SOCKETS, "frames left out", _yes(any(left_out(step, usual) for step in steps)))
    facts.state(FRAMES, SOCKETS, "frames repeated or out of order", _yes(any(step <= 0 for step in steps)))
    facts.state(FRAMES, SOCKETS, "ms between arrivals, mostly", str(5 * round(median(gaps) / 5)))


def _yes(whether: bool) -> str:
    return "yes" if whether else "no"


def _tracks(socket: Socket) -> Iterator[tuple[list[float], list[int], list[int]]]:
    """Per track: when frames arrived (ms), their timestamps, their sizes in bytes."""
    rows: dict[str, tuple[list[float], list[int], list[int]]] = defaultdict(lambda: ([], [], []))
    for message in socket.said("twilio", "media"):
        body = inner(message.json, "media")
        arrived, stamps, sizes = rows[str(body.get("track"))]
        arrived.append(message.at)
        if (stamp := number(body.get("timestamp"))) is not None:
            stamps.append(stamp)
        if (size := sound_bytes(body.get("payload"))) is not None:
            sizes.append(size)
    yield from rows.values()


# order and close


def _add_order(facts: Facts, sockets: list[Socket]) -> None:
    begins, after = set(), set()
    for socket in sockets:
        events = [str(message.json.get("event")) for message in socket.said("twilio")]
        begins.add(", ".join(events[:2]))
        if "stop" in events:
            after.add("nothing" if events[-1] == "stop" else "more messages")
    facts.state(CLOSING, SOCKETS, "the first two messages", joined(begins))
    facts.state(CLOSING, SOCKETS, "after the message stop follow", joined(after), loose=True)


def _add_close(facts: Facts, sockets: list[Socket]) -> None:
    told: dict[str, set[str]] = defaultdict(set)
    for socket in sockets:
        aspect, value = close_of(socket)
        told[aspect].add(value)
    for aspect, seen in told.items():
        facts.state(CLOSING, SOCKETS, aspect, joined(seen), loose=True)


def close_of(socket: Socket) -> tuple[str, str]:
    """What happened at the end of a socket, and with which code of Twilio's."""
    own = [close.code for close in socket.closes if close.sender == "twilio"]
    code = str(own[0]) if own and own[0] is not None else "no code" if own else "no close frame"
    if socket.closes and socket.closes[0].sender == "application":
        return "Twilio's answer to the application's close", code
    if socket.said("twilio", "stop"):
        return "Twilio's close after stop", code
    reset = any(one.how == "reset" for one in socket.gone)
    return "the end of a socket without stop", f"{code}, connection reset" if reset else code
