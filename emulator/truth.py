"""The truth log: what Twilio would know of every call, so that any claim of the target can be compared."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from emulator.audio.ear import Spoken
from emulator.exchange import Exchange
from emulator.leg import Leg
from emulator.media.socket import MediaStream
from emulator.pacing import TICK_MS
from emulator.rooms.conference import Conference
from emulator.rooms.queue import Queue
from emulator.rooms.recording import Recording
from emulator.rooms.seat import Seat
from emulator.world import iso


def log(exchange: Exchange) -> dict[str, Any]:
    """Everything, oldest call first. Numbers are counts, milliseconds (`*_ms`) or bytes; dates ISO 8601."""
    return {
        "seed": exchange.world.seed,
        "at": iso(exchange.world.clock.now()),
        "faults": exchange.faults.as_dict(),
        "late_p99_ms": exchange.pacer.late_p99_ms(),
        "calls": [call(leg) for leg in exchange.legs.values()],
        "conferences": [conference(room) for room in exchange.conferences.by_sid.values()],
        "queues": [queue(one) for one in exchange.queues.by_sid.values()],
        "recordings": [recording(one) for one in exchange.recordings.by_sid.values()],
        "rest": [entry.as_dict() for entry in exchange.ledger.entries],
    }


def call(leg: Leg) -> dict[str, Any]:
    """One leg."""
    of = leg.call
    return {
        "call_sid": of.sid,
        "parent_call_sid": of.parent_sid or None,
        "from": of.from_,
        "to": of.to,
        "caller_name": of.caller_name,
        "direction": of.direction,
        "script": of.script,
        "status": of.status,
        "reason": of.reason,
        "created": iso(of.created),
        "started": iso(of.started),
        "ended": iso(of.ended),
        "statuses": of.statuses,
        "documents": of.documents,
        "webhooks": list(of.webhooks),
        "notifications": list(of.notifications),
        "keys": of.keys,
        "region": of.region,
        "transcriptions": [
            {"transcription_sid": t.sid, "name": t.name, "live": t.live} for t in leg.transcriptions
        ],
        "streams": [stream(leg, one) for one in leg.streams],
    }


def conference(room: Conference) -> dict[str, Any]:
    """One conference: who is and was in it, on which terms, and what it told."""
    return {
        "conference_sid": room.sid,
        "friendly_name": room.friendly_name,
        "region": room.region,
        "status": room.status,
        "reason": room.reason,
        "created": iso(room.created),
        "members": [member(seat) for seat in (*room.past, *room.seats.values())],
        "expected": list(room.expected),
        "webhooks": list(room.webhooks),
        "notifications": list(room.notifications),
    }


def member(seat: Seat) -> dict[str, Any]:
    """One member of a conference, as it is now or left it."""
    terms = seat.terms
    return {
        "call_sid": seat.leg.call.sid,
        "label": terms.label,
        "muted": terms.muted,
        "hold": terms.hold,
        "coaching": terms.coach if terms.coaching else None,
        "joined": iso(seat.joined),
        "left": seat.over.is_set(),
    }


def queue(of: Queue) -> dict[str, Any]:
    """One queue and who waits in it, in order."""
    return {
        "queue_sid": of.sid,
        "friendly_name": of.friendly_name,
        "region": of.region,
        "max_size": of.max_size,
        "members": [one.leg.call.sid for one in of.members],
    }


def recording(of: Recording) -> dict[str, Any]:
    """One recording; `bytes` of mu-law per channel."""
    return {
        "recording_sid": of.sid,
        "call_sid": of.call_sid or None,
        "conference_sid": of.conference_sid or None,
        "source": of.order.source,
        "status": of.status,
        "channels": len(of.taps),
        "bytes": of.taken,
    }


def stream(leg: Leg, of: MediaStream) -> dict[str, Any]:
    """One stream: what was asked, what went out, and which recordings it carried when."""
    address = urlsplit(of.wanted.url)
    flowed = of.last_tick > 0
    pieces = played(leg, of) if flowed else []
    return {
        "stream_sid": of.sid,
        "call_sid": leg.call.sid,
        "name": of.name,
        "direction": of.wanted.direction,
        "made_by": of.wanted.made_by,
        "tracks": list(of.wanted.tracks),
        "parameters": of.wanted.parameters,
        "host": address.netloc,
        "path": address.path,
        "status": of.status,
        "reason": of.reason,
        "error": of.error,
        "warnings": of.warnings,
        "created": iso(of.created),
        "ended": iso(of.ended),
        "frames_sent": dict(of.sent),
        "sent_sha256": {name: track.digest for name, track in of.outlet.tracks.items()},
        "frames_discarded": of.outlet.discarded,
        "harm": of.outlet.harm,
        "replays": of.replays,
        "messages_sent": of.outlet.sequence,
        "bytes_sent": of.outlet.bytes_sent,
        "first_ms": of.outlet.first_ms if flowed else None,
        "last_ms": _at(of, of.last_tick) if flowed else None,
        "played_back_bytes": of.replies.played_bytes,
        "commands": of.replies.commands,
        "played": [piece for piece in pieces if "file" in piece],
        "prompts": [piece for piece in pieces if "text" in piece],
    }


def played(leg: Leg, of: MediaStream) -> list[dict[str, Any]]:
    """Which part of which recording or prompt each track carried: where in it, in the stream, and when."""
    start, end = of.first_tick, of.last_tick + 1
    heard = {"inbound": leg.party.spoken, "outbound": leg.ear.spoken}
    moment = leg.exchange.pacer.moment
    return [
        {**_piece(of, track, piece), "from_at": iso(moment(piece.start, of.phase_s))}
        for track in of.wanted.tracks
        for piece in heard[track](start, end)
    ]


def _piece(of: MediaStream, track: str, piece: Spoken) -> dict[str, Any]:
    length = (piece.end - piece.start) * TICK_MS
    what = {"text": piece.text} if piece.text else {"file": piece.file, "channel": piece.channel}
    return {
        "track": track,
        **what,
        "stream_from_ms": _at(of, piece.start),
        "stream_to_ms": _at(of, piece.start) + length,
        "file_from_ms": piece.skipped_ms,
        "file_to_ms": piece.skipped_ms + length,
    }


def _at(of: MediaStream, tick: int) -> int:
    """The `media.timestamp` of a tick on this stream."""
    return of.outlet.first_ms + (tick - of.first_tick) * TICK_MS
