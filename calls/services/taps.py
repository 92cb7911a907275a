"""Streams on a live call: started and stopped by people, opened again when they are lost."""

import logging
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext, gettext_noop

from calls import lattice
from calls.counters import count
from calls.events import Change, change
from calls.gateway.streams import NAME
from calls.models import Call, Command, Leg, Ticket, User
from calls.refusal import Refused
from calls.selectors import taps as selector
from calls.services import commands, tickets
from calls.services.commands import Intent

__all__ = ["ONE_WAY", "reopen_lost", "start", "stop"]

_log = logging.getLogger("contactcenter.command")
_TRACKS = {"inbound_track", "outbound_track", "both_tracks"}
_AT_ONCE = 64  # the rest at the next look, a quarter of a second later
_MAX_PARAMETERS = 99
_MAX_PARAMETER = 500  # name and value together must be shorter
ONE_WAY = gettext_noop(
    "Twilio's Stream resource opens unidirectional streams only: they hear and do not speak. "
    "A voice that answers is set on the number, as its destination."
)
_VOICE = gettext_noop(
    "A bidirectional stream cannot be stopped by itself. End the call or give it another step."
)


@dataclass(frozen=True)
class _Wanted:
    name: str
    track: str
    parameters: Mapping[str, str]


def start(
    *,
    leg: Leg,
    by: User | None,
    name: str = "",
    track: str = "both_tracks",
    parameters: Mapping[str, str] | None = None,
    command_id: uuid.UUID,
    now: datetime,
) -> Command:
    """Open a unidirectional stream on the leg by REST; the command as it ended: done, failed or unknown.

    What cannot be (Twilio's limits, an ended call, a bad name) is a failed command with the reason in words;
    nothing was asked of Twilio then. The same `command_id` again gives the same command.
    """
    asked = commands.known(command_id)
    if asked is not None:
        return asked
    with change(at=now) as told:
        intent = Intent(command_id, leg.call, Command.Kind.START_STREAM, by)
        wanted = _Wanted(name, track, {"call": str(leg.call_id), **(parameters or {})})
        command = _intend_start(told, intent, leg, wanted, now)
    return commands.send([command], now=now)[0]


def stop(
    *,
    ticket: Ticket,
    by: User | None,
    command_id: uuid.UUID,
    now: datetime,
    stream_sid: str | None = None,
) -> Command:
    """Stop the ticket's stream by REST, by its SID when known, else by its name. It is not opened again."""
    asked = commands.known(command_id)
    if asked is not None:
        return asked
    with change(at=now) as told:
        intent = Intent(command_id, ticket.leg.call, Command.Kind.STOP_STREAM, by)
        command = _intend_stop(told, intent, ticket, stream_sid or ticket.name)
    return commands.send([command], now=now)[0]


def reopen_lost(*, now: datetime) -> int:
    """Open lost taps of live calls again by REST; how many were asked for."""
    started = [command for ticket in selector.lost(now=now)[:_AT_ONCE] if (command := _reopen(ticket, now))]
    commands.send(started, now=now)
    return len(started)


def _intend_start(told: Change, intent: Intent, leg: Leg, wanted: _Wanted, now: datetime) -> Command:
    try:
        _check(leg, wanted)
        ticket = tickets.issue(
            leg=leg,
            origin=Ticket.Origin.REST,
            name=wanted.name,
            track=wanted.track,
            parameters=wanted.parameters,
            now=now,
            asked_by=intent.by,
        )
    except Refused as refusal:
        return commands.fail(told, intent, code=refusal.code, text=refusal.text)
    _want_tap(told, intent.call, True)
    return commands.intend(told, intent, args=_named(ticket), ticket=ticket)


def _intend_stop(told: Change, intent: Intent, ticket: Ticket, stream: str) -> Command:
    if ticket.kind == Ticket.Kind.VOICE:
        return commands.fail(told, intent, code="voice", text=gettext(_VOICE))
    if intent.by is not None:
        Ticket.objects.filter(pk=ticket.pk).update(stopped_by=intent.by)
    if not selector.others_open(ticket):
        _want_tap(told, intent.call, False)
    args = {"call_sid": ticket.leg.sid, "stream": stream}
    return commands.intend(told, intent, args=args, ticket=ticket)


def _named(ticket: Ticket) -> dict[str, str]:
    return {"call_sid": ticket.leg.sid, "name": ticket.name, "track": ticket.track}


def _check(leg: Leg, wanted: _Wanted) -> None:
    if lattice.has_ended(leg.status) or leg.call.state == Call.State.ENDED:
        raise Refused("call_ended", gettext("The call has ended. There is nothing to stream any more."))
    if wanted.name and not NAME.fullmatch(wanted.name):
        raise Refused("bad_name", gettext("A stream's name has 1 to 64 letters, digits and _ . - only."))
    if wanted.track not in _TRACKS:
        raise Refused("31941", gettext("The track must be inbound_track, outbound_track or both_tracks."))
    sizes = [len(key) and len(key) + len(value) for key, value in wanted.parameters.items()]
    if len(sizes) > _MAX_PARAMETERS or not all(0 < size < _MAX_PARAMETER for size in sizes):
        raise Refused(
            "parameters", gettext("At most 98 parameters, each with a name and under 500 characters.")
        )


def _want_tap(told: Change, call: Call, wanted: bool) -> None:
    if Call.objects.filter(pk=call.pk, tap_wanted=not wanted).update(tap_wanted=wanted):
        call.tap_wanted = wanted
        told.emit(kind="call.changed", noun="call", key=call.pk, call=call.pk)


def _reopen(lost: Ticket, now: datetime) -> Command | None:
    leg = lost.leg
    try:
        with change(at=now) as told:
            ticket = tickets.issue(
                leg=leg,
                origin=Ticket.Origin.REST,
                track=lost.track,
                parameters={"call": str(leg.call_id), **lost.parameters},
                now=now,
                reopens=lost,
            )
            intent = Intent(uuid.uuid4(), leg.call, Command.Kind.START_STREAM, None)
            _log.info("tap.reopened", extra={"call": leg.call_id, "call_sid": leg.sid})
            return commands.intend(told, intent, args={**_named(ticket), "reopens": lost.name}, ticket=ticket)
    except Refused as refusal:  # people have filled the leg's tracks, or another worker was first
        count("tap.reopen.refused")
        _log.debug("tap.reopen.refused", extra={"call": leg.call_id, "code": refusal.code})
        return None
