"""A supervisor takes a caller over from the voice that speaks with them.

The supervisor is rung into a fresh room of the call. Once they are there the caller is fetched by a redirect
(services.takeover_fetch), which ends the voice's stream; should they not answer, the voice goes on and has
noticed nothing.
"""

from datetime import datetime

from django.utils.translation import gettext

from calls import path
from calls.models import Call, Conference, Leg, Participant, Supervision
from calls.refusal import Refused

__all__ = ["PERSONS", "is_void", "new_room", "plan_of"]

PERSONS = (Leg.Kind.CALLER, Leg.Kind.PERSON)


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


def is_void(row: Supervision) -> bool:
    """Whether the caller has gone elsewhere before they could be fetched: nobody will come into the room."""
    plan = row.call.plan
    if path.speaks(plan) or plan.get("then") or plan.get("name") == row.conference.name:
        return False
    return not Participant.objects.filter(conference=row.conference, leg__kind__in=PERSONS).exists()


def plan_of(room: Conference) -> path.Plan:
    """Meet in this room."""
    return {"step": "conference", "name": room.name}
