"""Permission for media sockets: one-use nonces that bear Twilio's limits, and addresses for others' streams.

Twilio's limits hold per leg: four tracks at once, one bidirectional stream, a name once. They are told here
before Twilio refuses; the database's constraints are the second line.
"""

import re
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.translation import gettext, gettext_noop

from calls import path
from calls.models import IngestKey, Leg, PhoneNumber, Ticket, User
from calls.refusal import Refused
from calls.text import clean

__all__ = [
    "VALID_SECONDS",
    "LimitReached",
    "expire",
    "issue",
    "issue_key",
    "key_url",
    "live_on",
    "media_url",
    "release",
    "release_voices",
    "revoke",
    "revoke_key",
    "revoke_unspent",
    "spend",
    "usable_key",
]

VALID_SECONDS = 60
REOPENING_SECONDS = 10  # a lost tap that did not come back by then is asked for again
MAX_TRACKS = 4
_SECRET = re.compile(r"[0-9a-f]{32}")
_SCHEMES = {"https": "wss", "http": "ws"}


class LimitReached(Refused):
    """One of Twilio's limits on the leg: tracks_full, voice_in_use or name_in_use."""


def issue(
    *,
    leg: Leg,
    kind: str = Ticket.Kind.TAP,
    origin: str,
    name: str = "",
    track: str = "both_tracks",
    parameters: Mapping[str, str] | None = None,
    now: datetime,
    asked_by: User | None = None,
    ingest_key: IngestKey | None = None,
    reopens: Ticket | None = None,
    after_seconds: int = 0,
) -> Ticket:
    """A new ticket for one media socket of `leg`, valid 60 s (and `after_seconds` of speech before it).

    Without a name it gets tap, tap-2, … or voice, voice-2, …. A ticket of origin ingest is spent at once:
    Twilio has opened that stream already, so no limit is asked. Raises LimitReached, or Refused while the
    caller gives a code.
    """
    seconds = (REOPENING_SECONDS if reopens else VALID_SECONDS) + after_seconds
    ticket = Ticket(
        nonce=secrets.token_hex(16),
        leg=leg,
        kind=kind,
        origin=origin,
        ingest_key=ingest_key,
        name=name,
        track=track,
        parameters={clean(key, 200): clean(value, 400) for key, value in (parameters or {}).items()},
        expires_at=now + timedelta(seconds=seconds),
        spent_at=now if origin == Ticket.Origin.INGEST else None,
        asked_by=asked_by,
        reopens=reopens,
        created_at=now,
    )
    _save(ticket, now)
    return ticket


def _save(ticket: Ticket, now: datetime) -> None:
    """With a name of its own and within the limits. Raises Refused."""
    try:
        with transaction.atomic():
            # Of two at once the second sees the first.
            leg = Leg.objects.select_for_update(of=("self",)).select_related("call").get(pk=ticket.leg_id)
            if path.asks_secret(leg.call.plan) and ticket.origin != Ticket.Origin.INGEST:
                raise Refused("verifying", gettext(_VERIFYING))
            ticket.name = ticket.name or _next_name(ticket)
            if ticket.origin != Ticket.Origin.INGEST:
                _ask_limits(ticket, now)
            ticket.save(force_insert=True)
    except IntegrityError as error:
        raise LimitReached("name_in_use", gettext(_NAME) % {"name": ticket.name}) from error


_VERIFYING = gettext_noop(
    "The caller is giving a code just now, which nobody may hear. Try again in a moment."
)
_NAME = gettext_noop(
    "A stream named %(name)s is open on this call. Choose another name or stop that stream first."
)
_TRACKS = gettext_noop(
    "This call has %(used)s of %(limit)s tracks streaming; this stream needs %(more)s. Stop a stream first."
)
_VOICE = gettext_noop("A bidirectional stream is open on this call, and Twilio allows one. Close it first.")


def _ask_limits(ticket: Ticket, now: datetime) -> None:
    expire(now=now, leg=ticket.leg)
    others = list(live_on(ticket.leg))
    if any(other.name == ticket.name for other in others):
        raise LimitReached("name_in_use", gettext(_NAME) % {"name": ticket.name})
    if ticket.kind == Ticket.Kind.VOICE and any(other.kind == Ticket.Kind.VOICE for other in others):
        raise LimitReached("voice_in_use", gettext(_VOICE))
    used = sum(other.track_count() for other in others if other.kind == Ticket.Kind.TAP)
    more = ticket.track_count()
    if ticket.kind == Ticket.Kind.TAP and used + more > MAX_TRACKS:
        raise LimitReached(
            "tracks_full", gettext(_TRACKS) % {"used": used, "limit": MAX_TRACKS, "more": more}
        )


