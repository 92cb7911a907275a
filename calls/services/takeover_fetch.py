"""Callers whom a supervisor takes over from a voice are brought to them. Part of the tick."""

from datetime import datetime

from django.utils.translation import gettext

from calls import path
from calls.counters import count
from calls.events import change
from calls.gateway import conferences as gateway
from calls.gateway.client import GatewayError
from calls.models import Call, Command, Supervision
from calls.refusal import Refused
from calls.services import commands, conferences, moves
from calls.services.takeover import PERSONS, plan_of

__all__ = ["fetch"]


def fetch(*, now: datetime) -> int:
    """Bring callers to the supervisors who are there for them; how many were sent."""
    there = Supervision.objects.filter(state=Supervision.State.IN, conference__ended_at__isnull=True)
    rows = there.exclude(call__state=Call.State.ENDED).exclude(
        conference__participants__leg__kind__in=PERSONS
    )
    return sum(_fetch(row, now) for row in rows.select_related("call__number", "conference", "by"))


def _fetch(row: Supervision, now: datetime) -> int:
    call, room, plan = row.call, row.conference, plan_of(row.conference)
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
    call, plan = row.call, plan_of(row.conference)
    with change(at=now) as told:
        locked = Call.objects.select_for_update().get(pk=call.pk)
        before = locked.plan
        if not path.speaks(before) and before != plan:
            raise Refused("no_voice", gettext("The caller has gone on."))
        command = moves.intend_redirect(told, call=locked, plan=plan, by=row.by)
        told.emit(kind="call.taken_over", noun="call", key=call.pk, call=call.pk, by=row.by_id)
        count("voice.taken_over")
    command = commands.send([command], now=now)[0]
    if command.state == Command.State.FAILED:
        with change(at=now) as told:
            if Call.objects.filter(pk=call.pk, plan=plan).update(plan=before):
                told.emit(kind="call.changed", noun="call", key=call.pk, call=call.pk)
