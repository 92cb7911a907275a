"""The TwiML that a caller meets: the first answer, each next turn, and answers while the database is away."""

import logging
import re
import secrets
from collections.abc import Mapping
from datetime import datetime

from django.conf import settings
from django.db import IntegrityError

from calls import path, twiml
from calls.counters import count
from calls.events import change
from calls.models import Leg, PhoneNumber, Reply, Ticket
from calls.services import legs, tickets
from calls.text import known_caller

__all__ = ["first", "instead", "next_turn", "replayed", "without_database"]

_log = logging.getLogger("contactcenter.twilio")
Fields = Mapping[str, str]
_TURN = re.compile(r"/twilio/next/([0-9a-f]{32})/")

# What each number does, as of its last call: enough to go on with while the database is away.
_last_known: dict[str, path.NumberSettings] = {}


def first(fields: Fields, *, now: datetime) -> str:
    """The answer to a new call, written with the call; a repeat gets the stored one and causes nothing."""
    stored = replayed(fields["CallSid"])
    if stored:
        return stored
    number = PhoneNumber.objects.select_related("agent").filter(e164=_dialled(fields)).first()
    if number is None:
        return _not_in_service(fields)
    _last_known[number.e164] = _settings(number)
    try:
        return _born(fields, number, now)
    except IntegrityError:  # of two at once the other was first
        stored = replayed(fields["CallSid"])
        if not stored:
            raise
        return stored


def next_turn(turn: str, fields: Fields, *, now: datetime) -> str:
    """What follows a finished verb. `turn` is the nonce in the address: asked again, the same answer."""
    stored = replayed(turn)
    if stored:
        return stored
    _note_dialled(fields, now)
    leg = Leg.objects.select_related("call__number").filter(sid=fields["CallSid"]).first()
    try:
        return _kept(turn, _next(leg, fields))
    except IntegrityError:
        return replayed(turn) or _apology()


def instead(fields: Fields, *, now: datetime) -> str:
    """The answer of the fallback address. A call that was never answered gets its first answer; in the
    middle of a call the first answer would dial again, so what failed decides.
    """
    failed = _TURN.search(fields.get("ErrorUrl", ""))
    return next_turn(failed[1], fields, now=now) if failed else first(fields, now=now)


def replayed(key: str) -> str:
    """The TwiML that this request was answered with before, if it was."""
    return Reply.objects.filter(pk=key).values_list("body", flat=True).first() or ""


def without_database(fields: Fields) -> str:
    """An answer from memory: dial as this number last did, without a stream; else an apology.

    The stream is opened when the database is back (taps.reopen_lost) and the row is found again (reconcile).
    """
    count("twilio.answered.without_database")
    number = _last_known.get(_dialled(fields))
    if "DialCallStatus" in fields:
        return twiml.ending(path.after_dial(fields["DialCallStatus"]))
    if number is None:
        return _apology()
    step = path.first_step(number, known_caller(fields.get("From", "")))
    if isinstance(step, path.Listen):
        return _apology()
    return twiml.render(step, addresses=_addresses(), consent=number.consent)


def _born(fields: Fields, number: PhoneNumber, now: datetime) -> str:
    with change(at=now) as told:
        leg = legs.born(
            told,
            sid=fields["CallSid"],
            status=fields.get("CallStatus", "ringing"),
            number=number,
            caller=fields.get("From", ""),
            caller_name=fields.get("CallerName", ""),
            region=fields.get("Region", ""),
            now=now,
        )
        chosen = _settings(number)
        body = twiml.render(
            path.first_step(chosen, leg.call.caller),
            addresses=_addresses(),
            consent=chosen.consent,
            tap=_tap(leg, chosen, now),
        )
        return _kept(fields["CallSid"], body)


def _tap(leg: Leg, number: path.NumberSettings, now: datetime) -> twiml.Tap | None:
    if not number.stream:
        return None
    ticket = tickets.issue(
        leg=leg,
        origin=Ticket.Origin.TWIML,
        parameters={"call": str(leg.call_id)},
        now=now,
        after_seconds=path.seconds_to_say(number.consent),
    )
    return twiml.Tap(
        url=tickets.media_url(ticket),
        name=ticket.name,
        track=ticket.track,
        status_callback=f"{settings.PUBLIC_URL}/twilio/stream-status/",
        parameters=ticket.parameters,
    )


def _next(leg: Leg | None, fields: Fields) -> str:
    if "DialCallStatus" in fields:
        return twiml.ending(path.after_dial(fields["DialCallStatus"]))
    if leg is not None and not leg.call.dials and tickets.live_on(leg):
        return twiml.render(path.Listen(again=True), addresses=_addresses())
    return twiml.ending(path.End())


def _note_dialled(fields: Fields, now: datetime) -> None:
    """The action of `<Dial>` says how the dialled leg ended, perhaps before its own callback does."""
    sid = fields.get("DialCallSid")
    if sid:
        parent, status = fields["CallSid"], fields.get("DialCallStatus", "")
        legs.apply(sid=sid, status=status, at=now, now=now, parent_sid=parent)


def _kept(key: str, body: str) -> str:
    Reply.objects.create(key=key, body=body)
    return body


def _addresses() -> twiml.Addresses:
    """Each answer names its own next turn, so that a legal repeat differs from a replay."""
    return twiml.Addresses(
        next_turn=f"{settings.PUBLIC_URL}/twilio/next/{secrets.token_hex(16)}/",
        call_status=f"{settings.PUBLIC_URL}/twilio/call-status/",
    )


def _settings(number: PhoneNumber) -> path.NumberSettings:
    to_agent = number.destination == PhoneNumber.Destination.AGENT
    identity = number.agent.identity if number.agent else ""
    return path.NumberSettings(
        e164=number.e164,
        destination=number.destination,
        target=identity if to_agent else number.forward_to,
        consent=number.consent.strip(),
        stream=number.stream,
    )


def _dialled(fields: Fields) -> str:
    return fields.get("To") or fields.get("Called", "")


def _not_in_service(fields: Fields) -> str:
    _log.warning("twilio.number.unknown", extra={"call_sid": fields["CallSid"]})
    count("twilio.number.unknown")
    return twiml.ending(path.End(path.UNKNOWN_NUMBER))


def _apology() -> str:
    return twiml.ending(path.End(path.APOLOGY))
