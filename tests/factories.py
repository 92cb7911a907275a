"""Rows for tests, with the least that makes each of them true. Every SID is new and looks like Twilio's."""

import secrets
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from django.utils import timezone

from calls.models import Call, CallState, Leg, PhoneNumber, Ticket, Utterance
from streams.models import Process, Stream

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
_next = count(1)


def sid(prefix: str) -> str:
    """A SID such as Twilio makes: two letters and 32 hexadecimal digits."""
    return prefix + secrets.token_hex(16)


def number(**fields: Any) -> PhoneNumber:
    """A number that forwards to a telephone and is streamed."""
    fields.setdefault("e164", f"+3120{1000000 + next(_next)}")
    fields.setdefault("label", "Support")
    fields.setdefault("forward_to", "+31201234999")
    return PhoneNumber.objects.create(**fields)


def call(**fields: Any) -> Call:
    """A live call from Carla's number; `state="ended"` gets its time too."""
    fields.setdefault("caller", "+31612345678")
    fields.setdefault("state", CallState.LIVE)
    fields.setdefault("started_at", timezone.now())
    if fields["state"] == CallState.ENDED:
        fields.setdefault("ended_at", fields["started_at"] + timedelta(minutes=2))
    return Call.objects.create(**fields)


def leg(of: Call | None = None, **fields: Any) -> Leg:
    """The caller's leg of a call, in progress."""
    fields.setdefault("sid", sid("CA"))
    fields.setdefault("status", "in-progress")
    return Leg.objects.create(call=of or call(), **fields)


def ticket(of: Leg | None = None, **fields: Any) -> Ticket:
    """An unspent permission for one two-track stream of a leg, good for a minute."""
    fields.setdefault("nonce", secrets.token_hex(16))
    fields.setdefault("name", f"tap-{next(_next)}")
    fields.setdefault("expires_at", timezone.now() + timedelta(seconds=60))
    return Ticket.objects.create(leg=of or leg(), **fields)


def process(**fields: Any) -> Process:
    """A media process that was seen just now."""
    fields.setdefault("id", f"test-{next(_next)}")
    fields.setdefault("host", "test")
    fields.setdefault("pid", 1)
    fields.setdefault("seen_at", timezone.now())
    return Process.objects.create(**fields)


def stream(of: Leg | None = None, **fields: Any) -> Stream:
    """An open two-track stream of a leg, let in by a spent ticket."""
    now = timezone.now()
    fields.setdefault("sid", sid("MZ"))
    fields.setdefault("tracks", ["inbound", "outbound"])
    fields.setdefault("opened_at", now)
    admitted = fields.pop("ticket", None) or ticket(of, spent_at=now)
    return Stream.objects.create(leg=admitted.leg, ticket=admitted, **fields)


def utterance(of: Stream, text: str = "good morning", **fields: Any) -> Utterance:
    """A final line of the caller on a stream."""
    fields.setdefault("track", "inbound")
    fields.setdefault("number", next(_next))
    fields.setdefault("speaker", "caller" if fields["track"] == "inbound" else "agent")
    fields.setdefault("start_ms", 1000)
    fields.setdefault("end_ms", fields["start_ms"] + 1500)
    fields.setdefault("confidence", 0.9)
    return Utterance.objects.create(call=of.leg.call, stream_sid=of.sid, text=text, **fields)
