"""What a capture says to the open questions about media sockets; "" where it says nothing."""

from __future__ import annotations

from statistics import median_low
from typing import Any
from urllib.parse import urlsplit

from emulator.capture.facts import told
from emulator.capture.kinds import documents, elements
from emulator.capture.reel import Reel, Socket, inner
from emulator.capture.restfacts import STREAMS, answered, code, failed
from emulator.capture.socketfacts import by_track, chunk_numbering, close_of, left_out, steps_of


def dtmf_letters(reel: Reel) -> str:
    """Whether a key of A to D was told."""
    keys = [inner(m.json, "dtmf").get("digit") for s in reel.sockets for m in s.said("twilio", "dtmf")]
    return "yes" if "A" in keys else ""


def chunks(reel: Reel) -> str:
    """How the chunks of two tracks are counted."""
    return told(way for socket in reel.sockets if (way := chunk_numbering(socket.media())))


def missing_frame(reel: Reel) -> str:
    """Whether numbers count on where a track's timestamps leave something out."""
    if reel.ending is not None and reel.ending.lost:
        return ""  # what the recording lost leaves holes too
    return told(_holes(socket) for socket in reel.sockets if _lacks_frames(socket))


def _lacks_frames(socket: Socket) -> bool:
    rows = (steps_of([body.get("timestamp") for body in row]) for row in by_track(socket.media()))
    return any(left_out(step, median_low(steps)) for steps in rows if steps for step in steps)


def _holes(socket: Socket) -> str:
    media = socket.media()
    rows = [[body.get("chunk") for body in row] for row in by_track(media)]
    whole = all(map(_by_ones, rows)) or _by_ones([body.get("chunk") for body in media])
    sequence = _by_ones([message.json.get("sequenceNumber") for message in socket.said("twilio")])
    if whole and sequence:
        return "no, in the timestamps alone"
    if not whole and not sequence:
        return "yes"
    one, other = ("sequence numbers", "chunks") if whole else ("chunks", "sequence numbers")
    return f"in {one}, not in {other}"


def _by_ones(numbers: list[Any]) -> bool:
    return set(steps_of(numbers)) <= {1}


def first_media(reel: Reel) -> str:
    """Milliseconds between the first message and the first sound."""
    waits = [
        round(socket.said("twilio", "media")[0].at - socket.said("twilio")[0].at)
        for socket in reel.sockets
        if socket.said("twilio", "media")
    ]
    return f"{min(waits)} to {max(waits)} ms" if waits else ""


def both_tracks(reel: Reel) -> str:
    """How many tracks ran when one more was refused, or that more than four ran."""
    open_now = {asked.request.number: _tracks_at(reel, asked.request.at) for asked in answered(reel, STREAMS)}
    most = max((_tracks_at(reel, socket.handshake.answered) for socket in reel.sockets), default=0)
    if most > 4:
        return f"no: {most} tracks ran at once"
    refused = [a for a in answered(reel, STREAMS) if failed(a) and open_now[a.request.number] >= 3]
    return told(f"refused with {open_now[a.request.number]} tracks running: {code(a)}" for a in refused)


def _tracks_at(reel: Reel, at: float) -> int:
    running = [
        socket
        for socket in reel.sockets
        if socket.handshake.answered <= at and (not socket.events or socket.events[-1].at > at)
    ]
    return sum(len(socket.tracks) for socket in running if not _bidirectional(reel, socket))


def connect_timeout(reel: Reel) -> str:
    """After how many seconds Twilio gave up a handshake; one that the application broke off says nothing."""
    unanswered = [socket for socket in reel.sockets if socket.handshake.status == 0]
    given_up = [s.handshake for s in unanswered if s.gone and s.gone[0].sender == "twilio"]
    waits = [handshake.answered - handshake.at for handshake in given_up]
    return told(f"gave up after {wait / 1000:.1f} s" for wait in waits if wait > 0)


def close_code(reel: Reel) -> str:
    """Twilio's code after `stop`."""
    ends = [close_of(socket) for socket in reel.sockets if socket.said("twilio", "stop")]
    return told(code for aspect, code in ends if aspect == "Twilio's close after stop") if reel.whole else ""


def server_ping(reel: Reel) -> str:
    """Whether pings of the application were answered."""
    answered = set()
    for socket in reel.sockets:
        frames = {(message.sender, message.form) for message in socket.messages}
        if ("application", "ping") in frames:
            answered.add("yes, with pong" if ("twilio", "pong") in frames else "no")
    return told(answered)


def server_close(reel: Reel) -> str:
    """Which callback a <Connect> stream had that the application closed."""
    closed = {
        socket.stream_sid
        for socket in reel.sockets
        if socket.closes and socket.closes[0].sender == "application" and _bidirectional(reel, socket)
    }
    forms = [a.form for a in reel.webhooks if a.form.get("StreamSid") in closed - {""}]
    events = {form.get("StreamEvent", "") for form in forms}
    return told(events - {"", "stream-started"})


def _bidirectional(reel: Reel, socket: Socket) -> bool:
    return socket.handshake.path in _nouns(reel, "Connect")


def _nouns(reel: Reel, verb: str) -> set[str]:
    """The paths of the streams inside this verb."""
    nouns = [noun for one in elements(documents(reel), verb) for noun in one.iter("Stream")]
    return {urlsplit(noun.get("url", "")).path for noun in nouns}