def _next_name(ticket: Ticket) -> str:
    """tap, tap-2, …: a name that this leg has never had, as Twilio may still hold a lost stream."""
    kind = str(ticket.kind)
    had = set(Ticket.objects.filter(leg=ticket.leg).values_list("name", flat=True))
    numbered = (f"{kind}-{number}" for number in range(2, len(had) + 3))
    return next(name for name in (kind, *numbered) if name not in had)


def live_on(leg: Leg) -> list[Ticket]:
    """The leg's tickets that are not released: streams that are open or may open yet."""
    return list(leg.tickets.filter(released_at__isnull=True))


def spend(*, nonce: str, now: datetime) -> Ticket | None:
    """Consume the nonce for this handshake; None if it is unknown, spent, expired or revoked."""
    if not _SECRET.fullmatch(nonce):
        return None
    unspent = Ticket.objects.filter(nonce=nonce, spent_at__isnull=True, released_at__isnull=True)
    if not unspent.filter(expires_at__gt=now).update(spent_at=now):
        return None
    return Ticket.objects.select_related("leg__call__number").get(nonce=nonce)


def release(*, ticket_id: int, now: datetime, stopped_by: User | None = None) -> bool:
    """Give the leg back what the ticket took. True if it was not released before."""
    if stopped_by is not None:
        Ticket.objects.filter(pk=ticket_id, stopped_by__isnull=True).update(stopped_by=stopped_by)
    return bool(Ticket.objects.filter(pk=ticket_id, released_at__isnull=True).update(released_at=now))


def release_voices(*, leg: Leg, now: datetime) -> int:
    """Release the leg's bidirectional streams: Twilio has gone on behind them. How many there were."""
    there = Ticket.objects.filter(leg=leg, kind=Ticket.Kind.VOICE, released_at__isnull=True)
    return there.update(released_at=now) if there.exists() else 0


def expire(*, now: datetime, leg: Leg | None = None) -> int:
    """Release tickets that were never spent in their time (of one leg, or all). How many there were."""
    stale = Ticket.objects.filter(spent_at__isnull=True, released_at__isnull=True, expires_at__lte=now)
    if leg is not None:
        stale = stale.filter(leg=leg)
    # Asked four times a second: a look is free, an update takes the database's one write lock.
    return stale.update(released_at=now) if stale.exists() else 0


def revoke(*, ticket_id: int, now: datetime) -> bool:
    """Make an unspent nonce worthless. False if it has been spent or released."""
    unspent = Ticket.objects.filter(pk=ticket_id, spent_at__isnull=True, released_at__isnull=True)
    return bool(unspent.update(released_at=now))


def revoke_unspent(*, leg_ids: list[int], now: datetime) -> int:
    """Release the unspent tickets of legs that are over."""
    unspent = Ticket.objects.filter(leg_id__in=leg_ids, spent_at__isnull=True, released_at__isnull=True)
    return unspent.update(released_at=now)


def media_url(ticket: Ticket) -> str:
    """The address that Twilio's media socket opens: wss for an https site, ws for a loopback http one."""
    return f"{_socket_origin()}/media/{ticket.nonce}/"


def key_url(key: IngestKey) -> str:
    """The address that others put into their TwiML."""
    return f"{_socket_origin()}/media/k/{key.key}/"


def _socket_origin() -> str:
    scheme, _, rest = settings.PUBLIC_URL.partition("://")
    return f"{_SCHEMES.get(scheme, 'wss')}://{rest}"


def issue_key(*, number: PhoneNumber, by: User | None, now: datetime) -> IngestKey:
    """A new ingest address for streams that others open for calls to `number`."""
    return IngestKey.objects.create(key=secrets.token_hex(16), number=number, created_by=by)


def revoke_key(*, key: IngestKey, now: datetime) -> bool:
    """Close an ingest address for new streams. True if it was open."""
    return bool(IngestKey.objects.filter(pk=key.pk, revoked_at__isnull=True).update(revoked_at=now))


def usable_key(key: str) -> IngestKey | None:
    """The ingest address with this key if it has not been revoked, with its number."""
    usable = IngestKey.objects.select_related("number").filter(key=key, revoked_at__isnull=True)
    return usable.first() if _SECRET.fullmatch(key) else None
