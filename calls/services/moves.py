"""Sending the person of a call on: the plan is written with the intent, then Twilio is asked to follow it."""

import secrets
import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext, gettext_noop

from calls.events import Change, change
from calls.models import Call, Command, Leg, Participant, User
from calls.refusal import Refused
from calls.services import commands
from calls.services.commands import Intent

__all__ = [
    "AGAIN",
    "hang_up",
    "hold",
    "intend_redirect",
    "own_id",
    "persons_leg",
    "recently",
    "redirect",
    "unhold",
]

AGAIN = timedelta(seconds=5)  # what shows no effect by then is asked again
_OVER = gettext_noop("The call has ended.")


def redirect(
    *,
    call: Call,
    plan: Mapping[str, Any],
    by: User | None,
    command_id: uuid.UUID | None = None,
    now: datetime,
) -> Command:
    """Have the person's leg go on with `plan` (calls.path). Raises Refused when the call is over."""
    with change(at=now) as told:
        command = intend_redirect(told, call=call, plan=plan, by=by, command_id=command_id)
    return commands.send([command], now=now)[0]


def intend_redirect(
    told: Change, *, call: Call, plan: Mapping[str, Any], by: User | None, command_id: uuid.UUID | None = None
) -> Command:
    """The same within a change; who calls it sends the command afterwards. Raises Refused."""
    leg = persons_leg(call)
    if leg is None:
        raise Refused("call_ended", gettext(_OVER))
    call.plan = dict(plan)
    Call.objects.filter(pk=call.pk).update(plan=call.plan)
    intent = Intent(command_id or own_id(call, Command.Kind.REDIRECT), call, Command.Kind.REDIRECT, by)
    args = {"leg": leg.sid, "turn": secrets.token_hex(16), "step": plan["step"]}
    return commands.intend(told, intent, args=args)


def hang_up(*, call: Call, by: User | None, command_id: uuid.UUID | None = None, now: datetime) -> Command:
    """End the person's leg, and with it the call. Raises Refused when it is over."""
    with change(at=now) as told:
        leg = persons_leg(call)
        if leg is None:
            raise Refused("call_ended", gettext(_OVER))
        intent = Intent(command_id or own_id(call, Command.Kind.HANGUP), call, Command.Kind.HANGUP, by)
        command = commands.intend(told, intent, args={"leg": leg.sid})
    return commands.send([command], now=now)[0]


def hold(
    *, seat: Participant, by: User | None, command_id: uuid.UUID | None = None, now: datetime
) -> Command:
    """Put a participant on hold, with music."""
    return _on_seat(Command.Kind.HOLD, seat, by, command_id, now)


def unhold(
    *, seat: Participant, by: User | None, command_id: uuid.UUID | None = None, now: datetime
) -> Command:
    """Take a participant back from hold."""
    return _on_seat(Command.Kind.RESUME, seat, by, command_id, now)


def persons_leg(call: Call) -> Leg | None:
    """The live leg of the person whose call it is."""
    persons = (Leg.Kind.CALLER, Leg.Kind.PERSON)
    return call.legs.filter(kind__in=persons, ended_at__isnull=True).order_by("-started_at", "-id").first()


def own_id(call: Call, kind: str) -> uuid.UUID:
    """The id of a command that nobody's page has chosen: of two workers at once the second meets the key of
    the first (IntegrityError), and nothing is asked twice.
    """
    before = Command.objects.filter(call=call, kind=kind).count()
    return uuid.uuid5(uuid.NAMESPACE_OID, f"{kind} {call.pk} {before}")


def recently(call: Call, kind: str, *, now: datetime, **args: Any) -> bool:
    """Whether such a command was asked in the last seconds, so that it is not asked again yet."""
    named = {f"args__{name}": value for name, value in args.items()}
    return Command.objects.filter(call=call, kind=kind, created_at__gt=now - AGAIN, **named).exists()


def _on_seat(
    kind: str, seat: Participant, by: User | None, command_id: uuid.UUID | None, now: datetime
) -> Command:
    with change(at=now) as told:
        call = seat.conference.call
        intent = Intent(command_id or own_id(call, kind), call, kind, by)
        args = {"leg": seat.leg.sid, "conference": seat.conference.name}
        command = commands.intend(told, intent, args=args)
    command = commands.send([command], now=now)[0]
    if command.state == Command.State.DONE:  # Twilio's answer says so too, should its callback be lost
        _note_held(seat, kind == Command.Kind.HOLD, now)
    return command


def _note_held(seat: Participant, held: bool, now: datetime) -> None:
    seat.held = held
    with change(at=now) as told:
        if not Participant.objects.filter(pk=seat.pk).exclude(held=held).update(held=held):
            return  # the callback was here first, and told it
        kind = "participant.hold" if held else "participant.unhold"
        told.emit(kind=kind, noun="participant", key=seat.pk, call=seat.conference.call_id)
