"""What an agent does with the call that they are in: hang up, hold, mute."""

import uuid
from datetime import datetime

from django.utils.translation import gettext

from calls import lattice
from calls.events import change
from calls.models import Call, Command, Leg, Offer, Participant, Supervision, User
from calls.refusal import Refused
from calls.services import commands, moves, offers
from calls.services.commands import Intent

__all__ = ["check_talking", "hang_up", "hold", "leave", "mute", "on_purpose", "others_in"]


def hang_up(*, offer: Offer, by: User, command_id: uuid.UUID, now: datetime) -> Command:
    """End the call; with a colleague, another party or a supervisor who has joined, only the agent leaves.

    Raises Refused.
    """
    asked = commands.known(command_id)
    if asked is not None:
        return asked
    check_talking(offer)
    if _consulting(offer.call, Offer.State.RINGING):
        raise Refused(
            "consulting", gettext("A colleague is being called. Take the caller back first, or wait.")
        )
    if others_in(offer) or Supervision.objects.joined().filter(call=offer.call).exists():
        return leave(offer=offer, by=by, command_id=command_id, now=now)
    on_purpose(offer)
    if moves.persons_leg(offer.call) is None:
        return _end_own(offer, by, command_id, now)
    command = moves.hang_up(call=offer.call, by=by, command_id=command_id, now=now)
    return _still_there(offer, command)


def leave(*, offer: Offer, by: User, command_id: uuid.UUID, now: datetime) -> Command:
    """The agent leaves, the others go on; whoever was on hold is taken back."""
    on_purpose(offer)
    seat = offers.caller_seat(offer.call)
    if seat is not None and seat.held:
        moves.unhold(seat=seat, by=by, now=now)
    return _end_own(offer, by, command_id, now)


def hold(*, offer: Offer, on: bool, by: User, command_id: uuid.UUID, now: datetime) -> Command:
    """Put the person on hold with music, or take them back. Raises Refused."""
    asked = commands.known(command_id)
    if asked is not None:
        return asked
    check_talking(offer)
    seat = offers.caller_seat(offer.call)
    if seat is None:
        raise Refused("not_connected", gettext("The caller is not connected yet. Try again in a moment."))
    act = moves.hold if on else moves.unhold
    return act(seat=seat, by=by, command_id=command_id, now=now)


def mute(*, offer: Offer, on: bool, by: User, command_id: uuid.UUID, now: datetime) -> Command:
    """Mute the agent's own leg at Twilio: for telephones; a browser mutes its microphone. Raises Refused."""
    asked = commands.known(command_id)
    if asked is not None:
        return asked
    check_talking(offer)
    seat = Participant.objects.filter(leg__sid=offer.leg_sid, left_at__isnull=True, joined_at__isnull=False)
    mine = seat.select_related("conference").order_by("-conference__round").first()
    if mine is None:
        raise Refused("not_connected", gettext("You are not connected yet. Try again in a moment."))
    with change(at=now) as told:
        kind = Command.Kind.MUTE if on else Command.Kind.UNMUTE
        args = {"leg": offer.leg_sid, "conference": mine.conference.name}
        command = commands.intend(told, Intent(command_id, offer.call, kind, by), args=args)
    return commands.send([command], now=now)[0]


def check_talking(offer: Offer) -> None:
    """Raises Refused unless the agent is in the call."""
    offer.refresh_from_db(fields=["state"])
    if offer.state != Offer.State.ACCEPTED:
        raise Refused("not_on_call", gettext("You are not in this call any more."))


def others_in(offer: Offer) -> bool:
    """Whether somebody beside the agent talks with the person: a colleague, or an outside number."""
    colleagues = Offer.objects.filter(call=offer.call, state=Offer.State.ACCEPTED).exclude(pk=offer.pk)
    outside = Leg.objects.filter(call=offer.call, kind=Leg.Kind.OUTSIDE, status=lattice.LIVE)
    return colleagues.exists() or outside.exists()


def _consulting(call: Call, state: str) -> bool:
    return Offer.objects.filter(call=call, kind=Offer.Kind.CONSULT, state=state).exists()


def on_purpose(offer: Offer) -> None:
    """The agent's leg will end because they want it so: nothing is lost then, nothing is resumed."""
    Offer.objects.filter(pk=offer.pk).update(hung_up=True)
    offer.hung_up = True


def _end_own(offer: Offer, by: User, command_id: uuid.UUID, now: datetime) -> Command:
    with change(at=now) as told:
        intent = Intent(command_id, offer.call, Command.Kind.END_LEG, by)
        command = commands.intend(told, intent, args={"leg": offer.leg_sid})
    return _still_there(offer, commands.send([command], now=now)[0])


def _still_there(offer: Offer, command: Command) -> Command:
    """When Twilio would not end it, the agent is in the call as before."""
    if command.state == Command.State.FAILED:
        Offer.objects.filter(pk=offer.pk).update(hung_up=False)
    return command
