"""A supervisor takes a caller over from the voice that speaks with them.

The supervisor is rung into a fresh room of the call. Once they are there the caller is fetched by a redirect,
which ends the voice's stream; should they not answer, the voice goes on and has noticed nothing.
"""

from datetime import datetime

from django.utils.translation import gettext

from calls import path
from calls.counters import count
from calls.events import change
from calls.gateway import conferences as gateway
from calls.gateway.client import GatewayError
from calls.models import Call, Command, Conference, Leg, Participant, Supervision
from calls.refusal import Refused
from calls.services import commands, conferences, moves

__all__ = ["fetch", "is_void", "new_room"]

_PERSONS = (Leg.Kind.CALLER, Leg.Kind.PERSON)


def new_room(call: Call, *, now: datetime) -> Conference:
    """A room for the supervisor and the caller, within a change. Raises Refused where no voice speaks."""
    locked = Call.objects.select_for_update().get(pk=call.pk)
    if locked.state == Call.State.ENDED:
        raise Refused("call_ended", gettext("The call has ended."))
    if not path.speaks(locked.plan):
        raise Refused("no_voice", gettext("No voice speaks with this caller now."))
    rounds = locked.rounds + 1
    Call.objects.filter(pk=call.pk).update(rounds=rounds)
    return Conference.objects.create(
        call=locked, name=f"call-{call.pk}-{rounds}", round=rounds, created_at=now
    )


def fetch(*, now: datetime) -> int:
    """Bring callers to the supervisors who are there for them; how many were sent. Part of the tick."""
    there = Supervision.objects.filter(state=Supervision.State.IN, conference__ended_at__isnull=True)
    rows = there.exclude(call__state=Call.State.ENDED).exclude(
        conference__participants__leg__kind__in=_PERSONS
    )
    return sum(_fetch(row, now) for row in rows.select_related("call__number", "conference", "by"))


def is_void(row: Supervision) -> bool:
    """Whether the caller has gone elsewhere before they could be fetched: nobody will come into the room."""
    plan = row.call.plan
    if path.speaks(plan) or plan.get("then") or plan.get("name") == row.conference.name:
        return False
    return not Participant.objects.filter(conference=row.conference, leg__kind__in=_PERSONS).exists()


def _fetch(row: Supervision, now: datetime) -> int:
    call, room, plan = row.call, row.conference, _plan(row.conference)
    if moves.recently(call, Command.Kind.REDIRECT, now=now):
        return 0
    leg = moves.persons_leg(call)
    if leg is None or not (path.speaks(call.plan) or call.plan == plan):
        return 0
    try:
        if call.plan == plan and gateway.find(region=call.region, conference=room.name, participant=leg.sid):
            conferences.found_in(room, leg, now=now)  # sent once more they would leave it for a moment
        else:
            _send(row, now)
    except (Refused, GatewayError):  # gone on or hung up at this very moment; or not to be asked now
        return 0
    return 1


def _send(row: Supervision, now: datetime) -> None:
    """Redirect the caller from the voice. What Twilio refuses changes nothing: the voice has them still."""
    call, plan = row.call, _plan(row.conference)
    with change(at=now) as told:
        locked = Call.objects.select_for_update().get(pk=call.pk)
        before = locked.plan
        if not path.speaks(before) and before != plan:
            raise Refused("no_voice", "The caller has gone on.")
        command = moves.intend_redirect(told, call=locked, plan=plan, by=row.by)
        told.emit(kind="call.taken_over", noun="call", key=call.pk, call=call.pk, by=row.by_id)
        count("voice.taken_over")
    command = commands.send([command], now=now)[0]
    if command.state == Command.State.FAILED:
        with change(at=now) as told:
            if Call.objects.filter(pk=call.pk, plan=plan).update(plan=before):
                told.emit(kind="call.changed", noun="call", key=call.pk, call=call.pk)


def _plan(room: Conference) -> path.Plan:
    return {"step": "conference", "name": room.name}
