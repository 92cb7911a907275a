"""The one REST call behind each kind of command, and how its effect shows when Twilio's answer was lost.

A command's `args` hold all that is needed, so that nothing is read from the database while Twilio is asked.
"""

from collections.abc import Callable
from typing import Any

from django.conf import settings

from calls import lattice
from calls.gateway import calls, conferences, streams
from calls.gateway.client import GatewayError
from calls.models import Command, Leg, Offer, Participant, Reply, Supervision
from calls.remedies import explain
from calls.services import tickets

__all__ = ["address", "perform", "seen"]

Facts = dict[str, Any]
Kind = Command.Kind


def perform(command: Command) -> Facts:
    """Ask Twilio, once; what its answer tells (`call_sid`, `stream_sid`). Raises GatewayError."""
    return _PERFORM[Kind(command.kind)](command) or {}


def seen(command: Command) -> Facts | None:
    """Whether it was done after all: what shows it, or None while nothing does. Raises GatewayError."""
    return _SEEN[Kind(command.kind)](command)


def address(path: str) -> str:
    """The absolute address of one of our webhooks, such as conference/."""
    return f"{settings.PUBLIC_URL}/twilio/{path}"


def _start_stream(command: Command) -> Facts:
    ticket = command.ticket
    if ticket is None:
        raise GatewayError("unsent", permanent=True, unknown=False, text=explain("unsent"))
    sid = streams.create(
        region=command.call.region,
        call_sid=ticket.leg.sid,
        url=tickets.media_url(ticket),
        name=ticket.name,
        track=ticket.track,
        status_callback=address("stream-status/"),
        parameters=ticket.parameters,
    )
    return {"stream_sid": sid}


def _stop_stream(command: Command) -> None:
    args = command.args
    streams.stop(region=command.call.region, call_sid=args["call_sid"], sid_or_name=args["stream"])


def _add(command: Command) -> Facts:
    args = command.args
    sid = conferences.add(
        region=command.call.region,
        conference=args["conference"],
        label=args["label"],
        to=args["to"],
        from_=args["from"],
        timeout=args["timeout"],
        ends_conference=args.get("ends_conference", False),
        status_callback=address(f"legs/{args['label']}/"),
        conference_callback=address("conference/"),
        coached=args.get("coach", ""),
    )
    return {"call_sid": sid}


def _supervise(command: Command) -> Facts | None:
    """A new seat, or another way to sit there for who has one."""
    args = command.args
    if "leg" not in args:
        return _add(command)
    conferences.coach(
        region=command.call.region,
        conference=args["conference"],
        participant=args["leg"],
        coached=args["coach"],
    )
    return None


def _redirect(command: Command) -> None:
    args = command.args
    calls.redirect(region=command.call.region, sid=args["leg"], url=address(f"next/{args['turn']}/"))


def _end(command: Command) -> None:
    calls.end(region=command.call.region, sid=command.args["leg"])


def _hold(command: Command) -> None:
    conferences.hold(
        region=command.call.region,
        conference=command.args["conference"],
        participant=command.args["leg"],
        on=command.kind == Kind.HOLD,
        music=address("hold/"),
    )


def _mute(command: Command) -> None:
    conferences.mute(
        region=command.call.region,
        conference=command.args["conference"],
        participant=command.args["leg"],
        on=command.kind == Kind.MUTE,
    )


def _remove(command: Command) -> None:
    conferences.remove(
        region=command.call.region,
        conference=command.args["conference"],
        participant=command.args["leg"],
    )


def _added(command: Command) -> Facts | None:
    args = command.args
    if "supervision" in args:
        rows = Supervision.objects.filter(pk=args["supervision"])
        sid = rows.values_list("leg_sid", flat=True).first() or ""
    elif "offer" in args:
        sid = Offer.objects.filter(pk=args["offer"]).values_list("leg_sid", flat=True).first() or ""
    else:
        sid = ""
    found = sid or conferences.find(
        region=command.call.region, conference=args["conference"], participant=args["label"]
    )
    return {"call_sid": found} if found else None


def _supervised(command: Command) -> Facts | None:
    args = command.args
    if "leg" not in args:
        return _added(command)
    found = conferences.coaches(
        region=command.call.region, conference=args["conference"], participant=args["leg"]
    )
    return {} if found == args["coach"] else None


def _redirected(command: Command) -> Facts | None:
    return {} if Reply.objects.filter(pk=command.args["turn"]).exists() else None


def _ended(command: Command) -> Facts | None:
    status = Leg.objects.filter(sid=command.args["leg"]).values_list("status", flat=True).first() or ""
    if lattice.has_ended(status):
        return {}
    facts = calls.fetch(region=command.call.region, sid=command.args["leg"])
    return {} if facts is None or lattice.has_ended(lattice.known(facts.status)) else None


def _seat(command: Command) -> Participant | None:
    name, sid = command.args["conference"], command.args["leg"]
    return Participant.objects.filter(conference__name=name, leg__sid=sid).first()


def _held(command: Command) -> Facts | None:
    seat = _seat(command)
    return {} if seat is not None and seat.held == (command.kind == Kind.HOLD) else None


def _muted(command: Command) -> Facts | None:
    seat = _seat(command)
    return {} if seat is not None and seat.muted == (command.kind == Kind.MUTE) else None


def _removed(command: Command) -> Facts | None:
    seat = _seat(command)
    return {} if seat is not None and seat.left_at is not None else None


def _unread(command: Command) -> Facts | None:
    """Streams cannot be read at Twilio: commands.py settles them by their nonce."""
    return None


_PERFORM: dict[Kind, Callable[[Command], Facts | None]] = {
    Kind.START_STREAM: _start_stream,
    Kind.STOP_STREAM: _stop_stream,
    Kind.RING: _add,
    Kind.DIAL: _add,
    Kind.REDIRECT: _redirect,
    Kind.HANGUP: _end,
    Kind.END_LEG: _end,
    Kind.HOLD: _hold,
    Kind.RESUME: _hold,
    Kind.MUTE: _mute,
    Kind.UNMUTE: _mute,
    Kind.REMOVE: _remove,
    Kind.COACH: _supervise,
    Kind.JOIN: _supervise,
    Kind.TAKEOVER: _supervise,
}
_SEEN: dict[Kind, Callable[[Command], Facts | None]] = {
    Kind.START_STREAM: _unread,
    Kind.STOP_STREAM: _unread,
    Kind.RING: _added,
    Kind.DIAL: _added,
    Kind.REDIRECT: _redirected,
    Kind.HANGUP: _ended,
    Kind.END_LEG: _ended,
    Kind.HOLD: _held,
    Kind.RESUME: _held,
    Kind.MUTE: _muted,
    Kind.UNMUTE: _muted,
    Kind.REMOVE: _removed,
    Kind.COACH: _supervised,
    Kind.JOIN: _supervised,
    Kind.TAKEOVER: _supervised,
}
