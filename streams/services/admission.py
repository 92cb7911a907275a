"""May this media socket in: signature and nonce before accept, account and call in `start`.

Fails closed: whatever is not known to be right is refused, by a name that is logged and counted.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from hmac import compare_digest
from typing import Final

from django.conf import settings
from django.db import Error as DatabaseAway

from calls.briefing import Briefing
from calls.events import change
from calls.gateway import credentials
from calls.models import Ticket
from calls.selectors import voices
from calls.services import regions, tickets
from calls.signature import handshake_signers
from streams.protocol import StartBody
from streams.services import streams

__all__ = ["SID", "Admitted", "Refused", "claim", "signed", "start_refusal"]

SID: Final = re.compile(r"MZ[0-9a-fA-F]{32}\Z")
_ADDRESS = re.compile(r"/media/(?P<k>k/)?(?P<secret>[0-9a-f]{32})/?\Z")


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a socket is not let in: the name of its log line and counter."""

    event: str


@dataclass(frozen=True, slots=True)
class Admitted:
    """What is known of a socket that may send `start`: from its ticket, or from an ingest key."""

    ticket_id: int | None
    key_id: int | None
    voice: bool
    words: bool
    words_stopped: bool = False  # a person stopped them on the stream before this one of the leg
    call_sid: str = ""
    call_id: int | None = None
    started_at: datetime | None = None
    keeps_words: bool = True  # what a voice hears is also written down
    briefing: Briefing | None = None  # of a voice
    region: str = ""  # of a call that we do not know yet: whose token signed


def signed(*, raw_path: str, signature: str) -> frozenset[str]:
    """The regions with whose token Twilio signed the handshake to this address; none: refused."""
    return handshake_signers(
        public_url=settings.PUBLIC_URL,
        raw_path=raw_path,
        signature=signature,
        tokens=credentials.tokens_by_region(),
    )


def claim(*, raw_path: str, signers: frozenset[str], now: datetime) -> Admitted | Refused:
    """Spend the nonce of a signed handshake, or find its ingest key. Queries; never raises."""
    address = _ADDRESS.match(raw_path)
    if address is None:
        return Refused("media.path.unknown")
    try:
        if address["k"]:
            return _by_key(address["secret"], signers)
        return _by_nonce(address["secret"], signers, now)
    except DatabaseAway:
        return Refused("media.unavailable")


def start_refusal(*, admitted: Admitted, start: StartBody) -> str:
    """Why this `start` does not fit what was admitted, in a word for the log; "" when it fits."""
    if not _same(start.accountSid, settings.TWILIO_ACCOUNT_SID):
        return "account"
    if admitted.call_sid and not _same(start.callSid, admitted.call_sid):
        return "call"
    if not re.fullmatch(r"CA[0-9a-fA-F]{32}", start.callSid):
        return "call"
    return "" if SID.match(start.streamSid) else "stream"


def _by_nonce(nonce: str, signers: frozenset[str], now: datetime) -> Admitted | Refused:
    if regions.are_told_apart() and not _is_at_home(nonce, signers):
        return Refused("media.region.foreign")
    with change(at=now):  # in turn with the writer: SQLite's own waiting starves a thread
        ticket = tickets.spend(nonce=nonce, now=now)
    if ticket is None:
        return Refused(_why_not(nonce))
    leg = ticket.leg
    voice = ticket.kind == Ticket.Kind.VOICE
    words = (leg.call.words_wanted or voice) and settings.TRANSCRIBER != "none"
    return Admitted(
        ticket_id=ticket.pk,
        key_id=None,
        voice=voice,
        words=words,
        words_stopped=words and streams.words_stopped(leg_id=leg.pk),
        keeps_words=leg.call.words_wanted,
        briefing=voices.briefing(leg.call_id) if voice else None,
        call_sid=leg.sid,
        call_id=leg.call_id,
        started_at=leg.call.started_at,
    )


def _is_at_home(nonce: str, signers: frozenset[str]) -> bool:
    """Whether the ticket's call is of a region that signed; a nonce that we do not know fails later."""
    region = Ticket.objects.filter(nonce=nonce).values_list("leg__call__region", flat=True).first()
    return region is None or region in signers


def _why_not(nonce: str) -> str:
    """The name of a nonce's refusal, for the log alone: every answer is the same 403."""
    ticket = Ticket.objects.filter(nonce=nonce).only("spent_at", "released_at").first()
    if ticket is None:
        return "media.nonce.unknown"
    return "media.nonce.reused" if ticket.spent_at else "media.nonce.expired"


def _by_key(secret: str, signers: frozenset[str]) -> Admitted | Refused:
    key = tickets.usable_key(secret)
    if key is None:
        return Refused("media.key.unknown")
    words = key.number.transcribe and settings.TRANSCRIBER != "none"
    return Admitted(ticket_id=None, key_id=key.pk, voice=False, words=words, region=regions.only(signers))


def _same(given: str, ours: str) -> bool:
    return bool(ours) and compare_digest(given.encode("utf-8", "replace"), ours.encode())
